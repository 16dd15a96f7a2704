"""Is a smaller error more than luck: tests, corrections and resampling for series in time."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import DataError

Floats = NDArray[np.float64]

_ROUNDS_MAX: Final = 10_000
_TINY: Final = 1e-300
_CHUNK: Final = 1_000_000
"""Sums of blocks that are looked at together."""


class DieboldMariano(NamedTuple):
    """Whether one forecast errs less than another.

    Attributes
    ----------
    statistic : float
        Corrected for few observations; negative where the first errs less.
    p_value : float
        Of the first being no better, one-sided: small is good for the first.
    lags : int
        Autocovariances in the variance of the mean difference.
    """

    statistic: float
    p_value: float
    lags: int


def diebold_mariano(
    losses: Floats, others: Floats, *, horizon: int, lags: int | None = None
) -> DieboldMariano:
    """Test whether the first forecast errs less than the second.

    Parameters
    ----------
    losses, others : float64 arrays, shape (N,)
        Losses of both at the same origins, in order of time.
    horizon : int
        H: the errors of neighbors overlap by H - 1 steps.
    lags : int, optional
        At least H - 1. The default is the largest of ``3 (H - 1)``, since errors are summed over
        the horizon and their weights in the variance fall with the lag, and Newey and West's
        ``4 (N / 100)^(2/9)``, since volatile times come in clusters.

    Returns
    -------
    DieboldMariano
        The statistic is 0 and the p-value 1 where the losses are the same throughout.

    Raises
    ------
    DataError
        Losses that are not finite, or too few of them for the horizon.

    Notes
    -----
    The variance takes Bartlett's weights, which cannot make it negative. The correction is that of
    Harvey, Leybourne and Newbold, with Student's t of N - 1 degrees of freedom.

    References
    ----------
    Diebold and Mariano 1995, "Comparing Predictive Accuracy"; Harvey, Leybourne and Newbold 1997,
    "Testing the equality of prediction mean squared errors", equation 9; Newey and West 1994.
    """
    difference = np.asarray(losses, np.float64) - np.asarray(others, np.float64)
    count = len(difference)
    if not np.isfinite(difference).all():
        message = "a loss is not finite; a test needs every one of them"
        raise DataError(message)
    if count < 2 * horizon + 2:
        message = (
            f"there are {count} losses; a test at horizon {horizon} needs {2 * horizon + 2}: hold "
            "out more bars"
        )
        raise DataError(message)
    if lags is None:
        lags = max(3 * (horizon - 1), math.floor(4.0 * (count / 100.0) ** (2.0 / 9.0)))
    lags = min(max(lags, horizon - 1), count - 1)
    mean = float(difference.mean())
    centered = difference - mean
    variance = float(centered @ centered)
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float(centered[lag:] @ centered[:-lag])
    variance /= count * count
    if not variance > 0.0:
        # The same difference throughout: none is no better, a constant one is no matter of luck.
        certain = 0.0 if mean < 0.0 else 1.0
        return DieboldMariano(math.copysign(math.inf, mean) if mean else 0.0, certain, lags)
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    statistic = mean / math.sqrt(variance) * math.sqrt(correction)
    return DieboldMariano(statistic, student_t_cdf(statistic, count - 1.0), lags)


def holm(p_values: list[float]) -> list[float]:
    """Adjust p-values so that one false finding among all is as rare as the level says.

    Parameters
    ----------
    p_values : list of float

    Returns
    -------
    list of float
        In the same order.

    References
    ----------
    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    count, highest = len(p_values), 0.0
    adjusted = [1.0] * count
    for rank, place in enumerate(sorted(range(count), key=lambda at: p_values[at])):
        highest = max(highest, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def student_t_cdf(statistic: float, degrees: float) -> float:
    """Return the probability that Student's t is at most ``statistic``.

    Parameters
    ----------
    statistic : float
    degrees : float
        Of freedom, above 0.

    Notes
    -----
    Abramowitz and Stegun 26.7.1 by the incomplete beta function; exact to about 1e-13.
    """
    tail = 0.5 * incomplete_beta(degrees / (degrees + statistic * statistic), 0.5 * degrees, 0.5)
    return tail if statistic < 0.0 else 1.0 - tail


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b) for 0 <= x <= 1, a and b above 0.

    Notes
    -----
    The continued fraction DLMF 8.17.22 by Lentz's method, on the side where it converges fast.
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(1.0 - x, b, a)
    logarithm = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return math.exp(logarithm) * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    over, under = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    value = under
    for m in range(1, _ROUNDS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            under = 1.0 / _away(1.0 + term * under)
            over = _away(1.0 + term / over)
            change = over * under
            value *= change
        if abs(change - 1.0) < 1e-15:
            break
    return value


def _away(value: float) -> float:
    """Keep a divisor away from zero."""
    return value if abs(value) > _TINY else _TINY


class Resampled:
    """Sums over blocks drawn from a stretch of time: how far a figure moves by luck.

    Parameters
    ----------
    count : int
        N, origins in order of time.
    block : int
        Neighbors that are drawn together; the last are followed by the first.
    draws : int
    seed : int

    References
    ----------
    Politis and Romano 1992, "A circular block-resampling procedure for stationary data".
    """

    def __init__(self, count: int, *, block: int, draws: int, seed: int) -> None:
        self._block = block = max(1, min(block, count))
        blocks = -(-count // block)
        self._starts = np.random.default_rng(seed).integers(count, size=(draws, blocks))
        self._share = count / (blocks * block)

    def sums(self, values: Floats) -> Floats:
        """Return sums of resampled rows, (N, K) -> (draws, K), on the scale of a sum over N."""
        twice = np.concatenate([values, values[: self._block - 1]])
        runs = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), twice]), axis=0)
        of_blocks = runs[self._block :] - runs[: -self._block]
        size = max(1, _CHUNK // (self._starts.shape[1] * values.shape[1]))
        parts = [
            of_blocks[self._starts[first : first + size]].sum(axis=1)
            for first in range(0, len(self._starts), size)
        ]
        return np.concatenate(parts) * self._share


def block_length(count: int, horizon: int) -> int:
    """Return how many neighbors are drawn together: twice what overlaps, or N^(1/3) if more."""
    return max(2 * horizon, math.ceil(math.cbrt(count)))
