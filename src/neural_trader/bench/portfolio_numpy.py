"""What NumPy can do of the same: the 27 common metrics of many series at once, and nothing more.

Vectorized over time and series as its users write it, by the conventions of ``docs/metrics.md``, so
that its answers are ours but for roundings. It checks nothing and has no answer to what is not
defined.
"""

import math

import numpy as np

from neural_trader.core.bars import Floats

Figures = dict[str, Floats]
_PERIODS = 252


def compute_common(x: Floats, b: Floats) -> Figures:
    """Compute the metrics of ``portfolio.COMMON`` of returns (T, S) against a benchmark (T,)."""
    n = len(x)
    mean, root = x.mean(axis=0), math.sqrt(_PERIODS)
    d = x - mean
    squares = d * d
    m2 = squares.sum(axis=0)
    deviation = np.sqrt(m2 / (n - 1))
    lost = np.minimum(x, 0.0)
    losses = -lost.sum(axis=0)
    gains = mean * n + losses
    downside = np.sqrt(np.einsum("ts,ts->s", lost, lost) / n)
    rises, falls = (x > 0.0).sum(axis=0), (x < 0.0).sum(axis=0)
    figures = {
        "volatility": deviation * root,
        "sharpe": mean / deviation * root,
        "sortino": mean / downside * root,
        "downside_deviation": downside * root,
        "skew": np.einsum("ts,ts->s", squares, d) / n / (m2 / n) ** 1.5,
        "excess_kurtosis": np.einsum("ts,ts->s", squares, squares) / n / (m2 / n) ** 2 - 3.0,
        "omega": gains / losses,
        "profit_factor": gains / losses,
        "payoff": (gains / rises) / (losses / falls),
        "hit_rate": rises / n,
        "best": x.max(axis=0),
        "worst": x.min(axis=0),
    }
    return figures | _drawdowns(x) | _tails(x) | _relative(x, d, m2, b)


def _drawdowns(x: Floats) -> Figures:
    n = len(x)
    wealth = np.cumprod(1.0 + x, axis=0)
    fall = 1.0 - wealth / np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    deepest, ulcer = fall.max(axis=0), np.sqrt(np.einsum("ts,ts->s", fall, fall) / n)
    growth = wealth[-1] ** (_PERIODS / n) - 1.0
    return {
        "total_return": wealth[-1] - 1.0,
        "cagr": growth,
        "max_drawdown": deepest,
        "calmar": growth / deepest,
        "pain": fall.mean(axis=0),
        "ulcer": ulcer,
        "martin": growth / ulcer,
    }


def _tails(x: Floats) -> Figures:
    n = len(x)
    boundary = n - math.ceil(n * 0.95 - 1e-9)
    at = np.array([0.05, 0.95]) * (n - 1)
    places = np.floor(at).astype(int)
    order = np.partition(x, sorted({boundary, *places, *(places + 1)}), axis=0)
    low, high = (
        order[place] + (where - place) * (order[place + 1] - order[place])
        for place, where in zip(places, at, strict=True)
    )
    # Of the worst twentieth the boundary loss counts by its fraction.
    whole = n * (1.0 - 0.95)
    shortfall = -(order[:boundary].sum(axis=0) + order[boundary] * (whole - boundary)) / whole
    with np.errstate(invalid="ignore"):
        ratio = np.abs(high) / np.abs(low)
    return {"var": -order[boundary], "es": shortfall, "tail_ratio": ratio}


def _relative(x: Floats, d: Floats, m2: Floats, b: Floats) -> Figures:
    n = len(x)
    against = b - b.mean()
    both, square = against @ d, against @ against
    beta = both / square
    apart = x - b[:, np.newaxis]
    error = apart.std(axis=0, ddof=1)
    return {
        "beta": beta,
        "alpha": (x.mean(axis=0) - beta * b.mean()) * _PERIODS,
        "r2": both * both / (square * m2),
        "tracking_error": error * math.sqrt(_PERIODS),
        "information_ratio": apart.sum(axis=0) / n / error * math.sqrt(_PERIODS),
    }
