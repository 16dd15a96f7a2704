"""Exchange calendars: holidays, half days and summer time, from ``exchange_calendars``.

The extra is ``calendars``; it is imported when somebody names a calendar.
"""

import datetime as dt
import warnings
from typing import Any, Final

from neural_trader.core import ConfigError, DataError

# Longer than any holiday.
_MARGIN: Final = dt.timedelta(days=20)


def exchange_calendar(name: str, first: dt.date, last: dt.date) -> Any:  # noqa: ANN401 - a calendar of an untyped library
    """Return the calendar of an exchange, with some days around a range.

    Parameters
    ----------
    name : str
        The market identifier code, such as ``XNYS``; ``24/7`` for crypto.
    first, last : datetime.date
        The range, inclusive.

    Raises
    ------
    ConfigError
        There is no such calendar, or the extra is not installed.
    DataError
        The calendar does not reach as far.
    """
    try:
        import exchange_calendars
    except ImportError:
        message = (
            "calendars need exchange_calendars, which is not installed. Install it with: "
            "pip install 'neural-trader[calendars]'"
        )
        raise ConfigError(message) from None
    names = exchange_calendars.get_calendar_names()
    if name not in names:
        message = (
            f"calendar is {name!r}; expected the market identifier code of an exchange, such as "
            "XNYS, XLON or XTKS, or 24/7 for crypto"
        )
        raise ConfigError(message)
    try:
        # The library wants more than a day, and who asks wants a session at both ends.
        margin = _MARGIN
        with warnings.catch_warnings():
            # The library calls parts of pandas that will change.
            warnings.simplefilter("ignore")
            return exchange_calendars.get_calendar(name, start=first - margin, end=last + margin)
    except (ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        message = f"the calendar {name} does not reach from {first} to {last}: {reason}"
        raise DataError(message) from None


def session_hours(calendar: str, first: dt.date, last: dt.date) -> tuple[list[int], list[int]]:
    """Return opens and closes of the sessions of a range, nanoseconds UTC.

    Raises
    ------
    ConfigError, DataError
        As :func:`exchange_calendar`.
    """
    book = exchange_calendar(calendar, first, last)
    days = book.schedule.loc[str(first) : str(last)]
    opens, closes = (
        days[name].dt.as_unit("ns").astype("int64").to_list() for name in ("open", "close")
    )
    return opens, closes


def check_calendar(calendar: str) -> None:
    """Raise ConfigError where there is no such calendar, or the extra is not installed."""
    today = dt.date(2024, 1, 2)
    exchange_calendar(calendar, today, today)
