"""The catalog: atomic, appended without doubles, safe with two writers, and true about itself."""

import datetime as dt
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from neural_trader.core import Bars, Block, ConfigError, DataError
from neural_trader.data import load
from neural_trader.data.catalog import Catalog, Origin, file_name, find_gaps, symbol_of, uncovered
from neural_trader.data.catalog.seals import KEY, OPEN, sealed
from neural_trader.data.frequencies import read_frequency

DAY_NS = 86_400_000_000_000
FIRST = 18_631  # 2021-01-04, a Monday
RAW = Origin(provider="import")
AT = "2026-01-01T00:00:00Z"


def daily(first: int, count: int, price: float = 100.0, symbol: str = "A") -> Bars:
    days = np.arange(first, first + count)
    close = (price + (days - FIRST) * 0.25).astype(np.float64)
    block = Block(
        (symbol,), (days + 1) * DAY_NS - 1, {"close": np.asarray(close[np.newaxis], np.float64)}
    )
    return Bars((block,), name="made")


def test_bars_are_appended_and_doubles_dropped(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    assert catalog.write(daily(FIRST + 10, 10), RAW, at=AT)[0].added == 10
    [written] = catalog.write(daily(FIRST, 15), RAW, at=AT)
    assert (written.added, written.same, written.replaced) == (10, 5, 0)
    assert catalog.load("A").data_hash == daily(FIRST, 20).data_hash
    before = (tmp_path / "1Day" / "A.parquet").stat()
    [again] = catalog.write(daily(FIRST, 20), RAW, at="2027-01-01T00:00:00Z")
    assert (again.added, again.same) == (0, 20)
    assert (tmp_path / "1Day" / "A.parquet").stat().st_ino == before.st_ino, "nothing changed"


def test_a_bar_with_other_values_is_refused_with_its_row(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(daily(FIRST, 5), RAW, at=AT)
    with pytest.raises(DataError, match=r"row 2 of the new bars: A at 2021-01-04.* 50\.0,.*100\.0"):
        catalog.write(daily(FIRST - 1, 5, 50.0), RAW, at=AT)
    assert catalog.load("A").data_hash == daily(FIRST, 5).data_hash


@pytest.mark.parametrize(("choice", "expected"), [("new", 50.0), ("old", 100.0)])
def test_which_of_two_values_counts(tmp_path: Path, choice: str, expected: float) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(daily(FIRST, 5), RAW, at=AT)
    [written] = catalog.write(daily(FIRST, 6, 50.0), RAW, at=AT, on_conflict=choice)  # type: ignore[arg-type]
    assert written.added == 1
    assert written.replaced == (5 if choice == "new" else 0)
    assert catalog.load("A")["A"].close[0] == expected


def test_origins_and_fields_do_not_mix(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(daily(FIRST, 5), RAW, at=AT)
    with pytest.raises(DataError, match="feed unknown there, iex new"):
        catalog.write(daily(FIRST, 5), Origin(provider="import", feed="iex"), at=AT)
    days = (np.arange(FIRST, FIRST + 2) + 1) * DAY_NS - 1
    wide = {"close": np.ones((1, 2)), "volume": np.ones((1, 2))}
    with pytest.raises(DataError, match="has the fields close; the new bars have close, volume"):
        catalog.write(Bars((Block(("A",), days, wide),), name="x"), RAW, at=AT)
    with pytest.raises(ConfigError, match="the bars are raw"):
        catalog.write(daily(FIRST, 5), Origin(provider="x", basis="total-return"), at=AT)
    with pytest.raises(ConfigError, match="on_conflict"):
        catalog.write(daily(FIRST, 5), RAW, at=AT, on_conflict="latest")  # type: ignore[arg-type]
    catalog.write(
        daily(FIRST, 2, 7.0), Origin(provider="other", feed="iex"), at=AT, replace_all=True
    )
    assert len(catalog.load("A")) == 2


def test_a_frequency_that_the_bars_do_not_have_is_refused(tmp_path: Path) -> None:
    hours = np.arange(5) * 3_600_000_000_000 + FIRST * DAY_NS + 1
    bars = Bars((Block(("A",), hours, {"close": np.ones((1, 5))}),), name="hours")
    with pytest.raises(DataError, match="row 2 of A: it closes less than 1Day after"):
        Catalog(tmp_path).write(bars, RAW, at=AT)
    with pytest.raises(DataError, match="A has dates alone; bars of 1Hour have times"):
        Catalog(tmp_path).write(daily(FIRST, 5), RAW, at=AT, frequency="1h")
    assert not list(tmp_path.rglob("*.parquet"))
    Catalog(tmp_path).write(bars, RAW, at=AT, frequency="1h")
    assert Catalog(tmp_path).load("A", frequency="1Hour").data_hash == bars.data_hash


def test_bars_that_close_at_midnight_stay_where_they_are(tmp_path: Path) -> None:
    """A file whose times all stand at midnight would read as dates, were it not the catalog's."""
    midnight = np.array([FIRST * DAY_NS])
    bars = Bars((Block(("A",), midnight, {"close": np.ones((1, 1))}),), name="one")
    Catalog(tmp_path).write(bars, RAW, at=AT, frequency="5Min")
    assert Catalog(tmp_path).load("A", frequency="5Min")["A"].ts_close_ns.tolist() == [
        FIRST * DAY_NS
    ]
    assert load(tmp_path / "5Min", cache=False)["A"].ts_close_ns.tolist() == [FIRST * DAY_NS]


def test_load_knows_the_basis_of_a_file(tmp_path: Path) -> None:
    bars = daily(FIRST, 5)
    bars.basis = "split-adjusted"
    Catalog(tmp_path).write(bars, Origin(provider="x", basis="split-adjusted"), at=AT)
    assert load(tmp_path / "1Day", cache=False).basis == "split-adjusted"
    assert Catalog(tmp_path).load().basis == "split-adjusted"


def test_the_splits_of_a_sample_go_along(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(load("us-ohlcv", adjust="none"), Origin(provider="samples"), at=AT)
    names = ("AAPL", "IBM", "MSFT")
    assert catalog.load(names).data_hash == load("us-ohlcv", adjust="none").data_hash
    assert catalog.load(names).splits == load("us-ohlcv", adjust="none").splits
    assert catalog.load(names, adjust="splits").data_hash == load("us-ohlcv").data_hash
    assert catalog.load("IBM").labels == ("survivors",)
    for cache in (False, True, True):
        again = load(tmp_path / "1Day", symbols=names, cache=cache)
        assert again.data_hash == load("us-ohlcv").data_hash
        assert (again.basis, again.labels) == ("split-adjusted", ("survivors",))
        raw = load(tmp_path / "1Day", symbols=names, cache=cache, adjust="none")
        assert (raw.basis, raw.splits) == ("raw", load("us-ohlcv", adjust="none").splits)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("BRK.B", "BRK.B"),
        ("BTC/USD", "BTC%2FUSD"),
        ("brk", "%62%72%6B"),
        ("..", "%2E."),
        (".A", "%2EA"),
        ("CON", "%43ON"),
        ("COM1.X", "%43OM1.X"),
        ("^GSPC", "^GSPC"),
        ("EURUSD=X", "EURUSD=X"),
        ("A%2F", "A%252F"),
        ("A B", "A%20B"),
        ("\u00dc", "%C3%9C"),
    ],
)
def test_symbols_as_file_names(symbol: str, name: str) -> None:
    assert file_name(symbol) == f"{name}.parquet"
    assert symbol_of(f"{name}.parquet") == symbol


@pytest.mark.parametrize("symbol", ["", " A", "A ", "A\nB", "A\0", "A" * 200, "\ud800"])
def test_names_that_are_no_symbols(symbol: str) -> None:
    with pytest.raises(ConfigError):
        file_name(symbol)


@pytest.mark.parametrize("name", ["a.parquet", "A%2.parquet", "%41.parquet", "%FF.parquet", "A%2f"])
def test_files_of_no_symbol(name: str) -> None:
    with pytest.raises(DataError, match="is the file of no symbol"):
        symbol_of(name)


def test_damage_is_found(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    for symbol in ("A", "B", "C", "D", "E"):
        catalog.write(daily(FIRST, 50, symbol=symbol), RAW, at=AT)
    folder = tmp_path / "1Day"
    data = (folder / "A.parquet").read_bytes()
    (folder / "A.parquet").write_bytes(data[: len(data) // 2])
    frame = pl.read_parquet(folder / "B.parquet")
    kept = pl.read_parquet_metadata(folder / "B.parquet")["neural_trader.provenance"]
    # Whole and sealed, but with other bars than its provenance counted.
    out = io.BytesIO()
    changed = frame.with_columns(close=pl.col("close") + 0.01)
    changed.write_parquet(out, metadata={"neural_trader.provenance": kept, KEY: OPEN})
    (folder / "B.parquet").write_bytes(sealed(out.getvalue()))
    (folder / "C.parquet").replace(folder / "Z.parquet")
    frame.write_parquet(folder / "D.parquet")
    (folder / "lower.parquet").write_bytes(data)
    faults = {each.entry.symbol: each.fault for each in map(catalog.verify, catalog.entries())}
    assert set(faults) == {"A", "B", "D", "E", "Z", "lower.parquet"}
    assert "is damaged" in faults["A"]
    assert "changed after they were written" in faults["B"]
    assert "renamed or moved" in faults["Z"]
    assert "no provenance" in faults["D"]
    assert "file of no symbol" in faults["lower.parquet"]
    assert faults["E"] == ""
    with pytest.raises(DataError):
        catalog.load("A")


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    """Before a Parquet reader sees it: one that follows a bad length may end the process."""
    catalog = Catalog(tmp_path)
    catalog.write(daily(FIRST, 8), RAW, at=AT)
    path = tmp_path / "1Day" / "A.parquet"
    data = path.read_bytes()
    [entry] = catalog.entries()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        assert catalog.verify(entry).fault, f"byte {at}"
    for length in range(0, len(data), 5):
        path.write_bytes(data[:length])
        assert catalog.verify(entry).fault, f"cut to {length}"
        assert catalog.entries()[0].fault, f"cut to {length}"


def test_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no catalog"):
        Catalog(tmp_path / "none").entries()
    with pytest.raises(DataError, match="has no series"):
        Catalog(tmp_path).load()
    Catalog(tmp_path).write(daily(FIRST, 5), RAW, at=AT)
    with pytest.raises(DataError, match="unknown symbol 'B'"):
        Catalog(tmp_path).load("B")
    with pytest.raises(DataError, match="no bar from 2031"):
        Catalog(tmp_path).load("A", start="2031-01-01", end="2031-02-01")
    with pytest.raises(ConfigError, match="is a file"):
        Catalog(tmp_path / "1Day" / "A.parquet")


WRITER = """
import sys, numpy as np
from neural_trader.core import Bars, Block
from neural_trader.data.catalog import Catalog, Origin
folder, first, step, count = sys.argv[1], *map(int, sys.argv[2:])
catalog = Catalog(folder)
print("ready", flush=True)
for at in range(count):
    day = np.array([first + at * step])
    block = Block(("A",), (day + 1) * 86_400_000_000_000 - 1, {"close": day.reshape(1, 1) * 1.0})
    catalog.write(Bars((block,), name="w"), Origin(provider="import"), at="x")
    print(at, flush=True)
"""


def writer(folder: Path, first: int, step: int, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(folder), str(first), str(step), str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [writer(tmp_path, FIRST + at, 2, 25) for at in range(2)]
    assert [each.communicate(timeout=60) and each.returncode for each in writers] == [0, 0]
    days = Catalog(tmp_path).load("A")["A"].ts_close_ns // DAY_NS
    assert days.tolist() == list(range(FIRST, FIRST + 50))


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """Killed at twelve moments: what was told as written is there, and all of it is whole."""
    catalog = Catalog(tmp_path)
    first = FIRST
    for round_ in range(12):
        process = writer(tmp_path, first, 1, 100_000)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        time.sleep(0.003 * round_)
        os.kill(process.pid, signal.SIGKILL)
        told = 1 + len(process.stdout.read().split())
        process.stdout.close()
        process.wait()
        days = (catalog.load("A")["A"].ts_close_ns // DAY_NS).tolist()
        assert days == list(range(FIRST, days[-1] + 1))
        assert days[-1] - first + 1 in (told, told + 1)
        first = days[-1] + 1
    catalog.write(daily(first, 1, symbol="A"), RAW, at=AT)
    assert not list((tmp_path / "1Day").glob(".*.tmp")), "leftovers go with the next write"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(daily(FIRST, 5), RAW, at=AT)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        catalog.write(daily(FIRST, 9), RAW, at=AT)
    monkeypatch.undo()
    assert len(catalog.load("A")) == 5
    assert not list((tmp_path / "1Day").glob(".*.tmp"))


def test_gaps_by_the_calendar_of_the_exchange() -> None:
    pytest.importorskip("exchange_calendars")
    day = read_frequency("1Day")
    dates = np.array(["2021-11-22", "2021-11-23", "2021-11-25", "2021-11-26"], "datetime64[D]")
    found = find_gaps((dates.astype(int) + 1) * DAY_NS - 1, day, "XNYS")
    assert found.missing == (dt.date(2021, 11, 24),)
    assert found.extra == (dt.date(2021, 11, 25),)  # Thanksgiving
    with pytest.raises(ConfigError, match="calendar is 'NYSE-X'"):
        find_gaps((dates.astype(int) + 1) * DAY_NS - 1, day, "NYSE-X")


def closes(start: str, end: str, minutes: int) -> np.ndarray:
    step = np.timedelta64(minutes, "m")
    times = np.arange(np.datetime64(start, "ns") + step, np.datetime64(end, "ns") + step, step)
    return times.astype("int64")


@pytest.mark.parametrize("minutes", [5, 30, 60])
def test_gaps_within_the_day_know_half_days_and_summer_time(minutes: int) -> None:
    """The Friday after Thanksgiving ends at 13:00; the clock changes on 2021-11-07."""
    pytest.importorskip("exchange_calendars")
    frequency = read_frequency(f"{minutes}Min" if minutes < 60 else "1Hour")
    half = closes(
        "2021-11-26T14:00" if minutes == 60 else "2021-11-26T14:30", "2021-11-26T18:00", minutes
    )
    summer = closes(
        "2021-11-05T13:00" if minutes == 60 else "2021-11-05T13:30", "2021-11-05T20:00", minutes
    )
    winter = closes(
        "2021-11-08T14:00" if minutes == 60 else "2021-11-08T14:30", "2021-11-08T21:00", minutes
    )
    both = find_gaps(np.concatenate([summer, winter]), frequency, "XNYS")
    assert (both.sessions, both.missing, both.extra, both.short, both.outside) == (2, (), (), (), 0)
    friday = find_gaps(half, frequency, "XNYS")
    assert (friday.sessions, friday.short, friday.outside) == (1, (), 0)
    holed = find_gaps(np.delete(half, 2), frequency, "XNYS")
    assert holed.short == (dt.date(2021, 11, 26),)
    late = closes("2021-11-26T18:00", "2021-11-26T19:00", minutes)
    assert find_gaps(np.concatenate([half, late]), frequency, "XNYS").outside == len(late)


def test_ranges_that_are_not_covered() -> None:
    def days(*numbers: int) -> tuple[dt.date, dt.date]:
        first, last = (dt.date(2021, 1, each) for each in numbers)
        return first, last

    assert uncovered(days(5, 20), ()) == (days(5, 20),)
    assert uncovered(days(5, 20), (days(1, 31),)) == ()
    assert uncovered(days(5, 20), (days(1, 7), days(10, 12), days(13, 14))) == (
        days(8, 9),
        days(15, 20),
    )
    assert uncovered(days(5, 20), (days(25, 31), days(1, 2))) == (days(5, 20),)
