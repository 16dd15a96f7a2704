"""Longer bars from shorter ones: sessions, half days, summer time, nights, and what is refused."""

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

import neural_trader as nt
from neural_trader.core import Bars, Block, DataError, Split
from neural_trader.core.bars import Stamps
from neural_trader.core.sessions import session_day

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
NEW_YORK = ("09:30", "16:00", "America/New_York")


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def closes(begin: str, count: int, step: int = MINUTE) -> Stamps:
    """Return the closes of bars that begin at a time."""
    return ns(begin) + step * np.arange(1, count + 1)


def made(stamps: Stamps, symbol: str = "A", *, splits: tuple[Split, ...] = ()) -> Bars:
    """Return bars with whole numbers for prices and volumes, so that sums are exact."""
    random = np.random.default_rng(len(stamps))
    close = random.integers(50, 150, len(stamps)).astype(float)
    first = random.integers(50, 150, len(stamps)).astype(float)
    fields = {
        "open": first,
        "high": np.maximum(first, close) + random.integers(0, 5, len(stamps)),
        "low": np.minimum(first, close) - random.integers(0, 5, len(stamps)),
        "close": close,
        "volume": random.integers(0, 1000, len(stamps)).astype(float),
    }
    block = Block((symbol,), stamps, {name: each[np.newaxis] for name, each in fields.items()})
    return Bars((block,), name="made", splits=splits)


def times(bars: Bars) -> list[str]:
    return [str(each) for each in bars.blocks[0].ts_close_ns.astype("M8[ns]").astype("M8[m]")]


def test_hours_begin_with_the_session_and_end_with_it() -> None:
    bars = made(closes("2024-01-02T14:30", 390))
    hours = nt.resample(bars, "1h", session=NEW_YORK)
    expected = [f"2024-01-02T{hour}:30" for hour in range(15, 21)] + ["2024-01-02T21:00"]
    assert times(hours) == expected
    source, found = bars["A"], hours["A"]
    assert source.open is not None
    assert source.high is not None
    assert source.low is not None
    assert source.volume is not None
    for at, (begin, end) in enumerate([(60 * k, min(60 * k + 60, 390)) for k in range(7)]):
        assert found.open is not None
        assert found.high is not None
        assert found.low is not None
        assert found.volume is not None
        assert found.open[at] == source.open[begin]
        assert found.high[at] == max(source.high[begin:end])
        assert found.low[at] == min(source.low[begin:end])
        assert found.close[at] == source.close[end - 1]
        assert found.volume[at] == sum(source.volume[begin:end])


def test_without_sessions_the_utc_day_counts() -> None:
    bars = nt.resample(made(closes("2024-01-02T14:30", 390)), "1h", incomplete="keep")
    assert times(bars)[:2] == ["2024-01-02T15:00", "2024-01-02T16:00"]
    assert len(bars) == 7


def test_a_half_day_closes_early() -> None:
    pytest.importorskip("exchange_calendars")
    # The day after Thanksgiving 2023 closed at 13:00 in New York.
    stamps = np.concatenate([closes("2023-11-22T14:30", 390), closes("2023-11-24T14:30", 210)])
    bars = nt.resample(made(stamps), "2h", calendar="XNYS")
    assert times(bars)[-2:] == ["2023-11-24T16:30", "2023-11-24T18:00"]
    days = nt.resample(made(stamps), "day", calendar="XNYS")
    assert times(days) == ["2023-11-22T21:00", "2023-11-24T18:00"]


def test_summer_time_moves_the_open() -> None:
    # Daylight saving began on Sunday, 2024-03-10.
    stamps = np.concatenate([closes("2024-03-08T14:30", 390), closes("2024-03-11T13:30", 390)])
    hours = nt.resample(made(stamps), "1h", session=NEW_YORK)
    assert (times(hours)[0], times(hours)[7]) == ("2024-03-08T15:30", "2024-03-11T14:30")
    assert times(nt.resample(made(stamps), "day", session=NEW_YORK)) == [
        "2024-03-08T21:00",
        "2024-03-11T20:00",
    ]


