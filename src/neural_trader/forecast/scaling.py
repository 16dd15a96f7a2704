"""How each window is scaled for its network, and a network's heads back, for every normalization.

With x the transformed window, the network takes (x - shift) / unit, and base + unit times its heads
is the forecast, transformed. Kinds log, level and none are those of our own training; the others
are the scalers of neuralforecast, under its names, which are computed from the window alone. Its
networks start from the window's last value, so that value is the base.

References
----------
neuralforecast 3.3, ``neuralforecast.common._scalers``: the statistics and what is added to them.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError
from neural_trader.forecast.normalization import SCALERS, Normalization

Floats = NDArray[np.float64]

# What is added to every unit, and what a median deviation is of a normal's standard deviation.
_EPSILON: Final = 1e-6
_OF_NORMAL: Final = 0.6744897501960817


class Terms(NamedTuple):
    """Shift, unit and base of every window, float64, shape (B,)."""

    shift: Floats
    unit: Floats
    base: Floats


def scaling_terms(windows: Floats, normalization: Normalization) -> Terms:
    """Compute the terms of windows.

    Parameters
    ----------
    windows : float64, shape (B, L)
        Transformed, finite, the newest value last.
    normalization : Normalization

    Raises
    ------
    ConfigError
        An unknown kind.

    Notes
    -----
    Timing: reads the window and nothing else.
    """
    kind, count = normalization.kind, len(windows)
    last = windows[:, -1]
    if kind in ("log", "level"):
        return Terms(last, np.full(count, normalization.scale), last)
    if kind == "none":
        return Terms(np.zeros(count), np.ones(count), np.zeros(count))
    if kind not in SCALERS:
        message = f"normalization is {kind!r}; expected log, level, none, {', '.join(SCALERS)}"
        raise ConfigError(message)
    return Terms(*_statistics(windows, kind), last)


def _statistics(windows: Floats, kind: str) -> tuple[Floats, Floats]:
    """Return shift and unit as a scaler of neuralforecast computes them."""
    if kind == "identity":
        return np.zeros(len(windows)), np.ones(len(windows))
    if kind == "standard":
        return windows.mean(axis=1), _above_zero(windows.std(axis=1)) + _EPSILON
    if kind == "robust":
        middle = _lower_median(windows)
        spread = _lower_median(np.abs(windows - middle[:, None]))
        spread = np.where(spread > 0.0, spread, windows.std(axis=1) * _OF_NORMAL)
        return middle, _above_zero(spread) + _EPSILON
    low = windows.min(axis=1)
    span = _above_zero(windows.max(axis=1) - low) + _EPSILON
    return (low, span) if kind == "minmax" else (low + span / 2.0, span / 2.0)


def _above_zero(unit: Floats) -> Floats:
    return np.where(unit == 0.0, 1.0, unit)


def _lower_median(windows: Floats) -> Floats:
    """Return the median of each row; of an even count the lower one of the two in the middle."""
    middle = (windows.shape[1] - 1) // 2
    ordered: Floats = np.partition(windows, middle, axis=1)[:, middle]
    return ordered
