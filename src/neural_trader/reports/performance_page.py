"""The performance page as one self-contained HTML file, from plain data; and both its files."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

from neural_trader.core.files import write_whole
from neural_trader.core.version import VERSION
from neural_trader.reports.formats import table
from neural_trader.reports.performance_drawings import Mark, dots, legend, row_marks, speed_ups
from neural_trader.reports.performance_text import (
    NOT_MEASURED,
    READING,
    baselines,
    remarks,
    render_markdown,
)

_COLUMNS: Final = (
    ("claim, Rust", "claim"),
    ("claim, Python", "claim_python"),
    ("baseline", "baseline"),
    ("ours", "ours"),
    ("x claim", "to_claim"),
    ("x baseline", "to_baseline"),
    ("limit", "limit"),
)
_KEY: Final = (
    ("ours", "ours"),
    ("claim", "claim, Rust"),
    ("base", "baseline"),
    ("claim-python", "claim, Python"),
    ("limit", "straight C, P50, P99, P99.9"),
)
_QUANTILES: Final = ("mean", "P50", "P90", "P95", "P99", "P99.9")


def write_performance(page: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Write the performance page as ``performance.md`` and ``performance.html``.

    Parameters
    ----------
    page : mapping
        As ``neural_trader.bench`` shows a report: plain values.
    folder : Path
        Made where it is missing; the folder above it must be there. A file is replaced only by a
        complete new one.

    Returns
    -------
    (Path, Path)
        Markdown and HTML.

    Raises
    ------
    DataError
        The folder cannot be made or written to.
    """
    # Both are made before one is written.
    texts = {"performance.md": render_markdown(page), "performance.html": render_html(page)}
    _make(folder)
    paths = []
    for name, text in texts.items():
        with write_whole(folder / name) as file:
            file.write(text.encode())
        paths.append(folder / name)
    return paths[0], paths[1]


def _make(folder: Path) -> None:
    from neural_trader.core import DataError

    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {folder}: {error.strerror}"
        raise DataError(message) from None


def render_html(page: Mapping[str, Any]) -> str:
    """Return the page: it opens offline, asks for nothing, and has no script."""
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    return Template(text("performance.html")).substitute(
        terms=_terms(page),
        cards=_cards(page["counts"]),
        warnings=_warnings(page["warnings"]),
        overview=_overview(page["sections"]),
        reading=_reading(),
        contents=_contents(page["sections"]),
        sections="".join(_section(section, page) for section in page["sections"]),
        machine=table("Machine", [(name, words, "text") for name, words in page["machine"]]),
        provenance=table(
            "Measured",
            [
                (name, words, "text code" if "sha256" in name else "text")
                for name, words in page["provenance"]
            ],
        ),
        version=escape(VERSION),
        style=text("report.css") + text("performance.css"),
    )


def _terms(page: Mapping[str, Any]) -> str:
    machine, made = dict(page["machine"]), dict(page["provenance"])
    terms = {
        "Machine": f"{machine['processor']}, {machine['cores']} cores, {machine['system']}",
        "Version": f"{made['version']}, {made['commit']}",
        "Measured": f"{made['measured at']}, {made['rounds']}",
        "Load": machine["load, a minute's mean"],
    }
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(words)}</dd></div>"
        for name, words in terms.items()
    )


def _cards(counts: Mapping[str, int]) -> str:
    cards = (
        ("rows of the page", counts["rows"], ""),
        ("ahead of the Rust claim", counts["ahead"], "gain"),
        ("behind it", counts["behind"], "loss" if counts["behind"] else ""),
        (NOT_MEASURED, counts[NOT_MEASURED], ""),
    )
    return "".join(
        f'<div class="card"><dt>{escape(words)}</dt><dd class="figure {kind}">{count}</dd></div>'
        for words, count, kind in cards
    )


