"""The history of the bench: one line of JSON for each report, added and never changed."""

import fcntl
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from neural_trader.bench.compare import identity, row_key
from neural_trader.bench.rows import Report
from neural_trader.core import DataError

FORMAT: Final = 1


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a report in the history: its median, and its fastest and slowest round."""

    key: str
    case: str
    params: dict[str, Any]
    unit: str
    value: float | None
    low: float | None = None
    high: float | None = None
    ratio: float | None = None
    samples: list[float] = []


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history: when and of which commit, on which machine, and what was found."""

    format: int
    commit: str | None
    version: str | None
    measured_at: str | None
    machine: dict[str, Any]
    data_hash: str | None
    rows: list[Point]


def make_entry(report: Report) -> Entry:
    """Return the line of a report."""
    told = report.provenance
    return Entry(
        format=FORMAT,
        commit=told.get("commit"),
        version=told.get("version"),
        measured_at=told.get("measured_at"),
        machine=report.machine,
        data_hash=told.get("data_hash"),
        rows=[
            Point(
                key=row_key(row),
                case=row.case,
                params=identity(row),
                unit=row.unit,
                value=row.value,
                low=row.low,
                high=row.high,
                ratio=row.ratio,
                samples=row.samples,
            )
            for row in report.rows
        ],
    )


def add_entry(path: Path, entry: Entry) -> None:
    """Add a line to a history, which is made where there is none.

    Parameters
    ----------
    path : Path
        Of the history; its folder must exist.
    entry : Entry

    Raises
    ------
    DataError
        The file cannot be written.

    Notes
    -----
    Others who add at the same moment wait. A last line that was cut off before it was complete is
    ended first, so that it stays alone.
    """
    line = msgspec.json.encode(entry) + b"\n"
    try:
        with path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    line = b"\n" + line
            # Crash: the line is there or a part of it, which the reader leaves out with a note.
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}; give a file in a folder of your own"
        raise DataError(message) from None


def read_history(path: Path) -> tuple[list[Entry], list[str]]:
    """Return the entries of a history in their order, and notes on lines that were left out.

    Raises
    ------
    DataError
        The file cannot be read, or a whole line of it is no entry.

    Missing
    -------
    A line that was cut off is left out with a note: the last, or one that another follows.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}; make it with bench trend --add REPORT"
        raise DataError(message) from None
    entries, notes = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            # Only the last line can lack its end; one that others were added to later was closed.
            is_cut = number == len(lines) or "truncated" in str(error)
            if not is_cut:
                message = f"{path}, line {number} is no entry of a history: {error}"
                raise DataError(message) from None
            notes.append(f"{path}, line {number} was cut off while it was written: left out")
            continue
        if entry.format != FORMAT:
            message = f"{path}, line {number} has format {entry.format}; expected {FORMAT}"
            raise DataError(message)
        entries.append(entry)
    return entries, notes
