"""Which sessions of an exchange a series lacks, by the exchange's own calendar.

The calendars come from ``exchange_calendars`` (extra ``calendars``): holidays, half days, and the
time zone with its summer time.
"""

import datetime as dt
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.bars import Stamps
from neural_trader.core.sessions import DAY_NS, session_date
from neural_trader.data.calendars import exchange_calendar
from neural_trader.data.frequencies import Frequency

_SHOWN_MAX: Final = 20


class Gaps(NamedTuple):
    """What a calendar says about a series.

    ``missing`` are sessions without any bar, from the first bar's to the last's; ``extra`` days
    that have a bar and no session. ``short`` are sessions that lack some bar between open and
    close, and ``outside`` counts bars that close before the open or after the close; both are
    counted for bars within a day alone. A feed of few trades lacks minutes rightly: nobody traded.
    """

    calendar: str
    sessions: int
    missing: tuple[dt.date, ...]
    extra: tuple[dt.date, ...]
    short: tuple[dt.date, ...]
    outside: int

    @property
    def whole(self) -> bool:
        """Whether every session has a bar, and every bar a session."""
        return not self.missing and not self.extra

    def summary(self) -> str:
        """Return what is wrong as words for people."""
        parts = [
            f"{len(days)} {words} ({_listed(days)})"
            for days, words in (
                (self.missing, "sessions without a bar"),
                (self.extra, "bars on days without a session"),
                (self.short, "sessions with some bars missing"),
            )
            if days
        ]
        if self.outside:
            parts.append(f"{self.outside} bars outside of the session")
        return "; ".join(parts) or "none"


def find_gaps(stamps: Stamps, frequency: Frequency, calendar: str) -> Gaps:
    """Hold a series to the calendar of its exchange.

    Parameters
    ----------
    stamps : int64 array, shape (T,)
        Closes, nanoseconds UTC, rising; at least one.
    frequency : Frequency
        The length of a bar.
    calendar : str
        The market identifier code, such as ``XNYS``, ``XLON``, ``XTKS``; ``24/7`` for crypto.

    Returns
    -------
    Gaps
        Of the range from the first to the last bar.

    Raises
    ------
    ConfigError
        There is no such calendar, or the extra is not installed.
    DataError
        The calendar does not reach as far as the bars.
    """
    first, last = session_date(int(stamps[0])), session_date(int(stamps[-1]))
    book = exchange_calendar(calendar, first, last)
    days = book.sessions_in_range(str(first), str(last)).values.astype("datetime64[D]")
    if frequency.daily:
        found = np.unique((stamps // DAY_NS).astype("datetime64[D]"))
        return Gaps(
            calendar,
            len(days),
            _dates(np.setdiff1d(days, found)),
            _dates(np.setdiff1d(found, days)),
            (),
            0,
        )
    return _within_days(stamps, frequency, days, book)._replace(calendar=calendar)


def _within_days(
    stamps: Stamps,
    frequency: Frequency,
    days: NDArray[np.datetime64],
    book: Any,  # noqa: ANN401 - a calendar of an untyped library
) -> Gaps:
    """Hold bars within the day to opens and closes; a half day closes early in the calendar."""
    schedule = book.schedule.loc[days[0] : days[-1]] if len(days) else book.schedule[:0]
    opens = schedule["open"].dt.as_unit("ns").astype("int64").to_numpy()
    closes = schedule["close"].dt.as_unit("ns").astype("int64").to_numpy()
    length = frequency.length_ns
    # The session whose open lies before a bar's close, and as much as a bar reaches beyond.
    home = np.searchsorted(opens, stamps, "left") - 1
    inside = (home >= 0) & (stamps - length < closes[np.maximum(home, 0)]) if len(opens) else None
    if inside is None:
        every = np.unique((stamps // DAY_NS).astype("datetime64[D]"))
        return Gaps("", 0, (), _dates(every), (), len(stamps))
    counts = np.bincount(home[inside], minlength=len(opens))
    # Bars start on the clock: the first may start before the open.
    expected = -(-closes // length) - opens // length - _at_rest(schedule, length)
    bar_days = (stamps // DAY_NS).astype("datetime64[D]")
    extra = np.setdiff1d(np.unique(bar_days[~inside]), days)
    # A session over midnight UTC has bars on the day after it: those lie inside.
    return Gaps(
        "",
        len(days),
        _dates(days[counts == 0]),
        _dates(extra),
        _dates(days[(counts > 0) & (counts < expected)]),
        int((~inside).sum()),
    )


def _at_rest(schedule: Any, length: int) -> Any:  # noqa: ANN401 - frames of an untyped library
    """Return how many bars of each session lie wholly within its lunch break."""
    rests = schedule["break_start"].notna().to_numpy()
    starts, ends = (
        schedule[name].dt.as_unit("ns").astype("int64").to_numpy()
        for name in ("break_start", "break_end")
    )
    # Where there is no break both are the lowest integer: the difference is masked out.
    return np.where(rests, np.maximum(ends // length - -(-starts // length), 0), 0)


def _dates(days: NDArray[np.datetime64]) -> tuple[dt.date, ...]:
    return tuple(days.astype("datetime64[D]").tolist())


def _listed(days: tuple[dt.date, ...]) -> str:
    shown = ", ".join(str(day) for day in days[:_SHOWN_MAX])
    return shown + (f" and {len(days) - _SHOWN_MAX} more" if len(days) > _SHOWN_MAX else "")
