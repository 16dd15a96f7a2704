"""The cache gives what batch gives, never what is stale, and computes once what many ask for."""

import functools
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.core.bars import SymbolBars
from neural_trader.strategies.indicators import CacheStats, IndicatorCache

BARS = nt.load("us-ohlcv")
KO = nt.load("sp500-closes", symbols=["KO", "PEP"])
ALL = [
    (nt.indicators.SMA(20), ("AAPL",)),
    (nt.indicators.EMA(20), ("AAPL",)),
    (nt.indicators.Bollinger(20, 2.0), ("MSFT",)),
    (nt.indicators.MACD(), ("AAPL",)),
    (nt.indicators.ATR(14), ("AAPL",)),
    (nt.indicators.VWAP(20), ("AAPL",)),
    (nt.indicators.OLS(60), ("AAPL", "MSFT")),
    (nt.indicators.Donchian(20), ("IBM",)),
]


def counts(cache: IndicatorCache) -> tuple[int, int]:
    return cache.stats.hits, cache.stats.misses


def columns(indicator: Any, symbols: tuple[str, ...]) -> list[Any]:
    if len(symbols) > 1:
        return [BARS[symbol].close for symbol in symbols]
    return [getattr(BARS[symbols[0]], name) for name in indicator.inputs]


@pytest.mark.parametrize(("indicator", "symbols"), ALL, ids=lambda each: repr(each)[:16])
def test_what_comes_back_is_what_batch_gives_to_the_bit(
    indicator: Any, symbols: tuple[str, ...]
) -> None:
    cache = IndicatorCache()
    for _ in range(2):
        found = cache.compute(indicator, BARS, *symbols)
        wanted = indicator.batch(*columns(indicator, symbols))
        assert type(found) is type(wanted)
        for one, other in zip(np.atleast_2d(found), np.atleast_2d(wanted), strict=True):
            np.testing.assert_array_equal(one, other)
    assert counts(cache) == (1, 1)


def test_other_parameters_symbols_data_and_indicators_are_other_keys() -> None:
    cache = IndicatorCache()
    sma, std = nt.indicators.SMA, nt.indicators.Std
    cache.compute(sma(20), BARS, "AAPL")
    for indicator, symbol in (
        (sma(21), "AAPL"),
        (sma(20), "IBM"),
        (std(20), "AAPL"),
        (std(20, 0), "AAPL"),
    ):
        cache.compute(indicator, BARS, symbol)
    cut = nt.load("us-ohlcv", start="2005-01-03")
    assert len(cache.compute(sma(20), cut, "AAPL")) == len(cut["AAPL"].close)
    assert counts(cache) == (0, 6)


def test_the_same_data_loaded_again_are_the_same() -> None:
    cache = IndicatorCache()
    cache.compute(nt.indicators.SMA(20), BARS, "AAPL")
    cache.compute(nt.indicators.SMA(20), nt.load("us-ohlcv", symbols="AAPL", cache=False), "AAPL")
    assert counts(cache) == (1, 1)


def test_a_hash_that_was_taken_over_from_other_bars_deceives_nobody() -> None:
    cache = IndicatorCache()
    cut = nt.load("us-ohlcv", symbols="AAPL", start="2005-01-03")
    cut.remember_hash(BARS.data_hash)
    whole = cache.compute(nt.indicators.SMA(20), BARS, "AAPL")
    assert len(cache.compute(nt.indicators.SMA(20), cut, "AAPL")) < len(whole)


def test_columns_that_can_be_written_to_are_looked_at_again() -> None:
    cache = IndicatorCache()
    values = np.arange(100.0)
    first = cache.fetch("double", [values], lambda: values * 2)
    values[3] = -1.0
    second = cache.fetch("double", [values], lambda: values * 2)
    assert (first[3], second[3]) == (6.0, -2.0)


def test_views_that_begin_alike_are_told_apart() -> None:
    cache = IndicatorCache()
    values = np.arange(100.0)
    values.flags.writeable = False
    views = (values[:50], values[::2], values[:50].view(np.int64), values.reshape(2, 50)[0])
    sums = [cache.fetch("sum", [view], functools.partial(np.sum, view)) for view in views]
    assert sums == [float(view.sum()) for view in views]
    assert counts(cache) == (1, 3)


def test_lists_and_dicts_are_given_anew_so_that_nobody_changes_what_is_kept() -> None:
    cache = IndicatorCache()

    def parts(series: SymbolBars) -> Any:
        return {"closes": [series.close, 1]}

    first = cache.call(parts, BARS, "IBM")
    first["closes"].append(2)
    first["more"] = 3
    again = cache.call(parts, BARS, "IBM")
    assert list(again) == ["closes"]
    assert len(again["closes"]) == 2
    assert again["closes"][0] is first["closes"][0]
    assert cache.stats.bytes > BARS["IBM"].close.nbytes


