"""The returns that risk is estimated from: of the symbols held, up to the as-of date."""

import datetime as dt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import Bars, ConfigError, DataError
from neural_trader.core.sessions import last_ns, session_date, session_day
from neural_trader.portfolio import compute_periods_per_year

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

NOISE = 1e-13
"""Returns that differ by less than this are equal: a return is exact to a few units of 1e-16."""


class History(NamedTuple):
    """Closes of some symbols on their common bars, up to the as-of date.

    Attributes
    ----------
    symbols : tuple of str, length N
    ts_close_ns : int64 array, shape (T + 1,)
    closes : float64 array, shape (T + 1, N)
        The last row holds the as-of prices.
    returns : float64 array, shape (T, N)
        Simple, from close to close.
    periods_per_year : int
        Snapped to 252, 365, 52, 12, 4 or 1.
    bars : Bars
        Where they come from: all symbols that were loaded, to the end.
    """

    symbols: tuple[str, ...]
    ts_close_ns: Stamps
    closes: Floats
    returns: Floats
    periods_per_year: int
    bars: Bars

    @property
    def as_of(self) -> dt.date:
        """The session of the as-of prices."""
        return session_date(int(self.ts_close_ns[-1]))

    @property
    def still(self) -> tuple[str, ...]:
        """Symbols whose price did not move in the window."""
        moves = np.ptp(self.returns, axis=0)
        return tuple(
            name for name, move in zip(self.symbols, moves.tolist(), strict=True) if move <= NOISE
        )


def read_history(
    bars: Bars,
    symbols: tuple[str, ...],
    *,
    as_of: str | dt.date | None = None,
    window: int | None = None,
) -> History:
    """Return the closes and returns that a figure may use.

    Parameters
    ----------
    bars : Bars
    symbols : tuple of str
    as_of : str or date, optional
        The last session that counts; where it is none, the one before it. None is the last.
    window : int, optional
        So many returns, the last ones; None is all.

    Raises
    ------
    ConfigError
        ``as_of`` is no date, or ``window`` is below 2.
    DataError
        A symbol has no prices, the symbols have no bar in common, the as-of date lies outside the
        data, or there are fewer returns than the window.

    Timing
    ------
    Nothing after the close of the as-of date is used.

    Missing
    -------
    Days on which one of the symbols has no bar are left out; the return spans them.
    """
    if window is not None and (isinstance(window, bool) or window < 2):
        message = f"window is {window}; expected a number of returns, 2 or more"
        raise ConfigError(message)
    block, rows = bars.common(symbols)
    stamps = block.ts_close_ns
    stop = len(stamps) if as_of is None else _stop(stamps, as_of, bars.name)
    first = 0 if window is None else stop - window - 1
    if first < 0 or stop - first < 3:
        message = (
            f"{bars.name} has {max(stop - 1, 0):,} returns of {', '.join(symbols)} up to "
            f"{session_date(int(stamps[stop - 1]))}; expected {window or 2:,} or more. Take a "
            "shorter window, a later as-of date, or more data"
        )
        raise DataError(message)
    closes = np.ascontiguousarray(block.fields["close"][list(rows), first:stop].T)
    if not np.isfinite(closes).all() or (closes <= 0.0).any():
        row, column = np.argwhere(~(np.isfinite(closes) & (closes > 0.0)))[0].tolist()
        message = (
            f"{symbols[column]} closes at {closes[row, column]} on "
            f"{session_date(int(stamps[first + row]))}; expected a price above 0. Mend the data"
        )
        raise DataError(message)
    kept = stamps[first:stop]
    returns = closes[1:] / closes[:-1] - 1.0
    return History(symbols, kept, closes, returns, compute_periods_per_year(kept), bars)


def compound(returns: Floats, horizon: int) -> Floats:
    """Return the simple returns over every ``horizon`` periods in a row, overlapping.

    Parameters
    ----------
    returns : float64 array, shape (T, N)
    horizon : int
        From 1 to T.

    Returns
    -------
    float64 array, shape (T - horizon + 1, N)
    """
    if horizon == 1:
        return returns
    if horizon > len(returns):
        message = (
            f"{len(returns):,} returns hold no {horizon} in a row; take a shorter horizon, or more "
            "data"
        )
        raise DataError(message)
    growth = 1.0 + returns
    count = len(returns) - horizon + 1
    product = growth[:count].copy()
    for step in range(1, horizon):
        product *= growth[step : step + count]
    return product - 1.0


def _stop(stamps: Stamps, as_of: str | dt.date, name: str) -> int:
    """Return the bar after the last one that an as-of date lets count."""
    day = session_day(as_of, option="as_of")
    first, last = session_date(int(stamps[0])), session_date(int(stamps[-1]))
    stop = int(np.searchsorted(stamps, last_ns(day), side="right"))
    if stop == 0 or session_day(last, option="as_of") < day:
        message = (
            f"as-of date {as_of} lies outside the common bars of {name}, which reach from {first} "
            f"to {last}. Choose a date in between"
        )
        raise DataError(message)
    return stop
