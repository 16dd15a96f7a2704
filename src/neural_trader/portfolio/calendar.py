"""Returns by calendar month and year."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.sessions import DAY_NS, session_date


class YearOfReturns(NamedTuple):
    """The return of each month of a year, NaN where there is no bar, and of the year."""

    year: int
    months: list[float]
    total: float


def compute_calendar_returns(
    equity: NDArray[np.float64], ts_close_ns: NDArray[np.int64], *, capital: float
) -> list[YearOfReturns]:
    """Compute simple returns from month end to month end (UTC), and from year end to year end.

    Parameters
    ----------
    equity : float64 array, shape (T,)
        Value at every close.
    ts_close_ns : int64 array, shape (T,)
        Those closes.
    capital : float
        Value before the first bar: what the first month and the first year start from.
    """
    days = ts_close_ns // DAY_NS
    ends = np.flatnonzero(np.append(days[1:] != days[:-1], True))
    last_of_month: dict[tuple[int, int], float] = {}
    for index in ends.tolist():
        date = session_date(int(ts_close_ns[index]))
        last_of_month[date.year, date.month] = float(equity[index])
    table: dict[int, YearOfReturns] = {}
    before, before_year = capital, capital
    for (year, month), value in last_of_month.items():
        if year not in table:
            before_year = before
        row = table.get(year, YearOfReturns(year, [math.nan] * 12, math.nan))
        row.months[month - 1] = value / before - 1.0 if before > 0.0 else math.nan
        total = value / before_year - 1.0 if before_year > 0.0 else math.nan
        table[year] = row._replace(total=total)
        before = value
    return list(table.values())
