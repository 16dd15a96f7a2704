"""From prices to what a network sees, and back: the one place that both training and serving use.

All is float64 until the last step: in float32 the levels of prices lose the digits that their
changes live in.
"""

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

DECAY: Final = 0.94
"""Of the weights of squared changes in a trailing volatility, from one bar to the one before."""

SCALERS: Final = ("identity", "standard", "robust", "minmax", "minmax1")
"""The normalizations of imported networks, which serving alone knows; see ``scaling``."""


class Normalization(NamedTuple):
    """How windows are brought to the size that a network is trained for.

    Attributes
    ----------
    kind : {"log", "level", "none", "identity", "standard", "robust", "minmax", "minmax1"}
        Log: ``(log x - log x_last) / scale``, for prices. Level: ``(x - x_last) / scale``, for
        values of any sign. None: as they are. The others are the ``SCALERS`` of networks that were
        trained elsewhere.
    scale : float
        Above 0, the same for every series; 1 with all kinds but log and level.
    """

    kind: Literal["log", "level", "none", "identity", "standard", "robust", "minmax", "minmax1"]
    scale: float


def transform(values: Floats, kind: str) -> Floats:
    """Return values in the units in which forecasts add up: logarithms for kind log."""
    return np.log(values) if kind == "log" else np.asarray(values, dtype=np.float64)


def untransform(values: Floats, kind: str) -> Floats:
    """Return what :func:`transform` took."""
    return np.exp(values) if kind == "log" else values


def normalize(windows: Floats, normalization: Normalization) -> tuple[Floats32, Floats]:
    """Return what the network sees, and what :func:`restore` needs.

    Parameters
    ----------
    windows : float64 array, shape (..., L)
        Transformed values, see :func:`transform`.
    normalization : Normalization

    Returns
    -------
    inputs : float32 array, shape (..., L)
    last : float64 array, shape (...)
        The last value of each window; zeros with kind none.
    """
    if normalization.kind == "none":
        return windows.astype(np.float32), np.zeros(windows.shape[:-1])
    last = windows[..., -1]
    return ((windows - last[..., None]) / normalization.scale).astype(np.float32), last


def restore(outputs: Floats32 | Floats, last: Floats, normalization: Normalization) -> Floats:
    """Return a network's outputs as transformed values.

    Parameters
    ----------
    outputs : float array, shape (..., H) or (..., H, Q)
    last : float64 array, shape (...)
        From :func:`normalize`.
    normalization : Normalization
    """
    values = outputs.astype(np.float64)
    beside = last.reshape(last.shape + (1,) * (values.ndim - last.ndim))
    return beside + normalization.scale * values


def trailing_volatility(windows: Floats) -> Floats:
    """Return the size of a change, as the last bars of each window had it.

    Parameters
    ----------
    windows : float64 array, shape (..., L)
        Transformed values.

    Returns
    -------
    float64 array, shape (...)
        The root of the mean of squared changes, whose weights fall by ``DECAY`` a bar and sum to 1;
        0 where nothing moved.

    Timing
    ------
    Reads the window and nothing after it.
    """
    changes = np.diff(windows, axis=-1)
    return np.sqrt((changes * changes) @ volatility_weights(changes.shape[-1]))


def volatility_weights(count: int) -> Floats:
    """Return the weights of a trailing volatility over ``count`` changes, the last the largest."""
    weights = DECAY ** np.arange(count - 1, -1, -1, dtype=np.float64)
    total: Floats = weights / weights.sum()
    return total
