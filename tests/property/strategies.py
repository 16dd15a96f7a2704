"""What hypothesis draws for every property of a backtest: prices, parameters and costs.

Prices are walks of whole ticks, so that a failing example shrinks to a short and simple one, and
so that flat stretches, repeated prices and jumps come up often.
"""

import hypothesis.strategies as st
import numpy as np

import neural_trader as nt
from neural_trader.core.bars import Floats

LEVELS = [0.01, 1.0, 35.0, 4_000.0, 1e7]


@st.composite
def walks(draw: st.DrawFn, *, bars: st.SearchStrategy[int], tick: float = 1e-3) -> Floats:
    """Draw the closes of two symbols, shape (2, T), each at a level of its own."""
    length = draw(bars)
    rows = []
    for _ in range(2):
        steps = st.one_of(st.integers(-3, 3), st.integers(-40, 40))
        ticks = np.array(draw(st.lists(steps, min_size=length, max_size=length))).cumsum()
        rows.append(draw(st.sampled_from(LEVELS)) * np.exp(tick * ticks))
    return np.array(rows)


@st.composite
def pairs(draw: st.DrawFn, *, lookback_max: int = 20) -> nt.Pairs:
    """Draw a pair of A and B: exits of zero and below, money and shares of equity."""
    entry = draw(st.sampled_from([0.5, 1.0, 1.5, 2.0]) | st.floats(0.1, 2.5))
    leave = draw(st.sampled_from([0.0, -entry, entry / 2]) | st.floats(-3.0, 0.999 * entry))
    return nt.Pairs(
        "A",
        "B",
        lookback=draw(st.integers(3, lookback_max)),
        entry=entry,
        exit=leave,
        gross=draw(st.sampled_from([30.0, 5_000.0, 80_000.0, 0.25, 1.0])),
    )


@st.composite
def sma_crosses(draw: st.DrawFn) -> nt.SmaCross:
    """Draw a crossover on A."""
    fast = draw(st.integers(1, 8))
    slow = fast + draw(st.integers(1, 12))
    gross = draw(st.sampled_from([15.0, 5_000.0, 0.25, 1.0]))
    return nt.SmaCross("A", fast=fast, slow=slow, gross=gross)


def costs() -> st.SearchStrategy[nt.Costs]:
    """Draw costs, none and large ones included."""
    bps = st.sampled_from([0.0, 5.0]) | st.floats(0.0, 500.0)
    money = st.sampled_from([0.0, 0.005, 1.0, 30.0])
    tiers = st.sampled_from([((0.0, 20.0), (15_000.0, 5.0)), ((0.0, 0.0), (1.0, 3.0))])
    return st.one_of(
        st.builds(nt.Costs, fee_bps=bps, slippage_bps=bps),
        st.builds(nt.Costs, fee_bps=bps, fee_per_share=money, fee_minimum=money, half_spread=money),
        st.builds(nt.Costs, fee_tiers=tiers, fee_minimum=money, slippage_bps=bps),
    )
