"""Every fault of a source is told with its file, row, value and what to do."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.data import load

Write = Callable[..., Path]
OHLCV = "date,open,high,low,close,volume\n2021-01-04,2,3,1,2,5\n"

FAULTS = {
    "unsorted": (
        "date,close\n2021-01-05,1\n2021-01-04,2\n2021-01-03,2\n",
        "row 2 (line 3 of prices.csv): prices: 2021-01-04 comes after 2021-01-05: times are "
        "unsorted (1 more of this kind). Sort the rows by time",
    ),
    "unsorted by a nanosecond": (
        "ts,close\n1600000000000000001,1\n1600000000000000000,2\n",
        "row 2 (line 3 of prices.csv): prices: 2020-09-13T12:26:40Z comes after "
        "2020-09-13T12:26:40.000000001Z",
    ),
    "several kinds, the first row first": (
        "date,close\n2021-01-04,1\n2021-01-05,0\n2021-01-05,2\n2021-01-03,\n",
        "row 2 (line 3 of prices.csv): prices: close 0.0 is not positive",
    ),
    "twice": (
        "date,close\n2021-01-04,1\n2021-01-04,2\n",
        "row 2 (line 3 of prices.csv): prices: 2021-01-04 stands twice; expected one bar a time. "
        "Drop one of the two",
    ),
    "unsorted times": (
        "time,close\n2021-01-04T10:00,1\n2021-01-04T09:30,2\n",
        "prices: 2021-01-04T09:30:00Z comes after 2021-01-04T10:00:00Z",
    ),
    "empty cell": (
        "date,close\n2021-01-04,1\n2021-01-05,\n2021-01-06,NaN\n",
        "row 2 (line 3 of prices.csv): prices: close is empty or NaN (1 more of this kind). Drop "
        "the row or fill the cell: no gap is filled here",
    ),
    "short row": (
        "date,open,close\n2021-01-04,1,2\n2021-01-05,1\n",
        "row 2 (line 3 of prices.csv): prices: close is empty or NaN",
    ),
    "infinite": (
        "date,close\n2021-01-04,inf\n",
        "row 1 (line 2 of prices.csv): prices: close inf is not finite. Drop the row or mend",
    ),
    "minus infinite": ("date,close\n2021-01-04,-inf\n", "prices: close -inf is not finite"),
    "zero": (
        "date,close\n2021-01-04,1\n2021-01-05,0\n2021-01-06,-3\n",
        "row 2 (line 3 of prices.csv): prices: close 0.0 is not positive; expected a price above 0 "
        "(1 more of this kind). Drop the row or mend the value",
    ),
    "negative": ("date,close\n2021-01-04,-1.5\n", "prices: close -1.5 is not positive"),
    "negative open": (
        OHLCV + "2021-01-05,-2,3,1,2,5\n",
        "row 2 (line 3 of prices.csv): prices: open -2.0 is not positive",
    ),
    "negative volume": (
        OHLCV + "2021-01-05,2,3,1,2,-5\n",
        "row 2 (line 3 of prices.csv): prices: volume -5.0 is negative; expected 0 or more",
    ),
    "high below low": (
        OHLCV + "2021-01-05,2,1,3,2,5\n",
        "row 2 (line 3 of prices.csv): prices: high 1.0 is below low 3.0. Mend or drop the bar",
    ),
    "open above high": (OHLCV + "2021-01-05,4,3,1,2,5\n", "prices: open 4.0 is above high 3.0"),
    "close above high": (OHLCV + "2021-01-05,2,3,1,3.5,5\n", "close 3.5 is above high 3.0"),
    "open below low": (OHLCV + "2021-01-05,.5,3,1,2,5\n", "prices: open 0.5 is below low 1.0"),
    "close below low": (OHLCV + "2021-01-05,2,3,1,.25,5\n", "close 0.25 is below low 1.0"),
    "no number": (
        "date,close\n2021-01-04,1\n2021-01-05,1.2.3\n2021-01-06,x\n",
        "row 2 (line 3 of prices.csv): prices: close is '1.2.3'; expected a number (1 more of this "
        "kind). Mend the cell or drop the row",
    ),
    "braces": ("date,{a}\n2021-01-04,{b}\n", "{a} is '{b}'; expected a number"),
    "thousands": ('date,close\n2021-01-04,"1,234.5"\n', "close is '1,234.5'; expected a number"),
    "wide cell": (
        "date,KO,PEP\n2021-01-04,1,2\n2021-01-05,1,\n",
        "row 2 (line 3 of prices.csv): PEP is empty or NaN",
    ),
    "line after blank lines": (
        "\ndate,close\n\n2021-01-04,1\n\n\n2021-01-05,0\n",
        "row 2 (line 7 of prices.csv): prices: close 0.0 is not positive",
    ),
    "line after quoted line ends": (
        'date,note,close\n2021-01-04,"a\nb",1\n2021-01-05,c,0\n',
        "row 2 (line 4 of prices.csv): prices: close 0.0 is not positive",
    ),
    "column without a name": (
        "date,KO,\n2021-01-04,1,\n",
        "prices.csv has a column without a name, as a separator at the end of each line makes one",
    ),
    "long": (
        "symbol,date,close\nKO,2021-01-04,1\nPEP,2021-01-04,2\nPEP,2021-01-04,3\n",
        "row 3 (line 4 of prices.csv): PEP: 2021-01-04 stands twice",
    ),
    "no symbol in a row": (
        "symbol,date,close\nKO,2021-01-04,1\n ,2021-01-04,2\n",
        "row 2 (line 3 of prices.csv): column 'symbol' has no symbol. Fill or drop the row",
    ),
    "no time in a row": (
        "date,close\n2021-01-04,1\n,2\n",
        "row 2 (line 3 of prices.csv): column 'date' has no time. Fill or drop the row",
    ),
    "no time column": (
        "when,close\n2021-01-04,1\n",
        "prices.csv has no time column; expected one named date, datetime, time, timestamp or ts, "
        "found when, close",
    ),
    "no close column": (
        "date,open,high\n2021-01-04,1,2\n",
        "prices.csv has no close column; expected one named close, last or price, found date, open",
    ),
    "no close in a long table": ("date,symbol,x\n2021-01-04,KO,2\n", "has no close column"),
    "two closes": (
        "date,close,last\n2021-01-04,1,2\n",
        "columns 'close', 'last' could each be the close column; expected one. Rename or drop",
    ),
    "two times": ("date,time,close\n2021-01-04,10:00,2\n", "'date', 'time' could each be the time"),
    "a header of several lines": (
        "Price,Close,Open\nTicker,KO,KO\nDate,,\n2021-01-04,2,1\n",
        "prices.csv has a header of several lines, as yfinance writes it; expected one line. Load "
        "it as a frame",
    ),
    "a header of several lines, symbols first": (
        "Ticker,KO,KO,PEP\r\nPrice,Open,Close,Close\r\nDate,,,\r\n2021-01-04,1,2,3\r\n",
        "prices.csv has a header of several lines",
    ),
    "column twice": (
        "date,KO,KO\n2021-01-04,1,2\n",
        "prices.csv: column 'KO' stands in the header twice. Rename or drop one",
    ),
    "two bases": (
        "date,open,adj close\n2021-01-04,1,2\n",
        "prices.csv has open, high or low but only an adjusted close ('adj close')",
    ),
    "empty file": ("", "prices.csv is empty; expected a header line and one line a bar"),
    "blank file": ("\n\n", "prices.csv is empty"),
    "header alone": ("date,close\n", "prices.csv has no rows; expected one a bar"),
    "long row": (
        "date,close\n2021-01-04,1\n2021-01-05,1,2\n",
        "row 2 (line 3 of prices.csv) has 3 cells; the header has 2 names. Mend the row",
    ),
    "no UTF-8": (
        b"date,close\n2021-01-04,1\n2021-01-05,\xff\n",
        "line 3 of prices.csv is not UTF-8 text (byte 0xff). Save the file as UTF-8",
    ),
    "open quote": ('date,close\n2021-01-04,"1\n2021-01-05,2\n', "prices.csv"),
    "no time": (
        "date,close\n01/04/2021,1\n",
        "row 1 (line 2 of prices.csv): column 'date': '01/04/2021' is no time. Use dates "
        "(2021-01-04), ISO times (2021-01-04T21:00:00Z) or integer epochs",
    ),
    "no day": ("date,close\n2021-02-29,1\n", "'2021-02-29' is no day of the calendar"),
    "no time of day": ("time,close\n2021-01-04 24:30,1\n", "'2021-01-04 24:30' is no time of day"),
    "no YYYYMMDD": ("date,close\n20210104,1\n20211301,1\n", "20211301 is no date of the form"),
    "small integers": ("date,close\n7,1\n", "the integer 7 is neither YYYYMMDD nor an epoch"),
    "two epochs": (
        "ts,close\n1600000000,1\n1600000060000,1\n",
        "row 2 (line 3 of prices.csv): column 'ts': the integer 1600000060000 is neither",
    ),
    "far future": ("date,close\n2300-01-01,1\n", "the date lies outside 1677 to 2262"),
    "naive beside aware": (
        "time,close\n2021-01-04T10:00,1\n2021-01-04T11:00Z,2\n",
        "row 2 (line 3 of prices.csv): column 'time': '2021-01-04T11:00Z' mixes time zones; row 1 "
        "is '2021-01-04T10:00'. Convert all times to UTC, or all to one offset",
    ),
    "two offsets": (
        "time,close\n2021-01-04T10:00-05:00,1\n2021-07-01T10:00-04:00,2\n",
        "'2021-07-01T10:00-04:00' mixes time zones; row 1 is '2021-01-04T10:00-05:00'",
    ),
    "dates beside times": (
        "time,close\n2021-01-04,1\n2021-01-05T10:00,2\n",
        "'2021-01-05T10:00' mixes dates and times; row 1 is '2021-01-04'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_of_a_csv_file(write: Write, fault: str) -> None:
    content, message = FAULTS[fault]
    with pytest.raises(DataError) as caught:
        load(write(content))
    assert message in str(caught.value)


def test_every_fault_is_told_alike_from_the_cache(write: Write) -> None:
    path = write("date,KO,PEP\n2021-01-04,1,2\n2021-01-05,1,0\n")
    told = set()
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            load(path)
        told.add(str(caught.value))
    assert told == {
        "row 2 (line 3 of prices.csv): PEP 0.0 is not positive; expected a price above 0. Drop the "
        "row or mend the value"
    }


def test_a_fault_of_one_symbol_leaves_the_others(write: Write) -> None:
    path = write("date,KO,PEP,XOM\n2021-01-04,1,2,x\n2021-01-05,1,0,3\n")
    assert load(path, symbols="KO").symbols == ("KO",)
    with pytest.raises(DataError, match=r"PEP 0\.0 is not positive"):
        load(path, symbols=["KO", "PEP"])
    with pytest.raises(DataError, match="Symbols with faults: 2"):
        load(path)


def test_fault_of_a_frame() -> None:
    frame = pl.DataFrame({"date": [dt.date(2021, 1, 4), dt.date(2021, 1, 5)], "KO": [1.0, None]})
    with pytest.raises(DataError, match="row 2 of the Polars frame: KO is empty or NaN"):
        load(frame)


def test_fault_of_a_parquet_file_names_row_and_file(write: Write) -> None:
    path = write("", "KO.parquet")
    pl.DataFrame({"date": ["2021-01-04", "2021-01-05"], "close": [1.0, -1.0]}).write_parquet(path)
    with pytest.raises(DataError, match=r"row 2 of KO\.parquet: KO: close -1\.0 is not positive"):
        load(path)


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"date,close\n2021-01-04,1\n", b"PAR1" + bytes(40) + b"PAR1"]
)
def test_not_a_parquet_file(write: Write, content: bytes) -> None:
    with pytest.raises(DataError, match=r"x\.parquet is not a (readable )?Parquet file"):
        load(write(content, "x.parquet"))


def test_cut_parquet_file(write: Write) -> None:
    path = write("", "x.parquet")
    pl.DataFrame({"date": ["2021-01-04"], "close": [1.0]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"x\.parquet is not a Parquet file, or a cut one"):
        load(path)


def test_unknown_extension(write: Write) -> None:
    with pytest.raises(DataError, match=r"a\.xlsx has the extension '\.xlsx'; expected one of"):
        load(write("x", "a.xlsx"))


def test_folder_without_data_files(write: Write) -> None:
    folder = write("x", "notes.txt").parent
    with pytest.raises(DataError, match=r"has no data file; expected .*found notes\.txt"):
        load(folder)


def test_path_not_there_names_the_nearest_sibling(write: Write) -> None:
    path = write("date,close\n2021-01-04,1\n")
    with pytest.raises(DataError) as caught:
        load(path.with_name("pirces.csv"))
    assert f"pirces.csv is not there: did you mean {path}?" in str(caught.value)


def test_path_not_there_names_the_nearest_sample() -> None:
    with pytest.raises(DataError, match=r"sp500-close is not there: did you mean sp500-closes\?"):
        load("sp500-close")


@pytest.mark.parametrize("source", ["", "no/such/folder/x.csv", "\0", "~nobody-of-this-name/x.csv"])
def test_path_not_there(source: str) -> None:
    with pytest.raises(DataError, match="is not there"):
        load(source)


def test_path_that_cannot_be_looked_at() -> None:
    with pytest.raises(DataError, match="cannot be read: File name too long"):
        load("x" * 5_000)


def test_file_without_rights(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("date,close\n2021-01-04,1\n")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"prices\.csv cannot be read: Permission denied"):
        load(path)


def test_files_of_a_folder_that_disagree_on_time_zones(write: Write) -> None:
    write("time,close\n2021-01-04T10:00,1\n", "KO.csv")
    folder = write("time,close\n2021-01-04T10:00Z,1\n", "PEP.csv").parent
    with pytest.raises(DataError) as caught:
        load(folder)
    assert str(caught.value) == (
        "files mixes time zones: files/KO.csv has naive times, files/PEP.csv has offset +00:00. "
        "Bring all files to one"
    )


def test_files_of_a_folder_that_disagree_on_the_basis(write: Write) -> None:
    write("date,close\n2021-01-04,1\n", "KO.csv")
    folder = write("date,adj close\n2021-01-04,1\n", "PEP.csv").parent
    with pytest.raises(DataError, match=r"files/KO\.csv is raw, files/PEP\.csv is total-return"):
        load(folder)


def test_symbol_in_two_files(write: Write) -> None:
    write("date,KO\n2021-01-04,1\n", "a.csv")
    folder = write("date,KO\n2021-01-04,1\n", "b.csv").parent
    with pytest.raises(DataError, match=r"'KO' stands in files/a\.csv and in files/b\.csv"):
        load(folder)


def test_unknown_symbol_names_the_nearest(write: Write) -> None:
    path = write("date,KO,PEP\n2021-01-04,1,2\n")
    with pytest.raises(
        DataError, match=r"unknown symbol 'PEPP' in prices\.csv: did you mean PEP\?"
    ):
        load(path, symbols=["KO", "PEPP"])


def test_empty_range_names_the_one_that_exists(write: Write) -> None:
    path = write("date,close\n2021-01-04,1\n2021-03-01,1\n")
    with pytest.raises(DataError) as caught:
        load(path, start="2021-01-05", end="2021-02-28")
    assert str(caught.value) == (
        "prices.csv: prices has no bar from 2021-01-05 to 2021-02-28; its bars reach from "
        "2021-01-04 to 2021-03-01. Change the range"
    )
    with pytest.raises(DataError, match="has no bar up to 2020-12-31"):
        load(path, end="2020-12-31")
    with pytest.raises(DataError, match="has no bar from 2022-01-01 on"):
        load(path, start="2022-01-01")


CLOSES = np.ones((2, 2))
DAYS = ["2021-01-04", "2021-01-05"]
CONFIG_FAULTS: list[tuple[Any, dict[str, Any], str]] = [
    ("sp500-closes", {"start": "2021-02-01", "end": "2021-01-01"}, "start 2021-02-01 lies after"),
    ("sp500-closes", {"start": "01/02/2021"}, "start is '01/02/2021'; expected a session date"),
    ("sp500-closes", {"symbols": ["KO", "KO"]}, "symbols has 'KO' twice; expected each once"),
    ("sp500-closes", {"symbols": []}, r"symbols is \[\]; expected one symbol or a list"),
    ("sp500-closes", {"symbols": 3}, "symbols is 3; expected one symbol or a list"),
    ("sp500-closes", {"symbols": ["KO", 3]}, "expected one symbol or a list"),
    ("sp500-closes", {"basis": "raw"}, "the sample sp500-closes knows its own"),
    ("sp500-closes", {"basis": "real"}, "basis is 'real'; expected one of 'raw', 'split-adjusted'"),
    ("sp500-closes", {"adjust": "all"}, "adjust is 'all'; expected one of 'splits', 'none'"),
    ("sp500-closes", {"timestamps": DAYS}, "timestamps= is for data in memory"),
    (CLOSES, {"symbols": ["KO", "PEP"]}, "an array of closes needs timestamps=; pass timestamps"),
    (CLOSES, {"timestamps": DAYS}, "an array of closes needs symbols="),
    (CLOSES, {"timestamps": DAYS, "symbols": "KO"}, "has 2 columns and symbols has 1 names"),
    (CLOSES, {"timestamps": DAYS[:1], "symbols": ["A", "B"]}, "has 1 times and the array 2 rows"),
    (3, {}, "source is a builtins.int; expected the name of a sample, a path"),
    ([1.0, 2.0], {}, "source is a builtins.list; expected"),
    ({"timestamps": DAYS, "close": [1, 2]}, {"timestamps": DAYS}, "expected one"),
]


@pytest.mark.parametrize(("source", "options", "message"), CONFIG_FAULTS)
def test_arguments_that_cannot_be_used(source: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(source, **options)


DATA_FAULTS: list[tuple[Any, dict[str, Any], str]] = [
    (np.ones((2, 2, 2)), {"timestamps": DAYS, "symbols": "KO"}, r"has shape \(2, 2, 2\)"),
    (np.array(["a", "b"]), {"timestamps": DAYS, "symbols": "KO"}, "and type <U1; expected numbers"),
    ({"date": DAYS, "close": [1.0]}, {"symbols": "KO"}, "'date' has 2, 'close' has 1"),
    ({"date": DAYS, "close": 1.0}, {"symbols": "KO"}, "column 'close' has the shape"),
    ({"date": DAYS, 1: [1.0, 2.0], "1": [1.0, 2.0]}, {}, "has two columns of one name"),
    ({"date": DAYS, "sym": [1.5, 2.5], "close": [1, 2]}, {}, "'sym' holds Float64; expected sym"),
    ({"date": DAYS, "sym": [object()] * 2, "close": [1, 2]}, {}, "'sym' holds Object"),
    ({"date": DAYS, "close": [1.0, 2.0]}, {}, "holds one series without a symbol. Name it"),
    ({"date": [1.5, 2.5], "close": [1.0, 2.0]}, {"symbols": "KO"}, "holds Float64"),
    ({"date": DAYS, "close": [True, False]}, {"symbols": "KO"}, "close is 'True'; expected a nu"),
    ({"date": DAYS, "close": [1.0, float("nan")]}, {"symbols": "KO"}, "row 2 of the mapping"),
]


@pytest.mark.parametrize(("source", "options", "message"), DATA_FAULTS)
def test_data_in_memory_that_are_no_bars(
    source: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load(source, **options)


def test_a_plan_that_fails() -> None:
    plan = pl.DataFrame({"date": DAYS, "close": [1, 2]}).lazy().select("nothing")
    with pytest.raises(DataError, match="the Polars plan cannot be run"):
        load(plan, symbols="KO")
