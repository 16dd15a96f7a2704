"""Sweeps compute once what trials share, and the answer is the same with and without."""

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.strategies.indicators import SMA, IndicatorCache

BARS = nt.load("sp500-closes", symbols=["KO"], start="2015-01-01")
GRID = {"fast": [5, 10, 20], "slow": [50, 100, 150]}


class Planned:
    """Long while one average is above the other, planned with whole columns from the cache."""

    def __init__(self, fast: int, slow: int) -> None:
        self.fast, self.slow = fast, slow

    def averages(self, bars: nt.Bars, cache: IndicatorCache) -> tuple[np.ndarray, np.ndarray]:
        return cache.compute(SMA(self.fast), bars, "KO"), cache.compute(SMA(self.slow), bars, "KO")

    def plan(self, bars: nt.Bars, cache: IndicatorCache) -> nt.Intents:
        fast, slow = self.averages(bars, cache)
        above = fast > slow
        changes = np.flatnonzero(np.diff(above, prepend=False))
        return nt.Intents(
            {
                "time": bars["KO"].ts_close_ns[changes].astype("datetime64[ns]"),
                "symbol": ["KO"] * len(changes),
                "target_qty": np.where(above[changes], 100.0, 0.0),
            }
        )


class Uncached(Planned):
    def averages(self, bars: nt.Bars, cache: IndicatorCache) -> tuple[np.ndarray, np.ndarray]:
        return SMA(self.fast).batch(bars["KO"].close), SMA(self.slow).batch(bars["KO"].close)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plan_is_given_the_cache_of_its_sweep(workers: int) -> None:
    found = nt.sweep(Planned, BARS, GRID, workers=workers)
    plain = nt.sweep(Uncached, BARS, GRID, workers=1)
    np.testing.assert_array_equal(
        np.stack(list(found.figures.values())), np.stack(list(plain.figures.values()))
    )
    assert found.cache is not None
    assert found.cache.hits + found.cache.misses == 18
    # Six averages, computed at most once in every process.
    assert 6 <= found.cache.misses <= 6 * workers
    assert plain.cache is not None
    assert (plain.cache.hits, plain.cache.misses) == (0, 0)


def test_a_backtest_gives_a_plan_a_cache_of_its_own() -> None:
    result = nt.backtest(Planned(10, 50), BARS)
    assert result.final_equity == nt.backtest(Uncached(10, 50), BARS).final_equity


def test_compiled_trials_count_the_signals_that_they_share() -> None:
    def make(lookback: int, entry: float) -> nt.Pairs:
        return nt.Pairs("KO", "PEP", lookback=lookback, entry=entry, exit=0.5, gross=20_000.0)

    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], start="2015-01-01")
    found = nt.sweep(make, bars, {"lookback": [40, 60], "entry": [1.5, 2.0, 2.5]})
    assert found.cache is not None
    assert (found.cache.hits, found.cache.misses) == (4, 2)
