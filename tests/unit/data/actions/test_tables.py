"""Tables of corporate actions: what is read from which columns, and why a row is refused."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from neural_trader.core import ConfigError, DataError, Dividend, Split
from neural_trader.core.sessions import session_day
from neural_trader.data.actions import Actions, load_actions, merged

ROWS = [
    {"symbol": "B", "ex_date": "2021-03-01", "kind": "split", "ratio": 2.0, "amount": None},
    {"symbol": "A", "ex_date": "2021-01-04", "kind": "dividend", "ratio": None, "amount": 0.25},
    {"symbol": "A", "ex_date": "2021-01-04", "kind": "special", "ratio": None, "amount": 3.0},
    {"symbol": "A", "ex_date": "2021-02-01", "kind": "Stock Dividend", "ratio": 1.05},
]


def day(text: str) -> int:
    return session_day(text, option="day")


EXPECTED = Actions(
    (Split("A", day("2021-02-01"), 1.05), Split("B", day("2021-03-01"), 2.0)),
    (
        Dividend("A", day("2021-01-04"), 0.25),
        Dividend("A", day("2021-01-04"), 3.0, special=True),
    ),
)


def test_csv_parquet_and_frames_give_one_table(tmp_path: Path) -> None:
    frame = pl.DataFrame(ROWS)
    frame.write_csv(tmp_path / "actions.csv")
    frame.with_columns(pl.col("ex_date").str.to_date()).write_parquet(tmp_path / "actions.parquet")
    sources: list[object] = [
        tmp_path / "actions.csv",
        str(tmp_path / "actions.parquet"),
        frame,
        pd.DataFrame(ROWS),
        frame.to_dict(as_series=False),
        EXPECTED,
    ]
    for source in sources:
        assert load_actions(source) == EXPECTED
    assert EXPECTED.symbols == ("A", "B")


def test_without_a_kind_the_column_that_is_filled_tells() -> None:
    splits = load_actions({"symbol": ["A"], "day": ["2021-01-04"], "ratio": [3]})
    assert splits == Actions((Split("A", day("2021-01-04"), 3.0),))
    paid = load_actions(
        {"ticker": ["A"], "Ex-Date": ["2021-01-04"], "dividend": [0.5], "currency": ["USD"]}
    )
    assert paid.dividends == (Dividend("A", day("2021-01-04"), 0.5, "USD"),)
    both = {"symbol": ["A", "A"], "date": ["2021-01-04", "2021-01-05"]}
    found = load_actions(both | {"ratio": [2.0, None], "amount": [math.nan, 0.5]})
    assert [len(found.splits), len(found.dividends)] == [1, 1]


def test_one_value_column_serves_both() -> None:
    table = {
        "symbol": ["A", "A"],
        "date": ["2021-01-04", "2021-01-05"],
        "kind": ["split", "dividend"],
        "value": ["2", "0.5"],
    }
    found = load_actions(table)
    assert (found.splits[0].ratio, found.dividends[0].amount) == (2.0, 0.5)


def test_an_ex_date_goes_before_another_date() -> None:
    table = {"symbol": ["A"], "date": ["2021-05-01"], "ex_date": ["2021-04-01"], "amount": [1.0]}
    assert load_actions(table).dividends[0].day == day("2021-04-01")


def test_no_rows_are_no_actions(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("symbol,ex_date,kind,ratio,amount\n")
    assert load_actions(tmp_path / "none.csv") == Actions()
    assert load_actions(pl.DataFrame({"symbol": [], "ex_date": [], "ratio": []})) == Actions()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "merger"}, "kind is 'merger'; expected split, stock-dividend, dividend"),
        ({"kind": ""}, "kind is ''"),
        ({"ratio": 0}, "ratio is '0'; expected new shares for one old share, above 0"),
        ({"ratio": -2}, "ratio is '-2'"),
        ({"ratio": "2:1"}, "ratio is '2:1'.*such as 2 for 2:1"),
        ({"ratio": "inf"}, "ratio is 'inf'"),
        ({"ratio": ""}, "a split has no ratio"),
        ({"kind": "dividend"}, "a dividend has no amount"),
        ({"kind": "dividend", "amount": "0"}, "amount is '0'; expected money a share"),
        ({"symbol": " "}, "there is no symbol"),
        ({"ex_date": "2021-02-30"}, "no day of the calendar"),
        ({"symbol": "A", "ex_date": "2021-01-04"}, "A has a split on 2021-01-04 twice"),
    ],
)
def test_a_row_that_is_no_action_is_told(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    first = {"symbol": "A", "ex_date": "2021-01-04", "kind": "split", "ratio": 2, "amount": ""}
    row = {"symbol": "B", "ex_date": "2021-01-05", "kind": "split", "ratio": 2, "amount": ""}
    rows = [first, row | change]
    lines = [",".join(first), *(",".join(str(cell) for cell in each.values()) for each in rows)]
    (tmp_path / "actions.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=rf"row 2 \(line 3 of actions.csv\).*{message}"):
        load_actions(tmp_path / "actions.csv")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"ex_date": ["2021-01-04"], "ratio": [2]}, "no column symbol;"),
        ({"symbol": ["A"], "ratio": [2]}, "no column ex_date;"),
        (
            {"symbol": ["A"], "ex_date": ["2021-01-04"], "ratio": [True]},
            "row 1.*ratio is True; expected new shares",
        ),
        ({"symbol": ["A"], "ex_date": ["2021-01-04"]}, "no column ratio or amount;"),
        (
            {"symbol": ["A"], "ex_date": ["2021-01-04T10:00"], "ratio": [2]},
            "a time of day; expected a date",
        ),
        (
            {"symbol": ["A"], "ex_date": ["2021-01-04"], "ratio": [2], "amount": [1]},
            "ratio and amount are both there",
        ),
        (
            {
                "symbol": ["A", "A"],
                "ex_date": ["2021-01-04", "2021-02-04"],
                "amount": [1, 2],
                "currency": ["USD", "EUR"],
            },
            "row 2.*a dividend in EUR, others in USD",
        ),
    ],
)
def test_a_table_that_cannot_be_read(table: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_actions(table)


def test_sources_that_are_none() -> None:
    with pytest.raises(ConfigError, match="source is a"):
        load_actions(7)
    with pytest.raises(DataError, match="is not there"):
        load_actions("no-such-actions.csv")


def test_what_two_tables_know_stands_once() -> None:
    assert merged(EXPECTED, EXPECTED) == EXPECTED
    other = Actions((Split("B", day("2021-03-01"), 4.0),))
    with pytest.raises(DataError, match=r"B has a split on 2021-03-01 of 2\.0 there and of 4\.0"):
        merged(EXPECTED, other)
    euros = Actions((), (Dividend("A", day("2022-01-04"), 0.25, "EUR"),))
    with pytest.raises(DataError, match="dividends in no currency and in EUR"):
        merged(EXPECTED, euros)
