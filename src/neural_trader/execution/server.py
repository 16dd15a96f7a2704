"""The gateway's sockets: bytes between its clients, itself and its venue, a turn at a time.

Whatever the event loop finds readable in one go makes one turn: one write of the journal, then one
write to everybody who has something coming. The clock is read once a piece of bytes.
"""

import asyncio
import logging
import signal
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from neural_trader.core.errors import GatewayError, JournalError, NeuralTraderError
from neural_trader.execution.clock import Clock
from neural_trader.execution.connections import FRAMES_A_TURN, ClientConnection, VenueConnection
from neural_trader.execution.framing import pack
from neural_trader.execution.gateway import Gateway
from neural_trader.execution.handover import GatewayState, session_state
from neural_trader.execution.messages import Ping
from neural_trader.execution.metrics import Metrics
from neural_trader.execution.sessions import Session

_TICK_S: Final = 0.05
_RETRY_S: Final = 0.25
_RETRY_MAX_S: Final = 5.0
_VENUE_PING_NS: Final = 2_000_000_000
_VENUE_SILENCE_NS: Final = 10_000_000_000

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
        self.clock = Clock()
        self.metrics = Metrics()
        self.metrics.answers = gateway.venue.answers_ns
        self.sessions_max = sessions_max
        self._venue_address = venue
        self._tls = tls
        self._venue_tls = venue_tls
        self._on_reload = on_reload
        self._venue: VenueConnection | None = None
        self._venue_lost = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._frozen: list[asyncio.Transport] = []
        self.resumed_at = 0
        self.is_scheduled = False
        self._behind: deque[ClientConnection] = deque()
        self._is_catching_up = False
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.call_soon = asyncio.get_running_loop().call_soon

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
            lambda: ClientConnection(self), host, port, ssl=self._tls, backlog=1024
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
            (ClientConnection(self, session, state.unsent), sock)
            for sock, session, state in zip(
                taken.clients, sessions, taken.state.sessions, strict=True
            )
        ]
        if taken.venue is not None:
            # The first of all: an order must find it there.
            pairs.insert(0, (VenueConnection(self, taken.state.venue.unsent), taken.venue))
        # All in one turn of the loop: nobody waits until the first ones have been served.
        listening = asyncio.create_task(
            loop.create_server(
                lambda: ClientConnection(self), sock=taken.listener, ssl=self._tls, backlog=1024
            )
        )
        await asyncio.gather(
            *(
                loop.connect_accepted_socket(partial(_itself, protocol), sock)
                for protocol, sock in pairs
            )
        )
        self._listener = await listening
        self.gateway.renew_grants(self.gateway.grants)
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
            sessions=[
                session_state(one.session, one.unread, one.sent.unsent()) for one in connections
            ],
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

    def halt(self, error: Exception) -> None:
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
            self.clock.follow()
            now = self.clock.now()
            try:
                gateway.on_time(now)
            except Exception as error:  # noqa: BLE001 - a gateway without time must not go on
                self.halt(error)
                return
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
                        lambda: VenueConnection(self), host, port, ssl=self._venue_tls
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
        if not self.is_scheduled:
            self.is_scheduled = True
            self.call_soon(self.flush)

    def flush(self) -> None:
        """End a turn: the journal first, then whoever has something coming."""
        self.is_scheduled = False
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

    def venue_connected(self, connection: "VenueConnection") -> None:
        """Log in at the venue, unless the connection is one that was taken over."""
        self._venue = connection
        if connection.is_taken:
            return
        self.gateway.venue.connected(self.clock.now())
        self.schedule()

    def venue_received(self, data: bytes) -> None:
        """Take bytes from the venue."""
        now = self.clock.now()
        venue = self.gateway.venue
        if self.gateway.is_halted:
            return
        payloads = venue.cut(data, now)
        size = 2 * FRAMES_A_TURN
        try:
            trouble = venue.take(payloads[:size], now)
            while len(payloads) > size and not trouble:
                payloads = payloads[size:]
                self.flush()
                if self.gateway.is_halted:
                    return
                trouble = venue.take(payloads[:size], now)
        except Exception as error:  # noqa: BLE001 - half an event is no state to go on with
            self.halt(error)
            return
        if trouble and self._venue is not None:
            log.error("%s", trouble)
            self._venue.transport.abort()
        if not self.is_scheduled:
            self.is_scheduled = True
            self.call_soon(self.flush)

    def catch_up_soon(self, connection: ClientConnection) -> None:
        """Have a client read the next piece of the journal, when it is its turn among them."""
        if not connection.is_queued:
            connection.is_queued = True
            self._behind.append(connection)
        if not self._is_catching_up:
            self._is_catching_up = True
            self.call_soon(self._catch_up)

    def _catch_up(self) -> None:
        """Give one piece to one client: whoever trades waits for no more than that."""
        self._is_catching_up = False
        connection = self._behind.popleft()
        connection.is_queued = False
        session = connection.session
        if session is not None and connection.may_catch_up and not self.gateway.is_halted:
            is_behind = self.gateway.catch_up(session)
            self.schedule()
            if is_behind:
                self.catch_up_soon(connection)
        if self._behind and not self._is_catching_up:
            self._is_catching_up = True
            self.call_soon(self._catch_up)

    def make_room(self) -> bool:
        """Return whether one more connection fits; one that has not logged in gives way."""
        sessions = self.gateway.sessions
        if len(sessions) < self.sessions_max:
            return True
        idle = [session for session in sessions if session.account is None and not session.closing]
        if not idle:
            return False
        oldest: Any = min(idle, key=lambda session: session.opened).link
        log.warning("%s: gives way to another, it has not logged in", oldest.session.peer)
        oldest.drop()
        return True

    def venue_lost(self) -> None:
        """Note that the venue is gone."""
        log.warning("the venue's connection is lost")
        self._venue = None
        self.gateway.venue.disconnected()
        self._venue_lost.set()


def _itself(protocol: asyncio.Protocol) -> asyncio.Protocol:
    return protocol
