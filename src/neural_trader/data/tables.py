"""A table as it was found: raw columns, and where each of its rows stands for the user.

Every reader, of files and of frames, ends in a :class:`Table`; layouts and checks go on from there
without knowing the source. A table knows how to name a row to its owner, in a CSV file by line.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neural_trader.core import DataError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one source, one row a record.

    Parameters
    ----------
    name : str
        How messages call the source: ``prices.csv``, ``the Polars frame``.
    frame : polars.DataFrame
        The columns as found; those of a CSV file are text.
    symbol : str or None
        The symbol of a table that names none itself: the stem of a file, or the symbol given for a
        frame. None: not known.
    csv_path : Path or None
        The CSV file that the rows come from, to tell a row's line.
    """

    name: str
    frame: "pl.DataFrame"
    symbol: str | None = None
    csv_path: Path | None = None

    def place(self, row: int) -> str:
        """Return the words for a row, counted from 0: ``row 3 (line 4 of prices.csv)``."""
        if self.csv_path is None:
            return f"row {row + 1} of {self.name}"
        line = _line_of(self.csv_path, row)
        where = self.name if line is None else f"line {line} of {self.name}"
        return f"row {row + 1} ({where})"

    def fault(self, row: int, text: str, advice: str, *, more: int = 0) -> DataError:
        """Return the error for a fault at a row, with how many more of its kind there are."""
        others = f" ({more} more of this kind)" if more else ""
        return DataError(f"{self.place(row)}: {text}{others}. {advice}")


def _line_of(path: Path, row: int) -> int | None:
    """Count lines up to a record: blank lines and quoted line ends make it more than row + 2."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter_of(file.readline()))
            file.seek(0)
            seen = -2
            for record in reader:
                if any(record):
                    seen += 1
                if seen == row:
                    return reader.line_num
    except (OSError, UnicodeDecodeError, csv.Error):
        # The message is about a fault in the data: a file that vanished since must not replace it.
        return None
    return None


def delimiter_of(header: str) -> str:
    """Return the separator of a header line: a tab or a semicolon where it has one, else comma."""
    return next((mark for mark in "\t;" if mark in header), ",")
