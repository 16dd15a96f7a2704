"""The paper venue behind a socket: bytes, timers and nothing else.

One gateway is logged in at a time; one that logs in with an equal or higher epoch takes the place
of the one before. The market begins to move with the first login, so that a replay does not run
away from whoever wants to trade it. Nothing here blocks, and what waits is bounded: connections,
frames, and what a gateway that does not read may leave behind.
"""

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from neural_trader.core.errors import ConfigError
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FRAME_BYTES_MAX, FrameReader, pack
from neural_trader.execution.venues.paper.config import ServerConfig
from neural_trader.execution.venues.paper.venue import PaperVenue

_SECOND_NS: Final = 1_000_000_000
_LOGIN_NS: Final = 5 * _SECOND_NS
_PING_NS: Final = 10 * _SECOND_NS
_SILENCE_NS: Final = 30 * _SECOND_NS
_CONNECTIONS_MAX: Final = 8
_WAITING_BYTES_MAX: Final = 16 * 1024 * 1024
_STEPS_AT_ONCE_MAX: Final = 100

log = logging.getLogger("neural_trader.venue")

Told = Callable[[dict[str, Any]], None]


class PaperServer:
    """A venue, its connections and its timers.

    Parameters
    ----------
    venue : PaperVenue
    config : ServerConfig
    clock : callable
        Returns the present time, nanoseconds UTC.
    told : callable
        Is called with ``{"event": ...}`` when something happens that a person wants to see:
        ``listening``, ``gateway_in``, ``gateway_out``, ``market_over``.
    tls : ssl.SSLContext, optional
        What the server's side of TLS needs; an address that other machines reach must have it.

    Raises
    ------
    ConfigError
        The address is open to others, and there is no TLS.
    """

    def __init__(
        self,
        venue: PaperVenue,
        config: ServerConfig,
        *,
        clock: Callable[[], int],
        told: Told,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if tls is None and not _is_loopback(config.host):
            message = (
                f"host is {config.host!r}, which other machines can reach; give a certificate and "
                "its key, or listen on 127.0.0.1"
            )
            raise ConfigError(message)
        self.venue = venue
        self.clock = clock
        self.connections: set[_Connection] = set()
        self._config = config
        self._told = told
        self._tls = tls
        self._gateway: _Connection | None = None
        self._has_begun = False
        self._next_step = 0.0
        self._timers: dict[str, asyncio.Handle] = {}

    # --------------------------------------------------------------------------- life and death
    async def run(self, stop: asyncio.Event) -> None:
        """Listen until ``stop`` is set.

        Raises
        ------
        ConfigError
            The address cannot be listened on.
        """
        config, loop = self._config, asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: _Connection(self), config.host, config.port, ssl=self._tls
            )
        except OSError as error:
            why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            message = (
                f"cannot listen on {config.host} port {config.port}: {why}; choose another port, "
                "or 0 for a free one"
            )
            raise ConfigError(message) from None
        host, port = server.sockets[0].getsockname()[:2]
        self._told({"event": "listening", "host": host, "port": port})
        self._watch()
        try:
            await stop.wait()
        finally:
            for timer in self._timers.values():
                timer.cancel()
            server.close()
            for connection in list(self.connections):
                connection.close()

    def _later(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, call) if seconds > 0.0 else loop.call_soon(call)
        self._timers[name] = timer

    def _watch(self) -> None:
        """Ask the silent for a sign of life, and cut those that give none."""
        self._later("watch", 1.0, self._watch)
        now = self.clock()
        for connection in list(self.connections):
            silent = now - connection.last_heard
            if connection is not self._gateway:
                if silent > _LOGIN_NS:
                    connection.refuse("no_login", "no login within 5 seconds")
            elif silent > _SILENCE_NS:
                connection.refuse("silent", "nothing was heard for 30 seconds")
            elif silent > _PING_NS:
                connection.send([m.Ping()])

    # ------------------------------------------------------------------------------ connections
    def receive(self, connection: "_Connection", message: m.ToVenue, ts: int) -> list[m.FromVenue]:
        """Return the answers to a message; a login may end the connection before."""
        if type(message) is not m.VenueLogin:
            if connection is self._gateway:
                return self.venue.on_message(message, ts)
            connection.refuse("no_login", "the first message is a login")
            return []
        if not self._has_begun:
            # So that there are prices to begin with.
            self.venue.advance(ts)
        answers = self.venue.login(message, ts)
        if isinstance(answers[0], m.VenueRefused):
            connection.refuse(answers[0].code, answers[0].message)
            return []
        before, self._gateway = self._gateway, connection
        if before is not None and before is not connection:
            before.refuse("replaced", "another connection has logged in")
        self._told({"event": "gateway_in", "gateway": message.gateway, "epoch": message.epoch})
        if not self._has_begun:
            self._begin()
        return answers

    def lost(self, connection: "_Connection") -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        if connection is self._gateway:
            self._gateway = None
            self.venue.on_disconnect()
            self._told({"event": "gateway_out"})

    def wait_for_due(self) -> None:
        """See to it that what waits for its latency is worked in time."""
        due = self.venue.next_due
        if due is not None and "due" not in self._timers:
            wait = (due - self.clock()) / _SECOND_NS
            # A loop's timers count milliseconds: what is due sooner is waited for in turns.
            self._later("due", wait if wait > 0.001 else 0.0, self._work_due)

    def _work_due(self) -> None:
        del self._timers["due"]
        self._send(self.venue.on_time(self.clock()))
        self.wait_for_due()

    # ----------------------------------------------------------------------------------- market
    def _begin(self) -> None:
        """Let the market move from now on."""
        self._has_begun = True
        speed = self._config.speed
        if speed > 0.0 or self.venue.market.is_replay:
            self._next_step = asyncio.get_running_loop().time()
            self._plan_step()

    def _plan_step(self) -> None:
        if self.venue.market.is_over:
            self._told({"event": "market_over"})
            return
        speed, now = self._config.speed, asyncio.get_running_loop().time()
        if speed > 0.0:
            # A step is not put off by the time that the one before it took.
            self._next_step = max(self._next_step + 1.0 / speed, now - 1.0)
            self._later("step", self._next_step - now, self._step)
        else:
            self._later("step", 0.0, self._step)

    def _step(self) -> None:
        """Play the step that is due; where steps are shorter than a timer, several at once."""
        gateway = self._gateway
        if self._config.speed == 0.0 and gateway is not None and gateway.is_full:
            # As fast as it goes is as fast as the gateway reads.
            self._later("step", 0.001, self._step)
            return
        ts, market, out = self.clock(), self.venue.market, self.venue.on_time(self.clock())
        now = asyncio.get_running_loop().time()
        for _ in range(_STEPS_AT_ONCE_MAX):
            out += self.venue.advance(ts)
            if market.is_over or self._config.speed == 0.0:
                break
            if self._next_step + 1.0 / self._config.speed > now:
                break
            self._next_step += 1.0 / self._config.speed
        self._send(out)
        self._plan_step()

    def _send(self, out: list[m.FromVenue]) -> None:
        if out and self._gateway is not None:
            self._gateway.send(out)


