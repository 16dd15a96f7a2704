"""What a network has to beat: forecasts that need no network.

Every one of them is a constant matrix on the window and a constant for each series, so that it is
served as fast as it is explained.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NAMES: Final = ("naive", "drift", "ar", "ewma")
GATE: Final = ("naive", "drift")
"""Those that a network must beat before it is trusted."""
_LAGS_MAX: Final = 5
_DECAYS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 0.95)


class Baseline(NamedTuple):
    """A forecast that is linear in its window.

    Attributes
    ----------
    name : {"naive", "drift", "ar", "ewma"}
    weight : float64 array, shape (L, H)
        On the transformed window less its last value.
    bias : float64 array, shape (S, H)
        Added to it, a row a series.
    """

    name: str
    weight: Floats
    bias: Floats

    def forecast(self, windows: Floats, series: int | NDArray[np.intp]) -> Floats:
        """Forecast transformed values.

        Parameters
        ----------
        windows : float64 array, shape (..., L)
            Transformed values.
        series : int or int array, shape (...)
            The row of each window's series.

        Returns
        -------
        float64 array, shape (..., H)
        """
        last = windows[..., -1:]
        made: Floats = last + (windows - last) @ self.weight + self.bias[series]
        return made


def fit_baselines(values: Floats, lookback: int, horizon: int) -> dict[str, Baseline]:
    """Fit all four on what came before the forecasts.

    Parameters
    ----------
    values : float64 array, shape (S, T)
        Transformed values, T above ``lookback``.
    lookback, horizon : int
        L and H.

    Returns
    -------
    dict of str to Baseline
        Naive: the last value. Drift: the last value and the series' mean change for every step. AR:
        changes of a series follow its last ``min(5, L - 1)`` changes, with the same coefficients
        for all series, by least squares on changes in units of their own deviation. EWMA: a mean of
        the window with weights that fall from one bar to the one before, by the factor that was
        best one step ahead.

    Notes
    -----
    The AR forecast of several steps is that of one step, repeated.
    """
    drift = np.diff(values, axis=1).mean(axis=1)
    ramp = drift[:, None] * np.arange(1, horizon + 1)
    flat = np.zeros((lookback, horizon))
    return {
        "naive": Baseline("naive", flat, np.zeros_like(ramp)),
        "drift": Baseline("drift", flat, ramp),
        "ar": _fit_ar(values, lookback, ramp),
        "ewma": Baseline("ewma", _fit_ewma(values, lookback, horizon), np.zeros_like(ramp)),
    }


def _fit_ar(values: Floats, lookback: int, ramp: Floats) -> Baseline:
    changes = np.diff(values, axis=1)
    lags = min(_LAGS_MAX, lookback - 1, changes.shape[1] // 2)
    centered = changes - ramp[:, :1]
    centered /= _sizes(changes)[:, None]
    rows = sliding_window_view(centered, lags + 1, axis=1).reshape(-1, lags + 1)
    # The last change of a row is what is forecast; before it stand its lags, the oldest first.
    coefficients = np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=None)[0].astype(np.float64)
    paths = _cumulated(coefficients, ramp.shape[1])
    weight = np.zeros((lookback, ramp.shape[1]))
    weight[lookback - lags :] += paths
    weight[lookback - lags - 1 : lookback - 1] -= paths
    return Baseline("ar", weight, ramp - ramp[:, :1] * paths.sum(axis=0))


def _cumulated(coefficients: Floats, horizon: int) -> Floats:
    """Return what a change of 1 at each lag adds to the value after each step, (lags, H)."""
    lags = len(coefficients)
    state = np.eye(lags)
    total = np.zeros(lags)
    paths = np.empty((lags, horizon))
    for step in range(horizon):
        change = state @ coefficients
        total = total + change
        paths[:, step] = total
        state = np.column_stack([state[:, 1:], change])
    return paths


def _fit_ewma(values: Floats, lookback: int, horizon: int) -> Floats:
    """Return weights (L, H) of the mean that was best one step ahead, the same for every step."""
    scaled = values / _sizes(np.diff(values, axis=1))[:, None]
    windows = sliding_window_view(scaled[:, :-1], lookback, axis=1)
    following = scaled[:, lookback:]
    ladder = np.stack([_weights(decay, lookback) for decay in _DECAYS], axis=1)
    errors = ((windows @ ladder - following[..., None]) ** 2).mean(axis=(0, 1))
    best: Floats = np.repeat(ladder[:, [int(np.argmin(errors))]], horizon, axis=1)
    return best


def _sizes(changes: Floats) -> Floats:
    """Return the deviation of each series' changes; 1 where there are none, which then weigh 0."""
    sizes: Floats = changes.std(axis=1)
    return np.where(sizes > 0.0, sizes, 1.0)


def _weights(decay: float, lookback: int) -> Floats:
    weights = decay ** np.arange(lookback - 1, -1, -1, dtype=np.float64)
    total: Floats = weights / weights.sum()
    return total
