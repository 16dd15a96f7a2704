"""How far the median of some rounds can be believed: bootstrap intervals, seeded."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from neural_trader.core import BenchError
from neural_trader.core.bars import Floats

RESAMPLES: Final = 2_000
LEVEL: Final = 0.95
_ENDS: Final = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)


def median_interval(samples: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a median.

    Parameters
    ----------
    samples : sequence of float
        The value of each round, in any unit.
    seed : int
        Of the resamples: the same samples and seed give the same interval.

    Returns
    -------
    (float, float)
        Low and high, in the unit of the samples.

    Raises
    ------
    BenchError
        There is no sample, or one of them is not finite.

    Missing
    -------
    One sample says nothing about its spread: (NaN, NaN).

    Notes
    -----
    Percentiles of the medians of 2,000 resamples with replacement. With three rounds the interval
    is that of the fastest and the slowest one; it knows nothing of what differs between two runs.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 13.3
    """
    return _ends(_medians(_checked(samples), np.random.default_rng([seed, 0])))


def ratio_interval(a: Sequence[float], b: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the median of ``a`` over the median of ``b``.

    Parameters
    ----------
    a, b : sequence of float
        The value of each round, above zero; resampled apart, since their rounds are no pairs.
    seed : int
        Of the resamples: the same samples and seed give the same interval.

    Returns
    -------
    (float, float)
        Low and high, without a unit.

    Raises
    ------
    BenchError
        There is no sample, or one is not finite or not above zero: there is no ratio then.

    Missing
    -------
    One sample on either side says nothing about its spread: (NaN, NaN).
    """
    above, below = _checked(a), _checked(b)
    if min(above.min(), below.min()) <= 0.0:
        message = "a ratio needs samples above zero"
        raise BenchError(message)
    generator = np.random.default_rng([seed, 1])
    return _ends(_medians(above, generator) / _medians(below, generator))


def _checked(samples: Sequence[float]) -> Floats:
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        message = f"samples are {list(samples)[:5]}; expected finite numbers, at least one"
        raise BenchError(message)
    return values


def _medians(values: Floats, generator: np.random.Generator) -> Floats:
    if len(values) == 1:
        return np.full(RESAMPLES, np.nan)
    places = generator.integers(0, len(values), size=(RESAMPLES, len(values)))
    medians: Floats = np.median(values[places], axis=1)
    return medians


def _ends(medians: Floats) -> tuple[float, float]:
    if np.isnan(medians).any():
        return float("nan"), float("nan")
    low, high = np.quantile(medians, _ENDS)
    return float(low), float(high)
