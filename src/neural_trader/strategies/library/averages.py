"""Moving-average crossover over any number of symbols."""

from collections.abc import Sequence
from typing import ClassVar

from neural_trader.core import ConfigError
from neural_trader.strategies.context import Context
from neural_trader.strategies.indicators import EMA, SMA
from neural_trader.strategies.library.rule import SideRule, read_flag
from neural_trader.strategies.library.size import Size
from neural_trader.strategies.parameters import read_whole


class _Cross(SideRule):
    """Long while the fast average is above the slow one, and short while below, if wanted."""

    average: ClassVar[type[SMA] | type[EMA]]

    def __init__(
        self,
        fast: int = 20,
        slow: int = 50,
        *,
        short: bool = False,
        size: float | str | Size = "10%",
        symbols: Sequence[str] | str = (),
    ) -> None:
        super().__init__(size, symbols)
        self.fast = read_whole("fast", fast, at_least=1)
        self.slow = read_whole("slow", slow, at_least=2)
        self.short = read_flag("short", short)
        if self.fast >= self.slow:
            message = f"fast is {fast!r} and slow is {slow!r}; expected fast < slow"
            raise ConfigError(message)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Make two averages a symbol."""
        self._averages: dict[str, tuple[SMA | EMA, SMA | EMA]] = {}
        super().begin(ctx, symbols)

    def watch(self, ctx: Context, symbol: str) -> None:
        """Have both averages fed."""
        pair = self.average(self.fast), self.average(self.slow)
        self._averages[symbol] = pair
        for average in pair:
            ctx.track(average, symbol)

    def side(self, ctx: Context, symbol: str, held: float) -> float:  # noqa: ARG002 - not of a cross
        """Return the side that the averages are on."""
        fast, slow = self._averages[symbol]
        if fast.value > slow.value:
            return 1.0
        below = slow.value > fast.value
        return -1.0 if self.short and below else 0.0


class SmaCross(_Cross):
    """Long while the fast simple average is above the slow one, in any number of symbols.

    Parameters
    ----------
    fast, slow : int
        Closes in each average; fast < slow.
    short : bool
        Be short while the fast one is below, instead of flat.
    size : float, str or Size
        Of each position; see ``read_size``. 10% of equity by default.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default.

    Notes
    -----
    Timing: reads closes up to bar t, first decides at bar slow - 1 and fills at bar t + 1. It is a
    state, not a crossing, as ``nt.SmaCross``, which is this for one symbol in compiled code.

    References
    ----------
    Brock, Lakonishok and LeBaron (1992), "Simple Technical Trading Rules", Journal of Finance 47.
    """

    average = SMA


class EmaCross(_Cross):
    """Long while the fast exponential average is above the slow one, in any number of symbols.

    Parameters
    ----------
    fast, slow, short, size, symbols
        As :class:`SmaCross`; an average of n has the weight 2 / (n + 1) and begins with the simple
        one of its first n closes.

    Notes
    -----
    Timing: reads closes up to bar t, first decides at bar slow - 1 and fills at bar t + 1.

    References
    ----------
    Appel (2005), Technical Analysis, chapter 6 (the crossing of zero by MACD).
    """

    average = EMA
