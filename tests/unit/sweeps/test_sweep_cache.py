"""Sweeps compute once what trials share, and the answer is the same with and without."""

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import Block
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


def test_a_cache_that_is_given_is_used_and_counted_by_the_sweep_alone() -> None:
    cache = IndicatorCache()
    cache.compute(SMA(5), BARS, "KO")
    first = nt.sweep(Planned, BARS, GRID, workers=1, cache=cache)
    again = nt.sweep(Planned, BARS, GRID, workers=1, cache=cache)
    nt.backtest(Planned(5, 50), BARS, cache=cache)
    assert first.cache is not None
    assert again.cache is not None
    assert (first.cache.hits, first.cache.misses) == (13, 5)
    assert (again.cache.hits, again.cache.misses) == (18, 0)
    assert (cache.stats.hits, cache.stats.misses) == (33, 6)
    assert first.summary == again.summary


def test_processes_have_caches_as_large_as_the_one_that_is_given() -> None:
    small = nt.sweep(Planned, BARS, GRID, workers=2, cache=IndicatorCache(limit_mb=0.001))
    assert small.cache is not None
    assert (small.cache.hits, small.cache.misses) == (0, 18)


def test_the_run_after_the_split_has_the_cache_of_the_sweep() -> None:
    cache = IndicatorCache()
    found = nt.sweep(Planned, BARS, GRID, workers=1, split="2020-01-02", cache=cache)
    assert found.cache is not None
    assert (found.cache.hits, found.cache.misses) == (12, 6)
    assert (cache.stats.hits, cache.stats.misses) == (14, 6)


def test_one_cache_serves_compiled_sweeps_whose_legs_stand_in_another_order() -> None:
    def make(lookback: int, entry: float) -> nt.Pairs:
        return nt.Pairs("KO", "PEP", lookback=lookback, entry=entry, exit=0.1, gross=20_000.0)

    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], start="2018-01-01")
    (block,) = bars.blocks
    swapped = nt.Bars((Block(("PEP", "KO"), block.ts_close_ns, block.fields),), name="swapped")
    # More trials than are made at a time: only then are signals kept for those that follow.
    grid = {"entry": np.linspace(1.0, 3.0, 600).tolist(), "lookback": [20, 30, 40, 50]}
    cache = IndicatorCache()
    for each in (bars, swapped):
        shared = nt.sweep(make, each, grid, workers=1, cache=cache)
        assert shared.cache is not None
        assert (shared.cache.hits, shared.cache.misses) == (2396, 4)
        assert shared.summary == nt.sweep(make, each, grid, workers=1).summary
    assert cache.stats.entries == 8


def test_what_is_no_cache_is_refused() -> None:
    with pytest.raises(nt.ConfigError, match="cache is 256"):
        nt.sweep(Planned, BARS, GRID, cache=256)  # type: ignore[arg-type]
    with pytest.raises(nt.ConfigError, match="cache is 256"):
        nt.backtest(Planned(5, 50), BARS, cache=256)  # type: ignore[arg-type]


def test_a_sweep_leaves_the_arrays_of_its_bars_as_they_were() -> None:
    (block,) = nt.load("sp500-closes", symbols=["KO", "PEP"], start="2018-01-01").blocks
    close = block.fields["close"].copy()
    bars = nt.Bars((Block(block.symbols, block.ts_close_ns, {"close": close}),), name="own")
    nt.sweep(lambda lookback: nt.Pairs("KO", "PEP", lookback=lookback), bars, {"lookback": [20]})
    assert close.flags.writeable
