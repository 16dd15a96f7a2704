"""The gateway's sockets: bytes between its clients, itself and its venue, a turn at a time.

Whatever the event loop finds readable in one go makes one turn: one write of the journal, then one
write to everybody who has something coming. The clock is read here, once a piece of bytes.
"""

import asyncio
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from neural_trader.core.errors import GatewayError, JournalError, NeuralTraderError
from neural_trader.execution.framing import pack
from neural_trader.execution.gateway import Gateway
from neural_trader.execution.handover import GatewayState, session_state
from neural_trader.execution.messages import Ping
from neural_trader.execution.metrics import Metrics
from neural_trader.execution.sessions import OUT_BYTES_MAX, Session

_TICK_S: Final = 0.05
_RETRY_S: Final = 0.25
_RETRY_MAX_S: Final = 5.0
_VENUE_PING_NS: Final = 2_000_000_000
_VENUE_SILENCE_NS: Final = 10_000_000_000
_STALL_S: Final = 10.0
_FRAMES_A_TURN: Final = 32
"""So many requests make a turn at most: the venue works on them while the next are taken."""

if TYPE_CHECKING:
    from neural_trader.execution.takeover import Taken

log = logging.getLogger("neural_trader.gateway")


class GatewayServer:
    """A gateway on an event loop.

    Parameters
    ----------
    gateway : Gateway
        Started.
    venue : (host, port)
    sessions_max : int
    venue_tls, tls : ssl.SSLContext, optional
        For the venue, and for the clients.
    on_reload : callable, optional
        Called at SIGHUP: it reads the configuration and gives the gateway its limits.

    Attributes
    ----------
    resumed_at : int
        Monotonic nanoseconds at which the last connection that was taken over was read again.
    """

    def __init__(
        self,
        gateway: Gateway,
        venue: tuple[str, int],
        *,
        sessions_max: int = 256,
        tls: ssl.SSLContext | None = None,
        venue_tls: ssl.SSLContext | None = None,
        on_reload: Callable[[], None] | None = None,
    ) -> None:
        self.gateway = gateway
        self.metrics = Metrics()
        self.metrics.answers = gateway.venue.answers_ns
        self.sessions_max = sessions_max
        self._venue_address = venue
        self._tls = tls
        self._venue_tls = venue_tls
        self._on_reload = on_reload
        self._venue: _VenueConnection | None = None
        self._venue_lost = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._frozen: list[asyncio.Transport] = []
        self.resumed_at = 0
        self._is_scheduled = False
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._call_soon = asyncio.get_running_loop().call_soon

    # ------------------------------------------------------------------------------------ running
    async def run(
        self, host: str, port: int, on_listening: Callable[[str, int], None] | None = None
    ) -> None:
        """Serve until SIGTERM, SIGINT or a journal that fails.

        Raises
        ------
        JournalError
            The journal could not be written: the gateway has halted.
        """
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: _ClientConnection(self), host, port, ssl=self._tls, backlog=1024
        )
        await self._run(on_listening)

    async def run_taken(
        self,
        taken: "Taken",
        sessions: list[Session],
        on_listening: Callable[[str, int], None] | None = None,
    ) -> None:
        """Serve the connections that another gateway had, and otherwise as ``run`` does.

        Parameters
        ----------
        taken : Taken
        sessions : list of Session
            The clients' that ``handover.restore`` gave.
        on_listening : callable, optional
            Called once everybody is being served, which is so since ``resumed_at``.
        """
        loop = asyncio.get_running_loop()
        pairs: list[tuple[asyncio.Protocol, socket.socket]] = [
            (_ClientConnection(self, session, state.unsent), sock)
            for sock, session, state in zip(
                taken.clients, sessions, taken.state.sessions, strict=True
            )
        ]
        if taken.venue is not None:
            # The first of all: an order must find it there.
            pairs.insert(0, (_VenueConnection(self, taken.state.venue.unsent), taken.venue))
        # All in one turn of the loop: nobody waits until the first ones have been served.
        listening = asyncio.create_task(
            loop.create_server(
                lambda: _ClientConnection(self), sock=taken.listener, ssl=self._tls, backlog=1024
            )
        )
        await asyncio.gather(
            *(
                loop.connect_accepted_socket(partial(_itself, protocol), sock)
                for protocol, sock in pairs
            )
        )
        self._listener = await listening
        await self._run(on_listening)

    async def _run(self, on_listening: Callable[[str, int], None] | None) -> None:
        loop = asyncio.get_running_loop()
        listener = self._listener
        if listener is None:
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        if self._on_reload is not None:
            loop.add_signal_handler(signal.SIGHUP, self._reload)
        tasks = [asyncio.create_task(self._keep_venue()), asyncio.create_task(self._keep_time())]
        try:
            if on_listening is not None:
                bound = listener.sockets[0].getsockname()
                on_listening(str(bound[0]), int(bound[1]))
            await self._ended
        finally:
            listener.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for session in tuple(self.gateway.sessions):
                connection: Any = session.link
                connection.transport.abort()
            if self._venue is not None:
                self._venue.transport.abort()

    # ------------------------------------------------------------------------------- handing over
    def freeze(self) -> tuple[GatewayState, list[socket.socket]]:
        """Read no more, end the turn, and return what another process needs to go on.

        Returns
        -------
        GatewayState
        list of socket
            The listener, the venue's if ``has_venue``, and the clients' in the order of their
            states. Connections with TLS are not among them: their keys cannot leave the process.

        Raises
        ------
        GatewayError
            The gateway has halted.
        """
        began = time.monotonic_ns()
        gateway = self.gateway
        if self._listener is None or gateway.is_halted:
            message = "the gateway has halted; there is nothing to hand over"
            raise GatewayError(message)
        links: list[Any] = [session.link for session in gateway.sessions if not session.closing]
        connections = [link for link in links if link.is_plain]
        venue = self._venue if self._venue is not None and self._venue.is_plain else None
        for one in (*connections, *((venue,) if venue is not None else ())):
            with suppress(RuntimeError):
                one.transport.pause_reading()
                self._frozen.append(one.transport)
        self.flush()
        if gateway.is_halted:
            message = "the journal could not be written; nothing is handed over"
            raise GatewayError(message)
        state = GatewayState(
            next_seq=gateway.journal.next_seq,
            frozen_at=began,
            has_venue=venue is not None,
            venue=gateway.venue.state_with(venue.sent.unsent() if venue is not None else b""),
            marks=gateway.core.marks,
            sessions=[session_state(one.session, one.sent.unsent()) for one in connections],
        )
        ends = (self._listener.sockets[0], *((venue.end,) if venue is not None else ()))
        return state, [*ends, *(one.end for one in connections)]

    def thaw(self) -> None:
        """Read on after a hand-over that came to nothing."""
        for transport in self._frozen:
            if not getattr(transport.get_protocol(), "is_paused", False):
                with suppress(RuntimeError):
                    transport.resume_reading()
        self._frozen.clear()

    def halt(self, error: JournalError) -> None:
        """End ``run`` with an error: nothing more is taken, and nothing leaves."""
        log.critical("halted: %s", error)
        self.gateway.is_halted = True
        if not self._ended.done():
            self._ended.set_exception(error)

    def stop(self) -> None:
        """End ``run``."""
        if not self._ended.done():
            self._ended.set_result(None)

    def _reload(self) -> None:
        if self._on_reload is None:
            return
        try:
            self._on_reload()
        except NeuralTraderError as error:
            # A mistake in the file must not stop trading: the old limits hold on.
            log.error("limits not reloaded: %s", error)  # noqa: TRY400 - one line is what helps
            return
        self.schedule()

    async def _keep_time(self) -> None:
        """Let time pass, and send signs of life."""
        gateway = self.gateway
        while True:
            await asyncio.sleep(_TICK_S)
            if gateway.is_halted:
                return
            now = time.time_ns()
            gateway.on_time(now)
            self.metrics.work_up()
            venue = gateway.venue
            if self._venue is not None and now - venue.last_heard > _VENUE_PING_NS:
                if now - venue.last_heard > _VENUE_SILENCE_NS:
                    log.warning("the venue has been silent for 10 seconds: reconnecting")
                    self._venue.transport.abort()
                else:
                    venue.outbox.append(pack(Ping()))
            self.schedule()

    async def _keep_venue(self) -> None:
        """Stay connected to the venue."""
        loop = asyncio.get_running_loop()
        host, port = self._venue_address
        wait_s = _RETRY_S
        while True:
            try:
                if self._venue is None:
                    self._venue_lost.clear()
                    await loop.create_connection(
                        lambda: _VenueConnection(self), host, port, ssl=self._venue_tls
                    )
            except OSError as error:
                log.warning("no venue at %s:%s: %s", host, port, error.strerror or error)
            else:
                await self._venue_lost.wait()
                if self.gateway.venue.quotes:
                    wait_s = _RETRY_S
            await asyncio.sleep(wait_s)
            wait_s = min(2.0 * wait_s, _RETRY_MAX_S)

    # -------------------------------------------------------------------------------------- turns
    def schedule(self) -> None:
        """Have this turn's events made durable and sent, once everything readable was read."""
        if not self._is_scheduled:
            self._is_scheduled = True
            self._call_soon(self.flush)

    def flush(self) -> None:
        """End a turn: the journal first, then whoever has something coming."""
        self._is_scheduled = False
        gateway = self.gateway
        if gateway.is_halted:
            return
        begun = time.perf_counter_ns()
        try:
            gateway.commit()
        except JournalError as error:
            self.halt(error)
            return
        self.metrics.commits.append(time.perf_counter_ns() - begun)
        outbox = gateway.venue.outbox
        if outbox:
            if self._venue is not None:
                self._venue.sent.write(outbox[0] if len(outbox) == 1 else b"".join(outbox))
            outbox.clear()
        dirty = gateway.dirty
        if dirty:
            for session in dirty:
                connection: Any = session.link
                connection.send(session)
            dirty.clear()

    def venue_connected(self, connection: "_VenueConnection") -> None:
        """Log in at the venue, unless the connection is one that was taken over."""
        self._venue = connection
        if connection.is_taken:
            return
        self.gateway.venue.connected(time.time_ns())
        self.schedule()

    def venue_received(self, data: bytes) -> None:
        """Take bytes from the venue."""
        now = time.time_ns()
        venue = self.gateway.venue
        if self.gateway.is_halted:
            return
        payloads = venue.cut(data, now)
        size = 2 * _FRAMES_A_TURN
        while len(payloads) > size:
            venue.take(payloads[:size], now)
            payloads = payloads[size:]
            self.flush()
            if self.gateway.is_halted:
                return
        trouble = venue.take(payloads, now)
        if trouble and self._venue is not None:
            log.error("%s", trouble)
            self._venue.transport.abort()
        if not self._is_scheduled:
            self._is_scheduled = True
            self._call_soon(self.flush)

    def venue_lost(self) -> None:
        """Note that the venue is gone."""
        log.warning("the venue's connection is lost")
        self._venue = None
        self.gateway.venue.disconnected()
        self._venue_lost.set()