def test_a_day_of_the_clock_change_has_another_length() -> None:
    # A whole day in New York: 23 hours on 2024-03-10, 25 on 2024-11-03.
    for begin, hours in (("2024-03-10T05:00", 23), ("2024-11-03T04:00", 25)):
        bars = made(closes(begin, hours, HOUR))
        day = nt.resample(bars, "day", session=("00:00", "24:00", "America/New_York"))
        assert len(day) == 1
        assert day.blocks[0].ts_close_ns[0] == bars.blocks[0].ts_close_ns[-1]


def test_a_session_over_night_is_that_of_its_close() -> None:
    # Futures: 18:00 to 17:00 in New York; Sunday evening belongs to Monday.
    stamps = np.concatenate(
        [closes("2024-01-07T23:00", 23 * 60), closes("2024-01-08T23:00", 23 * 60)]
    )
    night = ("18:00", dt.time(17), "America/New_York")
    days = nt.resample(made(stamps), "day", session=night)
    assert times(days) == ["2024-01-08T22:00", "2024-01-09T22:00"]
    four = nt.resample(made(stamps), "4h", session=night)
    assert times(four)[:6] == [
        "2024-01-08T03:00",
        "2024-01-08T07:00",
        "2024-01-08T11:00",
        "2024-01-08T15:00",
        "2024-01-08T19:00",
        "2024-01-08T22:00",
    ]


def test_what_lies_outside_of_the_session_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "neural_trader.data.aggregation")
    # A bar that closes with the open is before the session; one that closes with it is in it.
    stamps = np.concatenate([closes("2024-01-02T14:00", 30), closes("2024-01-02T14:30", 420)])
    inside = nt.resample(made(closes("2024-01-02T14:30", 390)), "day", session=NEW_YORK)
    bars = made(stamps)
    days = nt.resample(bars, "day", session=NEW_YORK)
    assert days.blocks[0].ts_close_ns.tolist() == inside.blocks[0].ts_close_ns.tolist()
    first, volume = bars["A"].open, bars["A"].volume
    assert first is not None
    assert volume is not None
    assert days["A"].open is not None
    assert days["A"].volume is not None
    assert (days["A"].open[0], days["A"].volume[0]) == (first[30], sum(volume[30:420]))
    assert "60 bars of ('A',) lie outside" in caplog.text
    with pytest.raises(DataError, match="no bar closes within a session"):
        nt.resample(made(closes("2024-01-02T02:00", 30)), "day", session=NEW_YORK)


def test_weeks_and_months_of_real_days_are_those_of_polars() -> None:
    bars = nt.load("us-ohlcv")
    for to, every in (("week", "1w"), ("month", "1mo")):
        found = nt.resample(bars, to, incomplete="keep").to_polars()
        expected = (
            bars.to_polars()
            .sort("symbol", "time")
            .group_by_dynamic("time", every=every, group_by="symbol", label="left")
            .agg(
                pl.col("time").last().alias("last"),
                pl.col("open").first(),
                pl.col("high").max(),
                pl.col("low").min(),
                pl.col("close").last(),
                pl.col("volume").sum(),
            )
            .sort("symbol", "last")
        )
        both = found.sort("symbol", "time")
        assert both["time"].to_list() == expected["last"].to_list()
        for name in ("open", "high", "low", "close", "volume"):
            assert both[name].to_list() == expected[name].to_list()


def test_the_last_bar_is_left_out_or_told() -> None:
    bars = made(closes("2024-01-02T14:30", 100))
    dropped = nt.resample(bars, "1h", session=NEW_YORK)
    assert (times(dropped), dropped.labels) == (["2024-01-02T15:30"], ())
    kept = nt.resample(bars, "1h", session=NEW_YORK, incomplete="keep")
    assert times(kept) == ["2024-01-02T15:30", "2024-01-02T16:30"]
    assert kept.labels == ("incomplete last bar",)
    whole = nt.resample(made(closes("2024-01-02T14:30", 120)), "1h", session=NEW_YORK)
    assert (len(whole), whole.labels) == (2, ())
    with pytest.raises(DataError, match="no bar of 1Day is complete"):
        nt.resample(bars, "day", session=NEW_YORK)


