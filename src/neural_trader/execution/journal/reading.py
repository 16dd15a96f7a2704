"""Reading a journal from its files: by its writer at the start, by everyone else at any time.

A reader takes no lock. What it finds after the last good record is one of three things. Zeros, or
nothing: the end. Bytes that are no good record, and no later batch behind them: the batch that was
being written, by a writer that lives (so it is read again) or died (a torn tail). Bad bytes with a
later batch behind them: damage, since batches are written one after the other.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

from neural_trader.core.errors import JournalError, RecordsGone
from neural_trader.execution.journal import format as layout
from neural_trader.execution.journal.checkpoints import checkpoint_seq, read_checkpoint
from neural_trader.execution.journal.format import MAGIC, RECORD, SEGMENT, START, Mark

CHUNK_BYTES: Final = 1 << 18
LOCK: Final = "lock"
SPARE: Final = "spare"
"""The segment that is being prepared, before it has a number."""

_NOT_CHANGED: Final = "Nothing was changed"

Records = list[tuple[int, bytes]]


class Summary(NamedTuple):
    """What a check of a whole journal found; ``torn_bytes`` were being written when a writer died.

    ``first_seq`` and ``last_seq`` are 0 where there is no record.
    """

    records: int
    segments: int
    first_seq: int
    last_seq: int
    bytes: int
    torn_bytes: int


class Tail:
    """A place in a journal from which records are read on and on, as they are written.

    Parameters
    ----------
    folder : Path
    seq : int
        The first record wanted, which need not be written yet. Where it is no longer kept, the
        first that is.

    Attributes
    ----------
    first_seq : int
        The first record that is kept.
    mark : Mark
        What the next record must be.
    path : Path or None
        The segment that is being read.
    at : int
        The byte in it at which the next record begins.
    torn_bytes : int
        Bytes after the last good record that are no record; ``check_end`` finds them all.
    torn_segment : Path or None
        A last segment whose making was not finished.

    Raises
    ------
    JournalError
        There is no journal, or it is damaged.
    """

    def __init__(self, folder: Path, seq: int = 1) -> None:
        self.folder = folder
        self.mark = START
        self.path: Path | None = None
        self.at = 0
        self.torn_bytes = 0
        self.torn_segment: Path | None = None
        self._fd = -1
        self._wanted = seq
        self._segments = 0
        self._bytes = 0
        if not folder.is_dir():
            message = f"there is no journal in {folder}; a gateway makes one when it starts"
            raise JournalError(message)
        self.first_seq, firsts = contents(folder)
        self._chain = 0
        if self.first_seq > 1:
            self._chain = read_checkpoint(folder, self.first_seq).chain
            self.mark = Mark(self.first_seq, self._chain, 0)
        if firsts or self.first_seq > 1:
            seq = max(seq, self.first_seq)
            if firsts[:1] != [self.first_seq]:
                raise _missing(folder, self.first_seq, firsts[0] if firsts else 0)
            # The last one may not have been finished; what is wanted then is at the end before it.
            for first in sorted((first for first in firsts if first <= seq), reverse=True)[:2]:
                if self._enter(first):
                    break

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Give the file back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def summary(self) -> Summary:
        """What has been read and found so far, for a reader that began at the first record."""
        records = self.mark.seq - self.first_seq
        ends = (self.first_seq, self.mark.seq - 1) if records else (0, 0)
        return Summary(records, self._segments, *ends, self._bytes + self.at, self.torn_bytes)

    def read(self, bytes_max: int = CHUNK_BYTES) -> Records:
        """Return the next records, some ``bytes_max`` at a time; none at the end.

        Raises
        ------
        RecordsGone
            They are no longer kept: the journal was compacted since the last ones were read.
        JournalError
            The journal is damaged here.
        """
        while True:
            found: Records = []
            if self._fd >= 0:
                found, size, mark = read_at(self._fd, self.at, self.mark, bytes_max)
            if found:
                self.at += size
                self.mark = mark
                self.torn_bytes = 0
                if found[0][0] < self._wanted:
                    found = [record for record in found if record[0] >= self._wanted]
                    if not found:
                        continue
                return found
            if not self._goes_on(is_thorough=False):
                return []

    def check_end(self) -> bool:
        """Look at every byte after the last good record; return whether there is more to read.

        ``read`` takes zeros for the end. Pages that a machine wrote out of order when it lost its
        power may hide records behind zeros: they are found here.

        Raises
        ------
        JournalError
            Good records stand behind bad bytes: the journal is damaged.
        """
        return self._goes_on(is_thorough=True)

    def _goes_on(self, *, is_thorough: bool) -> bool:
        """Return whether there is more to read after a place where no good record stood."""
        begin, firsts = contents(self.folder)
        if self.path is None:
            return bool(firsts) and self._enter(firsts[0])
        later = [first for first in firsts if first > int(self.path.stem)]
        if self.mark.seq in later:
            return self._enter(self.mark.seq)
        rest = self._rest(is_thorough=is_thorough)
        if later or (rest and layout.finds_batch_after(rest, self.mark.seq)):
            # A writer may have gone on between the two looks: what is seen now is older than that.
            if read_at(self._fd, self.at, self.mark, CHUNK_BYTES)[0]:
                return True
            if rest or not later:
                raise self._damage()
            if begin > self.mark.seq:
                raise _gone(self.folder, self.mark.seq)
            raise _missing(self.folder, self.mark.seq, later[0])
        self.torn_bytes = len(rest)
        return False

    def _rest(self, *, is_thorough: bool) -> bytes:
        """Return the bytes after the last good record, without the zeros at their end."""
        if not is_thorough and not os.pread(self._fd, RECORD.size, self.at).strip(b"\0"):
            return b""
        return _without_zeros(self._fd, self.at)

    def _enter(self, first: int) -> bool:
        """Go to the start of a segment; return False where its making was not finished."""
        path = self.folder / layout.segment_name(first)
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError as error:
            # It was there a moment ago: a checkpoint has taken its place.
            raise _gone(self.folder, first) from error
        try:
            begin = layout.read_segment_header(os.pread(fd, SEGMENT.size, 0))
            if begin is None:
                self.torn_bytes = len(self._torn_header(fd, path))
                self.torn_segment = path
                os.close(fd)
                return False
            self._check_begin(path, first, begin)
        except BaseException:
            os.close(fd)
            raise
        self.close()
        self._fd = fd
        self._segments += 1
        self._bytes += self.at
        self.path = path
        self.at = SEGMENT.size
        self.mark = begin
        self.torn_segment = None
        return True

    def _check_begin(self, path: Path, first: int, begin: Mark) -> None:
        """Check that a segment with a whole header is the one that belongs here."""
        is_known = self._fd >= 0 or first == self.first_seq
        chain = self.mark.chain if is_known else begin.chain
        if (begin.seq, begin.chain) != (first, chain):
            message = (
                f"{path} does not continue the journal: it says that it begins with record "
                f"{begin.seq} after checksum {begin.chain:08x}, and record {first} after "
                f"{chain:08x} should stand there. {_NOT_CHANGED}; put the file back that belongs "
                "there"
            )
            raise JournalError(message)

    def _torn_header(self, fd: int, path: Path) -> bytes:
        """Return the bytes of a segment whose making was not finished; refuse all else."""
        data = _without_zeros(fd, 0)
        head = data[: SEGMENT.size]
        name = MAGIC[:-2]
        if head[: len(name)] == name and head[len(name) : len(MAGIC)] != MAGIC[len(name) :]:
            version = head[len(name) : len(name) + 1]
            # A header that is cut within its magic is one that was being written.
            if len(head) > len(MAGIC) or (version and version != MAGIC[len(name) : -1]):
                message = (
                    f"{path} has version {version[0] if version else 0} of the format, and this "
                    f"program reads version {layout.VERSION}: use the neural-trader that wrote it. "
                    f"{_NOT_CHANGED}"
                )
                raise JournalError(message)
        elif not MAGIC.startswith(head[: len(MAGIC)]):
            message = (
                f"{path} is no segment of a journal: it begins with {head[: len(MAGIC)]!r} instead "
                f"of {MAGIC!r}. {_NOT_CHANGED}; move the file out of the folder if it does not "
                "belong there, or put the right one back from a copy"
            )
            raise JournalError(message)
        first = int(path.stem)
        # The header was on the disk before any record: a record behind a bad one means damage.
        is_last = first == segments(self.folder)[-1]
        if not is_last or layout.finds_batch_after(data[SEGMENT.size :], first - 1):
            message = (
                f"{path} is damaged at byte 0: the header before record {first} is not what was "
                f"written, and records follow it. {_NOT_CHANGED}; put the file back from a copy"
            )
            raise JournalError(message)
        return data

    def _damage(self) -> JournalError:
        seq = self.mark.seq
        return JournalError(
            f"{self.path} is damaged at byte {self.at}: record {seq} is not what was written, and "
            f"good records follow it. {_NOT_CHANGED}; put the file back from a copy. To give up "
            f"record {seq} and all that came after it instead, cut the file to {self.at} bytes "
            "(truncate -s) and remove the segments after it"
        )


def walk(folder: Path, seq: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yield numbers and payloads from record ``seq`` on, or the first kept, up to the present end.

    Takes no lock: a gateway may be writing to the journal.

    Raises
    ------
    RecordsGone
        The journal was compacted meanwhile, and what comes next is no longer kept.
    JournalError
        There is no journal, or it is damaged; what stood before the damage has been yielded.
    """
    with Tail(folder, seq) as tail:
        while True:
            if found := tail.read():
                yield from found
            elif not tail.check_end():
                return


