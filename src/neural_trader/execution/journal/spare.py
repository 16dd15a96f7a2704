"""The next segment of a journal, made ready while the present one is being written."""

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

from neural_trader.execution.journal import disk
from neural_trader.execution.journal.format import Mark, segment_header, segment_name
from neural_trader.execution.journal.reading import SPARE


class Spare:
    """A file full of zeros that becomes a segment when one is needed.

    Parameters
    ----------
    folder : Path
        The journal's folder. A file that an earlier process left unfinished is removed.
    size : int
        Bytes of a segment.
    is_flushed : bool
        Whether what is written must be on the disk before it counts.
    """

    def __init__(self, folder: Path, size: int, *, is_flushed: bool) -> None:
        self._folder = folder
        self._path = folder / SPARE
        self._size = size
        self._is_flushed = is_flushed
        self._fd = -1
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None
        self._path.unlink(missing_ok=True)

    def start(self) -> None:
        """Begin to make the file in a thread of its own, unless that has begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._make, name="journal-spare", daemon=True)
            self._thread.start()

    def turn_into(self, mark: Mark) -> int:
        """Make the file the segment that goes on at ``mark``, and return its descriptor.

        Raises
        ------
        OSError
            The file could not be made, be it in the thread, or the segment is there already.
        """
        if self._thread is None:
            self._make()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        path = self._folder / segment_name(mark.seq)
        if path.exists():
            message = f"{path} is there already, and the journal was about to make it"
            raise OSError(errno.EEXIST, message)
        disk.write(self._fd, segment_header(mark), 0, is_flushed=self._is_flushed)
        # Crash: before this line the spare is left over, and the next opener removes it; after it
        # the segment is there with a whole header and no record.
        self._path.rename(path)
        if self._is_flushed:
            disk.flush_folder(self._folder)
        fd = self._fd
        self._fd = -1
        self._thread = None
        return fd

    def drop(self) -> None:
        """Remove the file."""
        if self._thread is not None:
            self._thread.join()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        # One that cannot be removed is a leftover, and no reason to keep the journal's lock.
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _make(self) -> None:
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, disk.FILE_MODE)
            disk.fill(self._fd, 0, self._size, is_flushed=self._is_flushed)
        except OSError as error:
            self._error = error
