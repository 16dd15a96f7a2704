"""Which files a path stands for."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from neural_trader.core import DataError
from neural_trader.data.bundled import samples

CSV: Final = frozenset({".csv"})
PARQUET: Final = frozenset({".parquet", ".pq"})
EXTENSIONS: Final = CSV | PARQUET
LARGE_BYTES: Final = 16 << 20
"""Parquet of at least so many bytes is taken in by batches; less is read whole: it is simpler."""


def find_path(source: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a source, a leading ``~`` replaced by the user's home.

    Links are left in it: they may be what names a symbol.

    Raises
    ------
    DataError
        Nothing is there; the message names the nearest sibling or sample.
    """
    path = Path(source)
    try:
        path = path.expanduser()
        there = bool(str(source)) and path.exists()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}. Check the path and its rights"
        raise DataError(message) from None
    except RuntimeError:
        there = False
    if not there:
        raise DataError(_not_there(path))
    return path.absolute()


def data_files(path: Path) -> list[Path]:
    """Return the data files that a path stands for: itself, or those of a folder by name.

    Raises
    ------
    DataError
        The extension is unknown, or the folder holds no data file.
    """
    if not path.is_dir():
        if path.suffix.lower() not in EXTENSIONS:
            known = ", ".join(sorted(EXTENSIONS))
            message = (
                f"{path.name} has the extension {path.suffix!r}; expected one of {known}, or a "
                "folder of such files. Convert the file, or load it as a frame"
            )
            raise DataError(message)
        return [path]
    found = sorted(path.iterdir(), key=lambda each: each.name)
    files = [
        each
        for each in found
        if each.suffix.lower() in EXTENSIONS and not each.name.startswith(".") and each.is_file()
    ]
    if not files:
        held = ", ".join(each.name for each in found[:10]) or "nothing"
        message = (
            f"folder {path.name} has no data file; expected {', '.join(sorted(EXTENSIONS))} files "
            f"directly in it, found {held}"
        )
        raise DataError(message)
    return files


def _not_there(path: Path) -> str:
    """Return the message for a path that is not there, with the nearest that is."""
    # The parent may be missing or closed too.
    try:
        siblings = [each.name for each in path.parent.iterdir()]
    except OSError:
        siblings = []
    names = [sample.name for sample in samples()]
    known = {name.casefold(): name for name in (*siblings, *names)}
    near = difflib.get_close_matches(path.name.casefold(), list(known), n=1, cutoff=0.5)
    hint = ""
    if near:
        name = known[near[0]]
        hint = f"did you mean {name if name in names else path.parent / name}? "
    return f"{path} is not there: {hint}Give a path, or the name of a sample: {', '.join(names)}"


def is_large(files: Sequence[Path]) -> bool:
    """Return whether files are Parquet, and enough of it."""
    return (
        all(file.suffix.lower() in PARQUET for file in files)
        and sum(file.stat().st_size for file in files) >= LARGE_BYTES
    )
