"""Histories by the thousand: ``make simulate SEEDS=100000``; one of them: ``make simulate SEED=7``.

Prints seeds a second, what happened, and every fault by kind with its count. Exit code 1 where a
promise was broken, or where a fault that has a name never happened. A history that fails prints its
seed, and the shortest part of it that still fails.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from tests.simulation.faults import FAULTS
from tests.simulation.history import STEPS, Failure, failure_of, names_of, shrink

_CHUNK: Final = 20
_SHOWN: Final = 5
_COVERED: Final = 500
"""So many histories see every fault."""


def run_chunk(seeds: range) -> tuple[Counter[str], list[Failure]]:
    """Play some histories."""
    counts: Counter[str] = Counter()
    failures = []
    for seed in seeds:
        failure, happened = failure_of(seed)
        counts += happened
        counts["histories"] += 1
        if failure is not None:
            failures.append(failure)
    return counts, failures


def simulate(begin: int, seeds: int, workers: int) -> tuple[Counter[str], list[Failure]]:
    """Play histories in several processes, with progress on standard error.

    An interrupt ends them; what was played until then is returned, which is fewer than asked for.
    """
    counts: Counter[str] = Counter()
    failures: list[Failure] = []
    chunks = [
        range(at, min(at + _CHUNK, begin + seeds)) for at in range(begin, begin + seeds, _CHUNK)
    ]
    began = time.perf_counter()
    # An interrupt is for this process alone: it ends the others.
    ignore = (signal.SIGINT, signal.SIG_IGN)
    with (
        suppress(KeyboardInterrupt),
        multiprocessing.get_context("spawn").Pool(workers, signal.signal, ignore) as pool,
    ):
        for found, failed in pool.imap_unordered(run_chunk, chunks):
            counts += found
            failures += failed
            _tell_progress(counts["histories"], seeds, time.perf_counter() - began)
    return counts, sorted(failures)


def _tell_progress(done: int, of: int, seconds: float) -> None:
    """Count on a terminal."""
    if sys.stderr.isatty():
        end = "\n" if done == of else ""
        text = f"\r{done:,} of {of:,} histories, {done / seconds:.0f} a second"
        print(text, end=end, file=sys.stderr, flush=True)


def tell(counts: Counter[str], seconds: float, workers: int) -> None:
    """Print what happened."""
    done = counts["histories"]
    print(
        f"{done:,} histories of {STEPS} steps in {seconds:.0f} s: {done / seconds:.0f} seeds/s "
        f"with {workers} processes"
    )
    for name in ("orders", "orders at the venue", "fills", "records", "gateway starts"):
        print(f"  {name:24} {counts[name]:12,}")
    print("faults")
    for name in sorted(FAULTS):
        print(f"  {name:24} {counts[name]:12,}")


def tell_failure(failure: Failure) -> None:
    """Print how a history failed, and the shortest part of it that does."""
    print(f"BROKEN: {failure.what}: {failure.detail[:400]}")
    print(f"  seed {failure.seed}; again: make simulate SEED={failure.seed}")
    steps = shrink(failure)
    names = names_of(failure.seed, steps)
    print(f"  {len(steps)} of {STEPS} steps are enough:")
    for step, name in zip(steps, [*names, *["heal"] * (len(steps) - len(names))], strict=True):
        print(f"    {step:4} {name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many histories")
    parser.add_argument("--begin", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this history alone")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    began = time.perf_counter()
    if asked.seed is not None:
        counts, failures = run_chunk(range(asked.seed, asked.seed + 1))
    else:
        counts, failures = simulate(asked.begin, asked.seeds, asked.workers)
    seconds = time.perf_counter() - began
    is_cut = asked.seed is None and counts["histories"] < asked.seeds
    if is_cut:
        print(f"\ninterrupted after {counts['histories']:,} of {asked.seeds:,}", file=sys.stderr)
    never = [name for name in FAULTS if not counts[name]]
    if counts["histories"] < _COVERED:
        never = []
    if asked.json:
        report = {
            "histories": counts["histories"],
            "seconds": seconds,
            "counts": dict(counts),
            "faults": {name: counts[name] for name in FAULTS},
            "never": never,
            "failures": [failure._asdict() for failure in failures],
        }
        print(json.dumps(report))
        return 1 if failures or never else 130 if is_cut else 0
    tell(counts, seconds, asked.workers if asked.seed is None else 1)
    for failure in failures[:_SHOWN]:
        tell_failure(failure)
    for name in never:
        print(f"NEVER: {name} did not happen: nothing is known of it")
    if failures:
        print(f"{len(failures)} histories broke a promise: {[one.seed for one in failures]}")
    else:
        print("every promise was kept")
    return 1 if failures or never else 130 if is_cut else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
