"""Fills and marks of the execution kernel, worked out by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neural_trader._kernels import execution
from tests.interpreted import load_interpreted, with_memoryviews

both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "interpreted"])
Intents = list[tuple[int, int, float]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

PRICES = np.array([[1.0, 1, 1, 1, 1], [10.0, 11, 12, 13, 14], [20.0, 22, 24, 26, 28]])
ROWS = np.array([1, 2], dtype=np.int64)


def kernel_of(name: str, *, compiled: bool) -> Callable[..., Any]:
    if compiled:
        found: Callable[..., Any] = getattr(execution, name)
        return found
    return with_memoryviews(getattr(load_interpreted("execution"), name))


def fill(
    intents: Intents,
    *,
    costs: tuple[float, float] = (0.0, 0.0),
    span: tuple[int, int] | None = None,
    compiled: bool = True,
) -> tuple[list[list[int]], Floats, list[float], int]:
    """Fill intents with 1,000 of cash; return where, the fills, the ledger and the unfilled."""
    where = np.full((2, len(intents)), -7, dtype=np.int64)
    fills = np.full((5, len(intents)), -7.0)
    ledger, counts = np.array([1_000.0, 0.0, 0.0]), np.zeros(1, dtype=np.int64)
    count = kernel_of("fill", compiled=compiled)(
        PRICES,
        ROWS,
        np.array([[bar, leg] for bar, leg, _ in intents], dtype=np.int64).T.copy(),
        np.array([target for _, _, target in intents]),
        span or (0, len(intents)),
        costs,
        ledger,
        counts,
        where,
        fills,
    )
    assert (where[:, count:] == -7).all(), "wrote behind its last fill"
    assert (fills[:, count:] == -7.0).all(), "wrote behind its last fill"
    return where[:, :count].tolist(), fills[:, :count], ledger.tolist(), int(counts[0])


def mark(
    where: list[list[int]], fills: Floats, *, first: int = 0, compiled: bool = True
) -> tuple[list[float], list[float], list[float], int]:
    """Mark fills with 1,000 of cash; return equity, the peak, the ledger and the last bar."""
    equity, peak = np.full(5 - first, -7.0), np.zeros(2)
    ledger = np.array([1_000.0, 0.0, 0.0])
    stop = kernel_of("mark", compiled=compiled)(
        PRICES,
        ROWS,
        np.array(where, dtype=np.int64).reshape(2, -1),
        np.ascontiguousarray(fills),
        first,
        ledger,
        equity,
        peak,
    )
    return equity.tolist(), peak.tolist(), ledger.tolist(), stop


class TestFill:
    @both
    def test_the_next_bar_at_a_price_against_the_trader(self, compiled: bool) -> None:
        intents = [(0, 0, 10.0), (0, 1, -4.0), (2, 0, -5.0)]
        where, fills, ledger, unfilled = fill(intents, costs=(0.01, 0.1), compiled=compiled)
        assert where == [[1, 1, 3], [0, 1, 0]]
        # Bought 10 at 11 x 1.1, sold 4 at 22 x 0.9, then 15 at 13 x 0.9: from +10 to -5.
        assert fills[0].tolist() == [10.0, -4.0, -15.0]
        assert fills[1].tolist() == [11.0, 22.0, 13.0]
        assert fills[2].tolist() == pytest.approx([12.1, 19.8, 11.7])
        assert fills[3].tolist() == pytest.approx([1.21, 0.792, 1.755])
        cash = [1_000 - 121 - 1.21, 877.79 + 79.2 - 0.792, 956.198 + 175.5 - 1.755]
        assert fills[4].tolist() == pytest.approx(cash)
        assert ledger == [fills[4, -1], -5.0, -4.0]
        assert unfilled == 0

    @both
    def test_an_order_for_nothing_is_not_a_fill(self, compiled: bool) -> None:
        where, fills, _, _ = fill([(0, 0, 0.0), (1, 0, 3.0), (2, 0, 3.0)], compiled=compiled)
        assert where == [[2], [0]]
        assert fills[0].tolist() == [3.0]

    @both
    def test_a_decision_on_the_last_bar_is_counted_and_never_fills(self, compiled: bool) -> None:
        intents = [(3, 0, 1.0), (4, 0, 0.0), (4, 1, 2.0)]
        where, _, ledger, unfilled = fill(intents, compiled=compiled)
        assert where == [[4], [0]]
        assert ledger == [1_000.0 - 14.0, 1.0, 0.0]
        assert unfilled == 2

    @both
    def test_only_the_span_is_filled(self, compiled: bool) -> None:
        intents = [(0, 0, 1.0), (1, 0, 2.0), (2, 0, 3.0)]
        where, fills, _, _ = fill(intents, span=(1, 2), compiled=compiled)
        assert where == [[2], [0]]
        assert fills[0].tolist() == [2.0]

    @both
    def test_no_costs_no_fee_and_the_reference_price(self, compiled: bool) -> None:
        _, fills, _, _ = fill([(0, 0, 7.0), (1, 0, 0.0)], compiled=compiled)
        assert fills[2].tolist() == fills[1].tolist()
        assert fills[3].tolist() == [0.0, 0.0]


class TestMark:
    @both
    def test_equity_is_cash_and_quantities_at_the_close(self, compiled: bool) -> None:
        where, fills, _, _ = fill([(0, 0, 10.0), (0, 1, -4.0), (2, 0, 0.0), (2, 1, 0.0)])
        equity, peak, ledger, stop = mark(where, fills, compiled=compiled)
        # +10 of 11 12 13 and -4 of 22 24 26 from bar 1 to bar 3: +2 a bar, flat from bar 3 on.
        assert equity == [1_000.0, 1_000.0, 1_002.0, 1_004.0, 1_004.0]
        assert stop == 5
        assert peak == [(10 * 12 + 4 * 24) / 1_002, 2.0]
        assert ledger == [1_004.0, 0.0, 0.0]
        later, peak, _, _ = mark(where, fills, first=1, compiled=compiled)
        assert later == equity[1:]
        assert peak[1] == 2.0, "a bar of the prices, not of equity"

    @both
    def test_what_is_never_traded_is_cash(self, compiled: bool) -> None:
        equity, peak, _, stop = mark([[], []], np.empty((5, 0)), first=2, compiled=compiled)
        assert (equity, peak, stop) == ([1_000.0] * 3, [0.0, 0.0], 5)

    @both
    @pytest.mark.parametrize(("price", "last"), [(-228.0, 1), (-226.0, 2), (-225.75, 3), (12.0, 5)])
    def test_ruin_is_the_first_bar_without_equity(
        self, price: float, last: int, compiled: bool
    ) -> None:
        # Short 4 at a made-up price, so that cash is 88, 96, 97 and 1,048; the shares are
        # worth 88, 96, 104 and 112 from bar 1 on, and an equity of exactly zero is ruin.
        fills = np.array([[-4.0], [22.0], [price], [0.0], [1_000 + 4 * price]])
        equity, _, _, stop = mark([[1], [1]], fills, compiled=compiled)
        assert stop == last
        assert [e <= 0 for e in equity[:stop]] == [False] * stop
        assert [e == -7.0 for e in equity[stop + 1 :]] == [True] * (4 - stop if stop < 5 else 0)
        if stop < 5:
            assert equity[stop] == 1_000 + 4 * price - 4 * PRICES[2, stop]
            assert equity[stop] <= 0.0

    @both
    def test_ruin_without_a_position(self, compiled: bool) -> None:
        fills = np.array([[5.0, -5.0], [11.0, 12.0], [11.0, 12.0], [0.0, 0.0], [945.0, -0.5]])
        equity, _, _, stop = mark([[1, 2], [0, 0]], fills, compiled=compiled)
        assert stop == 2
        assert equity[2] == -0.5
