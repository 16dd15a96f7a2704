"""The one-pass signals against the two-pass formulas, on real and on awkward prices.

The two-pass formulas take every window by itself: deviations from its mean, then sums of products.
They are computed by NumPy, in extended precision, and share nothing with the kernels.
"""

from itertools import combinations

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import Block
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import last_ns

BARS = nt.load("sp500-closes")
BAND = 1e-9


def windows(values: Floats, length: int) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(values.astype(np.longdouble), length)


def two_pass(y: Floats, x: Floats, lookback: int) -> tuple[Floats, Floats]:
    """Return hedge ratio and z-score at every bar, NaN where undefined."""
    ratio, z = np.full(len(y), np.nan), np.full(len(y), np.nan)
    wide_y, wide_x = windows(y, lookback), windows(x, lookback)
    dy = wide_y - wide_y.mean(axis=1, keepdims=True)
    dx = wide_x - wide_x.mean(axis=1, keepdims=True)
    moves = (np.ptp(wide_y, axis=1) > 0) & (np.ptp(wide_x, axis=1) > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio[lookback - 1 :] = np.where(moves, (dx * dy).sum(1) / (dx * dx).sum(1), np.nan)
        spread = y - ratio * x
        wide = windows(spread[lookback - 1 :], lookback)
        deviation = wide.std(axis=1, ddof=1)
        z[2 * lookback - 2 :] = np.where(
            np.ptp(wide, axis=1) > 0, (wide[:, -1] - wide.mean(axis=1)) / deviation, np.nan
        )
    return ratio, z


def bars_of(y: Floats, x: Floats) -> nt.Bars:
    stamps = np.array([last_ns(day) for day in range(len(y))], dtype=np.int64)
    return nt.Bars((Block(("Y", "X"), stamps, {"close": np.stack([y, x])}),), name="made")


def assert_close(mine: Floats, true: Floats) -> None:
    """Fail unless both are undefined at the same bars and agree within the band elsewhere."""
    np.testing.assert_array_equal(np.isnan(mine), np.isnan(true))
    known = ~np.isnan(true)
    assert (np.abs(mine - true)[known] <= BAND * np.maximum(1.0, np.abs(true[known]))).all()


def decisions(z: Floats, ratio: Floats, strategy: nt.Pairs) -> list[tuple[int, int]]:
    """Return bar and new side of every change of mind that some z-scores lead to."""
    side, made = 0, []
    for bar, (score, slope) in enumerate(zip(z.tolist(), ratio.tolist(), strict=True)):
        if side == 0 and abs(score) >= strategy.entry and slope > 0:
            side = -1 if score > 0 else 1
            made.append((bar, side))
        elif side != 0 and side * score >= -strategy.exit:
            side = 0
            made.append((bar, side))
    return made


@pytest.mark.parametrize(("y", "x"), list(combinations(BARS.symbols, 2)))
def test_z_scores_of_real_prices(y: str, x: str) -> None:
    rng = np.random.default_rng(sum(map(ord, y + x)))
    lookback = int(rng.choice(np.array([3, 5, 20, 60, 120])))
    strategy = nt.Pairs(y, x, lookback=lookback, gross=1e6)
    run = nt.backtest(strategy, BARS, capital=1e9)
    ratio, z = two_pass(np.array(BARS[y].close), np.array(BARS[x].close), lookback)
    assert_close(run.signals["hedge_ratio"], ratio)
    assert_close(run.signals["z_score"], z)
    levels = (strategy.entry, -strategy.entry, strategy.exit, -strategy.exit)
    known = z[~np.isnan(z)]
    if min(np.abs(known - level).min() for level in levels) > BAND and not any(
        run.skipped.values()
    ):
        where = run.outcome.where
        mine = [(int(bar) - 1) for bar in np.unique(where[0])]
        true = [bar for bar, _ in decisions(z, ratio, strategy) if bar < len(z) - 1]
        assert mine == true


@pytest.mark.parametrize("level", [1e-3, 1.0, 1e4, 1e8])
@pytest.mark.parametrize("move", [1e-6, 1e-2])
def test_z_scores_of_small_moves_at_any_price_level(level: float, move: float) -> None:
    """Sums of squares would lose every digit here; sums about a bar of the window do not."""
    rng = np.random.default_rng(7)
    common = rng.normal(0, move, 400).cumsum()
    y = level * (1.0 + common + rng.normal(0, move, 400))
    x = level * (1.0 + common + rng.normal(0, move, 400))
    run = nt.backtest(nt.Pairs("Y", "X", lookback=20, gross=1e3), bars_of(y, x), capital=1e12)
    ratio, z = two_pass(y, x, 20)
    # Prices carry 16 digits of their level: moves of a millionth of it leave ten.
    scale = max(BAND, 1e-15 / move)
    known = ~np.isnan(z)
    np.testing.assert_array_equal(np.isnan(run.signals["z_score"]), ~known)
    assert (np.abs(run.signals["hedge_ratio"] - ratio)[known] <= scale * 100).all()
    assert (
        np.abs(run.signals["z_score"] - z)[known] <= scale * 100 * np.maximum(1, abs(z[known]))
    ).all()


def test_prices_that_do_not_move_give_no_decision() -> None:
    rng = np.random.default_rng(3)
    y = np.round(20.0 * np.exp(rng.normal(0, 0.02, 300).cumsum()), 3)
    x = np.round(30.0 * np.exp(rng.normal(0, 0.02, 300).cumsum()), 3)
    y[50:90] = 17.123
    x[150:190] = 29.877
    run = nt.backtest(nt.Pairs("Y", "X", lookback=10, entry=0.5, exit=0.0), bars_of(y, x))
    ratio, z = two_pass(y, x, 10)
    assert np.isnan(ratio[59:90]).all()
    assert np.isnan(ratio[159:190]).all()
    assert_close(run.signals["hedge_ratio"], ratio)
    assert_close(run.signals["z_score"], z)


def test_every_flat_window_of_the_sample_is_seen() -> None:
    """RRC has 251 windows of 20 equal closes: none of them may have a hedge ratio."""
    closes = np.array(BARS["RRC"].close)
    flat = np.flatnonzero(np.ptp(np.lib.stride_tricks.sliding_window_view(closes, 20), axis=1) == 0)
    assert len(flat) == 251
    run = nt.backtest(nt.Pairs("KO", "RRC", lookback=20, gross=50.0), BARS, max_leverage=1e9)
    bars = run.outcome.signals.shape[1]
    assert bars == len(closes)
    assert np.isnan(run.signals["hedge_ratio"][flat + 19]).all()
