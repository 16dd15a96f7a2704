"""Choosing symbols and days from a content."""

import numpy as np
import pytest

from neural_trader.core import Block, ConfigError, DataError
from neural_trader.core.sessions import last_ns
from neural_trader.data.selection import Content, Span, read_span, select

STAMPS = np.array([last_ns(day) for day in (10, 11, 14)], dtype=np.int64)


def content() -> Content:
    closes = np.arange(1.0, 7.0).reshape(2, 3)
    return Content(
        ("A", "B", "X"), (Block(("A", "B"), STAMPS, {"close": closes}),), "raw", {"X": "!"}
    )


@pytest.mark.parametrize(
    ("span", "kept"),
    [
        (Span(None, None), [0, 1, 2]),
        (Span(10, 14), [0, 1, 2]),
        (Span(11, 13), [1]),
        (Span(11, None), [1, 2]),
        (Span(None, 11), [0, 1]),
        (Span(12, 14), [2]),
    ],
)
def test_days_are_inclusive(span: Span, kept: list[int]) -> None:
    [block] = select("x", content(), ["B"], span)
    assert block.ts_close_ns.tolist() == STAMPS[kept].tolist()
    assert block.fields["close"].tolist() == [[4.0 + at for at in kept]]


@pytest.mark.parametrize("span", [Span(12, 13), Span(15, None), Span(None, 9)])
def test_a_range_without_bars_is_refused(span: Span) -> None:
    with pytest.raises(DataError, match=r"x: A has no bar .* reach from 1970-01-11 to 1970-01-15"):
        select("x", content(), ["A"], span)


def test_all_that_is_wanted_is_not_copied() -> None:
    whole = content()
    [block] = select("x", whole, ["A", "B"], Span(None, None))
    assert block is whole.blocks[0]


def test_a_faulty_symbol_is_refused_when_it_is_wanted() -> None:
    for symbols in (["X"], ["A", "X"], None):
        with pytest.raises(DataError, match=r"^!$"):
            select("x", content(), symbols, Span(None, None))


def test_a_span_runs_forward() -> None:
    assert read_span(3, 3) == Span(3, 3)
    with pytest.raises(ConfigError, match="start 1970-01-05 lies after end 1970-01-04"):
        read_span(4, 3)
