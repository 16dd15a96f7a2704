"""What the paper venue and its markets know of each other: orders, the desk, and a market.

A market decides what fills, and when; the desk (``PaperVenue``) numbers it, tells the gateway and
remembers it.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from neural_trader.execution.listing import Listing
from neural_trader.execution.messages import OrderFilled, Quote

DAY: Final = 1
IOC: Final = 2
FOK: Final = 3
"""Places in ``core.orders.TIMES_IN_FORCE``; a test holds them to it. 0 is GTC."""
LIMITED: Final = 1
STOPPED: Final = 2
"""Bits of an order's kind: limit and stop-limit have the first, stop and stop-limit the second."""

NO_SESSION: Final = -1


class PaperOrder(msgspec.Struct, gc=False, eq=False):
    """An order at the venue: prices in ticks, quantities in signed lots, 0 is none.

    ``step`` is the market's step after which it works, ``session`` the day in which a DAY order
    does; ``is_resting`` says that a limit once had to wait for its price. Fees so far are money.
    """

    id: int
    symbol: str
    qty: int
    kind: int
    tif: int
    limit: int
    trigger: int
    venue_id: int
    ts: int
    status: str = "accepted"
    reason: str = ""
    filled: int = 0
    fills: tuple[OrderFilled, ...] = ()
    step: int = 0
    session: int = NO_SESSION
    is_triggered: bool = False
    is_resting: bool = False
    fee_due: float = 0.0
    fee_paid: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in ("accepted", "partially_filled")

    @property
    def sleeps(self) -> bool:
        """Whether it is a stop that has not been triggered."""
        return self.kind >= STOPPED and not self.is_triggered


class Desk(Protocol):
    """Whoever books what a market decides."""

    def fill(self, order: PaperOrder, lots: int, price: int, *, value: int, fee: int) -> None:
        """Book an execution of signed lots at a price in ticks; money is in minor units."""
        ...

    def cancel(self, order: PaperOrder, reason: str) -> None:
        """End an order that its own terms end."""
        ...

    def expire(self, order: PaperOrder) -> None:
        """End an order whose time is over."""
        ...

    def quote(self, quote: Quote) -> None:
        """Tell the gateway new prices."""
        ...


class Market(Protocol):
    """Where orders fill.

    Attributes
    ----------
    time : int
        The time of the market, for one that replays the past; 0 for one that lives now.
    is_over : bool
        Whether no step will follow.
    is_replay : bool
        Whether it plays recorded prices.
    listings : mapping of str to Listing
        What can be traded, and in which units.
    """

    listings: Mapping[str, Listing]
    time: int
    is_over: bool
    is_replay: bool

    def refusal(self, symbol: str) -> str:
        """Return why no order can be made in a symbol, or an empty text."""
        ...

    def enter(self, order: PaperOrder, desk: Desk) -> None:
        """Take an order that has been accepted; it may fill at once."""
        ...

    def change(self, order: PaperOrder, desk: Desk) -> None:
        """Work an open order under the new terms that it has."""
        ...

    def leave(self, order: PaperOrder) -> None:
        """Let an order go."""
        ...

    def step(self, ts: int, desk: Desk) -> None:
        """Move on; ``ts`` is the present time."""
        ...

    def quotes(self) -> list[Quote]:
        """Return the present prices of every symbol that has some."""
        ...


def make_listings(
    symbols: "tuple[str, ...] | list[str]",
    *,
    tick_size: str = "0.01",
    lot_size: str = "1",
    minor_unit: str = "0.01",
) -> dict[str, Listing]:
    """Return the same units for every symbol, by symbol.

    Raises
    ------
    ConfigError
        A size is not a decimal above 0.
    """
    return {symbol: Listing(symbol, tick_size, lot_size, minor_unit) for symbol in symbols}
