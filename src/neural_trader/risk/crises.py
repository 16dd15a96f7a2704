"""Crises of the past, replayed on today's positions."""

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import session_date
from neural_trader.risk.history import History, read_history
from neural_trader.risk.measure import Situation
from neural_trader.risk.stress_loss import StressLoss, components_of
from neural_trader.risk.valuation import gains


class Crisis(NamedTuple):
    """A window of history, from the close of its first day to that of its last."""

    name: str
    title: str
    start: dt.date
    end: dt.date


CRISES: Final = (
    Crisis("1990", "Gulf crisis", dt.date(1990, 7, 16), dt.date(1990, 10, 11)),
    Crisis("2000-02", "dot-com bust", dt.date(2000, 3, 24), dt.date(2002, 10, 9)),
    Crisis("2008", "financial crisis", dt.date(2007, 10, 9), dt.date(2009, 3, 9)),
    Crisis("2020", "Covid-19", dt.date(2020, 2, 19), dt.date(2020, 3, 23)),
)
"""Highest to lowest close of the S&P 500."""


def stress_history(
    situation: Situation, names: Sequence[str] = ()
) -> tuple[list[StressLoss], dict[str, str]]:
    """Return what today's positions would lose in crises.

    Parameters
    ----------
    situation : Situation
    names : sequence of str
        Of ``CRISES``; all of them that the data cover by default.

    Returns
    -------
    list of StressLoss
    dict of str to str
        The crises that the data do not cover, with the reason.

    Raises
    ------
    ConfigError
        There is no crisis of a name.
    DataError
        The data do not cover one that is named.

    Timing
    ------
    The whole history up to the as-of date is used, whatever the window; no close after it.
    """
    known = {crisis.name: crisis for crisis in CRISES}
    for name in names:
        if name not in known:
            message = f"no crisis {name!r}; there are {', '.join(known)}"
            raise ConfigError(message)
    history = situation.history
    whole = read_history(history.bars, history.symbols, as_of=history.as_of)
    found, refused = [], {}
    for crisis in [known[name] for name in names] or CRISES:
        reason = _not_covered(crisis, whole)
        if reason and names:
            raise DataError(reason)
        if reason:
            refused[crisis.name] = reason
        else:
            found.append(_replay(situation, crisis, whole))
    return found, refused


def _not_covered(crisis: Crisis, history: History) -> str:
    """Return why a history does not hold a crisis, or nothing."""
    first, last = session_date(int(history.ts_close_ns[0])), history.as_of
    if first <= crisis.start and last >= crisis.end:
        return ""
    return (
        f"{crisis.name} reaches from {crisis.start} to {crisis.end}; the common bars of "
        f"{', '.join(history.symbols)} from {first} to {last}. Leave it out, or take longer data"
    )


def _replay(situation: Situation, crisis: Crisis, whole: History) -> StressLoss:
    days = np.array([session_date(stamp) for stamp in whole.ts_close_ns.tolist()])
    first = int(np.flatnonzero(days <= crisis.start)[-1])
    stop = int(np.flatnonzero(days <= crisis.end)[-1]) + 1
    closes = whole.closes[first:stop]
    if len(closes) < 2:
        message = f"{crisis.name}: no bar between {crisis.start} and {crisis.end}; leave it out"
        raise DataError(message)
    # From the first close to each later one, and from each close to the next.
    whole_way = gains(situation.book, closes[1:] / closes[0] - 1.0)
    by_day = gains(situation.book, whole.returns[first : stop - 1])
    totals, daily = whole_way.sum(axis=1), by_day.sum(axis=1)
    worst, worst_day = int(totals.argmin()), int(daily.argmin())
    return StressLoss(
        kind="history",
        name=crisis.name,
        title=crisis.title,
        loss=0.0 - float(totals[worst]),
        components=components_of(situation, whole_way[worst]),
        details={
            "start": str(days[first]),
            "end": str(days[stop - 1]),
            "days": stop - first - 1,
            "worst": str(days[first + 1 + worst]),
            "loss_at_end": 0.0 - float(totals[-1]),
            "worst_day": str(days[first + 1 + worst_day]),
            "worst_day_loss": 0.0 - float(daily[worst_day]),
        },
    )
