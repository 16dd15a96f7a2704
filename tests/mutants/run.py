"""Plant bugs in the gateway, and see whether the tests find them: ``make mutants MUTANTS=100``.

Each mutant, and each named bug, is planted in a copy of the package; then the simulator, the unit
tests and the conformance tests look for it, in that order. A mutant that nobody finds has to stand
in ``equivalent.toml`` with the reason why it changes nothing. Prints what nobody found, then a
table; exit code 1 where the list and the truth differ.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Final, NamedTuple

from tests.mutants.choice import EXECUTION, all_mutants, bugs, choose, equivalents, source_of
from tests.mutants.planting import STAGES, Copy, Outcome, patched

WORKERS: Final = 2
SEEDS_MAX: Final = 40
"""Seeds that the simulator gets: most bugs are found by one of the first."""
_PATIENCE_S: Final = 20.0
_PATIENCE: Final = 5.0
_EQUIVALENT: Final = "listed as equivalent"
_SURVIVED: Final = "survived"


class Planted(NamedTuple):
    """A change to be found: the files that it changes, and how a person reads it."""

    group: str
    name: str
    files: dict[str, str]
    shown: str


class Verdict(NamedTuple):
    """What became of a change: the stage that found it, or None; ``by`` is the test."""

    planted: Planted
    stage: str | None
    by: str
    seconds: float


class Hunt:
    """Copies of the package, and what is known of the tests on a good one.

    Attributes
    ----------
    root : Path
        Where the modules stand that mutants are made of.
    """

    def __init__(self, folder: Path) -> None:
        first = Copy(folder / "copy-1")
        others = [Copy(folder / f"copy-{n}", first.folder) for n in range(2, WORKERS + 1)]
        self._copies = [first, *others]
        self.root = first.folder
        self._free: SimpleQueue[Copy] = SimpleQueue()
        for one in self._copies:
            self._free.put(one)
        self._patience: dict[str, float] = {}

    def try_good(self) -> None:
        """Run all tests on the package as it is: they must pass, and tell how long they take.

        Raises
        ------
        RuntimeError
            They do not pass.
        """
        for stage in STAGES:
            begun = time.monotonic()
            outcome = self._copies[0].try_tests(stage, seeds_max=_seeds(stage), timeout_s=600.0)
            if outcome.code != 0:
                message = (
                    f"nothing is planted, and {outcome.failed} fails:\n{outcome.said[-4_000:]}"
                )
                raise RuntimeError(message)
            self._patience[stage] = _PATIENCE_S + _PATIENCE * (time.monotonic() - begun)

    def find(self, planted: Planted) -> Verdict:
        """Plant a change, and let the tests look for it."""
        copy = self._free.get()
        begun = time.monotonic()
        try:
            copy.plant(planted.files)
            stage, outcome = self._look(copy, planted.group)
        finally:
            copy.restore()
            self._free.put(copy)
        by = outcome.failed if stage is not None else ""
        if stage is not None and outcome.code is None:
            stage, by = "timed out", stage
        return Verdict(planted, stage, by, time.monotonic() - begun)

    def stop(self) -> None:
        """End what is running."""
        for one in self._copies:
            one.stop()

    def _look(self, copy: Copy, group: str) -> tuple[str | None, Outcome]:
        outcome = Outcome(0, "")
        for stage in STAGES:
            patience = self._patience[stage]
            outcome = copy.try_tests(
                stage, seeds_max=_seeds(stage), timeout_s=patience, group=group
            )
            if outcome.code != 0:
                return stage, outcome
        return None, outcome


def _seeds(stage: str) -> int:
    return SEEDS_MAX if stage == "simulation" else 0


# -------------------------------------------------------------------------------- what is planted
def planted_mutants(root: Path, count: int, seed: int, only: list[str]) -> list[Planted]:
    """Return the mutants of a seed, or those that are named."""
    mutants = all_mutants(root)
    if only:
        chosen = {
            group: [one for one in found if one.name in only] for group, found in mutants.items()
        }
    else:
        chosen = choose(mutants, count, seed)
    return [
        Planted(
            group,
            one.name,
            {(EXECUTION / one.path).as_posix(): one.planted(source_of(one.path, root))},
            one.shown(source_of(one.path, root)),
        )
        for group, found in chosen.items()
        for one in found
    ]


def planted_bugs(root: Path, only: list[str]) -> list[Planted]:
    """Return the named bugs, or those of them that are wanted."""
    found = []
    for path in bugs():
        if not only or path.stem in only:
            text = path.read_text(encoding="utf-8")
            found.append(Planted("bugs", path.stem, patched(text, root), text.partition("\n")[0]))
    return found


# ---------------------------------------------------------------------------------------- the run
def hunt_all(hunt: Hunt, all_planted: list[Planted], listed: Iterable[str]) -> list[Verdict]:
    """Look for all of them; tell of those that nobody finds, and how far it is."""
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        left: set[Future[Verdict]] = {pool.submit(hunt.find, one) for one in all_planted}
        try:
            while left:
                done, left = wait(left, return_when=FIRST_COMPLETED)
                verdicts += [one.result() for one in done]
                for verdict in (one.result() for one in done):
                    _tell(verdict, listed)
                progress = f"\r{len(verdicts)} of {len(all_planted)}"
                print(progress, end="", file=sys.stderr, flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            hunt.stop()
            raise
    print(file=sys.stderr)
    return verdicts


def _tell(verdict: Verdict, listed: Iterable[str]) -> None:
    planted = verdict.planted
    if verdict.stage is None and planted.name not in listed:
        print(f"\rSURVIVED {planted.name}\n    {planted.shown}", flush=True)
    elif verdict.stage is not None and planted.name in listed:
        print(f"\rNOT EQUIVALENT {planted.name}: {verdict.by}", flush=True)


def tell_table(verdicts: list[Verdict], listed: Iterable[str]) -> None:
    """Print who found how many, by group."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in verdicts:
        word = _EQUIVALENT if one.planted.name in listed else _SURVIVED
        word = f"found by {one.stage}" if one.stage in STAGES else one.stage or word
        counts[word, one.planted.group] += 1
    groups = list(dict.fromkeys(one.planted.group for one in verdicts))
    rows = [*(f"found by {stage}" for stage in STAGES), "timed out", _EQUIVALENT, _SURVIVED]
    print(f"{'':22}" + "".join(f"{group:>9}" for group in groups) + f"{'all':>9}")
    for row in rows:
        figures = [counts[row, group] for group in groups]
        print(f"{row:22}" + "".join(f"{one:9}" for one in (*figures, sum(figures))))


