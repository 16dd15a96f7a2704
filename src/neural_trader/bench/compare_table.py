"""Comparisons of two reports as tables for the terminal."""

from typing import TYPE_CHECKING, Final

from neural_trader.bench.compare import FASTER, SLOWER, Change, Comparison, lines_of
from neural_trader.bench.rows import Report

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: Final = {FASTER: "green", SLOWER: "red"}
_WIDE: Final = 110
_NOTES_MAX: Final = 20


def print_comparison(
    found: Comparison, reports: tuple[Report, Report], console: "Console | None" = None
) -> None:
    """Print every row that both reports have, then what was not judged."""
    from rich.console import Console

    console = console or Console(highlight=False)
    for name, report in zip("AB", reports, strict=True):
        console.print(f"{name}: {_line(report)}", style="dim", markup=False)
    _print_rows(found.changes, console)
    lines = list(lines_of(found))
    for line in lines[:_NOTES_MAX]:
        console.print(f"- {line}", style="dim", markup=False)
    if len(lines) > _NOTES_MAX:
        console.print(f"- and {len(lines) - _NOTES_MAX} more: --json has them all", style="dim")
    console.print(
        "ratio: B over A, above 1 where B is worse, with its 95 % bootstrap interval; noise: half "
        "of the rounds' interquartile range over their median, 3 % at least. No difference: the "
        "interval holds 1, or the change is within the noise.",
        style="dim",
    )


def print_gate(
    found: Comparison,
    reports: tuple[Report, Report],
    margin: float,
    console: "Console | None" = None,
) -> None:
    """Print the comparison, then whether it passes and, if not, what is too slow."""
    from rich.console import Console

    console = console or Console(highlight=False)
    print_comparison(found, reports, console)
    slower = found.regressions(margin)
    for one in slower:
        console.print(
            f"regression: {_named(one)}: {one.ratio:.3g} times", style="red", markup=False
        )
    lost = f", {len(found.only_a)} not in B" if found.only_a else ""
    judged = f"{found.judged} of {len(found.changes)} rows judged{lost}, margin {margin:g}"
    state = f"failed: {len(slower)} slower" if slower else "passed"
    console.print(f"gate {state}; {judged}", markup=False)


def _print_rows(changes: list[Change], console: "Console") -> None:
    from rich import box
    from rich.table import Table

    is_wide = console.width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("case", "quantity", *(["of"] if is_wide else [])):
        table.add_column(name)
    for name in ("A", "B", "ratio", "interval", *(["noise"] if is_wide else [])):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for one in changes:
        own = {k: v for k, v in one.params.items() if k in {"engine", "durability", "placement"}}
        between = "" if one.low is None else f"{one.low:.3f} - {one.high:.3f}"
        table.add_row(
            one.case,
            str(one.params.get("quantity", "")),
            *([" ".join(map(str, own.values()))] if is_wide else []),
            _shown(one.a, one.unit),
            _shown(one.b, one.unit),
            "" if one.ratio is None else f"{one.ratio:.3f}",
            between,
            *(["" if one.noise is None else f"{one.noise:.1%}"] if is_wide else []),
            one.verdict,
            style=_STYLES.get(one.verdict),
        )
    console.print(table)


def _named(one: Change) -> str:
    words = [one.case, *(str(one.params[k]) for k in ("quantity", "engine") if k in one.params)]
    return " ".join(words)


def _line(report: Report) -> str:
    told = report.provenance
    return (
        f"{told.get('version') or 'no version'}, commit {told.get('commit') or 'unknown'}, "
        f"{told.get('measured_at') or 'time unknown'}, load {report.machine.get('load_1min')}"
    )


def _shown(value: float | None, unit: str) -> str:
    return "not measured" if value is None else f"{value:.4g} {unit}"
