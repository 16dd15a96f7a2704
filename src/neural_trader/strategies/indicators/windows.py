"""Statistics of the last values: means, deviations, lines and extremes."""

from typing import ClassVar, NamedTuple

import numpy as np

from neural_trader._kernels import indicators
from neural_trader.core import ConfigError
from neural_trader.core.bars import Floats
from neural_trader.core.numbers import plain_number
from neural_trader.strategies.indicators.columns import empty_columns, read_columns, read_window
from neural_trader.strategies.parameters import read_whole


class Bands(NamedTuple):
    """Middle, upper and lower band at every bar, each of shape (T,)."""

    middle: Floats
    upper: Floats
    lower: Floats


class Lines(NamedTuple):
    """Slope, intercept, spread (y - slope x) and residual (spread - intercept) at every bar."""

    slope: Floats
    intercept: Floats
    spread: Floats
    residual: Floats


class SMA(indicators.Mean):
    """Simple moving average of the last ``window`` values, the current one included.

    Parameters
    ----------
    window : int
        1 or more.

    Notes
    -----
    First defined at the ``window``-th value; computed as ``docs/semantics.md`` says of window sums.
    TA-Lib: SMA.

    Examples
    --------
    >>> SMA(2).batch([1.0, 3.0, 5.0])
    array([nan,  2.,  4.])
    """

    inputs: ClassVar[tuple[str, ...]] = ("close",)
    outputs: ClassVar[tuple[str, ...]] = ("value",)

    def __init__(self, window: int) -> None:
        self.window = read_window(window)
        super().__init__(self.window, np.empty((3, self.window)))

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window - 1

    def batch(self, values: object) -> Floats:
        """Return the average at every bar, shape (T,)."""
        (column,) = read_columns(self, self.inputs, values)
        out = empty_columns(1, len(column))
        indicators.Mean(self.window, np.empty((3, self.window))).run(column, out)
        return out.reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"SMA({self.window})"


class _Deviation(indicators.Deviation):
    """What the three indicators made of a mean and a deviation share."""

    inputs: ClassVar[tuple[str, ...]] = ("close",)
    _form: ClassVar[int]

    def __init__(self, window: int, ddof: int, width: float) -> None:
        self.window = read_window(window, at_least=ddof + 1)
        self.ddof = ddof
        self._shape = (ddof, width, self._form)
        super().__init__(self.window, np.empty((3, self.window)), *self._shape)

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window - 1

    def _run(self, values: object, rows: int) -> Floats:
        (column,) = read_columns(self, self.inputs, values)
        out = empty_columns(rows, len(column))
        fresh = indicators.Deviation(self.window, np.empty((3, self.window)), *self._shape)
        fresh.run(column, out)
        return out


class Std(_Deviation):
    """Standard deviation of the last ``window`` values.

    Parameters
    ----------
    window : int
        More than ``ddof``.
    ddof : int
        1 (the default) for the deviation of a sample, 0 for that of the values themselves.

    Notes
    -----
    Exactly 0 where nothing moves. TA-Lib: STDDEV, with ddof 0.

    Examples
    --------
    >>> Std(2).batch([1.0, 3.0, 3.0])
    array([       nan, 1.41421356, 0.        ])
    """

    outputs: ClassVar[tuple[str, ...]] = ("value",)
    _form = 0

    def __init__(self, window: int, ddof: int = 1) -> None:
        super().__init__(window, read_whole("ddof", ddof, at_least=0), 0.0)

    def batch(self, values: object) -> Floats:
        """Return the deviation at every bar, shape (T,)."""
        return self._run(values, 1).reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"Std({self.window}, ddof={self.ddof})"


class ZScore(_Deviation):
    """How many standard deviations (ddof 1) a value lies above the mean of the last ``window``.

    Parameters
    ----------
    window : int
        2 or more, the current value among them.

    Notes
    -----
    NaN where nothing moves. TA-Lib: none.

    Examples
    --------
    >>> ZScore(3).batch([1.0, 2.0, 3.0, 3.0])
    array([       nan,        nan, 1.        , 0.57735027])
    """

    outputs: ClassVar[tuple[str, ...]] = ("value",)
    _form = 1

    def __init__(self, window: int) -> None:
        super().__init__(window, 1, 0.0)

    def batch(self, values: object) -> Floats:
        """Return the z-score at every bar, shape (T,)."""
        return self._run(values, 1).reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"ZScore({self.window})"


class Bollinger(_Deviation):
    """Bands of ``width`` standard deviations (ddof 0) around the simple moving average.

    Parameters
    ----------
    window : int
        Values, 1 or more; 20 by default.
    width : float
        Deviations, 0 or more; 2 by default.

    Notes
    -----
    TA-Lib: BBANDS.

    References
    ----------
    Bollinger (2001), Bollinger on Bollinger Bands, chapter 7.

    Examples
    --------
    >>> Bollinger(2, 1.0).batch([1.0, 3.0]).upper
    array([nan,  3.])
    """

    outputs: ClassVar[tuple[str, ...]] = ("middle", "upper", "lower")
    _form = 2

    def __init__(self, window: int = 20, width: float = 2.0) -> None:
        self.width = plain_number(width)
        if not 0.0 <= self.width < np.inf:
            message = f"width is {width!r}; expected deviations, 0 or more"
            raise ConfigError(message)
        super().__init__(window, 0, self.width)

    def batch(self, values: object) -> Bands:
        """Return middle, upper and lower band at every bar, each of shape (T,)."""
        return Bands(*self._run(values, 3))

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"Bollinger({self.window}, {self.width:g})"


