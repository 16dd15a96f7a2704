"""Stamps that are off by whole hours or days: another time zone, or no summer time.

A session begins and ends with its hours. Where both its ends stand off by the same whole number of
hours, the stamps have moved, not the trading: a late open or an early close moves one end alone.
What they are held to is a calendar, the other symbols of the same data, or the days around.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.bars import Ints, Stamps, SymbolBars
from neural_trader.core.sessions import DAY_NS, last_ns, session_date
from neural_trader.data.calendars import session_hours
from neural_trader.data.quality.findings import Finding
from neural_trader.data.quality.rhythm import DAILY_DAYS
from neural_trader.data.quality.sessions import Days, days_of, usual_step

HOUR_NS: Final = 3_600_000_000_000
_OTHERS_MIN: Final = 2
_WEEKEND_SHARE: Final = 0.05
_SHIFTS_HOURS: Final = tuple(hour for hour in range(-14, 15) if hour)
_OWN_SHARE: Final = 0.5
_SHIFTED_SHARE: Final = 0.95
_SEASON_SHARE: Final = 0.95
_SATURDAY: Final = 5
_ZONE: Final = "Its stamps have another time zone, or it trades elsewhere: bring all files to UTC"


def find_slips(series: Sequence[SymbolBars], calendar: str) -> Iterator[Finding]:
    """Yield series, and parts of them, whose stamps are off by whole hours or days.

    Parameters
    ----------
    series : sequence of SymbolBars
    calendar : str
        Market identifier code; empty: the others and the days around decide.
    """
    series = [bars for bars in series if usual_step(bars.ts_close_ns) < DAILY_DAYS * DAY_NS]
    days = [days_of(bars.ts_close_ns) for bars in series]
    for bars, own in zip(series, days, strict=True):
        yield from _weekends(bars.symbol, own)
    usual = None if calendar else _usual_hours(days)
    shifted = {} if calendar else {one.symbol: one for one in _shifted(series)}
    for bars, own in zip(series, days, strict=True):
        step = usual_step(bars.ts_close_ns)
        found: list[Finding] = []
        if calendar and step < DAY_NS:
            hours = _calendar_hours(bars, calendar, step)
            found = _off_hours(bars.symbol, own, hours, f"the sessions of {calendar}")
        elif usual is not None:
            found = _off_hours(bars.symbol, own, usual, "those of the other symbols")
        if not found and bars.symbol in shifted:
            found = [shifted[bars.symbol]]
        yield from found
        if not found and step < DAY_NS:
            # The calendar knows when summer begins: what it has nothing against is in order.
            yield from _jumps(bars.symbol, own, tell_summer=not calendar)


def _weekends(symbol: str, days: Days) -> Iterator[Finding]:
    """Yield bars on Saturdays and Sundays of a symbol that trades on weekdays."""
    # 1970-01-01 was a Thursday.
    weekday = (days.numbers + 3) % 7
    off = days.numbers[weekday >= _SATURDAY]
    if not len(off):
        return
    count = np.bincount(weekday, minlength=7)
    late = len(weekday) > 10 and not count[0] and count[5] > 1
    early = len(weekday) > 10 and not count[4] and count[6] > 1
    if not (late or early or len(off) <= _WEEKEND_SHARE * len(weekday)):
        return
    message = f"{len(off):,} bars on weekends, of {len(weekday):,} days"
    if late or early:
        message += ", and none on " + (
            "Mondays: stamps are a day late" if late else "Fridays: stamps are a day early"
        )
    yield Finding(
        symbol,
        "time_slip",
        "warning",
        last_ns(int(off[0])),
        last_ns(int(off[-1])),
        len(off),
        None,
        "bars from Monday to Friday",
        message,
        "Look at the time zone of the stamps: a close in New York is another day in Tokyo",
    )


def _usual_hours(days: Sequence[Days]) -> Days | None:
    """Return each day's median first and last close, of the days that three symbols have."""
    if len(days) <= _OTHERS_MIN:
        return None
    numbers = np.concatenate([own.numbers for own in days])
    every, place = np.unique(numbers, return_inverse=True)
    counts = np.bincount(place)
    begins = np.cumsum(counts) - counts
    middle = begins + (counts - 1) // 2
    # Sorted by day, then by time: the middle one of each day, of two the earlier.
    first, last = (
        closes[np.lexsort((closes, place))][middle]
        for closes in (
            np.concatenate([own.first for own in days]),
            np.concatenate([own.last for own in days]),
        )
    )
    many = counts > _OTHERS_MIN
    return Days(every[many], first[many], last[many], counts[many])


