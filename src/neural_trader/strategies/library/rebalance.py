"""Rebalancing: hold the weights of an optimizer, found anew from the bars of a trailing window."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from neural_trader.core import ConfigError, unknown_symbol
from neural_trader.core.bars import SymbolBars
from neural_trader.core.errors import DataError, NoPortfolio
from neural_trader.portfolio.optimizers import (
    COVARIANCES,
    METHODS,
    Constraints,
    Views,
    estimate_moments,
    optimize,
    read_groups,
    read_views,
)
from neural_trader.strategies.context import Context
from neural_trader.strategies.library.periods import Period, period_of, read_period
from neural_trader.strategies.library.rule import Rule
from neural_trader.strategies.library.size import Size
from neural_trader.strategies.parameters import read_finite, read_whole

# A symbol without a bar for so many bars of the others has ended, and nobody waits for it.
_ENDED_BARS = 10
_NOISE = 1e-13


class _Options(NamedTuple):
    """What goes to the optimizer at every date."""

    covariance: str
    constraints: Constraints
    views: Views | None
    risk_free: float


class Rebalance(Rule):
    """Hold the weights that a method of portfolio choice finds, anew in every period.

    Parameters
    ----------
    method : str
        One of ``neural_trader.portfolio.optimizers.METHODS``; "min-variance" by default.
    every : {"day", "week", "month", "quarter"}
        Weights are found and ordered at the first bar of each.
    lookback_bars : int
        Returns in the trailing window, 252 by default.
    covariance : str
        "sample", "ewma", "ledoit-wolf" or "oas"; "ledoit-wolf" by default.
    min_weight, max_weight : float
        Of every symbol; 0 and 1 by default.
    groups : path, optional
        A TOML file of bounds of groups; needs the extra ``optimize``.
    views : path or Views, optional
        Of "black-litterman": the market's weights, and views of it, the same at every date.
    risk_free : float
        Annual rate.
    size : float, str or Size
        Of all positions together; see ``read_size``. 100% of equity by default; not by volatility.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default.

    Raises
    ------
    ConfigError
        A parameter that cannot be used; and in a run, what the optimizer refuses, with the date.

    Notes
    -----
    Timing: reads closes up to bar t, of which the window's last return ends at t, first decides
    where a symbol has ``lookback_bars`` + 1 closes, and fills at bar t + 1. In a period it decides
    at the first bar at which all symbols that still trade have one.
    Missing: a symbol with too few closes on the common bars, or whose closes do not move within the
    window, takes no part, is not held, and counts as 0 in its groups; one that has ended is left
    alone. "black-litterman" waits until every symbol of the market's weights takes part.
    Cash: where no weights are expected to earn more than the risk-free rate, "max-sharpe" and
    "black-litterman" hold none of the symbols until the next period.
    Costs are charged on what is traded, which is the change of the weights and their drift; they
    are not part of the choice.
    """

    def __init__(  # noqa: PLR0913 - each a choice of its own
        self,
        method: str = "min-variance",
        every: Period = "month",
        lookback_bars: int = 252,
        covariance: str = "ledoit-wolf",
        *,
        min_weight: float = 0.0,
        max_weight: float = 1.0,
        groups: str | os.PathLike[str] | None = None,
        views: str | os.PathLike[str] | Views | None = None,
        risk_free: float = 0.0,
        size: float | str | Size = "100%",
        symbols: Sequence[str] | str = (),
    ) -> None:
        super().__init__(size, symbols)
        self.method = _read_name("method", method, METHODS)
        self.every = read_period("every", every)
        self.lookback_bars = read_whole("lookback_bars", lookback_bars, at_least=2)
        self.covariance = _read_name("covariance", covariance, COVARIANCES)
        self.min_weight = read_finite("min_weight", min_weight)
        self.max_weight = read_finite("max_weight", max_weight)
        self.groups = None if groups is None else os.fspath(groups)
        self.views = (
            read_views(os.fspath(views)) if isinstance(views, (str, os.PathLike)) else views
        )
        self.risk_free = read_finite("risk_free", risk_free)
        if (self.views is None) != (self.method != "black-litterman"):
            message = (
                f"method is {method!r} and views are {views!r}; black-litterman needs views, and "
                "no other method takes them"
            )
            raise ConfigError(message)
        if self.size.unit not in ("equity", "money"):
            message = f"size is {size!r}; a portfolio is sized in money or as a share of equity"
            raise ConfigError(message)
        bounds = Constraints(
            self.min_weight,
            self.max_weight,
            () if self.groups is None else read_groups(self.groups),
        )
        self._options = _Options(self.covariance, bounds, self.views, self.risk_free)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Have decided in no period yet."""
        del ctx
        for group in self._options.constraints.groups:
            for symbol in group.symbols:
                if symbol not in symbols:
                    where = f"the run, named by group {group.name!r}"
                    raise ConfigError(unknown_symbol(symbol, symbols, where=where))
        self._period: object = None

    def decide(self, ctx: Context) -> dict[str, float]:
        """Return the weights at the first bar of a period, of all that trade."""
        period = period_of(ctx.date, self.every)
        if period == self._period:
            return {}
        columns = {symbol: ctx.bars(symbol) for symbol in ctx.symbols}
        trading = [symbol for symbol in _live(ctx, columns) if len(columns[symbol].close) > 0]
        if not all(ctx.has_bar(symbol) for symbol in trading):
            return {}
        taking, stamps, closes = self._window({symbol: columns[symbol] for symbol in trading})
        if not taking or (self.views and not set(self.views.market_weights) <= set(taking)):
            return {}
        self._period = period
        weights = self._weights(ctx, taking, closes[1:] / closes[:-1] - 1.0, stamps[1:])
        return dict.fromkeys(trading, 0.0) | weights

    def _window(self, columns: dict[str, SymbolBars]) -> tuple[list[str], Any, Any]:
        """Return who has enough bars and moves, and their last common stamps and closes."""
        count = self.lookback_bars + 1
        taking = [symbol for symbol, bars in columns.items() if len(bars.close) >= count]
        while taking:
            stamps = columns[taking[0]].ts_close_ns
            for symbol in taking[1:]:
                if not _same(stamps, columns[symbol].ts_close_ns, count):
                    stamps = np.intersect1d(stamps, columns[symbol].ts_close_ns)
            stamps = stamps[-count:]
            if len(stamps) < count:
                return [], None, None
            closes = np.stack([_at(columns[symbol], stamps) for symbol in taking], axis=1)
            moves = np.ptp(closes[1:] / closes[:-1], axis=0) > _NOISE
            if moves.all():
                return taking, stamps, closes
            taking = [symbol for symbol, keep in zip(taking, moves, strict=True) if keep]
        return [], None, None

    def _weights(
        self,
        ctx: Context,
        series: list[str],
        returns: Any,  # noqa: ANN401 - an array
        stamps: Any,  # noqa: ANN401 - an array
    ) -> dict[str, float]:
        """Return the weights by symbol; none where cash is all that is left."""
        options = self._options
        constraints = _among(options.constraints, series)
        try:
            moments = estimate_moments(
                returns,
                series=series,
                covariance=options.covariance,
                risk_free=options.risk_free,
                ts_close_ns=stamps,
            )
            found = optimize(moments, self.method, constraints=constraints, views=options.views)
        except NoPortfolio:
            return {}
        except (ConfigError, DataError) as error:
            message = f"{ctx.date}, {self.method} of {len(series)} symbols: {error}"
            raise type(error)(message) from None
        return found.as_dict()


