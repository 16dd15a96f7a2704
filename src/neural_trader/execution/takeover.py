"""A gateway that runs gives its place to one that was started to take it: nobody is disconnected.

The two speak over a Unix socket in the journal's folder. The new one reads the journal while the
old one trades. Then the old one stops reading, ends its turn, and sends what it holds: the lock of
the journal, the listening socket, every plain connection, and where each stands. A step is final
only once the other side has said so:

    new: hello        old: welcome, or why not
    new: ready        old: freezes; state and descriptors          from here on nobody is served
    new: prepared     old: writes no more; go                      from here on the new one writes
    new: running      old: ends at once                            and everybody is served again

If the new one dies or takes too long, the old one thaws and goes on; after ``go`` only if the
journal shows that nothing was written meanwhile.
"""

import array
import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import msgspec

from neural_trader.core.errors import GatewayError, JournalError, NeuralTraderError
from neural_trader.execution import handover
from neural_trader.execution import messages as m
from neural_trader.execution.handover import GatewayState
from neural_trader.execution.journal import Durability, FileJournal

if TYPE_CHECKING:
    from neural_trader.execution.server import GatewayServer

SOCKET: Final = ".takeover"
"""Name of the socket; a journal's folder lets hidden files be."""
_VERSIONS: Final = (handover.VERSION, m.VERSION)
_FDS_MAX: Final = 200
"""Descriptors in a message: the system takes 253, and drops silently what is too much."""
_FROZEN_S: Final = 1.0
"""How long nobody may be served, before the new one has said that it is prepared."""
_START_S: Final = 3.0
_FRAME_MAX: Final = 1 << 30

log = logging.getLogger("neural_trader.gateway")


class Taken(NamedTuple):
    """What was taken over; the descriptors are this process's own."""

    state: GatewayState
    durability: Durability
    lock: int
    listener: socket.socket
    venue: socket.socket | None
    clients: list[socket.socket]


class Successor:
    """The side of the new gateway.

    Parameters
    ----------
    folder : Path
        The journal's.

    Raises
    ------
    GatewayError
        No gateway runs there, or it does not hand over; from every method.
    """

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_START_S)
        try:
            with _reachable(folder) as place:
                self._socket.connect(place)
            self._say("hello", *_VERSIONS, os.getpid())
            self._expect("welcome")
        except OSError as error:
            self._socket.close()
            message = (
                f"no gateway hands over the journal {folder}: {error.strerror or error}; start "
                "without --takeover where none runs"
            )
            raise GatewayError(message) from error
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go; a gateway that was not taken over goes on."""
        self._socket.close()

    def take(self) -> Taken:
        """Have the other one freeze, and receive what it holds."""
        with self._told():
            self._say("ready")
            _, encoded, count, durability = self._expect("state")
            state = msgspec.msgpack.decode(encoded, type=GatewayState)
            fds: list[int] = []
            while len(fds) < count:
                data, found, flags, _ = socket.recv_fds(self._socket, 1, _FDS_MAX)
                fds += found
                if not data or flags & socket.MSG_CTRUNC or not found:
                    for fd in fds:
                        os.close(fd)
                    message = f"only {len(fds)} of {count} descriptors came over; nothing was taken"
                    raise GatewayError(message)
            lock, *rest = fds
            sockets = [socket.socket(fileno=fd) for fd in rest]
            for one in sockets:
                one.setblocking(False)
            listener, *others = sockets
            venue = others.pop(0) if state.has_venue else None
            return Taken(state, durability, lock, listener, venue, others)

    def prepared(self) -> None:
        """Say that everything stands ready; once this returns, the journal is this process's."""
        with self._told():
            self._say("prepared")
            self._expect("go")

    def running(self) -> None:
        """Say that everybody is being served; the other one ends."""
        with suppress(OSError):
            self._say("running")

    def _say(self, *words: Any) -> None:  # noqa: ANN401 - text, numbers and bytes
        self._socket.sendall(_frame(words))

    def _expect(self, word: str) -> list[Any]:
        words = _read_frame(self._socket)
        if words[0] != word:
            reason = words[1] if words[0] == "no" else f"it said {words[0]!r} instead of {word!r}"
            message = f"the gateway that runs does not hand over: {reason}"
            raise GatewayError(message)
        return words

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"the gateway that runs stopped to answer: {error.strerror or error}"
            raise GatewayError(message) from error


