"""Indicators: batch = streaming = a plain definition, and TA-Lib where it has the same."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

import neural_trader as nt
from neural_trader.backtesting.reference import hedge_ratios, moving_average, z_scores
from neural_trader.strategies import indicators as ind

NAN = math.nan
ALL: list[Callable[[int], Any]] = [
    ind.SMA,
    ind.EMA,
    ind.RSI,
    lambda n: ind.MACD(n, n + 3, 2),
    ind.ATR,
    ind.VWAP,
    ind.Std,
    ind.ZScore,
    ind.Bollinger,
    ind.OLS,
    ind.Correlation,
    ind.Donchian,
    ind.Max,
    ind.Min,
]
values = st.one_of(
    st.floats(1.0, 200.0), st.sampled_from([7.0, 7.0, 1e9, NAN]), st.integers(1, 9).map(float)
)


def streamed(indicator: Any, columns: list[list[float]]) -> dict[str, list[float]]:
    outputs: dict[str, list[float]] = {name: [] for name in indicator.outputs}
    main = []
    for bar in zip(*columns, strict=True):
        main.append(indicator.update(*bar))
        for name in indicator.outputs:
            outputs[name].append(getattr(indicator, name))
        assert same([main[-1]], [indicator.value])
    return outputs


def same(a: Any, b: Any) -> bool:
    return np.array_equal(np.asarray(a, float), np.asarray(b, float), equal_nan=True)


@settings(max_examples=200, deadline=None)
@given(make=st.sampled_from(ALL), window=st.integers(2, 9), data=st.data())
def test_batch_is_streaming_to_the_bit(
    make: Callable[[int], Any], window: int, data: st.DataObject
) -> None:
    indicator = make(window)
    bars = data.draw(st.integers(0, 40))
    columns = [data.draw(st.lists(values, min_size=bars, max_size=bars)) for _ in indicator.inputs]
    batch = indicator.batch(*columns)
    by_name = batch._asdict() if hasattr(batch, "_asdict") else {"value": batch}
    stream = streamed(indicator, columns)
    assert set(by_name) == set(stream)
    for name, column in by_name.items():
        assert column.shape == (bars,)
        assert same(column, stream[name]), name
    before = indicator.value
    indicator.batch(*columns)
    assert same([indicator.value], [before])
    indicator.reset()
    again = streamed(indicator, columns)
    assert all(same(again[name], stream[name]) for name in stream)


@settings(max_examples=150, deadline=None)
@given(
    window=st.integers(1, 8),
    column=st.lists(st.one_of(st.floats(1.0, 99.0), st.just(NAN)), max_size=40),
)
def test_a_nan_spoils_the_windows_that_hold_it_and_no_other(
    window: int, column: list[float]
) -> None:
    for kind in (ind.SMA, ind.Max, ind.Min, ind.Bollinger):
        batch = kind(window).batch(column)
        got = batch.middle if isinstance(batch, tuple) else batch
        for t in range(len(column)):
            seen = column[max(t - window + 1, 0) : t + 1]
            assert math.isnan(got[t]) == (len(seen) < window or any(map(math.isnan, seen)))


@settings(max_examples=150, deadline=None)
@given(window=st.integers(2, 12), column=st.lists(st.floats(1.0, 150.0), max_size=50))
def test_windows_are_what_their_definitions_say(window: int, column: list[float]) -> None:
    parts = [column[t - window + 1 : t + 1] for t in range(window - 1, len(column))]
    skip = min(window - 1, len(column))

    def tail(values: Any) -> list[float]:
        assert np.isnan(values[:skip]).all()
        return list(values[skip:])

    assert tail(ind.Max(window).batch(column)) == [max(part) for part in parts]
    assert tail(ind.Min(window).batch(column)) == [min(part) for part in parts]
    means = [math.fsum(part) / window for part in parts]
    assert tail(ind.SMA(window).batch(column)) == pytest.approx(means, rel=1e-12)
    for ddof in (0, 1):
        deviations = [np.std(part, ddof=ddof) for part in parts]
        got = tail(ind.Std(window, ddof).batch(column))
        assert got == pytest.approx(deviations, rel=1e-6, abs=1e-6)
        assert all((g == 0.0) == (max(p) == min(p)) for g, p in zip(got, parts, strict=True))


def test_the_reference_says_the_same_of_averages_lines_and_scores() -> None:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    y, x = bars["KO"].close[:900], bars["PEP"].close[:900]
    assert same(ind.SMA(20).batch(y), moving_average(y.tolist(), 20))
    line = ind.OLS(60).batch(y, x)
    assert same(line.slope, hedge_ratios(y.tolist(), x.tolist(), 60))
    assert same(ind.ZScore(60).batch(line.spread), z_scores(line.spread.tolist(), 60))


def test_a_line_through_two_prices_is_that_of_least_squares() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(50, 5, 200)
    y = 3 + 0.7 * x + draw.normal(0, 1, 200)
    line, together = ind.OLS(30).batch(y, x), ind.Correlation(30).batch(y, x)
    for t in (29, 30, 58, 59, 60, 199):
        window = slice(t - 29, t + 1)
        slope, intercept = np.polyfit(x[window], y[window], 1)
        assert line.slope[t] == pytest.approx(slope, rel=1e-9)
        assert line.intercept[t] == pytest.approx(intercept, rel=1e-8)
        assert line.residual[t] == pytest.approx(y[t] - slope * x[t] - intercept, abs=1e-9)
        assert together[t] == pytest.approx(np.corrcoef(y[window], x[window])[0, 1], rel=1e-9)


def test_vwap_is_money_over_shares() -> None:
    draw = np.random.default_rng(2)
    high, low, close = draw.uniform(9, 11, (3, 50))
    volume = draw.integers(0, 3, 50).astype(float)
    got = ind.VWAP(4).batch(high, low, close, volume)
    for t in range(3, 50):
        window = slice(t - 3, t + 1)
        shares = volume[window].sum()
        money = ((high + low + close)[window] / 3 * volume[window]).sum()
        assert got[t] == pytest.approx(money / shares, rel=1e-12) if shares else np.isnan(got[t])


@pytest.fixture(scope="module")
def prices() -> Any:
    return nt.load("us-ohlcv", symbols=["AAPL"])["AAPL"]


def agrees(ours: Any, theirs: Any, *, rel: float = 1e-9) -> None:
    assert same(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=rel, atol=1e-9)


@pytest.mark.parametrize("n", [2, 14, 50])
def test_talib_agrees(prices: Any, n: int) -> None:
    high, low, close = (np.array(c) for c in (prices.high, prices.low, prices.close))
    agrees(ind.SMA(n).batch(close), talib.SMA(close, n))
    agrees(ind.EMA(n).batch(close), talib.EMA(close, n))
    agrees(ind.RSI(n).batch(close), talib.RSI(close, n))
    agrees(ind.ATR(n).batch(high, low, close), talib.ATR(high, low, close, n))
    agrees(ind.Max(n).batch(close), talib.MAX(close, n))
    agrees(ind.Min(n).batch(close), talib.MIN(close, n))
    channel = ind.Donchian(n).batch(high, low)
    agrees(channel.upper, talib.MAX(high, n))
    agrees(channel.lower, talib.MIN(low, n))
    agrees(ind.Std(n, ddof=0).batch(close), talib.STDDEV(close, n), rel=1e-5)
    upper, middle, lower = talib.BBANDS(close, n, 2.0, 2.0)
    bands = ind.Bollinger(n, 2.0).batch(close)
    agrees(bands.middle, middle)
    agrees(bands.upper, upper, rel=1e-7)
    agrees(bands.lower, lower, rel=1e-7)


def test_talib_agrees_on_macd_once_its_signal_is_there(prices: Any) -> None:
    close = np.array(prices.close)
    value, signal, histogram = talib.MACD(close, 12, 26, 9)
    ours = ind.MACD(12, 26, 9).batch(close)
    there = ~np.isnan(value)
    np.testing.assert_allclose(ours.value[there], value[there], rtol=1e-9, atol=1e-9)
    agrees(ours.signal, signal)
    agrees(ours.histogram, histogram)


def test_talib_agrees_on_correlation(prices: Any) -> None:
    high, low = np.array(prices.high), np.array(prices.low)
    agrees(ind.Correlation(30).batch(high, low), talib.CORREL(high, low, 30), rel=1e-6)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ind.SMA(0), "window is 0"),
        (lambda: ind.ZScore(1), "window is 1"),
        (lambda: ind.MACD(9, 9), "fast < slow"),
        (lambda: ind.Bollinger(5, -1), "width is -1"),
        (lambda: ind.SMA(3).batch([[1.0]]), "shape"),
        (lambda: ind.OLS(3).batch([1.0], [1.0, 2.0]), "one length"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(nt.ConfigError, match=said):
        make()
