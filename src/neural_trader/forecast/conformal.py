"""Intervals around forecasts: split conformal, scaled by what a series has moved of late.

How far forecasts were off on data that the training never saw, in units of the series' own recent
changes, says how far the next one may be off. Nothing is assumed about the model; that the next
error is like those of the calibration is.

References
----------
Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018, "Distribution-Free Predictive Inference for
Regression", JASA 113: the split method and its quantile, and scaled residuals (section 5.2).
J.P. Morgan/Reuters 1996, RiskMetrics Technical Document: volatility with a decay of 0.94.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError, DataError
from neural_trader.forecast.artefact import Offsets

Floats = NDArray[np.float64]

# No more of a rank than rounding makes of a whole number.
_NOISE: Final = 1e-9


def split_conformal(residuals: Floats, scales: Floats, level: float) -> Offsets:
    """Compute offsets that hold the next outcome with at least a given probability.

    Parameters
    ----------
    residuals : float64, shape (N, H)
        Outcome less forecast, both transformed, of N origins that the training never saw.
    scales : float64, shape (N,)
        ``trailing_volatility`` at each origin.
    level : float
        Above 0, below 1.

    Returns
    -------
    Offsets
        Each end takes half of what may lie outside, so that an interval follows a drift of the
        outcomes: with c = (1 + level) / 2 the ceil((n + 1) c)-th of the n scores from its side.

    Raises
    ------
    ConfigError
        A level outside its range.
    DataError
        Too few residuals for the level, a shape that does not fit, NaN, or a scale of 0.

    Notes
    -----
    Each step is calibrated on its own: the promise is of one step, not of a whole path. Origins
    closer than the horizon overlap, and are worth less than as many independent ones.
    """
    residuals, scales = np.asarray(residuals, np.float64), np.asarray(scales, np.float64)
    if not isinstance(level, (int, float)) or not 0.0 < level < 1.0:
        message = f"level is {level!r}; expected a share of the outcomes, above 0 and below 1"
        raise ConfigError(message)
    if residuals.ndim != 2 or scales.shape != residuals.shape[:1]:
        message = (
            f"residuals have shape {residuals.shape} and scales {scales.shape}; expected (N, H) "
            "and (N,)"
        )
        raise DataError(message)
    if not np.isfinite(residuals).all() or not np.isfinite(scales).all() or (scales <= 0.0).any():
        bad = ~np.isfinite(residuals).all(axis=1) | ~(np.isfinite(scales) & (scales > 0.0))
        message = (
            f"calibration row {int(np.argmax(bad))} has a residual that is not finite, or a scale "
            "that is not above 0; leave such origins out"
        )
        raise DataError(message)
    count = len(residuals)
    rank = _rank(count, (1.0 + level) / 2.0)
    if rank > count:
        message = (
            f"{count} residuals cannot be calibrated to a level of {level:g}: it takes "
            f"{_least(level)} or more; hold out more data, or ask for a lower level"
        )
        raise DataError(message)
    scores = np.sort(residuals / scales[:, None], axis=0)
    return Offsets(float(level), scores[count - rank].copy(), scores[rank - 1].copy())


def intervals(forecast: Floats, scale: Floats | float, offsets: Offsets) -> tuple[Floats, Floats]:
    """Put the ends of an interval around each step.

    Parameters
    ----------
    forecast : float64, shape (..., H)
        Transformed.
    scale : float64, shape (...)
        ``trailing_volatility`` of each window.
    offsets : Offsets

    Returns
    -------
    lower, upper : float64, shape (..., H)
        Transformed.

    Raises
    ------
    ConfigError
        The offsets are of another horizon.
    """
    forecast = np.asarray(forecast, np.float64)
    if forecast.shape[-1:] != offsets.lower.shape:
        message = (
            f"the forecast has {forecast.shape[-1:]} steps and the offsets "
            f"{offsets.lower.shape}; expected the same horizon"
        )
        raise ConfigError(message)
    unit = np.asarray(scale, np.float64)[..., None]
    return forecast + unit * offsets.lower, forecast + unit * offsets.upper


def _rank(count: int, share: float) -> int:
    """Return ceil((n + 1) c), with no rounding noise of c in it."""
    return math.ceil((count + 1) * share - _NOISE)


def _least(level: float) -> int:
    """Return the least count of residuals that a level can be calibrated with."""
    count = 1
    while _rank(count, (1.0 + level) / 2.0) > count:
        count += 1
    return count
