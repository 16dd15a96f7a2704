"""Real processes under faults: ``make faults KILLS=100 SEED=7``.

Prints the seed, what was done, what happened, and whatever broke a promise; exit code 1 then.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.reliability.kills import VICTIMS, kill_again_and_again

MODES: Final = ("process-safe", "power-safe")
_ROUND: Final = 25


class Progress:
    """Counts on standard error."""

    def __init__(self, of: int, what: str) -> None:
        self.done = 0
        self._of = of
        self._what = what

    def __call__(self) -> None:
        """One more."""
        self.done += 1
        if sys.stderr.isatty():
            text = f"\r{self.done:,} of {self._of:,} {self._what}"
            print(text, end="", file=sys.stderr, flush=True)


def run_kills(seed: int, kills: int) -> tuple[Counter[str], list[str]]:
    """Kill in rounds, each with a journal of its own, in both durability modes by turns."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    progress = Progress(kills, "kills")
    for at, begun in enumerate(range(0, kills, _ROUND)):
        with tempfile.TemporaryDirectory() as folder:
            mode = MODES[at % len(MODES)]
            found = kill_again_and_again(
                Path(folder),
                seed=seed + at,
                kills=min(_ROUND, kills - begun),
                durability=mode,
                progress=progress,
            )
        counts += found.counts
        faults += [f"kills, seed {seed + at}, {mode}: {fault}" for fault in found.faults]
    return counts, faults


def tell_kills(counts: Counter[str]) -> None:
    """Print what the kills came to."""
    killed = {name: counts[f"killed: {name}"] for name in VICTIMS}
    print(
        f"kill -9: {sum(killed.values())} ({killed['trader']} client, {killed['gateway']} gateway, "
        f"{killed['venue']} venue)"
    )
    tell_orders(counts)


def tell_orders(counts: Counter[str]) -> None:
    """Print what became of the orders."""
    print(
        f"  orders {counts['Submitted']:,}, denied {counts['Denied']:,}, "
        f"acknowledged to the client {counts['book: ack']:,}, fills booked {counts['Filled']:,}, "
        f"fills told {counts['book: fill']:,}, known to the venue {counts['venue: fills']:,}"
    )
    print(
        f"  unknown for a time {counts['Unknown']:,}, lost_by_venue {counts['lost_by_venue']:,}, "
        f"never_reached_venue {counts['never_reached_venue']:,}"
    )


def main() -> int:
    """Run it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    counts, faults = run_kills(asked.seed, asked.kills)
    tell_kills(counts)
    for fault in faults:
        print(f"FAULT {fault}")
    print("lost 0, doubled 0: every promise held" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
