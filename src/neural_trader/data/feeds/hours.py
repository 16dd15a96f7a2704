"""When a market is open: what anchors bars to a session, and keeps the night from being silence."""

import datetime as dt
import zoneinfo
from bisect import bisect_left
from typing import Final, Protocol

from neural_trader.core import ConfigError
from neural_trader.core.sessions import first_ns, session_date, session_day

_EVERY_DAY: Final = tuple(range(7))
_WORKDAYS: Final = tuple(range(5))

Span = tuple[int, int]
"""Open and close, nanoseconds UTC."""


class Session(Protocol):
    """The hours of a market."""

    def span(self, ts_ns: int) -> Span | None:
        """Return the session that holds a time, its open and close included; None outside."""
        ...


class Hours:
    """The same hours on every day, by the clock of a place: summer time is that clock's.

    Parameters
    ----------
    opens, closes : str
        ``HH:MM``; where the close is not after the open it lies on the next day.
    zone : str
        Such as ``America/New_York``.
    weekends : bool
        Whether sessions may open on Saturday and Sunday, too.

    Raises
    ------
    ConfigError
        No such time or zone.

    Notes
    -----
    Holidays and half days are not known: :class:`Exchange` knows them.
    """

    def __init__(
        self,
        opens: str = "09:30",
        closes: str = "16:00",
        zone: str = "America/New_York",
        *,
        weekends: bool = False,
    ) -> None:
        self._opens, self._closes = _read_time("opens", opens), _read_time("closes", closes)
        try:
            self._zone = zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            message = f"zone is {zone!r}; expected a time zone such as America/New_York or UTC"
            raise ConfigError(message) from None
        self._days = _EVERY_DAY if weekends else _WORKDAYS
        self._known: dict[dt.date, Span] = {}

    def span(self, ts_ns: int) -> Span | None:
        """See ``Session``."""
        day = session_date(ts_ns)
        # The local day may be the one before or after, and a session may pass midnight.
        for shift in (-1, 0, 1):
            date = day + dt.timedelta(days=shift)
            if date.weekday() not in self._days:
                continue
            opens, closes = self._of(date)
            if opens <= ts_ns <= closes:
                return opens, closes
        return None

    def _of(self, date: dt.date) -> Span:
        known = self._known.get(date)
        if known is None:
            over = self._closes <= self._opens
            last = date + dt.timedelta(days=1) if over else date
            known = self._ns(date, self._opens), self._ns(last, self._closes)
            if len(self._known) > 16:
                self._known.clear()
            self._known[date] = known
        return known

    def _ns(self, date: dt.date, time: dt.time) -> int:
        moment = dt.datetime.combine(date, time, self._zone).astimezone(dt.UTC)
        seconds = moment.hour * 3600 + moment.minute * 60
        return first_ns(session_day(moment.date(), option="date")) + seconds * 1_000_000_000


class Exchange:
    """The sessions of an exchange, holidays and half days included; lunch breaks count as open.

    Parameters
    ----------
    calendar : str
        The market identifier code, such as ``XNYS``; ``24/7`` for crypto.

    Raises
    ------
    ConfigError
        There is no such calendar, or the extra ``calendars`` is not installed.
    """

    def __init__(self, calendar: str) -> None:
        from neural_trader.data.calendars import check_calendar

        check_calendar(calendar)
        self._calendar = calendar
        self._years: dict[int, tuple[list[int], list[int]]] = {}

    def span(self, ts_ns: int) -> Span | None:
        """See ``Session``.

        Raises
        ------
        DataError
            The calendar does not reach to that year.
        """
        year = session_date(ts_ns).year
        if year not in self._years:
            from neural_trader.data.calendars import session_hours

            first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
            self._years[year] = session_hours(self._calendar, first, last)
        opens, closes = self._years[year]
        at = bisect_left(closes, ts_ns)
        if at < len(closes) and opens[at] <= ts_ns:
            return opens[at], closes[at]
        return None


def read_session(
    session: Session | tuple[str, str, str] | str | None, *, weekends: bool
) -> Session | None:
    """Return a session: itself, that of (open, close, zone), or that of an exchange's code.

    Parameters
    ----------
    session : Session, tuple, str or None
    weekends : bool
        Whether hours that are given as a tuple hold on Saturday and Sunday, too.

    Raises
    ------
    ConfigError
        It is none of these.
    """
    if session is None:
        return None
    if isinstance(session, str):
        return Exchange(session)
    if isinstance(session, tuple):
        if len(session) == 3:
            return Hours(*session, weekends=weekends)
    elif hasattr(session, "span"):
        return session
    message = (
        f"session is {session!r}; expected an exchange's code such as 'XNYS', or "
        "('09:30', '16:00', 'America/New_York')"
    )
    raise ConfigError(message)


def _read_time(name: str, text: str) -> dt.time:
    try:
        return dt.datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day alone
    except (TypeError, ValueError):
        message = f"{name} is {text!r}; expected a time of day as HH:MM"
        raise ConfigError(message) from None
