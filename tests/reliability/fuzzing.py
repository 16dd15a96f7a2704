"""Bad frames by the thousand against everything that reads bytes, from one seed."""

import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from neural_trader.execution.sessions import Session
from tests.reliability.hostile import TARGETS

LIFE: Final = 2_000
"""So many frames does a target live for: then everything that it holds must be gone."""
TRACED: Final = 3
"""So many lives are compared byte by byte with what was there before them."""
KEPT_BYTES_MAX: Final = 16 * 1024
"""What the traced lives of a target may leave behind: far less than a byte of each frame."""
SESSIONS_MAX: Final = 2
"""What a gateway may hold of all the connections that it has had: the bystander, the last one."""
_STREAM: Final = 12


class Found:
    """What came of it; ``faults`` is empty if all is well.

    Attributes
    ----------
    frames, kinds : Counter
        How many, by target, and by what was done to them.
    counts : Counter
        What came of them, by target.
    kept_bytes : dict
        By target: what its last lives left behind in memory.
    """

    def __init__(self) -> None:
        self.frames: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.kept_bytes: dict[str, int] = {}


def fuzz(
    seed: int,
    frames: int,
    *,
    names: Iterable[str] = TARGETS,
    progress: Callable[[int], None] = lambda _: None,
) -> Found:
    """Send so many frames, the same number to each target, and look after every life."""
    found = Found()
    names = tuple(names)
    share = frames // len(names)
    lives = max(-(-share // LIFE), 1)
    for name in names:
        left = share
        for life in range(lives):
            # The first life fills what is made once; the last ones must leave nothing.
            if life == max(lives - TRACED, 1):
                gc.collect()
                tracemalloc.start()
            live(found, name, f"{seed}/{name}/{life}", min(LIFE, left))
            left -= LIFE
            progress(found.frames.total())
        if tracemalloc.is_tracing():
            gc.collect()
            _hold_memory(found, name, tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
    return found


def _hold_memory(found: Found, name: str, kept: int) -> None:
    found.kept_bytes[name] = kept
    if kept > KEPT_BYTES_MAX:
        found.faults.append(f"{name}: {kept:,} bytes are kept of what is over")


def live(found: Found, name: str, seed: str, frames: int) -> None:
    """Let one target live; whatever it raises is a fault, with the seed that repeats it."""
    rng = Random(seed)
    target = TARGETS[name](rng)
    mutator = target.mutator
    try:
        while mutator.sent < frames:
            mutator.is_mild = rng.random() < 0.5
            target.attack(min(rng.randint(1, _STREAM), frames - mutator.sent))
            if rng.random() < 0.1:
                target.check()
        target.finish()
        gc.collect()
        sessions = sum(type(one) is Session for one in gc.get_objects())
        if sessions > SESSIONS_MAX:
            found.faults.append(f"{seed}: {sessions} sessions are kept of connections that ended")
    except Exception as error:  # noqa: BLE001 - anything at all is what is looked for
        found.faults.append(
            f"{seed}, frame {mutator.sent}: {type(error).__name__}: {str(error)[:300]}"
        )
    found.frames[name] += mutator.sent
    found.kinds += mutator.kinds
    for what, times in target.counts.items():
        found.counts[f"{name}: {what}"] += times
