from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BOUND_BARS: int
FIGURES: int
STATE_SIZE: int

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]

def run(
    kind: int,
    market: tuple[_Floats, _Floats, _Ints, _Floats, _Ints],
    account: tuple[int, float, float, float, bool],
    levels: _Floats,
    scratch: tuple[_Ints, _Ints, _Floats, _Ints, _Floats, _Floats, _Floats, _Floats],
    figures: _Floats,
) -> None:
    """Run the trials of ``levels``, which share their signals, without the GIL.

    Parameters
    ----------
    kind : int
        0 pairs, 1 sma-cross.
    market : tuple
        Closes, and the prices that are filled at, float64 (S, T); row of each leg, int64; signals,
        float64 (rows, T); the last bar of every session of the run, int64.
    account : tuple
        First bar of the run, capital, fee rate, slippage rate, whether sizes are shares of equity.
    levels : float64 array, shape (m, 3)
        Entry, exit (pairs only) and size of each trial.
    scratch : tuple
        State int64 (5,), intents int64 (2, r), targets float64 (r,), where int64 (2, r), fills
        float64 (5, r), ledger float64 (1 + legs,), equity float64 (T - first,), bounds float64
        (2, T / BOUND_BARS rounded up); r at least legs times the bars of the run and 4.
    figures : float64 array, shape (m, 12)
        OUT: trades, fills, final equity, peak leverage, its bar, whether it was ruined, intents of
        the last bar, mean, variance and range of the returns over sessions, the largest drawdown,
        bars.

    Raises
    ------
    ValueError
        Arrays that do not fit together.
    """