@pytest.mark.parametrize("made", [{1, 2}, object(), np.array([object()]), np.ma.array([1.0])])
def test_what_can_be_neither_protected_nor_measured_is_refused(made: Any) -> None:
    cache = IndicatorCache()
    with pytest.raises(ConfigError, match="neither protect nor measure"):
        cache.fetch("it", [BARS["IBM"].close], lambda: (1, made))
    assert cache.stats.entries == 0


def test_results_are_read_only_and_nobody_elses_memory() -> None:
    cache = IndicatorCache()
    found = cache.compute(nt.indicators.Bollinger(20), BARS, "AAPL")
    for column in found:
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1.0
    room = np.zeros(10)
    kept = cache.call(lambda _: {"part": room[2:5]}, BARS, "AAPL")
    room[:] = 7.0
    assert kept["part"].tolist() == [0.0, 0.0, 0.0]


def test_functions_are_told_apart_by_their_code_and_what_it_is_bound_to() -> None:
    def make(by: float) -> Any:
        def scaled(series: SymbolBars, power: int = 1) -> Any:
            return series.close**power * by

        return scaled

    cache = IndicatorCache()
    first = cache.call(make(2.0), BARS, "IBM")
    assert cache.call(make(2.0), BARS, "IBM") is first
    assert cache.call(make(3.0), BARS, "IBM")[0] == 1.5 * first[0]
    assert cache.call(make(2.0), BARS, "IBM", power=2)[0] != first[0]
    assert cache.call(functools.partial(make(2.0), power=2), BARS, "IBM")[0] != first[0]
    assert counts(cache) == (1, 4)
    edited: dict[str, Any] = {}
    exec("def f(series): return series.close + 1", edited)  # noqa: S102 - as a notebook does
    one = cache.call(edited["f"], BARS, "IBM")
    exec("def f(series): return series.close + 2", edited)  # noqa: S102
    assert cache.call(edited["f"], BARS, "IBM")[0] == one[0] + 1


def test_what_was_used_longest_ago_makes_room() -> None:
    column = BARS["AAPL"].close
    cache = IndicatorCache(limit_mb=3.5 * (column.nbytes + 500) / 1e6)
    for window in (2, 3, 4, 2, 5):
        cache.compute(nt.indicators.SMA(window), BARS, "AAPL")
    assert (cache.stats.evictions, cache.stats.entries) == (1, 3)
    assert cache.stats.bytes <= cache.limit_bytes
    cache.compute(nt.indicators.SMA(2), BARS, "AAPL")
    assert counts(cache) == (2, 4)
    cache.compute(nt.indicators.SMA(3), BARS, "AAPL")
    assert counts(cache) == (2, 5)


def test_what_is_larger_than_the_limit_is_given_and_not_kept() -> None:
    cache = IndicatorCache(limit_mb=0.001)
    assert len(cache.compute(nt.indicators.SMA(2), BARS, "AAPL")) == 3270
    assert cache.stats == CacheStats(misses=1)


def test_what_nobody_will_ask_for_again_is_only_counted() -> None:
    cache = IndicatorCache()
    assert cache.fetch("it", [BARS["AAPL"].close], lambda: 1, requests=3, is_kept=False) == 1
    assert cache.stats == CacheStats(hits=2, misses=1)


def test_dropping_bars_drops_what_was_made_of_them() -> None:
    cache = IndicatorCache()
    cache.compute(nt.indicators.SMA(2), BARS, "AAPL")
    cache.compute(nt.indicators.SMA(2), KO, "KO")
    assert cache.drop(KO) == 1
    assert cache.stats.entries == 1
    cache.compute(nt.indicators.SMA(2), BARS, "AAPL")
    assert cache.stats.hits == 1
    assert cache.drop(BARS) == 1
    assert cache.stats.bytes == 0


def test_dropping_bars_drops_what_was_made_of_two_calendars() -> None:
    cache = IndicatorCache()
    late = nt.load("us-ohlcv", symbols="IBM", start="2005-01-03")
    blocks = (*nt.load("us-ohlcv", symbols="AAPL").blocks, *late.blocks)
    bars = nt.Bars(blocks, name="two calendars")
    line = nt.indicators.OLS(20)
    found = cache.compute(line, bars, "AAPL", "IBM")
    assert cache.compute(line, bars, "AAPL", "IBM") is found
    assert len(found.slope) == len(late["IBM"].close)
    wanted = line.batch(BARS["AAPL"].close[-len(found.slope) :], late["IBM"].close)
    np.testing.assert_array_equal(found.slope, wanted.slope)
    assert cache.drop(bars) == 1


