"""The three processes of the orders bench: venue, gateway, and the load, started and placed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from neural_trader.core import BenchError
from neural_trader.execution import hash_token

_START_S: Final = 20.0
_RUN_S: Final = 300.0
_CONFIG: Final = """\
[gateway]
port = 0
journal = "journal"
durability = "{durability}"
requests_per_second = 10000000
{tls}
[limits]
order_qty_max = 1000
order_notional_max = "1000000"
position_qty_max = 1000000000
gross_max = "100000000000000"
net_max = "100000000000000"
open_orders_max = 100000
orders_per_second = 10000000
collar_bps = 1000
daily_loss_max = "100000000000"
duplicate_window_ms = 1
mark_age_ms_max = 60000

[[instruments]]
symbol = "KO"

[[instruments]]
symbol = "PEP"

"""
_ACCOUNT: Final = """
[[accounts]]
name = "{name}"
cash = "1000000000"

[[tokens]]
account = "{name}"
scope = "trade"
sha256 = "{digest}"
"""


class Placement(NamedTuple):
    """Which cores venue, gateway and load may use; empty is whatever the system gives."""

    name: str
    venue: frozenset[int]
    gateway: frozenset[int]
    load: frozenset[int]


def placements() -> dict[str, Placement]:
    """Return the placements that this machine has room for, by name."""
    cores = sorted(os.sched_getaffinity(0))
    one, anywhere = frozenset(cores[:1]), frozenset[int]()
    found = {
        "one core": Placement("one core", one, one, one),
        "unpinned": Placement("unpinned", anywhere, anywhere, anywhere),
    }
    if len(cores) > 1:
        other = frozenset(cores[1:2])
        found["gateway apart"] = Placement("gateway apart", other, one, other)
    return found


@contextmanager
def on_cores(cores: frozenset[int]) -> Iterator[None]:
    """Start what is started meanwhile on these cores."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Stack:
    """A venue and a gateway that run; loads are run against them.

    Parameters
    ----------
    durability : {"process-safe", "power-safe"}
    placement : Placement
    folder : Path
        On the disk that the journal is to be measured on.
    accounts : int
        How many, each with a token in ``tokens``.
    tls : (Path, Path), optional
        Certificate and key of the gateway.
    serve_with : sequence of str
        The module that is run as the gateway, and what it takes before the command.
    """

    def __init__(
        self,
        durability: str,
        placement: Placement,
        folder: Path,
        *,
        accounts: int = 1,
        tls: tuple[Path, Path] | None = None,
        serve_with: Sequence[str] = ("neural_trader",),
    ) -> None:
        self.durability = durability
        self.placement = placement
        self.tokens = [f"{number:040d}" for number in range(accounts)]
        self._folder = folder
        self._tls = "" if tls is None else f'cert = "{tls[0]}"\nkey = "{tls[1]}"\n'
        self._serve: tuple[str, ...] = ()
        self._serve_with = serve_with
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        """Start venue and gateway."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        config = self._folder / "gateway.toml"
        accounts = (
            _ACCOUNT.format(name=f"account{number}", digest=hash_token(token))
            for number, token in enumerate(self.tokens)
        )
        head = _CONFIG.format(durability=self.durability, tls=self._tls)
        config.write_text(head + "".join(accounts))
        with on_cores(self.placement.venue):
            venue = self._run("venue", "--port", "0", "--symbols", "KO,PEP")
        address = f"127.0.0.1:{venue['port']}"
        self._serve = ("serve", "--config", str(config), "--venue", address)
        with on_cores(self.placement.gateway):
            gateway = self._run(*self._serve)
        self.port = int(gateway["port"])

    def take_over(self) -> dict[str, Any]:
        """Have a new gateway take the place of the one that runs, and return what it says.

        Raises
        ------
        BenchError
            It did not; or the old one did not end.
        """
        with on_cores(self.placement.gateway):
            found = self._run(*self._serve, "--takeover")
        old = self._processes.pop(1)
        try:
            code = old.wait(_START_S)
        except subprocess.TimeoutExpired:
            old.kill()
            code = old.wait()
        if old.stdout is not None:
            old.stdout.close()
        if code != 0:
            message = f"the old gateway ended with exit code {code} instead of handing over"
            raise BenchError(message)
        return found

    def _run(self, *arguments: str) -> dict[str, Any]:
        module = self._serve_with if arguments[0] == "serve" else ("neural_trader",)
        command = [sys.executable, "-m", *module, *arguments, "--json"]
        with (self._folder / f"{arguments[0]}.log").open("a") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        self._processes.append(process)
        line = process.stdout.readline() if process.stdout is not None else ""
        try:
            found: dict[str, Any] = json.loads(line)
        except ValueError as error:
            said = (self._folder / f"{arguments[0]}.log").read_text().strip().splitlines()
            message = f"{arguments[0]} did not start: {(said or [line or 'it said nothing'])[-1]}"
            raise BenchError(message) from error
        return found

    def __exit__(self, *_: object) -> None:
        """End both."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(_START_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def load(
        self, orders: int, *, window: int = 0, rate: float = 0.0, warmup: int = 500
    ) -> dict[str, Any]:
        """Run a load in a process of its own and return what it found.

        Raises
        ------
        BenchError
            The load failed, or orders were lost, doubled or rejected: then no time counts.
        """
        wanted = {
            "host": "127.0.0.1",
            "port": self.port,
            "token": self.tokens[0],
            "orders": orders,
            "warmup": warmup,
            "window": window,
            "rate": rate,
        }
        command = [sys.executable, "-m", "neural_trader.bench.orders_load"]
        with on_cores(self.placement.load):
            done = subprocess.run(
                command,
                input=json.dumps(wanted),
                capture_output=True,
                text=True,
                check=False,
                timeout=_RUN_S,
            )
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            message = f"the load failed: {said}"
            raise BenchError(message)
        found: dict[str, Any] = json.loads(done.stdout)
        trouble = {name: found[name] for name in ("lost", "doubled", "rejected") if found[name]}
        if trouble:
            message = f"of {found['sent']:,} orders: {trouble}; no time is printed"
            raise BenchError(message)
        return found

    @property
    def gateway_pid(self) -> int:
        """The process of the gateway that runs."""
        return self._processes[1].pid

    def gateway_cpu_s(self) -> float:
        """Return the CPU seconds that the gateway's process has taken since it began."""
        # Linux's clock of all threads of a process, to the nanosecond: clock_getcpuclockid(3).
        # /proc counts in hundredths of a second, as many as a hundred orders take.
        return time.clock_gettime(~self._processes[1].pid << 3 | 2)

    def gateway_memory_mb(self) -> float:
        """Return the memory that the gateway's process has in use."""
        status = Path(f"/proc/{self.gateway_pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024
