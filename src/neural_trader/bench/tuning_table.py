"""The tuning bench as a table: a line for every setting and quantity, with what becomes of it."""

from typing import TYPE_CHECKING

from neural_trader.bench.rows import Report, Row
from neural_trader.bench.tuning import GAIN_MIN, ROUNDS_MIN

if TYPE_CHECKING:
    from rich.console import Console


def print_tuning_report(report: Report, console: "Console | None" = None) -> None:
    """Print a report: what the product does by itself, what the setting does, and the verdict."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    console.print(report.head("answers equal"), style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for name in ("case", "setting"):
        table.add_column(name, no_wrap=True)
    table.add_column("quantity")
    for name in ("as it is", "so set", "gain", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    before: tuple[str, object] | None = None
    for row in report.rows:
        key = row.case, row.params["setting"]
        names = (row.case, str(row.params["setting"])) if key != before else ("", "")
        before = key
        table.add_row(*names, *_cells(row))
    console.print(table)
    console.print(
        "gain: the median over the rounds of how many times less time or memory, or more orders, "
        "the setting gives inside a round; 95 %: its bootstrap interval; kept: the whole interval "
        f"is above 1 and the gain at least {GAIN_MIN}; undecided: fewer than {ROUNDS_MIN} rounds.",
        style="dim",
    )


def _cells(row: Row) -> tuple[str, ...]:
    if row.value is None or row.baseline is None:
        return f"not measured: {row.reason}", "", "", "", "", ""
    low, high = row.params["gain_low"], row.params["gain_high"]
    return (
        f"{row.params['quantity']}, {row.unit}",
        _shown(row.baseline),
        _shown(row.value),
        f"{row.ratio:.2f}",
        "" if low is None else f"{low:.2f}-{high:.2f}",
        str(row.params["verdict"]),
    )


def _shown(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"
