"""A disk that is all in memory, and fails when it is told to: the journal's real code runs on it.

``SimulatedDisk.installed`` puts it in the place of ``os``, ``fcntl`` and ``threading`` in the
modules of the journal; a ``DiskPath`` is the folder that they are given. What a program sees and
what would survive a loss of power are kept apart: writes survive once they are flushed, names once
their folder is; anything else survives in part, torn between sectors, or not at all.
"""

import errno
import fcntl
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from random import Random
from types import SimpleNamespace
from typing import Any, ClassVar, Final, cast

from neural_trader.execution import compaction
from neural_trader.execution.journal import checkpoints, disk, file, reading, spare
from neural_trader.execution.journal.format import (
    RECORD,
    RECORD_START,
    SEGMENT,
    record_bytes,
    segment_name,
)

SECTOR: Final = 512
FLIPS: Final = "bit_flipped"
CRASHES: Final = ("crash_before_write", "crash_after_write", "torn_write")
WRITE_FAULTS: Final = ("short_write", "write_failed", "disk_full")
FLUSH_FAULTS: Final = ("flush_failed",)
_MODULES: Final = (disk, file, reading, spare, checkpoints, compaction)

_CALLS: Final = (
    *("open", "close", "pread", "pwrite", "pwritev", "fsync", "fdatasync", "ftruncate", "fstat"),
    "access",
)
_FLAGS: Final = (
    *("O_RDONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_DIRECTORY", "W_OK", "X_OK", "strerror"),
)


class Crashed(BaseException):
    """The process is dead: nothing that it does counts any more."""


class Inode:
    """A file: what programs see, what is on the disk for sure, and what lies between."""

    __slots__ = ("data", "holder", "pending", "synced")

    def __init__(self) -> None:
        self.data = bytearray()
        self.synced = bytearray()
        self.pending: list[tuple[int, bytes | None]] = []
        self.holder: object = None

    def flush(self, rng: Random | None = None) -> None:
        """Bring what is pending to the disk; with dice, in part, torn between sectors."""
        for at, data in self.pending:
            if data is None:
                # A file was cut, or made longer.
                if rng is None or rng.random() < 0.5:
                    del self.synced[at:]
                    _put(self.synced, at, b"")
                continue
            for start in range(0, len(data), SECTOR):
                if rng is None or rng.random() < 0.5:
                    _put(self.synced, at + start, data[start : start + SECTOR])
        self.pending.clear()


class DiskPath(PurePosixPath):
    """A path on the simulated disk, with those methods of ``Path`` that the journal uses."""

    disk: ClassVar["SimulatedDisk"]

    def iterdir(self) -> Iterator["DiskPath"]:
        """Yield what is in the folder."""
        return iter([self / name for name in self.disk.names])

    def is_dir(self) -> bool:
        """Return whether it is the one folder that there is."""
        return self == self.disk.folder and self.disk.has_folder

    def exists(self) -> bool:
        """Return whether it is there."""
        return self.name in self.disk.names

    def mkdir(self, **_: object) -> None:
        """Make the folder."""
        self.disk.has_folder = True

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove a file."""
        if self.name not in self.disk.names:
            if missing_ok:
                return
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        self.disk.change("unlink", self.name)

    def rename(self, target: "DiskPath") -> None:
        """Give a file another name, at once."""
        self.disk.change("rename", self.name, target.name)

    replace = rename

    def read_bytes(self) -> bytes:
        """Return what is in a file."""
        return bytes(self.disk.inode(self).data)

    def stat(self) -> SimpleNamespace:
        """Return a file's size."""
        return SimpleNamespace(st_size=len(self.disk.inode(self).data))


