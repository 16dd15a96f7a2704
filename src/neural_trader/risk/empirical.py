"""Value at risk and expected shortfall of scenarios, as they come or weighted by age.

Value at risk is the least loss at which the weight of all losses up to it reaches the confidence:
the order statistic ceil(n c) where weights are equal. Expected shortfall is the mean of the worst
1 - c, the boundary loss by the fraction of it that belongs there.

References
----------
Acerbi and Tasche 2002; Boudoukh, Richardson and Whitelaw 1998 (weights by age).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError

Floats = NDArray[np.float64]
# Of a sum of weights, which the noise of adding does not carry over the confidence.
_SLACK = 1e-12


class TailOfScenarios(NamedTuple):
    """What a list of losses says about its tail.

    Attributes
    ----------
    var, es : float
        Losses, positive.
    es_weights : float64 array, shape (n,)
        Of each scenario in the mean beyond; they add up to 1.
    var_weights : float64 array, shape (n,)
        Of a smoothed value at risk: a kernel around the quantile, scaled so that its mean of the
        losses is ``var``.
    var_std_error, es_std_error : float
        Of sampling as many independent scenarios.
    order : int64 array, shape (n,)
        The scenarios from the smallest loss to the largest.
    """

    var: float
    es: float
    es_weights: Floats
    var_weights: Floats
    var_std_error: float
    es_std_error: float
    order: NDArray[np.intp]


def age_weights(count: int, ratio: float) -> Floats:
    """Return weights that fall by ``ratio`` a period into the past, and add up to 1.

    Returns
    -------
    float64 array, shape (count,)
        The oldest first.
    """
    raw = ratio ** np.arange(count - 1, -1, -1, dtype=np.float64)
    weights: Floats = raw / raw.sum()
    return weights


def tail_of(
    losses: Floats, confidence: float, *, weights: Floats | None = None, independent: float = 1.0
) -> TailOfScenarios:
    """Return value at risk and expected shortfall of scenarios.

    Parameters
    ----------
    losses : float64 array, shape (n,)
        Positive where money is lost.
    confidence : float
    weights : float64 array, shape (n,), optional
        Of each scenario, adding up to 1; None weighs all alike.
    independent : float
        Share of the scenarios that counts as independent, for the standard errors.

    Raises
    ------
    DataError
        The tail holds less than one scenario, or a loss is not finite.

    Notes
    -----
    Standard errors: of VaR half the distance between the losses at c +- sqrt(c (1 - c) / m), of ES
    sqrt(variance of max(loss - VaR, 0) / m) / (1 - c), with m = 1 / sum of squared weights, times
    ``independent``. The kernel of the smoothed VaR is Epanechnikov's, over losses whose rank lies
    within 2 sqrt(c (1 - c) / m) of the confidence. Ties keep the order of the scenarios.
    """
    n = len(losses)
    if not np.isfinite(losses).all():
        row = int(np.flatnonzero(~np.isfinite(losses))[0])
        message = f"the loss of scenario {row} is {losses[row]}; expected finite prices"
        raise DataError(message)
    beyond = 1.0 - confidence
    if n * beyond < 1.0 - 1e-9:
        message = (
            f"{n:,} scenarios hold no tail of {beyond:.6g}; a confidence of {confidence:g} needs "
            f"{math.ceil(1.0 / beyond - 1e-9):,} or more. Lower it, or lengthen the window"
        )
        raise DataError(message)
    order = np.argsort(losses, kind="stable")
    ranked = losses[order]
    if weights is None:
        place = max(1, math.ceil(n * confidence - 1e-9)) - 1
        levels = np.arange(1, n + 1) / n
        sorted_weights = np.full(n, 1.0 / n)
    else:
        sorted_weights = weights[order]
        levels = np.cumsum(sorted_weights)
        place = min(int(np.searchsorted(levels, confidence - _SLACK)), n - 1)
    var = float(ranked[place])
    tail = sorted_weights.copy()
    tail[: place + 1] = 0.0
    tail[place] = max(beyond - float(tail.sum()), 0.0)
    tail /= tail.sum()
    effective = independent / float(np.square(sorted_weights).sum())
    spread = math.sqrt(confidence * beyond / effective)
    low, high = (
        float(ranked[min(int(np.searchsorted(levels, level - _SLACK)), n - 1)])
        for level in (confidence - spread, confidence + spread)
    )
    excess = np.maximum(ranked - var, 0.0)
    mean = float(sorted_weights @ excess)
    variance = float(sorted_weights @ np.square(excess - mean))
    es_weights, var_weights = np.empty(n), np.empty(n)
    es_weights[order] = tail
    var_weights[order] = _smooth(levels - 0.5 * sorted_weights, ranked, place, 2.0 * spread)
    return TailOfScenarios(
        var=var,
        es=float(tail @ ranked),
        es_weights=es_weights,
        var_weights=var_weights,
        var_std_error=0.5 * (high - low),
        es_std_error=math.sqrt(variance / effective) / beyond,
        order=order,
    )


def _smooth(levels: Floats, ranked: Floats, place: int, width: float) -> Floats:
    """Return kernel weights around the quantile, scaled so that they give its loss."""
    distance = (levels - levels[place]) / max(width, 1e-9)
    kernel = np.maximum(1.0 - distance * distance, 0.0)
    smoothed = float(kernel @ ranked) / float(kernel.sum())
    scale = float(ranked[place]) / smoothed if smoothed != 0.0 else 1.0
    weights: Floats = kernel / kernel.sum() * scale
    return weights
