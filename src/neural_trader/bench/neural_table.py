"""A report of the neural bench as a table in the terminal."""

from typing import TYPE_CHECKING, Final

from neural_trader.bench.rows import Report, Row
from neural_trader.bench.table import amount

if TYPE_CHECKING:
    from rich.console import Console

_NOTES: Final = (
    "median of the rounds, each in a fresh process on one thread; spread: slowest less fastest "
    "round, over the median. Before an engine is timed its forecasts and intervals of 1, 2, 20 and "
    "500 windows are compared with the definitions in float64, to 1e-6 on log prices; a time is "
    "that of the public call. target: what the project has set itself on a quiet machine; claim: "
    "the performance page's figure for Rust."
)


def print_neural_report(report: Report, console: "Console | None" = None) -> None:
    """Print the rows of a report with their targets and claims."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head(), style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("case", "engine", "quantity"):
        table.add_column(name, no_wrap=True)
    for name in ("median", "spread", "target", "claim"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            row.case,
            str(row.params["engine"]),
            str(row.params["quantity"]),
            "not measured" if row.value is None else amount(row.value, row.unit),
            _spread(row),
            _shown(row.params["target"], row.unit),
            _shown(row.claim, row.unit),
        )
    console.print(table)
    for case, work in {row.case: row.params["work"] for row in report.rows}.items():
        console.print(f"{case}: {work}", style="dim")
    for row in report.rows:
        if row.reason:
            console.print(f"- {row.case}, {row.params['engine']}: {row.reason}", style="dim")
    console.print(_NOTES, style="dim")


def _spread(row: Row) -> str:
    """Return how far the slowest and the fastest round are apart."""
    if not row.value or row.low is None or row.high is None:
        return ""
    return f"{(row.high - row.low) / row.value:.0%}"


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else amount(value, unit)
