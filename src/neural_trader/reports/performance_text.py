"""The performance page as Markdown, from plain data: claim beside what was measured, row by row."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

NOT_MEASURED: Final = "not measured"
_COLUMNS: Final = (
    ("quantity", "words"),
    ("claim, Rust", "claim"),
    ("claim, Python", "claim_python"),
    ("baseline", "baseline"),
    ("**ours**", "ours"),
    ("95 % interval", "interval"),
    ("x claim", "to_claim"),
    ("x baseline", "to_baseline"),
    ("limit", "limit"),
)
READING: Final = (
    "**Claims** are figures of the page that describes this system by a Python and a Rust column; "
    "no program stands behind them. **Ours** is the median of the rounds, each in fresh processes, "
    "and every answer is checked before its time is believed. **x claim** says how many times "
    "better ours is than the Rust claim, **x baseline** than the baseline of the same rounds. The "
    "**interval** is the 95 % bootstrap interval of the median. **Limit** is what straight C takes "
    "for the same work on the same machine.",
)


def render_markdown(page: Mapping[str, Any]) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    page : mapping
        As the bench shows it: ``head``, ``machine``, ``provenance``, ``counts``, ``warnings`` and
        ``sections`` with their ``rows``.
    """
    counts = page["counts"]
    parts = [
        "# Performance",
        "",
        "Written by `neural-trader bench report`; [benchmarks.md](benchmarks.md) says how each "
        "figure is measured.",
        "",
        *(f"> {_escape(warning)}\n" for warning in page["warnings"]),
        f"Of the page's {counts['rows']} rows {counts['measured']} are measured here, "
        f"{counts['ahead']} of them ahead of the Rust claim and {counts['behind']} behind it; "
        f"{counts[NOT_MEASURED]} are not measured, each with its reason.",
        "",
        *READING,
        "",
        *_terms("Machine", page["machine"]),
        *_terms("Measured", page["provenance"]),
    ]
    for section in page["sections"]:
        parts += _section(section)
    return "\n".join(parts).rstrip() + "\n"


def remarks(section: Mapping[str, Any], *, reasons: bool = True) -> list[tuple[str, str]]:
    """Return the notes of a section, each once: the rows it holds for in words, and its text.

    Parameters
    ----------
    section : mapping
    reasons : bool
        Whether the reasons why rows are not measured are among them.
    """
    found: dict[str, list[str]] = {}
    for row in section["rows"]:
        for text in row["notes"]:
            found.setdefault(text, []).append(row["words"])
        if reasons and row["verdict"] == NOT_MEASURED:
            found.setdefault(f"Not measured: {row['reason']}.", []).append(row["words"])
    whole = len(section["rows"])
    return [("" if len(names) == whole else _named(names), text) for text, names in found.items()]


def baselines(section: Mapping[str, Any]) -> str:
    """Return who the baselines of a section are, as one sentence."""
    names = dict.fromkeys(row["baseline_by"] for row in section["rows"] if row["baseline_by"])
    if names:
        return f"Baseline: {', '.join(names)}."
    return f"Baseline: {NOT_MEASURED}, there is no program for it."


_NAMED_MAX: Final = 3


def _named(names: Sequence[str]) -> str:
    if len(names) > _NAMED_MAX:
        return f"{', '.join(names[: _NAMED_MAX - 1])} and {len(names) - _NAMED_MAX + 1} more"
    return "; ".join(names)


def _section(section: Mapping[str, Any]) -> list[str]:
    labels = [label for label, _ in _COLUMNS]
    lines = [
        f"## {section['title']}",
        section["words"],
        "",
        f"    {section['command']}",
        "",
        f"| {' | '.join(labels)} |",
        f"|---|{'---:|' * (len(labels) - 1)}",
    ]
    for row in section["rows"]:
        words = row["words"] + (f" ({row['flag']})" if row["flag"] else "")
        cells = [words, *(row[key] for _, key in _COLUMNS[1:])]
        cells[4] = row["ours"] if row["ours"] == NOT_MEASURED else f"**{row['ours']}**"
        lines.append(f"| {' | '.join(_escape(cell) for cell in cells)} |")
    lines.append("")
    lines += [baselines(section), ""]
    lines += [
        f"- {f'{_escape(names)}: ' if names else ''}{_escape(text)}"
        for names, text in remarks(section)
    ]
    return [*lines, ""]


def _terms(title: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    return [
        f"| {title} | |",
        "|---|---|",
        *(f"| {_escape(name)} | {_escape(words)} |" for name, words in rows),
        "",
    ]


def _escape(text: str) -> str:
    """Keep a text within its cell."""
    return text.replace("|", "\\|").replace("\n", " ")
