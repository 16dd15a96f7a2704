"""Extreme value theory: the generalized Pareto distribution of losses beyond a threshold."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError

Floats = NDArray[np.float64]

EXCEEDANCES_MIN: Final = 10
_SHAPE_MIN: Final = -0.5
_GRID: Final = 80
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0
_GOLDEN_STEPS: Final = 100


class ParetoTail(NamedTuple):
    """Losses beyond a threshold.

    Attributes
    ----------
    threshold : float
    shape, scale : float
        xi and beta of the generalized Pareto distribution of the excesses.
    exceedances, total : int
        Losses beyond the threshold, and all.
    """

    threshold: float
    shape: float
    scale: float
    exceedances: int
    total: int

    def quantile(self, confidence: float) -> float:
        """Return the value at risk.

        Raises
        ------
        DataError
            The confidence lies below the threshold's.

        Notes
        -----
        u + beta / xi ((n / N_u (1 - c))^-xi - 1).

        References
        ----------
        McNeil and Frey 2000; McNeil, Frey and Embrechts 2015, equation 5.18; Hull, Risk Management
        and Financial Institutions, chapter on historical simulation and extreme value theory.
        """
        ratio = self.total / self.exceedances * (1.0 - confidence)
        if ratio > 1.0 + 1e-9:
            message = (
                f"confidence {confidence:g} lies below the threshold of the tail, beyond which "
                f"{self.exceedances} of {self.total} losses are; raise it, or the tail"
            )
            raise DataError(message)
        if abs(self.shape) < 1e-10:
            return self.threshold - self.scale * math.log(ratio)
        return self.threshold + self.scale * math.expm1(-self.shape * math.log(ratio)) / self.shape

    def shortfall(self, confidence: float) -> float:
        """Return the expected shortfall; NaN where the shape is 1 or more, and it is infinite.

        Notes
        -----
        (VaR + beta - xi u) / (1 - xi).
        """
        if self.shape >= 1.0:
            return math.nan
        beyond = self.quantile(confidence) + self.scale - self.shape * self.threshold
        return beyond / (1.0 - self.shape)


def fit_tail(losses: Floats, share: float) -> ParetoTail:
    """Fit the losses beyond a threshold by maximum likelihood.

    Parameters
    ----------
    losses : float64 array, shape (n,)
    share : float
        Of the losses that lie beyond the threshold, which is the largest one that does not.

    Raises
    ------
    DataError
        Fewer than ten losses lie beyond, or they do not vary.

    Notes
    -----
    With theta = xi / beta the likelihood is a function of theta alone, xi(theta) being the mean of
    log(1 + theta y): the maximum over a grid, refined by golden section. The shape is kept above
    -0.5, where maximum likelihood is regular.

    References
    ----------
    Davison 1984; Grimshaw 1993; Smith 1985.
    """
    n = len(losses)
    beyond = math.floor(n * share + 1e-9)
    ranked = np.sort(losses)
    threshold = float(ranked[n - beyond - 1]) if beyond < n else math.nan
    excesses = ranked[ranked > threshold] - threshold
    if len(excesses) < EXCEEDANCES_MIN:
        message = (
            f"{len(excesses)} of {n:,} losses lie beyond the threshold of a tail of {share:g}; "
            f"expected {EXCEEDANCES_MIN} or more. Lengthen the window, or take a larger tail"
        )
        raise DataError(message)
    shape, scale = fit_pareto(excesses)
    return ParetoTail(threshold, shape, scale, len(excesses), n)


def fit_pareto(excesses: Floats) -> tuple[float, float]:
    """Return shape and scale of the generalized Pareto distribution by maximum likelihood.

    Parameters
    ----------
    excesses : float64 array, shape (n,)
        Above 0.
    """
    mean = float(excesses.mean())
    y = excesses / mean
    # Below -1 / max(y) the largest excess lies outside the distribution.
    limit = 1.0 / float(y.max())
    inside = -limit * (1.0 - np.logspace(-9, -0.001, _GRID))
    around = -limit * np.logspace(-6, -3, _GRID // 4)
    grid = np.sort(np.concatenate([inside, around, np.logspace(-6, 6, _GRID)]))
    heights = _heights(grid, y)
    best = int(heights.argmax())
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    theta = _peak(low, high, y)
    if _height(theta, y) < heights[best]:
        theta = float(grid[best])
    # Below this the two distributions are one, and xi / theta is rounding noise.
    if abs(theta) < 2e-6:
        return 0.0, mean
    shape = float(np.log1p(theta * y).mean())
    return shape, shape / theta * mean


def _height(theta: float, y: Floats) -> float:
    return float(_heights(np.array([theta]), y)[0])


def _heights(thetas: Floats, y: Floats) -> Floats:
    """Return the mean log-likelihood of an excess at the best shape for each theta."""
    shapes = np.log1p(np.outer(thetas, y)).mean(axis=1)
    regular = (shapes >= _SHAPE_MIN) & (thetas != 0.0)
    safe = np.where(regular, shapes / np.where(thetas == 0.0, 1.0, thetas), 1.0)
    heights: Floats = np.where(regular, -np.log(safe) - shapes - 1.0, -np.inf)
    return heights


def _peak(low: float, high: float, y: Floats) -> float:
    """Return the highest point between two, by golden section."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = _height(left, y), _height(right, y)
    for _ in range(_GOLDEN_STEPS):
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = _height(left, y)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = _height(right, y)
        if high - low <= 1e-14 * max(abs(high), abs(low)):
            break
    return 0.5 * (low + high)
