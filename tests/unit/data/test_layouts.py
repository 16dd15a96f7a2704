"""Single, long and wide tables are told apart by the names of their columns."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from neural_trader.data.layouts import read_table
from neural_trader.data.tables import Table

DATES = ["2021-01-04", "2021-01-05"]


def read(columns: dict[str, Any], symbol: str | None = "KO") -> Any:
    return read_table(Table("the frame", pl.DataFrame(columns), symbol))


@pytest.mark.parametrize(
    "name",
    ["date", "Date", "DATETIME", "time", "Timestamp", "ts", "ts_close_ns", " date ", "Trade Date"],
)
def test_time_columns(name: str) -> None:
    assert [each.symbol for each in read({"close": [1, 2], name: DATES}).series] == ["KO"]


@pytest.mark.parametrize("name", ["index", "Unnamed: 0", ""])
def test_a_first_column_without_a_name_of_its_own_is_the_time(name: str) -> None:
    [series] = read({name: DATES, "close": [1, 2]}).series
    assert len(series.stamps) == 2


def test_a_plain_index_gives_way_to_a_time_column() -> None:
    [series] = read({"": [0, 1], "date": DATES, "close": [1, 2]}).series
    assert dict(series.columns) == {"close": "close"}


@pytest.mark.parametrize("name", ["close", "Close", "CLOSE", "last", "Price", "close_price"])
def test_close_columns(name: str) -> None:
    reading = read({"date": DATES, name: [1, 2]})
    assert reading.basis == "raw"
    assert reading.series[0].fields["close"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "name", ["adj close", "Adj Close", "adj_close", "Adjusted_Close", "AdjClose"]
)
def test_an_adjusted_close_alone_is_total_return(name: str) -> None:
    reading = read({"date": DATES, name: [1, 2], "volume": [3, 4]})
    assert reading.basis == "total-return"
    assert reading.series[0].fields.keys() == {"close", "volume"}


def test_the_raw_close_wins_over_the_adjusted_one() -> None:
    reading = read({"date": DATES, "Close": [1, 2], "Adj Close": [3, 4]})
    assert reading.basis == "raw"
    assert reading.series[0].fields["close"].tolist() == [1.0, 2.0]


def test_letters_are_fields_where_all_four_prices_have_one() -> None:
    reading = read({"t": DATES, "o": [1, 1], "h": [2, 2], "l": [1, 1], "c": [2, 2], "v": [5, 6]})
    assert reading.series[0].fields.keys() == {"open", "high", "low", "close", "volume"}


def test_letters_are_symbols_otherwise() -> None:
    reading = read({"date": DATES, "C": [1, 2], "O": [3, 4], "V": [5, 6]})
    assert [each.symbol for each in reading.series] == ["C", "O", "V"]
    assert reading.series[2].fields["close"].tolist() == [5.0, 6.0]


def test_columns_without_a_part_are_left_out() -> None:
    [series] = read(
        {"date": DATES, "close": [1, 2], "Dividends": [0, 0], "note": ["a", "b"]}
    ).series
    assert series.fields.keys() == {"close"}


@pytest.mark.parametrize("name", ["symbol", "Ticker", "ASSET", "instrument", "sym", "tic"])
@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["KO", "PEP"])])
def test_long_tables_split_by_symbol_in_order_of_appearance(name: str, dtype: Any) -> None:
    labels = pl.Series(["PEP", "KO", "KO", "PEP"], dtype=dtype)
    reading = read(
        {name: labels, "date": ["2021-01-04", *DATES, "2021-01-06"], "close": [1, 2, 3, 4]}, None
    )
    found = {each.symbol: each.fields["close"].tolist() for each in reading.series}
    assert list(found.items()) == [("PEP", [1.0, 4.0]), ("KO", [2.0, 3.0])]
    assert [each.rows.tolist() for each in reading.series] == [[0, 3], [1, 2]]


def test_rows_of_a_symbol_keep_their_order() -> None:
    days = np.arange(300).astype("datetime64[D]")
    reading = read(
        {
            "symbol": ["A", "B", "C"] * 300,
            "date": np.repeat(days, 3),
            "close": np.arange(900.0),
        }
    )
    for at, series in enumerate(reading.series):
        assert series.rows.tolist() == list(range(at, 900, 3))
        assert np.all(np.diff(series.stamps) > 0)


def test_numbers_are_read_to_the_last_bit() -> None:
    texts = ["0.1", "1e-320", "9007199254740993", " 1.7976931348623157e308 ", "4.35", "+3", ".5"]
    dates = [f"2021-01-{day:02}" for day in range(4, 4 + len(texts))]
    [series] = read({"date": dates, "close": texts}).series
    assert series.fields["close"].tolist() == [float(text) for text in texts]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Decimal(10, 2)])
def test_numbers_of_any_type(dtype: Any) -> None:
    [series] = read({"date": DATES, "close": pl.Series([1, 2], dtype=dtype)}).series
    assert series.fields["close"].dtype == np.float64
    assert series.fields["close"].tolist() == [1.0, 2.0]
