"""kill -9 of client, gateway and venue at random moments under load."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from tests.reliability.audit import Audit
from tests.reliability.stack import stack

VICTIMS: Final = ("trader", "gateway", "venue")
_START: Final = ("venue", "gateway", "trader")


def kill_again_and_again(
    folder: Path,
    *,
    seed: int,
    kills: int,
    durability: str = "process-safe",
    victims: Sequence[str] = VICTIMS,
    progress: Callable[[], None] = lambda: None,
) -> Audit:
    """Kill one process or two, start them anew, and so on; return what the books say at the end.

    Most kills find all three at work, the others two that are still coming to terms with the last.
    """
    rng = Random(seed)
    killed: Counter[str] = Counter()
    # A deal, so that each of them dies as often as the others.
    order = [victims[at % len(victims)] for at in range(kills)]
    rng.shuffle(order)
    with stack(folder, seed, durability=durability) as one:
        while order:
            if rng.random() < 0.8:
                one.wait_for_fills(rng.randint(1, 200))
            time.sleep(rng.uniform(0.0, 0.1))
            dead = {order.pop()}
            if order and order[-1] not in dead and rng.random() < 0.15:
                dead.add(order.pop())
            for name in dead:
                one.kill(name)
                killed[f"killed: {name}"] += 1
                progress()
            for name in _START:
                if name in dead:
                    one.start(name)
        one.wait_for_fills(50)
        audit = one.finish()
    audit.counts += killed
    if audit.counts["Started"] != killed["killed: gateway"] + 1:
        audit.faults.append(f"{audit.counts['Started']} starts of the gateway are recorded")
    return audit
