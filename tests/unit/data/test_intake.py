"""Large Parquet files: the same bars to the bit, by way of batches."""

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader.core import Bars, DataError
from neural_trader.data import cache as cache_module
from neural_trader.data import intake, load, loading, paths
from neural_trader.data.catalog import Catalog, Origin
from neural_trader.data.entries import place_of

DAY_NS = 86_400_000_000_000


def table(n: int, *, seed: int = 0, symbol: str | None = None) -> pl.DataFrame:
    """Return valid minute bars."""
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-3, n))), 4)
    open_ = np.concatenate([close[:1], close[:-1]])
    columns: dict[str, Any] = {
        "time": pl.Series(1_600_000_000_000_000_000 + np.arange(n) * 60_000_000_000).cast(
            pl.Datetime("ns", "UTC")
        ),
        "open": open_,
        "high": np.maximum(open_, close) + 0.01,
        "low": np.minimum(open_, close) - 0.01,
        "close": close,
        "volume": rng.integers(0, 1000, n),
    }
    if symbol is not None:
        columns = {"symbol": [symbol] * n} | columns
    return pl.DataFrame(columns)


def long(*lengths: int) -> pl.DataFrame:
    return pl.concat([table(n, seed=k, symbol=f"S{k}") for k, n in enumerate(lengths)])


SHAPES: dict[str, Callable[[], pl.DataFrame]] = {
    "one series": lambda: table(500),
    "one symbol": lambda: table(500, symbol="KO"),
    "one calendar": lambda: long(300, 300, 300),
    "three calendars": lambda: long(300, 200, 100),
    "two that share": lambda: long(300, 300, 100),
    "milliseconds": lambda: table(500).with_columns(pl.col("time").dt.cast_time_unit("ms")),
    "naive": lambda: table(500).with_columns(pl.col("time").dt.replace_time_zone(None)),
    "new york": lambda: table(500).with_columns(
        pl.col("time").dt.convert_time_zone("America/New_York")
    ),
    "dates": lambda: table(500).with_columns(
        time=pl.date_range(dt.date(2020, 1, 1), dt.date(2030, 1, 1), eager=True)[:500]
    ),
    "midnights": lambda: table(500).with_columns(
        time=pl.datetime_range(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1), "1d", eager=True)[  # noqa: DTZ001
            :500
        ]
    ),
    "floats of 32 bits": lambda: (
        table(500).with_columns(pl.col("close").cast(pl.Float32) * 1).drop("open", "high", "low")
    ),
    "closes": lambda: table(500).select("time", "close"),
    "other names": lambda: table(500).rename({"time": "Date", "close": "Last", "volume": "Vol"}),
    "adjusted": lambda: table(500).select("time", pl.col("close").alias("Adj Close")),
    "categories": lambda: long(200, 200).with_columns(pl.col("symbol").cast(pl.Categorical)),
}
ODD: dict[str, Callable[[], pl.DataFrame]] = {
    "sorted by time": lambda: long(200, 200).sort("time", maintain_order=True),
    "calendars apart": lambda: pl.concat(
        [table(200, symbol="A"), table(100, symbol="B"), table(200, symbol="C")]
    ),
    "wide": lambda: table(200).select("time", KO="close", PEP="open"),
    "texts": lambda: table(200).with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S")),
    "epochs": lambda: table(200).with_columns(pl.col("time").cast(pl.Int64)),
    "midnights of a zone": lambda: table(200).with_columns(
        time=pl.datetime_range(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1), "1d", eager=True)[  # noqa: DTZ001
            :200
        ].dt.replace_time_zone("America/New_York")
    ),
}
FAULTY: dict[str, Callable[[], pl.DataFrame]] = {
    "a gap": lambda: table(200).with_columns(
        pl.when(pl.int_range(pl.len()) == 150).then(None).otherwise(pl.col("close")).alias("close")
    ),
    "nan": lambda: table(200).with_columns(
        pl.when(pl.int_range(pl.len()) == 150).then(float("nan")).otherwise("open").alias("open")
    ),
    "infinite": lambda: table(200).with_columns(
        pl.when(pl.int_range(pl.len()) == 150).then(float("inf")).otherwise("high").alias("high")
    ),
    "zero": lambda: table(200).with_columns(
        pl.when(pl.int_range(pl.len()) == 150).then(0.0).otherwise("low").alias("low")
    ),
    "negative volume": lambda: table(200).with_columns(volume=pl.col("volume") - 500),
    "above the high": lambda: table(200).with_columns(
        pl.when(pl.int_range(pl.len()) == 77).then(1e6).otherwise("close").alias("close")
    ),
    "below the low": lambda: table(200).with_columns(
        pl.when(pl.int_range(pl.len()) == 77).then(1e-6).otherwise("open").alias("open")
    ),
    "high below low": lambda: table(200).rename({"high": "low", "low": "high"}),
    "unsorted": lambda: table(200).reverse(),
    "twice": lambda: pl.concat([table(200), table(200).tail(1)]),
    "no symbol": lambda: table(200, symbol="A").with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise("symbol").alias("symbol")
    ),
}


