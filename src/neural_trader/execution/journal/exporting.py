"""A journal as a file for other tools: JSON lines, or one Parquet table."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import msgspec

from neural_trader.core.errors import ConfigError
from neural_trader.core.files import write_whole
from neural_trader.execution.journal.reading import walk
from neural_trader.execution.journal.records import columns, describe

Format = Literal["jsonl", "parquet"]
"""What a journal can be exported to."""

_ROWS: Final = 1 << 16


def export(
    folder: Path,
    path: Path,
    layout: Format,
    *,
    is_replaced: bool = False,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write a journal's records to a file, and return how many.

    Parameters
    ----------
    folder : Path
        The journal; a gateway may be writing to it.
    path : Path
        Takes its place only when it is complete.
    layout : {"jsonl", "parquet"}
        One JSON object a line, or one table with a column for every field of any record.
    is_replaced : bool
        Whether a file that is there already is replaced.
    progress : callable, optional
        Is told how many records are done.

    Raises
    ------
    ConfigError
        The file is there already, and is not to be replaced.
    DataError
        The file cannot be written.
    JournalError
        There is no journal, or it is damaged; then no file is written.
    """
    if path.exists() and not is_replaced:
        message = f"{path} is there already; give --force to replace it, or another name"
        raise ConfigError(message)
    with write_whole(path) as file:
        rows = _counted(folder, progress)
        return _write_lines(rows, file) if layout == "jsonl" else _write_table(rows, file)


def _counted(folder: Path, progress: Callable[[int], None] | None) -> Iterator[dict[str, Any]]:
    for seq, payload in walk(folder):
        if progress is not None and seq % 4096 == 0:
            progress(seq)
        yield describe(seq, payload)


def _write_lines(rows: Iterator[dict[str, Any]], file: BinaryIO) -> int:
    encode = msgspec.json.Encoder().encode
    done = 0
    for row in rows:
        file.write(encode(row) + b"\n")
        done += 1
    return done


def _write_table(rows: Iterator[dict[str, Any]], file: BinaryIO) -> int:
    import polars as pl

    kinds: dict[type, Any] = {int: pl.Int64, str: pl.String, bool: pl.Boolean}
    schema = {name: kinds[kind] for name, kind in columns().items()}
    frames: list[pl.DataFrame] = []
    taken: list[dict[str, Any]] = []
    for row in rows:
        taken.append({name: _plain(value) for name, value in row.items()})
        if len(taken) == _ROWS:
            frames.append(pl.DataFrame(taken, schema=schema))
            taken = []
    frames.append(pl.DataFrame(taken, schema=schema))
    table = pl.concat(frames)
    table.write_parquet(file)
    return table.height


def _plain(value: object) -> object:
    """Return a value as a column holds it."""
    return value if isinstance(value, int | str) else msgspec.json.encode(value).decode()
