"""Runs of every kind that a report must show, each made once."""

from collections.abc import Callable
from functools import cache

import numpy as np

import neural_trader as nt

COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
PAIR = nt.Pairs("KO", "PEP", gross=20_000)
AWKWARD = ("</script><b>\"A&B'", "<!--${x}")


def _sample(strategy: nt.Pairs | nt.SmaCross, end: str | None = None) -> nt.Result:
    bars = nt.load("sp500-closes", symbols=list(strategy.symbols))
    return nt.backtest(strategy, bars, costs=COSTS, end=end)


def _year() -> nt.Result:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], start="2021-01-01", end="2021-12-31")
    return nt.backtest(PAIR, bars, costs=COSTS)


def _ruined() -> nt.Result:
    bars = nt.load("sp500-closes", symbols=["AAPL", "AMD"])
    strategy = nt.Pairs("AAPL", "AMD", lookback=10, entry=1.0, exit=-1.0, gross=9.0)
    return nt.backtest(strategy, bars, costs=COSTS, max_leverage=float("inf"))


def _at_opens() -> nt.Result:
    bars = nt.load("us-ohlcv", symbols=["AAPL"])
    return nt.backtest(nt.SmaCross("AAPL", fast=20, slow=50, gross=0.5), bars, costs=COSTS)


def _minutes(symbols: tuple[str, str], count: int) -> nt.Bars:
    """Return two random walks that come back to each other, a bar a minute."""
    rng = np.random.default_rng(7)
    walk = np.cumsum(rng.normal(0.0, 2e-4, count))
    gap = np.convolve(rng.normal(0.0, 1e-3, count), 0.97 ** np.arange(200))[:count]
    closes = np.exp(np.stack([walk + gap, walk], axis=1)) * (100.0, 250.0)
    start = np.datetime64("2019-01-02T00:01", "ns")
    stamps = start + np.arange(count) * np.timedelta64(60, "s")
    return nt.load(closes, timestamps=stamps, symbols=list(symbols))


def _long() -> nt.Result:
    strategy = nt.Pairs("NEAR", "FAR", lookback=30, entry=1.5, gross=1_000)
    bars = _minutes(("NEAR", "FAR"), 500_000)
    return nt.backtest(strategy, bars, costs=nt.Costs(fee_bps=0.5, slippage_bps=0.5))


def _awkward() -> nt.Result:
    strategy = nt.Pairs(*AWKWARD, lookback=30, gross=2_000)
    return nt.backtest(strategy, _minutes(AWKWARD, 2_000), costs=COSTS)


CASES: dict[str, Callable[[], nt.Result]] = {
    "pairs": lambda: _sample(PAIR),
    "pairs of one year": _year,
    "sma-cross, open at the end": lambda: _sample(nt.SmaCross("KO", fast=20, slow=50)),
    "pairs, open at the end": lambda: _sample(PAIR, end="1991-03-15"),
    "no trade": lambda: _sample(PAIR, end="1990-02-01"),
    "one bar": lambda: _sample(PAIR, end="1990-01-02"),
    "one bar of sma-cross": lambda: _sample(nt.SmaCross("KO"), end="1990-01-02"),
    "ruined": _ruined,
    "at opens": _at_opens,
    "long": _long,
    "awkward names": _awkward,
}


@cache
def run_case(name: str) -> nt.Result:
    """Return the result of a case."""
    return CASES[name]()
