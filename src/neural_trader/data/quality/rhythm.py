"""Bars that are missing, or stand at another time than they should.

With a calendar the sessions of an exchange say what should be there. Without one a series is held
to the others of the same data, and to its own rhythm.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.bars import Stamps, SymbolBars
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.catalog.gaps import find_gaps
from neural_trader.data.frequencies import read_frequency
from neural_trader.data.quality.findings import Finding, stamp_text
from neural_trader.data.quality.stillness import runs_of, usual_step

HOUR_NS: Final = 3_600_000_000_000
HOLE_DAYS: Final = 5
"""Days from one daily bar to the next from more than which on there is a hole: a long weekend has
four, and five where a holiday stands on each side."""
_OTHERS_MIN: Final = 2
_WEEKEND_SHARE: Final = 0.05
_SHIFTS_HOURS: Final = tuple(hour for hour in range(-14, 15) if hour)
_OWN_SHARE: Final = 0.5
_SHIFTED_SHARE: Final = 0.95
_SATURDAY: Final = 5
_LOOK: Final = "Fetch these days again, or say why there are none: returns across a gap span it all"

Days = NDArray[np.int64]


def find_missing(series: Sequence[SymbolBars], calendar: str) -> Iterator[Finding]:
    """Yield gaps, holes and bars without a session, of symbols that belong together.

    Parameters
    ----------
    series : sequence of SymbolBars
    calendar : str
        Market identifier code; empty: the others and the own rhythm decide.
    """
    if calendar:
        for bars in series:
            yield from _by_calendar(bars, calendar)
        return
    daily = [bars for bars in series if usual_step(bars) >= DAY_NS]
    yield from _against_others(daily)
    yield from _holes(daily)
    for bars in series:
        if usual_step(bars) < DAY_NS:
            yield from _within_days(bars)


def find_slips(series: Sequence[SymbolBars]) -> Iterator[Finding]:
    """Yield series, and parts of them, whose stamps are off by whole hours or days."""
    for bars in series:
        yield from _weekends(bars)
    yield from _shifted(series)
    for bars in series:
        if usual_step(bars) < DAY_NS:
            yield from _hours_off(bars)


def days_of(stamps: Stamps) -> Days:
    """Return the UTC day of each close, counted from 1970; a close at midnight ends the day."""
    return (stamps - 1) // DAY_NS


def _by_calendar(bars: SymbolBars, calendar: str) -> Iterator[Finding]:
    step = usual_step(bars)
    name = "1Day" if step >= DAY_NS else f"{max(round(step / 60e9), 1)}Min"
    if step < DAY_NS and step % HOUR_NS == 0:
        name = f"{step // HOUR_NS}Hour"
    gaps = find_gaps(bars.ts_close_ns, read_frequency(name), calendar)
    for kind, dates, words in (
        ("gap", gaps.missing, f"sessions of {calendar} without a bar"),
        ("gap", gaps.short, f"sessions of {calendar} that lack some bars"),
        ("extra", gaps.extra, f"days with a bar on which {calendar} had no session"),
    ):
        if not dates:
            continue
        days = np.array(dates, dtype="datetime64[D]").astype(np.int64)
        shown = ", ".join(str(day) for day in dates[:5]) + (" ..." if len(dates) > 5 else "")
        yield Finding(
            bars.symbol,
            kind,
            "warning",
            int(days[0] * DAY_NS + DAY_NS - 1),
            int(days[-1] * DAY_NS + DAY_NS - 1),
            len(dates),
            None,
            f"{len(dates)} {words}: {shown}",
            _LOOK if kind == "gap" else "Drop the bars, or look at the time zone of the stamps",
        )


def _against_others(series: Sequence[SymbolBars]) -> Iterator[Finding]:
    """Yield days on which at least half of the other symbols have a bar and one has none."""
    if len(series) <= _OTHERS_MIN:
        return
    days = [np.unique(days_of(bars.ts_close_ns)) for bars in series]
    every, counts = np.unique(np.concatenate(days), return_counts=True)
    # How many symbols have begun and not ended on each day.
    alive = sum(((every >= own[0]) & (every <= own[-1])).astype(np.int64) for own in days)
    usual = every[(2 * counts >= alive) & (alive > _OTHERS_MIN)]
    for bars, own in zip(series, days, strict=True):
        within = usual[(usual > own[0]) & (usual < own[-1])]
        lacking = ~np.isin(within, own, assume_unique=True)
        for begin, length in zip(*runs_of(lacking), strict=True):
            first, last = within[begin], within[begin + length - 1]
            yield Finding(
                bars.symbol,
                "gap",
                "warning",
                int(first * DAY_NS + DAY_NS - 1),
                int(last * DAY_NS + DAY_NS - 1),
                int(length),
                None,
                f"{length} days without a bar, on which the other symbols have theirs",
                _LOOK,
            )


def _holes(series: Sequence[SymbolBars]) -> Iterator[Finding]:
    """Yield long holes; one that all symbols share may be a market that was closed."""
    found: dict[tuple[int, int], list[str]] = {}
    for bars in series:
        days = np.unique(days_of(bars.ts_close_ns))
        # Weeks and months have longer steps: theirs are holes from twice the usual on.
        limit = max(HOLE_DAYS, 2 * round(usual_step(bars) / DAY_NS) - 1)
        for at in np.flatnonzero(np.diff(days) > limit).tolist():
            found.setdefault((int(days[at]), int(days[at + 1])), []).append(bars.symbol)
    for (before, after), symbols in found.items():
        shared = len(symbols) == len(series) > _OTHERS_MIN
        for symbol in [""] if shared else symbols:
            words = "all symbols: a market that was closed?" if shared else "no bar"
            yield Finding(
                symbol,
                "gap",
                "note" if shared else "warning",
                (before + 1) * DAY_NS + DAY_NS - 1,
                after * DAY_NS - 1,
                after - before - 1,
                float(after - before),
                f"{after - before - 1} days without a bar, after "
                f"{stamp_text(before * DAY_NS + DAY_NS - 1)} ({words})",
                _LOOK if not shared else "--calendar tells holidays from holes",
            )


def _within_days(bars: SymbolBars) -> Iterator[Finding]:
    """Yield the days that lack bars between their first and their last one."""
    step = usual_step(bars)
    days = days_of(bars.ts_close_ns)
    steps = np.diff(bars.ts_close_ns)
    inside = (np.diff(days) == 0) & (steps > step)
    places = np.flatnonzero(inside)
    if not len(places):
        return
    lacking = np.rint(steps[places] / step).astype(np.int64) - 1
    worst = places[int(np.argmax(lacking))]
    total, hit = int(lacking.sum()), len(np.unique(days[places]))
    yield Finding(
        bars.symbol,
        "gap",
        "warning",
        int(bars.ts_close_ns[places[0]]),
        int(bars.ts_close_ns[places[-1] + 1]),
        total,
        float(lacking.max()),
        f"{total:,} bars are missing within {hit:,} of {len(np.unique(days)):,} days; the longest "
        f"hole, {int(lacking.max()):,} bars, follows {stamp_text(int(bars.ts_close_ns[worst]))}",
        "A feed of few trades lacks bars in which nobody traded; otherwise fetch these days again",
    )


def _weekends(bars: SymbolBars) -> Iterator[Finding]:
    """Yield bars on Saturdays and Sundays of a symbol that trades on weekdays."""
    days = np.unique(days_of(bars.ts_close_ns))
    # 1970-01-01 was a Thursday.
    weekday = (days + 3) % 7
    off = days[weekday >= _SATURDAY]
    if not len(off) or len(off) > _WEEKEND_SHARE * len(days):
        fridays, sundays = int((weekday == 4).sum()), int((weekday == 6).sum())
        one_day_late = len(days) > 10 and not (weekday == 0).any() and int((weekday == 5).sum()) > 1
        if not (len(off) and (one_day_late or (not fridays and sundays > 1))):
            return
        message = f"{len(off)} bars on weekends, and none on " + (
            "Mondays: stamps are a day late" if one_day_late else "Fridays: stamps are a day early"
        )
    else:
        message = f"{len(off)} bars on weekends, of {len(days):,} days"
    yield Finding(
        bars.symbol,
        "time_slip",
        "warning",
        int(off[0] * DAY_NS + DAY_NS - 1),
        int(off[-1] * DAY_NS + DAY_NS - 1),
        len(off),
        None,
        message,
        "Look at the time zone of the stamps: a close in New York is another day in Tokyo",
    )


def _shifted(series: Sequence[SymbolBars]) -> Iterator[Finding]:
    """Yield symbols that stand beside the others only when they are moved by whole hours."""
    if len(series) <= _OTHERS_MIN:
        return
    every, counts = np.unique(np.concatenate([b.ts_close_ns for b in series]), return_counts=True)
    usual = every[2 * counts >= len(series)]
    if not len(usual):
        return
    for bars in series:
        own = bars.ts_close_ns[(bars.ts_close_ns >= usual[0]) & (bars.ts_close_ns <= usual[-1])]
        if not len(own) or np.isin(own, usual).mean() >= _OWN_SHARE:
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
                f"its bars stand {-best:+d} h from those of the other symbols",
                "Its stamps have another time zone: bring all files to UTC",
            )


def _share(own: Stamps, usual: Stamps, hours: int) -> float:
    """Return how many of a symbol's closes, moved by some hours, are closes of the others."""
    return float(np.isin(own + hours * HOUR_NS, usual).mean())


