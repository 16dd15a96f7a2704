"""The words of an order: kinds, times in force, states, and a fill.

Kernels count in small integers; people read words. Each tuple here is the list of words, and a
word's number is its place in it: the kernels that use the numbers are held to these tuples by test.
"""

from typing import Final, Literal, NamedTuple

Kind = Literal["market", "limit", "stop", "stop_limit"]
TimeInForce = Literal["GTC", "DAY", "IOC", "FOK"]
Status = Literal["accepted", "partially_filled", "filled", "canceled", "expired", "denied"]

KINDS: Final[tuple[Kind, ...]] = ("market", "limit", "stop", "stop_limit")
TIMES_IN_FORCE: Final[tuple[TimeInForce, ...]] = ("GTC", "DAY", "IOC", "FOK")
STATUSES: Final[tuple[Status, ...]] = (
    "accepted",
    "partially_filled",
    "filled",
    "canceled",
    "expired",
    "denied",
)
OPEN_STATUSES: Final = frozenset({"accepted", "partially_filled"})


class Fill(NamedTuple):
    """One execution of an order, as a strategy is told of it.

    ``qty`` is signed, positive for a purchase; ``reference_price`` is the price before slippage;
    ``fee`` is money; ``cash`` is the account's cash afterwards; ``ts_close_ns`` is the close of the
    bar within which the fill happened.
    """

    order_id: int
    symbol: str
    ts_close_ns: int
    qty: float
    reference_price: float
    price: float
    fee: float
    cash: float
