"""What is held, as arrays: linear positions and European options on the same symbols."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Options(NamedTuple):
    """European options on the symbols of a book, an entry an option.

    Attributes
    ----------
    underlying : int64 array, shape (M,)
        Place in the book's symbols.
    units : float64 array, shape (M,)
        Contracts times multiplier; negative where sold.
    strike, years, volatility, rate, dividend_yield : float64 arrays, shape (M,)
        Years from the as-of date to expiry, 365 days each; the others annual fractions, rate and
        yield compounded continuously.
    is_call : uint8 array, shape (M,)
    """

    underlying: NDArray[np.int64]
    units: Floats
    strike: Floats
    years: Floats
    volatility: Floats
    rate: Floats
    dividend_yield: Floats
    is_call: NDArray[np.uint8]


class Book(NamedTuple):
    """Positions at the prices of one day.

    Attributes
    ----------
    symbols : tuple of str, length N
        Each once: what is held, or lies under an option.
    prices : float64 array, shape (N,)
        At the as-of close.
    shares : float64 array, shape (N,)
        Signed; 0 for a symbol that only lies under options.
    options : Options
        Of no entries where there are none.
    cash : float
        Does not move; no risk comes from it.
    """

    symbols: tuple[str, ...]
    prices: Floats
    shares: Floats
    options: Options
    cash: float