class SimulatedDisk:
    """One folder, its files, and the faults that are planned.

    Parameters
    ----------
    rng : Random
        Decides what survives.
    is_flushed : bool
        Whether flushes are kept account of: without them no loss of power can be simulated.

    Attributes
    ----------
    happened : Counter
        The faults that happened, by name.
    names : dict
        The folder as programs see it.
    """

    def __init__(self, rng: Random, *, is_flushed: bool) -> None:
        self.rng = rng
        self.is_flushed = is_flushed
        self.happened: Counter[str] = Counter()
        self.folder = DiskPath("/journal")
        self.has_folder = False
        self.names: dict[str, Inode] = {}
        self.is_dead = False
        self._synced_names: dict[str, Inode] = {}
        self._changes: list[tuple[str, ...]] = []
        self._made: dict[tuple[str, ...], Inode] = {}
        self._fds: dict[int, Inode | None] = {}
        self._next_fd = 100
        self._fault = ""
        self._countdown = 0

    @property
    def path(self) -> Path:
        """The journal's folder, as the journal wants it called."""
        return cast("Path", self.folder)

    # ------------------------------------------------------------------------------------- faults
    def plan(self, fault: str, after: int) -> None:
        """Let something go wrong after so many operations of the kind that it concerns."""
        self._fault = fault
        self._countdown = after

    def _is_due(self, *faults: str) -> str:
        if self.is_dead:
            raise Crashed
        if self._fault not in faults:
            return ""
        if self._countdown > 0:
            self._countdown -= 1
            return ""
        fault, self._fault = self._fault, ""
        self.happened[fault] += 1
        return fault

    def die(self) -> None:
        """End the process in the midst of what it does."""
        self.is_dead = True
        raise Crashed

    def restart(self, *, has_power: bool = True) -> None:
        """Give the next process what the last one left; without power, what the disk has."""
        self.is_dead = False
        self._fault = ""
        for inode in self._fds.values():
            if inode is not None:
                inode.holder = None
        self._fds.clear()
        if not has_power:
            self._lose_power()

    def _lose_power(self) -> None:
        rng = self.rng
        names = dict(self._synced_names)
        for change in self._changes[: rng.randint(0, len(self._changes))]:
            self._apply(names, change)
        self.names = names
        self._synced_names = dict(names)
        self._changes.clear()
        self._made.clear()
        for inode in names.values():
            inode.flush(rng)
            inode.data = bytearray(inode.synced)

    def safe_bytes(self) -> Iterator[tuple[Inode, int]]:
        """Yield files, and how many of their bytes stand before the journal's last batch."""
        # Segments that a checkpoint stands for are leftovers, which nobody reads.
        last = True
        for name in map(segment_name, reversed(reading.contents(self.path)[1])):
            data = bytes(self.names[name].data)
            at = begin = SEGMENT.size
            while size := _good_bytes(data, at):
                if not RECORD.unpack_from(data, at)[3]:
                    begin = at
                at += size
            if last:
                # What follows it must not be torn, or the batch before is the last that is whole.
                last = at == SEGMENT.size or bytes(data[at:]).strip(b"\0") != b""
                if not last:
                    yield self.names[name], begin
            else:
                yield self.names[name], at

    # -------------------------------------------------------------------------------------- names
    def inode(self, path: PurePosixPath) -> Inode:
        """Return a file."""
        if self.is_dead:
            raise Crashed
        found = self.names.get(path.name)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return found

    def change(self, *change: str) -> None:
        """Change the folder."""
        fault = self._is_due("crash_before_write", "crash_after_write")
        if fault == "crash_before_write":
            self.die()
        self._apply(self.names, change)
        if self.is_flushed:
            self._changes.append(change)
        if fault:
            self.die()

    def _apply(self, names: dict[str, Inode], change: tuple[str, ...]) -> None:
        what, name, *rest = change
        if what == "link":
            names[name] = self._made[change]
        elif what == "unlink":
            names.pop(name, None)
        elif name in names:
            names[rest[0]] = names.pop(name)

    # ------------------------------------------------------------------------------- system calls
    def open(self, path: DiskPath, flags: int, _mode: int = 0) -> int:
        """Open a file or the folder."""
        if self.is_dead:
            raise Crashed
        self._next_fd += 1
        if flags & os.O_DIRECTORY:
            self._fds[self._next_fd] = None
            return self._next_fd
        if path.name not in self.names and flags & os.O_CREAT:
            change = ("link", path.name, str(self._next_fd))
            self._made[change] = Inode()
            self.change(*change)
        found = self.inode(path)
        if flags & os.O_TRUNC:
            found.data.clear()
            found.pending.append((0, None))
        self._fds[self._next_fd] = found
        return self._next_fd

    def close(self, fd: int) -> None:
        """Close, and give a lock back."""
        inode = self._fds.pop(fd, None)
        if inode is not None and inode.holder == fd:
            inode.holder = None

    def _of(self, fd: int) -> Inode:
        inode = self._fds.get(fd)
        if inode is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return inode

    def pread(self, fd: int, size: int, at: int) -> bytes:
        """Read."""
        if self.is_dead:
            raise Crashed
        return bytes(self._of(fd).data[at : at + size])

    def pwrite(self, fd: int, data: bytes, at: int) -> int:
        """Write, or some of it."""
        return self._write(fd, data, at, is_flushed=False)

    def pwritev(self, fd: int, parts: list[bytes], at: int, _flags: int) -> int:
        """Write and flush."""
        return self._write(fd, b"".join(parts), at, is_flushed=True)

    def _write(self, fd: int, data: bytes, at: int, *, is_flushed: bool) -> int:
        faults = CRASHES + WRITE_FAULTS
        fault = self._is_due(*faults, *(FLUSH_FAULTS if is_flushed else ()))
        inode = self._of(fd)
        if fault == "crash_before_write":
            self.die()
        if fault in ("write_failed", "disk_full"):
            done = self.rng.randint(0, len(data))
            self._take(inode, data[:done], at, is_flushed=False)
            code = errno.EIO if fault == "write_failed" else errno.ENOSPC
            raise OSError(code, os.strerror(code))
        if fault in ("torn_write", "short_write") and len(data) > 1:
            data = data[: self.rng.randint(1, len(data) - 1)]
        self._take(inode, data, at, is_flushed=is_flushed and not fault)
        if fault == "flush_failed":
            self._fail_flush(inode)
        if fault in CRASHES:
            self.die()
        if is_flushed and fault == "short_write":
            _put(inode.synced, at, data)
        return len(data)

    def _take(self, inode: Inode, data: bytes, at: int, *, is_flushed: bool) -> None:
        _put(inode.data, at, data)
        if not self.is_flushed:
            return
        if is_flushed:
            _put(inode.synced, at, data)
        else:
            inode.pending.append((at, bytes(data)))

    def _fail_flush(self, inode: Inode) -> None:
        """Some of it is on the disk, the rest only in memory, and no later flush will mend that."""
        inode.flush(self.rng)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def fsync(self, fd: int) -> None:
        """Flush a file, or the folder's names."""
        fault = self._is_due("crash_before_write", "crash_after_write", *FLUSH_FAULTS)
        if fault == "crash_before_write":
            self.die()
        inode = self._fds[fd]
        if inode is None:
            if fault == "flush_failed":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._synced_names = dict(self.names)
            self._changes.clear()
            self._made.clear()
        elif fault == "flush_failed":
            self._fail_flush(inode)
        elif self.is_flushed:
            inode.flush()
        if fault:
            self.die()

    fdatasync = fsync

    def ftruncate(self, fd: int, size: int) -> None:
        """Cut a file, or make it longer."""
        fault = self._is_due("crash_before_write", "crash_after_write")
        if fault == "crash_before_write":
            self.die()
        inode = self._of(fd)
        del inode.data[size:]
        _put(inode.data, size, b"")
        if self.is_flushed:
            # What was cut may come back when the power does.
            inode.pending.append((size, None))
        if fault:
            self.die()

    def fstat(self, fd: int) -> SimpleNamespace:
        """Return a file's size."""
        return SimpleNamespace(st_size=len(self._of(fd).data))

    def access(self, _path: DiskPath, _mode: int) -> bool:
        """Say that the folder can be used."""
        return True

    def flock(self, fd: int, _flags: int) -> None:
        """Take a lock, unless another descriptor holds it."""
        inode = self._of(fd)
        if inode.holder not in (None, fd):
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
        inode.holder = fd

    # ---------------------------------------------------------------------------------- in place
    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be the disk of the journal's modules."""
        system = SimpleNamespace(
            getpid=lambda: 1,
            **{name: getattr(self, name) for name in _CALLS},
            **{name: getattr(os, name) for name in _FLAGS},
        )
        locks = SimpleNamespace(flock=self.flock, LOCK_EX=fcntl.LOCK_EX, LOCK_NB=fcntl.LOCK_NB)
        kept: list[tuple[Any, str, Any]] = []

        def put(module: Any, name: str, value: object) -> None:
            if hasattr(module, name):
                kept.append((module, name, getattr(module, name)))
                setattr(module, name, value)

        try:
            for module in _MODULES:
                put(module, "os", system)
                put(module, "fcntl", locks)
            put(spare, "threading", SimpleNamespace(Thread=_AtOnce))
            DiskPath.disk = self
            yield
        finally:
            for module, name, value in reversed(kept):
                setattr(module, name, value)


class _AtOnce:
    """A thread that has done its work when it has been started: one order of events."""

    def __init__(self, target: Callable[[], None], **_: object) -> None:
        self._target = target

    def start(self) -> None:
        """Do the work."""
        self._target()

    def join(self) -> None:
        """Wait for nothing."""


def _good_bytes(data: bytes, at: int) -> int:
    """Return how long the record at a place is; 0 where none stands there, or a torn one."""
    size = record_bytes(data, at)
    # A write that was torn in the payload leaves a header that promises more than there is.
    if not size or at + size > len(data):
        return 0
    crc = RECORD.unpack_from(data, at)[1]
    return size if zlib.crc32(data[at + RECORD_START.size : at + size]) == crc else 0


def _put(data: bytearray, at: int, piece: bytes) -> None:
    """Write into bytes, with zeros where nothing was before."""
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(piece)] = piece
