"""Bad frames by the million: ``make fuzz FRAMES=1000000 SEED=7``.

Gateway, client, the gateway's end of the venue's connection, the paper venue and the decoders are
sent what no honest peer would send. Prints what was sent and what came of it; exit code 1 where
that was anything but the end of the sender's connection. A fault names the life in which it
happened: ``--again 7/gateway/3`` plays that one alone.
"""

import argparse
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from tests.reliability.fuzzing import LIFE, Found, fuzz, live
from tests.reliability.hostile import TARGETS

_SHOWN: Final = 20


def _progress(frames: int) -> Callable[[int], None]:
    """Return what counts on a terminal."""
    began = time.perf_counter()

    def tell(done: int) -> None:
        if sys.stderr.isatty():
            speed = done / (time.perf_counter() - began)
            text = f"\r{done:,} of {frames:,} frames, {speed:,.0f} a second "
            print(text, end="", file=sys.stderr, flush=True)

    return tell


def closings(counts: Counter[str]) -> Counter[str]:
    """Return how often a connection was closed, by reason."""
    found: Counter[str] = Counter()
    for what, times in counts.items():
        if ": closed: " in what:
            found[what.replace("closed: ", "")] += times
    return found


def tell(found: Found, seconds: float) -> None:
    """Print what came of it."""
    frames = found.frames.total()
    print(f"{frames:,} bad frames in {seconds:.0f} s: {frames / seconds:,.0f} frames/s")
    sections = (
        ("sent to", found.frames),
        ("made by", found.kinds),
        ("closed, or refused by a decoder", closings(found.counts)),
    )
    for title, counts in sections:
        print(title)
        for name, times in counts.most_common():
            print(f"  {name:32} {times:12,}")
    print("the quiet account beside them")
    print(f"  {'orders sent, each filled':32} {found.counts['gateway: quiet orders']:12,}")
    print("bytes kept by the last lives")
    for name, kept in found.kept_bytes.items():
        print(f"  {name:32} {kept:12,}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--again", metavar="SEED/TARGET/LIFE", help="one life of an earlier run")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.frames < len(TARGETS):
        parser.error(f"--frames is {asked.frames}; expected {len(TARGETS)} or more, one a target")
    # What a gateway says of each bad peer is for its operator.
    logging.getLogger("neural_trader").setLevel(logging.CRITICAL + 1)
    if not asked.json:
        print(f"seed {asked.seed}" if not asked.again else f"again {asked.again}", flush=True)
    began = time.perf_counter()
    if asked.again:
        found = Found()
        live(found, asked.again.split("/")[1], asked.again, LIFE)
    else:
        found = fuzz(asked.seed, asked.frames, progress=_progress(asked.frames))
    seconds = time.perf_counter() - began
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if asked.json:
        report = {
            "seed": asked.seed,
            "seconds": seconds,
            "frames": found.frames,
            "kinds": found.kinds,
            "closed": closings(found.counts),
            "quiet_orders": found.counts["gateway: quiet orders"],
            "kept_bytes": found.kept_bytes,
            "faults": found.faults,
        }
        print(json.dumps(report))
        return 1 if found.faults else 0
    tell(found, seconds)
    for fault in found.faults[:_SHOWN]:
        print(f"FAULT {fault}")
    is_well = "no crash, nothing kept, nobody else noticed: every promise held"
    print(f"{len(found.faults)} faults" if found.faults else is_well)
    return 1 if found.faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
