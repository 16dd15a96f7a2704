"""The positions of a run in float64: what its fills made of every symbol, bar by bar.

The kernels keep cash and quantities, which is all that equity needs; average prices and profits
are booked here when somebody looks, by the one definition of ``core.position``.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.backtesting.window import Window
from neural_trader.core.position import book_fill, share_really

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Fractions of lots may leave a rounding behind where nothing is held.
_DUST: Final = 1e-9


class Booked(NamedTuple):
    """What the symbol of each fill stands at after it: float64 arrays, shape (n,)."""

    qty: Floats
    cost: Floats
    realized: Floats
    fees: Floats


class Marked(NamedTuple):
    """One symbol at every bar of a run: float64 arrays, shape (T,).

    ``value`` is quantity x close, 0 where nothing is held; ``is_filled`` tells whether a fill of
    the symbol happened on the bar.
    """

    qty: Floats
    cost: Floats
    realized: Floats
    fees: Floats
    value: Floats
    is_filled: NDArray[np.bool_]


def book_fills(where: Ints, fills: Floats) -> Booked:
    """Book the fills of a run one after the other.

    Parameters
    ----------
    where : int64 array, shape (2 or more, n)
        Bar and leg of each fill, in order.
    fills : float64 array, shape (5, n)
        Quantity, reference price, price, fee, cash afterwards.
    """
    count = where.shape[1]
    booked = np.empty((4, count))
    states: dict[int, tuple[float, float, float, float]] = {}
    legs, quantities = where[1].tolist(), fills[0].tolist()
    prices, charges = fills[2].tolist(), fills[3].tolist()
    for place, (leg, qty, price, fee) in enumerate(
        zip(legs, quantities, prices, charges, strict=True)
    ):
        held, cost, realized, fees = states.get(leg, (0.0, 0.0, 0.0, 0.0))
        held, cost, gained = book_fill(held, cost, qty, abs(qty) * price, share_really)
        realized += gained
        if abs(held) <= _DUST * abs(qty):
            held, cost, realized = 0.0, 0.0, realized - cost
        states[leg] = held, cost, realized, fees + fee
        booked[:, place] = states[leg]
    return Booked(*booked)


def mark_leg(window: Window, where: Ints, booked: Booked, *, leg: int, bars: Ints) -> Marked:
    """Return a symbol's position at the close of every bar of a run.

    Parameters
    ----------
    window : Window
        The run's window.
    where : int64 array, shape (2 or more, n)
        Bar and leg of each fill, in order.
    booked : Booked
        Those fills.
    leg : int
        The symbol's place.
    bars : int64 array, shape (T,)
        The bars of the run, indices into the window.
    """
    own = np.flatnonzero(where[1] == leg)
    done = np.searchsorted(where[0, own], bars, side="right")
    states = np.zeros((4, len(own) + 1))
    states[:, 1:] = np.stack(booked)[:, own]
    qty, cost, realized, fees = states[:, done]
    close = window.close[window.rows[leg], bars]
    # Before its first bar a symbol has no close, and nothing is held.
    value = np.multiply(qty, close, out=np.zeros(len(bars)), where=qty != 0.0)
    is_filled = np.isin(bars, where[0, own])
    return Marked(qty, cost, realized, fees, value, is_filled)
