"""Tables become series: which column is the time, which are fields, which are symbols.

Three layouts are told apart by their names. *Single*: a column of closes, one symbol, which the
table's source names. *Long*: the same with a symbol column. *Wide*: no close column; every column
but the time is the closes of the symbol that it is named by.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import Basis, DataError
from neural_trader.core.bars import Floats, Stamps
from neural_trader.data.tables import Table
from neural_trader.data.times import Times, read_times

if TYPE_CHECKING:
    import polars as pl

TIME_NAMES: Final = (
    "date",
    "datetime",
    "time",
    "timestamp",
    "timestamps",
    "ts",
    "tsclosens",
    "tsclose",
    "closetime",
    "tradedate",
)
INDEX_NAMES: Final = ("index", "level0", "unnamed:0", "")
SYMBOL_NAMES: Final = ("symbol", "ticker", "asset", "instrument", "sym", "tic")
FIELD_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "open": ("open", "openprice"),
    "high": ("high", "highprice"),
    "low": ("low", "lowprice"),
    "close": ("close", "closeprice", "last", "price"),
    "volume": ("volume", "vol"),
}
LETTERS: Final[Mapping[str, str]] = {
    "t": "time",
    "o": "open",
    "h": "high",
    "l": "low",
    "c": "close",
    "v": "volume",
}
ADJUSTED_NAMES: Final = ("adjclose", "adjustedclose", "closeadj", "adjcloseprice")
PART_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "time": TIME_NAMES,
    "symbol": SYMBOL_NAMES,
    "adjusted": ADJUSTED_NAMES,
    **FIELD_NAMES,
}
# What data vendors put beside bars, without a part in them here.
EXTRA_NAMES: Final = ("dividends", "stocksplits", "capitalgains", "vwap", "trades")


class Series(NamedTuple):
    """The columns of one symbol, each of shape (T,), and the rows that they come from.

    ``columns`` maps a field to the name of its column. A cell that is empty or holds no number is
    NaN.
    """

    symbol: str
    stamps: Stamps
    fields: Mapping[str, Floats]
    rows: NDArray[np.intp]
    columns: Mapping[str, str]
    table: Table


class Reading(NamedTuple):
    """The series of one table, with what its names and times say of all of them."""

    series: list[Series]
    basis: Basis
    clock: str


class Names(NamedTuple):
    """Which column plays which part."""

    time: str
    symbol: str | None
    fields: Mapping[str, str]
    others: tuple[str, ...]
    basis: Basis


def read_table(table: Table) -> Reading:
    """Split a table into one series a symbol.

    Raises
    ------
    DataError
        The time or close column is missing or ambiguous, a time or symbol cannot be read, or the
        table has no rows.
    """
    if not table.frame.height:
        message = f"{table.name} has no rows; expected one a bar"
        raise DataError(message)
    first, *others = table.frame.columns
    wide = Names(first, None, {}, tuple(others), "raw")
    names = wide if table.wide else read_names(table.name, table.frame.columns)
    times = read_times(table, names.time)
    if "close" not in names.fields:
        series = _wide(table, names, times)
    elif names.symbol is not None:
        series = _long(table, names, times)
    else:
        series = _single(table, names, times)
    return Reading(series, table.basis or names.basis, times.clock)


def is_time_name(name: str) -> bool:
    """Return whether a column of this name is taken for the time."""
    return plain(name) in TIME_NAMES


def is_field_name(name: str) -> bool:
    """Return whether a column of this name is a field of a bar, or known to come beside them."""
    known = (*FIELD_NAMES.values(), ADJUSTED_NAMES, EXTRA_NAMES)
    return any(plain(name) in names for names in known)


def plain(name: str) -> str:
    """Return a column name without case, spaces and marks: ``Adj. Close`` is ``adjclose``."""
    return "".join(each for each in name.strip().casefold() if each not in " _-.*\ufeff")


def read_names(name: str, columns: Sequence[str]) -> Names:
    """Give each column of a source its part.

    Single letters count as fields only where open, high, low and close all have one: O, C and V
    are symbols too, and a wide table may hold them.
    """
    parts: dict[str, list[str]] = {}
    letters = {plain(column) for column in columns} >= set("ohlc")
    for at, column in enumerate(columns):
        part = _part_of(plain(column), first=at == 0, letters=letters)
        parts.setdefault(part, []).append(column)
    for part in ("time", "symbol", "open", "high", "low", "close", "volume", "adjusted"):
        if len(parts.get(part, ())) > 1:
            found = ", ".join(repr(column) for column in parts[part])
            message = (
                f"{name}: columns {found} could each be the {part} column; expected one. "
                "Rename or drop the others"
            )
            raise DataError(message)
    time = parts.get("time") or parts.get("index")
    if not time:
        message = (
            f"{name} has no time column; expected one named date, datetime, time, timestamp "
            f"or ts, found {', '.join(columns)}"
        )
        raise DataError(message)
    fields = {field: parts[field][0] for field in FIELD_NAMES if field in parts}
    basis: Basis = "raw"
    adjusted = parts.get("adjusted")
    if adjusted and "close" not in fields:
        if fields.keys() & {"open", "high", "low"}:
            message = (
                f"{name} has open, high or low but only an adjusted close ({adjusted[0]!r}): "
                "prices on two bases. Add the raw close, or drop open, high and low"
            )
            raise DataError(message)
        fields["close"], basis = adjusted[0], "total-return"
    others = tuple(parts.get("other", ()))
    symbol = parts.get("symbol", [None])[0]
    if "close" not in fields and (symbol is not None or fields or not others):
        found = ", ".join(columns)
        message = (
            f"{name} has no close column; expected one named close, last or price, found {found}"
        )
        raise DataError(message)
    return Names(time[0], symbol, fields, others, basis)


def _part_of(name: str, *, first: bool, letters: bool) -> str:
    """Return the part that a column of this plain name plays."""
    if first and name in INDEX_NAMES:
        return "index"
    if letters and name in LETTERS:
        return LETTERS[name]
    return next((part for part, known in PART_NAMES.items() if name in known), "other")


def _single(table: Table, names: Names, times: Times) -> list[Series]:
    if table.symbol is None:
        message = (
            f"{table.name} holds one series without a symbol. Name it: symbols='KO', or add a "
            "symbol column"
        )
        raise DataError(message)
    fields = read_floats(table, names.fields)
    rows = np.arange(table.frame.height)
    return [Series(table.symbol, times.stamps, fields, rows, names.fields, table)]


def _wide(table: Table, names: Names, times: Times) -> list[Series]:
    rows = np.arange(table.frame.height)
    if not all(name.strip() for name in names.others):
        message = (
            f"{table.name} has a column without a name, as a separator at the end of each line "
            "makes one. Name or drop it"
        )
        raise DataError(message)
    closes = read_floats(table, {name: name for name in names.others})
    return [
        Series(
            name.strip(),
            times.stamps,
            {"close": closes[name]},
            rows,
            {"close": name},
            table,
        )
        for name in names.others
    ]


def _long(table: Table, names: Names, times: Times) -> list[Series]:
    """Split by symbol, in the order in which the symbols first stand."""
    import polars as pl

    column = str(names.symbol)
    found = table.frame[column]
    texts = isinstance(found.dtype, (pl.String, pl.Categorical, pl.Enum))
    if not (texts or found.dtype.is_integer()):
        message = f"{table.name}: column {column!r} holds {found.dtype}; expected symbols as text"
        raise DataError(message)
    labels, codes = _coded(table, column, found.cast(pl.String))
    fields = read_floats(table, names.fields)
    order, edges = by_code(codes, len(labels))
    return [
        Series(
            label,
            times.stamps[rows],
            {field: values[rows] for field, values in fields.items()},
            rows,
            names.fields,
            table,
        )
        for label, rows in zip(labels, np.split(order, edges[1:-1]), strict=True)
    ]


def by_code(codes: NDArray[np.integer[Any]], count: int) -> tuple[NDArray[np.intp], Stamps]:
    """Return the order that sorts rows by their code, and where each code begins, and the end."""
    # A sort of small integers is one by radix.
    order = np.argsort(codes.astype(np.uint16) if count <= 1 << 16 else codes, kind="stable")
    return order, np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=count))])


def _coded(table: Table, column: str, texts: "pl.Series") -> tuple[list[str], NDArray[np.intp]]:
    """Return the symbols in the order in which they first stand, and the number of each row's."""
    import polars as pl

    # No query is asked where all is well: one would cost as much as thousands of rows.
    if texts.null_count():
        texts = texts.fill_null("")
    rows = len(texts)
    kept = texts.cast(pl.Categorical).to_physical().to_numpy()
    firsts = np.full(int(kept.max()) + 1, rows)
    firsts[kept[::-1]] = np.arange(rows)[::-1]
    present = np.flatnonzero(firsts < rows)
    present = present[np.argsort(firsts[present])]
    found = [text.strip() for text in texts.gather(firsts[present]).to_list()]
    # Symbols that differ in spaces around them are one.
    numbers = {label: at for at, label in enumerate(dict.fromkeys(found))}
    number_of = np.zeros(len(firsts), np.intp)
    number_of[present] = [numbers[label] for label in found]
    codes = number_of[kept]
    if "" in numbers:
        missing = np.flatnonzero(codes == numbers[""])
        text = f"column {column!r} has no symbol"
        raise table.fault(int(missing[0]), text, "Fill or drop the row", more=len(missing) - 1)
    return list(numbers), codes


def read_floats(table: Table, columns: Mapping[str, str]) -> dict[str, Floats]:
    """Return float64 values: NaN where a cell is empty or no number, which the checks refuse.

    Texts are read as Python's ``float`` reads them, to the last bit.
    """
    import polars as pl

    found: dict[str, Floats] = {}
    asked = []
    for field, column in columns.items():
        kind = table.frame.schema[column]
        if kind == pl.Float64 and not table.frame[column].null_count():
            found[field] = np.array(table.frame[column])
        elif kind == pl.String or kind.is_numeric():
            values = pl.col(column)
            values = values.str.strip_chars() if kind == pl.String else values
            asked.append(values.cast(pl.Float64, strict=False).fill_null(np.nan).alias(column))
        else:
            found[field] = np.full(table.frame.height, np.nan)
    read = table.frame.select(asked) if asked else None
    for field, column in columns.items():
        if field not in found and read is not None:
            found[field] = np.array(read[column])
    return {field: found[field] for field in columns}
