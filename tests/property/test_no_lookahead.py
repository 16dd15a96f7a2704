"""Changing or cutting off the future never changes the past."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import neural_trader as nt
from neural_trader.core import Block
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import last_ns
from neural_trader.strategies import CompiledStrategy, Legs

STRATEGIES = (
    nt.Pairs("A", "B", lookback=5, entry=0.8, exit=0.0, gross=5_000),
    nt.Pairs("A", "B", lookback=8, entry=1.2, exit=-0.5, gross=0.5),
    nt.SmaCross("A", fast=2, slow=5, gross=5_000),
    nt.SmaCross("B", fast=3, slow=9, gross=0.5),
)


def bars_of(closes: Floats, opens: Floats | None) -> nt.Bars:
    stamps = np.array([last_ns(day) for day in range(closes.shape[1])], dtype=np.int64)
    fields = {"close": closes} | ({} if opens is None else {"open": opens})
    return nt.Bars((Block(("A", "B"), stamps, fields),), name="made")


def walk(rng: np.random.Generator, bars: int) -> Floats:
    steps = rng.normal(0.0, 0.02, (2, bars)).cumsum(axis=1)
    prices: Floats = np.round(np.array([[20.0], [35.0]]) * np.exp(steps), 3)
    return prices


def assert_blind(
    strategy: CompiledStrategy, rng: np.random.Generator, span: tuple[int, int], *, opens: bool
) -> None:
    """Fail if anything up to bar ``span[1]`` depends on the ``span[0]`` bars behind it."""
    bars, cut = span
    closes, open_ = walk(rng, bars), walk(rng, bars)
    other_closes, other_opens = closes.copy(), open_.copy()
    other_closes[:, cut:] = walk(rng, bars - cut) * 3.0
    other_opens[:, cut:] = walk(rng, bars - cut) * 3.0
    runs = [
        nt.backtest(
            strategy,
            bars_of(
                np.ascontiguousarray(c[:, :until]),
                np.ascontiguousarray(o[:, :until]) if opens else None,
            ),
            costs=nt.Costs(fee_bps=3, slippage_bps=7),
            max_leverage=1e9,
        )
        for c, o, until in (
            (closes, open_, bars),
            (other_closes, other_opens, bars),
            (closes, open_, cut),
        )
    ]
    kept = min(cut, *(len(run.equity) for run in runs))
    past = runs[0]
    for run in runs[1:]:
        np.testing.assert_array_equal(run.equity[:kept], past.equity[:kept])
        np.testing.assert_array_equal(run.outcome.signals[:, :kept], past.outcome.signals[:, :kept])
        before = [r.outcome.where[0] < kept for r in (past, run)]
        np.testing.assert_array_equal(
            past.outcome.fills[:, before[0]], run.outcome.fills[:, before[1]]
        )


@given(
    seed=st.integers(0, 2**32 - 1),
    bars=st.integers(12, 90),
    cut=st.integers(1, 89),
    with_opens=st.booleans(),
)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_future_does_not_reach_the_past(
    strategy: nt.Pairs | nt.SmaCross, seed: int, bars: int, cut: int, *, with_opens: bool
) -> None:
    rng = np.random.default_rng(seed)
    assert_blind(strategy, rng, (bars, min(cut, bars - 1)), opens=with_opens)


class Peeking:
    """A strategy that knows the next bar's averages."""

    def __init__(self, strategy: nt.SmaCross) -> None:
        self._strategy = strategy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._strategy, name)

    def signals(self, legs: Legs) -> Floats:
        return np.ascontiguousarray(np.roll(self._strategy.signals(legs), -1, axis=1))


def test_a_strategy_that_peeks_is_caught() -> None:
    peeking: Any = Peeking(nt.SmaCross("A", fast=2, slow=5, gross=5_000))
    caught = 0
    for seed in range(20):
        try:
            assert_blind(peeking, np.random.default_rng(seed), (60, 30), opens=False)
        except AssertionError:
            caught += 1
    assert caught >= 15
