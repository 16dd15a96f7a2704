"""Bars that are missing.

With a calendar the sessions of an exchange say what should be there. Without one a series is held
to the others of the same data, and to its own rhythm.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from neural_trader.core.bars import SymbolBars
from neural_trader.core.sessions import DAY_NS, last_ns
from neural_trader.data.catalog.gaps import find_gaps
from neural_trader.data.frequencies import Frequency
from neural_trader.data.quality.findings import Finding, stamp_text
from neural_trader.data.quality.sessions import days_of, usual_step
from neural_trader.data.quality.stillness import runs_of

HOLE_DAYS: Final = 5
"""Days from one daily bar to the next from more than which on there is a hole: a long weekend has
four, and five where a holiday stands on each side."""
DAILY_DAYS: Final = 5
"""Usual days from bar to bar from which on a series is one of weeks or months."""
_OTHERS_MIN: Final = 2
_MINUTE_NS: Final = 60_000_000_000
_LOOK: Final = "Fetch these days again, or say why there are none: returns across a gap span it all"


def find_missing(series: Sequence[SymbolBars], calendar: str) -> Iterator[Finding]:
    """Yield gaps, holes and bars without a session, of symbols that belong together.

    Parameters
    ----------
    series : sequence of SymbolBars
    calendar : str
        Market identifier code; empty: the others and the own rhythm decide, as they do for weeks,
        months and bars that are no whole minutes.
    """
    steps = [usual_step(bars.ts_close_ns) for bars in series]
    daily = [step < DAILY_DAYS * DAY_NS for step in steps]
    own = list(series)
    if calendar:
        own = []
        for bars, step, is_daily in zip(series, steps, daily, strict=True):
            if is_daily and (step >= DAY_NS or step % _MINUTE_NS == 0):
                yield from _by_calendar(bars, calendar, min(step, DAY_NS))
            else:
                yield _not_held(bars, calendar, step)
                own.append(bars)
    else:
        by_others = list(
            _against_others([b for b, each in zip(series, daily, strict=True) if each])
        )
        yield from by_others
        yield from _holes(own, {(one.symbol, one.first_ns // DAY_NS) for one in by_others})
    for bars in own:
        if usual_step(bars.ts_close_ns) < DAY_NS:
            yield from _within_days(bars)


def _by_calendar(bars: SymbolBars, calendar: str, length_ns: int) -> Iterator[Finding]:
    gaps = find_gaps(bars.ts_close_ns, Frequency("", length_ns), calendar)
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
            last_ns(int(days[0])),
            last_ns(int(days[-1])),
            len(dates),
            None,
            f"every bar of the {gaps.sessions:,} sessions, and no other",
            f"{len(dates):,} {words}: {shown}",
            _LOOK if kind == "gap" else "Drop the bars, or look at the time zone of the stamps",
        )
    if gaps.outside:
        yield Finding(
            bars.symbol,
            "extra",
            "note",
            int(bars.ts_close_ns[0]),
            int(bars.ts_close_ns[-1]),
            gaps.outside,
            None,
            "bars between the open and the close",
            f"{gaps.outside:,} of {len(bars.close):,} bars lie outside of the hours of {calendar}",
            "Trading before the open and after the close, or stamps of another time zone",
        )


def _not_held(bars: SymbolBars, calendar: str, step: int) -> Finding:
    return Finding(
        bars.symbol,
        "gap",
        "note",
        int(bars.ts_close_ns[0]),
        int(bars.ts_close_ns[-1]),
        len(bars.close),
        None,
        "bars of whole minutes, up to a day",
        f"its bars, usually {step / DAY_NS:.3g} days apart, were not held to {calendar}",
        "Weeks and months have no sessions: look at the days that they are made from",
    )


def _against_others(series: Sequence[SymbolBars]) -> Iterator[Finding]:
    """Yield days on which at least half of the other symbols have a bar and one has none."""
    if len(series) <= _OTHERS_MIN:
        return
    days = [days_of(bars.ts_close_ns).numbers for bars in series]
    every, counts = np.unique(np.concatenate(days), return_counts=True)
    # How many symbols have begun and not ended on each day.
    alive = sum(((every >= own[0]) & (every <= own[-1])).astype(np.int64) for own in days)
    usual = every[(2 * counts >= alive) & (alive > _OTHERS_MIN)]
    for bars, own in zip(series, days, strict=True):
        within = usual[(usual > own[0]) & (usual < own[-1])]
        lacking = ~np.isin(within, own, assume_unique=True)
        for begin, length in zip(*runs_of(lacking), strict=True):
            yield Finding(
                bars.symbol,
                "gap",
                "warning",
                last_ns(int(within[begin])),
                last_ns(int(within[begin + length - 1])),
                int(length),
                None,
                "a bar on each day on which half of the other symbols have one",
                f"{length} days without a bar, on which the other symbols have theirs",
                _LOOK,
            )


def _holes(series: Sequence[SymbolBars], told: set[tuple[str, int]]) -> Iterator[Finding]:
    """Yield long holes; one that all symbols share may be a market that was closed.

    ``told`` are symbols and first days of gaps that the other symbols showed already.
    """
    found: dict[tuple[int, int], list[str]] = {}
    limits = {}
    for bars in series:
        days = days_of(bars.ts_close_ns).numbers
        # Weeks and months have longer steps: theirs are holes from twice the usual on.
        limit = max(HOLE_DAYS, 2 * round(usual_step(bars.ts_close_ns) / DAY_NS) - 1)
        limits[bars.symbol] = limit
        for at in np.flatnonzero(np.diff(days) > limit).tolist():
            hole = int(days[at]), int(days[at + 1])
            if not any((bars.symbol, day) in told for day in range(hole[0] + 1, hole[1])):
                found.setdefault(hole, []).append(bars.symbol)
    for (before, after), symbols in found.items():
        shared = len(symbols) == len(series) > 1
        for symbol in [""] if shared else symbols:
            words = "all symbols: a market that was closed?" if shared else "no bar"
            yield Finding(
                symbol,
                "gap",
                "note" if shared else "warning",
                last_ns(before + 1),
                last_ns(after - 1),
                after - before - 1,
                float(after - before),
                f"{limits[symbol or symbols[0]]} days or fewer from bar to bar",
                f"{after - before - 1:,} days without a bar, after {stamp_text(last_ns(before))} "
                f"({words})",
                _LOOK if not shared else "--calendar tells holidays from holes",
            )


def _within_days(bars: SymbolBars) -> Iterator[Finding]:
    """Yield the days that lack bars between their first and their last one."""
    step = usual_step(bars.ts_close_ns)
    steps = np.diff(bars.ts_close_ns)
    places = np.flatnonzero(steps > step)
    days = (bars.ts_close_ns - 1) // DAY_NS
    places = places[days[places] == days[places + 1]]
    if not len(places):
        return
    lacking = np.rint(steps[places] / step).astype(np.int64) - 1
    worst = places[int(np.argmax(lacking))]
    total, hit = int(lacking.sum()), len(np.unique(days[places]))
    if not total:
        return
    yield Finding(
        bars.symbol,
        "gap",
        "warning",
        int(bars.ts_close_ns[places[0]]),
        int(bars.ts_close_ns[places[-1] + 1]),
        total,
        float(lacking.max()),
        f"a bar every {_length(step)} between the first and the last of a day",
        f"{total:,} bars are missing within {hit:,} of {len(days_of(bars.ts_close_ns).numbers):,} "
        f"days; the longest hole, {int(lacking.max()):,} bars, follows "
        f"{stamp_text(int(bars.ts_close_ns[worst]))}",
        "A feed of few trades lacks bars in which nobody traded; otherwise fetch these days again",
    )


def _length(step: int) -> str:
    return f"{step / _MINUTE_NS:g} min" if step >= _MINUTE_NS else f"{step / 1e9:g} s"