def verify(folder: Path, progress: Callable[[int, int], None] | None = None) -> Summary:
    """Check every byte of a journal, and return what stands in it.

    Parameters
    ----------
    folder : Path
    progress : callable, optional
        Is told now and then how many bytes are done, and of how many.

    Raises
    ------
    JournalError
        There is no journal, or it is damaged: the message says where.
    """
    with Tail(folder) as tail:
        total = sum(
            (folder / layout.segment_name(first)).stat().st_size for first in segments(folder)
        )
        while True:
            if tail.read():
                if progress is not None:
                    progress(tail.summary.bytes, total)
            elif not tail.check_end():
                return tail.summary


def segments(folder: Path) -> list[int]:
    """Return the first numbers of a journal's segments, as ``contents`` does."""
    return contents(folder)[1]


def contents(folder: Path) -> tuple[int, list[int]]:
    """Return the first record that a journal keeps, and the first of each segment, ascending.

    Raises
    ------
    JournalError
        Something else stands in the folder; hidden files are let be.
    """
    begin = 1
    firsts = []
    for name in sorted(path.name for path in folder.iterdir()):
        if layout.is_segment(name):
            firsts.append(int(name[:16]))
        elif seq := checkpoint_seq(name):
            begin = seq
        elif name not in {LOCK, SPARE} and not name.startswith("."):
            message = (
                f"{folder / name} is no part of a journal; the folder of a journal holds nothing "
                "else: move it out, or choose another folder"
            )
            raise JournalError(message)
    # What a checkpoint stands for may still be there, if whoever was removing it died.
    return begin, [first for first in firsts if first >= begin]


