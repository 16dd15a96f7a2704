"""Round trips: what happened between leaving flat and being flat again."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class RoundTrip(NamedTuple):
    """One position of the strategy, all its legs together.

    Bars are indices into the run's window; each fill was decided on the bar before its own.
    ``gross_pnl`` is at reference prices; ``pnl`` is after fees and slippage and equals the change
    of equity; ``pnl_entry`` is the part of it that stands at the close of the bar of entry (the
    cost of getting in, where fills are at closes). An open round trip is valued at the last close.
    """

    entry_bar: int
    exit_bar: int
    is_open: bool
    side: int
    quantities: tuple[float, ...]
    gross_pnl: float
    fees: float
    slippage: float
    pnl: float
    pnl_entry: float


def compute_round_trips(
    where: Ints, fills: Floats, legs: int, *, first: int, equity: Floats
) -> list[RoundTrip]:
    """Cut the fills of a run into round trips.

    Parameters
    ----------
    where : int64 array, shape (2, n)
        Bar and leg of each fill, in order.
    fills : float64 array, shape (5, n)
        Quantity, reference price, price, fee, cash afterwards.
    legs : int
        Legs of the strategy.
    first : int
        Bar of ``equity[0]``.
    equity : float64 array
        Value of the account at every bar from ``first`` on.

    Notes
    -----
    A round trip begins with the fill that leaves flat and ends with the one after which no leg is
    held. All fills of one bar belong together: the legs of an entry are not two round trips.
    """
    held = [0.0] * legs
    trips: list[RoundTrip] = []
    begin = 0
    bars: list[int] = where[0].tolist()
    leg_of: list[int] = where[1].tolist()
    quantity: list[float] = fills[0].tolist()
    for i, qty in enumerate(quantity):
        held[leg_of[i]] += qty
        if not any(held):
            trips.append(_trip(where, fills, (begin, i + 1), first=first, equity=equity))
            begin = i + 1
    if begin < len(bars):
        trips.append(_trip(where, fills, (begin, len(bars)), first=first, equity=equity, held=held))
    return trips


def _trip(
    where: Ints,
    fills: Floats,
    span: tuple[int, int],
    *,
    first: int,
    equity: Floats,
    held: list[float] | None = None,
) -> RoundTrip:
    begin, stop = span
    bars, legs = where[0, begin:stop], where[1, begin:stop]
    qty, reference, price, fee = fills[:4, begin:stop]
    entry_bar = int(bars[0])
    exit_bar = first + len(equity) - 1 if held is not None else int(bars[-1])
    entering = bars == entry_bar
    count = len(held) if held is not None else int(legs.max()) + 1
    quantities = [0.0] * count
    for leg, units in zip(legs[entering].tolist(), qty[entering].tolist(), strict=True):
        quantities[leg] += units
    before = float(equity[entry_bar - 1 - first])
    pnl = float(equity[exit_bar - first]) - before
    fees = float(fee.sum())
    slippage = float((qty * (price - reference)).sum())
    return RoundTrip(
        entry_bar,
        exit_bar,
        held is not None,
        1 if quantities[0] > 0.0 else -1,
        tuple(quantities),
        pnl + fees + slippage,
        fees,
        slippage,
        pnl,
        float(equity[entry_bar - first]) - before,
    )
