"""Venue and gateway as processes of their own, for tests: as their users start them."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neural_trader.execution import hash_token
from neural_trader.execution import messages as m
from neural_trader.execution.journal import walk

TOKENS = {"trade": "t" * 64, "read": "r" * 64, "other": "o" * 64}
START_S = 30.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_until(is_so: Callable[[], bool], seconds: float = START_S) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)


def wait_for_day(journal: Path) -> None:
    """Wait until a gateway can trade: the day opens once the venue has quoted."""

    def is_open() -> bool:
        return any(
            isinstance(m.decode_record(payload), m.DayOpened) for _, payload in walk(journal)
        )

    wait_until(is_open)


def write_config(
    folder: Path, port: int, *, gateway: str = "", limits: str = "", tick: str = "0.01"
) -> Path:
    """Write a configuration with two accounts and three tokens."""
    tokens = "".join(
        f'[[tokens]]\naccount = "{account}"\nscope = "{scope}"\n'
        f'sha256 = "{hash_token(TOKENS[name])}"\n'
        for name, account, scope in (
            ("trade", "main", "trade"),
            ("read", "main", "read"),
            ("other", "other", "trade"),
        )
    )
    path = folder / "gateway.toml"
    path.write_text(
        f'[gateway]\nport = {port}\ndurability = "process-safe"\nsegment_mb = 1\n{gateway}\n'
        f"[limits]\norders_per_second = 0\n{limits}\n"
        f'[[instruments]]\nsymbol = "KO"\ntick_size = "{tick}"\n'
        f'[[instruments]]\nsymbol = "PEP"\ntick_size = "{tick}"\n'
        '[[accounts]]\nname = "main"\n[[accounts]]\nname = "other"\n'
        f"{tokens}"
    )
    return path


class Running:
    """A command that serves, and the line with which it said that it listens.

    ``program`` is another program that says such a line; ``said_to`` is what it reads.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        program: tuple[str, ...] = (),
        said_to: str = "",
    ) -> None:
        self.log = folder / f"{arguments[0]}.log"
        program = program or ("-m", "neural_trader", *arguments, "--json")
        with self.log.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=folder,
            )
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(said_to)
        self.said: dict[str, Any] = json.loads(self.line())
        self.port = int(self.said["port"])

    def line(self) -> str:
        """Return the next line that it says."""
        stdout = self.process.stdout
        assert stdout is not None
        is_there = select.select([stdout], [], [], START_S)[0]
        line = stdout.readline() if is_there else ""
        if not line:
            self.kill()
        assert line, f"{self.log.name}: {self.log.read_text()[-2000:]}"
        return line

    def kill(self) -> None:
        """End it without a word."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        code = self.process.wait(START_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
