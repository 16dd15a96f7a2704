from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

from neural_trader._kernels.book import Book

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]

@disjoint_base
class Desk:
    """What is known at the close of the present slice, and nothing later.

    Parameters
    ----------
    legs : dict of symbol to int
        The place of each symbol.
    ledger : float64 array, shape (1 + S,)
        Cash, then the signed quantity of each leg; written by the book.
    """

    def __init__(self, legs: dict[str, int], ledger: _Floats) -> None: ...
    @property
    def ts_close_ns(self) -> int:
        """The close of the present slice, nanoseconds UTC."""
    @property
    def now(self) -> int:
        """The place of the present slice; that of the bar to come while orders are matched."""
    @property
    def equity(self) -> float:
        """Cash and positions at the last closes."""
    @property
    def is_warming_up(self) -> bool:
        """Whether the present slice lies before the start."""
    @property
    def cash(self) -> float:
        """Money on hand."""
    def adopt(
        self, history: _Floats, stamps: _Ints, lengths: _Ints, last: _Floats, fresh: _Ints
    ) -> None:
        """Take the columns that bars are copied into.

        Parameters
        ----------
        history : float64 array, shape (F, S, n)
            Rows close, then open, high and low where there are such, then volume likewise.
        stamps : int64 array, shape (S, n)
        lengths, fresh : int64 array, shape (S,)
            Bars so far; whether there is one in the present slice.
        last : float64 array, shape (S,)
            The last close, NaN before the first.
        """
    def grow(self) -> None:
        """Make room for more bars and adopt it."""
    def refuse(self, symbol: object) -> None:
        """Raise for a symbol that is not traded."""
    def close(self, symbol: str) -> float:
        """Return the last close of a symbol; NaN before its first bar."""
    def position(self, symbol: str) -> float:
        """Return the signed quantity held."""
    def has_bar(self, symbol: str) -> bool:
        """Return whether a symbol has a bar in the present slice."""

def replay(
    desk: Desk,
    book: Book,
    calls: tuple[Callable[..., object], list[Any]],
    columns: tuple[_Floats, _Floats, _Floats, _Floats, _Floats],
    slices: tuple[_Ints, _Ints, _Ints, _Ints],
    shape: tuple[_Ints, _Ints, _Ints, _Ints, int, bool],
    equity: _Floats,
    peak: _Floats,
    begin: int = 0,
) -> int:
    """Show a strategy the bars one slice at a time.

    Parameters
    ----------
    desk : Desk
        What the strategy is called with.
    book : Book
    calls : tuple
        ``on_bar``; tracked indicators as (update, legs, rows).
    columns : tuple of float64 arrays, shape (n,)
        Open, high, low, close, volume of all legs, one after the other; volume may be empty.
    slices : tuple of int64 arrays
        Stamps, sessions and months, shape (N,); the bar of each calendar in each slice, (B, N).
    shape : tuple
        Calendar, offset into the columns and slice of close-out of each leg, (S,); the book's
        lists; the first slice of the run; whether there are closes only.
    equity : float64 array, shape (N - first,)
        OUT: value of the account at the close of each slice.
    peak : float64 array, shape (3,)
        IN/OUT: peak leverage, its slice, and how many marks were stale.
    begin : int
        The number of the first of these slices in the run: a feed brings them one at a time.

    Returns
    -------
    int
        The slice of ruin among these, or N. What the strategy raises is passed on.
    """
