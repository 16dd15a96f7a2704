"""A client's connection as the gateway sees it: login, what it may do, what it has been sent.

A session is live while everything it was sent is on its way; one that comes back, or that reads too
slowly, is caught up from the journal in pieces, at the pace at which it reads.
"""

from typing import TYPE_CHECKING, Final

from neural_trader.execution.framing import FrameReader
from neural_trader.execution.limits import Rate

if TYPE_CHECKING:
    from neural_trader.execution.accounts import Account
    from neural_trader.execution.tokens import Grant

OUT_BYTES_MAX: Final = 1024 * 1024
"""What may wait for a client that does not read; beyond it the journal waits for it instead."""


class Session:
    """One connection; ``outbox`` is what the next commit lets go.

    Attributes
    ----------
    account : Account or None
        None until the login.
    answered_bytes : int
        What questions have put into the outbox.
    refusals : int
        How often something was refused.
    grant : Grant or None
        What let it in.
    next_seq : int
        The first event that has not been put into the outbox.
    is_live : bool
        Whether new events go straight into the outbox.
    last_heard : int
        When the client last sent something, in nanoseconds.
    closing : str
        Why the connection is to be closed once the outbox is gone, or empty.
    link : object
        What the caller needs to find the connection again.
    """

    __slots__ = (
        "account",
        "answered_bytes",
        "client",
        "closing",
        "grant",
        "is_live",
        "journal_seq",
        "last_heard",
        "link",
        "may_trade",
        "next_seq",
        "opened",
        "outbox",
        "peer",
        "rate",
        "reader",
        "refusals",
    )

    def __init__(self, peer: str, ts: int) -> None:
        self.peer = peer
        self.reader = FrameReader()
        self.rate = Rate()
        self.account: Account | None = None
        self.client = 0
        self.grant: Grant | None = None
        self.may_trade = False
        self.is_live = False
        self.next_seq = 0
        self.journal_seq = 0
        self.outbox: list[bytes] = []
        self.answered_bytes = 0
        self.refusals = 0
        self.opened = ts
        self.last_heard = ts
        self.closing = ""
        self.link: object = None
