"""``neural-trader paper``: a strategy on a feed; its fills are simulated, no order leaves."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli import run_options
from neural_trader.app.cli.backtest import WRITTEN, print_json, print_table, write_files

if TYPE_CHECKING:
    from neural_trader.data.feeds import Feed
    from neural_trader.trading import Paper, Progress

# The backspace tells click to keep the lines that follow.
_HELP = """Paper trade a strategy on a feed: a replay of bars, at a chosen speed.

\b
neural-trader paper --strategy pairs --symbols KO,PEP \\
    --data sp500-closes --speed 0 --fee-bps 5 --slippage-bps 5

Fills are simulated at the next bar, by the rules of a backtest; no order leaves for a gateway.
Ctrl-C ends the feed, and the result so far is printed.
"""


@click.command(help=_HELP)
@run_options.strategy
@run_options.parameters
@run_options.data
@run_options.run
@click.option(
    "--speed",
    type=float,
    default=0.0,
    show_default=True,
    help="1: as it was; 60: a minute a second; 0: as fast as it goes.",
)
@click.option("--report", "report_path", type=click.Path(), help="Write an HTML report.")
@click.option("--save", "save_path", type=click.Path(), help="Write the result to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def paper(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Paper trade a strategy on a feed and print what it did."""
    from neural_trader.data import load
    from neural_trader.data.feeds import Replay
    from neural_trader.strategies import StrategyFile
    from neural_trader.trading import Paper

    chosen = run_options.read_strategy(options)
    run_options.check_paths(
        {name: options[key] for name, key in (("--data", "data"), *WRITTEN.items())}
    )
    strategy = chosen.make(run_options.read_parameters(options, chosen))
    symbols = run_options.read_symbols(options) or list(getattr(chosen.kind, "symbols", ()))
    bars = load(
        options["data"],
        symbols=symbols or None,
        end=options["end"],
        actions=options["actions"],
        adjust=options["adjust"],
    )
    feed = Replay(bars, speed=options["speed"])
    given = run_options.read_run(options)
    del given["end"]
    on_progress = None if options["as_json"] else _print_fill
    was_cut = False
    try:
        account = Paper(strategy, feed.about, **given, on_progress=on_progress)
        try:
            asyncio.run(_run(account, feed))
        except KeyboardInterrupt:
            was_cut = True
            if not account.counts["slices"]:
                raise
        result = account.result()
    except Exception as error:
        if isinstance(chosen, StrategyFile):
            raise chosen.blame(error) from error
        raise
    written = write_files(result, options)
    (print_json if options["as_json"] else print_table)(result, written)
    if was_cut:
        raise KeyboardInterrupt


async def _run(account: "Paper", feed: "Feed") -> None:
    async with aclosing(aiter(feed)) as events:  # type: ignore[type-var]
        async for event in events:
            if not account.take(event):
                return


def _print_fill(progress: "Progress") -> None:
    from neural_trader.data.catalog import time_text

    fill = progress.fill
    if fill is not None:
        side = "buys" if fill.qty > 0 else "sells"
        # A daily bar closes with its UTC day: people read the date.
        time = time_text(fill.ts_close_ns).removesuffix("T23:59:59.999999999Z")
        click.echo(
            f"{time}  {side} {abs(fill.qty):.10g} {fill.symbol} at "
            f"{fill.price:.10g}, fee {fill.fee:.2f}, cash {fill.cash:,.2f}"
        )
