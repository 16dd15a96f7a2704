"""Bars of any exchange keep their moments: time zones, days on which clocks change, half days."""

import csv
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core import Bars, Block
from neural_trader.data import load
from neural_trader.data.calendars import session_hours
from neural_trader.data.catalog import Catalog, Origin, export_bars, find_gaps
from neural_trader.data.frequencies import read_frequency
from neural_trader.data.quality import check_quality

ORIGIN = Origin(provider="import")
MINUTE_NS = 60_000_000_000
ZONES = (
    *("America/New_York", "America/Sao_Paulo", "Europe/London", "Asia/Tokyo", "Asia/Kathmandu"),
    *("Australia/Sydney", "Australia/Lord_Howe", "UTC"),
)
# A day before clocks change, the day itself and the one after, in both halves of the world.
CHANGES = tuple(
    dt.date(2021, month, day) + dt.timedelta(days=off)
    for month, day in ((3, 14), (3, 28), (4, 4), (10, 3), (10, 31), (11, 7))
    for off in (-1, 0, 1)
)
SYMBOLS = st.lists(
    st.text("ABCXYZ019./^=-_ü", min_size=1, max_size=7).filter(lambda s: s.strip() == s),
    min_size=1,
    max_size=3,
    unique=True,
)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, list[dt.datetime]]:
    """Return a time zone and rising times in it, each of which exists and is one moment."""
    zone = draw(st.sampled_from(ZONES))
    days = sorted(draw(st.sets(st.sampled_from(CHANGES), min_size=1, max_size=5)))
    minutes = sorted(draw(st.sets(st.integers(0, 24 * 60 - 1), min_size=1, max_size=4)))
    local = [
        dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
        for day in days
        for minute in minutes
    ]
    series = (
        pl.Series("time", local, dtype=pl.Datetime("ns"))
        .dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
        .drop_nulls()
        .unique()
        .sort()
    )
    return zone, series.to_list()


@given(moments(), SYMBOLS, st.data())
@settings(max_examples=40)
def test_a_moment_is_the_same_in_every_zone_and_comes_back(
    drawn: tuple[str, list[dt.datetime]], symbols: list[str], data: st.DataObject
) -> None:
    """From a column with a zone, from UTC texts, over the catalog and out of it again."""
    zone, times = drawn
    if not times or all(time.time() == dt.time(0) for time in times):
        return  # Times that all stand at midnight are dates, of the zone that they are in.
    closes = data.draw(
        st.lists(st.floats(0.01, 1e6), min_size=len(times), max_size=len(times)), label="closes"
    )
    utc = [time.astimezone(dt.UTC) for time in times]
    if all(time.time() == dt.time(0) for time in utc):
        return
    stamps = [round(time.timestamp()) * 1_000_000_000 for time in utc]
    table = pl.DataFrame(
        {
            "symbol": [symbol for symbol in symbols for _ in times],
            "time": pl.Series(times * len(symbols)).cast(pl.Datetime("us", zone)),
            "close": closes * len(symbols),
        }
    )
    bars = load(table)
    assert bars.symbols == tuple(symbols)
    for symbol in symbols:
        assert bars[symbol].ts_close_ns.tolist() == stamps
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "utc.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["symbol", "time", "close"])
            for symbol in symbols:
                for time, close in zip(utc, closes, strict=True):
                    writer.writerow([symbol, f"{time:%Y-%m-%dT%H:%M:%SZ}", repr(close)])
        assert load(folder / "utc.csv", cache=False).data_hash == bars.data_hash
        Catalog(folder / "kept").write(bars, ORIGIN, at="x", frequency="1Min")
        kept = Catalog(folder / "kept").load(symbols, frequency="1Min")
        assert kept.data_hash == bars.data_hash
        assert set(Catalog(folder / "kept").symbols("1Min")) == set(symbols)
        again = load(folder / "kept" / "1Min", symbols=symbols, cache=False)
        assert again.data_hash == bars.data_hash
        for suffix in (".csv", ".parquet"):
            export_bars(kept, folder / f"out{suffix}", frequency="1Min")
            out = load(folder / f"out{suffix}", symbols=symbols, cache=False)
            assert out.data_hash == bars.data_hash


def full_sessions(calendar: str, first: dt.date, days: int, minutes: int) -> np.ndarray[Any, Any]:
    """Return the closes of every bar of every session: half days are as short as they were."""
    opens, closes = session_hours(calendar, first, first + dt.timedelta(days=days))
    step = minutes * MINUTE_NS
    parts = [
        np.arange(begin // step * step + step, -(-end // step) * step + 1, step)
        for begin, end in zip(opens, closes, strict=True)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


# Thanksgiving and Christmas have half days, March and November change the clocks; years without.
AROUND = st.sampled_from(
    [dt.date(2021, 11, 1), dt.date(2021, 11, 22), dt.date(2022, 3, 7), dt.date(2020, 12, 21)]
)


@given(
    st.sampled_from(["XNYS", "XLON", "XPAR"]),
    AROUND,
    st.integers(3, 12),
    st.sampled_from([5, 15, 30, 60]),
    st.data(),
)
@settings(max_examples=15, deadline=None)
def test_half_days_and_changed_clocks_are_no_gaps_and_a_missing_bar_is_one(
    calendar: str, first: dt.date, days: int, minutes: int, data: st.DataObject
) -> None:
    pytest.importorskip("exchange_calendars")
    stamps = full_sessions(calendar, first, days, minutes)
    name = f"{minutes}Min" if minutes < 60 else "1Hour"
    bars = made(stamps)
    assert find_gaps(stamps, read_frequency(name), calendar)[2:] == ((), (), (), 0)
    with tempfile.TemporaryDirectory() as folder:
        Catalog(folder).write(bars, ORIGIN, at="x", frequency=name)
        [check] = [Catalog(folder).verify(each, calendar) for each in Catalog(folder).entries()]
        assert (check.fault, check.gaps is not None and check.gaps.whole) == ("", True)
        assert Catalog(folder).load("A/B.C", frequency=name).data_hash == bars.data_hash
    kinds = {"gap", "extra", "time_slip"}
    assert not [one for one in check_quality(bars, calendar=calendar).findings if one.kind in kinds]
    at = data.draw(st.integers(0, len(stamps) - 1), label="bar")
    less = np.delete(stamps, at)
    found = find_gaps(less, read_frequency(name), calendar)
    day = (np.datetime64(int(stamps[at]) - 1, "ns")).astype("datetime64[D]").item()
    if 0 < at < len(stamps) - 1:
        assert found.short == (day,)
        [gap] = [
            o for o in check_quality(made(less), calendar=calendar).findings if o.kind == "gap"
        ]
        assert str(day) in gap.message


def made(stamps: np.ndarray[Any, Any]) -> Bars:
    """Return bars of one symbol whose closes wander a little."""
    rng = np.random.default_rng(len(stamps))
    closes = 100.0 * np.exp(np.cumsum(1e-4 * rng.standard_normal(len(stamps))))
    return Bars((Block(("A/B.C",), stamps, {"close": closes.reshape(1, -1)}),), name="made")
