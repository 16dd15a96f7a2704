"""A risk estimate knows nothing of its own day, or of any later one."""

from typing import Any

import numpy as np
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from neural_trader.core import DataError
from neural_trader.data import load
from neural_trader.risk import METHODS, RiskConfig, backtest_risk, measure_risk, read_situation
from tests.unit.risk.desk import PUT, drawn, prices, weekdays

WINDOW = 120
HELD: dict[str, Any] = {
    "positions": [
        {"symbol": "A", "qty": 10},
        {"symbol": "B", "qty": -4},
        {"symbol": "A", "qty": -1, "option": PUT | {"strike": 95, "expiry": "2030-01-18"}},
    ]
}


@settings(max_examples=40)
@given(
    method=st.sampled_from(METHODS),
    day=st.integers(WINDOW, 159),
    seed=st.integers(0, 1_000),
    has_options=st.booleans(),
)
def test_the_future_changes_no_estimate(
    method: Any, day: int, seed: int, has_options: bool
) -> None:
    held = HELD if has_options else {"positions": HELD["positions"][:2]}
    situation = read_situation(held, prices(drawn(160, 2, seed=seed), ("A", "B")))
    other = situation.history.returns.copy()
    other[day:] = np.random.default_rng(seed).normal(scale=0.05, size=other[day:].shape)
    changed = situation._replace(history=situation.history._replace(returns=other))
    config = RiskConfig(method=method, confidence=0.9, simulations=200, tail=0.2)
    try:
        one, two = (backtest_risk(each, config, window=WINDOW) for each in (situation, changed))
    except DataError as error:
        # Moments so far out that the expansion is none on any day: there is no estimate to move.
        if "is undefined on each" not in str(error):
            raise
        reject()
    # Day t is the one whose return stands in row t: its own estimate must not move either. Days
    # left out for an undefined estimate before it are the same in both.
    stamp = int(situation.history.ts_close_ns[1 + day])
    for values in ("var", "es"):
        first, second = (
            getattr(found, values)[found.ts_close_ns <= stamp].tolist() for found in (one, two)
        )
        assert first == second


@settings(max_examples=20)
@given(method=st.sampled_from(METHODS), cut=st.integers(130, 158))
def test_prices_after_the_as_of_date_change_no_figure(method: Any, cut: int) -> None:
    returns = drawn(160, 2)
    held = {"positions": HELD["positions"][:2]}
    bars = prices(returns, ("A", "B"))
    day = str(weekdays(161)[cut])
    # The same closes up to the day, others after it.
    closes = np.stack([bars[name].close for name in ("A", "B")], axis=1).copy()
    closes[cut + 1 :] *= 1.7
    moved = load(closes, symbols=["A", "B"], timestamps=weekdays(161))
    config = RiskConfig(method=method, confidence=0.9, simulations=200, tail=0.2)
    one, two = (
        measure_risk(read_situation(held, each, as_of=day), config).to_dict()
        for each in (bars, moved)
    )
    for found in (one, two):
        # The bars as a whole differ, and say so.
        del found["provenance"]
    assert one == two
