"""Normal, Student-t and chi-squared distributions: quantiles, tails and what lies beyond them.

The package does not depend on scipy; tests hold these functions to it.
"""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NORMAL: Final = NormalDist()
_ROOT_2_PI: Final = math.sqrt(2.0 * math.pi)
_FRACTION_STEPS_MAX: Final = 500
_SOLVER_STEPS_MAX: Final = 200
_TINY: Final = 1e-300

# Source: W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of
# Computation 23 (1969): erf below 0.46875, erfc up to 4, and its asymptotic form beyond.
_NEAR: Final = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2),
    (3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2),
    (1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE: Final = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0),
    (6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2),
    (1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2),
    (1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3),
    (3.43936767414372164e3, 1.23033935480374942e3),
)
_FAR: Final = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1),
    (1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1),
    (6.05183413124413191e-2, 2.33520497626869185e-3),
)
_NEAR_ABOVE, _NEAR_BELOW = _NEAR[0] + _NEAR[1], _NEAR[2] + _NEAR[3]
_MIDDLE_ABOVE, _MIDDLE_BELOW = sum(_MIDDLE[:3], ()), sum(_MIDDLE[3:], ())
_FAR_ABOVE, _FAR_BELOW = _FAR[0] + _FAR[1], _FAR[2] + _FAR[3]


def normal_quantile(probability: float) -> float:
    """Return the point below which the standard normal distribution has a probability."""
    return _NORMAL.inv_cdf(probability)


def normal_density(x: float) -> float:
    """Return the density of the standard normal distribution."""
    return math.exp(-0.5 * x * x) / _ROOT_2_PI


def normal_tail(x: float) -> float:
    """Return the probability of the standard normal distribution beyond a point."""
    return 0.5 * math.erfc(x / math.sqrt(2.0))


def normal_below(x: Floats) -> Floats:
    """Return the probability of the standard normal distribution below each of many points.

    Parameters
    ----------
    x : float64 array of any shape

    Returns
    -------
    float64 array of that shape
        To 1e-15 absolute.
    """
    y = np.abs(x) / math.sqrt(2.0)
    beyond = np.empty_like(y)
    near = y <= 0.46875
    far = y > 4.0
    middle = ~(near | far)
    part = y[near]
    square = part * part
    ratio = np.polyval(_NEAR_ABOVE, square) / np.polyval(_NEAR_BELOW, square)
    beyond[near] = 1.0 - part * ratio
    part = y[middle]
    ratio = np.polyval(_MIDDLE_ABOVE, part) / np.polyval(_MIDDLE_BELOW, part)
    beyond[middle] = np.exp(-part * part) * ratio
    # Beyond 27 nothing is left, and its square could overflow.
    part = np.minimum(y[far], 27.0)
    square = 1.0 / (part * part)
    ratio = square * np.polyval(_FAR_ABOVE, square) / np.polyval(_FAR_BELOW, square)
    beyond[far] = np.exp(-part * part) * (1.0 / math.sqrt(math.pi) - ratio) / part
    below: Floats = np.where(x > 0.0, 1.0 - 0.5 * beyond, 0.5 * beyond)
    return below


def student_density(x: float, degrees: float) -> float:
    """Return the density of the Student-t distribution of unit scale."""
    if math.isinf(degrees):
        return normal_density(x)
    constant = _log_gamma_step(0.5 * degrees)
    shape = -0.5 * (degrees + 1.0) * math.log1p(x * x / degrees)
    return math.exp(constant + shape) / math.sqrt(degrees * math.pi)


