"""Periods: how many make a year, and where sessions end."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.sessions import DAY_NS

Stamps = NDArray[np.int64]

YEAR_NS: Final = 365.25 * DAY_NS
PERIODS: Final = (252, 365, 52, 12, 4, 1)
"""What the number of periods a year is snapped to."""


def compute_periods_per_year(ts_close_ns: Stamps) -> int:
    """Return how many bars stand for a year: the nearest of 252, 365, 52, 12, 4 and 1, by ratio.

    Parameters
    ----------
    ts_close_ns : int64 array, shape (T,)
        Closes, at least two, one a session or rarer.
    """
    years = float(ts_close_ns[-1] - ts_close_ns[0]) / YEAR_NS
    observed = (len(ts_close_ns) - 1) / years
    return min(PERIODS, key=lambda periods: abs(math.log(observed / periods)))


def last_of_sessions(ts_close_ns: Stamps) -> NDArray[np.intp]:
    """Return the index of the last bar of every UTC day."""
    days = ts_close_ns // DAY_NS
    return np.flatnonzero(np.append(days[1:] != days[:-1], True))
