from typing import Final

import numpy as np
from numpy.typing import NDArray

TERMS: Final[int]
COLUMNS: Final[int]
SCRATCH_LANES: Final[int]
SCRATCH_MORE: Final[int]

def measure(
    returns: NDArray[np.float64],
    spans: NDArray[np.int64],
    benchmark: NDArray[np.float64],
    terms: NDArray[np.float64],
    parts: int,
    scratch: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write every metric of every series that needs a benchmark.

    Parameters
    ----------
    returns, spans, terms
        As ``performance.measure`` took them.
    benchmark : float64, shape (T,)
        Finite within all spans.
    parts : int
        With 16 in it, up and down capture too.
    scratch : float64, at least SCRATCH_LANES * T + SCRATCH_MORE
        Overwritten.
    out : float64, shape (S * COLUMNS,)
        As ``performance.measure`` left it; completed.

    Raises
    ------
    ValueError
        A shape or span does not fit.
    """
