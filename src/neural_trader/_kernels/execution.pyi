from typing import Final

import numpy as np
from numpy.typing import NDArray

FILL_ROWS: Final[int]

def fill(
    prices: NDArray[np.float64],
    rows: NDArray[np.int64],
    intents: NDArray[np.int64],
    targets: NDArray[np.float64],
    span: tuple[int, int],
    costs: tuple[float, float],
    ledger: NDArray[np.float64],
    counts: NDArray[np.int64],
    where: NDArray[np.int64],
    fills: NDArray[np.float64],
) -> int:
    """Fill intents at the bar after their decision.

    Parameters
    ----------
    prices : float64, shape (S, T), C-contiguous
        The reference prices of fills: opens or closes.
    rows : int64, shape (K,)
        The row of each leg.
    intents, targets
        As a strategy kernel wrote them: decision bar and leg, and the quantity wanted.
    span : tuple of int
        The first intent to fill, and the one after the last.
    costs : tuple of float
        Fee rate and slippage rate, as fractions.
    ledger : float64, shape (K + 1,)
        IN/OUT: cash, then the quantity held of each leg.
    counts : int64, shape (1,)
        IN/OUT, added to: intents decided on the last bar, which never fill.
    where : int64, shape (2, n)
        OUT: bar and leg of each fill; n at least the length of span.
    fills : float64, shape (FILL_ROWS, n)
        OUT: signed quantity, reference price, price, fee, cash afterwards.

    Returns
    -------
    int
        Fills made. An intent that changes nothing makes none.

    Raises
    ------
    ValueError
        A shape does not fit, or an intent names a bar or leg that does not exist.
    """

def mark(
    prices: NDArray[np.float64],
    rows: NDArray[np.int64],
    where: NDArray[np.int64],
    fills: NDArray[np.float64],
    first: int,
    ledger: NDArray[np.float64],
    equity: NDArray[np.float64],
    peak: NDArray[np.float64],
) -> int:
    """Value the ledger at the close of every bar.

    Parameters
    ----------
    prices : float64, shape (S, T), C-contiguous
        The closes.
    rows, where, fills
        As in ``fill``; every column is a fill, in the order of their bars.
    first : int
        The first bar to value.
    ledger : float64, shape (K + 1,)
        IN/OUT: starting cash, then zeros; the last cash and quantities afterwards.
    equity : float64, shape (T - first,)
        OUT: cash + sum of quantity x close.
    peak : float64, shape (2,)
        IN/OUT: the greatest gross exposure over equity so far, and its bar.

    Returns
    -------
    int
        T, or the first bar at whose close equity is zero or below: the run ended there and later
        elements of ``equity`` are not written.

    Raises
    ------
    ValueError
        A shape does not fit, or a fill is out of order or range.
    """
