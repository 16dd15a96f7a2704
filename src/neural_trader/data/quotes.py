"""Recorded quotes and prints: a CSV or Parquet file becomes rows in the order of time."""

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from neural_trader.core import DataError
from neural_trader.data.paths import data_files, find_path

if TYPE_CHECKING:
    from neural_trader.core.bars import Floats
    from neural_trader.data.tables import Table

QUOTE_FIELDS: Final = ("bid", "ask", "bid_size", "ask_size", "price", "size")

QuoteRow = tuple[int, str, tuple[float | None, ...]]


def load_quotes(source: str | os.PathLike[str]) -> list[QuoteRow]:
    """Load quotes, prints, or both.

    Parameters
    ----------
    source : str or Path
        A CSV or Parquet file with a time, a symbol, and columns of ``QUOTE_FIELDS``: bid and ask,
        or price, or all of them; or a folder of such files, joined.

    Returns
    -------
    list of (stamp in nanoseconds UTC, symbol, values)
        In the order of time, rows of one time in that of the file; the values are those of
        ``QUOTE_FIELDS``, None where there is none.

    Raises
    ------
    DataError
        The file is not there, a column is missing, or a cell is no time or no number of 0 or more.
    """
    from neural_trader.data.readers import read_tables

    path = find_path(source)
    rows: list[QuoteRow] = []
    for table in read_tables(path, [(file, file.read_bytes()) for file in data_files(path)]):
        rows += _read(table)
    if not rows:
        message = f"{path.name} has no row; expected quotes or prints, one a line"
        raise DataError(message)
    rows.sort(key=lambda row: row[0])
    return rows


def _read(table: "Table") -> list[QuoteRow]:
    from neural_trader.data.layouts import SYMBOL_NAMES, TIME_NAMES, plain
    from neural_trader.data.times import read_times

    names = {plain(name): name for name in table.frame.columns}
    time = next((names[name] for name in TIME_NAMES if name in names), None)
    symbol = next((names[name] for name in SYMBOL_NAMES if name in names), None)
    columns = [names.get(plain(field)) for field in QUOTE_FIELDS]
    quoted = columns[0] is not None and columns[1] is not None
    if time is None or symbol is None or not (quoted or columns[4] is not None):
        message = (
            f"{table.name} has the columns {', '.join(table.frame.columns)}; expected ts, symbol, "
            "and bid and ask (bid_size, ask_size), or price (size)"
        )
        raise DataError(message)
    stamps = read_times(table, time).stamps.tolist()
    missing = [None] * len(stamps)
    values = [missing if name is None else _numbers(table, name) for name in columns]
    symbols = table.frame[symbol].to_list()
    if None in symbols:
        raise table.fault(symbols.index(None), "there is no symbol", "Fill or drop the row")
    return [
        (ts, str(name).strip(), found)
        for ts, name, found in zip(stamps, symbols, zip(*values, strict=True), strict=True)
    ]


def _numbers(table: "Table", column: str) -> list[float | None]:
    """Read a column; an empty cell is None."""
    import polars as pl

    series = table.frame[column]
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        series = stripped.set(stripped == "", None)
    numbers = series.cast(pl.Float64, strict=False)
    values: Floats = numbers.fill_null(0.0).to_numpy()
    unread = (numbers.is_null() & series.is_not_null()).to_numpy()
    wrong = np.flatnonzero(unread | ~((values >= 0.0) & (values < np.inf)))
    if len(wrong):
        row = int(wrong[0])
        text = f"column {column!r} is {series[row]!r}; expected a number of 0 or more, or nothing"
        raise table.fault(row, text, "Mend or drop the row", more=len(wrong) - 1)
    found: list[float | None] = numbers.to_list()
    return found
