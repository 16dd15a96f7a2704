"""Mean reversion in single symbols: Bollinger bands and the relative strength index."""

from collections.abc import Sequence

from neural_trader.core import ConfigError
from neural_trader.strategies.context import Context
from neural_trader.strategies.indicators import RSI, Bollinger
from neural_trader.strategies.library.rule import SideRule, read_flag
from neural_trader.strategies.library.size import Size
from neural_trader.strategies.parameters import read_finite, read_whole


class BollingerReversion(SideRule):
    """Buy below the lower band, and leave when the price is back at the average.

    Parameters
    ----------
    window : int
        Closes in the average and the deviation; 20 by default.
    width : float
        Deviations between the average and a band, above 0; 2 by default.
    short : bool
        Also sell short above the upper band.
    size : float, str or Size
        Of each position; see ``read_size``. 10% of equity by default.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default.

    Notes
    -----
    Timing: reads closes up to bar t, first decides at bar window - 1 and fills at bar t + 1. A
    close on a band is not beyond it; a close at the average is back.

    References
    ----------
    Bollinger (2001), Bollinger on Bollinger Bands; the deviation is that of the population.
    """

    def __init__(
        self,
        window: int = 20,
        width: float = 2.0,
        *,
        short: bool = False,
        size: float | str | Size = "10%",
        symbols: Sequence[str] | str = (),
    ) -> None:
        super().__init__(size, symbols)
        self.window = read_whole("window", window, at_least=2)
        self.width = read_finite("width", width)
        self.short = read_flag("short", short)
        if self.width <= 0.0:
            message = f"width is {width!r}; expected a number of deviations above 0"
            raise ConfigError(message)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Make bands for every symbol."""
        self._bands: dict[str, Bollinger] = {}
        super().begin(ctx, symbols)

    def watch(self, ctx: Context, symbol: str) -> None:
        """Have the bands fed."""
        self._bands[symbol] = Bollinger(self.window, self.width)
        ctx.track(self._bands[symbol], symbol)

    def side(self, ctx: Context, symbol: str, held: float) -> float:
        """Return the side that the close asks for."""
        bands, close = self._bands[symbol], ctx.close(symbol)
        if close < bands.lower:
            return 1.0
        if self.short and close > bands.upper:
            return -1.0
        is_back = held * (close - bands.middle) >= 0.0
        return 0.0 if held != 0.0 and is_back else held


class RsiReversion(SideRule):
    """Buy what was sold off, and leave when the relative strength index is back in the middle.

    Parameters
    ----------
    window : int
        Changes in the index; 14 by default.
    low, high : float
        Buy at an index of ``low`` or less; with ``short``, sell at ``high`` or more;
        0 <= low < middle < high <= 100.
    middle : float
        Leave a long position at this or more, a short one at this or less.
    short : bool
        Also sell short.
    size : float, str or Size
        Of each position; see ``read_size``. 10% of equity by default.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default.

    Notes
    -----
    Timing: reads closes up to bar t, first decides at bar window and fills at bar t + 1.

    References
    ----------
    Wilder (1978), New Concepts in Technical Trading Systems, section VI.
    """

    def __init__(
        self,
        window: int = 14,
        low: float = 30.0,
        high: float = 70.0,
        middle: float = 50.0,
        *,
        short: bool = False,
        size: float | str | Size = "10%",
        symbols: Sequence[str] | str = (),
    ) -> None:
        super().__init__(size, symbols)
        self.window = read_whole("window", window, at_least=1)
        self.low, self.high = read_finite("low", low), read_finite("high", high)
        self.middle = read_finite("middle", middle)
        self.short = read_flag("short", short)
        if not 0.0 <= self.low < self.middle < self.high <= 100.0:
            message = (
                f"low, middle and high are {low!r}, {middle!r} and {high!r}; expected them to rise "
                "from 0 to 100"
            )
            raise ConfigError(message)

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Make an index for every symbol."""
        self._index: dict[str, RSI] = {}
        super().begin(ctx, symbols)

    def watch(self, ctx: Context, symbol: str) -> None:
        """Have the index fed."""
        self._index[symbol] = RSI(self.window)
        ctx.track(self._index[symbol], symbol)

    def side(self, ctx: Context, symbol: str, held: float) -> float:  # noqa: ARG002 - the index says it
        """Return the side that the index asks for."""
        index = self._index[symbol].value
        if index <= self.low:
            return 1.0
        if self.short and index >= self.high:
            return -1.0
        is_back = held * (index - self.middle) >= 0.0
        return 0.0 if held != 0.0 and is_back else held
