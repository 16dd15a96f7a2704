"""Times of every kind become close stamps in nanoseconds UTC."""

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader.core import DataError
from neural_trader.data.tables import Table
from neural_trader.data.times import read_times

DAY = 86_400_000_000_000
# 2021-01-04 and the day after it, since 1970.
FIRST = 18_631
ENDS = [(FIRST + 1) * DAY - 1, (FIRST + 2) * DAY - 1]
TEN = FIRST * DAY + 10 * 3_600_000_000_000
ZONE = dt.timezone(dt.timedelta(hours=-5))


def times(values: Any, dtype: Any = None) -> Any:
    frame = pl.DataFrame({"date": pl.Series(values, dtype=dtype)})
    return read_times(Table("the frame", frame), "date")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["2021-01-04", "2021-01-05"], None),
        ([" 2021-01-04", "2021-01-05 "], None),
        (["20210104", "20210105"], None),
        (["2021-01-04", "2021-01-05"], pl.Categorical),
        (["2021-01-04", "2021-01-05"], pl.Enum(["2021-01-05", "2021-01-04"])),
        ([20210104, 20210105], pl.Int32),
        (["2021-01-04 00:00:00", "2021-01-05 00:00:00"], None),
        (["2021-01-04T00:00:00-05:00", "2021-01-05T00:00:00-05:00"], None),
        ([dt.date(2021, 1, 4), dt.date(2021, 1, 5)], None),
        ([dt.datetime(2021, 1, 4), dt.datetime(2021, 1, 5)], pl.Datetime("ns")),  # noqa: DTZ001
        ([dt.datetime(2021, 1, 4), dt.datetime(2021, 1, 5)], pl.Datetime("ms")),  # noqa: DTZ001
        ([FIRST * 86_400, (FIRST + 1) * 86_400], None),
        ([FIRST * 86_400_000, (FIRST + 1) * 86_400_000], None),
        ([FIRST * DAY, (FIRST + 1) * DAY], None),
    ],
)
def test_dates_close_at_the_end_of_their_day(values: Any, dtype: Any) -> None:
    found = times(values, dtype)
    assert found.stamps.dtype == np.int64
    assert found.stamps.tolist() == ENDS
    assert found.clock == "dates"


def test_midnights_of_a_time_zone_are_its_dates() -> None:
    local = pl.Series([dt.datetime(2021, 1, 4), dt.datetime(2021, 1, 5)])  # noqa: DTZ001
    assert times(local.dt.replace_time_zone("America/New_York")).stamps.tolist() == ENDS


@pytest.mark.parametrize(
    ("value", "stamp"),
    [
        ("2021-01-04T10:00:00", TEN),
        ("2021-01-04 10:00", TEN),
        ("2021-01-04T10:00:00Z", TEN),
        ("2021-01-04T05:00:00-05:00", TEN),
        ("2021-01-04T15:30:00+0530", TEN),
        ("2021-01-04T12:00+02", TEN),
        ("2021-01-04T10:00:00.5", TEN + 500_000_000),
        ("2021-01-04T10:00:00.123456789Z", TEN + 123_456_789),
        ("1969-12-31T23:59:59.999999999", -1),
        (dt.datetime(2021, 1, 4, 10), TEN),  # noqa: DTZ001
        (dt.datetime(2021, 1, 4, 5, tzinfo=ZONE), TEN),
        (TEN // 10**9, TEN),
        (TEN // 10**6 + 1, TEN + 10**6),
        (TEN // 10**3 + 1, TEN + 10**3),
        (TEN + 1, TEN + 1),
        (f"{TEN + 1}", TEN + 1),
    ],
)
def test_times_are_the_close_as_given(value: Any, stamp: int) -> None:
    assert times([value]).stamps.tolist() == [stamp]


def test_offsets_of_one_time_zone_may_change() -> None:
    local = pl.Series([dt.datetime(2021, 1, 4, 16), dt.datetime(2021, 7, 5, 16)])  # noqa: DTZ001
    found = times(local.dt.replace_time_zone("America/New_York"))
    hours = [(stamp % DAY) // 3_600_000_000_000 for stamp in found.stamps.tolist()]
    assert hours == [21, 20]
    assert found.clock == "America/New_York"


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1.5], None),
        ([True], None),
        ([dt.time(10)], None),
        ([dt.date(1600, 1, 1)], None),
        ([dt.datetime(2500, 1, 1, 10)], None),  # noqa: DTZ001
        ([0], None),
        ([10**9, 10**12], None),
        ([99_999_999], None),
        ([2**62 + 2**61, 2**63 - 1], None),
        (["99999999999999999999"], None),
        (["9223372036854775808"], None),
        (["2021-1-4"], None),
        (["2021-01-04T10:60"], None),
        (["2021-01-04T10:00:60"], None),
        (["2021-01-04T10:00 Europe/Berlin"], None),
        ([None], pl.String),
        ([None], pl.Date),
        ([""], None),
    ],
)
def test_what_is_no_time_is_refused(values: Any, dtype: Any) -> None:
    with pytest.raises(DataError, match="the frame"):
        times(values, dtype)