def read_at(fd: int, at: int, mark: Mark, bytes_max: int) -> tuple[Records, int, Mark]:
    """Return good records that stand at a place, their bytes, and what comes after them.

    Their payloads are no longer than ``bytes_max`` together, unless the first alone is.
    """
    window = max(bytes_max, RECORD.size + 1)
    data = os.pread(fd, window, at)
    found: Records = []
    size, after = layout.scan(data, mark, found)
    if not found and layout.record_bytes(data) > len(data) == window:
        data = os.pread(fd, layout.record_bytes(data), at)
        size, after = layout.scan(data, mark, found)
    return found, size, after


def _without_zeros(fd: int, at: int) -> bytes:
    """Return what stands in a file from a byte on, without the zeros at the end."""
    pieces: list[bytes] = []
    zeros = bytes(CHUNK_BYTES)
    while piece := os.pread(fd, CHUNK_BYTES, at):
        at += len(piece)
        # Most of it is zeros: told by one comparison, and kept once.
        pieces.append(zeros if piece == zeros else piece)
    while pieces and pieces[-1] is zeros:
        pieces.pop()
    return b"".join(pieces).rstrip(b"\0")


def _gone(folder: Path, seq: int) -> RecordsGone:
    """Return the error of a record that a checkpoint stands for since this reader began."""
    return RecordsGone(
        f"record {seq} of the journal {folder} is no longer kept: the journal was compacted while "
        "it was being read; begin anew, with the first record that is kept"
    )


def _missing(folder: Path, seq: int, first: int) -> JournalError:
    """Return the error of records that should be there; ``first`` is 0 where none follow."""
    found = f"records {seq} to {first - 1} are missing, and {layout.segment_name(first)} follows"
    if not first:
        found = f"{layout.segment_name(seq)} is missing"
    return JournalError(
        f"the journal {folder} is not whole: {found}. {_NOT_CHANGED}; put the missing file back "
        "from a copy"
    )
