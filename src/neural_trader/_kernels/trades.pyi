from typing import Final

import numpy as np
from numpy.typing import NDArray

BY_TIME: Final[int]
BY_TICK: Final[int]
BY_VOLUME: Final[int]
BY_MONEY: Final[int]
OUT_ROWS: Final[int]

def count_bars(
    kind: int,
    limit: float,
    codes: NDArray[np.int64],
    price: NDArray[np.float64],
    size: NDArray[np.float64],
    last: NDArray[np.int64],
    out: NDArray[np.float64],
) -> int:
    """Return how many bars of n trades are complete; last (0,) and out (5, 0) are not written."""

def build_bars(
    kind: int,
    limit: float,
    codes: NDArray[np.int64],
    price: NDArray[np.float64],
    size: NDArray[np.float64],
    last: NDArray[np.int64],
    out: NDArray[np.float64],
) -> int:
    """Write bars into last (m,) and out (5, m), an open one behind the k complete ones.

    codes (n,) by time, else of any length; price, size (n,); m is k + 1 at least. Returns k.
    """
