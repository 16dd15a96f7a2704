"""The signals of a pair as a pandas user would compute them, on all bars of the sample.

pandas keeps running sums, which lose a few digits over a long history; that bounds the agreement.
"""

import numpy as np
import pandas as pd
import pytest

import neural_trader as nt

LOOKBACK = 60


@pytest.fixture(scope="module")
def run() -> nt.Result:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    strategy = nt.Pairs("KO", "PEP", lookback=LOOKBACK, entry=2.0, exit=0.5, gross=20_000)
    return nt.backtest(strategy, bars, costs=nt.Costs(fee_bps=5, slippage_bps=5))


def z_scores(run: nt.Result) -> tuple[pd.Series, pd.Series]:
    """Return hedge ratio and z-score from pandas' rolling windows."""
    y, x = (pd.Series(np.array(run.bars[symbol].close)) for symbol in ("KO", "PEP"))
    ratio = y.rolling(LOOKBACK).cov(x) / x.rolling(LOOKBACK).var()
    spread = y - ratio * x
    window = spread.rolling(LOOKBACK)
    return ratio, (spread - window.mean()) / window.std()


def test_hedge_ratios_and_scores(run: nt.Result) -> None:
    ratio, z = z_scores(run)
    np.testing.assert_allclose(run.signals["hedge_ratio"], ratio, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.signals["z_score"], z, rtol=0, atol=1e-9)


def test_the_same_decisions_follow(run: nt.Result) -> None:
    ratio, z = z_scores(run)
    side, skipped = 0, 0
    decided: list[int] = []
    for bar, (score, slope) in enumerate(zip(z, ratio, strict=True)):
        if side == 0 and abs(score) >= 2.0:
            skipped += slope <= 0
            if slope > 0:
                side = -1 if score > 0 else 1
                decided.append(bar)
        elif side != 0 and side * score >= -0.5:
            side = 0
            decided.append(bar)
    assert run.skipped["hedge_ratio_not_positive"] == skipped == 15
    assert (np.unique(run.outcome.where[0]) - 1).tolist() == decided
    assert len(decided) == 2 * run.trades


def test_moving_averages() -> None:
    bars = nt.load("sp500-closes", symbols=["KO"])
    run = nt.backtest(nt.SmaCross("KO", fast=20, slow=50), bars)
    prices = pd.Series(np.array(bars["KO"].close))
    for name, window in (("fast", 20), ("slow", 50)):
        np.testing.assert_allclose(run.signals[name], prices.rolling(window).mean(), rtol=1e-12)