def parse() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this alone")
    parser.add_argument("--bugs", action="store_true", help="the named bugs alone")
    parser.add_argument("--verbose", action="store_true", help="say who found each")
    return parser.parse_args()


def main() -> int:
    """Run it, and return the exit code."""
    asked = parse()
    listed = equivalents()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        hunt = Hunt(Path(folder))
        names = {one.name for found in all_mutants(hunt.root).values() for one in found}
        planted = planted_bugs(hunt.root, asked.only)
        if not asked.bugs:
            planted += planted_mutants(hunt.root, asked.count, asked.seed, asked.only)
        if not planted:
            print(f"no mutant and no bug is called {' or '.join(asked.only)}", file=sys.stderr)
            return 2
        print(
            f"seed {asked.seed}: {len(planted)} changes, of {len(names):,} mutants that there are"
        )
        hunt.try_good()
        verdicts = hunt_all(hunt, planted, listed)
    if asked.verbose:
        for one in sorted(verdicts, key=lambda one: (one.stage or "", one.planted.name)):
            print(f"{one.stage or '-':12} {one.seconds:5.1f} s  {one.planted.name}  {one.by}")
    tell_table(verdicts, listed)
    gone = sorted(set(listed) - names)
    for name in gone:
        print(f"NO LONGER THERE {name}: take it off the list")
    is_wrong = [one for one in verdicts if (one.stage is None) != (one.planted.name in listed)]
    return 1 if gone or is_wrong else 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
