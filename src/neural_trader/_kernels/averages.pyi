from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

_Floats: TypeAlias = NDArray[np.float64]

@disjoint_base
class Average:
    """Exponential or Wilder average, seeded with a mean; out (1, n)."""

    def __init__(self, size: int, is_wilder: bool) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, x: float) -> float:
        """Take one bar and return the main value."""
    def run(self, x: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

@disjoint_base
class Strength:
    """Relative strength index; out (1, n)."""

    def __init__(self, size: int) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, x: float) -> float:
        """Take one bar and return the main value."""
    def run(self, x: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

@disjoint_base
class Convergence:
    """MACD; out (3, n): value, signal, histogram."""

    def __init__(self, fast: int, slow: int, smooth: int) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    @property
    def signal(self) -> float:
        """The average of the value."""
    @property
    def histogram(self) -> float:
        """The value less its signal."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, x: float) -> float:
        """Take one bar and return the main value."""
    def run(self, x: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

@disjoint_base
class TrueRange:
    """Average true range; out (1, n)."""

    def __init__(self, size: int) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, high: float, low: float, close: float) -> float:
        """Take one bar and return the main value."""
    def run(self, high: _Floats, low: _Floats, close: _Floats, out: _Floats) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""

@disjoint_base
class VolumePrice:
    """Volume-weighted average price; scratch (4, size), out (1, n)."""

    def __init__(self, size: int, scratch: _Floats) -> None: ...
    @property
    def value(self) -> float:
        """The main value, NaN before it is defined."""
    def reset(self) -> None:
        """Forget every value."""
    def update(self, high: float, low: float, close: float, volume: float) -> float:
        """Take one bar and return the main value."""
    def run(
        self, high: _Floats, low: _Floats, close: _Floats, volume: _Floats, out: _Floats
    ) -> None:
        """Take columns (n,) and write the outputs (rows, n)."""
