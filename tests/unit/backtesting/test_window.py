"""Which bars a run sees, and from which of them on it may decide."""

from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.window import Range, Window, open_window
from neural_trader.core import Split
from neural_trader.core.sessions import DAY_NS, last_ns
from tests.made_bars import MONDAY, make_bars, make_block

# Bars on the 1st, 2nd, 3rd, 6th, 7th and 9th of January 2024.
DAYS = [0, 1, 2, 5, 6, 8]
CLOSES = {"A": [1.0, 2, 3, 4, 5, 6], "B": [9.0, 8, 7, 6, 5, 4], "C": [2.0] * 6}
OPENS = {"A": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5], "B": [0.5] * 6, "C": [2.5] * 6}


def opened(
    start: str | None = None,
    end: str | None = None,
    warmup: Any = "before",
    fill_at: Any = None,
    *,
    symbols: tuple[str, ...] = ("A",),
    opens: bool = False,
) -> Window:
    block = make_block(CLOSES, OPENS if opens else None, days=DAYS)
    bars = nt.Bars((block,), name="made")
    return open_window(bars, symbols, Range(start, end, warmup, fill_at))


def closes(window: Window) -> list[list[float]]:
    return [window.close[row].tolist() for row in window.rows]


@pytest.mark.parametrize(
    ("start", "end", "kept", "first"),
    [
        (None, None, [1, 2, 3, 4, 5, 6], 0),
        ("2024-01-02", None, [1, 2, 3, 4, 5, 6], 1),
        ("2024-01-04", None, [1, 2, 3, 4, 5, 6], 3),
        ("2024-01-09", None, [1, 2, 3, 4, 5, 6], 5),
        ("1990-01-01", "2030-01-01", [1, 2, 3, 4, 5, 6], 0),
        (None, "2024-01-06", [1, 2, 3, 4], 0),
        (None, "2024-01-05", [1, 2, 3], 0),
        (None, "2024-01-01", [1], 0),
        ("2024-01-02", "2024-01-07", [1, 2, 3, 4, 5], 1),
        ("2024-01-03", "2024-01-03", [1, 2, 3], 2),
    ],
)
def test_both_dates_are_inclusive(
    start: str | None, end: str | None, kept: list[float], first: int
) -> None:
    before = opened(start, end)
    assert closes(before) == [kept]
    assert before.first == first
    inside = opened(start, end, "inside")
    assert closes(inside) == [kept[first:]]
    assert inside.first == 0
    assert inside.ts_close_ns.tolist() == before.ts_close_ns[first:].tolist()


@pytest.mark.parametrize("warmup", ["before", "inside"])
@pytest.mark.parametrize("symbols", [("A",), ("B", "A"), ("C", "A"), ("A", "B", "C")])
def test_every_leg_keeps_its_row(symbols: tuple[str, ...], warmup: str) -> None:
    for start, end in (
        (None, None),
        ("2024-01-02", None),
        (None, "2024-01-07"),
        ("2024-01-02", "2024-01-07"),
    ):
        window = opened(start, end, warmup, symbols=symbols, opens=True)
        begin = 1 if start and warmup == "inside" else 0
        stop = 5 if end else 6
        assert closes(window) == [CLOSES[symbol][begin:stop] for symbol in symbols]
        filled = [window.fill_price[row].tolist() for row in window.rows]
        assert filled == [OPENS[symbol][begin:stop] for symbol in symbols]
        assert window.close.flags.c_contiguous
        assert window.fill_price.flags.c_contiguous


def test_all_bars_are_not_copied() -> None:
    bars = nt.Bars((make_block(CLOSES, days=DAYS),), name="made")
    window = open_window(bars, ("B",), Range(None, None, "before", None))
    assert window.close is bars.blocks[0].fields["close"]


