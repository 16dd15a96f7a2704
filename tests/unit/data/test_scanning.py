"""The lazy front door: the bars that ``load`` gives, read when they are needed."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import neural_trader as nt
from neural_trader.core import Bars, ConfigError, DataError
from neural_trader.data import load, scan
from neural_trader.data.catalog import Catalog, Origin
from tests.unit.data.test_intake import ODD, SHAPES, long, table

Write = Callable[..., Path]
COLUMNS = ["symbol", "time", "open", "high", "low", "close", "volume"]


def frame_of(bars: Bars) -> pl.DataFrame:
    return bars.to_polars().with_columns(pl.col(pl.Int64).cast(pl.Float64))


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "catalog"
    bars = load("us-ohlcv", symbols=["AAPL", "IBM"], adjust="none")
    Catalog(folder).write(bars, Origin(provider="samples"), at="2026-01-01T00:00:00Z")
    return folder


@pytest.mark.parametrize("name", ["sp500-closes", "us-ohlcv"])
def test_a_sample(name: str) -> None:
    assert scan(name).collect().equals(frame_of(load(name)))


@pytest.mark.parametrize("shape", [*SHAPES, *ODD])
def test_a_file_gives_what_load_gives(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    (SHAPES | ODD)[shape]().write_parquet(path, row_group_size=100)
    expected = frame_of(load(path))
    found = scan(path).collect()
    assert found.columns == expected.columns
    assert found.schema["time"] == pl.Datetime("ns", "UTC")
    # The rows come in the order of the file, which may be that of time.
    assert found.sort("symbol", "time", maintain_order=True).equals(
        expected.sort("symbol", "time", maintain_order=True)
    )
    assert load(scan(path)).data_hash == load(path, basis="raw").data_hash


@pytest.mark.parametrize(
    "text",
    [
        "date,close\n2021-01-04,1.5\n2021-01-05,2\n",
        "symbol;time;close\nKO;2021-01-04T21:00:00Z;1.5\nPEP;2021-01-05T21:00:00Z;2\n",
        "date,KO,PEP\n20210104,1,2\n20210105,3,4\n",
    ],
)
def test_csv(write: Write, text: str) -> None:
    path = write(text, "KO.csv")
    assert scan(path).collect().equals(frame_of(load(path)))
    assert scan(path, symbols="KO").collect().equals(frame_of(load(path, symbols="KO")))
    with pytest.raises(DataError, match=r"unknown symbol 'KOO' in KO\.csv: did you mean KO"):
        scan(path, symbols="KOO")


def test_a_catalog_by_its_root_and_by_its_frequency(catalog: Path) -> None:
    found = scan(catalog).collect()
    assert found.columns == COLUMNS
    assert found.equals(frame_of(load(catalog / "1Day")))
    assert scan(catalog / "1Day").collect().equals(found)
    one = scan(catalog, symbols=["IBM"])
    assert one.collect().equals(found.filter(pl.col("symbol") == "IBM"))
    # The file of the other is not in the plan at all.
    assert "AAPL" not in one.explain()
    with pytest.raises(DataError, match="unknown symbol 'MSFT' in 1Day"):
        scan(catalog, symbols="MSFT")
    # Raw prices in the catalog, adjusted for the splits that it knows, to the bit.
    assert found.filter(pl.col("symbol") == "AAPL")["close"][0] == load("us-ohlcv")["AAPL"].close[0]
    (catalog / "1Min").mkdir()
    with pytest.raises(DataError, match="the frequencies 1Day, 1Min; scan one"):
        scan(catalog)


def test_a_folder_of_both_formats(write: Write) -> None:
    folder = write("date,close\n2021-01-04,1\n", "KO.csv").parent
    table(50).with_columns(
        time=pl.date_range(dt.date(2020, 1, 1), dt.date(2030, 1, 1), eager=True)[:50]
    ).write_parquet(folder / "PEP.parquet")
    expected = frame_of(load(folder))
    found = scan(folder).collect()
    assert found.equals(expected.select(found.columns))
    assert found.filter(pl.col("symbol") == "KO")["volume"].to_list() == [None]


@pytest.mark.parametrize("shape", ["one calendar", "dates", "midnights", "naive", "milliseconds"])
def test_a_range_of_sessions(shape: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    SHAPES[shape]().write_parquet(path)
    whole = scan(path).collect()
    days = whole["time"].dt.date().unique().sort()
    first, last = days[len(days) // 3], days[-1]
    for start, end in ((first, None), (None, first), (first, last), (first, first)):
        expected = whole.filter(
            pl.col("time").dt.date() >= (start or days[0]),
            pl.col("time").dt.date() <= (end or last),
        )
        assert scan(path, start=start, end=end).collect().equals(expected)
    assert scan(path, start="2099-01-01").collect().height == 0
    assert scan("us-ohlcv", start="2099-01-01").collect().height == 0


def test_the_plan_reads_what_is_asked_for_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "prices.parquet"
    long(300, 300).write_parquet(path)
    plan = scan(path, symbols="S1", start="2020-09-13")
    told = plan.filter(pl.col("close") > 100).select("time", "close").explain()
    assert "Parquet SCAN" in told
    assert "PROJECT 3/7 COLUMNS" in told
    [selection] = [line for line in told.splitlines() if "SELECTION" in line]
    assert all(each in selection for each in ('"S1"', "2020-09-13", 'col("close") > 100'))
    assert "FILTER" not in told
    # What has to be looked at value by value is told of the query too.
    told = scan("us-ohlcv").filter(pl.col("close") > 100).select("close").explain()
    assert "PYTHON SCAN" in told
    assert "PROJECT 1/7" in told.replace("*", "1")
    assert 'SELECTION: col("close") > 100' in told
    found = scan("us-ohlcv").filter(pl.col("close") > 100).select("close").head(3).collect()
    assert found.height == 3


def test_nothing_is_read_before_it_is_run(tmp_path: Path, write: Write) -> None:
    path = write("date,close\n2021-01-04,1\n", "KO.csv")
    plan = scan(path)
    path.write_text("date,close\n2021-01-04,2\n")
    assert plan.collect()["close"].to_list() == [2.0]
    parquet = tmp_path / "KO.parquet"
    table(10).write_parquet(parquet)
    plan = scan(parquet)
    table(20).write_parquet(parquet)
    assert plan.collect().height == 20
    # A faulty row is found by load, not by a plan that does not read it.
    path.write_text("date,close\n2021-01-04,-2\n")
    plan = scan(path)
    with pytest.raises(DataError, match="not positive"):
        load(plan)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"source": "no-such"}, DataError, "no-such is not there"),
        ({"source": 7}, ConfigError, "source is a int; expected the name of a sample or a path"),
        ({"source": pl.DataFrame()}, ConfigError, "frame.lazy"),
        ({"source": "sp500-closes", "symbols": "KOO"}, DataError, "did you mean KO"),
        ({"source": "sp500-closes", "symbols": []}, ConfigError, "expected one symbol or a list"),
        ({"source": "sp500-closes", "symbols": ["KO", "KO"]}, ConfigError, "twice"),
        ({"source": "sp500-closes", "start": "4.1.2021"}, ConfigError, "start is '4.1.2021'"),
        (
            {"source": "sp500-closes", "start": "2021-01-02", "end": "2021-01-01"},
            ConfigError,
            "lies after end",
        ),
    ],
)
def test_what_cannot_be_scanned_is_an_error_at_once(
    arguments: dict[str, object], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        scan(**arguments)  # type: ignore[arg-type]


def test_files_that_are_none_are_errors_at_once(tmp_path: Path, write: Write) -> None:
    (tmp_path / "empty").mkdir()
    for path, told in (
        (write("", "a/x.csv"), "x.csv is empty"),
        (write("a,b\n1,2\n", "b/x.csv"), "no time column"),
        (write("date,open\n1,2\n", "c/x.csv"), "no close column"),
        (write(b"PAR1 and no more", "d/x.parquet"), "not a readable Parquet file"),
        (write(b"no Parquet", "e/x.parquet"), "is not a Parquet file"),
        (write("x", "f/x.txt"), "extension '.txt'"),
        (tmp_path / "empty", "has no data file"),
    ):
        with pytest.raises(DataError, match=told):
            scan(path)


def test_load_takes_a_plan_and_refuses_other_columns() -> None:
    plan = scan("us-ohlcv", symbols=["MSFT"], start="2010-01-01")
    bars = load(plan)
    expected = load("us-ohlcv", symbols=["MSFT"], start="2010-01-01")
    for name in ("ts_close_ns", "open", "close", "volume"):
        assert getattr(bars["MSFT"], name).tolist() == getattr(expected["MSFT"], name).tolist()
    with pytest.raises(DataError, match="the Polars frame has no time column"):
        load(plan.drop("time"))
    with pytest.raises(DataError, match="the Polars frame has no close column"):
        load(plan.drop("close"))
    with pytest.raises(DataError, match="could each be the close column"):
        load(plan.with_columns(last=pl.col("close")))
    with pytest.raises(DataError, match="the Polars plan cannot be run"):
        load(plan.select("nothing"))


def test_a_plan_with_wrong_columns_is_refused_before_it_runs() -> None:
    ran = []

    def note(frame: pl.DataFrame) -> pl.DataFrame:
        ran.append(frame.height)
        return frame

    lazy = pl.LazyFrame({"x": [1.0]}).map_batches(note, schema={"x": pl.Float64})
    assert lazy.collect().height == len(ran) == 1
    ran.clear()
    with pytest.raises(DataError, match="no time column"):
        load(lazy)
    assert ran == []


def test_polars_is_imported_by_the_first_scan_alone() -> None:
    code = (
        "import sys, neural_trader as nt; nt.scan; assert 'polars' not in sys.modules; "
        "nt.scan('sp500-closes'); assert 'polars' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert nt.scan is scan
