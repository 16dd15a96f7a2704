"""Returns: from a file that holds them, or from the closes of bars."""

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neural_trader.core import DataError
from neural_trader.data.paths import data_files, find_path

if TYPE_CHECKING:
    from neural_trader.core import Bars
    from neural_trader.core.bars import Floats, Stamps
    from neural_trader.data.tables import Table


class Returns(NamedTuple):
    """Simple returns of several series over the same periods.

    Attributes
    ----------
    series : tuple of str, length S
    ts_close_ns : int64 array, shape (T,)
        Ends of the periods, rising.
    table : float64 array, shape (T, S)
        NaN where a series has none.
    name : str
        Of the data, for provenance; ``sha256`` is that of its bytes.
    labels : tuple of str
        What every result made from them must say.
    """

    series: tuple[str, ...]
    ts_close_ns: "Stamps"
    table: "Floats"
    name: str
    sha256: str
    labels: tuple[str, ...] = ()


def load_returns(source: str | os.PathLike[str]) -> Returns:
    """Load returns from a CSV or Parquet file: a column of times, and one of returns a series.

    Parameters
    ----------
    source : str or Path
        Simple returns as fractions, 0.01 for one percent; an empty cell is a period without one.

    Raises
    ------
    DataError
        The file is not there, has no such columns or no row, a cell is no number, or times do not
        rise.
    """
    from neural_trader.data.layouts import TIME_NAMES, plain
    from neural_trader.data.readers import read_tables
    from neural_trader.data.times import read_times

    path = find_path(source)
    contents = [(file, file.read_bytes()) for file in data_files(path)]
    if len(contents) != 1:
        message = f"{path.name} holds {len(contents)} files; returns are read from one"
        raise DataError(message)
    table = read_tables(path, contents)[0]
    names = {plain(name): name for name in table.frame.columns}
    time = next((names[name] for name in TIME_NAMES if name in names), None)
    series = tuple(name for name in table.frame.columns if name != time)
    if time is None or not series:
        message = (
            f"{table.name} has the columns {', '.join(table.frame.columns)}; expected one of times "
            "(date), and one of returns a series"
        )
        raise DataError(message)
    if not len(table.frame):
        message = f"{table.name} has no row below its header; expected one a period"
        raise DataError(message)
    stamps = read_times(table, time).stamps
    late = np.flatnonzero(np.diff(stamps) <= 0)
    if len(late):
        text = f"column {time!r} does not rise here"
        raise table.fault(int(late[0]) + 1, text, "Sort the rows, and keep each time once")
    columns = np.column_stack([_numbers(table, name) for name in series])
    digest = hashlib.sha256(contents[0][1]).hexdigest()
    return Returns(tuple(name.strip() for name in series), stamps, columns, table.name, digest)


def returns_of(bars: "Bars", symbols: tuple[str, ...] = ()) -> Returns:
    """Return the simple returns from close to close, on the bars that all symbols have.

    Parameters
    ----------
    bars : Bars
    symbols : tuple of str
        All by default.

    Raises
    ------
    DataError
        There are fewer than two bars in common, or a symbol is not loaded.
    """
    symbols = symbols or bars.symbols
    block, rows = bars.common(symbols)
    if len(block.ts_close_ns) < 2:
        message = f"{bars.name} has {len(block.ts_close_ns)} bars of {', '.join(symbols)}; need 2"
        raise DataError(message)
    closes = block.fields["close"][list(rows)].T
    table = closes[1:] / closes[:-1] - 1.0
    digest = hashlib.sha256(np.ascontiguousarray(closes).tobytes()).hexdigest()
    return Returns(symbols, block.ts_close_ns[1:], table, bars.name, digest, bars.labels)


def _numbers(table: "Table", column: str) -> "Floats":
    """Read a column; an empty cell is NaN."""
    import polars as pl

    series = table.frame[column]
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        series = stripped.set(stripped == "", None)
    numbers = series.cast(pl.Float64, strict=False)
    values: Floats = numbers.fill_null(float("nan")).to_numpy()
    unread = np.flatnonzero((numbers.is_null() & series.is_not_null()).to_numpy())
    wrong = unread if len(unread) else np.flatnonzero(np.isinf(values) | (values < -1.0))
    if len(wrong):
        row = int(wrong[0])
        text = (
            f"column {column!r} is {series[row]!r}; expected a return as a fraction, -1 or more, "
            "or nothing"
        )
        raise table.fault(row, text, "Mend the cell", more=len(wrong) - 1)
    return values
