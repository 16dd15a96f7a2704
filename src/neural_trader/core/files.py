"""Writing a file whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from neural_trader.core.errors import DataError


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place only when it is complete.

    Parameters
    ----------
    path : Path
        A file; its folder must exist. What it held before stays until the new file is complete,
        and stays for good if the writing fails or is interrupted.

    Raises
    ------
    DataError
        The path is a folder, or its folder is missing or cannot be written to.
    """
    if path.is_dir():
        message = f"{path} is a folder; give a file name in it"
        raise DataError(message)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            yield file
        # Crash: before this line only the temporary file is new; after it `path` is the new file.
        temporary.replace(path)
    except OSError as error:
        # What is in the way of the new file may be in the way of removing it too.
        with suppress(OSError):
            temporary.unlink()
        message = (
            f"cannot write {path}: {error.strerror}; choose a folder that exists, is yours and "
            "has room"
        )
        raise DataError(message) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
