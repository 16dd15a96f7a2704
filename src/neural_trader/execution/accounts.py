"""An account: its book, its orders, its stream of events and its memory of what was asked."""

from collections import deque
from typing import Final

from neural_trader.execution.ledger import Book
from neural_trader.execution.limits import Bounds, OrderRate
from neural_trader.execution.orders import LiveOrder

ENDED_MAX: Final = 16_384
"""Ended orders that an account remembers: so long can a late fill find its order."""
REPLIES_MAX: Final = 8_192
"""Replies that an account remembers: so long does a repeated request get the identical one."""
REQUESTS_MAX: Final = 1_024
"""Wishes about orders that may wait for the venue's answer at a time."""
INDEX_MASK: Final = 1_023
"""One event in 1,024 has its place in the journal noted, for those who come back; the first too."""


class Request:
    """A wish about an order that waits for the venue's answer; ``qty`` is 0 for a cancel.

    ``extra`` is what a wish for more adds to the open lots of ``symbol`` while it waits.
    """

    __slots__ = ("client", "extra", "limit", "no", "order", "qty", "symbol", "trigger", "ts")

    def __init__(self, no: int, client: int, order: int, ts: int) -> None:
        self.no = no
        self.client = client
        self.order = order
        self.ts = ts
        self.qty = 0
        self.limit = 0
        self.trigger = 0
        self.extra = 0
        self.symbol = ""


class Account:
    """One trading account.

    ``seq`` is the number of its next event, ``first_seq`` that of the first that the journal surely
    keeps, ``last_no`` the highest request number used. Orders up to ``killed_no`` were there when
    the kill switch was turned on; later ones have passed under it.
    ``replies`` holds, by request number, who asked and the bytes of the answer; ``forgotten_no`` is
    the highest number whose answer is no longer among them.
    """

    __slots__ = (
        "book",
        "bounds",
        "day",
        "day_equity",
        "ended",
        "ended_nos",
        "first_seq",
        "forgotten_no",
        "index",
        "is_killed",
        "killed_no",
        "last_no",
        "name",
        "number",
        "open",
        "rate",
        "recent",
        "replied",
        "replies",
        "requests",
        "seq",
    )

    def __init__(self, number: int, name: str, book: Book, bounds: Bounds) -> None:
        self.number = number
        self.name = name
        self.book = book
        self.bounds = bounds
        self.is_killed = False
        self.killed_no = 0
        self.seq = 1
        self.first_seq = 1
        self.last_no = 0
        self.forgotten_no = 0
        self.open: dict[int, LiveOrder] = {}
        self.ended: dict[int, LiveOrder] = {}
        # The order in which they came: the first key of a dict that loses its first keys is slow.
        self.ended_nos: deque[int] = deque()
        self.requests: dict[int, Request] = {}
        self.replies: dict[int, tuple[int, bytes]] = {}
        self.replied: deque[int] = deque()
        self.rate = OrderRate(bounds.per_second)
        self.recent: dict[tuple[str, int, int, int, int], int] = {}
        self.day = -1
        self.day_equity = book.cash
        self.index: list[tuple[int, int]] = []

    def hold_to(self, bounds: Bounds) -> None:
        """Take new limits; of the orders that passed lately, as many as are allowed now count."""
        self.bounds = bounds
        if bounds.per_second != self.rate.passed.maxlen:
            self.rate = OrderRate(bounds.per_second, self.rate.passed)

    def order(self, no: int) -> LiveOrder | None:
        """Return an order that is open, or that ended not too long ago."""
        return self.open.get(no) or self.ended.get(no)

    def end(self, order: LiveOrder) -> None:
        """Move an order to those that have ended, and forget the oldest of them."""
        if self.open.pop(order.no, None) is None:
            # Filled after its end: it is among them already.
            return
        self.ended[order.no] = order
        nos = self.ended_nos
        nos.append(order.no)
        if len(nos) > ENDED_MAX:
            del self.ended[nos.popleft()]

    def remember(self, no: int, client: int, reply: bytes) -> None:
        """Keep the answer to a request for those who ask again."""
        replies = self.replies
        if no not in replies:
            replies[no] = (client, reply)
            self.replied.append(no)
            if len(replies) > REPLIES_MAX:
                gone = self.replied.popleft()
                del replies[gone]
                self.forgotten_no = max(self.forgotten_no, gone)
