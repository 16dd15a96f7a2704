"""Files become tables: CSV as text, Parquet as typed columns, a folder as one table a file."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from neural_trader.core import DataError
from neural_trader.data.paths import CSV
from neural_trader.data.tables import PROVENANCE_KEY, CsvText, Table


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

    text = CsvText(data)
    header = header_of(text, data, name)
    try:
        frame = pl.read_csv(data, separator=text.separator, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise _csv_error(text, data, name, error) from None
    if frame.width != len(header):
        message = (
            f"{name}: the header has {len(header)} names, the rows have {frame.width} cells. "
            "Mend the header"
        )
        raise DataError(message)
    # A blank line is no record; Polars makes it a row of nulls.
    if all(frame.null_count().row(0)):
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    frame.columns = header
    return Table(name, frame, path.stem, text)


def header_of(text: CsvText, data: bytes, name: str) -> list[str]:
    """Return the names of the columns, each once."""
    start = data[: 1 << 20].decode("utf-8-sig", errors="replace").lstrip("\r\n")
    try:
        header = next(csv.reader(io.StringIO(start, newline=""), delimiter=text.separator), [])
    except csv.Error as error:
        message = f"{name}: the header line cannot be read ({error}). Mend it"
        raise DataError(message) from None
    if not any(header):
        message = f"{name} is empty; expected a header line and one line a bar"
        raise DataError(message)
    below = "".join(start.split("\n", 2)[1:2]).split(text.separator, 1)[0]
    if {header[0], below} == {"Price", "Ticker"}:
        message = (
            f"{name} has a header of several lines, as yfinance writes it; expected one line. Load "
            "it as a frame: nt.load(pandas.read_csv(FILE, header=[0, 1], index_col=0, "
            "parse_dates=True)), or download with multi_level_index=False"
        )
        raise DataError(message)
    twice = sorted({each for each in header if header.count(each) > 1})
    if twice:
        message = f"{name}: column {twice[0]!r} stands in the header twice. Rename or drop one"
        raise DataError(message)
    return header


def _csv_error(text: CsvText, data: bytes, name: str, error: Exception) -> DataError:
    """Find the record that the CSV parser stumbled over, and say what is wrong with it."""
    try:
        data.decode()
    except UnicodeDecodeError as bad:
        line = data.count(b"\n", 0, bad.start) + 1
        found = f"line {line} of {name} is not UTF-8 text (byte 0x{data[bad.start]:02x})"
        return DataError(f"{found}. Save the file as UTF-8")
    width = text.records[0][1]
    for row, (line, cells) in enumerate(text.records):
        if cells > width:
            found = f"row {row} (line {line} of {name}) has {cells} cells"
            return DataError(f"{found}; the header has {width} names. Mend the row")
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
    ours = PROVENANCE_KEY.encode() in data
    if ours:
        from neural_trader.data.catalog.seals import check_whole

        check_whole(data, name)
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    # Damage inside the file surfaces as errors of many kinds, panics of the reader among them.
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        ValueError,
    ) as error:
        reason = str(error).strip().splitlines()[0]
        message = f"{name} is not a readable Parquet file: {reason}. Replace the file"
        raise DataError(message) from None
    if not ours:
        return Table(name, frame, path.stem)
    # A file of the catalog knows what its prices are.
    from neural_trader.data.catalog.provenance import decode

    kept = decode(pl.read_parquet_metadata(io.BytesIO(data)).get(PROVENANCE_KEY), name)
    return Table(
        name,
        frame,
        kept.symbol,
        stamped=True,
        basis=kept.origin.basis,
        splits=kept.known_splits,
        labels=kept.labels,
        dividends=kept.known_dividends,
    )
