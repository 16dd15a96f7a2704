"""Two steps give the bars of one, whatever bars are missing."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import neural_trader as nt
from neural_trader.core import Bars, Block, DataError

MINUTE = 60_000_000_000
SESSIONS = [
    None,
    ("09:30", "16:00", "America/New_York"),
    ("18:00", "17:00", "America/New_York"),
    ("00:00", "24:00", "Europe/Berlin"),
    ("22:15", "21:45", "Australia/Sydney"),
]
# Each divides the next, from any anchor.
LENGTHS = ["5min", "15min", "1h", "4h", "day", "week"]
BEGINS = ["2024-03-08T00:00", "2024-10-31T00:00", "2024-03-29T20:00"]


@st.composite
def minute_bars(draw: st.DrawFn) -> Bars:
    """Draw some days of 5-minute bars, a share of them missing."""
    begin = int(np.datetime64(draw(st.sampled_from(BEGINS)), "ns").astype(np.int64))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    stamps = begin + 5 * MINUTE * np.arange(1, draw(st.integers(2, 2500)))
    share = draw(st.sampled_from([0.1, 0.7, 1.0]))
    stamps = stamps[random.random(len(stamps)) < share] if len(stamps) > 50 else stamps
    count = len(stamps)
    price = random.integers(1, 100, (4, count)).astype(float)
    fields = {
        "open": price[0],
        "high": price.max(axis=0),
        "low": price.min(axis=0),
        "close": price[1],
        "volume": random.integers(0, 1000, count).astype(float),
    }
    block = Block(("A",), stamps, {name: each[np.newaxis] for name, each in fields.items()})
    return Bars((block,), name="drawn")


@given(st.data())
@settings(max_examples=60)
def test_two_steps_are_one(data: st.DataObject) -> None:
    session = data.draw(st.sampled_from(SESSIONS))
    bars = data.draw(minute_bars())
    first = data.draw(st.integers(0, len(LENGTHS) - 2))
    second = data.draw(st.integers(first + 1, len(LENGTHS) - 1))
    try:
        one = nt.resample(bars, LENGTHS[second], session=session, incomplete="keep")
        middle = nt.resample(bars, LENGTHS[first], session=session, incomplete="keep")
    except DataError:
        return
    two = nt.resample(middle, LENGTHS[second], session=session, incomplete="keep")
    assert one.blocks[0].ts_close_ns.tolist() == two.blocks[0].ts_close_ns.tolist()
    assert one.data_hash == two.data_hash


@given(st.sampled_from(LENGTHS[:-1]), st.sampled_from(LENGTHS), st.integers(300, 3000))
@settings(max_examples=40)
def test_with_a_calendar_two_steps_are_one_though_the_last_bars_are_dropped(
    first: str, second: str, count: int
) -> None:
    pytest.importorskip("exchange_calendars")
    if LENGTHS.index(first) >= LENGTHS.index(second):
        return
    # Good Friday was 2024-03-29.
    days = [*range(25, 29), *range(32, 37)]
    begins = np.array(
        [np.datetime64("2024-02-29", "ns") + np.timedelta64(day, "D") for day in days]
    )
    opens = begins.astype(np.int64) + (13 * 60 + 30) * MINUTE
    stamps = (opens[:, np.newaxis] + MINUTE * np.arange(1, 391)).ravel()[:count]
    close = np.arange(1.0, len(stamps) + 1)
    bars = Bars((Block(("A",), stamps, {"close": close[np.newaxis]}),), name="made")
    try:
        one = nt.resample(bars, second, calendar="XNYS")
    except DataError as error:
        assert "is complete" in str(error)  # noqa: PT017 - nothing is left to compare
        return
    two = nt.resample(nt.resample(bars, first, calendar="XNYS"), second, calendar="XNYS")
    assert one.data_hash == two.data_hash


@given(st.data())
@settings(max_examples=30)
def test_nothing_is_lost_or_seen_early(data: st.DataObject) -> None:
    bars = data.draw(minute_bars())
    to = data.draw(st.sampled_from(LENGTHS))
    try:
        longer = nt.resample(bars, to, incomplete="keep")
    except DataError:
        return
    fields, found = bars.blocks[0].fields, longer.blocks[0].fields
    assert found["volume"].sum() == fields["volume"].sum()
    assert found["high"].max() == fields["high"].max()
    assert found["low"].min() == fields["low"].min()
    ends = longer.blocks[0].ts_close_ns
    # A day that ends at midnight is stamped a nanosecond before it, to keep its date.
    ends = ends + (ends % (1440 * MINUTE) == 1440 * MINUTE - 1)
    # Each bar holds what closed since the one before it, and nothing that closes later.
    for at, end in enumerate(ends):
        before = ends[at - 1] if at else -(2**62)
        stamps = bars.blocks[0].ts_close_ns
        inside = (stamps > before) & (stamps <= end)
        assert found["volume"][0, at] == fields["volume"][0, inside].sum()
