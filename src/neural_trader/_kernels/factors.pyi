from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]

def pivoted(
    matrix: _Floats,
    small: float,
    scratch: tuple[_Floats, NDArray[np.uint8]],
    factor: _Floats,
    widths: NDArray[np.int64],
) -> tuple[int, float]:
    """Write the Cholesky factor of a matrix, the row of the greatest rest first.

    Parameters
    ----------
    matrix : float64, shape (N, N), C-contiguous
        Symmetric and finite.
    small : float
        A rest of at most this counts as zero.
    scratch : tuple of float64, shape (N,), and uint8, shape (N,)
        Overwritten.
    factor : float64, shape (N, N)
        Overwritten: ``factor @ factor.T`` is the matrix; rows stand where they stand there.
    widths : int64, shape (N,)
        Overwritten: beyond this column a row is zero.

    Returns
    -------
    tuple of int and float
        Rank, and the greatest entry that the factor leaves unexplained: far above ``small`` where
        the matrix is not positive semidefinite.

    Raises
    ------
    ValueError
        A shape does not fit.
    """
