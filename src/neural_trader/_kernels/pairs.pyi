from typing import Final

import numpy as np
from numpy.typing import NDArray

SCRATCH_ROWS: Final[int]
OUT_ROWS: Final[int]

def signals(
    prices: NDArray[np.float64],
    row_y: int,
    row_x: int,
    lookback: int,
    scratch: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write hedge ratio, spread and z-score of every bar into the rows of ``out``.

    Parameters
    ----------
    prices : float64, shape (S, T), C-contiguous
        Positive and finite.
    row_y, row_x : int
        The rows of the two legs.
    lookback : int
        At least 3.
    scratch : float64, shape (SCRATCH_ROWS, at least lookback)
        Overwritten.
    out : float64, shape (OUT_ROWS, T)
        Overwritten. Hedge ratio and spread are NaN before bar lookback - 1 and where a price does
        not move within the window; the z-score is NaN before bar 2 x lookback - 2, where a spread
        of its window is NaN, and where the spread does not move.

    Raises
    ------
    ValueError
        A shape, row or lookback does not fit.
    """

def decide(
    prices: NDArray[np.float64],
    rows: tuple[int, ...],
    signals: NDArray[np.float64],
    levels: tuple[float, float, float],
    once: bool,
    state: NDArray[np.int64],
    intents: NDArray[np.int64],
    targets: NDArray[np.float64],
) -> int:
    """Write the decisions from bar ``state[0]`` on as sparse intents.

    Parameters
    ----------
    prices, rows, signals
        As in ``signals``.
    levels : tuple of float
        Entry and exit z-score, and the gross value of a new position in money.
    once : bool
        Stop after the first exit, so that the caller can size the next entry anew.
    state : int64, shape (4,)
        IN/OUT: next bar; side (-1 short the spread, 0 flat, 1 long); bars on which an entry was
        skipped because the hedge ratio was not positive; because a leg came to 0 shares.
    intents : int64, shape (2, n), n at least 4
        OUT: the decision bar, and the leg (0 is y, 1 is x).
    targets : float64, shape (n,)
        OUT: the quantity wanted, in shares, signed.

    Returns
    -------
    int
        Intents written. ``state[0] < T`` afterwards means: call again, there is more.

    Raises
    ------
    ValueError
        A shape does not fit.
    """