def student_tail(x: float, degrees: float) -> float:
    """Return the probability of the Student-t distribution of unit scale beyond a point."""
    if math.isinf(degrees):
        return normal_tail(x)
    # The constant 1 / B(degrees / 2, 1 / 2) of the incomplete beta function.
    constant = _log_gamma_step(0.5 * degrees) - 0.5 * math.log(math.pi)
    square, over = degrees + x * x, x * x / degrees
    if over == 0.0:
        return 0.5
    powers = 0.5 * math.log(x * x / square) - 0.5 * degrees * math.log1p(over) + constant
    # The smaller of the two arguments is the one that a continued fraction is good at.
    if degrees / square > (0.5 * degrees + 1.0) / (0.5 * degrees + 2.5):
        half = 0.5 - 0.5 * _incomplete_beta(x * x / square, 0.5, 0.5 * degrees, powers)
    else:
        half = 0.5 * _incomplete_beta(degrees / square, 0.5 * degrees, 0.5, powers)
    return half if x >= 0.0 else 1.0 - half


@lru_cache(maxsize=4096)
def student_quantile(probability: float, degrees: float) -> float:
    """Return the point below which the Student-t distribution of unit scale has a probability.

    Notes
    -----
    Newton's steps from the normal quantile, kept between bounds that close in on the root.
    """
    if math.isinf(degrees):
        return normal_quantile(probability)
    if probability < 0.5:
        return -student_quantile(1.0 - probability, degrees)
    if probability == 0.5:
        return 0.0
    beyond = 1.0 - probability
    low, high = 0.0, 1.0
    while student_tail(high, degrees) > beyond:
        low, high = high, 2.0 * high
    x = 0.5 * (low + high)
    for _ in range(_SOLVER_STEPS_MAX):
        gap = student_tail(x, degrees) - beyond
        low, high = (x, high) if gap > 0.0 else (low, x)
        step = x + gap / max(student_density(x, degrees), _TINY)
        following = step if low < step < high else 0.5 * (low + high)
        if abs(following - x) <= 1e-15 * max(1.0, abs(x)):
            return following
        x = following
    return x


def normal_shortfall(confidence: float) -> float:
    """Return the mean of the standard normal distribution beyond its quantile."""
    return normal_density(normal_quantile(confidence)) / (1.0 - confidence)


@lru_cache(maxsize=4096)
def student_shortfall(confidence: float, degrees: float) -> float:
    """Return the mean of the Student-t distribution of unit scale beyond its quantile.

    References
    ----------
    McNeil, Frey and Embrechts 2015, Quantitative Risk Management, example 2.15.
    """
    if math.isinf(degrees):
        return normal_shortfall(confidence)
    x = student_quantile(confidence, degrees)
    mean = student_density(x, degrees) / (1.0 - confidence)
    return mean * (degrees + x * x) / (degrees - 1.0)


def chi_squared_tail(x: float, degrees: int) -> float:
    """Return the probability of the chi-squared distribution with 1 or 2 degrees beyond a point."""
    if math.isnan(x):
        return math.nan
    x = max(x, 0.0)
    return math.erfc(math.sqrt(0.5 * x)) if degrees == 1 else math.exp(-0.5 * x)


def binomial_below(count: int, trials: int, probability: float) -> float:
    """Return the probability of at most ``count`` hits in ``trials``."""
    logs = [
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(probability)
        + (trials - k) * math.log1p(-probability)
        for k in range(min(count, trials) + 1)
    ]
    return min(math.fsum(map(math.exp, logs)), 1.0)


def _log_gamma_step(a: float) -> float:
    """Return log gamma(a + 1/2) - log gamma(a), without the cancellation at a large ``a``."""
    if a < 100.0:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    return 0.5 * math.log(a) - 1.0 / (8.0 * a) + 1.0 / (192.0 * a**3)


def _incomplete_beta(x: float, a: float, b: float, powers: float) -> float:
    """Return the regularized incomplete beta function by its continued fraction.

    ``powers`` is the logarithm of x^a (1 - x)^b / B(a, b), which the caller has without
    cancellation. Source: Abramowitz and Stegun 26.5.8, by Lentz's method.
    """
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    total = d
    for m in range(1, _FRACTION_STEPS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d)
            c = 1.0 + term / c
            total *= c * d
        if abs(c * d - 1.0) < 1e-16:
            break
    return math.exp(powers) * total / a
