from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

_Floats: TypeAlias = NDArray[np.float64]

@disjoint_base
class Window:
    """Sum and sum of squares of the last ``size`` values; scratch (3, size)."""

    def __init__(self, size: int, scratch: _Floats) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    def reset(self) -> None:
        """Forget every value."""

class Mean(Window):
    """Simple moving average; out (1, n)."""

    def reset(self) -> None:
        """Forget every value."""
    def update(self, x: float) -> float:
        """Take one bar and return the main value."""
    def run(self, x: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

@disjoint_base
class Deviation(Window):
    """Deviation (form 0), z-score (1) or bands (2); out (1 or 3, n): middle, upper, lower."""

    def __init__(self, size: int, scratch: _Floats, ddof: int, width: float, form: int) -> None: ...
    @property
    def deviation(self) -> float:
        """The deviation."""
    @property
    def middle(self) -> float:
        """The middle band or line."""
    @property
    def upper(self) -> float:
        """The upper band or line."""
    @property
    def lower(self) -> float:
        """The lower band or line."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, x: float) -> float:
        """Take one bar and return the main value."""
    def run(self, x: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

@disjoint_base
class Line:
    """Least squares of y on x (form 0) or correlation (1); scratch (8, size or 5).

    Out (4, n): slope, intercept, spread, residual; or (1, n).
    """

    def __init__(self, size: int, scratch: _Floats, form: int) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    @property
    def slope(self) -> float:
        """The slope of y on x."""
    @property
    def intercept(self) -> float:
        """The intercept."""
    @property
    def spread(self) -> float:
        """Y - slope x."""
    @property
    def residual(self) -> float:
        """The spread less the intercept."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, y: float, x: float) -> float:
        """Take one bar and return the main value."""
    def run(self, y: _Floats, x: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

@disjoint_base
class Range:
    """Channel (form 0), highest (1) or lowest (2); scratch (4, size).

    Out (3, n): middle, upper, lower; or (1, n).
    """

    def __init__(self, size: int, scratch: _Floats, form: int) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    @property
    def upper(self) -> float:
        """The upper band or line."""
    @property
    def lower(self) -> float:
        """The lower band or line."""
    @property
    def middle(self) -> float:
        """The middle band or line."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, high: float, low: float) -> float:
        """Take one bar and return the main value."""
    def run(self, high: _Floats, low: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

class Extreme(Range):
    """The highest (form 1) or the lowest (2) of one column; out (1, n)."""

    def update(self, x: float) -> float:  # type: ignore[override]
        """Take one value and return the extreme."""
    def run(self, x: _Floats, out: _Floats) -> None:  # type: ignore[override]
        """Take a column (n,)."""
