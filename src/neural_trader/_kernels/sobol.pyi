from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

NUMBERS: Final[int]

_Digits: TypeAlias = NDArray[np.uint32]
_Signed: TypeAlias = NDArray[np.int32]

def expand(numbers: NDArray[np.uint16], directions: _Digits) -> None:
    """Write the direction numbers of Sobol's sequence.

    Parameters
    ----------
    numbers : uint16, shape (D, NUMBERS)
        Of each dimension: its primitive polynomial, a bit a coefficient, and the initial numbers.
    directions : uint32, shape (bits, D), C-contiguous
        Overwritten: binary fractions, the first digit in the highest bit.

    Raises
    ------
    ValueError
        A shape does not fit, or a dimension has no polynomial.
    """

def scramble(
    plain: _Digits,
    columns: NDArray[np.uint64],
    directions: _Digits,
    shifts: _Digits,
) -> None:
    """Write the direction numbers of a scrambled sequence, and its shift.

    Parameters
    ----------
    plain : uint32, shape (bits, D)
        From ``expand``.
    columns : uint64, shape (D, bits + 1)
        Random bits: the columns of a lower triangular matrix on the digits, then the shift.
    directions : uint32, shape (bits, D)
        Overwritten.
    shifts : uint32, shape (D,)
        Overwritten.

    Raises
    ------
    ValueError
        A shape does not fit.
    """

def fill(
    directions: _Signed,
    shifts: _Signed,
    points: int,
    ids: NDArray[np.int64],
    state: _Signed,
    normals: NDArray[np.float64],
) -> None:
    """Write the normals of scrambled points, without the GIL.

    Parameters
    ----------
    directions : int32, shape (R, bits, D), C-contiguous
        Of each scramble: the same bits.
    shifts : int32, shape (R, D)
        With the first digit turned over, so that they count from the median.
    points : int
        Of each scramble, at most 2^bits.
    ids : int64, shape (S,)
        Points that are wanted, counted through the scrambles; in their order is fastest.
    state : int32, shape (D,)
        Scratch.
    normals : float64, shape (S, D), C-contiguous
        Overwritten.

    Raises
    ------
    ValueError
        A shape or a point does not fit.
    """
