"""The journal on a disk: segments of chained records, one write for each commit.

``docs/journal.md`` has the format, what each mode promises, and what happens after a death at any
line of this module.
"""

import os
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self, get_args

from neural_trader.core.errors import ConfigError, JournalError, RecordsGone
from neural_trader.execution.journal import disk
from neural_trader.execution.journal.checkpoints import read_checkpoint
from neural_trader.execution.journal.disk import Durability
from neural_trader.execution.journal.format import (
    PAYLOAD_MAX,
    RECORD,
    RECORD_REST,
    RECORD_START,
    SEGMENT,
    Mark,
    peek,
    record_bytes,
    segment_name,
)
from neural_trader.execution.journal.reading import Tail, read_at, segments
from neural_trader.execution.journal.spare import Spare

SEGMENT_BYTES: Final = 64 << 20
"""The size of a segment, unless another is given."""
SEGMENT_BYTES_MIN: Final = 1 << 12
SEGMENT_BYTES_MAX: Final = 1 << 30
_MARK_BYTES: Final = 1 << 16
"""The place of one record in so many bytes is remembered, in 16 bytes of memory."""
_ENDS_MAX: Final = 64
_AGAIN_BYTES: Final = 1 << 20

_pack_start = RECORD_START.pack
_pack_rest = RECORD_REST.pack
_crc32 = zlib.crc32

_Place = tuple[int, int, Mark]
"""First number of a segment, a byte in it, and what the record there must be."""


