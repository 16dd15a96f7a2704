"""The least variance, the frontier and the highest ratio within bounds, by the compiled kernel."""

import math
from typing import Final

import numpy as np

from neural_trader._kernels import allocation as kernel
from neural_trader.core.errors import ConfigError, DataError, NoPortfolio
from neural_trader.portfolio.metrics import Floats

TOLERANCE: Final = 1e-8
"""How far the marginal cost of two weights that could be traded may be apart, by the largest."""

NOTHING_EARNS: Final = (
    "no weights within the bounds have an expected return above the risk-free rate: a ratio to the "
    "risk says nothing then. Use min-variance or risk-parity, or hold cash."
)
"""What is said where a ratio is asked for."""

_SEARCH_MAX: Final = 200
FAR: Final = 1e6
ENDLESS: Final = (
    "the ratio rises without end as long and short positions grow; give min_weight and max_weight"
)
"""What is said of weights whose sizes add up to more than ``FAR``."""


class Frontier:
    """Weights that minimize variance / 2 - trade x gain, as the trade between them changes.

    They add up to 1 within bounds. One answer is the start of the next, so that going along the
    frontier costs a few steps a point.

    Parameters
    ----------
    matrix : float64 array, shape (N, N)
        Covariance, positive definite.
    low, high : float64 arrays, shape (N,)
        Bounds; weights within them can add up to 1.
    """

    def __init__(self, matrix: Floats, low: Floats, high: Floats) -> None:
        count = len(matrix)
        self.matrix, self.low, self.high = matrix, low, high
        self.weights = np.empty(count)
        self._flat = np.ascontiguousarray(matrix).reshape(-1)
        self._places = np.full(count, kernel.NEW, np.int64)
        self._free = np.empty(count, np.int64)
        self._scratch = np.empty(count * count + 3 * count)

    def solve(self, linear: Floats) -> Floats:
        """Return the weights of least w'Mw / 2 - linear'w.

        Raises
        ------
        DataError
            No answer that stands the test was found.
        """
        steps = kernel.least(
            self._flat,
            np.ascontiguousarray(linear),
            self.low,
            self.high,
            self.weights,
            self._places,
            self._free,
            self._scratch,
        )
        if steps < 0:
            raise DataError(_failed("a step cannot be taken" if steps < -1 else "steps ran out"))
        return self.weights

    def slope(self, gain: Floats) -> float:
        """Return how fast gain'w rises with the trade, while the same weights are free."""
        free = np.flatnonzero(self._places == 0)
        if len(free) < 2:
            return 0.0
        sides = np.stack([gain[free], np.ones(len(free))], axis=1)
        toward, unit = np.linalg.solve(self.matrix[np.ix_(free, free)], sides).T
        return float(gain[free] @ (toward - unit * (toward.sum() / unit.sum())))


def compute_residual(
    matrix: Floats, linear: Floats, bounds: tuple[Floats, Floats], weights: Floats
) -> float:
    """Return by how much the conditions of the least w'Mw / 2 - linear'w are missed.

    Parameters
    ----------
    matrix : float64 array, shape (N, N)
    linear, weights : float64 arrays, shape (N,)
    bounds : two float64 arrays, shape (N,)
        Lower and upper ones.

    Returns
    -------
    float
        The most that is gained by moving weight from a series that can give to one that can take,
        over the largest gradient: 0 where the weights are the best ones (Karush, Kuhn and Tucker).
    """
    pulled = matrix @ weights
    gradient = pulled - linear
    scale = max(float(np.abs(pulled).max()), float(np.abs(linear).max()))
    gives, takes = weights > bounds[0], weights < bounds[1]
    if not gives.any() or not takes.any() or scale == 0.0:
        return 0.0
    return max(float(gradient[gives].max() - gradient[takes].min()), 0.0) / scale


def check_residual(residual: float) -> float:
    """Return the residual, or raise DataError where it is too large for an answer."""
    if not residual <= TOLERANCE:
        raise DataError(_failed(f"the conditions of the best weights are missed by {residual:.1e}"))
    return residual


def minimize_variance(matrix: Floats, low: Floats, high: Floats) -> tuple[Floats, float]:
    """Return the weights of least variance, and their residual."""
    nothing = np.zeros(len(matrix))
    weights = Frontier(matrix, low, high).solve(nothing)
    return weights, check_residual(compute_residual(matrix, nothing, (low, high), weights))


def maximize_utility(
    matrix: Floats, low: Floats, high: Floats, gain: Floats, *, aversion: float
) -> tuple[Floats, float]:
    """Return the weights of greatest gain'w - aversion / 2 w'Mw, and their residual."""
    linear = gain / aversion
    weights = Frontier(matrix, low, high).solve(linear)
    return weights, check_residual(compute_residual(matrix, linear, (low, high), weights))


