"""Other engines on the work of the page: those that are installed, ours in the same rounds."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from neural_trader.bench.neural_suite import choose_neural_cases, run_neural_suite
from neural_trader.bench.peers import find_peers
from neural_trader.bench.portfolio_peers import find_portfolio_peers
from neural_trader.bench.portfolio_suite import choose_portfolio_cases, run_portfolio_suite
from neural_trader.bench.risk_suite import run_risk_suite
from neural_trader.bench.rows import Row
from neural_trader.bench.suite import choose_cases, run_suite

if TYPE_CHECKING:
    from rich.console import Console

_BACKTEST: Final = "pairs_1y"
_METRICS: Final = "metrics_51x252"
_RISK: Final = "linear"
_QUANTITIES: Final = frozenset({"time", "peak_rss"})


def measure_peers(*, rounds: int, step: Callable[[str], None]) -> list[Row]:
    """Return rows of every engine, ours too, on a backtest, metrics, a simulation, forecasts.

    Parameters
    ----------
    rounds : int
    step : callable
        Told what is being measured.

    Returns
    -------
    list of Row
        Without ``params["row"]``: they are no rows of the page. One that is not installed has a
        reason.

    Raises
    ------
    BenchError
        An answer of ours is wrong.
    """
    with TemporaryDirectory(prefix="neural-trader-bench-") as name:
        folder = Path(name)
        cases, _ = choose_cases([_BACKTEST])
        engines = find_peers(cases, folder)
        report, _ = run_suite(cases, rounds=rounds, cli=(), peers=engines, step=step)
        rows = [row for row in report.rows if row.params["quantity"] in _QUANTITIES]
        metrics = run_portfolio_suite(
            choose_portfolio_cases([_METRICS]),
            rounds=rounds,
            peers=find_portfolio_peers(folder),
            step=step,
        )
    rows += metrics.rows
    rows += run_risk_suite([_RISK], rounds=rounds, peers=True, step=step).rows
    forecasts = run_neural_suite(choose_neural_cases([]), rounds=rounds, with_peers=True, step=step)
    return rows + forecasts.rows


def print_peers(rows: list[Row], console: "Console | None" = None) -> None:
    """Print every engine's figures, and why some have none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    table = Table(
        title="Other engines", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    for name in ("case", "engine", "quantity", "figure"):
        table.add_column(name, justify="right" if name == "figure" else "left", overflow="fold")
    for row in rows:
        missing = f"not measured: {row.reason}"
        figure = missing if row.value is None else f"{row.value:,.4g} {row.unit}"
        engine, quantity = str(row.params["engine"]), str(row.params["quantity"])
        table.add_row(row.case, engine, quantity, figure)
    console.print(table)
