"""The clock that bars are anchored to: sessions, each with its open and its close.

They come from the calendar of an exchange, or from an open, a close and a time zone; with neither,
every UTC day is a session. An interval is (open, close]: what closes with the session belongs to
it, what closes with its open lies before it.
"""

import datetime as dt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError
from neural_trader.core.bars import Ints, Stamps
from neural_trader.core.sessions import DAY_NS, session_date
from neural_trader.data.aggregation.lengths import Length
from neural_trader.data.calendars import exchange_calendar

# Sessions over midnight begin on the day before, and time zones are up to 14 hours from UTC.
_MARGIN_DAYS: Final = 2
_DAY: Final = dt.timedelta(days=1)


class Sessions(NamedTuple):
    """Sessions in order, each array of shape (n,).

    ``days`` are their dates as days since 1970, ``opens`` and ``closes`` nanoseconds UTC.
    ``is_complete`` says that there are no others: holidays are known.
    """

    days: Ints
    opens: Stamps
    closes: Stamps
    is_complete: bool

    def homes(self, stamps: Stamps, *, dated: bool, at_open: bool = False) -> NDArray[np.intp]:
        """Return the session of each close, -1 where it lies in none.

        ``dated`` closes carry a date alone. ``at_open`` counts what happens at the very open of a
        session, and in no session before it, as its first: the trades of an opening auction.
        """
        if dated:
            at = np.searchsorted(self.days, stamps // DAY_NS)
            near = np.minimum(at, len(self.days) - 1)
            return np.where(self.days[near] == stamps // DAY_NS, near, -1)
        at = np.searchsorted(self.opens, stamps, "left") - 1
        found = np.where((at >= 0) & (stamps <= self.closes[np.maximum(at, 0)]), at, -1)
        if at_open:
            following = np.minimum(at + 1, len(self.opens) - 1)
            found = np.where((found < 0) & (self.opens[following] == stamps), following, found)
        return found


class Bins(NamedTuple):
    """Where bars go: the bin of each, rising, and when each of the n bins begins and ends.

    ``codes`` is of shape (T,), ``ends`` of shape (n,); ``begins`` is the begin of the bin of each
    bar, shape (T,), on the clock alone.
    """

    codes: Ints
    ends: Stamps
    begins: Stamps


def read_sessions(
    first: int, last: int, calendar: str | None, session: tuple[object, object, str] | None
) -> Sessions:
    """Return the sessions around a range of closes.

    Parameters
    ----------
    first, last : int
        The first and the last close, nanoseconds UTC.
    calendar : str or None
        The market identifier code of an exchange, such as ``XNYS``; ``24/7``.
    session : tuple of (open, close, time zone) or None
        Times of day as ``"09:30"`` or ``datetime.time``, and the name of a zone. A close that is
        not after the open is that of the next day.

    Raises
    ------
    ConfigError
        Both are given, or one cannot be used.
    DataError
        The calendar does not reach as far.

    Notes
    -----
    A session's date is that of its last moment, in its time zone. Daylight saving time moves open
    and close; bars within the session are counted in elapsed time from its open.
    """
    if calendar is not None and session is not None:
        message = "calendar and session are both given; expected one of them"
        raise ConfigError(message)
    if calendar is not None:
        return _of_calendar(first, last, calendar)
    if session is not None:
        return _of_times(first, last, session)
    days = np.arange(first // DAY_NS - 1, last // DAY_NS + 1, dtype=np.int64)
    return Sessions(days, days * DAY_NS, (days + 1) * DAY_NS, is_complete=False)


def _of_calendar(first: int, last: int, calendar: str) -> Sessions:
    book = exchange_calendar(calendar, session_date(first), session_date(last))
    frame = book.schedule
    opens, closes = (
        frame[name].dt.as_unit("ns").astype("int64").to_numpy().astype(np.int64)
        for name in ("open", "close")
    )
    days = frame.index.values.astype("datetime64[D]").astype(np.int64)
    return Sessions(days, opens, closes, is_complete=True)


def _of_times(first: int, last: int, session: tuple[object, object, str]) -> Sessions:
    import zoneinfo

    try:
        begin, end, zone_name = session
        opens_at, closes_at = _time(begin), _time(end)
        zone = zoneinfo.ZoneInfo(zone_name)
    except (TypeError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        message = (
            f"session is {session!r}; expected (open, close, time zone), such as "
            "('09:30', '16:00', 'America/New_York')"
        )
        raise ConfigError(message) from None
    rows = []
    day = session_date(first) - _MARGIN_DAYS * _DAY
    while day <= session_date(last) + _MARGIN_DAYS * _DAY:
        following = day + _DAY if closes_at <= opens_at else day
        opened = dt.datetime.combine(day, opens_at, zone)
        closed = dt.datetime.combine(following, closes_at, zone)
        # A session that ends at midnight is that of the day which ends then.
        own = day if closes_at == dt.time() else following
        rows.append((own.toordinal() - _EPOCH, _ns(opened), _ns(closed)))
        day += _DAY
    days, opens, closes = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return Sessions(days, opens, closes, is_complete=False)


_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_START: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _ns(moment: dt.datetime) -> int:
    return (moment - _START) // dt.timedelta(microseconds=1) * 1000


def _time(value: object) -> dt.time:
    if isinstance(value, dt.time):
        if value.tzinfo is not None:
            raise ValueError
        return value
    if not isinstance(value, str):
        raise TypeError
    return dt.time.fromisoformat("00:00" if value == "24:00" else value)


def bins(
    stamps: Stamps, homes: NDArray[np.intp], sessions: Sessions, to: Length, *, dated: bool
) -> Bins:
    """Return the bin of each bar; a bin never crosses a session, unless it is made of whole ones.

    Parameters
    ----------
    stamps : int64 array, shape (T,)
        Closes within sessions, rising.
    homes : int array, shape (T,)
        The session of each.
    sessions : Sessions
    to : Length
    dated : bool
        The closes carry dates alone.

    Notes
    -----
    On the clock a bin ends ``k`` lengths after the session's open, the last of a session with it. A
    day ends with its session, a week or a month with its last session that has bars: of dates with
    the date, and at midnight UTC a nanosecond before it, so that it keeps its date.
    """
    if to.unit == "clock":
        opens = sessions.opens[homes]
        # What happens at the very open belongs to the first bin.
        count = np.maximum(-(-(stamps - opens) // to.length_ns), 1)
        begins = opens + (count - 1) * to.length_ns
        keys = np.minimum(begins + to.length_ns, sessions.closes[homes])
        codes, starts = _codes(keys)
        return Bins(codes, keys[starts], begins)
    keys = homes.astype(np.int64)
    if to.unit != "day":
        keys = period(sessions.days, to)[homes]
    codes, starts = _codes(keys)
    last = np.append(starts[1:], len(keys)) - 1
    if dated:
        return Bins(codes, stamps[last], stamps)
    closes = sessions.closes[homes[last]]
    return Bins(codes, closes - (closes % DAY_NS == 0), stamps)


def period(days: Ints, to: Length) -> Ints:
    """Return the week (from Monday) or the month of days, counted from 1970."""
    if to.unit == "week":
        # 1970-01-01 was a Thursday.
        return (days + 3) // 7
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _codes(keys: Ints) -> tuple[Ints, NDArray[np.intp]]:
    """Return the number of each run of equal keys, and where each begins."""
    fresh = np.diff(keys, prepend=keys[0] - 1) != 0
    return np.cumsum(fresh, dtype=np.int64) - 1, np.flatnonzero(fresh)


def is_last_bin_over(
    last: int, homes: NDArray[np.intp], sessions: Sessions, found: Bins, *, to: Length
) -> bool:
    """Return whether the data reach the end of the last bin.

    Parameters
    ----------
    last : int
        The last close of the data, in a session or not.
    homes : int array, shape (T,)
        The session of each bar.
    sessions : Sessions
    found : Bins
    to : Length

    Notes
    -----
    A week or month is over if no session of it follows. Where holidays are not known, every day
    from Monday to Friday may be one, and others whose weekday the data have.
    """
    if last < found.ends[-1]:
        return False
    if to.unit not in ("week", "month"):
        return True
    day = int(sessions.days[homes[-1]])
    if sessions.is_complete:
        later = sessions.days[homes[-1] + 1 :]
    else:
        # 1970-01-01 was a Thursday: Monday to Friday are 4, 5, 6, 0 and 1.
        weekdays = np.union1d(sessions.days[homes] % 7, [4, 5, 6, 0, 1])
        later = np.arange(day + 1, day + 32)
        later = later[np.isin(later % 7, weekdays)]
    own = period(np.array([day]), to)[0]
    return not bool((period(later, to) == own).any())