def _warnings(warnings: list[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return (
        '<section class="notes" aria-labelledby="notes-title">'
        f'<h2 id="notes-title">Before you trust a figure</h2><ul>{items}</ul></section>'
    )


def _reading() -> str:
    parts = []
    for paragraph in READING:
        pieces = escape(paragraph).split("**")
        marked = "".join(
            f"<strong>{piece}</strong>" if at % 2 else piece for at, piece in enumerate(pieces)
        )
        parts.append(f'<p class="aside">{marked}</p>')
    return "".join(parts)


def _overview(sections: list[Mapping[str, Any]]) -> str:
    """Return all rows at one glance: how many times better than the claim, a line a section."""
    lines = [
        (
            section["title"],
            [
                Mark(
                    row["verdict"],
                    row["to_claim_value"],
                    f"{row['words']}: {row['ours']}, {row['to_claim']} the claim",
                )
                for row in section["rows"]
                if row["to_claim_value"]
            ],
        )
        for section in sections
    ]
    lines = [(title, marks) for title, marks in lines if marks]
    label = "How many times better than the Rust claim each row is"
    drawn = dots(lines, label, unit="x", rule=1.0, left=168)
    if not drawn:
        return ""
    key = legend((("ahead", "ahead of the claim"), ("behind", "behind it")))
    return (
        '<figure class="panel drawn wide"><figcaption>Every measured row against the Rust claim'
        '<span class="why">How many times better, on a logarithmic axis; the line is the claim'
        f"</span></figcaption>{drawn}{key}</figure>"
    )


def _contents(sections: list[Mapping[str, Any]]) -> str:
    return "".join(
        f'<a href="#{escape(section["name"])}">{escape(section["title"])}</a>'
        for section in sections
    )


def _section(section: Mapping[str, Any], page: Mapping[str, Any]) -> str:
    name, said = escape(section["name"]), baselines(section)
    notes = "".join(
        f"<li>{f'<em>{escape(names)}</em>: ' if names else ''}{_code(text)}</li>"
        for names, text in remarks(section, reasons=False)
    )
    listed = f'<ul class="aside remarks">{notes}</ul>' if notes else ""
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label, _ in _COLUMNS)
    body = "".join(_table_row(row) for row in section["rows"])
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{escape(section["title"])}</h2>'
        f'<p class="aside">{escape(section["words"])} {escape(said)}</p>'
        f'<p class="command"><code>{escape(section["command"])}</code></p>'
        f"{_charts(section, page)}"
        f'<div class="panel"><table class="rows"><caption>{escape(section["title"])}</caption>'
        f'<thead><tr><th scope="col">quantity</th>{head}</tr></thead><tbody>{body}</tbody></table>'
        f"</div>{listed}</section>"
    )


def _table_row(row: Mapping[str, Any]) -> str:
    flag = f'<span class="why">{escape(row["flag"])}</span>' if row["flag"] else ""
    if row["verdict"] == NOT_MEASURED:
        cells = "".join(_cell(label, row[key]) for label, key in _COLUMNS[:2])
        reason = _code(row["reason"])
        return (
            f'<tr class="missing"><th scope="row">{escape(row["words"])}</th>{cells}'
            f'<td class="text reason" colspan="5"><strong>{NOT_MEASURED}</strong>: {reason}</td>'
            "</tr>"
        )
    cells = "".join(
        _cell(
            label,
            row[key],
            kind={"ours": "total", "to_claim": _TONES.get(row["verdict"], "")}.get(key, ""),
            under=row["interval"] if key == "ours" else "",
        )
        for label, key in _COLUMNS
    )
    return f'<tr><th scope="row">{escape(row["words"])}{flag}</th>{cells}</tr>'


def _code(text: str) -> str:
    """Return a text whose words between backticks are code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if at % 2 else piece for at, piece in enumerate(pieces))


_TONES: Final = {"ahead": "gain", "behind": "loss"}


def _cell(label: str, text: str, kind: str = "", under: str = "") -> str:
    classes = " ".join(name for name in (kind, "" if text else "empty") if name)
    attribute = f' class="{classes}"' if classes else ""
    more = f'<span class="why">{escape(under)}</span>' if under else ""
    return f'<td{attribute} data-label="{escape(label)}">{escape(text) or "–"}{more}</td>'


def _charts(section: Mapping[str, Any], page: Mapping[str, Any]) -> str:
    """Return the drawings of a section that has some."""
    rows = section["rows"]
    if section["name"] == "latency":
        shown = [(row["words"], row_marks(row)) for row in rows if row["words"] in _QUANTILES]
        drawn = dots(shown, "Latency of an order by quantile", unit="ms", left=58)
        return _figure("One order at a time", drawn, legend(_KEY))
    if section["name"] == "load":
        shown = [(row["words"].replace(" a second, ", "/s "), row_marks(row)) for row in rows]
        drawn = dots(shown, "Latency under load", unit="ms", left=92)
        return _figure("Under load", drawn, legend([_KEY[0], _KEY[1], _KEY[4]]))
    if section["name"] == "scaling":
        return _scaling(rows, int(dict(page["machine"])["cores"]))
    return ""


def _scaling(rows: list[Mapping[str, Any]], cores: int) -> str:
    times = {
        int(row["id"].partition(".")[2]): row
        for row in rows
        if row["id"].partition(".")[2].isdigit()
    }
    lines: dict[str, list[tuple[int, float]]] = {
        "ideal": [(count, float(count)) for count in times]
    }
    for kind, key in (("claim", "claim_value"), ("ours", "value")):
        alone = times[1][key] if 1 in times else None
        if alone:
            lines[kind] = [(count, alone / row[key]) for count, row in times.items() if row[key]]
    if "ours" not in lines:
        return ""
    key = legend((("ours", "ours"), ("claim", "claim, Rust")))
    drawn = speed_ups(lines, "Speed-up by workers", cores)
    return _figure("How much faster than one worker; the dashed line is ideal", drawn, key)


def _figure(title: str, drawn: str, key: str) -> str:
    if not drawn:
        return ""
    return (
        f'<figure class="panel drawn"><figcaption>{escape(title)}</figcaption>{drawn}{key}</figure>'
    )
