"""A writer is killed at any moment: what it has said to be committed is there."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from neural_trader.execution.journal import Durability, Tail, verify, walk
from tests.integration.journal_writer import payload_of
from tests.tidy.tree import ROOT

KILLS = 20
MODES: tuple[Durability, ...] = ("process-safe", "power-safe")


class Fates:
    """Writers of one folder, each of which starts where the one before it died."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self.folder = folder
        self.durability = durability
        self.last = 0
        self.torn = 0
        self.seen = 0
        self.reader: Tail | None = None

    def run(self, seed: int, *, lines: int = 0, call: int = 0) -> None:
        """Start a writer and let it die, after so many lines or at such a call to the disk."""
        arguments = (str(self.folder), self.durability, str(seed), str(call))
        with subprocess.Popen(
            [sys.executable, "-m", "tests.integration.journal_writer", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as process:
            assert process.stdout is not None
            try:
                said = [process.stdout.readline() for _ in range(lines)]
            finally:
                if lines:
                    process.send_signal(signal.SIGKILL)
            # What it said before it died counts, but for a line that was cut.
            text = "".join(said) + process.stdout.read()
        assert process.returncode == -signal.SIGKILL
        told = [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        assert told == sorted(set(told))
        # The first line is what it found: nothing that was said before may be missing.
        assert not told or told[0] >= self.last
        self.last = max([self.last, *told])
        self.look()

    def look(self) -> None:
        """Check every record, by a reader that comes now and by one that was there all the time."""
        summary = verify(self.folder)
        assert summary.records == summary.last_seq >= self.last
        self.torn += summary.torn_bytes > 0
        for number, (seq, payload) in enumerate(walk(self.folder), 1):
            assert (seq, payload) == (number, payload_of(number))
        if self.reader is None:
            self.reader = Tail(self.folder)
        while found := self.reader.read():
            for seq, payload in found:
                self.seen += 1
                assert (seq, payload) == (self.seen, payload_of(self.seen))
        assert self.seen == summary.last_seq

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()


@pytest.mark.parametrize("durability", MODES)
def test_a_writer_that_is_killed_at_any_moment_loses_nothing(
    tmp_path: Path, durability: Durability
) -> None:
    moments = Random(17)
    fates = Fates(tmp_path / "journal", durability)
    for seed in range(KILLS):
        fates.run(seed, lines=moments.randint(1, 60))
    fates.close()
    assert fates.last > KILLS
    assert verify(fates.folder).segments > KILLS


@pytest.mark.parametrize("durability", MODES)
def test_a_writer_that_dies_within_a_call_to_the_disk_loses_nothing(
    tmp_path: Path, durability: Durability
) -> None:
    fates = Fates(tmp_path / "journal", durability)
    # The first calls are those of opening, which other folders go through as often.
    moments = Random(18)
    for seed in range(KILLS):
        fates.run(seed, call=moments.randint(1, 120 if seed % 2 else 15))
    fates.close()
    assert fates.torn > 0, "no writer died in the midst of a batch: the test shows nothing"
    assert fates.last > KILLS