def _read_name(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        message = f"{name} is {value!r}; expected one of {', '.join(known)}"
        raise ConfigError(message)
    return value


def _among(constraints: Constraints, series: list[str]) -> Constraints:
    """Return constraints whose groups hold those alone that take part: the others weigh 0."""
    here = [
        group._replace(symbols=tuple(name for name in group.symbols if name in series))
        for group in constraints.groups
    ]
    return constraints._replace(
        groups=tuple(group for group in here if group.symbols or group.min_weight > 0.0)
    )


def _live(ctx: Context, columns: dict[str, SymbolBars]) -> list[str]:
    """Return the symbols that have not ended: a bar among the last ones of those with one now."""
    now = [bars.ts_close_ns for symbol, bars in columns.items() if ctx.has_bar(symbol)]
    since = min(int(stamps[-min(_ENDED_BARS, len(stamps))]) for stamps in now)
    return [
        symbol
        for symbol, bars in columns.items()
        if len(bars.ts_close_ns) and bars.ts_close_ns[-1] >= since
    ]


def _same(stamps: Any, others: Any, count: int) -> bool:  # noqa: ANN401 - arrays
    """Return whether the last bars of two symbols stand at the same times."""
    return len(stamps) >= count and np.array_equal(stamps[-count:], others[-count:])


def _at(bars: SymbolBars, stamps: Any) -> Any:  # noqa: ANN401 - arrays
    """Return the closes at some of a symbol's stamps."""
    return bars.close[np.searchsorted(bars.ts_close_ns, stamps)]
