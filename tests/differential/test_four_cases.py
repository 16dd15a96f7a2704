"""The four published runs, written as their user would: bar by bar, and as intents."""

import math
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from examples.own_pairs import OwnPairs
from examples.own_sma_cross import OwnCross

BARS = nt.load("sp500-closes", symbols=["KO", "PEP"])
COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
YEAR: dict[str, Any] = {"start": "2021-01-01", "end": "2021-12-31", "warmup": "inside"}
CASES = [
    pytest.param("pairs", YEAR, (2, 8, 99_486.6097), id="pairs_1y"),
    pytest.param("pairs", {}, (105, 420, 94_125.7814), id="pairs_all"),
    pytest.param("sma", YEAR, (3, 5, 102_130.9316), id="sma_1y"),
    pytest.param("sma", {}, (101, 201, 126_637.3307), id="sma_all"),
]
LIBRARY: dict[str, Any] = {"pairs": nt.Pairs("KO", "PEP"), "sma": nt.SmaCross("KO")}


def closes_of(asked: dict[str, Any]) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """Return times and closes of a case's bars: its warm-up lies inside."""
    times = BARS["KO"].ts_close_ns.astype("datetime64[ns]")
    inside = np.ones(len(times), dtype=bool)
    if asked:
        inside = (times >= np.datetime64("2021-01-01")) & (times < np.datetime64("2022-01-01"))
    return times[inside], {symbol: BARS[symbol].close[inside] for symbol in ("KO", "PEP")}


def pairs_intents(asked: dict[str, Any]) -> nt.Intents:
    times, closes = closes_of(asked)
    y, x = closes["KO"], closes["PEP"]
    line = nt.indicators.OLS(60).batch(y, x)
    z = nt.indicators.ZScore(60).batch(line.spread)
    side = 0
    rows: list[tuple[Any, str, float]] = []
    for t in range(len(times)):
        if side != 0 and side * z[t] >= -0.5:
            side = 0
            rows += [(times[t], "KO", 0.0), (times[t], "PEP", 0.0)]
        elif side == 0 and abs(z[t]) >= 2.0 and line.slope[t] > 0.0:
            units_y = math.floor(20_000.0 / (y[t] + line.slope[t] * x[t]))
            units_x = math.floor(line.slope[t] * units_y + 0.5)
            if units_y > 0 and units_x > 0:
                side = -1 if z[t] > 0 else 1
                rows += [(times[t], "KO", side * units_y), (times[t], "PEP", -side * units_x)]
    time, symbol, qty = zip(*rows, strict=True)
    return nt.Intents({"time": np.array(time), "symbol": symbol, "target_qty": qty})


def sma_intents(asked: dict[str, Any]) -> nt.Intents:
    times, closes = closes_of(asked)
    ko = closes["KO"]
    above = nt.indicators.SMA(20).batch(ko) > nt.indicators.SMA(50).batch(ko)
    changes = np.flatnonzero(np.diff(above.astype(int), prepend=0))
    units = np.where(above[changes], np.floor(20_000.0 / ko[changes]), 0.0)
    names = ["KO"] * len(changes)
    return nt.Intents({"time": times[changes], "symbol": names, "target_qty": units})


@pytest.mark.parametrize(("name", "asked", "published"), CASES)
@pytest.mark.parametrize("way", ["bar by bar", "intents"])
def test_the_published_figures(
    name: str, asked: dict[str, Any], published: tuple[int, int, float], way: str
) -> None:
    own: Any
    if way == "intents":
        own = pairs_intents(asked) if name == "pairs" else sma_intents(asked)
    else:
        own = OwnPairs() if name == "pairs" else OwnCross()
    # A strategy that names no symbols of its own would see both.
    bars = BARS if name == "pairs" else nt.load("sp500-closes", symbols=["KO"])
    run = nt.backtest(own, bars, costs=COSTS, **asked)
    assert (run.trades, run.fill_count, round(run.final_equity, 4)) == published
    library = nt.backtest(LIBRARY[name], bars, costs=COSTS, **asked)
    np.testing.assert_array_equal(run.equity, library.equity)
    np.testing.assert_array_equal(run.outcome.where[:2], library.outcome.where)
    np.testing.assert_array_equal(run.outcome.fills, library.outcome.fills)
