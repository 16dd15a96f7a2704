"""The one definition of a position: what a fill makes of quantity, cost and realized profit.

Average cost, fees apart (``docs/semantics.md``, "Positions"). A fill that adds to a position adds
its value to the cost. One that takes from it closes that part at the average cost: the part's share
of the cost leaves, and what the fill's value is beyond it is realized. A fill through zero is a
close and an open: its value is shared out by quantity. What is divided leaves no remainder behind,
so at all times, and exactly where money is counted in integers::

    cash = opening cash + realized - fees - cost
    equity = opening cash + realized + unrealized - fees

The gateway's ledger and ``portfolio.Ledger`` count minor units of money, the positions of a
backtest are float64: both book by ``book_fill`` and differ in how they divide alone.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

Quantity = TypeVar("Quantity", int, Fraction, float)
Money = TypeVar("Money", int, float)


def book_fill(  # noqa: PLR0917 - the order path passes what it has, and nothing by name
    held: Quantity,
    cost: Money,
    qty: Quantity,
    value: Money,
    share: Callable[[Money, Quantity, Quantity], Money],
) -> tuple[Quantity, Money, Money]:
    """Book a fill.

    Parameters
    ----------
    held : int, Fraction or float
        Signed quantity before the fill.
    cost : int or float
        What it cost: positive for a long position, negative for a short one.
    qty : as ``held``
        Signed quantity of the fill, not 0.
    value : as ``cost``
        Quantity times price, positive, without fees.
    share : callable
        ``share(amount, part, whole)`` returns ``amount * part / whole``, for 0 < part < whole.

    Returns
    -------
    tuple
        Quantity and cost after the fill, and the profit that it realized.
    """
    if held == 0 or (held > 0) == (qty > 0):
        return held + qty, cost + (value if qty > 0 else -value), value - value
    closed = min(abs(qty), abs(held))
    # Of a fill through zero, the part that closes takes its share of the value.
    value_closed = value if closed == abs(qty) else share(value, closed, abs(qty))
    cost_closed = cost if closed == abs(held) else share(cost, closed, abs(held))
    realized = (value_closed if held > 0 else -value_closed) - cost_closed
    cost -= cost_closed
    if closed < abs(qty):
        rest = value - value_closed
        cost += rest if qty > 0 else -rest
    return held + qty, cost, realized


def share_evenly(amount: int, part: Quantity, whole: Quantity) -> int:
    """Return ``amount * part / whole`` in whole minor units, halves to the even number."""
    quotient, rest = divmod(amount * part, whole)
    twice = 2 * rest
    return int(quotient) + (twice > whole or (twice == whole and int(quotient) & 1 == 1))


def share_really(amount: float, part: float, whole: float) -> float:
    """Return ``amount * part / whole`` in float64."""
    return amount * (part / whole)