def _calendar_hours(bars: SymbolBars, calendar: str, step: int) -> Days:
    """Return when the first and last bar of each session close; bars begin on the clock."""
    range_ = (session_date(int(bars.ts_close_ns[at])) for at in (0, -1))
    opens, closes = (np.array(each, np.int64) for each in session_hours(calendar, *range_))
    first, last = opens // step * step + step, -(-closes // step) * step
    return Days((last - 1) // DAY_NS, first, last, np.zeros(len(last), np.int64))


def _off_hours(symbol: str, own: Days, usual: Days, whose: str) -> list[Finding]:
    """Return the days that begin and end by the same whole hours off, one finding a shift."""
    _, mine, theirs = np.intersect1d(
        own.numbers, usual.numbers, assume_unique=True, return_indices=True
    )
    first = own.first[mine] - usual.first[theirs]
    off = (first == own.last[mine] - usual.last[theirs]) & (first != 0) & (first % HOUR_NS == 0)
    found = []
    shifts = np.unique(first[off]).tolist()
    # Local times that stand as UTC are two shifts, an hour apart.
    is_local = len(shifts) == 2 and shifts[1] - shifts[0] == HOUR_NS and bool(off.all())
    for shift in shifts:
        places = mine[off & (first == shift)]
        hours, days = shift // HOUR_NS, own.numbers[places]
        ignored = abs(hours) == 1 and len(places) < len(mine) and _is_season(days)
        words = ": stamps that ignore summer time" if ignored else ""
        found.append(
            Finding(
                symbol,
                "time_slip",
                "warning",
                int(own.first[places[0]]),
                int(own.last[places[-1]]),
                int(own.counts[places].sum()),
                float(hours),
                f"the hours of {whose.removeprefix('those of ')}",
                f"on {len(places):,} of {len(mine):,} days its bars stand {hours:+d} h from "
                + whose
                + (": local times that stand as UTC" if is_local else words),
                "Convert the stamps with the time zone of the exchange, not with a fixed offset"
                if ignored or is_local
                else _ZONE,
            )
        )
    return found


def _is_season(days: Ints) -> bool:
    """Return whether nearly all of some days lie in the summer, or nearly all in the winter."""
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    summer = float(((months >= 3) & (months <= 11)).mean())
    winter = float(((months >= 10) | (months <= 4)).mean())
    return max(summer, winter) >= _SEASON_SHARE


def _shifted(series: Sequence[SymbolBars]) -> Iterator[Finding]:
    """Yield symbols that stand beside the others only when they are moved by whole hours.

    A session that is moved over midnight begins on one UTC day and ends on the next: its days are
    not comparable, its closes are.
    """
    if len(series) <= _OTHERS_MIN:
        return
    usual = _common_closes([bars.ts_close_ns for bars in series])
    if not len(usual):
        return
    for bars in series:
        own = bars.ts_close_ns[(bars.ts_close_ns >= usual[0]) & (bars.ts_close_ns <= usual[-1])]
        if not len(own) or _share(own, usual, 0) >= _OWN_SHARE:
            continue
        shares = {hour: _share(own, usual, hour) for hour in _SHIFTS_HOURS}
        best = max(shares, key=lambda hour: shares[hour])
        if shares[best] > _SHIFTED_SHARE:
            yield Finding(
                bars.symbol,
                "time_slip",
                "warning",
                int(bars.ts_close_ns[0]),
                int(bars.ts_close_ns[-1]),
                len(bars.ts_close_ns),
                float(-best),
                "the hours of the other symbols",
                f"its bars stand {-best:+d} h from those of the other symbols",
                _ZONE,
            )


def _common_closes(stamps: Sequence[Stamps]) -> Stamps:
    """Return the closes that at least half of all series have."""
    if all(len(own) == len(stamps[0]) and (own == stamps[0]).all() for own in stamps[1:]):
        return stamps[0]
    every = np.sort(np.concatenate(stamps), kind="stable")
    begins = np.flatnonzero(np.diff(every, prepend=every[:1] - 1))
    counts = np.diff(begins, append=len(every))
    return every[begins[2 * counts >= len(stamps)]]


def _share(own: Stamps, usual: Stamps, hours: int) -> float:
    """Return how many of a symbol's closes, moved by some hours, are closes of the others."""
    moved = own + hours * HOUR_NS
    places = np.minimum(np.searchsorted(usual, moved), len(usual) - 1)
    return float((usual[places] == moved).mean())


def _jumps(symbol: str, days: Days, *, tell_summer: bool) -> Iterator[Finding]:
    """Yield days that begin and end by the same whole hours away from the day before."""
    if len(days.numbers) < 3:
        return
    begins, ends = (closes - days.numbers * DAY_NS for closes in (days.first, days.last))
    moved = np.diff(begins)
    jumped = (moved == np.diff(ends)) & (moved != 0) & (moved % HOUR_NS == 0)
    # Where few trade, days lack bars at both ends by chance.
    jumped &= np.diff(days.counts) == 0
    places = np.flatnonzero(jumped) + 1
    hours = moved[places - 1] // HOUR_NS
    summer = (np.abs(hours) == 1) & _near_clock_change(days.numbers[places])
    if tell_summer and summer.any():
        at = places[summer]
        yield Finding(
            symbol,
            "time_slip",
            "note",
            int(days.first[at[0]]),
            int(days.last[at[-1]]),
            len(at),
            float(hours[summer][0]),
            "a session that moves by an hour in UTC twice a year",
            f"its session moves by an hour {len(at)} {'time' if len(at) == 1 else 'times'}, as the "
            "clocks change",
            "In order, where the exchange has summer time; --calendar knows",
        )
    for at, hour in zip(places[~summer].tolist(), hours[~summer].tolist(), strict=True):
        yield Finding(
            symbol,
            "time_slip",
            "warning",
            int(days.first[at]),
            int(days.last[at]),
            int(days.counts[at]),
            float(hour),
            "the hours of the day before, or an hour off as the clocks change",
            f"from this day on its bars stand {hour:+d} h from those of the day before",
            "In UTC a session moves by an hour twice a year; any other jump is a wrong time zone",
        )


def _near_clock_change(days: Ints) -> NDArray[np.bool_]:
    """Return whether clocks change in Europe or America within the week before each day."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month = months.astype(np.int64) % 12 + 1
    day = (dates - months).astype(np.int64) + 1
    ends = ((month == 10) & (day >= 24)) | ((month == 11) & (day <= 8))
    begins = ((month == 3) & (day >= 7)) | ((month == 4) & (day <= 8))
    return np.asarray(ends | begins)
