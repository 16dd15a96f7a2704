from typing import Final

import numpy as np
from numpy.typing import NDArray

NOT_FINITE: Final[int]
CONSTANT: Final[int]
NOT_POSITIVE: Final[int]
GIVEN: Final[int]
LEVEL: Final[int]
LOG: Final[int]

def forward(
    plan: NDArray[np.int64],
    weights: NDArray[np.float32],
    windows: NDArray[np.float32],
    scratch: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Write the heads of every window.

    Parameters
    ----------
    plan : int64, weights : float32
        A network as ``forecast.packing`` lays it out; trusted.
    windows : float32, shape (B * L,)
        Normalized, one after the other, the newest value of each last.
    scratch : float32, at least L + 2 * widest
        Overwritten.
    out : float32, shape (B * H * Q,)
        Overwritten.

    Raises
    ------
    ValueError
        A length does not fit.
    """

def forecast(
    plan: NDArray[np.int64],
    weights: NDArray[np.float32],
    values: NDArray[np.float64],
    offsets: NDArray[np.float64],
    terms: tuple[int, float, float, float, float],
    scratch: NDArray[np.float32],
    work: NDArray[np.float64],
    out: NDArray[np.float64],
) -> int:
    """Write forecast, lower and upper end of one window, for a network of one head a step.

    Parameters
    ----------
    plan : int64, weights : float32
        A network as ``forecast.packing`` lays it out, with Q = 1; trusted.
    values : float64, shape (L,)
        As they came, the newest last.
    offsets : float64, shape (2 * H,)
        Lower, then upper, in trailing volatilities of the transformed values.
    terms : (mode, shift, unit, base, decay)
        The network takes (x - shift) / unit, and base + unit times what it gives is the forecast.
        GIVEN: x are the values. LEVEL: so, with the last of them as shift and base. LOG: as LEVEL,
        and x are their logarithms. ``decay`` is the weight of a squared change over that of the
        next.
    scratch : float32, at least L + 2 * widest + H
        Overwritten.
    work : float64, at least L
        Overwritten.
    out : float64, shape (3 * H,)
        Overwritten; in the unit of the values.

    Returns
    -------
    int
        0, or why nothing was written: NOT_FINITE, CONSTANT, or in mode LOG NOT_POSITIVE.

    Raises
    ------
    ValueError
        A length does not fit.
    """