def test_what_another_process_is_sent_is_an_empty_cache_of_the_same_limit() -> None:
    cache = IndicatorCache(limit_mb=3)
    cache.compute(nt.indicators.SMA(2), BARS, "AAPL")
    sent = pickle.loads(pickle.dumps(cache))
    assert (sent.limit_bytes, sent.stats) == (3_000_000, CacheStats())
    assert repr(sent) == repr(cache) == "IndicatorCache(limit_mb=3)"


def test_one_computes_and_the_others_wait() -> None:
    cache = IndicatorCache()
    computing, go_on = threading.Event(), threading.Event()
    calls = []

    def slow() -> Any:
        calls.append(1)
        computing.set()
        go_on.wait(10)
        return np.ones(3)

    found: list[Any] = []

    def ask() -> None:
        found.append(cache.fetch("slow", [BARS["AAPL"].close], slow))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    threads[0].start()
    assert computing.wait(10)
    for thread in threads[1:]:
        thread.start()
    # Another key does not wait for this one.
    cache.compute(nt.indicators.SMA(2), BARS, "AAPL")
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(calls) == 1
    assert all(each is found[0] for each in found)
    assert counts(cache) == (7, 2)


def test_an_error_reaches_all_who_wait_and_is_not_kept() -> None:
    cache = IndicatorCache()
    computing, go_on = threading.Event(), threading.Event()

    def fails() -> Any:
        computing.set()
        go_on.wait(10)
        message = "not today"
        raise ValueError(message)

    errors: list[BaseException] = []

    def ask() -> None:
        try:
            cache.fetch("fails", [BARS["AAPL"].close], fails)
        except ValueError as error:
            errors.append(error)

    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    first.start()
    assert computing.wait(10)
    second.start()
    while not cache._flights:
        pass
    go_on.set()
    first.join(10)
    second.join(10)
    assert [str(error) for error in errors] == ["not today"] * 2
    assert cache.fetch("fails", [BARS["AAPL"].close], lambda: 5) == 5


def test_an_interrupted_computation_is_taken_over_by_who_waits() -> None:
    cache = IndicatorCache()
    computing, go_on = threading.Event(), threading.Event()

    def interrupted() -> Any:
        computing.set()
        go_on.wait(10)
        raise KeyboardInterrupt

    def first() -> None:
        with pytest.raises(KeyboardInterrupt):
            cache.fetch("it", [BARS["AAPL"].close], interrupted)

    found: list[Any] = []
    threads = [
        threading.Thread(target=first),
        threading.Thread(
            target=lambda: found.append(cache.fetch("it", [BARS["AAPL"].close], lambda: 7))
        ),
    ]
    threads[0].start()
    assert computing.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert found == [7]


def test_a_computation_that_asks_for_itself_is_told() -> None:
    cache = IndicatorCache()
    column = [BARS["AAPL"].close]
    with pytest.raises(ConfigError, match="its own result"):
        cache.fetch("it", column, lambda: cache.fetch("it", column, lambda: 1))


def test_random_requests_from_many_threads_are_all_answered_right() -> None:
    cache = IndicatorCache(limit_mb=0.15)
    close = BARS["IBM"].close
    truth = {window: nt.indicators.SMA(window).batch(close) for window in range(2, 12)}
    wrong: list[int] = []

    def ask(seed: int) -> None:
        for window in np.random.default_rng(seed).integers(2, 12, 200).tolist():
            found = cache.compute(nt.indicators.SMA(window), BARS, "IBM")
            if not np.array_equal(found, truth[window], equal_nan=True):
                wrong.append(window)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sum(counts(cache)) == 800
    assert cache.stats.bytes <= cache.limit_bytes


def test_wrong_requests_are_told() -> None:
    cache = IndicatorCache()
    for odd in (0, -1, float("nan"), float("inf"), True, "256"):
        with pytest.raises(ConfigError, match="limit_mb is"):
            IndicatorCache(limit_mb=odd)  # type: ignore[arg-type]
    assert IndicatorCache(np.float64(2)).limit_bytes == 2_000_000
    for thing in (nt.indicators.SMA, 20, len):
        with pytest.raises(ConfigError, match="expected an indicator such as"):
            cache.compute(thing, BARS, "AAPL")
    with pytest.raises(ConfigError, match="2 symbols"):
        cache.compute(nt.indicators.SMA(2), BARS, "AAPL", "IBM")
    with pytest.raises(ConfigError, match="reads high"):
        cache.compute(nt.indicators.ATR(2), KO, "KO")
    with pytest.raises(DataError, match="NOPE"):
        cache.compute(nt.indicators.SMA(2), BARS, "NOPE")
    with pytest.raises(ConfigError, match="no symbol"):
        cache.call(len, BARS)
