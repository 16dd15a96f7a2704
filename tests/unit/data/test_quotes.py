from pathlib import Path

import polars as pl
import pytest

from neural_trader.core import DataError
from neural_trader.data import load_quotes

HEADER = "ts,symbol,bid,ask,bid_size,ask_size\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "quotes.csv"
    path.write_text(text)
    return path


def test_quotes_come_in_the_order_of_time(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEADER + "2021-01-04T14:30:01Z,KO,50.01,50.02,300,\n"
        "2021-01-04T14:30:00.5Z,PEP,140.1,,2,0\n",
    )
    second = 1_609_770_600_000_000_000
    assert load_quotes(path) == [
        (second + 500_000_000, "PEP", (140.1, None, 2.0, 0.0, None, None)),
        (second + 1_000_000_000, "KO", (50.01, 50.02, 300.0, None, None, None)),
    ]


def test_prints_alone_are_read_from_parquet(tmp_path: Path) -> None:
    path = tmp_path / "prints.parquet"
    frame = pl.DataFrame(
        {"Timestamp": [1_700_000_000_000_000_001], "Ticker": ["KO"], "Price": [50.0], "Size": [7]}
    )
    frame.write_parquet(path)
    assert load_quotes(path) == [
        (1_700_000_000_000_000_001, "KO", (None, None, None, None, 50.0, 7.0))
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ts,bid,ask\n1,2,3\n", "expected ts, symbol"),
        ("ts,symbol,bid\n1,KO,3\n", "expected ts, symbol"),
        (HEADER + "2021-01-04T14:30:01Z,KO,abc,50,1,1\n", r"row 1 .*'bid' is 'abc'"),
        (HEADER + "2021-01-04T14:30:01Z,KO,-1,50,1,1\n", "'bid' is '-1'"),
        (HEADER + "2021-01-04T14:30:01Z,,1,50,1,1\n", "no symbol"),
        (HEADER + "soon,KO,1,50,1,1\n", "is no time"),
        (HEADER, "no row"),
    ],
)
def test_what_is_no_quote_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load_quotes(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv is not there"):
        load_quotes(tmp_path / "none.csv")
