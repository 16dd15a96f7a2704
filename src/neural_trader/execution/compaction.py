"""Keeping a journal within bounds: old segments give way to a checkpoint.

This may run beside the gateway that writes the journal, in a process of its own: it reads what is
finished, writes the checkpoint, and only then removes what that stands for.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from neural_trader.core.errors import ConfigError, JournalError
from neural_trader.execution.checkpoint import take_image
from neural_trader.execution.gateway import Gateway
from neural_trader.execution.journal import FileJournal
from neural_trader.execution.journal.checkpoints import (
    Checkpoint,
    checkpoint_seq,
    write_checkpoint,
)
from neural_trader.execution.journal.format import is_segment, segment_name
from neural_trader.execution.journal.reading import Tail, contents

_LOCK: Final = ".compacting"


class Compacted(NamedTuple):
    """What a compaction did; ``first_seq`` is the first record that is kept now."""

    first_seq: int
    segments: int
    removed: int
    removed_bytes: int


def compact(
    folder: Path, keep: int, progress: Callable[[int, int], None] | None = None
) -> Compacted:
    """Keep the last segments of a journal, and a checkpoint for what came before them.

    Parameters
    ----------
    folder : Path
        The journal's; a gateway may be writing to it.
    keep : int
        Segments that stay, the one that is being written among them; 1 or more.
    progress : callable, optional
        Is told how many records are read, and of how many.

    Raises
    ------
    ConfigError
        ``keep`` is below 1.
    JournalError
        There is no journal, it is damaged, another compaction runs, or files cannot be written or
        removed. The journal is whole all the same.
    """
    if keep < 1:
        message = f"keep is {keep}; a journal keeps at least the segment that is being written"
        raise ConfigError(message)
    with _alone(folder):
        begin, firsts = contents(folder)
        first = firsts[-keep] if len(firsts) > keep else begin
        if first > begin:
            checkpoint = _checkpoint_before(folder, first, progress)
            write_checkpoint(folder, checkpoint)
        removed, size = _remove_before(folder, first)
        return Compacted(first, len(contents(folder)[1]), removed, size)


def _checkpoint_before(
    folder: Path, first: int, progress: Callable[[int, int], None] | None
) -> Checkpoint:
    journal = FileJournal.follow(folder, durability="process-safe")
    try:
        gateway = Gateway(_Part(journal, first, progress))
    finally:
        journal.close()
    with Tail(folder, first) as tail:
        # A place in a segment's header: the checksum of the record before it.
        return Checkpoint(first, tail.mark.chain, take_image(gateway.core, first))


class _Part:
    """The records of a journal before a number, which begins a segment."""

    def __init__(
        self, journal: FileJournal, end: int, progress: Callable[[int, int], None] | None
    ) -> None:
        self.first_seq = journal.first_seq
        self.next_seq = end
        self.checkpoint = journal.checkpoint
        self._journal = journal
        self._progress = progress

    def read(self, seq: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """Return records; what is read at once never goes beyond the end of a segment."""
        if self._progress is not None:
            self._progress(seq - self.first_seq, self.next_seq - self.first_seq)
        return self._journal.read(seq, bytes_max) if seq < self.next_seq else []

    def append(self, payload: bytes) -> int:
        """Refuse."""
        message = f"{len(payload)} bytes cannot be appended to the middle of a journal"
        raise JournalError(message)

    def commit(self) -> None:
        """Do nothing: nothing is written."""

    def close(self) -> None:
        """Leave the journal to its owner."""


def _remove_before(folder: Path, first: int) -> tuple[int, int]:
    """Remove what the checkpoint before a record stands for; return how many files and bytes."""
    removed = size = 0
    for path in sorted(folder.iterdir()):
        is_old = is_segment(path.name) and path.name < segment_name(first)
        is_old |= 0 < checkpoint_seq(path.name) < first
        if is_old:
            # Crash: files before the newest checkpoint are leftovers; the next run removes them.
            size += path.stat().st_size
            path.unlink()
            removed += 1
    return removed, size


@contextmanager
def uncompacted(folder: Path) -> Iterator[None]:
    """Let no compaction begin meanwhile, and wait for the end of one that runs.

    For whoever reads a journal from its first record on: a compaction would take away what has not
    been read yet. One may go on after the gateway that asked for it has been killed.

    Parameters
    ----------
    folder : Path
        The journal's; there may be none yet.
    """
    try:
        fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        # Where the lock cannot be made there is nothing to compact, or nobody who may.
        yield
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one compaction run at a time, and say of which journal an error of the system's is."""
    try:
        fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        message = f"there is no journal to compact in {folder}: {error.strerror or error}"
        raise JournalError(message) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        message = f"the journal {folder} is being compacted, or read by a gateway that starts"
        raise JournalError(message) from None
    except OSError as error:
        message = f"the journal {folder} could not be compacted: {error.strerror or error}"
        raise JournalError(message) from error
    finally:
        os.close(fd)