class FileJournal:
    """A journal in a folder; written by one process at a time.

    ``open`` makes one that writes. ``follow`` makes one that reads on while another process writes,
    until that one hands it over: ``hand_over`` there, ``take_over`` here, or ``take_back`` there.

    Attributes
    ----------
    next_seq : int
        The number that the next payload gets.
    first_seq : int
        The first record that was kept when the journal was opened.
    checkpoint : bytes
        The state that the records before it come to; nothing where it is 1.
    folder : Path
    torn_bytes : int
        Bytes of a batch that was being written when the last writer died; they were cut off when
        the journal was opened. Nothing of that batch can have left the process.
    """

    __slots__ = (
        "_at",
        "_crc",
        "_ends",
        "_fd",
        "_firsts",
        "_is_flushed",
        "_limit",
        "_lock",
        "_marks_at",
        "_marks_seq",
        "_noted_at",
        "_parts",
        "_place",
        "_problem",
        "_segment_bytes",
        "_spare",
        "_tail",
        "checkpoint",
        "first_seq",
        "folder",
        "next_seq",
        "torn_bytes",
    )

    def __init__(self, folder: Path, durability: Durability, segment_bytes: int) -> None:
        if durability not in get_args(Durability):
            message = f"durability is {durability!r}; use one of {', '.join(get_args(Durability))}"
            raise ConfigError(message)
        if not SEGMENT_BYTES_MIN <= segment_bytes <= SEGMENT_BYTES_MAX:
            message = (
                f"segment_bytes is {segment_bytes}; use {SEGMENT_BYTES_MIN} to {SEGMENT_BYTES_MAX}"
            )
            raise ConfigError(message)
        self.folder = folder
        self._lock = -1
        self._is_flushed = durability == "power-safe"
        self._segment_bytes = segment_bytes
        self._limit = segment_bytes // 2
        self._parts: list[bytes] = []
        self._place = 0
        self._problem: str | None = None
        self._spare: Spare | None = None
        self._tail: Tail | None = None
        self._marks_seq = array("Q")
        self._marks_at = array("Q")
        self._noted_at = 0
        # Where the last reads ended: those who read on need not look for their place.
        self._ends: dict[int, _Place] = {}
        self._firsts: list[int] = []
        self._fd = -1
        self._at = 0
        self._crc = 0
        self.next_seq = 1
        self.first_seq = 1
        self.checkpoint = b""
        self.torn_bytes = 0

    @classmethod
    def open(
        cls, folder: Path, *, durability: Durability, segment_bytes: int = SEGMENT_BYTES
    ) -> Self:
        """Open a journal to write on, or begin one: check all of it, and cut a torn tail off.

        Parameters
        ----------
        folder : Path
            Made where it is missing, for its owner's eyes only.
        durability : {"process-safe", "power-safe"}
            What a commit survives: the death of the process, or that of the machine too.
        segment_bytes : int
            The size of the files that are made from now on, 4 KiB to 1 GiB.

        Raises
        ------
        ConfigError
            An argument cannot be used.
        JournalError
            Another process writes the journal, or it is damaged (then nothing was changed), or its
            files cannot be made, read or written.
        """
        journal = cls(folder, durability, segment_bytes)
        with _told(folder):
            disk.make_folder(folder)
            lock = disk.lock(folder)
            try:
                with Tail(folder) as tail:
                    journal._begin_at(tail.first_seq)
                    journal._read_on(tail, is_thorough=True)
                    journal._begin(tail, lock)
            except BaseException:
                os.close(lock)
                raise
        return journal

    @classmethod
    def follow(
        cls, folder: Path, *, durability: Durability, segment_bytes: int = SEGMENT_BYTES
    ) -> Self:
        """Open a journal that another process writes, to read it until ``take_over``.

        Parameters and errors are those of ``open``; nothing is changed.
        """
        journal = cls(folder, durability, segment_bytes)
        journal._problem = f"the journal {folder} is written by another process"
        with _told(folder):
            journal._tail = Tail(folder)
            journal._begin_at(journal._tail.first_seq)
            journal.read_on()
        return journal

    @property
    def durability(self) -> Durability:
        """What a commit survives."""
        return "power-safe" if self._is_flushed else "process-safe"

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal."""
        self.close()

    def append(self, payload: bytes) -> int:
        """Gather a payload for the next commit, and return its number.

        Raises
        ------
        ValueError
            The payload is empty, or longer than ``PAYLOAD_MAX`` bytes.
        JournalError
            The journal is closed.
        """
        if self._problem is not None:
            raise JournalError(self._problem)
        length = len(payload)
        if not 0 < length <= PAYLOAD_MAX:
            message = f"a payload of {length} bytes; a record takes 1 to {PAYLOAD_MAX}"
            raise ValueError(message)
        seq = self.next_seq
        rest = _pack_rest(self._crc, self._place, seq) + payload
        self._crc = crc = _crc32(rest)
        parts = self._parts
        parts.append(_pack_start(length, crc))
        parts.append(rest)
        self._place += 1
        self.next_seq = seq + 1
        return seq

    def commit(self) -> None:
        """Write what was gathered, in one call; in power-safe mode it is flushed when this returns.

        Raises
        ------
        JournalError
            The journal is closed, or was now, for good: the write or the flush failed.
        """
        parts = self._parts
        if not parts:
            if self._problem is not None:
                raise JournalError(self._problem)
            return
        data = b"".join(parts)
        size = len(data)
        at = self._at
        try:
            if at + size > self._limit:
                at = self._make_room(size)
            # Crash: before this line nothing of the batch exists. In it, some of the batch may
            # stand in the file: the next opener cuts it off. After it, all of the batch is there.
            if self._is_flushed:
                disk.write(self._fd, data, at, is_flushed=True)
            else:
                done = os.pwrite(self._fd, data, at)
                if done != size:
                    disk.write(self._fd, data[done:], at + done, is_flushed=False)
        except OSError as error:
            self._fail(error)
        if at >= self._noted_at + _MARK_BYTES:
            self._note(self.next_seq - self._place, at)
        self._at = at + size
        self._place = 0
        parts.clear()

    def read(self, seq: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """Return committed payloads from number ``seq`` on, with their numbers.

        At least one where there is one, and no more than fit into ``bytes_max``. Cost: a read from
        the page cache and a check of every record; who reads on where a read ended pays no more,
        others a search through some 64 KiB.

        Raises
        ------
        RecordsGone
            ``seq`` is no longer kept.
        JournalError
            The journal is closed, or what stands in it is no longer what was written.
        """
        if self._problem is not None and self._tail is None:
            raise JournalError(self._problem)
        if seq >= self.next_seq - self._place:
            return []
        try:
            first, at, mark = self._ends.pop(seq) if seq in self._ends else self._find(seq)
            found: list[tuple[int, bytes]] = []
            while not found:
                with _Reading(self.folder / segment_name(first)) as fd:
                    found, size, mark = read_at(fd, at, mark, bytes_max)
                if not found and not self._is_first(mark.seq):
                    raise self._damage(first, at, mark.seq)
                first, at = (first, at + size) if found else (mark.seq, SEGMENT.size)
        except FileNotFoundError as error:
            # Removed since this journal was opened, by whoever wrote the checkpoint after it.
            message = f"record {seq} of the journal {self.folder} is no longer kept"
            raise RecordsGone(message) from error
        except OSError as error:
            message = f"the journal {self.folder} cannot be read: {error.strerror or error}"
            raise JournalError(message) from error
        self._ends[mark.seq] = (first, at, mark)
        if len(self._ends) > _ENDS_MAX:
            del self._ends[next(iter(self._ends))]
        return found

    def read_on(self) -> None:
        """Find what the other process has written since; ``next_seq`` moves on.

        Raises
        ------
        JournalError
            This journal follows no other process, or what that one wrote is damaged.
        """
        if self._tail is None:
            message = f"the journal {self.folder} is this process's own: there is nothing to follow"
            raise JournalError(message)
        self._read_on(self._tail, is_thorough=False)
        self.next_seq, self._crc, _ = self._tail.mark
        self._firsts = segments(self.folder)

    def take_over(self, lock: int, next_seq: int, durability: Durability) -> None:
        """Write on where the other process ended.

        Parameters
        ----------
        lock : int
            The descriptor that ``hand_over`` gave there: the lock goes with it.
        next_seq : int
            The number of the first record that is to be written here.
        durability : {"process-safe", "power-safe"}
            That of the other process: what it has flushed need not be flushed again.

        Raises
        ------
        JournalError
            The journal does not end before ``next_seq``, or its files cannot be made ready.
        """
        self.read_on()
        tail = self._tail
        if tail is None or self.next_seq != next_seq:
            message = (
                f"the journal {self.folder} was handed over at record {next_seq}, and ends before "
                f"record {self.next_seq}"
            )
            raise JournalError(message)
        with _told(self.folder), tail:
            self._tail = None
            self._begin(tail, lock, is_flushed=durability == "power-safe")
            disk.sign(lock)

    def hand_over(self) -> int:
        """Write no more, and return the descriptor of the lock; ``take_back`` undoes it."""
        self._check_all_written()
        self._problem = f"the journal {self.folder} was handed over to another process"
        return self._lock

    def take_back(self) -> None:
        """Write on, since the process that it was handed over to is gone.

        Raises
        ------
        JournalError
            That process has written to it: this one no longer knows what is true.
        """
        later = segments(self.folder)[-1] != self._firsts[-1]
        if later or os.pread(self._fd, RECORD.size, self._at).strip(b"\0"):
            self._problem = (
                f"the process that took over the journal {self.folder} wrote to it and died; start "
                "anew, and what it wrote is read"
            )
            raise JournalError(self._problem)
        self._problem = None
        # The other one has removed what was being made ready for this one.
        self._drop_spare()
        self._spare = Spare(self.folder, self._segment_bytes, is_flushed=self._is_flushed)

    def close(self) -> None:
        """Give the files and the lock back; what was not committed is dropped."""
        if self._tail is not None:
            self._tail.close()
            self._tail = None
        if self._lock < 0:
            return
        # A segment that keeps its zeros, or a lock its number, is as good.
        with suppress(OSError):
            if self._problem is None:
                os.ftruncate(self._fd, self._at)
            os.ftruncate(self._lock, 0)
        self._problem = self._problem or f"the journal {self.folder} is closed"
        self._parts.clear()
        self._drop_spare()
        os.close(self._fd)
        os.close(self._lock)
        self._lock = -1

    def _drop_spare(self) -> None:
        if self._spare is not None:
            self._spare.drop()
            self._spare = None

    def _check_all_written(self) -> None:
        if self._problem is not None:
            raise JournalError(self._problem)
        if self._parts:
            message = f"{self._place} records were not committed; commit them first"
            raise JournalError(message)

    def _begin_at(self, first_seq: int) -> None:
        """Take the checkpoint for what is no longer kept."""
        self.first_seq = first_seq
        if first_seq > 1:
            self.checkpoint = read_checkpoint(self.folder, first_seq).data

    def _read_on(self, tail: Tail, *, is_thorough: bool) -> None:
        """Check what stands there, and remember some places of it."""
        while tail.read(_MARK_BYTES) or (is_thorough and tail.check_end()):
            if not self._noted_at <= tail.at < self._noted_at + _MARK_BYTES:
                self._note(tail.mark.seq, tail.at)

    def _begin(self, tail: Tail, lock: int, *, is_flushed: bool = False) -> None:
        """Become the writer; the lock is this journal's only if that succeeds."""
        self._spare = Spare(self.folder, self._segment_bytes, is_flushed=self._is_flushed)
        try:
            self._go_on_after(tail)
            if self._is_flushed and not is_flushed:
                self._flush_all()
        except BaseException:
            self._drop_spare()
            if self._fd >= 0:
                os.close(self._fd)
            raise
        self._problem = None
        self._lock = lock

    def _go_on_after(self, tail: Tail) -> None:
        """Make the files ready to be written where the last good record ends."""
        self.torn_bytes = tail.torn_bytes
        self.next_seq, self._crc, _ = tail.mark
        if tail.torn_segment is not None:
            # Crash: once it is gone, the segment before it ends the journal.
            tail.torn_segment.unlink()
        if tail.path is None:
            self._fd = self._own_spare().turn_into(tail.mark)
            self._at = SEGMENT.size
        else:
            self._fd = os.open(tail.path, os.O_RDWR)
            self._at = tail.at
            self._noted_at = min(self._noted_at, self._at)
            is_torn = tail.torn_bytes or tail.torn_segment is not None
            if is_torn or os.fstat(self._fd).st_size != self._segment_bytes:
                # Crash: a segment that ends after its last record is as good as one with zeros.
                # Cut before it is filled: no byte of what was torn may ever stand there again.
                os.ftruncate(self._fd, self._at)
                disk.fill(self._fd, self._at, self._segment_bytes, is_flushed=self._is_flushed)
        self._firsts = segments(self.folder)

    def _flush_all(self) -> None:
        """Flush what an earlier writer left to the machine: this one builds upon it."""
        # After a flush that failed, the last batch may be in memory alone and count as flushed: it
        # is written anew, so that the flush takes it along.
        for at in range(0, self._at, _AGAIN_BYTES):
            data = os.pread(self._fd, min(_AGAIN_BYTES, self._at - at), at)
            disk.write(self._fd, data, at, is_flushed=False)
        for first in self._firsts:
            with _Reading(self.folder / segment_name(first)) as fd:
                disk.flush(fd)
        disk.flush_folder(self.folder)

    def _make_room(self, size: int) -> int:
        """Return where a batch goes; have the next segment made, or turn to it."""
        self._own_spare().start()
        self._limit = self._segment_bytes
        # A batch longer than a segment has one for itself, which grows.
        if self._at + size <= self._segment_bytes or self._at == SEGMENT.size:
            return self._at
        chain: int = RECORD_REST.unpack_from(self._parts[1])[0]
        first = self.next_seq - self._place
        fd = self._own_spare().turn_into(Mark(first, chain, 0))
        # Crash: the zeros that the finished segment keeps then are taken for its end.
        os.ftruncate(self._fd, self._at)
        os.close(self._fd)
        self._fd = fd
        self._firsts.append(first)
        self._limit = self._segment_bytes // 2
        self._noted_at = 0
        self._at = SEGMENT.size
        return SEGMENT.size

    def _own_spare(self) -> Spare:
        if self._spare is None:
            message = f"the journal {self.folder} is not this process's to write"
            raise JournalError(message)
        return self._spare

    def _fail(self, error: OSError) -> None:
        """Close the journal for good after a failed write: it is not known what stands there."""
        self._problem = (
            f"the journal {self.folder} could not be written: {error.strerror or error}. It is "
            "closed for good: a flush that failed must not be tried again. See to the disk, then "
            "start anew; what was acknowledged is there"
        )
        self._parts.clear()
        raise JournalError(self._problem) from error

    def _note(self, seq: int, at: int) -> None:
        self._marks_seq.append(seq)
        self._marks_at.append(at)
        self._noted_at = at

    def _is_first(self, seq: int) -> bool:
        return self._firsts[bisect_right(self._firsts, seq) - 1] == seq

    def _find(self, seq: int) -> _Place:
        """Return where a record stands, from the nearest mark on."""
        if seq < 1:
            message = f"seq is {seq}; records are numbered from 1"
            raise ValueError(message)
        if seq < self._firsts[0]:
            message = (
                f"record {seq} of the journal {self.folder} is no longer kept; the first is "
                f"{self._firsts[0]}"
            )
            raise RecordsGone(message)
        first = now = self._firsts[bisect_right(self._firsts, seq) - 1]
        at = SEGMENT.size
        nearest = bisect_right(self._marks_seq, seq) - 1
        if nearest >= 0 and self._marks_seq[nearest] > first:
            now, at = self._marks_seq[nearest], self._marks_at[nearest]
        with _Reading(self.folder / segment_name(first)) as fd:
            data = b""
            inside = 0
            while True:
                if inside + RECORD.size > len(data):
                    at += inside
                    inside = 0
                    data = os.pread(fd, _MARK_BYTES, at)
                if now == seq and len(data) - inside >= RECORD.size:
                    return first, at + inside, peek(data[inside : inside + RECORD.size])
                size = record_bytes(data, inside)
                if not size:
                    raise self._damage(first, at + inside, now)
                inside += size
                now += 1

    def _damage(self, first: int, at: int, seq: int) -> JournalError:
        return JournalError(
            f"{self.folder / segment_name(first)} is damaged at byte {at}: record {seq} is no "
            "longer what was written; put the file back from a copy"
        )


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say of which journal an error of the system's is."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        message = (
            f"the journal {folder} cannot be opened: {error.strerror or error}{where}; it needs a "
            "folder that is yours, on a disk with room for two segments"
        )
        raise JournalError(message) from error


class _Reading:
    """A file open for reading."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY)

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
