"""Returns by calendar month and year."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError
from neural_trader.core.sessions import session_date
from neural_trader.portfolio.periods import last_of_sessions
from neural_trader.portfolio.series import span_of


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
    ends = last_of_sessions(ts_close_ns)
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


def calendar_of_returns(
    returns: NDArray[np.float64], ts_close_ns: NDArray[np.int64]
) -> list[YearOfReturns]:
    """Compute the compound return of every month and year (UTC) from returns.

    Parameters
    ----------
    returns : float64 array, shape (T,)
        Simple returns; NaN before the first and after the last.
    ts_close_ns : int64 array, shape (T,)
        Ends of their periods: a return belongs to the month in which its period ends.

    Raises
    ------
    ConfigError
        There are several series, or not one time a return.
    DataError
        A return is infinite, or missing between others.

    Missing
    -------
    NaN for a month in which no period ends, and once all is lost; no return, no year.
    """
    column = np.asarray(returns, np.float64)
    first, stop = span_of(column)
    if np.shape(ts_close_ns) != column.shape:
        message = f"ts_close_ns has shape {np.shape(ts_close_ns)}; expected {column.shape}"
        raise ConfigError(message)
    if first == stop:
        return []
    wealth: NDArray[np.float64] = np.multiply.accumulate(1.0 + column[first:stop])
    return compute_calendar_returns(wealth, ts_close_ns[first:stop], capital=1.0)
