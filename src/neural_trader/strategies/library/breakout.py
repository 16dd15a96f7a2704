"""Breakout of a Donchian channel."""

from collections.abc import Sequence
from typing import NamedTuple

from neural_trader.strategies.context import Context
from neural_trader.strategies.indicators import Max, Min
from neural_trader.strategies.library.rule import SideRule, read_flag
from neural_trader.strategies.library.size import Size
from neural_trader.strategies.parameters import read_whole


class _Channel(NamedTuple):
    """The highest and lowest of the bars before this one, over the two windows."""

    top: float
    bottom: float
    exit_top: float
    exit_bottom: float


class DonchianBreakout(SideRule):
    """Buy a new high of ``entry`` bars, and leave at a new low of ``exit`` bars.

    Parameters
    ----------
    entry, exit : int
        Bars of the channel that is broken to enter, and of the one that is broken to leave; 20 and
        10 by default.
    short : bool
        Also sell short at a new low, and leave that at a new high.
    size : float, str or Size
        Of each position; see ``read_size``. 10% of equity by default.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default.

    Notes
    -----
    Timing: a close of bar t is compared with the highs and lows (closes, where the data have no
    others) of the bars before it; the first decision is at bar ``entry``, and it fills at bar
    t + 1. Equal is not beyond.

    References
    ----------
    Faith (2007), Way of the Turtle, chapter 5 (System 1: 20 and 10 days).
    """

    def __init__(
        self,
        entry: int = 20,
        exit: int = 10,  # noqa: A002 - what traders call it
        *,
        short: bool = False,
        size: float | str | Size = "10%",
        symbols: Sequence[str] | str = (),
    ) -> None:
        super().__init__(size, symbols)
        self.entry = read_whole("entry", entry, at_least=1)
        self.exit = read_whole("exit", exit, at_least=1)
        self.short = read_flag("short", short)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Make the channels of every symbol."""
        self._extremes: dict[str, tuple[Max, Min, Max, Min]] = {}
        self._before: dict[str, _Channel] = {}
        self._now: dict[str, _Channel] = {}
        super().begin(ctx, symbols)

    def watch(self, ctx: Context, symbol: str) -> None:
        """Start with channels that have seen nothing."""
        del ctx
        self._extremes[symbol] = (
            Max(self.entry),
            Min(self.entry),
            Max(self.exit),
            Min(self.exit),
        )

    def observe(self, ctx: Context) -> None:
        """Take this bar's high and low; keep the channels of the bars before it to compare with."""
        for symbol, extremes in self._extremes.items():
            if not ctx.has_bar(symbol):
                continue
            bars = ctx.bars(symbol)
            close = ctx.close(symbol)
            high = close if bars.high is None else float(bars.high[-1])
            low = close if bars.low is None else float(bars.low[-1])
            if symbol in self._now:
                self._before[symbol] = self._now[symbol]
            top, bottom, exit_top, exit_bottom = extremes
            self._now[symbol] = _Channel(
                top.update(high), bottom.update(low), exit_top.update(high), exit_bottom.update(low)
            )

    def side(self, ctx: Context, symbol: str, held: float) -> float:
        """Return the side that the close has broken out to."""
        if symbol not in self._before:
            return held
        before, close = self._before[symbol], ctx.close(symbol)
        if close > before.top:
            return 1.0
        if self.short and close < before.bottom:
            return -1.0
        if (held > 0.0 and close < before.exit_bottom) or (held < 0.0 and close > before.exit_top):
            return 0.0
        return held
