"""What a gateway that runs gives to the one that takes its place, beside the journal.

Accounts, orders and positions are in the journal, which the next one has read. Here is the rest:
what was heard of the venue and not yet answered, prices, and where every connection stands, to the
byte. Nothing here knows a socket; ``takeover`` carries it over.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from neural_trader.execution.framing import FRAME_BYTES_MAX, FrameReader
from neural_trader.execution.tokens import Grant

if TYPE_CHECKING:
    from neural_trader.execution.gateway import Gateway
    from neural_trader.execution.sessions import Session

VERSION: Final = 2
"""Of these structures: gateways of two versions do not hand over to each other."""


class VenueState(msgspec.Struct, array_like=True, frozen=True):
    """The connection to the venue, and what is asked of it; see ``VenueLink``.

    ``rest`` are bytes of a message that has not come whole, ``unsent`` bytes that have not left.
    """

    state: str
    last_heard: int
    quotes: int
    duplicates: int
    asked: dict[int, list[int]]
    waiting: list[tuple[int, int, int]]
    rest: bytes
    unsent: bytes = b""


class SessionState(msgspec.Struct, array_like=True, frozen=True):
    """A client's connection; see ``Session``. ``account`` is 0 before the login."""

    peer: str
    account: int
    client: int
    grant: Grant | None
    may_trade: bool
    is_live: bool
    next_seq: int
    journal_seq: int
    opened: int
    last_heard: int
    rest: bytes
    unsent: bytes


class GatewayState(msgspec.Struct, array_like=True, frozen=True):
    """All of it. ``next_seq`` is the journal's, ``frozen_at`` the monotonic time in nanoseconds."""

    next_seq: int
    frozen_at: int
    has_venue: bool
    venue: VenueState
    marks: dict[str, tuple[int, int]]
    sessions: list[SessionState]


def session_state(session: "Session", unread: bytes, unsent: bytes) -> SessionState:
    """Return where a session stands."""
    return SessionState(
        session.peer,
        0 if session.account is None else session.account.number,
        session.client,
        session.grant,
        session.may_trade,
        session.is_live,
        session.next_seq,
        session.journal_seq,
        session.opened,
        session.last_heard,
        unread,
        unsent,
    )


def restore(gateway: "Gateway", state: GatewayState) -> "list[Session]":
    """Bring a gateway that has read the journal to where the other one stood.

    Returns
    -------
    list of Session
        As in ``state.sessions``; they have no connection yet.
    """
    for symbol, (ticks, ts) in state.marks.items():
        gateway.core.mark(symbol, ticks, ts)
    gateway.venue.restore(state.venue, is_connected=state.has_venue)
    return [_restore_session(gateway, one) for one in state.sessions]


def _restore_session(gateway: "Gateway", state: SessionState) -> "Session":
    session = gateway.open_session(state.peer, state.opened)
    session.last_heard = state.last_heard
    session.reader = FrameReader(FRAME_BYTES_MAX, state.rest)
    if state.account:
        session.account = gateway.core.accounts[state.account]
        session.client = state.client
        session.grant = state.grant
        session.may_trade = state.may_trade
        session.next_seq = state.next_seq
        session.journal_seq = state.journal_seq
        if state.is_live:
            gateway.go_live(session)
    return session
