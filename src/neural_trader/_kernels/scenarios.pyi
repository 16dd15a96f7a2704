from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

LAYERS: Final[int]

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]
_Layers: TypeAlias = tuple[_Floats, _Ints, _Floats]

def stream_of(seed: int) -> int:
    """Return the stream of a seed of 0 to 2^64 - 1: 64 bits that look like no other seed's."""

def words(stream: int, ids: _Ints, first: int, out: NDArray[np.uint64]) -> None:
    """Write the bits of scenarios.

    Parameters
    ----------
    stream : int
        From ``stream_of``.
    ids : int64, shape (S,)
        Numbers of the scenarios, from 0.
    first : int
        The first column that is wanted.
    out : uint64, shape (S, C), C-contiguous
        Overwritten: a column each.

    Raises
    ------
    ValueError
        A shape does not fit.
    """

def linear(
    stream: int,
    first: int,
    loads: _Floats,
    terms: _Floats,
    layers: _Layers,
    out: _Floats,
) -> int:
    """Write the losses of linear positions over one step, without the GIL.

    Parameters
    ----------
    stream : int
        From ``stream_of``.
    first : int
        Number of the first scenario.
    loads : float64, shape (N,)
        Gain by each of the N normals of a scenario.
    terms : float64, shape (3,)
        Gain without any move; degrees of freedom, infinite for the normal distribution; the
        stretch from which on a price could fall below zero.
    layers : tuple
        Of the ziggurat: widths and cores (LAYERS,), heights (LAYERS + 1,).
    out : float64, shape (S,)
        Overwritten: losses, NaN where the stretch is too great.

    Returns
    -------
    int
        How many losses are NaN.

    Raises
    ------
    ValueError
        A shape does not fit.
    """

def draw(
    stream: int,
    ids: _Ints,
    degrees: float,
    layers: _Layers,
    normals: _Floats,
    stretches: _Floats,
) -> None:
    """Write the normals of scenarios, and what stretches them, without the GIL.

    Parameters
    ----------
    stream, layers
        As in ``linear``.
    ids : int64, shape (S,)
        Numbers of the scenarios.
    degrees : float
        Of freedom, above 2; infinite for the normal distribution, whose stretches are 1.
    normals : float64, shape (S, H, N), C-contiguous
        Overwritten: of each step and column.
    stretches : float64, shape (S, H)
        Overwritten: sqrt((degrees - 2) / chi-square) of each step.

    Raises
    ------
    ValueError
        A shape does not fit.
    """

def project(
    normals: _Floats,
    stretches: _Floats,
    loads: _Floats,
    terms: _Floats,
    out: _Floats,
) -> int:
    """Write the losses of linear positions from normals that were drawn, without the GIL.

    Parameters
    ----------
    normals : float64, shape (S, 1, N), C-contiguous
    stretches : float64, shape (S, 1)
    loads, terms, out
        As in ``linear``.

    Returns
    -------
    int
        How many losses are NaN.

    Raises
    ------
    ValueError
        A shape does not fit.
    """