def reach_gain(
    matrix: Floats, low: Floats, high: Floats, gain: Floats, *, target: float
) -> tuple[Floats, float]:
    """Return the weights of least variance whose gain is the target or more, and their residual.

    Raises
    ------
    ConfigError
        No weights within the bounds gain as much.
    """
    most = greatest_gain(gain, low, high)
    slack = 1e-12 * max(abs(most), abs(target))
    if target > most + slack:
        message = (
            f"target_return is {target:.6g}; the most that weights within the bounds are expected "
            f"to return is {most:.6g}"
        )
        raise ConfigError(message)
    frontier = Frontier(matrix, low, high)
    trade, least, top = 0.0, 0.0, math.inf
    weights = frontier.solve(np.zeros(len(gain)))
    for _ in range(_SEARCH_MAX):
        missing = target - float(gain @ weights)
        if abs(missing) <= slack or (trade == 0.0 and missing <= 0.0):
            break
        least, top = (trade, top) if missing > 0.0 else (least, trade)
        slope = frontier.slope(gain)
        # The end of the way from here while the same weights are free; else halfway, or further.
        aim = trade + missing / slope if slope > 0.0 else math.inf
        if not least < aim < top:
            start = float(weights @ matrix @ weights) / max(abs(target), slack)
            aim = (least + top) / 2.0 if top < math.inf else 2.0 * max(least, start)
        if aim == trade:
            break
        trade = aim
        weights = frontier.solve(trade * gain)
    missed = abs(target - float(gain @ weights)) if trade > 0.0 else 0.0
    if missed > 1e-9 * max(abs(most), abs(target)):
        raise DataError(_failed(f"the target return is missed by {missed:.1e}"))
    residual = compute_residual(matrix, trade * gain, (low, high), weights)
    return weights, check_residual(residual)


def maximize_ratio(
    matrix: Floats, low: Floats, high: Floats, excess: Floats
) -> tuple[Floats, float]:
    """Return the weights of greatest excess'w / sqrt(w'Mw), and their residual.

    The best ratio lies on the frontier, where the trade is variance over excess return; along a
    piece of the frontier with the same free weights that is a division, and few pieces are met.

    Raises
    ------
    NoPortfolio
        No weights within the bounds have an expected excess return above 0.
    """
    most = greatest_gain(excess, low, high)
    if most <= 0.0:
        message = f"{NOTHING_EARNS} The best falls short by {-most:.6g} a year"
        raise NoPortfolio(message)
    frontier = Frontier(matrix, low, high)
    weights = frontier.solve(np.zeros(len(excess)))
    variance, gained = float(weights @ matrix @ weights), float(excess @ weights)
    trade = variance / gained if gained > 0.0 else variance / float(np.abs(excess).max())
    least, top = 0.0, math.inf
    for _ in range(_SEARCH_MAX):
        weights = frontier.solve(trade * excess)
        variance, gained = float(weights @ matrix @ weights), float(excess @ weights)
        over = variance - trade * gained
        if abs(over) <= 1e-14 * variance:
            break
        least, top = (trade, top) if over > 0.0 else (least, trade)
        slope = frontier.slope(excess)
        rest = gained - trade * slope
        aim = (variance - trade * trade * slope) / rest if rest > 0.0 else math.inf
        if not least < aim < top:
            aim = (least + top) / 2.0 if top < math.inf else 2.0 * trade
        if np.abs(weights).sum() > FAR:
            raise ConfigError(ENDLESS)
        if aim == trade or abs(aim - trade) <= 1e-15 * trade:
            break
        trade = aim
    linear = excess * (variance / gained) if gained > 0.0 else excess * math.nan
    residual = compute_residual(matrix, linear, (low, high), weights)
    return weights, check_residual(residual)


def greatest_gain(gain: Floats, low: Floats, high: Floats) -> float:
    """Return the most that weights within bounds gain: the best series filled up first."""
    endless = np.isinf(low)
    if endless.any():
        if gain[np.isinf(high)].max(initial=-math.inf) > gain[endless].min():
            return math.inf
        low = np.where(endless, -FAR, low)
    weights, rest = low.copy(), 1.0 - float(low.sum())
    for at in np.argsort(-gain, kind="stable"):
        more = min(rest, float(high[at] - low[at]))
        weights[at] += more
        rest -= more
    return float(gain @ weights)


def _failed(why: str) -> str:
    return (
        f"no weights were found: {why}. The covariance matrix is too close to singular; use "
        "ledoit-wolf or oas, or fewer series"
    )
