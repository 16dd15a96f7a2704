"""Portfolios and prices that the tests of risk share."""

from typing import Any

import numpy as np

from neural_trader.core import Bars
from neural_trader.data import load
from neural_trader.risk import RiskConfig, RiskResult, Situation, measure_risk, read_situation

LINEAR = {
    "cash": 1_000.0,
    "positions": [
        {"symbol": "KO", "qty": 200},
        {"symbol": "PEP", "qty": -80},
        {"symbol": "XOM", "qty": 50},
    ],
}
PUT = {
    "type": "put",
    "style": "european",
    "strike": 55,
    "expiry": "2023-01-20",
    "multiplier": 100,
    "iv": 0.22,
    "rate": 0.04,
    "dividend_yield": 0.0,
}
# The file that docs/risk.md shows.
WITH_OPTION: dict[str, Any] = {
    "cash": 50_000,
    "positions": [
        {"symbol": "KO", "qty": 200},
        {"symbol": "PEP", "qty": -80},
        {"symbol": "KO", "qty": 10, "option": PUT},
    ],
}
CLOSED = ("normal", "student-t", "cornish-fisher", "evt")


def prices(returns: np.ndarray[Any, Any], symbols: tuple[str, ...]) -> Bars:
    """Return daily bars whose closes have these returns; the last close is 100."""
    growth = np.vstack([np.ones(returns.shape[1]), np.cumprod(1.0 + returns, axis=0)])
    closes = growth / growth[-1] * 100.0
    return load(closes, symbols=list(symbols), timestamps=weekdays(len(closes)))


def weekdays(count: int) -> np.ndarray[Any, Any]:
    """Return Mondays to Fridays from 3 January 2000 on."""
    days: np.ndarray[Any, Any] = np.busday_offset(
        np.datetime64("2000-01-03"), np.arange(count), roll="forward"
    )
    return days


def drawn(count: int, columns: int, *, seed: int = 3) -> np.ndarray[Any, Any]:
    """Return fat-tailed, correlated daily returns."""
    generator = np.random.default_rng(seed)
    common = generator.standard_t(5, (count, 1))
    returns: np.ndarray[Any, Any] = 0.006 * common + 0.008 * generator.standard_t(
        5, (count, columns)
    )
    np.maximum(returns, -0.5, out=returns)
    return returns


def on_sample(portfolio: Any = None, **reading: Any) -> Situation:
    """Return a situation on the bundled sample."""
    return read_situation(portfolio or LINEAR, load("sp500-closes"), **reading)


def figures(situation: Situation, method: str = "historical", **settings: Any) -> RiskResult:
    """Return the figures of a method."""
    return measure_risk(situation, RiskConfig(method=method, **settings))  # type: ignore[arg-type]