class _Connection(asyncio.Protocol):
    """One peer: frames in, frames out, one write for all that one read brought."""

    def __init__(self, server: PaperServer) -> None:
        self.last_heard = server.clock()
        self.is_full = False
        self._server = server
        self._reader = FrameReader(FRAME_BYTES_MAX)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            # uvloop's transports are not asyncio's by inheritance.
            transport = _as_transport(transport)
        self._transport = transport
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server.connections.add(self)
        if len(self._server.connections) > _CONNECTIONS_MAX:
            self.refuse("full", f"there are {_CONNECTIONS_MAX} connections already")

    def data_received(self, data: bytes) -> None:
        server, reader = self._server, self._reader
        self.last_heard = ts = server.clock()
        out: list[m.FromVenue] = []
        for payload in reader.feed(data):
            try:
                message = m.decode_to_venue(payload)
            except ValueError as error:
                self.send(out)
                self.refuse("bad_message", f"this is no message: {error}"[:200])
                return
            out += server.receive(self, message, ts)
            if self._transport is None:
                return
        self.send(out)
        if reader.too_long:
            self.refuse("too_long", f"a frame of {reader.too_long:,} bytes")
        server.wait_for_due()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._server.lost(self)

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False

    def send(self, out: list[m.FromVenue]) -> None:
        """Write messages at once; a peer that does not read is cut off."""
        transport = self._transport
        if transport is None or not out:
            return
        transport.write(b"".join([pack(message) for message in out]))
        if transport.get_write_buffer_size() > _WAITING_BYTES_MAX:
            log.warning("cut a gateway that left %s bytes unread", _WAITING_BYTES_MAX)
            self._transport = None
            transport.abort()
            self._server.lost(self)

    def refuse(self, code: str, text: str) -> None:
        """Say why, and close."""
        self.send([m.VenueRefused(code, text)])
        self.close()

    def close(self) -> None:
        """Close once what was written has gone."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
            self._server.lost(self)


def _as_transport(transport: Any) -> asyncio.Transport:  # noqa: ANN401 - whatever the loop has
    found: asyncio.Transport = transport
    return found


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(
    venue: PaperVenue,
    config: ServerConfig,
    *,
    clock: Callable[[], int],
    told: Told,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Run a venue until SIGTERM.

    Parameters
    ----------
    venue, config, clock, told, tls
        As for ``PaperServer``.

    Raises
    ------
    ConfigError
        The address cannot be listened on, or is open to others without TLS.
    """
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await PaperServer(venue, config, clock=clock, told=told, tls=tls).run(stop)