class _Line(indicators.Line):
    """What the regression and the correlation share."""

    inputs: ClassVar[tuple[str, ...]] = ("close", "close")
    _form: ClassVar[int]

    def __init__(self, window: int) -> None:
        self.window = read_window(window, at_least=2)
        super().__init__(self.window, self._scratch(), self._form)

    def _scratch(self) -> Floats:
        return np.empty((8, max(self.window, 5)))

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window - 1

    def _run(self, y: object, x: object, rows: int) -> Floats:
        columns = read_columns(self, ("y", "x"), y, x)
        out = empty_columns(rows, len(columns[0]))
        fresh = indicators.Line(self.window, self._scratch(), self._form)
        fresh.run(columns[0], columns[1], out)
        return out


class OLS(_Line):
    """Least squares of y on x, with intercept, over the last ``window`` values of each.

    Parameters
    ----------
    window : int
        2 or more.

    Notes
    -----
    ``value`` is ``slope``; ``spread`` is y - slope x, ``residual`` is spread - intercept. NaN where
    y or x does not move. The hedge ratio and spread of ``nt.Pairs``, to the bit. TA-Lib: BETA is
    the slope of returns, and LINEARREG_SLOPE that on time.

    Examples
    --------
    >>> OLS(2).batch([1.0, 3.0], [1.0, 2.0]).slope
    array([nan,  2.])
    """

    outputs: ClassVar[tuple[str, ...]] = ("slope", "intercept", "spread", "residual")
    _form = 0

    def batch(self, y: object, x: object) -> Lines:
        """Return slope, intercept, spread and residual at every bar, each of shape (T,)."""
        return Lines(*self._run(y, x, 4))

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"OLS({self.window})"


class Correlation(_Line):
    """Pearson's correlation of y and x over the last ``window`` values of each.

    Parameters
    ----------
    window : int
        2 or more.

    Notes
    -----
    NaN where y or x does not move. TA-Lib: CORREL, which says 0 there.

    Examples
    --------
    >>> Correlation(2).batch([1.0, 3.0], [1.0, 2.0])
    array([nan,  1.])
    """

    outputs: ClassVar[tuple[str, ...]] = ("value",)
    _form = 1

    def batch(self, y: object, x: object) -> Floats:
        """Return the correlation at every bar, shape (T,)."""
        return self._run(y, x, 1).reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"Correlation({self.window})"


class Donchian(indicators.Range):
    """Channel of the highest high and the lowest low of the last ``window`` bars.

    Parameters
    ----------
    window : int
        Bars, 1 or more, the current one included; 20 by default. A breakout compares a close with
        the channel of the bar before.

    Notes
    -----
    ``value`` is ``middle``, half way between. TA-Lib: MAX of highs, MIN of lows.

    References
    ----------
    Donchian (1960), "High Finance in Copper", Financial Analysts Journal 16(6).

    Examples
    --------
    >>> Donchian(2).batch([3.0, 5.0], [1.0, 2.0]).upper
    array([nan,  5.])
    """

    inputs: ClassVar[tuple[str, ...]] = ("high", "low")
    outputs: ClassVar[tuple[str, ...]] = ("middle", "upper", "lower")

    def __init__(self, window: int = 20) -> None:
        self.window = read_window(window)
        super().__init__(self.window, np.empty((4, self.window)), 0)

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window - 1

    def batch(self, high: object, low: object) -> Bands:
        """Return middle, upper and lower line at every bar, each of shape (T,)."""
        columns = read_columns(self, self.inputs, high, low)
        out = empty_columns(3, len(columns[0]))
        fresh = indicators.Range(self.window, np.empty((4, self.window)), 0)
        fresh.run(columns[0], columns[1], out)
        return Bands(*out)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"Donchian({self.window})"


class _Extreme(indicators.Extreme):
    """What the highest and the lowest share."""

    inputs: ClassVar[tuple[str, ...]] = ("close",)
    outputs: ClassVar[tuple[str, ...]] = ("value",)
    _form: ClassVar[int]

    def __init__(self, window: int) -> None:
        self.window = read_window(window)
        super().__init__(self.window, np.empty((4, self.window)), self._form)

    @property
    def warmup_bars(self) -> int:
        """Bars before the first defined one."""
        return self.window - 1

    def batch(self, values: object) -> Floats:
        """Return the extreme at every bar, shape (T,)."""
        (column,) = read_columns(self, self.inputs, values)
        out = empty_columns(1, len(column))
        fresh = indicators.Extreme(self.window, np.empty((4, self.window)), self._form)
        fresh.run(column, out)
        return out.reshape(-1)

    def __repr__(self) -> str:
        """Return the indicator with its parameters."""
        return f"{type(self).__name__}({self.window})"


class Max(_Extreme):
    """Highest of the last ``window`` values.

    Parameters
    ----------
    window : int
        1 or more.

    Notes
    -----
    TA-Lib: MAX.

    Examples
    --------
    >>> Max(2).batch([1.0, 3.0, 2.0])
    array([nan,  3.,  3.])
    """

    _form = 1


class Min(_Extreme):
    """Lowest of the last ``window`` values.

    Parameters
    ----------
    window : int
        1 or more.

    Notes
    -----
    TA-Lib: MIN.

    Examples
    --------
    >>> Min(2).batch([1.0, 3.0, 2.0])
    array([nan,  1.,  2.])
    """

    _form = 2
