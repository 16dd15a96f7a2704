"""The two kinds of connection that a gateway has, as asyncio protocols."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from neural_trader.execution import messages as m
from neural_trader.execution.framing import frame, pack
from neural_trader.execution.sessions import OUT_BYTES_MAX, Session

if TYPE_CHECKING:
    from neural_trader.execution.server import GatewayServer

FRAMES_A_TURN: Final = 32
"""So many requests make a turn at most: the venue works on them while the next are taken."""
_STALL_S: Final = 10.0

log = logging.getLogger("neural_trader.gateway")


class Sent:
    """What is written to a transport; the last of it is kept until it has left this process."""

    __slots__ = ("_size", "_write", "kept")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._size = transport.get_write_buffer_size
        self._write = transport.write
        self.kept: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Write some bytes."""
        kept = self.kept
        if kept and not self._size():
            kept.clear()
        kept.append(data)
        self._write(data)

    def unsent(self) -> bytes:
        """Return what the system has not taken yet."""
        size = self._size()
        return b"".join(self.kept)[-size:] if size else b""


class ClientConnection(asyncio.Protocol):
    """Bytes between one client and the gateway.

    ``session`` and ``unsent`` are those of a connection that another gateway had. ``waiting`` are
    requests that have been read and are not worked, since the client does not read the answers.
    """

    __slots__ = (
        "end",
        "gateway",
        "is_paused",
        "is_plain",
        "is_queued",
        "sent",
        "server",
        "session",
        "stall",
        "transport",
        "unsent",
        "waiting",
    )

    def __init__(
        self, server: "GatewayServer", session: Session | None = None, unsent: bytes = b""
    ) -> None:
        self.server = server
        self.gateway = server.gateway
        self.session = session
        self.unsent = unsent
        self.waiting: list[bytes] = []
        self.is_paused = False
        self.is_queued = False
        self.stall: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------------------- beginning
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a session, or go on with one."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.sent = Sent(self.transport)
        self.end: Any = transport.get_extra_info("socket")
        self.is_plain = transport.get_extra_info("sslcontext") is None
        if self.session is not None:
            self._go_on(self.session)
            return
        found = transport.get_extra_info("peername")
        if not found:
            # Reset before it was accepted: there is nobody any more.
            self.transport.abort()
            return
        peer = f"{found[0]}:{found[1]}"
        if not self.server.make_room():
            text = f"{self.server.sessions_max} connections are open, and no more are taken"
            log.warning("%s: full: %s", peer, text)
            self.transport.write(pack(m.Refused("full", text, 0, 0)))
            self.transport.close()
            return
        self.transport.set_write_buffer_limits(high=OUT_BYTES_MAX // 4)
        self.session = self.gateway.open_session(peer, self.server.clock.now())
        self.session.link = self

    def _go_on(self, session: Session) -> None:
        """Go on with a connection where another gateway stood."""
        session.link = self
        self.server.resumed_at = time.monotonic_ns()
        self.transport.set_write_buffer_limits(high=OUT_BYTES_MAX // 4)
        if self.unsent:
            self.sent.write(self.unsent)
            self.unsent = b""
        if session.reader.rest:
            # Whole requests may be among it, which had to wait there.
            self.data_received(b"")
        if session.account is not None and not session.is_live:
            self.server.catch_up_soon(self)

    @property
    def unread(self) -> bytes:
        """What was read from the socket and has not been worked."""
        session = self.session
        rest = b"" if session is None else session.reader.rest
        return b"".join(map(frame, self.waiting)) + rest

    # --------------------------------------------------------------------------------- reading
    def data_received(self, data: bytes) -> None:
        """Work the requests that have come whole, some at a time."""
        session = self.session
        gateway = self.gateway
        if session is None or session.closing or gateway.is_halted:
            return
        now = self.server.clock.now()
        try:
            payloads = gateway.cut(session, data, now)
            if len(payloads) > FRAMES_A_TURN or self.waiting:
                self._work(session, self.waiting + payloads, now)
            elif rest := gateway.take(session, payloads, now):
                self._work(session, rest, now)
        except Exception as error:  # noqa: BLE001 - half an event is no state to go on with
            self.server.halt(error)
            return
        server = self.server
        if not server.is_scheduled:
            server.is_scheduled = True
            server.call_soon(server.flush)
        if session.account is not None and not session.is_live:
            server.catch_up_soon(self)

    def _work(self, session: Session, payloads: list[bytes], now: int) -> None:
        """Work requests turn by turn, while the client takes the answers."""
        self.waiting = []
        while payloads and not session.closing:
            if self.is_paused:
                self.waiting = payloads
                return
            rest = self.gateway.take(session, payloads[:FRAMES_A_TURN], now)
            payloads = rest + payloads[FRAMES_A_TURN:]
            if payloads:
                self.server.flush()
                if self.gateway.is_halted:
                    return

    # --------------------------------------------------------------------------------- writing
    def send(self, session: Session) -> None:
        """Write what waits for the client."""
        outbox = session.outbox
        self.sent.write(outbox[0] if len(outbox) == 1 else b"".join(outbox))
        outbox.clear()
        session.answered_bytes = 0
        if session.closing:
            self.transport.close()
            # One that does not read would keep a closing connection for ever.
            self.stall = asyncio.get_running_loop().call_later(_STALL_S, self.transport.abort)

    @property
    def may_catch_up(self) -> bool:
        """Whether the client would take a piece of the journal."""
        session = self.session
        return not (session is None or self.is_paused or session.is_live or session.closing)

    def pause_writing(self) -> None:
        """Read no more of a client that does not read: its questions make answers without end."""
        self.is_paused = True
        self.transport.pause_reading()
        if self.session is not None:
            self.gateway.fall_behind(self.session)
        loop = asyncio.get_running_loop()
        self.stall = loop.call_later(_STALL_S, self._cut_off)

    def resume_writing(self) -> None:
        """Go on with what waited."""
        self.is_paused = False
        if self.stall is not None:
            self.stall.cancel()
            self.stall = None
        self.server.call_soon(self._read_on)
        if self.session is not None and self.session.account is not None:
            self.server.catch_up_soon(self)

    def _read_on(self) -> None:
        if self.is_paused or self.transport.is_closing():
            return
        if self.waiting:
            self.data_received(b"")
        if not self.is_paused:
            self.transport.resume_reading()

    # ---------------------------------------------------------------------------------- ending
    def drop(self) -> None:
        """End the connection now."""
        self.transport.abort()
        if self.session is not None:
            self.gateway.close_session(self.session)

    def _cut_off(self) -> None:
        if self.session is not None:
            log.warning("%s: cut off, it has read nothing for 10 seconds", self.session.peer)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the session."""
        if self.stall is not None:
            self.stall.cancel()
        self.waiting = []
        if self.session is not None:
            self.gateway.close_session(self.session)
            if self.session in self.gateway.dirty:
                self.gateway.dirty.remove(self.session)
            self.session.closing = self.session.closing or "lost"


class VenueConnection(asyncio.Protocol):
    """Bytes between the gateway and its venue; ``unsent`` as for a client's."""

    def __init__(self, server: "GatewayServer", unsent: bytes | None = None) -> None:
        self.server = server
        self.is_taken = unsent is not None
        self._unsent = unsent
        self.data_received = server.venue_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the server."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.sent = Sent(self.transport)
        self.end: Any = transport.get_extra_info("socket")
        self.is_plain = transport.get_extra_info("sslcontext") is None
        if self._unsent:
            self.sent.write(self._unsent)
        self.server.venue_connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell the server."""
        self.server.venue_lost()
