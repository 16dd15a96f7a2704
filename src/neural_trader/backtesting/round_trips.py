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


def compute_symbol_trips(
    where: Ints, fills: Floats, close: Floats, *, last_bar: int
) -> list[RoundTrip]:
    """Cut the fills of a run into round trips, symbol by symbol.

    Parameters
    ----------
    where : int64 array, shape (2 or more, n)
        Bar and leg of each fill, in order.
    fills : float64 array, shape (5, n)
        Quantity, reference price, price, fee, cash afterwards.
    close : float64 array, shape (S, T)
        The close of each leg at every bar.
    last_bar : int
        The bar at which what is still held is valued.

    Notes
    -----
    A round trip of a symbol goes from flat to flat; a fill that turns a position around is a close
    and an open, and its fee is split by quantity. Symbols that enter on one bar and leave on one
    bar, as the legs of a pair do, are one round trip.
    """
    open_parts: dict[int, _Part] = {}
    parts: list[_Part] = []
    rows = zip(*where[:2].tolist(), *fills[:4].tolist(), strict=True)
    for bar, leg, qty, *prices, fee in rows:
        part = open_parts.get(leg)
        rest = qty
        if part is not None and part.held * qty < 0.0:
            closing = qty if abs(qty) <= abs(part.held) else -part.held
            part.add(bar, closing, prices, fee * (closing / qty))
            rest = qty - closing
            if part.held == 0.0:
                parts.append(open_parts.pop(leg))
                part = None
        if rest != 0.0:
            if part is None:
                part = open_parts[leg] = _Part(leg, bar)
            part.add(bar, rest, prices, fee * (rest / qty))
    parts += open_parts.values()
    together: dict[tuple[int, int, bool], list[_Part]] = {}
    for part in parts:
        is_open = part.held != 0.0
        together.setdefault(
            (part.entry_bar, last_bar if is_open else part.bar, is_open), []
        ).append(part)
    return [
        _joined(sorted(group, key=lambda part: part.leg), span, close)
        for span, group in sorted(together.items())
    ]


class _Part:
    """One symbol's position from flat to flat, summed up as its fills come in."""

    __slots__ = (
        "bar",
        "entered",
        "entered_cash",
        "entry_bar",
        "fees",
        "gross",
        "held",
        "leg",
        "net",
    )

    def __init__(self, leg: int, entry_bar: int) -> None:
        self.leg = leg
        self.entry_bar = self.bar = entry_bar
        self.held = self.gross = self.net = self.fees = 0.0
        self.entered = self.entered_cash = 0.0

    def add(self, bar: int, qty: float, prices: list[float], fee: float) -> None:
        """Take over a fill, or the part of one that belongs to this position."""
        reference, price = prices
        self.bar = bar
        self.held += qty
        # Fractions of lots may leave a rounding behind where nothing is held.
        if abs(self.held) <= 1e-9 * abs(qty):
            self.held = 0.0
        self.gross -= qty * reference
        self.net -= qty * price
        self.fees += fee
        if bar == self.entry_bar:
            self.entered += qty
            self.entered_cash -= qty * price + fee


def _joined(group: list[_Part], span: tuple[int, int, bool], close: Floats) -> RoundTrip:
    """Make one round trip of the positions that were entered and left together."""
    entry_bar, exit_bar, is_open = span
    quantities = [0.0] * (group[-1].leg + 1)
    gross = pnl = fees = pnl_entry = 0.0
    for part in group:
        quantities[part.leg] = part.entered
        marked = part.held * float(close[part.leg, exit_bar]) if is_open else 0.0
        gross += part.gross + marked
        pnl += part.net + marked - part.fees
        fees += part.fees
        pnl_entry += part.entered_cash + part.entered * float(close[part.leg, entry_bar])
    return RoundTrip(
        entry_bar,
        exit_bar,
        is_open,
        1 if quantities[group[0].leg] > 0.0 else -1,
        tuple(quantities),
        gross,
        fees,
        gross - pnl - fees,
        pnl,
        pnl_entry,
    )
