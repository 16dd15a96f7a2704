"""``neural-trader backtest``: run a strategy over history."""

import math
import os
from typing import TYPE_CHECKING, Any

import click

from neural_trader.core import ConfigError, Costs

if TYPE_CHECKING:
    from neural_trader.backtesting import Result
    from neural_trader.strategies import Pairs, SmaCross

# The backspace tells click to keep the lines that follow.
_HELP = """Run a strategy over history and print what it did.

\b
neural-trader backtest --strategy pairs --symbols KO,PEP \\
    --data sp500-closes --gross 20000 --fee-bps 5 --slippage-bps 5 \\
    --report pairs.html
"""
_KINDS = ("pairs", "sma-cross")


@click.command(help=_HELP)
@click.option("--strategy", type=click.Choice(_KINDS), required=True, help="What to run.")
@click.option("--symbols", required=True, help="Comma-separated: two for pairs, one for sma-cross.")
@click.option(
    "--data", required=True, metavar="NAME|PATH", help="A sample, a CSV or Parquet file, a folder."
)
@click.option("--start", metavar="DATE", help="First session on which a decision may be taken.")
@click.option("--end", metavar="DATE", help="Last session, inclusive.")
@click.option(
    "--warmup",
    type=click.Choice(("before", "inside")),
    default="before",
    show_default=True,
    help="Let bars before --start warm the indicators up, or ignore them.",
)
@click.option("--capital", type=float, default=100_000.0, show_default=True, help="Starting cash.")
@click.option(
    "--gross", metavar="MONEY|SHARE", help="Size: 20000, or 20% of equity.  [default: 20000]"
)
@click.option("--lookback", type=int, help="pairs: bars of both windows.  [default: 60]")
@click.option("--entry", type=float, help="pairs: z-score of an entry.  [default: 2.0]")
@click.option("--exit", "exit_", type=float, help="pairs: z-score of an exit.  [default: 0.5]")
@click.option("--fast", type=int, help="sma-cross: bars of the fast average.  [default: 20]")
@click.option("--slow", type=int, help="sma-cross: bars of the slow average.  [default: 50]")
@click.option("--fee-bps", type=float, default=0.0, show_default=True, help="Fee on filled value.")
@click.option(
    "--slippage-bps", type=float, default=0.0, show_default=True, help="Slippage of every fill."
)
@click.option(
    "--fill-at",
    type=click.Choice(("open", "close")),
    help="Price of the next bar.  [default: open where the data have it]",
)
@click.option("--max-leverage", type=float, default=2.0, show_default=True, help="Peak allowed.")
@click.option(
    "--adjust",
    type=click.Choice(("splits", "none")),
    default="splits",
    show_default=True,
    help="Adjust raw prices for their known splits, or not.",
)
@click.option("--report", "report_path", type=click.Path(), help="Write an HTML report.")
@click.option("--save", "save_path", type=click.Path(), help="Write the result to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def backtest(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Run a strategy over history and print what it did."""
    from neural_trader.backtesting import backtest as run
    from neural_trader.data import load

    strategy = _strategy(options)
    _check_paths(options)
    bars = load(options["data"], symbols=list(strategy.symbols), adjust=options["adjust"])
    result = run(
        strategy,
        bars,
        capital=options["capital"],
        costs=Costs(fee_bps=options["fee_bps"], slippage_bps=options["slippage_bps"]),
        start=options["start"],
        end=options["end"],
        warmup=options["warmup"],
        fill_at=options["fill_at"],
        max_leverage=options["max_leverage"],
    )
    written = _write(result, options)
    if options["as_json"]:
        _print_json(result, written)
        return
    from neural_trader.reports import print_result

    print_result(result)
    width = max(len(name) for name in ("final equity", *written))
    for name, value in (
        ("trades", str(result.trades)),
        ("final equity", f"{result.final_equity:,.4f}"),
        *written.items(),
    ):
        click.echo(f"{name:<{width}}  {value}")


def _strategy(options: dict[str, Any]) -> "Pairs | SmaCross":
    """Build the strategy from its options; an option of another strategy is refused."""
    from neural_trader.strategies import Pairs, SmaCross

    kind: type[Pairs | SmaCross] = Pairs if options["strategy"] == "pairs" else SmaCross
    own = {"gross": options["gross"]}
    for name, owner in (
        ("lookback", Pairs),
        ("entry", Pairs),
        ("exit", Pairs),
        ("fast", SmaCross),
        ("slow", SmaCross),
    ):
        value = options["exit_" if name == "exit" else name]
        if owner is kind:
            own[name] = value
        elif value is not None:
            message = f"--{name} belongs to {owner.kind}, not to {kind.kind}; leave it out"
            raise ConfigError(message)
    symbols = [symbol.strip() for symbol in options["symbols"].split(",")]
    wanted = 2 if kind is Pairs else 1
    if len(symbols) != wanted or not all(symbols):
        message = (
            f"--symbols is {options['symbols']!r}; {kind.kind} takes {wanted} symbol"
            f"{'s, such as KO,PEP' if wanted == 2 else ', such as KO'}"
        )
        raise ConfigError(message)
    given = {name: value for name, value in own.items() if value is not None}
    return kind(*symbols, **given)


def _check_paths(options: dict[str, Any]) -> None:
    """Refuse a path that is empty, and one that would overwrite another of this run."""
    taken: dict[str, str] = {}
    for name, option in (("--data", "data"), ("--report", "report_path"), ("--save", "save_path")):
        path = options[option]
        if path is None:
            continue
        if not path.strip():
            message = f"{name} is {path!r}; expected the name of a file"
            raise ConfigError(message)
        other = taken.setdefault(os.path.realpath(path), name)
        if other != name:
            message = f"{other} and {name} are both {path}; give each a file of its own"
            raise ConfigError(message)


def _write(result: "Result", options: dict[str, Any]) -> dict[str, str]:
    """Write what was asked for, and return where it is."""
    written = {}
    if options["report_path"]:
        from neural_trader.reports import report

        written["report"] = str(report(result, options["report_path"]))
    if options["save_path"]:
        written["saved"] = str(result.save(options["save_path"]))
    return written


def _print_json(result: "Result", written: dict[str, str]) -> None:
    """Print the result as one JSON object; an undefined figure is null."""
    import json

    summary = result.summary
    click.echo(
        json.dumps(
            {
                "trades": result.trades,
                "fills": result.fill_count,
                "final_equity": result.final_equity,
                "metrics": {
                    name: value if math.isfinite(value) else None
                    for name, value in summary.metrics.items()
                },
                "undefined": summary.undefined,
                "conventions": summary.conventions,
                "skipped": result.skipped,
                "notes": summary.notes,
                "provenance": result.provenance,
            }
            | written,
            indent=2,
        )
    )
