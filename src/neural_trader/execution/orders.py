"""An order on its way: its states, and which may follow which."""

from typing import Final, Literal

from neural_trader.core.errors import InvariantViolation

Status = Literal[
    "new",
    "submitted",
    "accepted",
    "partially_filled",
    "filled",
    "canceled",
    "rejected",
    "denied",
    "expired",
    "unknown",
]

OPEN: Final = frozenset({"submitted", "accepted", "partially_filled", "unknown"})
"""States in which an order may still be filled: its exposure counts."""

# A venue is believed: what it says of an order moves the order on from any state that the gateway
# had guessed, and a fill that comes after the end still moved money.
TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    "new": frozenset({"submitted", "denied"}),
    "submitted": frozenset(
        {
            "accepted",
            "partially_filled",
            "filled",
            "rejected",
            "canceled",
            "expired",
            "unknown",
        }
    ),
    "accepted": frozenset({"partially_filled", "filled", "canceled", "expired", "unknown"}),
    "partially_filled": frozenset({"partially_filled", "filled", "canceled", "expired", "unknown"}),
    "unknown": frozenset(
        {"accepted", "partially_filled", "filled", "rejected", "canceled", "expired", "unknown"}
    ),
    "filled": frozenset(),
    "canceled": frozenset({"filled"}),
    "expired": frozenset({"filled"}),
    "rejected": frozenset({"filled"}),
    "denied": frozenset(),
}


class LiveOrder:
    """An order as the gateway knows it; prices in ticks, quantities in signed lots, 0 is none."""

    __slots__ = (
        "account",
        "client",
        "fill_ids",
        "filled",
        "kind",
        "limit",
        "mark",
        "no",
        "qty",
        "reduce_only",
        "status",
        "symbol",
        "tif",
        "trigger",
        "ts",
        "venue_id",
    )

    def __init__(self, account: int, no: int, client: int, symbol: str) -> None:
        self.account = account
        self.no = no
        self.client = client
        self.symbol = symbol
        self.qty = 0
        self.filled = 0
        self.kind = 0
        self.tif = 0
        self.limit = 0
        self.trigger = 0
        self.mark = 0
        self.reduce_only = False
        self.status: Status = "new"
        self.ts = 0
        self.venue_id = 0
        self.fill_ids: tuple[int, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it may still be filled."""
        return self.status in OPEN

    def become(self, status: Status) -> None:
        """Go on to a state.

        Raises
        ------
        InvariantViolation
            The state cannot follow the present one: a bug, since events are checked before they
            are recorded.
        """
        if status not in TRANSITIONS[self.status]:
            message = f"order {self.account}/{self.no} is {self.status} and cannot become {status}"
            raise InvariantViolation(message)
        self.status = status
