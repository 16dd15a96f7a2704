from collections.abc import Callable
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

FLOATS: int
INTS: int
FILL_ROWS: int

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]

@final
class Book:
    """Orders, cash and quantities of one account, matched against one bar at a time.

    Parameters
    ----------
    ledger : float64 array, shape (1 + S,)
        IN/OUT: cash, then the signed quantity of each leg.
    rates : float64 array, shape (5,)
        Fee rate, fee a share, least fee of an order, slippage rate, half-spread.
    tiers : float64 array, shape (2, k)
        Value traded in a month, and the fee rate from there on.
    grid : float64 array, shape (4, S)
        Tick, ticks a unit, lot, lots a unit; 0 is no grid, or not a whole number of them.
    matching : tuple of float, bool
        The share of a bar's volume that may be taken (0: no cap), and whether a touch fills.
    lists : int64 array, shape (4, S)
        OUT: first and last working order of each leg, how many, and the last target's order.
    allocate : callable (shape, dtype) -> array
        Makes room for orders and fills.

    Raises
    ------
    ValueError
        Arrays that do not fit together.
    """

    def __init__(
        self,
        ledger: _Floats,
        rates: _Floats,
        tiers: _Floats,
        grid: _Floats,
        matching: tuple[float, bool],
        lists: _Ints,
        allocate: Callable[..., Any],
    ) -> None: ...
    def listen(self, listener: Callable[[int], object]) -> None:
        """Have a function called with the number of every fill that ``match`` makes."""
    def fill(self, k: int) -> tuple[int, int, int, float, float, float, float, float]:
        """Return a fill: bar, leg, order, quantity, reference price, price, fee, cash."""
    def filled(self) -> tuple[_Ints, _Floats, int]:
        """Return where, fills, and how many of their columns are used."""
    def counts(self) -> tuple[int, int]:
        """Return how many orders there were, and in how many bars their sequence was unknown."""
    def reserve_orders(self, count: int) -> None:
        """Make room for so many orders in all."""
    def reserve_fills(self, count: int) -> None:
        """Make room for so many fills in all."""
    def place(self, leg: int, qty: float, limit: float, stop: float, tif: int, now: int) -> int:
        """Take an order and return its id; it works from the slice after ``now``.

        NaN is no limit and no stop; both are rounded to the tick, away from the market.

        Raises
        ------
        ValueError
            No such leg or time in force, or a quantity of 0.
        """
    def cancel(self, i: int) -> bool:
        """Cancel an order; return whether it was open."""
    def replace(self, i: int, qty: float, limit: float, stop: float, now: int) -> None:
        """Change an open order, NaN for a price that stays; it works anew after ``now``."""
    def order(self, i: int) -> tuple[float, float, float, float, int, int, int]:
        """Return quantity, filled, limit, stop, leg, time in force, status."""
    def status(self, i: int) -> int:
        """Return the place of an order's status in ``core.orders.STATUSES``."""
    def open_ids(self) -> list[int]:
        """Return the ids of the orders that may still fill, in the order of their making."""
    def count_placed(self, now: int) -> int:
        """Return how many open orders were placed, or changed last, in a slice."""
    def match(
        self,
        leg: int,
        bar: tuple[float, float, float, float, float],
        days: tuple[int, int],
        now: int,
    ) -> None:
        """Match one bar (open, high, low, close, volume) of one leg, session and month beside.

        What the listener raises is passed on.
        """
    def close_out(self, leg: int, close: float, month: int, now: int) -> None:
        """Expire the orders of a leg whose prices have ended, and close it at its last close."""
    def run(
        self,
        market: tuple[_Floats, _Floats, _Floats, _Floats, _Floats, _Ints, _Ints, _Ints],
        intents: tuple[_Ints, _Ints, _Floats, _Floats, _Floats, _Ints],
        way: int,
        first: int,
        equity: _Floats,
        peak: _Floats,
    ) -> int:
        """Turn intents into orders, match them, and value the account at every slice.

        Parameters
        ----------
        market : tuple
            Open, high, low, close, volume of all legs, one after the other, float64 (n,), volume
            may be empty; session and month of each slice, int64 (2, N); the bar of each calendar in
            each slice, int64 (B, N); calendar, offset and slice of close-out of each leg, int64
            (3, S).
        intents : tuple
            Slice (rising) and leg, int64 (k,), size, limit and stop, float64 (k,), NaN is none, and
            time in force, int64 (k,). The last three may be empty: market orders.
        way : int
            What the sizes are: 0 orders, 1 target quantities, 2 notionals, 3 weights.
        first : int
            The first slice of the run.
        equity : float64 array, shape (N - first,)
            OUT: value of the account at the close of each slice.
        peak : float64 array, shape (4,)
            IN/OUT: peak leverage, its slice, stale marks, intents denied for want of a price.

        Returns
        -------
        int
            The slice of ruin, or N.

        Raises
        ------
        ValueError
            Arrays that do not fit together.
        """
