"""Tests of a risk model against what came: how often, how clustered and how far beyond VaR.

References
----------
Kupiec 1995; Christoffersen 1998; Basel Committee 1996; Acerbi and Szekely 2014.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError
from neural_trader.risk.distributions import binomial_below, chi_squared_tail

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Z2_CRITICAL: Final = -0.70
"""Of Z2 at 5 %, for ES at 97.5 % over 250 days and tails that are about normal."""
TRIALS: Final = 10_000
_GREEN_BELOW: Final = 0.95
_RED_FROM: Final = 0.9999
_CHUNK: Final = 2_000_000
# Source: Basel Committee 1996, table 2, of 250 days at 99 %.
_PLUS: Final = (0.0, 0.0, 0.0, 0.0, 0.0, 0.40, 0.50, 0.65, 0.75, 0.85, 1.0)


class LikelihoodRatio(NamedTuple):
    """A likelihood ratio, its chi-squared probability beyond, and why it is NaN, or nothing."""

    statistic: float
    p_value: float
    undefined: str = ""


class Zone(NamedTuple):
    """A traffic light.

    Attributes
    ----------
    color : {"green", "yellow", "red"}
    probability : float
        Of at most as many exceptions from a model that is right.
    plus : float
        What is added to the multiplier of capital; NaN but for 250 days at 99 %.
    """

    color: str
    probability: float
    plus: float


class ShortfallTest(NamedTuple):
    """A statistic of Acerbi and Szekely: 0 is expected, below it ES was too small.

    Attributes
    ----------
    statistic, p_value : float
        The probability of one as low from a model that is right, by simulation.
    undefined : str
    """

    statistic: float
    p_value: float
    undefined: str = ""


def kupiec(exceptions: int, days: int, confidence: float) -> LikelihoodRatio:
    """Test whether exceptions are as many as they should be (proportion of failures).

    Parameters
    ----------
    exceptions, days : int
    confidence : float
        Of the value at risk.

    Returns
    -------
    LikelihoodRatio
        Chi-squared with 1 degree of freedom.
    """
    if not (0 <= exceptions <= days and days > 0 and 0.0 < confidence < 1.0):
        message = (
            f"{exceptions} exceptions of {days} days at {confidence}; expected 0 or more, at most "
            "the days, and a confidence between 0 and 1"
        )
        raise ConfigError(message)
    expected = 1.0 - confidence
    observed = exceptions / days
    ratio = 2.0 * (
        _log_likelihood(exceptions, days - exceptions, observed)
        - _log_likelihood(exceptions, days - exceptions, expected)
    )
    ratio = max(ratio, 0.0)
    return LikelihoodRatio(ratio, chi_squared_tail(ratio, 1))


def christoffersen(hits: Bools) -> LikelihoodRatio:
    """Test whether exceptions come independently of the day before.

    Parameters
    ----------
    hits : bool array, shape (T,)
        Whether the loss of each day was beyond VaR.

    Returns
    -------
    LikelihoodRatio
        Chi-squared with 1 degree of freedom; NaN without an exception that a day follows.
    """
    before, after = hits[:-1], hits[1:]
    counts = [int((before == b).__and__(after == a).sum()) for b in (False, True) for a in (0, 1)]
    return independence(*counts)


def independence(n00: int, n01: int, n10: int, n11: int) -> LikelihoodRatio:
    """Return the test of independence from the four counts of day and next day.

    Parameters
    ----------
    n00, n01, n10, n11 : int
        The first digit is the day, the second the next one; 1 is an exception.
    """
    if n10 + n11 == 0 or n00 + n01 == 0:
        why = "no day follows an exception" if n10 + n11 == 0 else "every day is an exception"
        return LikelihoodRatio(math.nan, math.nan, why)
    total = n00 + n01 + n10 + n11
    calm, after = n01 / (n00 + n01), n11 / (n10 + n11)
    apart = _log_likelihood(n01, n00, calm) + _log_likelihood(n11, n10, after)
    ratio = 2.0 * (apart - _log_likelihood(n01 + n11, n00 + n10, (n01 + n11) / total))
    ratio = max(ratio, 0.0)
    return LikelihoodRatio(ratio, chi_squared_tail(ratio, 1))


def conditional_coverage(hits: Bools, confidence: float) -> LikelihoodRatio:
    """Test number and independence of exceptions together.

    Returns
    -------
    LikelihoodRatio
        The sum of the two ratios, chi-squared with 2 degrees of freedom.
    """
    one = kupiec(int(hits.sum()), len(hits), confidence)
    other = christoffersen(hits)
    ratio = one.statistic + other.statistic
    return LikelihoodRatio(ratio, chi_squared_tail(ratio, 2), other.undefined)


def traffic_light(exceptions: int, days: int, confidence: float) -> Zone:
    """Return the zone of the Basel Committee.

    Notes
    -----
    Green where the probability of at most as many exceptions is below 95 %, red from 99.99 % on.
    Over 250 days at 99 %: green to 4, yellow to 9, red from 10.
    """
    probability = binomial_below(exceptions, days, 1.0 - confidence)
    color = "green" if probability < _GREEN_BELOW else "yellow"
    color = "red" if probability >= _RED_FROM else color
    is_basel = days == 250 and math.isclose(confidence, 0.99)
    plus = _PLUS[min(exceptions, len(_PLUS) - 1)] if is_basel else math.nan
    return Zone(color, probability, plus)


def acerbi_szekely(
    losses: Floats,
    var: Floats,
    es: Floats,
    tails: Floats,
    *,
    confidence: float,
    seed: int,
    trials: int = TRIALS,
) -> tuple[ShortfallTest, ShortfallTest]:
    """Test expected shortfall against the losses beyond VaR: Z1 and Z2.

    Parameters
    ----------
    losses, var, es : float64 arrays, shape (T,)
        Of each day: what was lost, and what was said before.
    tails : float64 array, shape (T, K)
        Losses beyond VaR that the model of each day holds equally likely.
    confidence : float
    seed, trials : int
        Of the simulated days that the probabilities are taken from.

    Returns
    -------
    tuple of ShortfallTest
        Z1 tests the size of losses beyond VaR, Z2 their number and size. Z1 is NaN without
        an exception, both where ES is not above 0 on some day.

    Notes
    -----
    Z1 = 1 - mean of loss / ES over the exceptions; Z2 = 1 - sum of loss / ES over the exceptions,
    divided by T (1 - c). In a simulated day an exception comes with probability 1 - c, and its loss
    is one of the model's tail.
    """
    days, beyond = len(losses), 1.0 - confidence
    if not (es > 0.0).all():
        why = "ES is not above 0 on every day"
        return ShortfallTest(math.nan, math.nan, why), ShortfallTest(math.nan, math.nan, why)
    hits = losses > var
    ratios = losses[hits] / es[hits]
    count, total = len(ratios), float(ratios.sum())
    generator = np.random.Generator(np.random.PCG64(seed))
    scaled = tails / es[:, None]
    sums, counts = [], []
    chunk = max(1, _CHUNK // days)
    for first in range(0, trials, chunk):
        rows, places = np.nonzero(generator.random((min(chunk, trials - first), days)) < beyond)
        drawn = scaled[places, generator.integers(0, scaled.shape[1], len(places))]
        width = min(chunk, trials - first)
        sums.append(np.bincount(rows, drawn, width))
        counts.append(np.bincount(rows, minlength=width))
    simulated, number = np.concatenate(sums), np.concatenate(counts)
    z2 = 1.0 - total / (days * beyond)
    p2 = float((1.0 - simulated / (days * beyond) <= z2).mean())
    second = ShortfallTest(z2, p2)
    if count == 0:
        return ShortfallTest(math.nan, math.nan, "no loss was beyond VaR"), second
    some = number > 0
    z1 = 1.0 - total / count
    p1 = float((1.0 - simulated[some] / number[some] <= z1).mean())
    return ShortfallTest(z1, p1), second


def _log_likelihood(hits: int, misses: int, probability: float) -> float:
    """Return the log-likelihood of hits and misses; 0 log 0 is 0."""
    return _times_log(hits, probability) + _times_log(misses, 1.0 - probability)


def _times_log(count: int, probability: float) -> float:
    return count * math.log(probability) if count else 0.0
