"""Averages that carry on from bar to bar: exponential, Wilder's, and weighted by volume."""

from typing import ClassVar, NamedTuple

import numpy as np

from neural_trader._kernels import averages
from neural_trader.core import ConfigError
from neural_trader.core.bars import Floats
from neural_trader.strategies.indicators.columns import empty_columns, read_columns, read_window
from neural_trader.strategies.parameters import read_whole


class Convergence(NamedTuple):
    """MACD, its signal and their difference at every bar, each of shape (T,)."""

    value: Floats
    signal: Floats
    histogram: Floats


class EMA(averages.Average):
    """Exponential moving average with gain 2 / (window + 1), seeded with a simple one.

    Parameters
    ----------
    window : int
        1 or more.

    Notes
    -----
    First defined at the ``window``-th value, as the mean of those; then
    ``average += (value - average) x gain``. TA-Lib: EMA.

    Examples
    --------
    >>> EMA(3).batch([1.0, 2.0, 3.0, 6.0])
    array([nan, nan,  2.,  4.])
    """

    inputs: ClassVar[tuple[str, ...]] = ("close",)
    outputs: ClassVar[tuple[str, ...]] = ("value",)

    def __init__(self, window: int) -> None:
        self.window = read_window(window)
        super().__init__(self.window, False)

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window - 1

    def batch(self, values: object) -> Floats:
        """Return the average at every bar, shape (T,)."""
        (column,) = read_columns(self, self.inputs, values)
        out = empty_columns(1, len(column))
        averages.Average(self.window, False).run(column, out)
        return out.reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"EMA({self.window})"


class RSI(averages.Strength):
    """Relative strength index: 100 x average rise / (average rise + average fall), by Wilder.

    Parameters
    ----------
    window : int
        Changes in the averages, 1 or more; 14 by default.

    Notes
    -----
    First defined at the value ``window + 1``. Averages are seeded with the mean of the first
    ``window`` rises and falls, then ``average = (average x (window - 1) + new) / window``. 0 where
    nothing has changed. TA-Lib: RSI.

    References
    ----------
    Wilder (1978), New Concepts in Technical Trading Systems, section VI.

    Examples
    --------
    >>> RSI(2).batch([1.0, 2.0, 1.5, 2.5])
    array([        nan,         nan, 66.66666667, 85.71428571])
    """

    inputs: ClassVar[tuple[str, ...]] = ("close",)
    outputs: ClassVar[tuple[str, ...]] = ("value",)

    def __init__(self, window: int = 14) -> None:
        self.window = read_window(window)
        super().__init__(self.window)

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window

    def batch(self, values: object) -> Floats:
        """Return the index at every bar, shape (T,), from 0 to 100."""
        (column,) = read_columns(self, self.inputs, values)
        out = empty_columns(1, len(column))
        averages.Strength(self.window).run(column, out)
        return out.reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"RSI({self.window})"


class MACD(averages.Convergence):
    """A fast exponential average less a slow one; its signal is an average of that.

    Parameters
    ----------
    fast, slow, smooth : int
        Windows of the averages and of the signal; fast < slow. 12, 26 and 9 by default.

    Notes
    -----
    ``value`` is first defined at the ``slow``-th close, at which both averages are seeded with the
    mean of their last values; ``signal`` and ``histogram`` are at the ``slow + smooth - 1``-th.
    TA-Lib: MACD, which leaves ``value`` out until the signal is there.

    References
    ----------
    Appel (1979), The Moving Average Convergence-Divergence Method.

    Examples
    --------
    >>> MACD(1, 2, 1).batch([1.0, 2.0, 4.0]).value
    array([       nan, 0.5       , 0.83333333])
    """

    inputs: ClassVar[tuple[str, ...]] = ("close",)
    outputs: ClassVar[tuple[str, ...]] = ("value", "signal", "histogram")

    def __init__(self, fast: int = 12, slow: int = 26, smooth: int = 9) -> None:
        self.windows = (
            read_whole("fast", fast, at_least=1),
            read_whole("slow", slow, at_least=2),
            read_whole("smooth", smooth, at_least=1),
        )
        if self.windows[0] >= self.windows[1]:
            message = f"fast is {fast} and slow is {slow}; expected fast < slow"
            raise ConfigError(message)
        super().__init__(*self.windows)

    @property
    def warmup_bars(self) -> int:
        """Bars before the first one with every output."""
        return self.windows[1] + self.windows[2] - 2

    def batch(self, values: object) -> Convergence:
        """Return value, signal and histogram at every bar, each of shape (T,)."""
        (column,) = read_columns(self, self.inputs, values)
        out = empty_columns(3, len(column))
        averages.Convergence(*self.windows).run(column, out)
        return Convergence(*out)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return "MACD({}, {}, {})".format(*self.windows)


class ATR(averages.TrueRange):
    """Average true range, by Wilder.

    Parameters
    ----------
    window : int
        True ranges in the average, 1 or more; 14 by default.

    Notes
    -----
    The true range of a bar is the largest of high - low, high - close before and close before -
    low; the first bar has none. First defined at the bar ``window + 1``. TA-Lib: ATR.

    References
    ----------
    Wilder (1978), New Concepts in Technical Trading Systems, section III.

    Examples
    --------
    >>> ATR(1).batch([2.0, 5.0], [1.0, 4.0], [1.5, 4.5])
    array([nan, 3.5])
    """

    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close")
    outputs: ClassVar[tuple[str, ...]] = ("value",)

    def __init__(self, window: int = 14) -> None:
        self.window = read_window(window)
        super().__init__(self.window)

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window

    def batch(self, high: object, low: object, close: object) -> Floats:
        """Return the average at every bar, shape (T,), in the unit of the prices."""
        columns = read_columns(self, self.inputs, high, low, close)
        out = empty_columns(1, len(columns[0]))
        averages.TrueRange(self.window).run(columns[0], columns[1], columns[2], out)
        return out.reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"ATR({self.window})"


class VWAP(averages.VolumePrice):
    """Volume-weighted average of the typical price (high + low + close) / 3 over the last bars.

    Parameters
    ----------
    window : int
        Bars, 1 or more. For the average of a session, ``reset`` at its first bar and take a window
        longer than it.

    Notes
    -----
    First defined at the ``window``-th bar; NaN where none of its bars has volume. TA-Lib: none.

    Examples
    --------
    >>> VWAP(2).batch([3.0, 6.0], [3.0, 6.0], [3.0, 6.0], [1.0, 2.0])
    array([nan,  5.])
    """

    inputs: ClassVar[tuple[str, ...]] = ("high", "low", "close", "volume")
    outputs: ClassVar[tuple[str, ...]] = ("value",)

    def __init__(self, window: int) -> None:
        self.window = read_window(window)
        super().__init__(self.window, np.empty((4, self.window)))

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window - 1

    def batch(self, high: object, low: object, close: object, volume: object) -> Floats:
        """Return the average price at every bar, shape (T,)."""
        columns = read_columns(self, self.inputs, high, low, close, volume)
        out = empty_columns(1, len(columns[0]))
        fresh = averages.VolumePrice(self.window, np.empty((4, self.window)))
        fresh.run(columns[0], columns[1], columns[2], columns[3], out)
        return out.reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"VWAP({self.window})"
