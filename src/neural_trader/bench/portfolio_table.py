"""A report of the portfolio's bench as tables in the terminal."""

from typing import TYPE_CHECKING, Final

from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import OURS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE: Final = 96
_NOTES: Final = (
    "median of the rounds, each in a fresh process on one thread; ratio: numpy over ours, in the "
    "same round; target: what the project has set itself, on one quiet core; claim: the "
    "performance page's figure for Rust. numpy computes the 27 common metrics alone, beside the "
    "whole list too; its memory is that of the two arrays. Ours was held to the plain-Python "
    "reference first, numpy to ours."
)
_PEER_NOTES: Final = (
    "Other packages on the same 51 series, the fastest first; metrics: how many they computed; "
    "x ours: their time over ours for the common 27. What they name alike was compared with ours."
)


def print_portfolio_report(report: Report, console: "Console | None" = None) -> None:
    """Print the rows of a report, what they were measured on and how to read them."""
    from rich.console import Console

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    ours = [row for row in report.rows if row.params["engine"] == OURS]
    others = [row for row in report.rows if row.params["engine"] != OURS]
    console.print(_our_table(ours, is_wide=console.width >= _WIDE))
    for row in ours:
        if row.reason:
            console.print(f"- {row.params['quantity']}: not measured: {row.reason}", style="dim")
    console.print(_NOTES, style="dim")
    if others:
        console.print(_peer_table(others, ours))
        console.print(_PEER_NOTES, style="dim")


def _our_table(rows: list[Row], *, is_wide: bool) -> "Table":
    """Return the table of our own rows; a narrow terminal has no room for all rounds."""
    rounds = ["low - high"] if is_wide else []
    columns = ["median", *rounds, "numpy", "ratio", "target", "claim"]
    table = _table(["case", "quantity"], columns)
    before = ""
    for row in rows:
        table.add_row(
            row.case if row.case != before else "",
            str(row.params["quantity"]),
            _shown(row.value, row.unit) or "not measured",
            *([f"{_shown(row.low)} - {_shown(row.high)}"] if is_wide else []),
            _shown(row.baseline, row.unit),
            f"{row.ratio:.3g} x" if row.ratio is not None else "",
            _shown(row.params["target"], row.unit),
            _shown(row.claim, row.unit),
        )
        before = row.case
    return table


def _peer_table(rows: list[Row], ours: list[Row]) -> "Table":
    """Return the table of the other packages, the fastest first, those without a time last."""
    common = next((r.value for r in ours if r.params["quantity"] == "common 27"), None)
    table = _table(["package", "version"], ["metrics", "time", "x ours"])
    for row in sorted(rows, key=lambda row: (row.value is None, row.value or 0.0)):
        times = f"{row.value / common:,.0f} x" if row.value and common else ""
        table.add_row(
            str(row.params["engine"]),
            str(row.params["version"]),
            str(row.params.get("metrics", "")),
            _shown(row.value, row.unit) or f"not measured: {row.reason}",
            times,
        )
    return table


def _table(left: list[str], right: list[str]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=name != "time")
    return table


def _shown(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    figure = f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"
    return f"{figure} {unit}".strip()
