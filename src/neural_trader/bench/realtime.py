"""Real-time scheduling for a while, with a watchdog that ends it whatever happens.

A process that is scheduled by ``SCHED_FIFO`` and never sleeps takes a core from all others. The
watchdog is a process of its own with a higher priority: it gives the watched one back to the usual
scheduling when its time is over, when whoever started it ends, or when the watched one has hardly
slept. ``python -m neural_trader.bench.realtime PID SECONDS`` is the watchdog.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_LOOK_S: Final = 0.1
_BUSY_S: Final = 1.0
_BUSY_SHARE: Final = 0.9
_END_S: Final = 5.0
PRIORITY: Final = 1


@contextmanager
def realtime(pid: int, seconds: float) -> Iterator[None]:
    """Schedule a running process by ``SCHED_FIFO`` meanwhile, for so many seconds at most.

    Its own threads and children keep the usual scheduling.

    Raises
    ------
    PermissionError
        This user may not: it takes root, ``CAP_SYS_NICE`` or a limit of ``rtprio``.
    """
    command = [sys.executable, "-m", "neural_trader.bench.realtime", str(pid), str(seconds)]
    watchdog = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        # Nobody is made real-time before the one that ends it runs.
        if watchdog.stdout is None or watchdog.stdout.readline() != b"watching\n":
            message = "the watchdog may not be scheduled by SCHED_FIFO"
            raise PermissionError(message)
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(pid, policy, os.sched_param(PRIORITY))
        yield
    finally:
        if watchdog.stdin is not None:
            watchdog.stdin.close()
        try:
            watchdog.wait(_END_S)
        except subprocess.TimeoutExpired:
            watchdog.kill()
            watchdog.wait()
        drop(pid)
        if watchdog.stdout is not None:
            watchdog.stdout.close()


def drop(pid: int) -> None:
    """Give a process back to the usual scheduling, where it still runs."""
    with suppress(ProcessLookupError):
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))


def watch(pid: int, seconds: float) -> str:
    """Return when a process must not be real-time any more, and why.

    Returns
    -------
    {"time", "parent", "busy", "gone"}
        So many seconds have passed; standard input was closed; the process has slept for less than
        a tenth of the last second; it has ended.
    """
    begun = looked = time.monotonic()
    cpu = cpu_s(pid)
    while True:
        if select.select([sys.stdin], [], [], _LOOK_S)[0]:
            return "parent"
        now, taken = time.monotonic(), cpu_s(pid)
        if taken is None or cpu is None:
            return "gone"
        if now - begun >= seconds:
            return "time"
        if now - looked >= _BUSY_S:
            if taken - cpu > _BUSY_SHARE * (now - looked):
                return "busy"
            looked, cpu = now, taken


def cpu_s(pid: int) -> float | None:
    """Return the CPU seconds that a process has taken, or None where it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Watch the process on the command line, and drop it."""
    pid, seconds = int(sys.argv[1]), float(sys.argv[2])
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY + 1))
    except PermissionError:
        sys.exit("may not be scheduled by SCHED_FIFO")
    sys.stdout.write("watching\n")
    sys.stdout.flush()
    try:
        watch(pid, seconds)
    finally:
        drop(pid)


if __name__ == "__main__":
    main()
