"""Cash and shares are conserved, whatever the prices, parameters and costs."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

import neural_trader as nt
from neural_trader.core import Block
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import last_ns


def walk(seed: int, bars: int) -> tuple[Floats, Floats]:
    """Return closes and opens of two symbols, rounded to a thousandth so that some repeat."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, rng.uniform(0.0005, 0.05), (2, bars)).cumsum(axis=1)
    closes = np.maximum(np.round(np.array([[20.0], [35.0]]) * np.exp(steps), 3), 0.001)
    opens = np.maximum(np.round(closes * np.exp(rng.normal(0.0, 0.01, (2, bars))), 3), 0.001)
    return closes, opens


strategies = st.one_of(
    st.builds(
        lambda lookback, entry, drop, gross: nt.Pairs(
            "A", "B", lookback=lookback, entry=entry, exit=entry - drop, gross=gross
        ),
        st.integers(3, 20),
        st.floats(0.1, 2.5),
        st.floats(0.01, 3.0),
        st.sampled_from([30.0, 5_000.0, 80_000.0, 0.25, 1.0]),
    ),
    st.builds(
        lambda fast, more, gross: nt.SmaCross("A", fast=fast, slow=fast + more, gross=gross),
        st.integers(1, 8),
        st.integers(1, 12),
        st.sampled_from([15.0, 5_000.0, 0.25, 1.0]),
    ),
)


@given(
    strategy=strategies,
    seed=st.integers(0, 2**32 - 1),
    bars=st.integers(1, 160),
    fee=st.floats(0.0, 100.0),
    slippage=st.floats(0.0, 100.0),
    with_opens=st.booleans(),
)
def test_cash_and_shares_are_conserved(
    strategy: nt.Pairs | nt.SmaCross,
    seed: int,
    bars: int,
    fee: float,
    slippage: float,
    *,
    with_opens: bool,
) -> None:
    closes, opens = walk(seed, bars)
    stamps = np.array([last_ns(day) for day in range(bars)], dtype=np.int64)
    fields = {"close": closes} | ({"open": opens} if with_opens else {})
    run = nt.backtest(
        strategy,
        nt.Bars((Block(("A", "B"), stamps, fields),), name="made"),
        costs=nt.Costs(fee_bps=fee, slippage_bps=slippage),
        max_leverage=1e12,
    )
    where, (qty, reference, price, fees, cash) = run.outcome.where, run.outcome.fills
    at = opens if with_opens else closes
    rows = where[1]
    np.testing.assert_array_equal(reference, at[rows, where[0]])
    assert (np.sign(price - reference) * np.sign(qty) >= 0).all(), "slippage helped the trader"
    np.testing.assert_allclose(fees, fee / 1e4 * np.abs(qty) * price, rtol=1e-12, atol=1e-12)
    flows = -(qty * price) - fees
    np.testing.assert_allclose(cash, 100_000.0 + flows.cumsum(), rtol=1e-9, atol=1e-6)

    held = np.zeros((2, bars))
    for bar, leg, units in zip(where[0], rows, qty, strict=True):
        held[leg, bar:] += units
    spent = np.zeros(bars)
    np.add.at(spent, where[0], flows)
    equity = 100_000.0 + spent.cumsum() + (held * closes).sum(axis=0)
    shown = len(run.equity)
    np.testing.assert_allclose(run.equity, equity[:shown], rtol=1e-9, atol=1e-6)
    assert shown == bars or run.equity[-1] <= 0.0

    assert (qty == np.trunc(qty)).all(), "whole shares only"
    assert len({(bar, leg) for bar, leg in where.T.tolist()}) == where.shape[1]
    if isinstance(strategy, nt.Pairs):
        assert (held[0] * held[1] <= 0.0).all(), "the legs of a pair are opposite"
    else:
        assert (held >= 0.0).all(), "long or flat"
    pnl = sum(trip.pnl for trip in run.trips)
    np.testing.assert_allclose(pnl, run.final_equity - 100_000.0, rtol=1e-9, atol=1e-6)
    for trip in run.trips:
        np.testing.assert_allclose(
            trip.pnl, trip.gross_pnl - trip.fees - trip.slippage, rtol=1e-9, atol=1e-6
        )
