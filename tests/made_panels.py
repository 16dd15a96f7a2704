"""Panels of made-up series, and small configurations, as tests of training need them."""

from typing import Any

import numpy as np

from neural_trader.forecast import EvaluationConfig, NHiTSConfig, Panel, panel_from

DAY_NS = 86_400_000_000_000
SMALL = NHiTSConfig(
    horizon=3, lookback=16, width=16, pools=(4, 1), knots_every=(3, 1), steps=60, batch=64
)
JUDGE = EvaluationConfig(folds=2, draws=300)


def panel(prices: Any, *, labels: tuple[str, ...] = ()) -> Panel:
    """Return a panel of prices (T, S) on consecutive days."""
    names = tuple(f"S{place}" for place in range(prices.shape[1]))
    stamps = (np.arange(len(prices), dtype=np.int64) + 10_001) * DAY_NS - 1
    return panel_from(names, stamps, np.asarray(prices, np.float64), name="made up", labels=labels)


def random_walk(seed: int = 1, *, bars: int = 500, series: int = 2) -> Panel:
    """Return prices whose changes nobody can forecast."""
    steps = np.random.default_rng(seed).normal(0.0, 0.01, (bars, series))
    return panel(100.0 * np.exp(np.cumsum(steps, axis=0)))


def seasonal(seed: int = 1, *, bars: int = 500, series: int = 2) -> Panel:
    """Return prices that go up and down every 12 bars, below some noise."""
    rng = np.random.default_rng(seed)
    wave = 0.03 * np.sin(2.0 * np.pi * np.arange(bars)[:, None] / 12.0 + np.arange(series))
    return panel(100.0 * np.exp(wave + np.cumsum(rng.normal(0.0, 0.003, (bars, series)), axis=0)))
