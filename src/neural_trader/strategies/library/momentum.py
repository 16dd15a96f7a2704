"""Momentum: what rose goes on rising, against its own past or against its peers."""

import math
from collections import deque
from collections.abc import Sequence

from neural_trader.core import ConfigError
from neural_trader.strategies.context import Context
from neural_trader.strategies.library.periods import Period, period_of, read_period
from neural_trader.strategies.library.rule import Rule, read_flag
from neural_trader.strategies.library.size import Size
from neural_trader.strategies.parameters import read_finite, read_whole


class _Momentum(Rule):
    """A rule that looks at past returns and changes its mind once a period."""

    def __init__(
        self,
        lookback: int,
        skip: int,
        rebalance: Period,
        *,
        short: bool,
        size: float | str | Size,
        symbols: Sequence[str] | str,
    ) -> None:
        super().__init__(size, symbols)
        self.lookback = read_whole("lookback", lookback, at_least=1)
        self.skip = read_whole("skip", skip, at_least=0)
        self.short = read_flag("short", short)
        self.rebalance = read_period("rebalance", rebalance)
        if self.skip >= self.lookback:
            message = f"skip is {skip!r} and lookback is {lookback!r}; expected skip < lookback"
            raise ConfigError(message)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Have seen nothing, and be flat."""
        del ctx
        self._closes = {symbol: deque[float](maxlen=self.lookback + 1) for symbol in symbols}
        self._period: object = None

    def observe(self, ctx: Context) -> None:
        """Take this bar's closes."""
        for symbol, closes in self._closes.items():
            if ctx.has_bar(symbol):
                closes.append(ctx.close(symbol))

    def decide(self, ctx: Context) -> dict[str, float]:
        """Return the exposures at the first bar of a period."""
        period = period_of(ctx.date, self.rebalance)
        if period == self._period:
            return {}
        returns = {}
        for symbol, closes in self._closes.items():
            # Only what trades now has a momentum: a series that has ended is left alone.
            if ctx.has_bar(symbol) and len(closes) == self.lookback + 1:
                returns[symbol] = closes[-1 - self.skip] / closes[0] - 1.0
        if not returns:
            return {}
        self._period = period
        # All of them: positions are sized anew once a period, whether or not a side has changed.
        return self.choose(returns)

    def choose(self, returns: dict[str, float]) -> dict[str, float]:
        """Return the exposure of every symbol, from its past return."""
        raise NotImplementedError


class TimeSeriesMomentum(_Momentum):
    """Hold each symbol whose own past return is positive; be short of the others, if wanted.

    Parameters
    ----------
    lookback, skip : int
        The return is that from ``lookback`` bars ago to ``skip`` bars ago: 252 and 21 by default,
        the year without its last month.
    rebalance : {"day", "week", "month", "quarter"}
        Decide at the first bar of each; positions are sized anew then.
    short : bool
        Sell short what has fallen, instead of leaving it.
    size : float, str or Size
        Of all positions together, in equal parts; see ``read_size``. "40% volatility" by default,
        as in the source.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default.

    Notes
    -----
    Timing: reads closes up to bar t, first decides at bar ``lookback`` and fills at bar t + 1. A
    return of 0 is no position.

    References
    ----------
    Moskowitz, Ooi and Pedersen (2012), "Time Series Momentum", Journal of Financial Economics 104.
    """

    def __init__(
        self,
        lookback: int = 252,
        skip: int = 21,
        rebalance: Period = "month",
        *,
        short: bool = False,
        size: float | str | Size = "40% volatility",
        symbols: Sequence[str] | str = (),
    ) -> None:
        super().__init__(lookback, skip, rebalance, short=short, size=size, symbols=symbols)

    def choose(self, returns: dict[str, float]) -> dict[str, float]:
        """Return the sign of each return, over their number."""
        short = -1.0 if self.short else 0.0
        return {
            symbol: (1.0 if value > 0.0 else short if value < 0.0 else 0.0) / len(returns)
            for symbol, value in returns.items()
        }


class CrossSectionalMomentum(_Momentum):
    """Hold the symbols that rose most among all, and be short of those that fell most, if wanted.

    Parameters
    ----------
    lookback, skip, rebalance
        As :class:`TimeSeriesMomentum`.
    part : float
        The part of the symbols that is held, above 0, at most a half: 0.3 by default. At least one.
    short : bool
        Also sell short the part that has fallen most.
    size : float, str or Size
        Of all long positions together; the short ones are as large. 100% of equity by default.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default; two or more.

    Notes
    -----
    Timing: reads closes up to bar t, first decides at bar ``lookback`` and fills at bar t + 1.
    Equal returns stand in the order of the symbols. Volatility cannot size a group of positions.

    References
    ----------
    Jegadeesh and Titman (1993), "Returns to Buying Winners and Selling Losers", Journal of
    Finance 48.
    """

    def __init__(
        self,
        lookback: int = 252,
        skip: int = 21,
        rebalance: Period = "month",
        *,
        part: float = 0.3,
        short: bool = False,
        size: float | str | Size = "100%",
        symbols: Sequence[str] | str = (),
    ) -> None:
        super().__init__(lookback, skip, rebalance, short=short, size=size, symbols=symbols)
        self.part = read_finite("part", part)
        if not 0.0 < self.part <= 0.5:
            message = f"part is {part!r}; expected a part of the symbols, above 0, at most 0.5"
            raise ConfigError(message)
        if self.size.unit == "volatility":
            message = f"size is {size!r}; a group of positions is sized in money or as a share"
            raise ConfigError(message)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Refuse to rank a single symbol."""
        if len(symbols) < 2:
            message = f"the run has {len(symbols)} symbol; expected two or more to choose among"
            raise ConfigError(message)
        super().begin(ctx, symbols)

    def choose(self, returns: dict[str, float]) -> dict[str, float]:
        """Return an equal share of the size for each of the best, and of the worst."""
        ranked = sorted(returns, key=lambda symbol: -returns[symbol])
        count = max(1, math.floor(self.part * len(ranked)))
        wanted = dict.fromkeys(ranked, 0.0)
        if len(ranked) < 2:
            return wanted
        wanted |= dict.fromkeys(ranked[:count], 1.0 / count)
        if self.short:
            wanted |= dict.fromkeys(ranked[-count:], -1.0 / count)
        return wanted
