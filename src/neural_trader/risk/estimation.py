"""Estimates from returns: covariance, degrees of freedom, filtered volatility."""

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError
from neural_trader.risk.config import RiskConfig
from neural_trader.risk.history import NOISE
from neural_trader.risk.model import Model

Floats = NDArray[np.float64]

DEGREES_MIN: Final = 2.05
DEGREES_MAX: Final = 200.0
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0
_STEPS: Final = 60


def estimate_model(returns: Floats, config: RiskConfig) -> Model:
    """Return mean, covariance and degrees of freedom of the returns of a period.

    Parameters
    ----------
    returns : float64 array, shape (T, N)
    config : RiskConfig
        Its method, ``mean`` and ``degrees``.

    Notes
    -----
    The covariance is that of the sample, ddof 1, around the sample mean whatever ``mean`` says. A
    column that does not vary has none.
    """
    covariance = np.atleast_2d(np.cov(returns, rowvar=False, ddof=1))
    still = np.ptp(returns, axis=0) <= NOISE
    covariance[still, :] = 0.0
    covariance[:, still] = 0.0
    mean = returns.mean(axis=0) if config.mean == "sample" else np.zeros(returns.shape[1])
    wanted = config.degrees
    if wanted is None:
        wanted = "fit" if config.method == "student-t" else math.inf
    degrees = fit_degrees(returns) if wanted == "fit" else float(wanted)
    return Model(mean, np.ascontiguousarray(covariance), degrees)


def fit_degrees(returns: Floats) -> float:
    """Return the degrees of freedom of a multivariate Student-t distribution.

    Parameters
    ----------
    returns : float64 array, shape (T, N)

    Returns
    -------
    float
        Between 2.05 and 200; infinity where 200 is the best, or nothing varies.

    Notes
    -----
    Maximum likelihood over the degrees alone: location is the sample mean, and the scatter the
    sample covariance times (nu - 2) / nu, so that the variance is that of the sample whatever nu.
    Directions in which nothing varies (a singular covariance) are left out.
    """
    centered = returns - returns.mean(axis=0)
    scale = centered.std(axis=0, ddof=1)
    centered = centered[:, np.ptp(returns, axis=0) > NOISE]
    scale = scale[np.ptp(returns, axis=0) > NOISE]
    if not len(scale):
        return math.inf
    # On a common scale, so that what counts as singular does not depend on units.
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(centered / scale, rowvar=False)))
    kept = values > values[-1] * len(values) * 1e-12
    scores = (centered / scale) @ vectors[:, kept]
    squares = (np.square(scores) / values[kept]).sum(axis=1)
    rank = int(kept.sum())
    low, high = math.log(DEGREES_MIN - 2.0), math.log(DEGREES_MAX - 2.0)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at = {x: _likelihood(2.0 + math.exp(x), squares, rank) for x in (left, right)}
    for _ in range(_STEPS):
        if at[left] > at[right]:
            high, right = right, left
            left = high - _GOLDEN * (high - low)
            at[left] = _likelihood(2.0 + math.exp(left), squares, rank)
        else:
            low, left = left, right
            right = low + _GOLDEN * (high - low)
            at[right] = _likelihood(2.0 + math.exp(right), squares, rank)
    degrees = 2.0 + math.exp(0.5 * (low + high))
    return degrees if degrees < 0.99 * DEGREES_MAX else math.inf


def _likelihood(degrees: float, squares: Floats, rank: int) -> float:
    """Return the mean log-likelihood, but for what does not depend on the degrees."""
    constant = math.lgamma(0.5 * (degrees + rank)) - math.lgamma(0.5 * degrees)
    constant -= 0.5 * rank * math.log(degrees - 2.0)
    return constant - 0.5 * (degrees + rank) * float(np.log1p(squares / (degrees - 2.0)).mean())


class Filter(NamedTuple):
    """Volatility that follows the returns, a symbol each.

    Attributes
    ----------
    constant, reaction, memory : float64 arrays, shape (N,)
        variance = constant + reaction x squared shock + memory x variance of the period before.
    variance : float64 array, shape (N,)
        Of the period after the last return.
    shocks : float64 array, shape (T, N)
        Returns beyond their mean over their volatility, on average 0; whole rows keep together.
    mean : float64 array, shape (N,)
    """

    constant: Floats
    reaction: Floats
    memory: Floats
    variance: Floats
    shocks: Floats
    mean: Floats


