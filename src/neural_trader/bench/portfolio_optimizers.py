"""Optimizers in the portfolio bench: 50 assets, ours and NumPy's, on one covariance.

The clock starts with moments that are there and stops with weights that are read.
"""

import math
from functools import partial
from typing import Final

import numpy as np

from neural_trader.bench.portfolio_cases import Figure, Measured, make_returns, median_s
from neural_trader.core.bars import Floats
from neural_trader.portfolio.optimizers import Moments, estimate_moments, optimize

ASSETS: Final = 50
_DAYS: Final = 1_260
_ROUNDING: Final = 1e-10


def _moments() -> Moments:
    names = tuple(f"S{k}" for k in range(ASSETS))
    return estimate_moments(make_returns(ASSETS, _DAYS), series=names)


def run_optimizer(method: str) -> Measured:
    """Measure a method of ours, from the public call to weights."""
    moments = _moments()

    def work() -> list[float]:
        weights: list[float] = optimize(moments, method).weights.tolist()
        return weights

    answer = {"weights": work()}
    return Measured([Figure("time", "ms", median_s(work) * 1e3)], answer)


def run_optimizer_numpy(method: str) -> Measured:
    """Measure the same in NumPy, which checks nothing."""
    covariance = _moments().covariance
    solve = {"min-variance": solve_min_variance, "risk-parity": solve_risk_parity}[method]
    answer = {"weights": solve(covariance).tolist()}
    work = partial(solve, covariance)
    return Measured([Figure("time", "ms", median_s(work) * 1e3)], answer)


def solve_min_variance(covariance: Floats) -> Floats:
    """Return the long-only weights of least variance: an active set on the conditions of the best.

    Assets that would be sold short leave; the one that would lower the variance most comes back.
    """
    count = len(covariance)
    held = np.ones(count, dtype=bool)
    while True:
        places = np.flatnonzero(held)
        part = np.linalg.solve(covariance[np.ix_(places, places)], np.ones(len(places)))
        if (part < 0.0).any():
            held[places[part < 0.0]] = False
            continue
        weights = np.zeros(count)
        weights[places] = part / part.sum()
        slope = covariance @ weights
        least = slope[places].mean()
        outside = np.where(held, np.inf, slope)
        if outside.min() >= least * (1.0 - _ROUNDING):
            return weights
        held[outside.argmin()] = True


def solve_risk_parity(covariance: Floats) -> Floats:
    """Return the long-only weights of equal risk: cyclical coordinate descent.

    Source: Griveau-Billion, Richard and Roncalli (2013), "A fast algorithm for computing
    high-dimensional risk parity portfolios".
    """
    count = len(covariance)
    part = 1.0 / count
    own = covariance.diagonal()
    x = 1.0 / np.sqrt(own) / count
    while np.abs(x * (covariance @ x) - part).max() > 1e-12:
        for place in range(count):
            others = float(covariance[place] @ x - own[place] * x[place])
            root = math.sqrt(others * others + 4.0 * own[place] * part)
            x[place] = (root - others) / (2.0 * own[place])
    weights: Floats = x / x.sum()
    return weights
