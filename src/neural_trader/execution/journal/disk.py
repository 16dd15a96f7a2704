"""How bytes of a journal reach the disk, in its two modes.

``process-safe``: a write that returned survives the death of the process, not that of the machine.
``power-safe``: it has been flushed to the disk as well, before the call returns.
"""

import errno
import fcntl
import os
import sys
from pathlib import Path
from typing import Final, Literal

from neural_trader.core.errors import JournalError

Durability = Literal["process-safe", "power-safe"]
"""What a commit survives: the death of the process, or of the machine too."""

FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_ZEROS: Final = bytes(1 << 18)
_FLUSH_EVERY: Final = 1 << 22
# A write flag flushes the data written and nothing else, in one call; not every system has it.
_DSYNC: Final = getattr(os, "RWF_DSYNC", None)


def write(fd: int, data: bytes, at: int, *, is_flushed: bool) -> None:
    """Write all of ``data`` at an offset, flushed where that is wanted; go on after short writes.

    Raises
    ------
    OSError
        What the system says; how much has been written is unknown.
    """
    flag = _DSYNC if is_flushed else None
    while True:
        done = os.pwrite(fd, data, at) if flag is None else os.pwritev(fd, [data], at, flag)
        if done == len(data):
            break
        if done <= 0:
            message = "the disk took no bytes"
            raise OSError(message)
        data = data[done:]
        at += done
    if is_flushed and flag is None:
        flush(fd)


def flush(fd: int) -> None:
    """Flush what was written to a file down to the disk."""
    if sys.platform == "darwin":
        # There a plain flush stops at the disk's own cache.
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(fd)


def flush_folder(folder: Path) -> None:
    """Flush the entries of a folder: files made, renamed and removed in it."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def fill(fd: int, start: int, end: int, *, is_flushed: bool) -> None:
    """Fill a file with real zeros, so that later flushes write data and no metadata.

    Flushed in pieces, so that commits to another file do not wait behind all of it.
    """
    at = start
    while at < end:
        piece = _ZEROS[: end - at]
        write(fd, piece, at, is_flushed=False)
        at += len(piece)
        if is_flushed and (at % _FLUSH_EVERY == 0 or at == end):
            flush(fd)
    if is_flushed:
        # The size of the file too: after this, it only ever changes its bytes.
        os.fsync(fd)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can read, where there is none.

    Raises
    ------
    OSError
        It cannot be made, or no files can be made in it: better now than in the midst of trading.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    flush_folder(folder.parent)


def lock(folder: Path) -> int:
    """Take a journal's lock, and return the descriptor that holds it.

    Raises
    ------
    JournalError
        Another process holds it.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        message = (
            f"the journal {folder} is being written by process {holder}: one gateway writes a "
            "journal; stop that one first, start with --takeover to take its place, or give this "
            "one a folder of its own"
        )
        raise JournalError(message) from None
    except BaseException:
        os.close(fd)
        raise
    try:
        sign(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def sign(lock: int) -> None:
    """Write into a lock who holds it."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
