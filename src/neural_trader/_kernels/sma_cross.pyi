from typing import Final

import numpy as np
from numpy.typing import NDArray

OUT_ROWS: Final[int]

def signals(
    prices: NDArray[np.float64],
    row: int,
    windows: tuple[int, int],
    scratch: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the fast and the slow moving average of every bar into the rows of ``out``.

    Parameters
    ----------
    prices : float64, shape (S, T), C-contiguous
        Positive and finite.
    row : int
        The row of the symbol.
    windows : tuple of int
        Closes in the fast and in the slow average, the current one included.
    scratch : float64, as long as the longer window
        Overwritten.
    out : float64, shape (OUT_ROWS, T)
        Overwritten; NaN before bar window - 1.

    Raises
    ------
    ValueError
        A shape, row or window does not fit.
    """

def decide(
    prices: NDArray[np.float64],
    row: int,
    signals: NDArray[np.float64],
    gross: float,
    once: bool,
    state: NDArray[np.int64],
    intents: NDArray[np.int64],
    targets: NDArray[np.float64],
) -> int:
    """Write the decisions from bar ``state[0]`` on as sparse intents.

    Parameters and result are those of ``pairs.decide``, for one leg; ``state[2]`` is not used.
    """
