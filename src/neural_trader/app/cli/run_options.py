"""The options that say what to run, shared by the commands that run a strategy."""

import inspect
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from neural_trader.core import ConfigError, Costs

if TYPE_CHECKING:
    from neural_trader.core import Bars
    from neural_trader.strategies import Pairs, SmaCross, Strategy, StrategyFile

_Command = Callable[..., Any]
_KINDS: Final = ("pairs", "sma-cross")
_LIBRARY: Final = {
    "ema-cross": "EmaCross",
    "bollinger-reversion": "BollingerReversion",
    "rsi-reversion": "RsiReversion",
    "donchian-breakout": "DonchianBreakout",
    "time-series-momentum": "TimeSeriesMomentum",
    "cross-sectional-momentum": "CrossSectionalMomentum",
    "pairs-book": "PairsBook",
    "rebalance": "Rebalance",
}
_FORECAST: Final = "forecast"
_NAMES: Final = ", ".join((*_KINDS, *_LIBRARY, _FORECAST))
_OWN: Final = {"pairs": ("lookback", "entry", "exit"), "sma-cross": ("fast", "slow")}


class _Name(click.ParamType[str]):
    """The name of a strategy; which there are is known when it is missing, too."""

    name = "NAME|FILE.py"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002
        return f"Choose from: {_NAMES}, FILE.py"


def _options(*options: _Command) -> _Command:
    """Return a decorator that adds options in the order in which they are given."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


strategy: Final = _options(
    click.option(
        "--strategy",
        required=True,
        type=_Name(),
        metavar="NAME|FILE.py",
        help=f"{_NAMES}, or a file with a strategy of your own.",
    ),
    click.option(
        "--symbols",
        help="Comma-separated: two for pairs, one for sma-cross, any for your own.",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="A parameter of any other strategy, or of your own; may be given several times.",
    ),
)
parameters: Final = _options(
    click.option(
        "--gross", metavar="MONEY|SHARE", help="Size: 20000, or 20% of equity.  [default: 20000]"
    ),
    click.option("--lookback", type=int, help="pairs: bars of both windows.  [default: 60]"),
    click.option("--entry", type=float, help="pairs: z-score of an entry.  [default: 2.0]"),
    click.option("--exit", "exit_", type=float, help="pairs: z-score of an exit.  [default: 0.5]"),
    click.option("--fast", type=int, help="sma-cross: bars of the fast average.  [default: 20]"),
    click.option("--slow", type=int, help="sma-cross: bars of the slow average.  [default: 50]"),
)
data: Final = _options(
    click.option(
        "--data",
        required=True,
        metavar="NAME|PATH",
        help="A sample, a CSV or Parquet file, a folder.",
    ),
    click.option("--start", metavar="DATE", help="First session on which a decision may be taken."),
    click.option("--end", metavar="DATE", help="Last session, inclusive."),
    click.option(
        "--warmup",
        type=click.Choice(("before", "inside")),
        default="before",
        show_default=True,
        help="Let bars before --start warm the indicators up, or ignore them.",
    ),
    click.option(
        "--adjust",
        type=click.Choice(("splits", "total-return", "none")),
        default="splits",
        show_default=True,
        help="Adjust raw prices for their known splits, for splits and dividends, or not.",
    ),
    click.option(
        "--actions", metavar="FILE", help="Splits and dividends beside those that the data know."
    ),
)
run: Final = _options(
    click.option(
        "--capital", type=float, default=100_000.0, show_default=True, help="Starting cash."
    ),
    click.option(
        "--fee-bps", type=float, default=0.0, show_default=True, help="Fee on filled value."
    ),
    click.option(
        "--slippage-bps", type=float, default=0.0, show_default=True, help="Slippage of every fill."
    ),
    click.option("--fee-per-share", type=float, default=0.0, help="Fee a share, in money."),
    click.option("--fee-minimum", type=float, default=0.0, help="Least fee of an order, in money."),
    click.option(
        "--fee-tiers",
        metavar="VALUE:BPS,...",
        help="Fee by the value traded in the month: 0:10,100000:5.",
    ),
    click.option("--half-spread", type=float, default=0.0, help="Slippage a share, in money."),
    click.option(
        "--fill-at",
        type=click.Choice(("open", "close")),
        help="Price of the next bar.  [default: open where the data have it]",
    ),
    click.option(
        "--limit-fills",
        type=click.Choice(("through", "touch")),
        help="When a limit fills.  [default: through]",
    ),
    click.option(
        "--volume-share", type=float, help="Largest part of a bar's volume that orders take."
    ),
    click.option("--tick-size", type=float, help="Grid of limits and stops.  [default: none]"),
    click.option("--lot-size", type=float, help="Grid of quantities; 0 is any.  [default: 1]"),
    click.option(
        "--max-leverage", type=float, default=2.0, show_default=True, help="Peak allowed."
    ),
)


class Compiled:
    """A strategy of the library, by its name, and the symbols it trades."""

    def __init__(self, kind: "type[Pairs | SmaCross]", symbols: list[str]) -> None:
        self.kind = kind
        self.symbols = symbols

    def make(self, parameters: dict[str, Any]) -> "Pairs | SmaCross":
        """Return the strategy with these parameters."""
        return self.kind(*self.symbols, **parameters)


class FromLibrary:
    """A strategy of ``nt.library``, by its name; it trades what is named, or all of the data."""

    def __init__(self, kind: "type[Strategy]", symbols: list[str] | None) -> None:
        self.kind = kind
        # Pairs name their symbols themselves.
        takes = "symbols" in inspect.signature(kind).parameters
        self.fixed: dict[str, Any] = {"symbols": tuple(symbols)} if takes and symbols else {}

    def make(self, parameters: dict[str, Any]) -> "Strategy":
        """Return the strategy with these parameters."""
        from neural_trader.strategies import check_parameters

        given = self.fixed | parameters
        check_parameters(self.kind, given)
        return self.kind(**given)


def read_strategy(options: dict[str, Any]) -> "Compiled | FromLibrary | StrategyFile":
    """Find the strategy that was asked for."""
    from neural_trader.strategies import Pairs, SmaCross, StrategyFile

    name = options["strategy"]
    if ".py" in name:
        return StrategyFile(name)
    if name in _LIBRARY:
        import neural_trader

        kind = getattr(neural_trader.library, _LIBRARY[name])
        return FromLibrary(kind, read_symbols(options))
    if name == _FORECAST:
        import neural_trader

        return FromLibrary(neural_trader.ForecastStrategy, read_symbols(options))
    if name not in _KINDS:
        message = f"--strategy is {name!r}; expected {_NAMES}, or a file FILE.py"
        raise ConfigError(message)
    compiled: type[Pairs | SmaCross] = Pairs if name == "pairs" else SmaCross
    symbols = read_symbols(options) or []
    wanted = 2 if compiled is Pairs else 1
    if len(symbols) != wanted or not all(symbols):
        message = (
            f"--symbols is {options['symbols']!r}; {compiled.kind} takes {wanted} symbol"
            f"{'s, such as KO,PEP' if wanted == 2 else ', such as KO'}"
        )
        raise ConfigError(message)
    return Compiled(compiled, symbols)


def read_symbols(options: dict[str, Any]) -> list[str] | None:
    """Return the symbols that were named, or None."""
    given = options["symbols"]
    return None if given is None else [symbol.strip() for symbol in given.split(",")]


def read_parameters(
    options: dict[str, Any], chosen: "Compiled | FromLibrary | StrategyFile"
) -> dict[str, Any]:
    """Return the strategy's parameters; an option of another strategy is refused."""
    kind = chosen.kind.kind if isinstance(chosen, Compiled) else ""
    given: dict[str, Any] = {}
    for owner, names in _OWN.items():
        for name in names:
            value = options["exit_" if name == "exit" else name]
            if value is None:
                continue
            if owner != kind:
                message = f"--{name} belongs to {owner}, not to {kind or options['strategy']}; "
                message += "leave it out" if kind else f"use --set {name}={value}"
                raise ConfigError(message)
            given[name] = value
    if options["gross"] is not None:
        if not kind:
            message = f"--gross is for {', '.join(_KINDS)}; use --set gross={options['gross']}"
            raise ConfigError(message)
        given["gross"] = options["gross"]
    if options["settings"] and kind:
        message = f"--set is for other strategies; {kind} has options: see --help"
        raise ConfigError(message)
    return given | read_settings(options["settings"])


