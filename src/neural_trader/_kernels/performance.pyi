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
    years: NDArray[np.float64],
    terms: NDArray[np.float64],
    parts: int,
    scratch: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write every metric of every series of returns.

    Parameters
    ----------
    returns : float64, shape (T, S)
        Simple returns, a column a series; finite within their spans.
    spans : int64, shape (2, S)
        Of each series: its first return, and the one after its last.
    years : float64, shape (S,)
        Elapsed time of each span.
    terms : float64, shape (TERMS,)
        Periods a year, risk-free rate of a year and of a period, acceptable return of a period,
        confidence.
    parts : int
        Which families of metrics are wanted beside those that come for nothing, as a sum of: 1 for
        value at risk, expected shortfall and tail ratio; 2 for average drawdown, Burke, duration
        and recovery; 4 for conditional drawdown; 8 for autocorrelation, Lo, PSR and track record.
    scratch : float64, at least SCRATCH_LANES * T + SCRATCH_MORE
        Overwritten.
    out : float64, shape (S * COLUMNS,)
        Overwritten, in the order of ``portfolio.reference.NAMES``; NaN where undefined, where not
        asked for, or where a benchmark is needed.

    Raises
    ------
    ValueError
        A shape or span does not fit.
    """
