"""What the footer of a Parquet file says of its columns: no row is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neural_trader.core import Basis, Dividend, Split
from neural_trader.data.layouts import read_names
from neural_trader.data.tables import PROVENANCE_KEY
from neural_trader.data.times import NAIVE

if TYPE_CHECKING:
    import polars as pl


class Piece(NamedTuple):
    """One file of typed columns: one symbol, or a symbol column.

    Attributes
    ----------
    path : Path
    time : str
        The column of times; ``clock`` is its zone in words.
    types : mapping of str to polars.DataType
        The type of each column.
    symbol : str or None
        The column of symbols; ``named`` is the symbol of a file that has none.
    fields : mapping of str to str
        The column of each field.
    stamped : bool
        Whether it is a file of a catalog, whose times are closes to the nanosecond.
    rows : int
    basis, splits, labels
        What a catalog says of the prices; else what the names of the columns say.
    dividends : tuple of Dividend or None
        None: nobody has told about them.
    """

    path: Path
    time: str
    types: "Mapping[str, pl.DataType]"
    symbol: str | None
    fields: Mapping[str, str]
    named: str
    clock: str
    stamped: bool
    rows: int
    basis: Basis
    splits: tuple[Split, ...]
    labels: tuple[str, ...]
    dividends: tuple[Dividend, ...] | None


def read_piece(path: Path) -> Piece | None:
    """Read the footer of a Parquet file.

    Returns
    -------
    Piece or None
        None: it is no Parquet file, a wide one, or its times or fields are of a type that has to be
        looked at value by value.

    Raises
    ------
    DataError
        A column is missing or ambiguous, or the provenance of a catalog is damaged.
    """
    import polars as pl

    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return None
    kept = pl.read_parquet_metadata(path).get(PROVENANCE_KEY)
    splits: tuple[Split, ...] = ()
    labels: tuple[str, ...] = ()
    basis: Basis | None = None
    dividends: tuple[Dividend, ...] | None = None
    named = path.stem
    if kept is not None:
        from neural_trader.data.catalog.provenance import decode

        known = decode(kept, path.name)
        basis, splits, labels = known.origin.basis, known.known_splits, known.labels
        dividends = known.known_dividends
        named = known.symbol
    plan = pl.scan_parquet(path)
    schema = plan.collect_schema()
    names = read_names(path.name, schema.names())
    kind = schema[names.time]
    is_plain = "close" in names.fields and isinstance(kind, (pl.Date, pl.Datetime))
    is_plain = is_plain and all(schema[name].is_numeric() for name in names.fields.values())
    if names.symbol is not None:
        texts = (pl.String, pl.Categorical, pl.Enum)
        is_plain = is_plain and isinstance(schema[names.symbol], texts)
    if not is_plain:
        return None
    return Piece(
        path=path,
        time=names.time,
        types=dict(schema),
        symbol=names.symbol,
        fields=names.fields,
        named=named,
        clock=(kind.time_zone if isinstance(kind, pl.Datetime) else None) or NAIVE,
        stamped=kept is not None,
        rows=int(plan.select(pl.len()).collect().item()),
        basis=basis or names.basis,
        splits=splits,
        labels=labels,
        dividends=dividends,
    )