class Predecessor:
    """The side of the gateway that runs: waits for one that takes its place.

    Parameters
    ----------
    server : GatewayServer
    journal : FileJournal
        That of its gateway.
    on_gone : callable
        Called with the process number of the new gateway once that serves everybody. It must end
        the process without another turn of the event loop, which would write what the new one
        writes.
    """

    def __init__(
        self, server: "GatewayServer", journal: FileJournal, on_gone: Callable[[int], None]
    ) -> None:
        self._server = server
        self._journal = journal
        self._on_gone = on_gone
        self._path = journal.folder / SOCKET
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.setblocking(False)

    async def serve(self) -> None:
        """Wait for new gateways, one after the other, until canceled."""
        loop = asyncio.get_running_loop()
        try:
            with _reachable(self._journal.folder) as place:
                self._path.unlink(missing_ok=True)
                self._listener.bind(place)
            self._path.chmod(0o600)
            self._listener.listen(1)
        except OSError as error:
            log.warning("this gateway cannot be taken over: %s: %s", self._path, error)
            return
        try:
            while True:
                peer, _ = await loop.sock_accept(self._listener)
                with peer:
                    try:
                        await self._meet(peer)
                    except (OSError, ValueError, NeuralTraderError) as error:
                        log.warning("no take-over: %s; going on", error)
        finally:
            self._listener.close()
            self._path.unlink(missing_ok=True)

    async def _meet(self, peer: socket.socket) -> None:
        """Talk to a new gateway until it is ready, while this one trades."""
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        word, *versions, pid = await _read_frame_soon(loop, peer)
        if (word, *versions) != ("hello", *_VERSIONS):
            reason = f"it hands over in the versions {_VERSIONS}, and {versions} was asked for"
            await loop.sock_sendall(peer, _frame(("no", reason)))
            message = f"process {pid} speaks another version"
            raise GatewayError(message)
        log.info("process %d wants to take over", pid)
        await loop.sock_sendall(peer, _frame(("welcome",)))
        words = await _read_frame_soon(loop, peer)
        if words[0] != "ready":
            message = f"process {pid} said {words[0]!r} instead of 'ready'"
            raise GatewayError(message)
        self._give(peer, pid)

    def _give(self, peer: socket.socket, pid: int) -> None:
        """Freeze, and hand over; or thaw. The event loop stands still all the while."""
        server = self._server
        began = time.monotonic()
        peer.settimeout(_FROZEN_S)
        state, sockets = server.freeze()
        try:
            encoded = msgspec.msgpack.encode(state)
            fds = [self._journal.hand_over(), *(one.fileno() for one in sockets)]
            peer.sendall(_frame(("state", encoded, len(fds), self._journal.durability)))
            for at in range(0, len(fds), _FDS_MAX):
                _send_fds(peer, fds[at : at + _FDS_MAX])
            _expect_from(peer, "prepared", pid)
        except (OSError, NeuralTraderError):
            self._thaw()
            raise
        try:
            peer.sendall(_frame(("go",)))
            peer.settimeout(_START_S)
            _expect_from(peer, "running", pid)
        except (OSError, NeuralTraderError):
            self._end(peer, pid)
            self._thaw()
            raise
        log.info(
            "process %d has taken over %d connections with %d unsent bytes, in %.1f ms",
            pid,
            len(state.sessions),
            sum(len(one.unsent) for one in state.sessions),
            1e3 * (time.monotonic() - began),
        )
        self._on_gone(pid)

    def _end(self, peer: socket.socket, pid: int) -> None:
        """Make sure that a process that may write to the journal writes no more."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(OSError):
            # Its end of the socket closes with its last breath.
            while peer.recv(1):
                pass

    def _thaw(self) -> None:
        """Go on, unless the other one has written to the journal."""
        try:
            self._journal.take_back()
        except (OSError, JournalError) as error:
            self._server.halt(error if isinstance(error, JournalError) else JournalError(error))
            return
        self._server.thaw()


def _send_fds(peer: socket.socket, fds: list[int]) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
    if peer.sendmsg([b"F"], rights) != 1:
        message = "the descriptors could not be sent"
        raise GatewayError(message)


def _expect_from(peer: socket.socket, word: str, pid: int) -> None:
    try:
        words = _read_frame(peer)
    except TimeoutError:
        message = f"process {pid} did not say {word!r} in time"
        raise GatewayError(message) from None
    if words[0] != word:
        message = f"process {pid} said {words[0]!r} instead of {word!r}"
        raise GatewayError(message)


def _frame(words: tuple[Any, ...]) -> bytes:
    payload = msgspec.msgpack.encode(words)
    return len(payload).to_bytes(4, "big") + payload


def _read_frame(peer: socket.socket) -> list[Any]:
    size = int.from_bytes(_read(peer, 4), "big")
    if size > _FRAME_MAX:
        message = f"the other gateway announced {size:,} bytes"
        raise GatewayError(message)
    words: list[Any] = msgspec.msgpack.decode(_read(peer, size))
    return words


def _read(peer: socket.socket, size: int) -> bytes:
    """Return so many bytes. Never more: descriptors come with the byte after a frame."""
    data = b""
    while len(data) < size:
        piece = peer.recv(size - len(data))
        if not piece:
            message = "the other gateway has gone away"
            raise GatewayError(message)
        data += piece
    return data


async def _read_frame_soon(loop: asyncio.AbstractEventLoop, peer: socket.socket) -> list[Any]:
    data = b""
    size = 4
    while len(data) < size:
        piece = await loop.sock_recv(peer, size - len(data))
        if not piece:
            message = "the other gateway has gone away"
            raise GatewayError(message)
        data += piece
        if len(data) == 4:
            size = 4 + min(int.from_bytes(data, "big"), 4096)
    words: list[Any] = msgspec.msgpack.decode(data[4:])
    return words


@contextmanager
def _reachable(folder: Path) -> Iterator[str]:
    """Give the socket's name, by way of a descriptor where it is too long for a socket."""
    path = str(folder / SOCKET)
    if len(os.fsencode(path)) < 100 or not Path("/proc/self/fd").is_dir():
        yield path
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}/{SOCKET}"
    finally:
        os.close(fd)
