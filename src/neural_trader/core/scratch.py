"""Arrays of a run that may grow as large as its data: large ones lie in a file, not in memory.

The pages of a mapped file are the system's to write out and to drop, so that a run over data larger
than memory ends, more slowly, where arrays in memory would end the process. The file has no name:
it is gone with the array, or with the process, whatever ends it.
"""

import math
import mmap
import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LARGE_BYTES: Final = 64 << 20
"""An array of more bytes lies in a temporary file; memory costs less as long as there is enough."""


def empty(shape: tuple[int, ...], kind: type[np.float64 | np.int64] = np.float64) -> NDArray[Any]:
    """Return a new array, C-contiguous, whose values are yet to be written.

    Parameters
    ----------
    shape : tuple of int
    kind : type
        float64 by default, or int64.

    Notes
    -----
    The file lies where Python puts temporary files (``TMPDIR``). Where there is no room for it, the
    array is taken from memory.
    """
    size = 8 * math.prod(shape)
    if size <= LARGE_BYTES:
        return np.empty(shape, dtype=kind)
    import tempfile

    try:
        with tempfile.TemporaryFile() as file:
            if hasattr(os, "posix_fallocate"):
                # A full disk is told of here; at a write through the map it would end the process.
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            mapped = mmap.mmap(file.fileno(), size)
    except OSError:
        return np.empty(shape, dtype=kind)
    return np.frombuffer(mapped, dtype=kind).reshape(shape)
