"""A long day: ``make endurance ORDERS=1000000 RESTARTS=20``.

Orders at a steady rate through real processes, and restarts of the gateway on the way: SIGTERM,
kill -9 and ``serve --takeover`` by turns, in the middle of the run, so that its first and its last
minute are quiet and can be compared. Prints latencies of both, memory at the end of each life, the
size of the journal, and what was lost or doubled. Exit code 1 if anything was, if memory or files
grew beyond their bounds, or if the client was told other money than the gateway has.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.order_path import TOKENS, Running
from tests.reliability.audit import OPENING_CASH
from tests.reliability.load import Load
from tests.reliability.stack import Stack

RETENTION_MB: Final = 16
MINUTE_S: Final = 60.0
_WAYS: Final = ("stopped", "killed", "taken over")
_GROWTH_MAX: Final = 1.2
# What is kept, a segment that is written and one made ready, and what a compaction is about to end.
_FILES_MB_MAX: Final = RETENTION_MB + 8
_AGE: Final = f"retention_mb = {RETENTION_MB}\nsegment_mb = 2\n"


class Endurance:
    """Venue, gateway and load, and what came of them.

    Parameters
    ----------
    folder : Path
    orders, restarts : int
    rate : float
        Orders a second.
    durability : {"process-safe", "power-safe"}
    tell : callable
        Is told now and then how many orders were sent.
    """

    def __init__(
        self,
        folder: Path,
        *,
        orders: int,
        restarts: int,
        rate: float,
        durability: str = "process-safe",
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.orders = orders
        self.rate = rate
        self.seconds = orders / rate
        self.quiet_s = min(MINUTE_S, self.seconds / 4)
        self.memory_mb: list[float] = []
        self.files_mb = 0.0
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._tell = tell
        self.stack = Stack(folder, 0, durability=durability)
        self.load = Load(("127.0.0.1", self.stack.ports.gateway), TOKENS["trade"])
        config = self.stack.config
        config.write_text(config.read_text().replace("segment_mb = 1\n", _AGE))
        between = self.seconds - 2 * self.quiet_s
        # The first restart comes after the quiet start, the last well before the quiet end.
        self._restarts = [
            (self.quiet_s + between * at / (restarts + 1), _WAYS[at % len(_WAYS)])
            for at in range(1, restarts + 1)
        ]

    def run(self) -> None:
        """Send all orders, and hold what came of them to what the gateway says."""
        stack = self.stack
        load = self.load
        try:
            stack.start("venue")
            stack.start("gateway")
            load.begin(self.rate, self.orders)
            told = looked = 0.0
            while not load.is_over:
                load.step()
                now = load.elapsed
                if self._restarts and now >= self._restarts[0][0]:
                    self._restart(self._restarts.pop(0)[1])
                if now > looked + 0.5:
                    looked = now
                    self._look()
                if now > told + 1.0:
                    told = now
                    self._tell(load.sent)
            self._remember()
            self._hold(load)
        finally:
            load.close()
            for running in stack.running.values():
                running.kill()

    # ----------------------------------------------------------------------------------- restarts
    def _restart(self, way: str) -> None:
        stack = self.stack
        self._remember()
        self.counts[way] += 1
        if way == "taken over":
            old = stack.running.pop("gateway")
            stack.running["gateway"] = self._successor()
            old.wait()
            return
        old = stack.running.pop("gateway")
        if way == "killed":
            old.kill()
        elif old.stop():
            self.faults.append(f"the gateway ended with {old.process.returncode} when stopped")
        stack.start("gateway")

    def _successor(self) -> Running:
        stack = self.stack
        venue = f"127.0.0.1:{stack.doors.venue}"
        words = ("serve", "--config", str(stack.config), "--venue", venue, "--takeover")
        return Running(stack.folder, *words)

    # ---------------------------------------------------------------------------------- measuring
    def _look(self) -> None:
        journal = self.stack.folder / "journal"
        total = 0
        for path in journal.iterdir():
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                # Compacted away between the two looks.
                continue
        self.files_mb = max(self.files_mb, total / 2**20)

    def _remember(self) -> None:
        pid = self.stack.running["gateway"].process.pid
        status = Path(f"/proc/{pid}/status")
        if status.exists():
            (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmRSS"))
            self.memory_mb.append(int(line.split()[1]) / 1024)

    def _hold(self, load: Load) -> None:
        """Hold what the client was told to what the gateway says at the end."""
        faults = self.faults
        faults += load.faults()
        positions, cash = load.ask()
        if positions != dict(load.held):
            faults.append(f"positions are {positions}, and the fills come to {dict(load.held)}")
        if cash != OPENING_CASH + load.cash:
            faults.append(f"cash is {cash}, and the fills leave {OPENING_CASH + load.cash}")
        if self.files_mb > _FILES_MB_MAX:
            faults.append(f"the journal grew to {self.files_mb:.0f} MB of {_FILES_MB_MAX}")
        # The first life may have been shorter than it takes to fill what is bounded.
        base, last = max(self.memory_mb[:2]), self.memory_mb[-1]
        if last > _GROWTH_MAX * base:
            faults.append(f"the gateway grew from {base:.0f} to {last:.0f} MB")
        for name in ("gateway", "venue"):
            code = self.stack.running.pop(name).stop()
            if code:
                faults.append(f"{name} ended with {code}")

    def report(self) -> dict[str, Any]:
        """Return all figures."""
        load = self.load
        first = load.latencies(0.0, self.quiet_s)
        last = load.latencies(self.seconds - self.quiet_s, self.seconds)
        return {
            "orders": load.sent,
            "seconds": round(load.elapsed, 1),
            "restarts": dict(self.counts),
            "filled": load.filled,
            "ended": dict(load.ended),
            "reconnects": load.reconnects,
            "lost": load.lost,
            "doubled": load.doubled,
            "first_us": first,
            "last_us": last,
            "p99_ratio": round(last["p99"] / first["p99"], 3) if first["p99"] else None,
            "memory_mb": [round(one, 1) for one in self.memory_mb],
            "files_mb": round(self.files_mb, 1),
            "files_mb_max": _FILES_MB_MAX,
            "faults": self.faults,
        }


def tell(report: dict[str, Any], quiet_s: float) -> None:
    """Print the figures."""
    restarts = report["restarts"]
    ways = ", ".join(f"{restarts.get(way, 0)} {way}" for way in _WAYS)
    print(f"orders {report['orders']:,} in {report['seconds']:g} s, filled {report['filled']:,}")
    print(f"restarts {sum(restarts.values())} ({ways}), reconnects {report['reconnects']}")
    print(f"ended without a fill: {report['ended'] or 'none'}")
    for name in ("first", "last"):
        one = report[f"{name}_us"]
        print(f"{name} {quiet_s:g} s, order to fill: P50 {one['p50']} us, P99 {one['p99']} us")
    print(f"P99 of the last over the first: {report['p99_ratio']} (target 1.2)")
    memory = report["memory_mb"]
    print(f"memory at the end of each life, MB: {' '.join(f'{one:g}' for one in memory)}")
    print(f"journal at most {report['files_mb']} MB (bound {report['files_mb_max']})")
    for fault in report["faults"]:
        print(f"FAULT {fault}")
    print(f"lost {report['lost']}, doubled {report['doubled']}")


def main() -> int:
    """Run it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make endurance", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--rate", type=float, default=4_000.0)
    parser.add_argument("--durability", default="process-safe")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()

    def progress(sent: int) -> None:
        if sys.stderr.isatty():
            text = f"\r{sent:,} of {asked.orders:,} orders"
            print(text, end="", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        run = Endurance(
            Path(folder),
            orders=asked.orders,
            restarts=asked.restarts,
            rate=asked.rate,
            durability=asked.durability,
            tell=progress,
        )
        run.run()
        report = run.report()
    if asked.json:
        print(json.dumps(report))
    else:
        tell(report, run.quiet_s)
    return 1 if report["faults"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
