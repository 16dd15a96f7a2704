"""The options of the risk commands, and what they are read into."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from neural_trader.core import ConfigError

if TYPE_CHECKING:
    from neural_trader.risk import RiskConfig, Situation, StressPlan

_Command = Callable[..., Any]
# As risk/config.py has them: a start must not pay for importing it.
_METHODS: Final = (
    *("historical", "normal", "student-t", "cornish-fisher", "evt", "fhs"),
    "monte-carlo",
)
_CONFIG: Final = (
    *("method", "confidence", "horizon", "mean", "age_weight", "tail", "decay", "filter"),
    *("simulations", "seed", "draws", "scrambles", "device", "threads"),
)


def _options(*options: _Command) -> _Command:
    """Return a decorator that adds options in the order in which they are given."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


situation: Final = _options(
    click.option("--portfolio", required=True, metavar="FILE", help="What is held, as JSON."),
    click.option(
        "--data",
        required=True,
        metavar="NAME|PATH",
        help="A sample, a CSV or Parquet file, a folder.",
    ),
    click.option("--as-of", metavar="DATE", help="Last close that counts.  [default: the last]"),
    click.option(
        "--window",
        type=int,
        help="Returns to estimate from.  [default: all; of a backtest 500]",
    ),
)
method: Final = _options(
    click.option(
        "--method",
        type=click.Choice(_METHODS),
        default="historical",
        show_default=True,
        help="How it is estimated.",
    ),
    click.option(
        "--confidence", type=float, default=0.99, show_default=True, help="Between 0 and 1."
    ),
)
horizon: Final = click.option(
    "--horizon", type=int, default=1, show_default=True, help="Periods that positions are held."
)
settings: Final = _options(
    click.option(
        "--simulations", type=int, default=10_000, show_default=True, help="fhs, monte-carlo."
    ),
    click.option("--seed", type=int, default=7, show_default=True, help="Of what is drawn."),
    click.option(
        "--mean",
        type=click.Choice(("zero", "sample")),
        default="zero",
        show_default=True,
        help="Of a model's returns.",
    ),
    click.option("--age-weight", type=float, help="historical: weight over the next day's."),
    click.option(
        "--degrees", metavar="N|fit", help="student-t, monte-carlo: degrees of freedom above 2."
    ),
    click.option(
        "--tail", type=float, default=0.05, show_default=True, help="evt: share of the losses."
    ),
    click.option(
        "--filter",
        type=click.Choice(("ewma", "garch")),
        default="ewma",
        show_default=True,
        help="fhs: what volatility follows.",
    ),
    click.option(
        "--decay", type=float, default=0.94, show_default=True, help="fhs: of the EWMA, a period."
    ),
    click.option(
        "--draws",
        type=click.Choice(("pseudo", "sobol")),
        default="pseudo",
        show_default=True,
        help="monte-carlo: random or quasi-random.",
    ),
    click.option(
        "--scrambles", type=int, default=16, show_default=True, help="monte-carlo: of sobol."
    ),
    click.option(
        "--device",
        type=click.Choice(("auto", "cpu", "cuda")),
        default="cpu",
        show_default=True,
        help="monte-carlo: where.",
    ),
    click.option("--threads", type=int, default=1, show_default=True, help="monte-carlo."),
)
stress: Final = _options(
    click.option(
        "--crisis",
        "crises",
        multiple=True,
        metavar="NAME",
        help="1990, 2000-02, 2008, 2020; may be given several times.  [default: all covered]",
    ),
    click.option(
        "--shock",
        "shocks",
        multiple=True,
        type=float,
        help="Return of the market, -0.2 for -20 %; several times.  [default: four]",
    ),
    click.option(
        "--market", metavar="SYMBOL", help="What the market is.  [default: all, equally weighted]"
    ),
    click.option("--scenarios", metavar="FILE", help="Scenarios of your own, as TOML."),
    click.option(
        "--reverse", type=float, metavar="LOSS", help="Find the most likely way to lose so much."
    ),
    click.option(
        "--reverse-horizon",
        type=int,
        default=1,
        show_default=True,
        help="Periods over which --reverse comes.",
    ),
)


def read(options: dict[str, Any], *, with_market: bool = False) -> "Situation":
    """Read portfolio and prices; with the market also those that are not held."""
    from neural_trader.data import load
    from neural_trader.risk import read_portfolio, read_situation

    held = read_portfolio(options["portfolio"])
    symbols: tuple[str, ...] | None = held.symbols
    if with_market:
        market = options["market"]
        symbols = None if market is None else tuple(dict.fromkeys((*held.symbols, market)))
    bars = load(options["data"], symbols=symbols)
    return read_situation(held, bars, as_of=options["as_of"], window=options["window"])


def read_config(options: dict[str, Any]) -> "RiskConfig":
    """Return what a figure is computed by."""
    from neural_trader.risk import RiskConfig

    given = {name: options[name] for name in _CONFIG if name in options}
    degrees = options["degrees"]
    if degrees is not None and degrees != "fit":
        try:
            degrees = float(degrees)
        except ValueError:
            message = f"--degrees is {degrees!r}; expected a number above 2, or fit"
            raise ConfigError(message) from None
    return RiskConfig(degrees=degrees, **given)


def read_plan(options: dict[str, Any], situation: "Situation") -> "StressPlan":
    """Return which scenarios are played."""
    from neural_trader.risk import StressPlan, read_scenarios

    path = options["scenarios"]
    given: dict[str, Any] = {"shocks": options["shocks"]} if options["shocks"] else {}
    return StressPlan(
        crises=options["crises"],
        market=options["market"],
        scenarios=read_scenarios(path, situation.history.symbols) if path else (),
        reverse=options["reverse"],
        horizon=options["reverse_horizon"],
        **given,
    )


@contextmanager
def progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on a terminal's stderr, while days are tested."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        "days",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("days", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
