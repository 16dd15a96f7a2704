"""One writer at a time, and files that are there whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file while it is read, merged and written.

    The lock lies beside the file as ``.NAME.lock``. It stays there, since two processes could hold
    one lock each if one of them deleted it; the system lets go of it when its holder dies.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            # It gives up after ten seconds with an OSError, which is told as such.
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            # Closing the file lets go of the lock.
            yield


def replace(path: Path, data: bytes) -> None:
    """Write a file of the catalog whole or not at all; the caller holds its lock.

    Crash: a temporary file that a dead writer left behind is deleted by the next one.
    """
    for left in path.parent.iterdir():
        # Its writer held the lock that is ours now: it has died.
        if left.name.startswith(f".{path.name}.") and left.name.endswith(".tmp"):
            with suppress(OSError):
                left.unlink()
    write_whole(path, data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Crash: until the rename the old file or none is there, after it the new one; what stands in it
    was on the disk before.
    """
    handle, temporary = tempfile.mkstemp(".tmp", f".{path.name}.", path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that their owner alone may read; market data are no secret.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
