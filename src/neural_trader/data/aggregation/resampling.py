"""Longer bars from shorter ones: minutes to hours, sessions, weeks and months."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import Bars, Block, ConfigError, DataError
from neural_trader.core.bars import Floats, Stamps
from neural_trader.core.sessions import DAY_NS, first_ns
from neural_trader.data.aggregation.lengths import UNITS, Length, Unit, read_length
from neural_trader.data.aggregation.sessions import (
    Bins,
    Sessions,
    bins,
    is_last_bin_over,
    read_sessions,
)
from neural_trader.data.selection import frozen, merged_blocks

Incomplete = Literal["drop", "keep"]
INCOMPLETE: Final[tuple[Incomplete, ...]] = ("drop", "keep")
LABEL: Final = "incomplete last bar"
"""What every result says that was made from bars whose last one is kept though it is not over."""

# So many steps tell the length of the bars.
_STEPS_MAX: Final = 100_000


def resample(
    bars: Bars,
    to: object,
    *,
    calendar: str | None = None,
    session: tuple[object, object, str] | None = None,
    incomplete: Incomplete = "drop",
) -> Bars:
    """Make longer bars from shorter ones.

    Parameters
    ----------
    bars : Bars
        Any symbols; closes alone will do.
    to : str or datetime.timedelta
        ``5min``, ``1h``, ``day``, ``week`` (from Monday), ``month``.
    calendar : str, optional
        The market identifier code of an exchange, such as ``XNYS``, or ``24/7``: its sessions, with
        half days and holidays. Needs the extra ``calendars``.
    session : tuple of (open, close, time zone), optional
        Instead: ``("09:30", "16:00", "America/New_York")``. A close that is not after the open is
        that of the next day: ``("18:00", "17:00", "America/New_York")``. With neither, every UTC
        day is a session.
    incomplete : {"drop", "keep"}
        What becomes of the last bar where the data end before it does. One that is kept is told by
        the label ``incomplete last bar``, which stands in every result.

    Returns
    -------
    Bars
        First open, highest high, lowest low, last close and sum of the volumes, as far as the data
        have them. No bar is made where there is none. Basis, name and labels stay.

    Raises
    ------
    ConfigError
        An argument cannot be used.
    DataError
        The bars are longer than those that are asked for, do not fit into them, cross a split
        unadjusted, or lie in no session.

    Timing
    ------
    A bar is the interval (open, close], stamped at its close: a multiple of the length after the
    session's open, or the session's close. No bar crosses a session; weeks and months are made of
    whole ones and close with the last of them that has bars. Bars of dates keep their dates.

    Missing
    -------
    Bars outside of all sessions are left out, and counted in the log. An incomplete bar that is
    dropped stands there, too.

    Notes
    -----
    In two steps, such as minutes to hours to days, the bars are those of one step, as long as
    nothing is dropped between.

    Examples
    --------
    >>> from neural_trader.data import load
    >>> weeks = resample(load("us-ohlcv", symbols="AAPL", end="2000-03-31"), "week")
    >>> len(weeks), round(float(weeks["AAPL"].close[0]), 2)
    (5, 32.0)
    """
    length = read_length(to, option="to")
    if not isinstance(bars, Bars):
        message = f"bars is a {type(bars).__qualname__}; expected Bars, as nt.load makes them"
        raise ConfigError(message)
    if incomplete not in INCOMPLETE:
        message = f"incomplete is {incomplete!r}; expected 'drop' or 'keep'"
        raise ConfigError(message)
    first = min(int(block.ts_close_ns[0]) for block in bars.blocks)
    last = max(int(block.ts_close_ns[-1]) for block in bars.blocks)
    sessions = read_sessions(first, last, calendar, session)
    blocks = []
    labels = set(bars.labels)
    for block in bars.blocks:
        made, is_over = _resample(bars, block, length, sessions)
        if not is_over and incomplete == "drop":
            note("%s: the last bar of %s is not over: left out", bars.name, block.symbols)
            made = made.cut(range(len(made.symbols)), 0, len(made.ts_close_ns) - 1)
        elif not is_over:
            labels.add(LABEL)
        if not len(made.ts_close_ns):
            message = (
                f"{', '.join(block.symbols)}: no bar of {length.name} is complete. Keep the last "
                "one (incomplete='keep'), or give more data"
            )
            raise DataError(message)
        blocks.append(frozen(made))
    return Bars(
        merged_blocks(blocks),
        name=bars.name,
        basis=bars.basis,
        labels=tuple(sorted(labels)),
        splits=bars.splits,
    )


def _resample(bars: Bars, block: Block, length: Length, sessions: Sessions) -> tuple[Block, bool]:
    """Return the longer bars of a block, and whether the last of them is over."""
    stamps = block.ts_close_ns
    dated = bool((stamps % DAY_NS == DAY_NS - 1).all())
    homes = sessions.homes(stamps, dated=dated)
    inside = homes >= 0
    if not inside.any():
        message = (
            f"{', '.join(block.symbols)}: no bar closes within a session. Check calendar, time "
            "zone, and that bars are stamped at their close"
        )
        raise DataError(message)
    whole = bool(inside.all())
    if not whole:
        count = int((~inside).sum())
        note("%s: %d bars of %s lie outside of the sessions", bars.name, count, block.symbols)
        homes, stamps = homes[inside], stamps[inside]
    unit = _check_length(block, stamps, homes, sessions, to=length, dated=dated)
    found = bins(stamps, homes, sessions, length, dated=dated)
    _check_splits(bars, block, stamps, found)
    starts = np.flatnonzero(np.diff(found.codes, prepend=-1))
    fields = {
        name: _joined(name, values if whole else values[:, inside], starts)
        for name, values in block.fields.items()
    }
    # A week that is given is a week.
    is_over = unit == length.unit or is_last_bin_over(
        int(block.ts_close_ns[-1]), homes, sessions, found, to=length
    )
    return Block(block.symbols, found.ends, fields), is_over


def note(message: str, *values: object) -> None:
    """Tell the log ``neural_trader.data.aggregation`` what was left out."""
    import logging

    logging.getLogger("neural_trader.data.aggregation").info(message, *values)


def _joined(name: str, values: Floats, starts: NDArray[np.intp]) -> Floats:
    """Return one field of the longer bars, shape (S, n)."""
    if name == "open":
        return np.ascontiguousarray(values[:, starts])
    if name == "high":
        return np.maximum.reduceat(values, starts, axis=1)
    if name == "low":
        return np.minimum.reduceat(values, starts, axis=1)
    if name == "volume":
        return checked_volumes(np.add.reduceat(values, starts, axis=1))
    last = np.append(starts[1:], values.shape[1]) - 1
    return np.ascontiguousarray(values[:, last])


def checked_volumes(volumes: Floats) -> Floats:
    """Return sums of volumes, none of them beyond what a number can hold."""
    if not np.isfinite(volumes).all():
        message = (
            "the volumes of a bar add up to more than a number can hold; expected shares. Mend them"
        )
        raise DataError(message)
    return volumes


def _check_length(
    block: Block,
    stamps: Stamps,
    homes: NDArray[np.intp],
    sessions: Sessions,
    *,
    to: Length,
    dated: bool,
) -> Unit | None:
    """Refuse bars that are longer than those asked for, or that would be cut by their ends.

    Returns the length of bars of a day or more.
    """
    unit = _unit_of(sessions.days[homes], dated=dated)
    who = ", ".join(block.symbols[:6]) + (", ..." if len(block.symbols) > 6 else "")
    if unit is not None and UNITS.index(unit) > UNITS.index(to.unit):
        message = (
            f"{who} has one bar a {unit}; bars of {to.name} are shorter, and cannot be made of "
            "them. Give shorter bars"
        )
        raise DataError(message)
    if unit == "week" and to.unit == "month":
        message = f"{who} has weekly bars, which reach over the ends of months. Give daily bars"
        raise DataError(message)
    if unit is not None or to.unit != "clock":
        return unit
    before = np.concatenate([sessions.opens[homes[:1]], stamps[:-1]])
    before = np.maximum(before, sessions.opens[homes])
    step = _step_of(stamps - before)
    if step is None:
        return None
    if step > to.length_ns:
        message = (
            f"{who} has bars of {step / 1e9:g} s; those of {to.name} are shorter, and cannot be "
            "made of them. Give shorter bars"
        )
        raise DataError(message)
    begins = bins(stamps, homes, sessions, to, dated=False).begins
    closing = stamps == sessions.closes[homes]
    cut = np.flatnonzero((stamps - step < begins) & (before < begins) & ~closing)
    if len(cut):
        at = np.datetime64(int(stamps[cut[0]]), "ns")
        message = (
            f"{who} has bars of {step / 1e9:g} s; the one that closes at {at}Z reaches over the "
            f"end of a {to.name} bar. Choose a multiple, or the session on which they are anchored"
        )
        raise DataError(message)
    return None


def _unit_of(days: NDArray[np.int64], *, dated: bool) -> Unit | None:
    """Return the length of bars of a day or more; None where a session has several."""
    steps = np.diff(days)
    if not len(steps):
        return "day" if dated else None
    if not steps.all():
        return None
    usual = int(np.median(steps))
    return "day" if usual < 5 else "week" if usual < 26 else "month"


def _step_of(steps: Stamps) -> int | None:
    """Return the length that at least half of the bars have, but one; of two such the longer."""
    values, counts = np.unique(steps[:_STEPS_MAX], return_counts=True)
    most = int(counts.max())
    # What occurs once may be a gap.
    if most < 2 or 2 * most < min(len(steps), _STEPS_MAX):
        return None
    return int(values[counts == most].max())


def _check_splits(bars: Bars, block: Block, stamps: Stamps, found: Bins) -> None:
    """Refuse a bar of prices on both sides of a split."""
    for split in bars.splits:
        at = int(np.searchsorted(stamps, first_ns(split.day), "left"))
        if (
            split.symbol in block.row_of
            and 0 < at < len(stamps)
            and found.codes[at - 1] == found.codes[at]
        ):
            message = (
                f"a bar of raw prices of {split.symbol} would cross the {split.ratio:g}-for-1 "
                f"split of {split.date}; load them adjusted (adjust='splits')"
            )
            raise DataError(message)