def test_a_week_is_over_when_no_session_of_it_follows() -> None:
    pytest.importorskip("exchange_calendars")
    # Good Friday 2024 was 03-29, so that the week and the quarter ended on Thursday.
    days = [f"2024-03-{each}" for each in (18, 19, 20, 21, 22, 25, 26, 27, 28)]
    frame = {"date": days, "A": np.arange(1.0, 10.0)}
    bars = nt.load(frame)
    assert len(nt.resample(bars, "week", calendar="XNYS")) == 2
    assert len(nt.resample(bars, "week")) == 1, "without a calendar Friday may come"
    assert len(nt.resample(bars, "month", calendar="XNYS")) == 1
    assert len(nt.resample(nt.load(frame, end="2024-03-27"), "week", calendar="XNYS")) == 1


def test_closes_alone_and_several_calendars_work() -> None:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], start="2021-01-01", end="2021-12-31")
    months = nt.resample(bars, "month")
    assert (months.basis, months.labels, len(months)) == ("total-return", ("survivors",), 12)
    assert list(months.blocks[0].fields) == ["close"]
    assert months["KO"].close[0] == bars["KO"].close[18]
    other = made(closes("2024-01-02T14:30", 390, MINUTE)).blocks[0]
    fewer = Block(("B",), other.ts_close_ns[5:], {"close": other.fields["close"][:, 5:]})
    both = nt.resample(Bars((other, fewer), name="both"), "1h", session=NEW_YORK)
    assert both["A"].ts_close_ns.tolist() == both["B"].ts_close_ns.tolist()