def read_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Return NAME=VALUE pairs as parameters: numbers, true, false and lists as JSON has them."""
    given: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.isidentifier():
            message = f"--set is {setting!r}; expected NAME=VALUE, such as lookback=60"
            raise ConfigError(message)
        if name in given:
            message = f"--set gives {name} twice; expected one value"
            raise ConfigError(message)
        try:
            given[name] = json.loads(text)
        except ValueError:
            given[name] = text
    return given


def read_bars(options: dict[str, Any], chosen: "Compiled | FromLibrary | StrategyFile") -> "Bars":
    """Load the bars of the run: of the symbols named, or of those that the strategy names."""
    from neural_trader.data import load

    symbols = read_symbols(options)
    if symbols is None:
        symbols = list(getattr(chosen.kind, "symbols", ())) or None
    return load(
        options["data"], symbols=symbols, actions=options["actions"], adjust=options["adjust"]
    )


def read_run(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a backtest beside its strategy and bars."""
    given = {name: options[name] for name in ("capital", "start", "end", "warmup", "fill_at")}
    given["max_leverage"] = options["max_leverage"]
    given["costs"] = Costs(
        fee_bps=options["fee_bps"],
        slippage_bps=options["slippage_bps"],
        fee_per_share=options["fee_per_share"],
        fee_minimum=options["fee_minimum"],
        fee_tiers=_read_tiers(options["fee_tiers"]),
        half_spread=options["half_spread"],
    )
    if options["limit_fills"] is not None or options["volume_share"] is not None:
        from neural_trader.core import Matching

        given["matching"] = Matching(
            limit_fills=options["limit_fills"] or "through", volume_share=options["volume_share"]
        )
    if options["tick_size"] is not None or options["lot_size"] is not None:
        from neural_trader.core import Instrument

        lot = options["lot_size"]
        given["instruments"] = Instrument(
            tick_size=options["tick_size"] or 0.0, lot_size=1.0 if lot is None else lot
        )
    return given


def _read_tiers(text: str | None) -> tuple[tuple[float, float], ...]:
    """Return tiers written as VALUE:BPS,VALUE:BPS."""
    if text is None:
        return ()
    try:
        pairs = [part.split(":") for part in text.split(",")]
        return tuple((float(value), float(bps)) for value, bps in pairs)
    except ValueError:
        message = f"--fee-tiers is {text!r}; expected VALUE:BPS pairs, such as 0:10,100000:5"
        raise ConfigError(message) from None


def check_paths(paths: dict[str, str | None]) -> None:
    """Refuse a path that is empty, and one that would overwrite another of this run.

    ``paths`` has them by option, what is read first.
    """
    taken: dict[str, str] = {}
    for name, path in paths.items():
        if path is None:
            continue
        if not path.strip():
            message = f"{name} is {path!r}; expected the name of a file"
            raise ConfigError(message)
        other = taken.setdefault(os.path.realpath(path), name)
        if other != name:
            message = f"{other} and {name} are both {path}; give each a file of its own"
            raise ConfigError(message)
