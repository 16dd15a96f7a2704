"""What bars must be before anything trades on them.

Stamps rise strictly; prices are finite and positive; volumes are finite and not negative; the high
is the highest and the low the lowest price of a bar, up to one part in a billion. The first fault
is told by its row, with the number of others of its kind.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels.soundness import is_sound
from neural_trader.core import DataError
from neural_trader.core.sessions import session_date
from neural_trader.data.layouts import Series

# Vendors adjust each price of a bar by itself, so that equal ones differ in their last bits.
_NOISE: Final = 1e-9

Faults = tuple[NDArray[np.intp], str, str]


def find_fault(series: Series) -> DataError | None:
    """Return the first fault of a series, in the order of its rows; None where it has none."""
    if _is_sound(series):
        return None
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
    # A column of a wide table bears the name of its symbol: once is enough.
    owner = "" if described.startswith(f"{series.symbol} ") else f"{series.symbol}: "
    return series.table.fault(row, f"{owner}{described}", advice, more=len(positions) - 1)


def _is_sound(series: Series) -> bool:
    """Return whether no check can fail: the common case, in a fraction of their time."""
    stamps, fields = series.stamps, series.fields
    if not (stamps[1:] > stamps[:-1]).all():
        return False
    return are_sound(fields)


def are_sound(fields: Mapping[str, NDArray[np.float64]]) -> bool:
    """Return whether the values of every bar are what they must be, each field of shape (T,)."""
    close = fields["close"]
    open_, volume = fields.get("open", close), fields.get("volume", close)
    # What is in range without allowing for noise is so in one pass, and that is nearly all.
    if ("high" in fields) == ("low" in fields) and is_sound(
        open_, fields.get("high", open_), fields.get("low", open_), close, volume
    ):
        return True
    is_full = all(is_positive(x, is_volume=name == "volume") for name, x in fields.items())
    return is_full and is_in_range(fields)


def is_positive(values: NDArray[np.float64], *, is_volume: bool) -> bool:
    """Return whether all values are finite, and prices above or volumes at least zero."""
    # A NaN among the values makes both of them NaN, which compares as False.
    low, high = float(values.min()), float(values.max())
    return (low >= 0.0 if is_volume else low > 0.0) and high < np.inf


def is_in_range(fields: Mapping[str, NDArray[np.float64]]) -> bool:
    """Return whether the prices of every bar lie between its low and its high."""
    high, low = fields.get("high"), fields.get("low")
    if high is not None and low is not None and _is_under(high, low):
        return False
    inner = [fields[name] for name in ("open", "close") if name in fields]
    return all(
        (high is None or not _is_over(values, high)) and (low is None or not _is_under(values, low))
        for values in inner
    )


def _is_over(values: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
    # Plainly first: what holds so holds with noise allowed for.
    return not bool((values <= high).all()) and bool((values * (1 - _NOISE) > high).any())


def _is_under(values: NDArray[np.float64], low: NDArray[np.float64]) -> bool:
    return not bool((values >= low).all()) and bool((values < low * (1 - _NOISE)).any())


def _values(series: Series, at: int) -> dict[str, str]:
    """Return what a message can say about a bar: its columns' names and values, its time."""
    told = {
        name: f"{series.columns[name]} {float(values[at])!r}"
        for name, values in series.fields.items()
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
        yield from _no_numbers(series, name)
        yield np.flatnonzero(np.isinf(values)), f"{shown} is not finite", drop
        if name == "volume":
            negative = np.flatnonzero((values < 0) & np.isfinite(values))
            yield negative, f"{shown} is negative; expected 0 or more", drop
        else:
            low = np.flatnonzero((values <= 0) & np.isfinite(values))
            yield low, f"{shown} is not positive; expected a price above 0", drop
    yield from _out_of_range(series)


def _no_numbers(series: Series, field: str) -> Iterator[Faults]:
    """Tell empty cells from cells that hold something else: both are NaN in the values."""
    positions = np.flatnonzero(np.isnan(series.fields[field]))
    if not len(positions):
        return
    column = series.columns[field]
    shown = _escaped(column)
    cells = series.table.frame[column].gather(series.rows[positions]).to_list()
    empty = np.array([_is_empty(cell) for cell in cells])
    text = f"{shown} is empty or NaN"
    yield positions[empty], text, "Drop the row or fill the cell: no gap is filled here"
    others = positions[~empty]
    if len(others):
        cell = _escaped(repr(str(cells[int(np.argmin(empty))])[:40]))
        yield others, f"{shown} is {cell}; expected a number", "Mend the cell or drop the row"


def _escaped(text: str) -> str:
    """Return a text that stands for itself in a template."""
    return text.replace("{", "{{").replace("}", "}}")


def _is_empty(cell: object) -> bool:
    """Return whether a cell holds nothing: the ways in which texts and frames say so."""
    return cell is None or str(cell).strip().casefold() in {"", "nan", "-nan", "+nan"}


def _out_of_range(series: Series) -> Iterator[Faults]:
    high, low = series.fields.get("high"), series.fields.get("low")
    mend = "Mend or drop the bar"
    if high is not None and low is not None:
        yield np.flatnonzero(high < low * (1 - _NOISE)), "{high} is below {low}", mend
    for name in ("open", "close"):
        values = series.fields.get(name)
        if values is None:
            continue
        if high is not None:
            yield (
                np.flatnonzero(values * (1 - _NOISE) > high),
                f"{{{name}}} is above {{high}}",
                mend,
            )
        if low is not None:
            yield np.flatnonzero(values < low * (1 - _NOISE)), f"{{{name}}} is below {{low}}", mend
