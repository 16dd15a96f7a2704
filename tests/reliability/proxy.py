"""A bad line: a TCP proxy on loopback that resets, stalls, delays, trickles, and cuts frames."""

import asyncio
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Final

THERE, BACK = "there", "back"
FAULTS: Final = (
    *("reset", "half frame", "closed", "trickle", "delay"),
    *("stall", "stall there", "stall back"),
)
"""What a line does to its two ends, by name; ``there`` is the way to the target."""
_STALLS_S: Final = (0.05, 0.3, 1.5)
_BAD_S: Final = 0.2
_PIECE: Final = 1 << 14
_GONE: Final = (OSError, asyncio.IncompleteReadError)


class Proxy:
    """A line from a port of its own to another one.

    Parameters
    ----------
    target : int
        Port on loopback.
    seed : int

    Attributes
    ----------
    port : int
    happened : Counter
        Faults by name; ``bytes`` and ``connections`` too.
    """

    def __init__(self, target: int, seed: int) -> None:
        self.target = target
        self.happened: Counter[str] = Counter()
        self._rng = Random(seed)
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._flow = {THERE: asyncio.Event(), BACK: asyncio.Event()}
        self._piece = _PIECE
        self._delay_s = 0.0
        self._half: str = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    @property
    def is_free(self) -> bool:
        """Whether bytes pass as they come."""
        is_flowing = all(flow.is_set() for flow in self._flow.values())
        return self._piece == _PIECE and not self._delay_s and is_flowing

    # --------------------------------------------------------------------------------- the faults
    def hurt(self, fault: str) -> bool:
        """Do something to whatever is on the line; return whether anything is."""
        return asyncio.run_coroutine_threadsafe(self._hurt(fault), self._loop).result(10)

    async def _hurt(self, fault: str) -> bool:
        if not self._pairs:
            return False
        if fault.startswith("stall"):
            for way, flow in self._flow.items():
                if fault in ("stall", f"stall {way}"):
                    flow.clear()
                    self._loop.call_later(self._rng.choice(_STALLS_S), flow.set)
        elif fault == "trickle":
            self._piece = self._rng.choice((1, 3, 7))
            self._loop.call_later(_BAD_S, self._run_freely)
        elif fault == "delay":
            self._delay_s = self._rng.choice((0.002, 0.01, 0.05))
            self._loop.call_later(_BAD_S, self._run_freely)
        elif fault == "half frame":
            # The next piece is cut, and its connection with it; it counts when that has happened.
            self._half = fault
            return True
        else:
            for pair in tuple(self._pairs):
                self._break(pair, is_reset=fault == "reset")
        self.happened[fault] += 1
        return True

    def _run_freely(self) -> None:
        self._piece = _PIECE
        self._delay_s = 0.0

    def _break(
        self, pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter], *, is_reset: bool
    ) -> None:
        self._pairs.discard(pair)
        for writer in pair:
            if is_reset:
                # Without a word to the other end but that it is gone: what was on its way is lost.
                one: socket.socket = writer.get_extra_info("socket")
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()

    # ------------------------------------------------------------------------------- the business
    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._let_flow()
        server = self._loop.run_until_complete(
            asyncio.start_server(self._meet, sock=self._listener)
        )
        self._loop.run_forever()
        server.close()
        for pair in tuple(self._pairs):
            self._break(pair, is_reset=True)
        # Whoever carried ends, now that both ends are gone; nobody need be canceled.
        self._let_flow()
        if rest := asyncio.all_tasks(self._loop):
            self._loop.run_until_complete(asyncio.wait(rest, timeout=5))
        self._loop.close()

    def _let_flow(self) -> None:
        for flow in self._flow.values():
            flow.set()

    async def _meet(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            back.close()
            return
        pair = back, forth
        self._pairs.add(pair)
        self.happened["connections"] += 1
        await asyncio.gather(
            self._carry(near, forth, pair, self._flow[THERE]),
            self._carry(far, back, pair, self._flow[BACK]),
        )
        self._break(pair, is_reset=False)

    async def _carry(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        flow: asyncio.Event,
    ) -> None:
        with suppress(*_GONE):
            while data := await source.read(self._piece):
                await asyncio.sleep(self._delay_s)
                await flow.wait()
                if self._half and len(data) > 1:
                    self.happened[self._half] += 1
                    self._half = ""
                    sink.write(data[: self._rng.randrange(1, len(data))])
                    await sink.drain()
                    self._break(pair, is_reset=True)
                    return
                self.happened["bytes"] += len(data)
                sink.write(data)
                await sink.drain()
        sink.close()

    def close(self) -> None:
        """End all connections, and the line."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
