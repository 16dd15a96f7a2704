from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

LANES: Final[int]
COLUMNS: Final[int]

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]

def revalue(
    normals: _Floats,
    stretches: _Floats,
    market: tuple[_Floats, _Floats, _Ints],
    book: tuple[_Floats, _Ints, _Floats],
    scratch: tuple[_Floats, _Floats, _Floats, _Floats],
    losses: _Floats,
    gains: _Floats,
) -> None:
    """Write what a book loses in every scenario, without the GIL.

    Parameters
    ----------
    normals : float64, shape (S, H, F), C-contiguous
        Of each scenario, step and factor.
    stretches : float64, shape (S, H)
        What each step's normals are multiplied by.
    market : tuple
        Mean return of a step (N,), factor of the covariance (N, F), int64 columns of each row of
        it that are not zero (N,).
    book : tuple
        Money in each symbol (N,), int64 symbol under each option (M,), options (M, COLUMNS):
        1 / (volatility sqrt(years)), 0 where it has expired; d1 at today's price; volatility
        sqrt(years); today's price discounted by the yield; strike discounted by the rate; 1 for a
        call, -1 for a put; units; value today. Years are those left at the horizon.
    scratch : four of float64, shape (at least max(N, F), LANES)
        Overwritten.
    losses : float64, shape (S,)
        Overwritten.
    gains : float64, shape (S, N) or of no rows
        Overwritten: by symbol, options with their underlying.

    Raises
    ------
    ValueError
        A shape or a place does not fit.
    """
