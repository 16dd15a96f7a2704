"""One seed is one history: play it, and find the shortest part of it that breaks a promise."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from neural_trader.execution import Gateway
from neural_trader.execution.checkpoint import take_image
from neural_trader.execution.journal import FileJournal
from tests.simulation.watch import Broken, hold
from tests.simulation.world import World

STEPS: Final = 400
"""Steps of a history."""


class Failure(NamedTuple):
    """How a history ended badly; ``what`` is the promise, or the kind of an error."""

    seed: int
    what: str
    detail: str


def play(seed: int, steps: Iterable[int] = range(STEPS), names: list[str] | None = None) -> World:
    """Let a history happen, heal what it broke, and hold everything to its promises.

    Parameters
    ----------
    seed : int
    steps : iterable of int
        Those that happen.
    names : list of str, optional
        Takes the name of each step.

    Raises
    ------
    Broken
        A promise was not kept.
    """
    world = World(seed)
    with world.disk.installed():
        for step in steps:
            name = world.step(step)
            if names is not None:
                names.append(name)
        world.heal()
        _replay(world)
    return world


def _replay(world: World) -> None:
    """Hold the state that the journal gives to the state that came to be, byte for byte."""
    journal = FileJournal.follow(world.disk.path, durability=world.durability)
    again = take_image(Gateway(journal).core, journal.next_seq)
    now = take_image(world.running.core, journal.next_seq)
    hold("the journal gives the same state", kept=again == now)
    journal.close()


def failure_of(
    seed: int, steps: Iterable[int] = range(STEPS)
) -> tuple[Failure | None, Counter[str]]:
    """Play a history, and return how it failed, if it did, and what happened in it."""
    quiet = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        return None, play(seed, steps).counts()
    except Broken as broken:
        return Failure(seed, broken.promise, broken.args[1]), Counter()
    except Exception as error:  # noqa: BLE001 - anything at all is what is looked for
        return Failure(seed, type(error).__name__, str(error)), Counter()
    finally:
        logging.disable(quiet)


def shrink(failure: Failure, steps: Sequence[int] = range(STEPS)) -> list[int]:
    """Return some few of the steps that still fail in the same way.

    Leaves out ever smaller pieces for as long as that goes (Zeller and Hildebrandt 2002, ddmin).
    """
    kept = list(steps)
    size = len(kept) // 2
    while size:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + size :]
            found, _ = failure_of(failure.seed, fewer)
            if found is not None and found.what == failure.what:
                kept = fewer
            else:
                at += size
        size //= 2
    return kept


def names_of(seed: int, steps: Iterable[int]) -> list[str]:
    """Return what the steps of a history are called, up to where it fails."""
    names: list[str] = []
    # How it ends is known: what led to it is wanted.
    with suppress(Exception):
        play(seed, steps, names)
    return names