@pytest.mark.parametrize(
    ("step", "to", "message"),
    [
        (5 * MINUTE, "1min", "has bars of 300 s; those of 1Min are shorter"),
        (5 * MINUTE, "7min", "reaches over the end of a 7Min bar. Choose a multiple"),
        (2 * HOUR, "1h", "has bars of 7200 s; those of 1Hour are shorter"),
        (24 * HOUR, "1h", "has one bar a day; bars of 1Hour are shorter"),
        (7 * 24 * HOUR, "day", "has one bar a week; bars of 1Day are shorter"),
        (7 * 24 * HOUR, "month", "weekly bars, which reach over the ends of months"),
    ],
)
def test_shorter_bars_cannot_be_made(step: int, to: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        nt.resample(made(closes("2024-01-01T00:00", 50, step)), to)


def test_bars_of_the_clock_do_not_fit_a_session_that_begins_between() -> None:
    # Closes at 15:00, 16:00, ... UTC; the session begins at 14:30.
    with pytest.raises(DataError, match="reaches over the end of a 1Hour bar"):
        nt.resample(made(closes("2024-01-02T14:00", 7, HOUR)), "1h", session=NEW_YORK)


def test_the_short_last_bar_of_a_session_is_no_reason_to_refuse() -> None:
    stamps = np.concatenate(
        [
            np.append(closes(f"2024-01-0{day}T14:30", 6, HOUR), ns(f"2024-01-0{day}T21:00"))
            for day in (2, 3, 4)
        ]
    )
    bars = nt.resample(made(stamps), "2h", session=NEW_YORK)
    assert times(bars)[:4] == [
        f"2024-01-02T{each}" for each in ("16:30", "18:30", "20:30", "21:00")
    ]


def test_no_bar_of_raw_prices_crosses_a_split() -> None:
    raw = nt.load("us-ohlcv", symbols="AAPL", adjust="none")
    with pytest.raises(DataError, match="would cross the 2-for-1 split of 2000-06-21"):
        nt.resample(raw, "month")
    # 2005-02-28 was a Monday: weeks do not cross it, and the raw bars still name it.
    weeks = nt.resample(
        nt.load("us-ohlcv", symbols="AAPL", adjust="none", start="2001-01-01"), "week"
    )
    assert [each.day for each in weeks.splits] == [session_day("2005-02-28", option="day")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "fortnight"}, "to is 'fortnight'; expected the length of a bar"),
        ({"to": "90min"}, "to is '90min'"),
        ({"to": 5}, "to is 5"),
        ({"to": dt.timedelta(minutes=1, seconds=1)}, "to is datetime.timedelta"),
        ({"to": "day", "incomplete": "maybe"}, "incomplete is 'maybe'; expected 'drop' or 'keep'"),
        ({"to": "day", "session": ("9", "x", "UTC")}, "session is"),
        ({"to": "day", "session": ("09:30", "16:00", "Mars/Base")}, "session is"),
        ({"to": "day", "session": ("09:30", "16:00")}, "session is"),
        ({"to": "day", "session": NEW_YORK, "calendar": "XNYS"}, "calendar and session are both"),
    ],
)
def test_arguments_that_cannot_be_used(options: dict[str, Any], message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        nt.resample(made(closes("2024-01-02T14:30", 390)), **options)


def test_an_unknown_calendar_is_told() -> None:
    pytest.importorskip("exchange_calendars")
    with pytest.raises(nt.ConfigError, match="calendar is 'NOPE'; expected the market identifier"):
        nt.resample(made(closes("2024-01-02T14:30", 390)), "day", calendar="NOPE")


def test_durations_are_lengths_too() -> None:
    bars = made(closes("2024-01-02T14:30", 390))
    by_word = nt.resample(bars, "30m", session=NEW_YORK)
    by_time = nt.resample(bars, dt.timedelta(minutes=30), session=NEW_YORK)
    assert by_word.data_hash == by_time.data_hash
    assert len(by_word) == 13


def test_a_day_of_a_market_that_never_closes_keeps_its_date() -> None:
    pytest.importorskip("exchange_calendars")
    bars = made(closes("2024-01-01T00:00", 48, HOUR))
    for options in ({}, {"calendar": "24/7"}):
        days = nt.resample(bars, "day", **options)  # type: ignore[arg-type]
        assert [
            str(each) for each in days.blocks[0].ts_close_ns.astype("M8[ns]").astype("M8[D]")
        ] == [
            "2024-01-01",
            "2024-01-02",
        ]


def test_without_a_calendar_a_week_ends_on_friday_or_later() -> None:
    week = [f"2021-01-{day}" for day in (11, 12, 13, 14, 15)]
    for days, weeks in ((week[:1], 0), (week[:4], 0), (week, 1), (["2021-01-09", *week], 1)):
        bars = nt.load({"date": days, "A": np.arange(1.0, len(days) + 1)})
        if weeks:
            # A Saturday that has a bar may have one next week, too.
            assert len(nt.resample(bars, "week")) == weeks
        else:
            with pytest.raises(DataError, match="no bar of 1Week is complete"):
                nt.resample(bars, "week")


def test_bars_of_the_length_that_is_asked_for_stay() -> None:
    days = nt.load("us-ohlcv", end="2002-03-28")
    for to in ("day", "week", "month"):
        once = nt.resample(days, to, incomplete="keep")
        assert nt.resample(once, to).data_hash == once.data_hash


def test_sums_stay_numbers_and_bars_are_bars() -> None:
    block = made(closes("2024-01-02T00:00", 20)).blocks[0]
    fields = dict(block.fields) | {"volume": np.full((1, 20), 1e308)}
    bars = Bars((Block(("A",), block.ts_close_ns, fields),), name="made")
    with np.errstate(over="ignore"), pytest.raises(DataError, match="more than a number can hold"):
        nt.resample(bars, "10min")
    with pytest.raises(nt.ConfigError, match="bars is a DataFrame; expected Bars"):
        nt.resample(bars.to_polars(), "day")  # type: ignore[arg-type]
