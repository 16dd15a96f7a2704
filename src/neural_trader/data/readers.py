"""Files become tables: CSV as text, Parquet as typed columns, a folder as one table a file."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neural_trader.core import DataError
from neural_trader.data.tables import Table, delimiter_of

if TYPE_CHECKING:
    import polars as pl

CSV: Final = frozenset({".csv"})
PARQUET: Final = frozenset({".parquet", ".pq"})
EXTENSIONS: Final = CSV | PARQUET


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


def read_tables(path: Path, contents: Iterable[tuple[Path, bytes]]) -> list[Table]:
    """Read the files of a source, whose bytes are at hand, as one table each."""
    inside = f"{path.name}/" if path.is_dir() else ""
    return [
        (_read_csv if file.suffix.lower() in CSV else _read_parquet)(
            file, data, f"{inside}{file.name}"
        )
        for file, data in contents
    ]


def _read_csv(path: Path, data: bytes, name: str) -> Table:
    """Read every cell as text, so that a message can show it and a number parses only once."""
    import polars as pl

    header, mark = _header_of(data, name)
    try:
        frame = pl.read_csv(data, separator=mark, infer_schema=False, null_values=[""])
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise _csv_error(data, name, len(header), error) from None
    frame.columns = [f"{at}" for at in range(frame.width)]
    if frame.width != len(header):
        message = (
            f"{name}: the header has {len(header)} names, the rows have {frame.width} cells. "
            "Mend the header"
        )
        raise DataError(message)
    # A blank line is no record; polars makes it a row of nulls.
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    frame.columns = header
    return Table(name, frame, path.stem, path)


def _header_of(data: bytes, name: str) -> tuple[list[str], str]:
    """Return the names of the columns and the separator."""
    try:
        text = data[: 1 << 20].decode("utf-8-sig", errors="replace").lstrip("\r\n")
        mark = delimiter_of(text.split("\n", 1)[0])
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=mark), [])
    except csv.Error as error:
        message = f"{name}: the header line cannot be read ({error}). Mend it"
        raise DataError(message) from None
    if not any(header):
        message = f"{name} is empty; expected a header line and one line a bar"
        raise DataError(message)
    twice = sorted({each for each in header if header.count(each) > 1})
    if twice:
        message = f"{name}: column {twice[0]!r} stands in the header twice. Rename or drop one"
        raise DataError(message)
    return header, mark


def _csv_error(data: bytes, name: str, width: int, error: Exception) -> DataError:
    """Find the record that a CSV parser stumbled over, and say what is wrong with it."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as bad:
            text = f"line {number} of {name} is not UTF-8 text (byte 0x{line[bad.start]:02x})"
            return DataError(f"{text}. Save the file as UTF-8")
    text = data.decode("utf-8-sig")
    mark = delimiter_of(text.lstrip("\r\n").split("\n", 1)[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        for row, record in enumerate((each for each in reader if any(each)), start=0):
            if len(record) > width:
                found = f"row {row} (line {reader.line_num} of {name}) has {len(record)} cells"
                return DataError(f"{found}; the header has {width} names. Mend the row")
    except csv.Error:
        pass
    reason = str(error).strip().splitlines()[0]
    return DataError(f"{name} is not a readable CSV file: {reason}. Mend or replace the file")


def _read_parquet(path: Path, data: bytes, name: str) -> Table:
    import polars as pl

    if len(data) < 12 or data[:4] != b"PAR1" or data[-4:] != b"PAR1":
        message = (
            f"{name} is not a Parquet file, or a cut one: it has {len(data)} bytes and does not "
            "start and end with PAR1. Replace the file"
        )
        raise DataError(message)
    try:
        frame: pl.DataFrame = pl.read_parquet(io.BytesIO(data))
    # Damage inside the file surfaces as errors of many kinds, panics of the reader among them.
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        message = f"{name} is not a readable Parquet file: {reason}. Replace the file"
        raise DataError(message) from None
    return Table(name, frame, path.stem)
