"""Whatever is asked of the cache in whatever order, by threads and with interrupts."""

import contextlib
import signal
import sys
import threading
import types
from collections import OrderedDict
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import neural_trader as nt
from neural_trader.strategies.indicators import SMA, IndicatorCache

BARS = nt.load("us-ohlcv", end="2001-12-31")
SYMBOLS = ("AAPL", "IBM", "MSFT")
TRUTH = {
    (symbol, window): SMA(window).batch(BARS[symbol].close)
    for symbol in SYMBOLS
    for window in range(1, 7)
}
ENTRY = TRUTH["AAPL", 1].nbytes + 500


class Cache(RuleBasedStateMachine):
    """The cache, and beside it what it should hold, in the order of use."""

    @initialize(room=st.integers(1, 5))
    def begin(self, room: int) -> None:
        self.room = room
        self.cache = IndicatorCache(limit_mb=(room * ENTRY + 10) / 1e6)
        self.held: OrderedDict[tuple[str, int], None] = OrderedDict()
        self.hits = self.misses = self.evictions = 0

    @rule(symbol=st.sampled_from(SYMBOLS), window=st.integers(1, 6))
    def ask(self, symbol: str, window: int) -> None:
        found = self.cache.compute(SMA(window), BARS, symbol)
        np.testing.assert_array_equal(found, TRUTH[symbol, window])
        if (symbol, window) in self.held:
            self.hits += 1
        else:
            self.misses += 1
        self.held[symbol, window] = None
        self.held.move_to_end((symbol, window))
        if len(self.held) > self.room:
            self.held.popitem(last=False)
            self.evictions += 1

    @rule()
    def fail(self) -> None:
        def broken(series: Any) -> Any:
            raise ValueError(series.symbol)

        with pytest.raises(ValueError, match="AAPL"):
            self.cache.call(broken, BARS, "AAPL")
        self.misses += 1

    @rule(symbol=st.sampled_from(SYMBOLS))
    def drop(self, symbol: str) -> None:
        gone = [key for key in self.held if key[0] == symbol]
        assert self.cache.drop(nt.load("us-ohlcv", symbols=symbol, end="2001-12-31")) == len(gone)
        for key in gone:
            del self.held[key]

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "cache"):
            return
        stats = self.cache.stats
        assert (stats.hits, stats.misses, stats.evictions) == (
            self.hits,
            self.misses,
            self.evictions,
        )
        assert (stats.entries, stats.bytes) == (len(self.held), len(self.held) * ENTRY)
        assert stats.bytes <= self.cache.limit_bytes
        assert not self.cache._flights


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@settings(max_examples=25, deadline=None)
@given(
    plans=st.lists(
        st.lists(st.tuples(st.sampled_from(SYMBOLS), st.integers(1, 6)), max_size=30),
        min_size=2,
        max_size=4,
    ),
    room=st.integers(1, 8),
)
def test_threads_in_any_order_get_what_is_right(
    plans: list[list[tuple[str, int]]], room: int
) -> None:
    cache = IndicatorCache(limit_mb=room * ENTRY / 1e6)
    wrong: list[object] = []
    begin = threading.Barrier(len(plans))

    def ask(plan: list[tuple[str, int]]) -> None:
        begin.wait()
        for symbol, window in plan:
            found = cache.compute(SMA(window), BARS, symbol)
            if not np.array_equal(found, TRUTH[symbol, window], equal_nan=True):
                wrong.append((symbol, window))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=ask, args=(plan,)) for plan in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
    stats = cache.stats
    assert stats.hits + stats.misses == sum(map(len, plans))
    assert stats.misses - stats.evictions == stats.entries
    assert stats.bytes == stats.entries * ENTRY <= cache.limit_bytes
    assert not cache._flights


# An interrupt while an object is given back is told by a warning: it is not what is looked at.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
def test_an_interrupt_at_any_moment_leaves_nobody_waiting() -> None:
    cache = IndicatorCache(limit_mb=3 * ENTRY / 1e6)
    draw = np.random.default_rng(5)

    def interrupt(_number: int, _frame: types.FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    hung: list[int] = []
    try:
        for attempt in range(400):
            window = 1 + attempt % 6
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, float(draw.uniform(1e-6, 4e-4)))
                for turn in range(20):
                    cache.compute(SMA(1 + (window + turn) % 6), BARS, "AAPL")
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            ask = threading.Thread(
                target=cache.compute, args=(SMA(window), BARS, "AAPL"), daemon=True
            )
            ask.start()
            ask.join(20)
            if ask.is_alive():
                hung.append(attempt)
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert not hung
    stats = cache.stats
    assert stats.bytes == stats.entries * ENTRY <= cache.limit_bytes