@pytest.mark.parametrize(
    ("start", "end", "asked"),
    [
        ("2024-01-10", None, "from 2024-01-10 to the last"),
        (None, "2023-12-31", "from the first to 2023-12-31"),
        ("2024-01-04", "2024-01-05", "from 2024-01-04 to 2024-01-05"),
        ("1990-01-01", "1990-12-31", "from 1990-01-01 to 1990-12-31"),
    ],
)
def test_an_empty_range_says_what_there_is(start: str | None, end: str | None, asked: str) -> None:
    message = f"no bar {asked}; the data run from 2024-01-01 to 2024-01-09"
    with pytest.raises(nt.DataError, match=message):
        opened(start, end)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start": "2024-01-05", "end": "2024-01-04"}, "start 2024-01-05 is after end 2024-01-04"),
        ({"start": "5 January"}, "start is '5 January'; expected a session date"),
        ({"end": "2024-13-01"}, "end is '2024-13-01'; expected a session date"),
        ({"warmup": "after"}, "warmup is 'after'; expected 'before' or 'inside'"),
        ({"warmup": None}, "warmup is None"),
        ({"fill_at": "vwap"}, "fill_at is 'vwap'; expected 'open' or 'close'"),
    ],
)
def test_a_bad_range_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        opened(**wrong)


@pytest.mark.parametrize(
    ("opens", "fill_at", "expected"),
    [
        (True, None, "open"),
        (True, "close", "close"),
        (True, "open", "open"),
        (False, None, "close"),
    ],
)
def test_fills_are_at_opens_where_there_are_opens(
    opens: bool, fill_at: str | None, expected: str
) -> None:
    window = opened(fill_at=fill_at, opens=opens)
    assert window.fill_at == expected
    columns = OPENS if expected == "open" else CLOSES
    assert window.fill_price[window.rows[0]].tolist() == columns["A"]


def test_opens_that_are_not_there_are_an_error() -> None:
    with pytest.raises(nt.DataError, match="made has no open prices; fill at the next close"):
        opened(fill_at="open")


def test_opens_of_one_leg_are_not_enough() -> None:
    with_opens = make_block({"A": [1.0, 2]}, {"A": [1.0, 2]})
    bars = nt.Bars((with_opens, make_block({"B": [1.0, 2]})), name="made")
    asked = Range(None, None, "before", None)
    assert open_window(bars, ("A",), asked).fill_at == "open"
    assert open_window(bars, ("A", "B"), asked).fill_at == "close"
    with pytest.raises(nt.DataError, match="no open prices"):
        open_window(bars, ("B", "A"), asked._replace(fill_at="open"))


def test_intraday_bars_belong_to_their_day() -> None:
    stamps = np.array(
        [
            last_ns(MONDAY),
            last_ns(MONDAY) + 1,  # midnight: the next day's first nanosecond
            last_ns(MONDAY) + DAY_NS // 2,
            last_ns(MONDAY + 1),
            last_ns(MONDAY + 1) + 1,
        ]
    )
    block = make_block({"A": [1.0, 2, 3, 4, 5]})
    block.ts_close_ns = stamps
    asked = Range("2024-01-02", "2024-01-02", "inside", None)
    window = open_window(nt.Bars((block,), name="made"), ("A",), asked)
    assert closes(window) == [[2, 3, 4]]


SPLIT_ON_THE_FOURTH = (Split("A", MONDAY + 3, 7.0),)


@pytest.mark.parametrize(
    ("start", "end", "warmup", "crosses"),
    [
        (None, None, "before", True),
        (None, "2024-01-04", "before", True),
        (None, "2024-01-03", "before", False),
        ("2024-01-04", None, "inside", False),
        ("2024-01-04", None, "before", True),
        ("2024-01-03", None, "inside", True),
    ],
)
def test_raw_prices_may_not_cross_a_split(
    start: str | None, end: str | None, warmup: Any, crosses: bool
) -> None:
    closes = {"A": [70.0, 70, 70, 10, 10, 10], "B": [1.0, 2, 3, 2, 1, 2]}
    bars = make_bars(closes, splits=SPLIT_ON_THE_FOURTH)
    asked = Range(start, end, warmup, None)
    assert open_window(bars, ("B",), asked).close.shape[1] >= 3, "the split is not B's"
    if crosses:
        expected = "raw prices of A cross the 7-for-1 split of 2024-01-04; load them adjusted"
        with pytest.raises(nt.DataError, match=expected):
            open_window(bars, ("B", "A"), asked)
    else:
        assert len(open_window(bars, ("B", "A"), asked).ts_close_ns) == 3


def test_the_window_until_a_bar() -> None:
    window = opened("2024-01-02", None, symbols=("C", "A"), opens=True)
    short = window.until(4)
    assert closes(short) == [[2.0] * 4, [1, 2, 3, 4]]
    assert short.fill_price.tolist() == [[2.5] * 4, [1.5, 2.5, 3.5, 4.5]]
    assert short.first == window.first == 1
    assert short.fill_at == "open"
