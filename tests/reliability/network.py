"""Bad lines between real processes: ``make proxy FAULTS=200 SEED=7``.

A proxy between client and gateway and another between gateway and venue do everything bad that a
line can do, under load. Prints the seed, each fault with its count, and whatever broke a promise;
exit code 1 then, or where a kind of fault never happened on a line.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from tests.order_path import free_port
from tests.reliability.faults import MODES, Progress, tell_orders
from tests.reliability.proxy import FAULTS, Proxy
from tests.reliability.stack import Doors, stack

_ROUND: Final = 50
LINES: Final = ("client-gateway", "gateway-venue")
EVERY: Final = tuple((line, fault) for line in LINES for fault in FAULTS)
"""Every line with everything that may happen to it."""


def hurt_again_and_again(
    folder: Path,
    *,
    seed: int,
    faults: int,
    durability: str,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Counter[str], list[str]]:
    """Let lines go bad under load, all of them in every way, and hold all books to each other.

    Returns
    -------
    Counter
        Faults by line and name, and what the journal and the client say.
    list of str
        Broken promises.
    """
    rng = Random(seed)
    ports = Doors(free_port(), free_port())
    lines = dict(
        zip(LINES, (Proxy(ports.gateway, seed), Proxy(ports.venue, seed + 1)), strict=True)
    )
    doors = Doors(venue=lines["gateway-venue"].port, gateway=lines["client-gateway"].port)
    try:
        with stack(folder, seed, durability=durability, ports=ports, doors=doors) as one:
            # A deal, so that each of them happens as often as the others.
            order = [EVERY[at % len(EVERY)] for at in range(faults)]
            rng.shuffle(order)
            for name, fault in order:
                while not lines[name].hurt(fault):
                    one.wait_for_fills(1)
                one.wait_for_fills(rng.choice((1, 3, 30)))
                progress()
            audit = one.finish()
    finally:
        for line in lines.values():
            line.close()
    counts = audit.counts
    for name, line in lines.items():
        counts += Counter({f"{name}: {what}": times for what, times in line.happened.items()})
    return counts, audit.faults


def main() -> int:
    """Run it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make proxy", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    counts: Counter[str] = Counter()
    broken: list[str] = []
    progress = Progress(asked.faults, "faults")
    for at, begun in enumerate(range(0, asked.faults, _ROUND)):
        mode = MODES[at % len(MODES)]
        with tempfile.TemporaryDirectory() as folder:
            found, faults = hurt_again_and_again(
                Path(folder),
                seed=asked.seed + at,
                faults=min(_ROUND, asked.faults - begun),
                durability=mode,
                progress=progress,
            )
        counts += found
        broken += [f"seed {asked.seed + at}, {mode}: {fault}" for fault in faults]
    total = sum(counts[f"{line}: {fault}"] for line, fault in EVERY)
    print(f"faults of the network: {total}")
    for line in LINES:
        told = ", ".join(f"{fault} {counts[f'{line}: {fault}']}" for fault in FAULTS)
        times, size = counts[f"{line}: connections"], counts[f"{line}: bytes"]
        print(f"{line}: {told}; {times} connections, {size:,} bytes")
    tell_orders(counts)
    if asked.faults >= _ROUND:
        never = [f"{line}: {fault}" for line, fault in EVERY if not counts[f"{line}: {fault}"]]
        broken += [f"{what} did not happen: nothing is known of it" for what in never]
    for fault in broken:
        print(f"FAULT {fault}")
    print("lost 0, doubled 0: every promise held" if not broken else f"{len(broken)} faults")
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
