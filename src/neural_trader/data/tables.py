"""A table as it was found: raw columns, and where each of its rows stands for the user.

Every reader, of files and of frames, ends in a :class:`Table`; layouts and checks go on from there
without knowing the source. A table knows how to name a row to its owner, in a CSV file by line.
"""

import csv
import io
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from neural_trader.core import Basis, DataError, Dividend, Split

if TYPE_CHECKING:
    import polars as pl


PROVENANCE_KEY: Final = "neural_trader.provenance"
"""Under which name the metadata of a catalog's Parquet file say where its bars come from."""


class CsvText:
    """The text of a CSV file, record by record.

    Blank lines, which are no records, and line ends inside quotes make a record's line more than
    its number; both are counted only once somebody asks.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def separator(self) -> str:
        """The separator: a tab or a semicolon where the header has one, else a comma."""
        header = self._data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n", 1)[0]
        return next((mark for mark in "\t;" if mark.encode() in header), ",")

    @cached_property
    def records(self) -> list[tuple[int, int]]:
        """The line on which each record ends and its number of cells, the header's first."""
        text = self._data.decode("utf-8-sig", errors="replace")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.separator)
        found: list[tuple[int, int]] = []
        try:
            found.extend((reader.line_num, len(cells)) for cells in reader if any(cells))
        except csv.Error:
            # A record beyond the module's limits: what follows is told by row alone.
            return found
        return found


class Table(NamedTuple):
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
    text : CsvText or None
        The CSV text that the rows come from, to tell a row's line.
    wide : bool
        The first column is the time and each other a symbol's closes, whatever their names.
    stamped : bool
        The times are closes to the nanosecond, even where all of them stand at midnight.
    basis : {"raw", "split-adjusted", "total-return"} or None
        What the source says of its prices. None: the names of the columns tell.
    splits, labels : tuple
        As :class:`~neural_trader.data.selection.Content` has them.
    dividends : tuple of Dividend or None
        Of its one symbol. None: nobody knows.
    """

    name: str
    frame: "pl.DataFrame"
    symbol: str | None = None
    text: CsvText | None = None
    wide: bool = False
    stamped: bool = False
    basis: Basis | None = None
    splits: tuple[Split, ...] = ()
    labels: tuple[str, ...] = ()
    dividends: tuple[Dividend, ...] | None = None

    def place(self, row: int) -> str:
        """Return the words for a row, counted from 0: ``row 3 (line 4 of prices.csv)``."""
        if self.text is None or row + 1 >= len(self.text.records):
            return f"row {row + 1} of {self.name}"
        return f"row {row + 1} (line {self.text.records[row + 1][0]} of {self.name})"

    def fault(self, row: int, text: str, advice: str, *, more: int = 0) -> DataError:
        """Return the error for a fault at a row, with how many more of its kind there are."""
        others = f" ({more} more of this kind)" if more else ""
        return DataError(f"{self.place(row)}: {text}{others}. {advice}")
