"""``neural-trader check``: look for what a backtest cannot show."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli import run_options
from neural_trader.core import SawTheFuture

if TYPE_CHECKING:
    from neural_trader.backtesting import Lookahead
    from neural_trader.core import Bars
    from neural_trader.strategies import StrategyFile


@click.group()
def check() -> None:
    """Check a strategy of your own."""


@check.command(short_help="Find out whether a strategy sees the future.")
@click.argument("file", metavar="FILE.py")
@click.option("--symbols", help="Comma-separated; by default those that the strategy names.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the strategy."
)
@run_options.data
@click.option("--capital", type=float, default=100_000.0, show_default=True, help="Starting cash.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def lookahead(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Run a strategy again with its future changed or missing, and name the first bar that saw it.

    A strategy that loads bars itself with nt.load is given the changed ones as well.
    """
    from neural_trader.backtesting import Range, check_lookahead
    from neural_trader.strategies import StrategyFile

    chosen = StrategyFile(options["file"])
    parameters = run_options.read_settings(options["settings"])
    bars = run_options.read_bars(options, chosen)
    asked = Range(options["start"], options["end"], options["warmup"], None)

    def make(change: "Callable[[Bars], Bars]") -> AbstractContextManager[Any]:
        return _world(chosen, parameters, change)

    try:
        found = check_lookahead(
            make, bars, capital=options["capital"], asked=asked, progress=_progress
        )
    except Exception as error:
        raise chosen.blame(error) from error
    if options["as_json"]:
        click.echo(json.dumps(_plain(found), indent=2))
    elif found.first_bar is None:
        click.echo(
            f"no look-ahead found: {found.decisions:,} decisions on {found.bars:,} bars stay the "
            f"same when the future is changed after {found.cuts} of the bars"
        )
    if found.first_bar is not None:
        message = (
            f"{options['file']} saw the future: its decision of {found.first_bar} was "
            f"{_words(found.was)}, and {_words(found.became)} once the bars after it are "
            f"{found.variant}. Use nothing at a bar that only later bars know"
        )
        raise SawTheFuture(message)


@contextmanager
def _world(
    chosen: "StrategyFile", parameters: dict[str, Any], change: "Callable[[Bars], Bars]"
) -> Iterator[Any]:
    """Make a strategy afresh, in a world in which nt.load gives changed bars while it runs."""
    import neural_trader
    from neural_trader import data

    load, before = data.load, neural_trader.load

    def changed(*arguments: Any, **keywords: Any) -> "Bars":  # noqa: ANN401 - as load takes them
        return change(load(*arguments, **keywords))

    neural_trader.load = data.load = changed
    try:
        chosen.reload()
        yield chosen.make(parameters)
    finally:
        neural_trader.load, data.load = before, load


def _plain(found: "Lookahead") -> dict[str, Any]:
    return {
        "looks_ahead": found.first_bar is not None,
        "first_bar": found.first_bar,
        "future": found.variant,
        "decision": found.was,
        "decision_with_another_future": found.became,
        "decisions": found.decisions,
        "bars": found.bars,
        "cuts": found.cuts,
    }


def _words(decision: tuple[Any, ...] | None) -> str:
    if decision is None:
        return "nothing"
    return " ".join(str(part) for part in decision if part is not None and part != "nan")


def _progress(cuts: list[int]) -> Iterable[int]:
    """Show how far the check is, on a terminal."""
    if not sys.stderr.isatty():
        return cuts
    from rich.console import Console
    from rich.progress import track

    return track(cuts, "changing the future", console=Console(stderr=True), transient=True)