def fit_filter(returns: Floats, config: RiskConfig) -> Filter:
    """Fit the volatility of each symbol, and divide its returns by it.

    Parameters
    ----------
    returns : float64 array, shape (T, N)
    config : RiskConfig
        Its ``filter``, ``decay`` and ``mean``.

    Raises
    ------
    ConfigError
        ``garch`` without the extra.

    Notes
    -----
    EWMA: variance = decay x variance + (1 - decay) x squared return, from the sample variance on.
    GARCH(1, 1): normal quasi-maximum likelihood by ``arch``, a symbol at a time. With a mean of
    zero no mean is taken off before the filter, with ``sample`` that of the sample. A symbol that
    does not move has shocks of zero.
    """
    mean = returns.mean(axis=0) if config.mean == "sample" else np.zeros(returns.shape[1])
    shocks = returns - mean
    still = np.ptp(returns, axis=0) <= NOISE
    start = np.square(shocks).mean(axis=0)
    if config.filter == "garch":
        constant, reaction, memory = _fit_garch(shocks, still)
    else:
        constant = np.zeros(len(start))
        reaction = np.full(len(start), 1.0 - config.decay)
        memory = np.full(len(start), config.decay)
    variances = np.empty((len(shocks) + 1, len(start)))
    variances[0] = start
    squares = constant + reaction * np.square(shocks)
    for row in range(len(shocks)):
        variances[row + 1] = squares[row] + memory * variances[row]
    deviations = np.sqrt(variances[:-1])
    scaled = np.divide(shocks, deviations, out=np.zeros_like(shocks), where=deviations > 0.0)
    scaled -= scaled.mean(axis=0)
    scaled[:, still] = 0.0
    return Filter(constant, reaction, memory, variances[-1], scaled, mean)


def draw_moves(fitted: Filter, config: RiskConfig) -> Floats:
    """Return simulated moves over the horizon: shocks of past days, drawn with replacement.

    Returns
    -------
    float64 array, shape (simulations, N)
        Simple returns. All symbols of a step take the shocks of one day, which keeps how they hang
        together; volatility goes on from step to step. A price does not fall below 0.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper 1999.
    """
    generator = np.random.Generator(np.random.PCG64(config.seed))
    days = generator.integers(0, len(fitted.shocks), (config.simulations, config.horizon))
    growth = np.ones((config.simulations, len(fitted.mean)))
    variance = np.broadcast_to(fitted.variance, growth.shape)
    for step in range(config.horizon):
        shock = np.sqrt(variance) * fitted.shocks[days[:, step]]
        growth *= np.maximum(1.0 + fitted.mean + shock, 0.0)
        if step + 1 < config.horizon:
            variance = fitted.constant + fitted.reaction * shock * shock + fitted.memory * variance
    moves: Floats = growth - 1.0
    return moves


def _fit_garch(shocks: Floats, still: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    arch_model = _arch_model()
    parameters = np.zeros((3, shocks.shape[1]))
    for column in np.flatnonzero(~still).tolist():
        # The fit is at its best where the variance is about 1.
        scale = float(shocks[:, column].std(ddof=1))
        model = arch_model(
            shocks[:, column] / scale, mean="Zero", vol="GARCH", p=1, q=1, rescale=False
        )
        found = model.fit(disp="off", show_warning=False)
        if found.convergence_flag != 0:
            message = (
                f"GARCH did not converge for series {column} of {len(shocks):,} returns; take a "
                "longer window, or the filter ewma"
            )
            raise ConfigError(message)
        constant, reaction, memory = (float(value) for value in found.params)
        parameters[:, column] = constant * scale * scale, reaction, memory
    return parameters[0], parameters[1], parameters[2]


def _arch_model() -> Any:  # noqa: ANN401 - arch ships without types
    try:
        from arch import arch_model
    except ImportError:
        message = (
            "the filter garch needs the package arch, which is not installed: pip install "
            "'neural-trader[garch]', or take the filter ewma"
        )
        raise ConfigError(message) from None
    return arch_model
