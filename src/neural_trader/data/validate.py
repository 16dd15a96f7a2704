"""What bars must be before anything trades on them.

Stamps rise strictly; prices are finite and positive; volumes are finite and not negative; the high
is the highest and the low the lowest price of a bar. The first fault is told by its row, with the
number of others of its kind.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError
from neural_trader.core.sessions import session_date
from neural_trader.data.layouts import Series

Faults = tuple[NDArray[np.intp], str, str]


def find_fault(series: Series) -> DataError | None:
    """Return the first fault of a series, in the order of its rows; None where it has none."""
    first: tuple[int, NDArray[np.intp], str, str] | None = None
    for positions, text, advice in _faults(series):
        at = int(positions[0])
        if first is None or at < first[0]:
            first = (at, positions, text, advice)
    if first is None:
        return None
    at, positions, text, advice = first
    described = text.format(**_values(series, at))
    row = int(series.rows[at])
    return series.table.fault(row, f"{series.symbol}: {described}", advice, more=len(positions) - 1)


def _values(series: Series, at: int) -> dict[str, str]:
    """Return what a message can say about a bar: its columns' names and values, its time."""
    told = {
        name: f"{series.columns[name]} {values[at]:.10g}" for name, values in series.fields.items()
    }
    told["time"] = _time(int(series.stamps[at]))
    told["before"] = _time(int(series.stamps[at - 1])) if at else ""
    return told


def _time(stamp: int) -> str:
    """Return a stamp as a date where it closes a day, else to the second."""
    of_day = stamp % 86_400_000_000_000
    if of_day == 86_399_999_999_999:
        return session_date(stamp).isoformat()
    return f"{np.datetime64(stamp, 'ns')}Z".replace(".000000000", "")


def _faults(series: Series) -> Iterator[Faults]:
    """Yield each kind of fault that occurs, with the positions of all of its kind."""
    for positions, text, advice in _all_faults(series):
        if len(positions):
            yield positions, text, advice


def _all_faults(series: Series) -> Iterator[Faults]:
    step = np.diff(series.stamps)
    sort = "Sort the rows by time"
    yield np.flatnonzero(step < 0) + 1, "{time} comes after {before}: times are unsorted", sort
    twice = "{time} stands twice; expected one bar a time"
    yield np.flatnonzero(step == 0) + 1, twice, "Drop one of the two"
    drop = "Drop the row or mend the value"
    for name, values in series.fields.items():
        shown = f"{{{name}}}"
        yield (
            np.flatnonzero(np.isnan(values)),
            f"{name} is empty or NaN",
            f"{drop}: no gap is filled",
        )
        yield np.flatnonzero(np.isinf(values)), f"{shown} is not finite", drop
        if name == "volume":
            negative = np.flatnonzero((values < 0) & np.isfinite(values))
            yield negative, f"{shown} is negative; expected 0 or more", drop
        else:
            low = np.flatnonzero((values <= 0) & np.isfinite(values))
            yield low, f"{shown} is not positive; expected a price above 0", drop
    yield from _out_of_range(series)


def _out_of_range(series: Series) -> Iterator[Faults]:
    high, low = series.fields.get("high"), series.fields.get("low")
    mend = "Mend or drop the bar"
    if high is not None and low is not None:
        yield np.flatnonzero(high < low), "{high} is below {low}", mend
    for name in ("open", "close"):
        values = series.fields.get(name)
        if values is None:
            continue
        if high is not None:
            yield np.flatnonzero(values > high), f"{{{name}}} is above {{high}}", mend
        if low is not None:
            yield np.flatnonzero(values < low), f"{{{name}}} is below {{low}}", mend