@pytest.fixture(params=["memory", "file"])
def taken_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Take everything in by batches, and return what came of each try."""
    monkeypatch.setattr(paths, "LARGE_BYTES", 0)
    monkeypatch.setattr(intake, "_BATCH_ROWS", 64)
    monkeypatch.setattr(intake, "_CHUNK_ROWS", 64)
    # A file of this very moment is known by its stamps too.
    monkeypatch.setattr(cache_module, "_RACY_NS", -(1 << 60))
    monkeypatch.setattr(intake, "MEMORY_BYTES", 0 if request.param == "file" else 1 << 30)
    seen: list[Any] = []
    real = intake.take_in

    def take_in(*args: Any) -> Any:
        seen.append(real(*args))
        return seen[-1]

    monkeypatch.setattr(intake, "take_in", take_in)
    return seen


def settle() -> None:
    """Wait for the entries that are being written."""
    for thread in threading.enumerate():
        if isinstance(thread, intake.Publication):
            thread.join()


def whole(path: Path) -> Bars | str:
    """Return what reading the bytes at once makes of a source."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "LARGE_BYTES", 1 << 60)
        try:
            return load(path, cache=False)
        except DataError as error:
            return str(error)


def is_same(one: Bars, other: Bars) -> bool:
    return (
        one.data_hash == other.data_hash
        and one.symbols == other.symbols
        and one.basis == other.basis
        and [block.symbols for block in one.blocks] == [block.symbols for block in other.blocks]
        and [list(block.fields) for block in one.blocks]
        == [list(block.fields) for block in other.blocks]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_batches_make_the_same_bars(
    shape: str, taken_in: list[Any], tmp_path: Path, cache: Path
) -> None:
    path = tmp_path / "prices.parquet"
    SHAPES[shape]().write_parquet(path, row_group_size=100)
    expected = whole(path)
    assert isinstance(expected, Bars)
    assert is_same(load(path), expected)
    assert [each is not None for each in taken_in] == [True]
    settle()
    again = load(path)
    assert is_same(again, expected)
    assert is_same(load(path, cache=False), expected)
    settle()
    [entry] = cache.glob("v1/*.bars")
    assert list(cache.glob("v1/*.tmp")) == []
    columns = [v for b in again.blocks for v in (b.ts_close_ns, *b.fields.values())]
    assert {place and place.path for place in map(place_of, columns)} == {entry}


@pytest.mark.parametrize("shape", ODD)
def test_what_is_odd_is_read_whole(
    shape: str, taken_in: list[Any], tmp_path: Path, cache: Path
) -> None:
    path = tmp_path / "prices.parquet"
    ODD[shape]().write_parquet(path)
    expected = whole(path)
    assert isinstance(expected, Bars)
    assert is_same(load(path), expected)
    assert taken_in == [None]
    assert list(cache.glob("v1/*.tmp")) == []


@pytest.mark.parametrize("shape", FAULTY)
def test_what_is_faulty_is_told_as_ever(
    shape: str, taken_in: list[Any], tmp_path: Path, cache: Path
) -> None:
    path = tmp_path / "prices.parquet"
    FAULTY[shape]().write_parquet(path)
    expected = whole(path)
    assert isinstance(expected, str)
    with pytest.raises(DataError) as raised:
        load(path)
    assert str(raised.value) == expected
    assert taken_in == [None]
    assert list(cache.glob("v1/*.tmp")) == []


def test_a_folder_is_taken_in_and_its_files_agree(
    taken_in: list[Any], tmp_path: Path, cache: Path
) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    for k, name in enumerate(("A", "B", "C")):
        table(300, seed=k).write_parquet(folder / f"{name}.parquet")
    expected = whole(folder)
    assert isinstance(expected, Bars)
    assert is_same(load(folder), expected)
    assert taken_in[0] is not None
    # Without volume the columns are no longer one table.
    table(300).drop("volume").write_parquet(folder / "D.parquet")
    other = whole(folder)
    assert isinstance(other, Bars)
    assert is_same(load(folder), other)
    assert taken_in[1] is None


def test_a_catalog_is_taken_in_with_what_it_knows(
    taken_in: list[Any], tmp_path: Path, cache: Path
) -> None:
    catalog = Catalog(tmp_path / "catalog")
    bars = load("us-ohlcv", symbols=["AAPL", "MSFT"], adjust="none")
    catalog.write(bars, Origin(provider="samples"), at="2026-01-01T00:00:00Z")
    folder = tmp_path / "catalog/1Day"
    expected = whole(folder)
    assert isinstance(expected, Bars)
    assert expected.basis == "split-adjusted"
    assert is_same(load(folder), expected)
    assert taken_in[0] is not None
    settle()
    [first, _] = sorted(folder.glob("*.parquet"))
    data = bytearray(first.read_bytes())
    data[len(data) // 3] ^= 1
    first.write_bytes(data)
    with pytest.raises(DataError, match="fail their checksum"):
        load(folder)


def test_a_file_that_changes_meanwhile_is_read_at_once(
    taken_in: list[Any], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "prices.parquet"
    table(300).write_parquet(path)
    later = table(400)
    real = intake.take_in

    def take_in(*args: Any) -> Any:
        found = real(*args)
        later.write_parquet(path)
        return found

    monkeypatch.setattr(intake, "take_in", take_in)
    assert len(load(path)) == 400
    assert list(cache.glob("v1/*.tmp")) == []


def test_a_next_load_waits_for_the_entry(taken_in: list[Any], tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "prices.parquet"
    table(300).write_parquet(path)
    first = load(path)
    assert is_same(load(path), first)
    assert len(taken_in) == 1
    assert path.absolute() not in loading._pending


def test_a_full_disk_takes_it_into_memory(
    taken_in: list[Any],
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "prices.parquet"
    table(300).write_parquet(path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(intake, "MEMORY_BYTES", 0)
    monkeypatch.setattr(cache_module, "_reserve", full)
    monkeypatch.setattr(cache_module.ColumnCache, "write", lambda *_: None)
    expected = whole(path)
    assert isinstance(expected, Bars)
    assert is_same(load(path), expected)
    assert "cannot be written" in caplog.text
    settle()
    assert list(cache.glob("v1/*.tmp")) == []


def test_small_files_are_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "prices.parquet"
    table(10).write_parquet(path)
    assert not paths.is_large([path])
    monkeypatch.setattr(paths, "LARGE_BYTES", path.stat().st_size)
    assert paths.is_large([path])
    assert not paths.is_large([path, tmp_path / "x.csv"])
