"""One series as the bytes of a Parquet file, and back.

The columns are ``symbol``, ``time`` (close of the bar, UTC, to the nanosecond) and the fields, so
that any reader of Parquet can use a file alone, and ``nt.load`` reads a folder of them.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neural_trader.core import FIELDS, Bars, Block, DataError
from neural_trader.core.bars import Floats, Stamps
from neural_trader.data.catalog import seals
from neural_trader.data.catalog.provenance import Provenance, decode, encode
from neural_trader.data.layouts import read_table
from neural_trader.data.readers import read_tables
from neural_trader.data.tables import PROVENANCE_KEY
from neural_trader.data.validate import find_fault


class Columns(NamedTuple):
    """The bars of one symbol: stamps of shape (T,), rising, and fields of shape (T,)."""

    stamps: Stamps
    fields: Mapping[str, Floats]


def columns_of(bars: Bars, symbol: str) -> Columns:
    """Return the columns of one symbol of bars, without a copy."""
    block = bars.home(symbol)
    row = block.row_of[symbol]
    return Columns(
        block.ts_close_ns,
        {name: block.fields[name][row] for name in FIELDS if name in block.fields},
    )


def block_of(symbol: str, columns: Columns) -> Block:
    """Return columns as a block of one symbol, without a copy."""
    fields = {name: values.reshape(1, -1) for name, values in columns.fields.items()}
    return Block((symbol,), columns.stamps, fields)


def digest_of(symbol: str, columns: Columns, provenance: Provenance) -> str:
    """Return the hash of a series, as bars of it have it."""
    bars = Bars((block_of(symbol, columns),), name=symbol, basis=provenance.origin.basis)
    return bars.data_hash


def time_text(stamp: int) -> str:
    """Return a stamp as ISO text, UTC: ``2021-01-04T21:00:00Z``."""
    text = str(np.datetime64(int(stamp), "ns"))
    return text.removesuffix(".000000000") + "Z"


def to_bytes(columns: Columns, provenance: Provenance) -> tuple[bytes, Provenance]:
    """Return the file of a series, and its provenance with the figures of its columns."""
    import msgspec
    import polars as pl

    from neural_trader.core.version import VERSION

    complete = msgspec.structs.replace(
        provenance,
        sha256=digest_of(provenance.symbol, columns, provenance),
        rows=len(columns.stamps),
        first=time_text(columns.stamps[0]),
        last=time_text(columns.stamps[-1]),
        version=VERSION,
    )
    frame = pl.DataFrame(
        {
            "symbol": pl.repeat(provenance.symbol, len(columns.stamps), eager=True),
            "time": pl.Series(columns.stamps).cast(pl.Datetime("ns", "UTC")),
        }
        | dict(columns.fields)
    )
    out = io.BytesIO()
    # Half as large again as by Zstandard, and read in half of the time.
    frame.write_parquet(
        out, compression="lz4", metadata={PROVENANCE_KEY: encode(complete), seals.KEY: seals.OPEN}
    )
    return seals.sealed(out.getvalue()), complete


def provenance_of(path: Path) -> Provenance:
    """Read the provenance of a file alone: its bars are not read.

    Raises
    ------
    DataError
        The file is damaged, or has none.
    """
    return _provenance(b"PAR1" + seals.checked_tail(path), path.name)


def _provenance(data: bytes, name: str) -> Provenance:
    """Read the provenance of a file that is known to be whole, or of its footer."""
    import polars as pl

    return decode(pl.read_parquet_metadata(io.BytesIO(data)).get(PROVENANCE_KEY), name)


def from_bytes(path: Path, data: bytes) -> tuple[Columns, Provenance]:
    """Read a file of the catalog and hold it to all that bars must be.

    Raises
    ------
    DataError
        It is damaged, holds another symbol than its provenance says, a bar breaks a rule, or its
        columns are not those that were written.
    """
    seals.check_whole(data, path.name)
    provenance = _provenance(data, path.name)
    (table,) = read_tables(path, [(path, data)])
    (series, *others) = read_table(table).series
    if others or series.symbol != provenance.symbol:
        message = (
            f"{path.name} holds {series.symbol}, its provenance says {provenance.symbol}; expected "
            "one and the same symbol. Fetch or import it again"
        )
        raise DataError(message)
    fault = find_fault(series)
    if fault is not None:
        raise fault
    columns = Columns(
        np.ascontiguousarray(series.stamps),
        {name: series.fields[name] for name in FIELDS if name in series.fields},
    )
    found = digest_of(provenance.symbol, columns, provenance)
    if found != provenance.sha256:
        message = (
            f"{path.name}: its columns have {found}, its provenance says {provenance.sha256}. They "
            "were changed after they were written: fetch or import it again"
        )
        raise DataError(message)
    return columns, provenance
