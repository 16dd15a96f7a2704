"""Venue, gateway and client as processes of their own, each of which may die and come back."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.order_path import TOKENS, Running, free_port, write_config
from tests.reliability import trader
from tests.reliability.audit import Audit
from tests.reliability.trader import Book

PROGRESS_S: Final = 30.0
_LIMITS: Final = (
    'open_orders_max = 10000\ngross_max = "1000000000000"\nnet_max = "1000000000000"\n'
    "position_qty_max = 1000000000\n"
)


class Doors(NamedTuple):
    """Where the gateway finds its venue, and the client its gateway."""

    venue: int
    gateway: int


class Stack:
    """Three processes, by name in ``running``.

    Parameters
    ----------
    folder : Path
        For the journal, the client's book and the logs.
    seed : int
        Of the client.
    durability : {"process-safe", "power-safe"}
    ports : Doors, optional
        Where venue and gateway listen.
    doors : Doors, optional
        Where they are looked for, if that is elsewhere.
    timeout_ms : int
        How long the gateway waits for the venue's answer before an order is unknown.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        durability: str = "process-safe",
        ports: Doors | None = None,
        doors: Doors | None = None,
        timeout_ms: int = 1_000,
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.ports = ports or Doors(free_port(), free_port())
        self.doors = doors or self.ports
        limits = f"{_LIMITS}[venue]\ntimeout_ms = {timeout_ms}\n"
        self.config = write_config(folder, self.ports.gateway, limits=limits)
        self.config.write_text(self.config.read_text().replace("process-safe", durability))
        self.book = Book(folder / "book")
        self.running: dict[str, Running] = {}
        self._read = 0

    def start(self, name: str) -> None:
        """Start a process."""
        self.running[name] = self._started(name)

    def _started(self, name: str) -> Running:
        if name == "venue":
            port = str(self.ports.venue)
            return Running(self.folder, "venue", "--port", port, "--symbols", "KO,PEP")
        if name == "gateway":
            venue = f"127.0.0.1:{self.doors.venue}"
            return Running(self.folder, "serve", "--config", str(self.config), "--venue", venue)
        # Crash: whoever died may have left half a line, which the next life cuts off.
        program = (
            str(Path(trader.__file__)),
            f"127.0.0.1:{self.doors.gateway}",
            str(self.book.path),
            str(self.seed),
        )
        return Running(self.folder, "trader", program=program, said_to=TOKENS["trade"] + "\n")

    def kill(self, name: str) -> None:
        """End a process without a word."""
        self.running.pop(name).kill()

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Let a process hang: it lives, and does nothing."""
        pid = self.running[name].process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def wait_for_fills(self, more: int) -> None:
        """Wait until the client has written down so many further fills.

        Raises
        ------
        TimeoutError
            It has not, for half a minute.
        """
        until = time.monotonic() + PROGRESS_S
        while more > 0:
            with self.book.path.open("rb") as file:
                file.seek(self._read)
                piece = file.read()
            piece = piece[: piece.rfind(b"\n") + 1]
            self._read += len(piece)
            more -= piece.count(b'["fill"')
            if time.monotonic() > until:
                message = f"{PROGRESS_S:g} s without {more} fills; {self.logs()}"
                raise TimeoutError(message)
            time.sleep(0.005)

    def logs(self) -> str:
        """Return the last that each process said."""
        return " | ".join(
            f"{path.name}: {path.read_text()[-600:]}" for path in sorted(self.folder.glob("*.log"))
        )

    def finish(self) -> Audit:
        """Let the client settle, end all processes, and hold their books to each other."""
        trading = self.running.pop("trader")
        trading.process.terminate()
        end: dict[str, Any] = json.loads(trading.line())
        codes = {"trader": trading.wait(), "gateway": self.running.pop("gateway").stop()}
        audit = Audit(self.folder / "journal", self.book, end)
        audit.hold_venue(self.ports.venue)
        codes["venue"] = self.running.pop("venue").stop()
        audit.faults += [f"{name} ended with {code}" for name, code in codes.items() if code]
        return audit


@contextmanager
def stack(folder: Path, seed: int, **options: Any) -> Iterator[Stack]:
    """Start all three processes; whatever still runs in the end is killed."""
    one = Stack(folder, seed, **options)
    try:
        for name in ("venue", "gateway", "trader"):
            one.start(name)
        one.wait_for_fills(1)
        yield one
    finally:
        for running in one.running.values():
            running.kill()
