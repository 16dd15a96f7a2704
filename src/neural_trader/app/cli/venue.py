"""``neural-trader venue``: run the paper venue."""

import json
import time
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli.event_loop import run_in_loop, server_context
from neural_trader.core import ConfigError, Costs, Matching

if TYPE_CHECKING:
    from neural_trader.execution.venues.paper import Market

_SYNTHETIC = "KO,PEP"


@click.command("venue")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen here.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=7702,
    show_default=True,
    help="Listen here; 0 takes a free one.",
)
@click.option(
    "--market",
    type=click.Choice(("synthetic", "bars", "ticks")),
    default="synthetic",
    show_default=True,
    help="Made-up prices, a replay of bars, or one of quotes and prints.",
)
@click.option("--data", metavar="NAME|PATH", help="bars: as for backtest; ticks: a file.")
@click.option(
    "--symbols", help=f"Comma-separated.  [default: all of the data; synthetic: {_SYNTHETIC}]"
)
@click.option(
    "--speed",
    type=click.FloatRange(0, 1e6),
    help="Steps a second; 0 is as fast as it goes, or a synthetic market that stands still.  "
    "[default: bars 1, else 10]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of made-up prices.")
@click.option("--tick-size", default="0.01", show_default=True, help="Grid of prices.")
@click.option("--lot-size", default="1", show_default=True, help="Grid of quantities.")
@click.option("--minor-unit", default="0.01", show_default=True, help="Smallest unit of money.")
@click.option("--fee-bps", type=float, default=0.0, show_default=True, help="Fee on filled value.")
@click.option(
    "--slippage-bps", type=float, default=0.0, show_default=True, help="bars: slippage of a fill."
)
@click.option(
    "--limit-fills",
    type=click.Choice(("through", "touch")),
    default="through",
    show_default=True,
    help="When a limit fills.",
)
@click.option("--volume-share", type=float, help="bars: largest part of a bar's volume.")
@click.option(
    "--latency-us", type=float, default=0.0, show_default=True, help="Until a message is worked."
)
@click.option(
    "--reject-rate", type=float, default=0.0, show_default=True, help="Share of orders rejected."
)
@click.option("--cert", default="", help="PEM certificate, for TLS.")
@click.option("--key", default="", help="PEM key of the certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
def venue(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Run a venue that fills orders without money, until Ctrl-C or SIGTERM."""
    from neural_trader.execution.venues.paper import PaperConfig, PaperVenue, ServerConfig, serve

    speed = options["speed"]
    if speed is None:
        speed = 1.0 if options["market"] == "bars" else 10.0
    place = ServerConfig(host=options["host"], port=options["port"], speed=speed)
    config = PaperConfig(
        latency_ns=round(1_000 * options["latency_us"]),
        reject_rate=options["reject_rate"],
        seed=options["seed"],
    )
    tls = server_context(options["cert"], options["key"])
    paper = PaperVenue(_make_market(options), config)

    def told(event: dict[str, Any]) -> None:
        click.echo(json.dumps(event) if options["as_json"] else _text(event, options["market"]))

    run_in_loop(serve(paper, place, clock=time.time_ns, told=told, tls=tls))


def _make_market(options: dict[str, Any]) -> "Market":
    """Return the market that was asked for."""
    from neural_trader.execution.venues import paper

    kind, data = options["market"], options["data"]
    if (data is None) != (kind == "synthetic"):
        message = (
            f"--data is {data!r} and --market {kind}; bars and ticks are read from --data, and "
            "synthetic prices are made up"
        )
        raise ConfigError(message)
    given = options["symbols"] or (_SYNTHETIC if kind == "synthetic" else None)
    symbols = None if given is None else [symbol.strip() for symbol in given.split(",")]
    if symbols is not None and not (all(symbols) and len(set(symbols)) == len(symbols)):
        message = f"--symbols is {given!r}; expected different names, such as {_SYNTHETIC}"
        raise ConfigError(message)
    units = {name: options[name] for name in ("tick_size", "lot_size", "minor_unit")}
    costs = Costs(fee_bps=options["fee_bps"], slippage_bps=options["slippage_bps"])
    matching = Matching(limit_fills=options["limit_fills"], volume_share=options["volume_share"])
    if kind == "bars":
        from neural_trader.data import load

        bars = load(data, symbols=symbols)
        listings = paper.make_listings(bars.symbols, **units)
        rows = paper.read_bars(bars, bars.symbols)
        return paper.BarMarket(listings, rows, costs=costs, matching=matching)
    if kind == "ticks":
        from neural_trader.data import load_quotes

        quotes = load_quotes(data)
        listings = paper.make_listings(symbols or sorted({row[1] for row in quotes}), **units)
        ticks = paper.read_ticks(quotes, listings)
        return paper.TickMarket(listings, ticks, costs=costs, matching=matching)
    listings = paper.make_listings(symbols or [], **units)
    seed = options["seed"]
    return paper.SyntheticMarket(listings, seed=seed, costs=costs, matching=matching)


def _text(event: dict[str, Any], market: str) -> str:
    """Return a line for what happened."""
    name = event["event"]
    if name == "listening":
        return f"paper venue ({market}) listening on {event['host']} port {event['port']}"
    if name == "gateway_in":
        return f"gateway {event['gateway']} is in, epoch {event['epoch']}"
    return {"gateway_out": "the gateway is gone"}.get(name, "the market is over")
