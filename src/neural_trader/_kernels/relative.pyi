from typing import Final

import numpy as np
from numpy.typing import NDArray

TERMS: Final[int]
COLUMNS: Final[int]

def measure(
    returns: NDArray[np.float64],
    spans: NDArray[np.int64],
    benchmark: NDArray[np.float64],
    terms: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write every metric of every series that needs a benchmark.

    Parameters
    ----------
    returns, spans, terms
        As ``performance.measure`` took them.
    benchmark : float64, shape (T,)
        Finite within all spans.
    out : float64, shape (S * COLUMNS,)
        As ``performance.measure`` left it; completed.

    Raises
    ------
    ValueError
        A shape or span does not fit.
    """
