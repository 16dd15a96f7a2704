"""A bench report as a table in the terminal."""

from typing import TYPE_CHECKING, Final

from neural_trader.bench.rows import Report, Row
from neural_trader.bench.runner import OURS

if TYPE_CHECKING:
    from rich.console import Console

_WIDE: Final = 96
_WORDS: Final = ("case", "engine", "quantity")


def print_report(report: Report, console: "Console | None" = None) -> None:
    """Print the rows of a report, what they were measured on and how to read them."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    machine = report.machine
    console.print(
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"{machine['python']}, load {machine['load_1min']}; neural-trader "
        f"{report.provenance['version']}; {report.provenance['config']['rounds']} rounds",
        style="dim",
    )
    with_engines = len({row.params["engine"] for row in report.rows}) > 1
    with_spread = console.width >= _WIDE
    columns = ["case", "engine", "quantity", "median", "low - high", "Python", "ratio", "C"]
    columns.append("claim")
    hidden = {"engine"} if not with_engines else set()
    hidden |= {"low - high"} if not with_spread else set()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in columns:
        if name not in hidden:
            table.add_column(name, justify="left" if name in _WORDS else "right", no_wrap=True)
    for row in report.rows:
        cells = zip(columns, _cells(row), strict=True)
        shown = [cell for name, cell in cells if name not in hidden]
        table.add_row(*shown, style="bold" if row.params["engine"] == OURS else "")
    console.print(table)
    for row in report.rows:
        if row.reason and row.value is None:
            console.print(
                f"- {row.case}, {row.params['engine']}, {row.params['quantity']}: not measured: "
                f"{row.reason}",
                style="dim",
            )
    console.print(
        "median of the rounds, each in a fresh process. Python: the plain-Python reference; ratio: "
        "Python over the value, in the same round; C: straight C, which keeps no contract and "
        "checks nothing; claim: the performance page's figure for Rust. Answers were compared "
        "before any time was believed.",
        style="dim",
    )


def _cells(row: Row) -> list[str]:
    engine = row.params["engine"]
    if "version" in row.params:
        engine += f" {row.params['version']}"
    if row.value is None or row.low is None or row.high is None:
        return [row.case, engine, row.params["quantity"], "not measured", *[""] * 5]
    return [
        row.case,
        engine,
        row.params["quantity"],
        amount(row.value, row.unit),
        f"{amount(row.low, row.unit)} - {amount(row.high, row.unit)}",
        "" if row.baseline is None else amount(row.baseline, row.unit),
        "" if row.ratio is None else f"{row.ratio:,.3g} x",
        "" if row.limit is None else amount(row.limit, row.unit),
        "" if row.claim is None else amount(row.claim, row.unit),
    ]


def amount(value: float, unit: str) -> str:
    """Return a quantity for reading, in the unit that suits its size."""
    if unit == "us" and value >= 1e6:
        return f"{value / 1e6:.3g} s"
    if unit == "us" and value >= 1e3:
        return f"{value / 1e3:.3g} ms"
    return f"{value:.3g} {unit}"
