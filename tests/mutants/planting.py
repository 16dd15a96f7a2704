"""A copy of the package in which mistakes are planted, and tests that run on it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from tests.mutants.choice import EXECUTION, ROOT

STAGES: Final = {
    "simulation": "tests/simulation",
    "unit tests": "tests/unit/execution",
    "conformance": "tests/conformance",
}
"""What looks for a mistake, in this order."""
_LATER: Final = ("journal", "venues")
"""Folders of the unit tests that take long, and are about nothing else than their names."""
_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_PACKAGE: Final = "src/neural_trader"


class PatchError(Exception):
    """A patch that does not fit what it was made for."""


class Outcome(NamedTuple):
    """What a run of tests came to: ``code`` is None where it had to be ended."""

    code: int | None
    said: str

    @property
    def failed(self) -> str:
        """The first test that failed, or how the run ended."""
        names = re.findall(r"^(?:FAILED|ERROR) (\S+)", self.said, re.MULTILINE)
        return names[0] if names else f"exit code {self.code}"


class Copy:
    """A folder with a copy of the package; one change at a time is planted in it.

    Parameters
    ----------
    folder : Path
        Empty; made where it is missing.
    root : Path
        Where the package is taken from. The copy is planted in and restored without another look
        at it, so that whoever works there meanwhile disturbs nothing.
    """

    def __init__(self, folder: Path, root: Path = ROOT) -> None:
        self.folder = folder
        self._good: dict[str, str] = {}
        self._running: subprocess.Popen[str] | None = None
        self._is_stopped = False
        package = folder / _PACKAGE
        # The modules in which something is planted stay without bytecode: a mutant may have the
        # size and the second of another, and would be taken for it.
        shutil.copytree(root / _PACKAGE, package, ignore=shutil.ignore_patterns("*.c"))
        for cache in (folder / EXECUTION).rglob("__pycache__"):
            shutil.rmtree(cache)

    def plant(self, files: dict[str, str]) -> None:
        """Put changed files, named from the root, in the place of the good ones."""
        for name, text in files.items():
            path = self.folder / name
            self._good[name] = path.read_text(encoding="utf-8")
            path.write_text(text, encoding="utf-8")

    def restore(self) -> None:
        """Take the good files again."""
        for name, text in self._good.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self._good.clear()

    def try_tests(
        self, stage: str, *, seeds_max: int, timeout_s: float, group: str = ""
    ) -> Outcome:
        """Run the tests of a stage on the copy, until the first that fails.

        ``group`` says what is changed: tests of that come first.

        Raises
        ------
        RuntimeError
            They ran on another package, or there were none.
        """
        scratch = self.folder / "scratch"
        arguments = [*_in_order(STAGES[stage], group), f"--basetemp={scratch}"]
        # With CI set, hypothesis tries the same examples every time, and keeps none.
        environment = os.environ | {
            "PYTHONPATH": str(self.folder / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "1",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.child", str(seeds_max), *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            self._running = process
            if self._is_stopped:
                self.stop()
            try:
                said, _ = process.communicate(timeout=timeout_s)
                code: int | None = process.returncode
            except subprocess.TimeoutExpired:
                _kill(process)
                said, _ = process.communicate()
                code = None
            finally:
                _kill(process)
                self._running = None
        shutil.rmtree(scratch, ignore_errors=True)
        outcome = Outcome(code, said)
        self._check(outcome)
        return outcome

    def stop(self) -> None:
        """End what is running, from another thread, and whatever would run next."""
        self._is_stopped = True
        if (running := self._running) is not None:
            _kill(running)

    def _check(self, outcome: Outcome) -> None:
        """Hold a run to have seen the copy: its first line says where the package came from."""
        if self._is_stopped or (outcome.code is not None and outcome.code < 0):
            return
        first = outcome.said.partition("\n")[0]
        is_ours = Path(first).is_relative_to(self.folder / _PACKAGE)
        # A package that cannot even be imported fails before it says where it is.
        is_broken = first.startswith("Traceback") and str(self.folder) in outcome.said
        if not (is_ours or is_broken) or outcome.code in (4, 5):
            message = (
                f"the tests did not run on the copy in {self.folder}:\n{outcome.said[-2_000:]}"
            )
            raise RuntimeError(message)


def patched(patch: str, root: Path = ROOT) -> dict[str, str]:
    """Return the files that a unified diff changes, as it leaves them.

    As with ``patch -p1``, a hunk may stand some lines from where it says; its text must be there.

    Raises
    ------
    PatchError
        A hunk's text is not there.
    """
    files: dict[str, list[str]] = {}
    name, moved = "", 0
    for part in re.split(r"(?m)^(?=\+\+\+ |@@ )", patch):
        lines = part.split("\n")
        if part.startswith("+++ "):
            name = lines[0].removeprefix("+++ ").partition("\t")[0].partition("/")[2]
            files[name] = (root / name).read_text(encoding="utf-8").split("\n")
            moved = 0
        elif (begin := _HUNK.match(part)) is not None:
            body = [line for line in lines[1:] if line[:1] in (" ", "+", "-") and line != "-- "]
            body = [line for line in body if not line.startswith("--- ")]
            old = [line[1:] for line in body if line[0] != "+"]
            new = [line[1:] for line in body if line[0] != "-"]
            at = _nearest(files[name], old, int(begin[1]) - 1 + moved)
            if at is None:
                message = f"{name}: what should be changed is not there:\n" + "\n".join(old)
                raise PatchError(message)
            files[name][at : at + len(old)] = new
            moved += len(new) - len(old)
    if not files:
        message = "this is no unified diff"
        raise PatchError(message)
    return {name: "\n".join(lines) for name, lines in files.items()}


def _in_order(folder: str, group: str) -> list[str]:
    """Return the tests of a folder: all of them, those first that are quick or about the group."""
    within = sorted((ROOT / folder).iterdir())
    later = [path for path in within if path.name in _LATER and path.name != group]
    first = [path for path in within if path.name == group]
    others = [path for path in within if path.match("test_*.py")]
    return [path.relative_to(ROOT).as_posix() for path in (*first, *others, *later)] or [folder]


def _nearest(lines: list[str], wanted: list[str], near: int) -> int | None:
    places = [
        at for at in range(len(lines) - len(wanted) + 1) if lines[at : at + len(wanted)] == wanted
    ]
    return min(places, key=lambda at: abs(at - near), default=None)


def _kill(process: subprocess.Popen[str]) -> None:
    """End a run and whatever it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
