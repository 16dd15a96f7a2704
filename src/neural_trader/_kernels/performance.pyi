from typing import Final

import numpy as np
from numpy.typing import NDArray

TERMS: Final[int]
COLUMNS: Final[int]

def measure(
    returns: NDArray[np.float64],
    spans: NDArray[np.int64],
    years: NDArray[np.float64],
    terms: NDArray[np.float64],
    scratch: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write every metric of every series of returns.

    Parameters
    ----------
    returns : float64, shape (S * T,), C-contiguous
        S series of T simple returns, one after the other; finite within their spans.
    spans : int64, shape (2, S)
        Of each series: its first return, and the one after its last.
    years : float64, shape (S,)
        Elapsed time of each span.
    terms : float64, shape (TERMS,)
        Periods a year, risk-free rate of a year and of a period, acceptable return of a period,
        confidence.
    scratch : float64, at least 3 T + 8
        Overwritten.
    out : float64, shape (S * COLUMNS,)
        Overwritten, in the order of ``portfolio.reference.NAMES``; NaN where undefined, or where a
        benchmark is needed.

    Raises
    ------
    ValueError
        A shape or span does not fit.
    """
