from typing import Final

import numpy as np
from numpy.typing import NDArray

DIVERGED: Final[int]
SINGULAR: Final[int]
NEW: Final[int]

def least(
    matrix: NDArray[np.float64],
    linear: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    weights: NDArray[np.float64],
    places: NDArray[np.int64],
    free: NDArray[np.int64],
    scratch: NDArray[np.float64],
) -> int:
    """Minimise w' M w / 2 - c' w over weights that add up to 1, within bounds.

    The primal active-set method: from weights within the bounds, to the least on those that are
    free, up to the first bound that is met; then the weight at a bound that gains most is freed,
    until none gains. The free part's Cholesky factor is kept and mended.

    Parameters
    ----------
    matrix : float64, shape (n * n,)
        M, symmetric and positive definite.
    linear : float64, shape (n,)
        c.
    low, high : float64, shape (n,)
        Bounds, infinite where there are none; weights within them can add up to 1.
    weights : float64, shape (n,)
        Overwritten; the start, where ``places`` is one.
    places : int64, shape (n,)
        -1 at the lower bound, 0 free, 1 at the upper one: as an earlier call left them, for the
        same bounds; or ``NEW`` in the first entry.
    free : int64, shape (n,)
        Overwritten.
    scratch : float64, at least n * n + 3 n
        Overwritten.

    Returns
    -------
    int
        Steps taken; ``DIVERGED`` after 50 n + 100 of them, ``SINGULAR`` where M is.

    Raises
    ------
    ValueError
        A shape does not fit.

    References
    ----------
    Nocedal and Wright (2006), Numerical Optimization, algorithm 16.3.
    """

def erc(
    matrix: NDArray[np.float64],
    shares: NDArray[np.float64],
    weights: NDArray[np.float64],
    scratch: NDArray[np.float64],
) -> int:
    """Find x above 0 with x_i (M x)_i = shares_i, by damped Newton steps.

    Parameters
    ----------
    matrix : float64, shape (n * n,)
        M, symmetric and positive semidefinite, with a diagonal above 0.
    shares : float64, shape (n,)
        Above 0.
    weights : float64, shape (n,)
        The start, above 0; overwritten with x, which does not add up to 1 yet.
    scratch : float64, at least n * n + 2 n
        Overwritten.

    Returns
    -------
    int
        Steps taken; ``DIVERGED`` after 200 of them, ``SINGULAR`` where only rounding is left.

    Raises
    ------
    ValueError
        A shape does not fit.

    References
    ----------
    Spinu (2013), "An Algorithm for Computing Risk Parity Weights".
    """
