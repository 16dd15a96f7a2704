"""A bench report as tables in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import LIMIT, OURS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE: Final = 96
_NOTES: Final = (
    "median of the rounds, each in a fresh process; spread: slowest less fastest round, over the "
    "median. Python: the plain-Python reference; ratio: Python over the value, in the same round; "
    "C: straight C, which keeps no contract and checks nothing; claim: the performance page's "
    "figure for Rust. Answers were compared before any time was believed."
)
_PEER_NOTES: Final = (
    "Other engines, same work, same answers, same rounds, the fastest first; x ours: their median "
    "time over ours."
)


def print_report(report: Report, console: "Console | None" = None) -> None:
    """Print the rows of a report, what they were measured on and how to read them."""
    from rich.console import Console

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    ours = [row for row in report.rows if row.params["engine"] == OURS]
    others = [row for row in report.rows if row.params["engine"] != OURS]
    console.print(_our_table(ours, is_wide=console.width >= _WIDE))
    for line in _reasons(ours):
        console.print(line, style="dim")
    console.print(_NOTES, style="dim")
    if others:
        console.print()
        if any(row.value is not None for row in others):
            console.print(_peer_table(others, ours))
        for line in _reasons(others):
            console.print(line, style="dim")
        console.print(_PEER_NOTES, style="dim")


def _our_table(rows: Sequence[Row], *, is_wide: bool) -> "Table":
    """Return the table of our own rows; a narrow terminal has room for the width of the spread."""
    spread = "low - high" if is_wide else "spread"
    table = _table(["case", "quantity"], ["median", spread, "Python", "ratio", "C", "claim"])
    for row in rows:
        table.add_row(
            row.case,
            row.params["quantity"],
            _shown(row.value, row.unit, "not measured"),
            _spread(row, is_wide=is_wide),
            _shown(row.baseline, row.unit),
            _times(row.ratio),
            _shown(row.limit, row.unit),
            _shown(row.claim, row.unit),
        )
    return table


def _spread(row: Row, *, is_wide: bool) -> str:
    """Return the fastest and the slowest round, or how far apart they are."""
    if row.value is None or row.low is None or row.high is None:
        return ""
    if is_wide:
        return f"{amount(row.low, row.unit)} - {amount(row.high, row.unit)}"
    return f"{(row.high - row.low) / row.value:.0%}"


def _peer_table(rows: Sequence[Row], ours: Sequence[Row]) -> "Table":
    """Return the table of the other engines: one line a case and engine, the fastest first."""
    our_times = {row.case: row.value for row in ours if row.params["quantity"] == "time"}
    peaks = {
        (row.case, row.params["engine"]): row for row in rows if row.params["quantity"] != "time"
    }
    times = [row for row in rows if row.params["quantity"] == "time" and row.value is not None]
    order = list(our_times)
    times.sort(key=lambda row: (order.index(row.case), row.value))
    table = _table(["case", "engine", "version"], ["time", "x ours", "peak_rss"])
    for row in times:
        mine = our_times[row.case]
        peak = peaks[row.case, row.params["engine"]]
        table.add_row(
            row.case,
            row.params["engine"],
            row.params.get("version", ""),
            _shown(row.value, row.unit),
            _times(row.value / mine if mine and row.value else None),
            _shown(peak.value, peak.unit),
        )
    return table


def _table(left: Sequence[str], right: Sequence[str]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _reasons(rows: Sequence[Row]) -> list[str]:
    """Return a line for each reason why something was not measured, with the cases it holds for."""
    cases: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row.reason:
            # Our own figure may be there and only the limit beside it missing.
            what = row.params["engine"] if row.value is None else LIMIT
            cases.setdefault((what, row.reason), {})[row.case] = None
    return [
        f"- {what} ({', '.join(names)}): not measured: {reason}"
        for (what, reason), names in cases.items()
    ]


def _shown(value: float | None, unit: str, missing: str = "") -> str:
    return missing if value is None else amount(value, unit)


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:,.0f} x" if ratio >= 100 else f"{ratio:.3g} x"


def amount(value: float, unit: str) -> str:
    """Return a quantity for reading, in the unit that suits its size."""
    if unit == "us" and value >= 1e6:
        return f"{value / 1e6:.3g} s"
    if unit == "us" and value >= 1e3:
        return f"{value / 1e3:.3g} ms"
    return f"{value:.3g} {unit}"
