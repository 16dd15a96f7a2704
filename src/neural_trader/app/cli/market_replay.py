"""``neural-trader market-data replay``: play what is recorded as a feed, line by line."""

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click

from neural_trader.core import ConfigError

if TYPE_CHECKING:
    from neural_trader.data.feeds import Event, Feed, Replay

# The backspace tells click to keep the lines that follow.
_HELP = """Play bars or ticks as a feed, at a chosen speed, and print its events.

\b
neural-trader market-data replay --data us-ohlcv --symbols AAPL --speed 0
neural-trader market-data replay --data trades.csv --speed 60 --to 5Min --lateness 2

A summary with every count comes last, after Ctrl-C too.
"""


@click.command("replay", help=_HELP, short_help="Play bars or ticks as a feed.")
@click.option(
    "--data",
    required=True,
    metavar="NAME|PATH",
    help="A sample; a CSV or Parquet file or folder of bars; a file of trades or quotes.",
)
@click.option("--symbols", help="Comma-separated; all by default.")
@click.option("--start", metavar="DATE", help="First session, for bars.")
@click.option("--end", metavar="DATE", help="Last session, inclusive, for bars.")
@click.option(
    "--kind",
    type=click.Choice(("bars", "ticks")),
    help="What a file holds.  [default: from its columns]",
)
@click.option(
    "--speed",
    type=float,
    default=0.0,
    show_default=True,
    help="1: as it was; 60: a minute a second; 0: as fast as it goes.",
)
@click.option(
    "--to",
    metavar="BARS",
    help="Make bars: 5Min, 1Hour, 1Day; of trades tick:100, volume:5000, dollar:1e6 too.",
)
@click.option(
    "--lateness", type=float, help="--to: seconds that an event may be late.  [default: 0]"
)
@click.option(
    "--on-late",
    type=click.Choice(("drop", "error", "amend")),
    help="--to: what happens to what is later.  [default: drop]",
)
@click.option(
    "--incomplete",
    type=click.Choice(("drop", "keep")),
    help="--to: what becomes of a last bar whose end did not come.  [default: drop]",
)
@click.option("--stale", type=float, metavar="SECONDS", help="Tell silence longer than this.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON an event.")
def replay_command(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Play bars or ticks as a feed and print its events."""
    replay = _open(options)
    feed = _wrap(replay, options)
    state = {"complete": False}
    try:
        asyncio.run(_print(feed, state, as_json=options["as_json"]))
    finally:
        # Whatever ends it, what was counted is told.
        _print_summary(replay, feed, state, options)


def _open(options: dict[str, Any]) -> "Replay":
    from neural_trader.data.feeds import Replay

    text = options["symbols"]
    names = None if text is None else [name.strip() for name in text.split(",")]
    if names is not None and not all(names):
        message = f"--symbols is {text!r}; expected one or more, such as AAPL,MSFT"
        raise ConfigError(message)
    return Replay(
        options["data"],
        symbols=names,
        start=options["start"],
        end=options["end"],
        speed=options["speed"],
        kind=options["kind"],
    )


def _wrap(replay: "Replay", options: dict[str, Any]) -> "Feed":
    """Return the feed that was asked for: bars made of it, and silence told."""
    from neural_trader.data.feeds import Aggregated, Watched

    feed: Feed = replay
    if options["to"] is not None:
        feed = Aggregated(
            feed,
            options["to"],
            lateness_s=options["lateness"] or 0.0,
            on_late=options["on_late"] or "drop",
            incomplete=options["incomplete"] or "drop",
        )
    else:
        for name in ("lateness", "on_late", "incomplete"):
            if options[name] is not None:
                option = name.replace("_", "-")
                message = f"--{option} is for bars that are made; say which with --to, or leave it"
                raise ConfigError(message)
    return feed if options["stale"] is None else Watched(feed, options["stale"])


async def _print(feed: "Feed", state: dict[str, bool], *, as_json: bool) -> None:
    from neural_trader.data.feeds import to_line

    async with aclosing(aiter(feed)) as events:  # type: ignore[type-var]
        async for event in events:
            if as_json:
                click.echo(to_line(event))
            elif (line := _words(event)) is not None:
                click.echo(line)
    state["complete"] = True


def _words(event: "Event") -> str | None:
    """Return an event as a line for people; a heartbeat says nothing to them."""
    from neural_trader.data.catalog import time_text
    from neural_trader.data.feeds import BarEvent, QuoteEvent, StatusEvent, TradeEvent

    # A daily bar closes with its UTC day: people read the date.
    time = time_text(event.ts_event_ns).removesuffix("T23:59:59.999999999Z")
    if isinstance(event, BarEvent):
        values = [
            f"{name} {value:g}" if name == "volume" else f"{name} {value:.10g}"
            for name in ("open", "high", "low", "close", "volume")
            if (value := getattr(event, name)) is not None
        ]
        again = "  amends the one before" if event.amends else ""
        return f"{time}  {event.symbol}  bar  {'  '.join(values)}{again}"
    if isinstance(event, TradeEvent):
        return f"{time}  {event.symbol}  trade  {event.size:.10g} at {event.price:.10g}"
    if isinstance(event, QuoteEvent):
        return f"{time}  {event.symbol}  quote  {event.bid:.10g} / {event.ask:.10g}"
    if isinstance(event, StatusEvent):
        return f"{time}  {event.symbol or 'feed'}  {event.condition}  {event.detail}"
    return None


def _print_summary(
    replay: "Replay", feed: "Feed", state: dict[str, bool], options: dict[str, Any]
) -> None:
    """Print what was read, what was sent, and what became of the rest."""
    summary = {
        "event": "summary",
        "data": replay.about.name,
        "symbols": list(replay.about.symbols),
        "complete": state["complete"],
        "read": replay.counts,
        "counts": feed.counts,
    }
    if options["as_json"]:
        click.echo(json.dumps(summary))
        return
    whole = "the whole recording" if state["complete"] else "a part of the recording"
    click.echo(f"{replay.about.name}: {whole} of {len(replay.about.symbols)} symbols")
    for name in ("read", "counts"):
        found = {key: number for key, number in summary[name].items() if number}  # type: ignore[attr-defined]
        words = ", ".join(f"{number:,} {key.replace('_', ' ')}" for key, number in found.items())
        click.echo(f"{'read' if name == 'read' else 'sent'}  {words or 'nothing'}")
