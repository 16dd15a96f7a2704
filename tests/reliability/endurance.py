"""A long day: ``make endurance ORDERS=1000000 RESTARTS=20``.

Orders at a steady rate through real processes, and restarts of the gateway on the way: SIGTERM,
kill -9 and ``serve --takeover`` by turns, in the middle of the run, so that its first and its last
minute are quiet and can be compared. The client goes on sending meanwhile. Prints latencies of both
minutes, from the time at which an order was due; the memory of each life of the gateway, after
equally many orders and at its end; the size of the journal; and what was lost or doubled. Exit code
1 if anything was, if memory or files grew beyond their bounds, or if the client was told other
money than the gateway has. The target of the latencies' ratio is printed and not asserted: it is a
matter of the machine too.
"""

import argparse
import gc
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.order_path import START_S, TOKENS, Running
from tests.reliability.audit import OPENING_CASH
from tests.reliability.load import Load
from tests.reliability.stack import Stack

RETENTION_MB: Final = 16
MINUTE_S: Final = 60.0
_WAYS: Final = ("stopped", "killed", "taken over")
_GROWTH_MAX: Final = 1.2
_RATIO_TARGET: Final = 1.2
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
        self.equal_mb: list[float] = []
        self.files_mb = 0.0
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._tell = tell
        self.stack = Stack(folder, 0, durability=durability)
        self.load = Load(("127.0.0.1", self.stack.ports.gateway), TOKENS["trade"])
        config = self.stack.config
        config.write_text(config.read_text().replace("segment_mb = 1\n", _AGE))
        between = self.seconds - 2 * self.quiet_s
        # After so many orders each life is looked at: half of those that the shortest one has.
        self.equal_orders = int(0.5 * between / (restarts + 1) * rate)
        self._life_began = 0
        self._is_looked_at = False
        # The first restart comes after the quiet start, the last well before the quiet end.
        self._restarts = [
            (self.quiet_s + between * at / (restarts + 1), _WAYS[at % len(_WAYS)])
            for at in range(1, restarts + 1)
        ]

    def run(self) -> None:
        """Send all orders, and hold what came of them to what the gateway says."""
        stack = self.stack
        load = self.load
        restarting: Future[None] | None = None
        pool = ThreadPoolExecutor(1)
        # What the load itself collects would stand in the latencies.
        gc.collect()
        gc.disable()
        try:
            stack.start("venue")
            stack.start("gateway")
            load.begin(self.rate, self.orders)
            told = looked = 0.0
            while not load.is_over:
                load.step()
                now = load.elapsed
                if restarting is not None and restarting.done():
                    restarting.result()
                    restarting = None
                if self._restarts and now >= self._restarts[0][0] and restarting is None:
                    restarting = pool.submit(self._restart, self._restarts.pop(0)[1])
                if now > looked + 0.1 and restarting is None:
                    looked = now
                    self._look()
                if now > told + 1.0:
                    told = now
                    self._tell(load.sent)
            if restarting is not None:
                restarting.result()
            self.memory_mb.append(self._gateway_mb())
            self._hold(load)
        finally:
            gc.enable()
            load.close()
            pool.shutdown()
            for running in stack.running.values():
                running.kill()

    # ----------------------------------------------------------------------------------- restarts
    def _restart(self, way: str) -> None:
        stack = self.stack
        self.memory_mb.append(self._gateway_mb())
        self.counts[way] += 1
        if way == "taken over":
            old = stack.running["gateway"]
            stack.running["gateway"] = self._started("--takeover")
        else:
            old = stack.running.pop("gateway")
            if way == "killed":
                old.kill()
            else:
                old.process.terminate()
                old.process.wait(START_S)
            stack.running["gateway"] = self._started()
        if (code := old.wait()) and way != "killed":
            self.faults.append(f"the gateway ended with {code} when {way}")
        self._life_began = self.load.sent
        self._is_looked_at = False

    def _started(self, *options: str) -> Running:
        """Start a gateway; one that does not start is a fault, and is started once more."""
        stack = self.stack
        venue = f"127.0.0.1:{stack.doors.venue}"
        words = ("serve", "--config", str(stack.config), "--venue", venue, *options)
        try:
            return Running(stack.folder, *words)
        except AssertionError as error:
            said = str(error).strip().splitlines()[-1]
            self.faults.append(f"a gateway did not start at {self.load.elapsed:.1f} s: {said}")
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
        life_orders = self.load.sent - self._life_began
        if not self._is_looked_at and life_orders >= self.equal_orders:
            self._is_looked_at = True
            self.equal_mb.append(self._gateway_mb())

    def _gateway_mb(self) -> float:
        pid = self.stack.running["gateway"].process.pid
        status = Path(f"/proc/{pid}/status").read_text()
        (line,) = (one for one in status.splitlines() if one.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

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
        # The first life began with nothing to recover: the second is the first like the others.
        for what, found in (("equally many orders", self.equal_mb), ("its life", self.memory_mb)):
            base, last = max(found[:2], default=0.0), max(found[-2:], default=0.0)
            if last > _GROWTH_MAX * base:
                faults.append(f"the gateway grew from {base:.0f} to {last:.0f} MB after {what}")
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
            "rate": self.rate,
            "restarts": dict(self.counts),
            "filled": load.filled,
            "ended": dict(load.ended),
            "reconnects": load.reconnects,
            "lost": load.lost,
            "doubled": load.doubled,
            "first_us": first,
            "last_us": last,
            "ratio": {
                what: {
                    name: round(last[what][name] / first[what][name], 3)
                    for name in ("p50", "p99")
                    if first[what][name]
                }
                for what in first
            },
            "equal_orders": self.equal_orders,
            "equal_mb": [round(one, 1) for one in self.equal_mb],
            "memory_mb": [round(one, 1) for one in self.memory_mb],
            "files_mb": round(self.files_mb, 1),
            "files_mb_max": _FILES_MB_MAX,
            "faults": self.faults,
        }


def tell(report: dict[str, Any], quiet_s: float) -> None:
    """Print the figures."""
    restarts = report["restarts"]
    ways = ", ".join(f"{restarts.get(way, 0)} {way}" for way in _WAYS)
    print(
        f"orders {report['orders']:,} in {report['seconds']:g} s, {report['rate']:,.0f} a second, "
        f"filled {report['filled']:,}; ended without a fill: {report['ended'] or 'none'}"
    )
    print(f"restarts {sum(restarts.values())} ({ways}), reconnects {report['reconnects']}")
    for what, words in (("ack", "answer"), ("fill", "fill")):
        for name in ("first", "last"):
            one = report[f"{name}_us"][what]
            print(
                f"{name} {quiet_s:g} s, order to {words}: P50 {one['p50']:,.0f} us, "
                f"P99 {one['p99']:,.0f} us of {one['count']:,}"
            )
        for name, ratio in report["ratio"][what].items():
            verdict = "met" if ratio <= _RATIO_TARGET else "missed"
            print(
                f"  {name.upper()}, last over first: {ratio:g} (target {_RATIO_TARGET}: {verdict})"
            )
    for name, when in (
        ("equal_mb", f"after {report['equal_orders']:,} orders"),
        ("memory_mb", "at the end"),
    ):
        told = " ".join(f"{one:.0f}" for one in report[name])
        print(f"memory of each life {when}, MB: {told}")
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