def _itself(protocol: asyncio.Protocol) -> asyncio.Protocol:
    return protocol


class _Sent:
    """What is written to a transport; the last of it is kept until it has left this process."""

    __slots__ = ("_size", "_transport", "_write", "kept")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._size = transport.get_write_buffer_size
        self._write = transport.write
        self.kept: list[bytes] = []

    def write(self, data: bytes) -> None:
        kept = self.kept
        if kept and not self._size():
            kept.clear()
        kept.append(data)
        self._write(data)

    def unsent(self) -> bytes:
        """Return what the system has not taken yet."""
        size = self._size()
        return b"".join(self.kept)[-size:] if size else b""


class _ClientConnection(asyncio.Protocol):
    """Bytes between one client and the gateway.

    ``session`` and ``unsent`` are those of a connection that another gateway had.
    """

    __slots__ = (
        "end",
        "gateway",
        "is_paused",
        "is_plain",
        "sent",
        "server",
        "session",
        "stall",
        "transport",
        "unsent",
    )

    def __init__(
        self, server: GatewayServer, session: Session | None = None, unsent: bytes = b""
    ) -> None:
        self.server = server
        self.gateway = server.gateway
        self.session = session
        self.unsent = unsent
        self.is_paused = False
        self.stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.sent = _Sent(self.transport)
        self.end: Any = transport.get_extra_info("socket")
        self.is_plain = transport.get_extra_info("sslcontext") is None
        if self.session is not None:
            self._go_on(self.session)
            return
        peer = "{}:{}".format(*transport.get_extra_info("peername")[:2])
        if len(self.gateway.sessions) >= self.server.sessions_max:
            log.warning("%s: refused, %d connections are open", peer, self.server.sessions_max)
            transport.close()
            return
        self.transport.set_write_buffer_limits(high=OUT_BYTES_MAX // 4)
        self.session = self.gateway.open_session(peer, time.time_ns())
        self.session.link = self

    def _go_on(self, session: Session) -> None:
        """Go on with a connection where another gateway stood."""
        session.link = self
        self.server.resumed_at = time.monotonic_ns()
        self.transport.set_write_buffer_limits(high=OUT_BYTES_MAX // 4)
        if self.unsent:
            self.sent.write(self.unsent)
            self.unsent = b""
        if session.account is not None and not session.is_live:
            self.catch_up_soon()

    def data_received(self, data: bytes) -> None:
        session = self.session
        gateway = self.gateway
        if session is None or session.closing or gateway.is_halted:
            return
        server = self.server
        now = time.time_ns()
        payloads = gateway.cut(session, data, now)
        while len(payloads) > _FRAMES_A_TURN:
            gateway.take(session, payloads[:_FRAMES_A_TURN], now)
            payloads = payloads[_FRAMES_A_TURN:]
            server.flush()
            if gateway.is_halted:
                return
        gateway.take(session, payloads, now)
        if not server._is_scheduled:  # noqa: SLF001 - the two halves of one thing, on the hot path
            server._is_scheduled = True  # noqa: SLF001
            server._call_soon(server.flush)  # noqa: SLF001
        if session.account is not None and not session.is_live:
            self.catch_up_soon()

    def send(self, session: Session) -> None:
        outbox = session.outbox
        self.sent.write(outbox[0] if len(outbox) == 1 else b"".join(outbox))
        outbox.clear()
        if session.closing:
            self.transport.close()

    def catch_up_soon(self) -> None:
        # After the commit of this turn, which is scheduled already: only what is durable is told.
        self.server._call_soon(self._catch_up)  # noqa: SLF001

    def _catch_up(self) -> None:
        session = self.session
        if session is None or self.is_paused or session.is_live or self.gateway.is_halted:
            return
        is_behind = self.gateway.catch_up(session)
        self.server.schedule()
        if is_behind:
            self.catch_up_soon()

    def pause_writing(self) -> None:
        # Whoever does not read is not read either: its requests would make answers without end.
        self.is_paused = True
        self.transport.pause_reading()
        if self.session is not None:
            self.gateway.fall_behind(self.session)
        loop = asyncio.get_running_loop()
        self.stall = loop.call_later(_STALL_S, self._cut_off)

    def resume_writing(self) -> None:
        self.is_paused = False
        self.transport.resume_reading()
        if self.stall is not None:
            self.stall.cancel()
            self.stall = None
        if self.session is not None and self.session.account is not None:
            self.catch_up_soon()

    def _cut_off(self) -> None:
        if self.session is not None:
            log.warning("%s: cut off, it has read nothing for 10 seconds", self.session.peer)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self.stall is not None:
            self.stall.cancel()
        if self.session is not None:
            self.gateway.close_session(self.session)
            if self.session in self.gateway.dirty:
                self.gateway.dirty.remove(self.session)
            self.session.closing = self.session.closing or "lost"


class _VenueConnection(asyncio.Protocol):
    """Bytes between the gateway and its venue."""

    def __init__(self, server: GatewayServer, unsent: bytes | None = None) -> None:
        self.server = server
        self.is_taken = unsent is not None
        self._unsent = unsent
        self.data_received = server.venue_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.sent = _Sent(self.transport)
        self.end: Any = transport.get_extra_info("socket")
        self.is_plain = transport.get_extra_info("sslcontext") is None
        if self._unsent:
            self.sent.write(self._unsent)
        self.server.venue_connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.server.venue_lost()
