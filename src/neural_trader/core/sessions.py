"""Session dates and time stamps: int64 nanoseconds UTC, stamped at the close of a bar.

A bar that carries only a date keeps it as its session date: its stamp is the last nanosecond of
that UTC day, so that ``session_date(stamp)`` gives the date back.
"""

import datetime as dt
from typing import TYPE_CHECKING

from neural_trader.core.errors import ConfigError

if TYPE_CHECKING:
    from neural_trader.core.bars import Ints, Stamps

DAY_NS = 86_400_000_000_000
_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()


def session_day(value: "str | dt.date", *, option: str) -> int:
    """Read a session date.

    Parameters
    ----------
    value : str or datetime.date
        ``YYYY-MM-DD`` or a date.
    option : str
        The name under which the user gave it, for the error message.

    Returns
    -------
    int
        Days since 1970-01-01.

    Raises
    ------
    ConfigError
        The value is not a date.
    """
    try:
        if isinstance(value, str):
            date = dt.date.fromisoformat(value)
        elif isinstance(value, dt.datetime):
            date = value.date()
        else:
            date = value
        return date.toordinal() - _EPOCH_ORDINAL
    except (ValueError, AttributeError):
        message = f"{option} is {value!r}; expected a session date as YYYY-MM-DD"
        raise ConfigError(message) from None


def first_ns(day: int) -> int:
    """Return the first nanosecond of a UTC day."""
    return day * DAY_NS


def last_ns(day: int) -> int:
    """Return the last nanosecond of a UTC day: the stamp of a bar that carries only a date."""
    return day * DAY_NS + DAY_NS - 1


def session_date(stamp_ns: int) -> dt.date:
    """Return the UTC date of a time stamp in nanoseconds."""
    return dt.date.fromordinal(int(stamp_ns) // DAY_NS + _EPOCH_ORDINAL)


def month_numbers(stamps_ns: "Stamps") -> "Ints":
    """Return the UTC calendar month of each time stamp, counted from 1970-01."""
    return stamps_ns.astype("datetime64[ns]").astype("datetime64[M]").astype("int64")
