"""A column of times becomes stamps: int64 nanoseconds UTC at the close of a bar.

Dates, datetimes (naive ones are UTC), texts in ISO form and integer epochs are understood. A column
whose times all stand at midnight carries dates: each bar is then stamped with the last nanosecond
of its UTC day. All times of a column must be of one kind.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from neural_trader.core import DataError
from neural_trader.core.bars import Stamps
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.tables import Table

if TYPE_CHECKING:
    import polars as pl

DATES: Final = "dates"
NAIVE: Final = "naive times"
_ADVICE: Final = (
    "Use dates (2021-01-04), ISO times (2021-01-04T21:00:00Z) or integer epochs in one form "
    "throughout"
)
_DATE: Final = r"^\d{4}-\d{2}-\d{2}$"
_ISO: Final = (
    r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,9}))?\s?"
    r"(Z|z|[+-]\d{2}:?\d{2}|[+-]\d{2})?$"
)
_INTEGER: Final = r"^-?\d{1,20}$"
# Stamps are int64 nanoseconds: they reach from 1677-09-22 to 2262-04-10.
DAY_MAX: Final = 106_750


class Times(NamedTuple):
    """Stamps of shape (T,), and the kind of clock that they were read from."""

    stamps: Stamps
    clock: str


def read_times(table: Table, column: str) -> Times:
    """Read the time column of a table.

    Raises
    ------
    DataError
        A cell is empty or no time, or the column mixes kinds or time zones.
    """
    import polars as pl

    series = table.frame[column]
    if series.null_count():
        missing = np.flatnonzero(series.is_null().to_numpy())
        text = f"column {column!r} has no time"
        raise table.fault(int(missing[0]), text, "Fill or drop the row", more=len(missing) - 1)
    if series.dtype == pl.Date:
        return _from_days(table, column, series.cast(pl.Int64).to_numpy())
    if isinstance(series.dtype, pl.Datetime):
        return _from_datetimes(table, column, series)
    if series.dtype.is_integer():
        return _from_integers(table, column, series)
    if isinstance(series.dtype, (pl.String, pl.Categorical, pl.Enum)):
        return _from_text(table, column, series.cast(pl.String))
    message = (
        f"{table.name}: column {column!r} holds {series.dtype} (such as {series[0]!r}), which "
        f"is no time. {_ADVICE}"
    )
    raise DataError(message)


def _from_days(table: Table, column: str, days: Stamps) -> Times:
    far = np.flatnonzero(np.abs(days) > DAY_MAX)
    if len(far):
        text = f"column {column!r}: the date lies outside 1677 to 2262"
        raise table.fault(int(far[0]), text, "Mend or drop the row", more=len(far) - 1)
    return Times(days * DAY_NS + (DAY_NS - 1), DATES)


def _from_datetimes(table: Table, column: str, series: "pl.Series") -> Times:
    """Read typed datetimes; those of a time zone are already kept in UTC."""
    import polars as pl

    zone = series.dtype.time_zone if isinstance(series.dtype, pl.Datetime) else None
    local = series.dt.replace_time_zone(None)
    days = local.dt.date().to_physical().to_numpy().astype(np.int64)
    if not table.stamped and bool((local == local.dt.truncate("1d")).all()):
        return _from_days(table, column, days)
    _from_days(table, column, days)  # The range: nanoseconds would wrap around silently.
    utc = series.dt.convert_time_zone("UTC") if zone else series
    stamps = utc.dt.replace_time_zone(None).dt.cast_time_unit("ns").to_physical().to_numpy()
    return Times(stamps.astype(np.int64), zone or NAIVE)


def _from_integers(table: Table, column: str, series: "pl.Series") -> Times:
    """Read integers by their size: YYYYMMDD, or seconds to nanoseconds since 1970."""
    import polars as pl

    integers = series.cast(pl.Int64, strict=False)
    wrong = np.flatnonzero(integers.is_null().to_numpy())
    if len(wrong):
        row = int(wrong[0])
        found = f"column {column!r}: the integer {series[row]} is beyond 64 bits"
        raise table.fault(row, found, _ADVICE, more=len(wrong) - 1)
    values = integers.to_numpy()
    if len(values) and values.min() >= 10_000_101 and values.max() <= 99_991_231:
        dates = pl.Series(values).cast(pl.String).str.to_date("%Y%m%d", strict=False)
        wrong = np.flatnonzero(dates.is_null().to_numpy())
        if len(wrong):
            row = int(wrong[0])
            found = f"column {column!r}: {values[row]} is no date of the form YYYYMMDD"
            raise table.fault(row, found, _ADVICE, more=len(wrong) - 1)
        return _from_days(table, column, dates.to_physical().to_numpy().astype(np.int64))
    # The size of the lowest integer is no int64: its magnitude is taken by hand.
    magnitudes = np.abs(np.maximum(values, -(2**63 - 1)))
    sizes = np.searchsorted(np.array([10**8, 10**11, 10**14, 10**17]), magnitudes, "right")
    wrong = np.flatnonzero((sizes == 0) | (sizes != (sizes[0] if len(sizes) else 0)))
    if len(wrong):
        row = int(wrong[0])
        found = (
            f"column {column!r}: the integer {values[row]} is neither YYYYMMDD nor an epoch in the "
            "unit of the rows before"
        )
        raise table.fault(row, found, _ADVICE, more=len(wrong) - 1)
    scale = (1, 10**9, 10**6, 10**3, 1)[int(sizes[0]) if len(sizes) else 0]
    days = values // (DAY_NS // scale)
    if np.array_equal(days * (DAY_NS // scale), values):
        return _from_days(table, column, days)
    _from_days(table, column, days)
    return Times(values * scale, NAIVE)


def _from_text(table: Table, column: str, text: "pl.Series") -> Times:
    """Read texts, all of one kind: dates, integers, or times with one offset."""
    import polars as pl

    stripped = pl.col("text").str.strip_chars()
    # One query: each of its own would cost as much as a thousand rows of it.
    told = text.to_frame("text").select(
        text=stripped,
        dated=stripped.str.contains(_DATE),
        parsed=stripped.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False),
    )
    text, parsed = told["text"], told["parsed"]
    dated = told["dated"].to_numpy()
    timed = dated
    if not len(text) or not bool(dated.all()):
        if bool(text.str.contains(_INTEGER).all()):
            return _from_integers(table, column, text)
        timed = text.str.contains(_ISO).to_numpy()
    is_mixed = timed is not dated and bool(dated.any()) and bool(timed.any())
    wrong = np.flatnonzero(~(dated | timed))
    if len(wrong):
        row = int(wrong[0])
        found = f"column {column!r}: {text[row]!r} is no time"
        raise table.fault(row, found, _ADVICE, more=len(wrong) - 1)
    if is_mixed:
        row = int(np.flatnonzero(dated != dated[0])[0])
        found = f"column {column!r}: {text[row]!r} mixes dates and times; row 1 is {text[0]!r}"
        raise table.fault(row, found, _ADVICE)
    if parsed.null_count():
        wrong = np.flatnonzero(parsed.is_null().to_numpy())
        row = int(wrong[0])
        found = f"column {column!r}: {text[row]!r} is no day of the calendar"
        raise table.fault(row, found, _ADVICE, more=len(wrong) - 1)
    days = parsed.to_physical().to_numpy().astype(np.int64)
    if bool(dated.all()):
        return _from_days(table, column, days)
    return _from_iso(table, column, text, days)


def _from_iso(table: Table, column: str, text: "pl.Series", days: Stamps) -> Times:
    """Add clock, fraction and offset to the days of ISO times."""
    import polars as pl

    parts = text.to_frame("text").select(
        hour=pl.col("text").str.slice(11, 2).cast(pl.Int64),
        minute=pl.col("text").str.slice(14, 2).cast(pl.Int64),
        second=pl.col("text").str.extract(_ISO, 3).str.slice(1).cast(pl.Int64).fill_null(0),
        fraction=pl.col("text")
        .str.extract(_ISO, 4)
        .str.pad_end(9, "0")
        .cast(pl.Int64)
        .fill_null(0),
        offset=pl.col("text").str.extract(_ISO, 5).str.to_uppercase().fill_null(""),
    )
    clock = {name: parts[name].to_numpy() for name in ("hour", "minute", "second", "fraction")}
    wrong = np.flatnonzero((clock["hour"] > 23) | (clock["minute"] > 59) | (clock["second"] > 59))
    if len(wrong):
        row = int(wrong[0])
        found = f"column {column!r}: {text[row]!r} is no time of day"
        raise table.fault(row, found, _ADVICE, more=len(wrong) - 1)
    offsets = parts["offset"].replace("Z", "+00:00")
    mixed = np.flatnonzero((offsets != offsets[0]).to_numpy())
    if len(mixed):
        row = int(mixed[0])
        found = f"column {column!r}: {text[row]!r} mixes time zones; row 1 is {text[0]!r}"
        advice = "Convert all times to UTC, or all to one offset"
        raise table.fault(row, found, advice, more=len(mixed) - 1)
    seconds = (clock["hour"] * 60 + clock["minute"]) * 60 + clock["second"]
    of_day = seconds * 10**9 + clock["fraction"]
    dates = _from_days(table, column, days)
    if not of_day.any():
        return dates
    clock_of, ahead = read_offset(str(parts["offset"][0]))
    return Times(days * DAY_NS + of_day - ahead, clock_of)


def read_offset(text: str) -> tuple[str, int]:
    """Return the clock of an offset from UTC, and by how many nanoseconds it is ahead of UTC."""
    offset = "+00:00" if text in {"Z", "z"} else text
    return f"offset {offset}" if offset else NAIVE, _offset_ns(offset)


def _offset_ns(offset: str) -> int:
    """Return the nanoseconds that a clock of this offset is ahead of UTC."""
    if not offset:
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if offset[0] == "-" else minutes) * 60 * 10**9