def _hours_off(bars: SymbolBars) -> Iterator[Finding]:
    """Yield days that begin and end by the same whole hours away from those around them."""
    days, begins = np.unique(days_of(bars.ts_close_ns), return_index=True)
    if len(days) < 3:
        return
    ends = np.append(begins[1:], len(bars.ts_close_ns)) - 1
    first = bars.ts_close_ns[begins] - days * DAY_NS
    last = bars.ts_close_ns[ends] - days * DAY_NS
    moved = np.diff(first)
    jumps = np.flatnonzero((moved == np.diff(last)) & (moved != 0) & (moved % HOUR_NS == 0))
    for at in jumps.tolist():
        hours = int(moved[at] // HOUR_NS)
        day = int(days[at + 1])
        summer = abs(hours) == 1 and _near_clock_change(day)
        yield Finding(
            bars.symbol,
            "time_slip",
            "note" if summer else "warning",
            int(bars.ts_close_ns[begins[at + 1]]),
            int(bars.ts_close_ns[ends[at + 1]]),
            int(ends[at + 1] - begins[at + 1] + 1),
            float(hours),
            f"from this day on its bars stand {hours:+d} h from those of the day before"
            + (" (the clocks change in these days)" if summer else ""),
            "In UTC a session moves by an hour twice a year; any other jump is a wrong time zone",
        )


def _near_clock_change(day: int) -> bool:
    """Return whether clocks change in Europe or America within the week before a day."""
    date = np.datetime64(day, "D").astype(object)
    ends_of_summer = (date.month == 10 and date.day >= 24) or (date.month == 11 and date.day <= 8)
    begins = (date.month == 3 and date.day >= 7) or (date.month == 4 and date.day <= 8)
    return bool(ends_of_summer or begins)
