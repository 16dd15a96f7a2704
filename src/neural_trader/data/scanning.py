"""The lazy front door: a Polars plan over a source, of which no bar is read before it is run.

A Parquet file with columns of types that say what they are becomes a scan of Polars' own, so that
what a query does not ask for is not even read. All else (CSV, wide tables, epochs) has to be looked
at value by value: it is read by ``load``, column cache and checks included, when the plan runs.
"""

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from neural_trader.core import FIELDS, ConfigError, DataError, Split, unknown_symbol
from neural_trader.core.sessions import DAY_NS, first_ns, last_ns, session_day
from neural_trader.data.bundled import find_sample
from neural_trader.data.layouts import read_names
from neural_trader.data.loading import load, read_symbols
from neural_trader.data.paths import CSV, data_files, find_path
from neural_trader.data.pieces import Piece, read_piece
from neural_trader.data.selection import Span, read_span
from neural_trader.data.tables import CsvText

if TYPE_CHECKING:
    import polars as pl

_HEAD_BYTES: Final = 1 << 20


class _Asked(NamedTuple):
    """Which symbols, and which session days."""

    symbols: tuple[str, ...] | None
    span: Span


def scan(
    source: str | os.PathLike[str],
    *,
    symbols: str | Sequence[str] | None = None,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
) -> "pl.LazyFrame":
    """Return a Polars plan over bars; nothing but names and types is read before it is run.

    Parameters
    ----------
    source : str or Path
        The name of a sample; the path of a CSV or Parquet file, of a folder of them, or of a
        catalog that has one frequency. A name that is a sample wins over a path.
    symbols : str or sequence of str, optional
        Which symbols; None scans all. Rows come in the order of the source.
    start, end : str or datetime.date, optional
        First and last session date, both inclusive, as ``YYYY-MM-DD``.

    Returns
    -------
    polars.LazyFrame
        ``symbol``, ``time`` (the close of the bar, UTC, to the nanosecond), and of ``open``,
        ``high``, ``low``, ``close`` and ``volume`` those that the source has, as float64.

    Raises
    ------
    ConfigError
        An argument cannot be used.
    DataError
        The source is not there, cannot be read, has no bars by its names, or has no such symbol.

    Timing
    ------
    As :func:`load` stamps bars: a bar that carries only a date closes at the end of that UTC day.

    Missing
    -------
    A plan checks no bar: ``load`` does, and takes a plan. A field that some files of a folder lack
    is null there. A range without bars gives an empty frame.

    Notes
    -----
    Raw prices that come with their splits are adjusted for them, as ``load`` adjusts them. Two
    things are not in a footer, and are read at once: the symbols of a long table, where symbols are
    asked for, and the time column of a Parquet file that is no catalog's and whose first time
    stands at midnight: only all of it tells dates from times.

    Examples
    --------
    >>> plan = scan("sp500-closes", symbols=["KO", "PEP"], start="2021-01-01")
    >>> plan.collect_schema().names()
    ['symbol', 'time', 'close']
    """
    if not isinstance(source, (str, os.PathLike)):
        message = (
            f"source is a {type(source).__name__}; expected the name of a sample or a path. A "
            "frame in memory has a plan of its own: frame.lazy()"
        )
        raise ConfigError(message)
    span = read_span(
        None if start is None else session_day(start, option="start"),
        None if end is None else session_day(end, option="end"),
    )
    asked = _Asked(read_symbols(symbols), span)
    sample = find_sample(source) if isinstance(source, str) else None
    if sample is not None:
        _check_symbols(sample.name, sample.symbols, asked.symbols)
        return _loaded(sample.name, sample.fields, asked)
    path = _series_folder(find_path(source))
    try:
        files = data_files(path)
        pieces = [None if file.suffix.lower() in CSV else _piece(file) for file in files]
        plain = [piece for piece in pieces if piece is not None and piece.rows]
        if len(plain) == len(files):
            return _scanned(path, plain, asked)
        return _read_later(path, files, asked)
    except OSError as error:
        message = (
            f"{error.filename} cannot be read: {error.strerror}. Check the path and its rights"
        )
        raise DataError(message) from None


def _series_folder(path: Path) -> Path:
    """Return the folder of the one frequency of a catalog, or the path as it is."""
    from neural_trader.data.frequencies import read_frequency

    if not path.is_dir():
        return path
    found = []
    for each in sorted(path.iterdir()):
        if not each.is_dir():
            if not each.name.startswith("."):
                # A folder of files is no catalog, whatever else stands in it.
                return path
            continue
        try:
            found += [each] if read_frequency(each.name).name == each.name else []
        except ConfigError:
            continue
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        message = f"the catalog {path.name} has the frequencies {names}; scan one: {found[0]}"
        raise DataError(message)
    return found[0] if found else path


def _piece(path: Path) -> Piece | None:
    import polars as pl

    try:
        return read_piece(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).strip().splitlines()[0]
        message = f"{path.name} is not a readable Parquet file: {reason}. Replace the file"
        raise DataError(message) from None


def _check_symbols(name: str, known: Sequence[str], wanted: Sequence[str] | None) -> None:
    for symbol in wanted or ():
        if symbol not in known:
            raise DataError(unknown_symbol(symbol, known, where=name))


# ----------------------------------------------------------------------------------------- Parquet
def _scanned(path: Path, pieces: Sequence[Piece], asked: _Asked) -> "pl.LazyFrame":
    """Return the plan over files whose footers say all."""
    import polars as pl

    labels = [_labels(piece, asked) for piece in pieces]
    held = [label.strip() for each in labels for label in each]
    if asked.symbols is not None:
        _check_symbols(path.name, held, asked.symbols)
    plans = []
    for piece, own in zip(pieces, labels, strict=True):
        wanted = None
        if asked.symbols is not None:
            wanted = [label for label in own if label.strip() in asked.symbols]
            if not wanted:
                continue
        plans.append(_plan(piece, wanted, asked.span))
    return plans[0] if len(plans) == 1 else pl.concat(plans, how="diagonal", rechunk=False)


def _labels(piece: Piece, asked: _Asked) -> list[str]:
    """Return the symbols of a file as they stand there; those of a column only where asked for."""
    import polars as pl

    if piece.symbol is None or piece.stamped:
        return [piece.named]
    if asked.symbols is None:
        return []
    column = pl.col(piece.symbol).cast(pl.String)
    found = pl.scan_parquet(piece.path).select(column.unique(maintain_order=True)).collect()
    return [label for label in found.to_series().to_list() if label is not None]


def _plan(piece: Piece, wanted: Sequence[str] | None, span: Span) -> "pl.LazyFrame":
    """Return the plan over one file: the filter stands below the names, where Polars can use it."""
    import polars as pl

    plan = pl.scan_parquet(piece.path)
    if wanted is not None and piece.symbol is not None:
        plan = plan.filter(pl.col(piece.symbol).is_in(list(wanted)))
    are_dates = _are_dates(piece)
    time = _time(piece, are_dates=are_dates)
    low = None if span.first is None else first_ns(span.first)
    high = None if span.last is None else last_ns(span.last)
    if isinstance(piece.types[piece.time], pl.Date):
        low, high = span.first, span.last
        raw = pl.col(piece.time)
        plan = plan if low is None else plan.filter(raw >= pl.lit(low, pl.Int32).cast(pl.Date))
        plan = plan if high is None else plan.filter(raw <= pl.lit(high, pl.Int32).cast(pl.Date))
    else:
        plan = plan if low is None else plan.filter(time >= _instant(low))
        plan = plan if high is None else plan.filter(time <= _instant(high))
    symbol = pl.lit(piece.named) if piece.symbol is None else pl.col(piece.symbol).cast(pl.String)
    # The plan itself is asked for nothing: it would keep the footer of today.
    if piece.symbol is not None and piece.types[piece.symbol] == pl.String:
        symbol = pl.col(piece.symbol)
    columns = [symbol.alias("symbol"), time.alias("time")]
    for name, column in piece.fields.items():
        values = pl.col(column)
        if piece.types[column] != pl.Float64:
            values = values.cast(pl.Float64)
        columns.append(_adjusted(values, name, time, piece.splits).alias(name))
    return plan.select(columns)


def _are_dates(piece: Piece) -> bool:
    """Return whether the times of a file are dates, as ``load`` tells them."""
    import polars as pl

    if isinstance(piece.types[piece.time], pl.Date):
        return True
    if piece.stamped:
        return False
    local = pl.col(piece.time).dt.replace_time_zone(None)
    at_midnight = (local.dt.truncate("1d") == local).all()
    plan = pl.scan_parquet(piece.path).select(piece.time)
    # One time of day is enough to make all of them times.
    return all(
        bool(part.select(at_midnight).collect(engine="streaming").item())
        for part in (plan.head(1), plan)
    )


def _time(piece: Piece, *, are_dates: bool) -> "pl.Expr":
    """Return the closes as UTC to the nanosecond, by a plain column where it is that already."""
    import polars as pl

    raw, kind = pl.col(piece.time), piece.types[piece.time]
    if are_dates:
        days = raw if isinstance(kind, pl.Date) else raw.dt.replace_time_zone(None)
        closes = days.cast(pl.Datetime("ns")) + pl.duration(nanoseconds=DAY_NS - 1)
        return closes.dt.replace_time_zone("UTC")
    if kind == pl.Datetime("ns", "UTC"):
        return raw
    closes = raw.dt.cast_time_unit("ns")
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return closes.dt.convert_time_zone("UTC")
    return closes.dt.replace_time_zone("UTC")


def _instant(stamp_ns: int) -> "pl.Expr":
    import polars as pl

    return pl.lit(stamp_ns, pl.Int64).cast(pl.Datetime("ns", "UTC"))


def _adjusted(values: "pl.Expr", field: str, time: "pl.Expr", splits: Sequence[Split]) -> "pl.Expr":
    """Return a field in shares of after the last split: see ``actions.adjusted``."""
    import polars as pl

    for split in splits:
        changed = values * split.ratio if field == "volume" else values / split.ratio
        values = pl.when(time < _instant(first_ns(split.day))).then(changed).otherwise(values)
    return values


# ------------------------------------------------------------------------------------- by ``load``
def _read_later(path: Path, files: Sequence[Path], asked: _Asked) -> "pl.LazyFrame":
    """Return a plan that reads its source by ``load`` when it is run."""
    fields: set[str] = set()
    known: list[str] = []
    is_known = True
    for file in files:
        names, held = _names(file)
        fields |= set(names)
        known += held
        is_known = is_known and bool(held)
    if asked.symbols is not None:
        if is_known:
            _check_symbols(path.name, known, asked.symbols)
        else:
            # The symbols stand in the rows: what is read for them is there when the plan runs.
            load(path, symbols=asked.symbols)
    return _loaded(path, [name for name in FIELDS if name in fields], asked)


def _names(path: Path) -> tuple[list[str], list[str]]:
    """Return the fields of a file, and its symbols where its names tell them."""
    import polars as pl

    if path.suffix.lower() in CSV:
        from neural_trader.data.readers import header_of

        with path.open("rb") as file:
            data = file.read(_HEAD_BYTES)
        header = header_of(CsvText(data), data, path.name)
    else:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                message = (
                    f"{path.name} is not a Parquet file: it does not start with PAR1. Replace the "
                    "file"
                )
                raise DataError(message)
        header = list(pl.read_parquet_schema(path))
    names = read_names(path.name, header)
    if "close" not in names.fields:
        return ["close"], [name.strip() for name in names.others]
    return list(names.fields), [] if names.symbol is not None else [path.stem]


def _loaded(source: str | Path, fields: Sequence[str], asked: _Asked) -> "pl.LazyFrame":
    import polars as pl
    from polars.io.plugins import register_io_source

    schema: dict[str, pl.DataType] = {"symbol": pl.String(), "time": pl.Datetime("ns", "UTC")}
    schema |= {name: pl.Float64() for name in fields}

    def read(
        with_columns: list[str] | None,
        predicate: "pl.Expr | None",
        n_rows: int | None,
        batch_size: int | None,  # noqa: ARG001 - a hint, and columns are at hand as they are
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        for frame in _frames(source, with_columns or list(schema), asked):
            kept = frame if predicate is None else frame.filter(predicate)
            kept = kept if left is None else kept.head(left)
            yield kept
            if left is not None:
                left -= kept.height
                if not left:
                    return

    return register_io_source(read, schema=schema, is_pure=True)


def _frames(source: str | Path, names: Sequence[str], asked: _Asked) -> "Iterator[pl.DataFrame]":
    """Yield the columns of each symbol in turn, those in range, without a copy."""
    import polars as pl

    bars = load(source, symbols=asked.symbols)
    low = -(2**63) if asked.span.first is None else first_ns(asked.span.first)
    high = 2**63 - 1 if asked.span.last is None else last_ns(asked.span.last)
    for symbol in bars.symbols:
        block = bars.home(symbol)
        first, stop = block.ts_close_ns.searchsorted([low, high + (high < 2**63 - 1)])
        columns: dict[str, pl.Series] = {}
        for name in names:
            if name == "symbol":
                columns[name] = pl.repeat(symbol, int(stop - first), dtype=pl.String, eager=True)
            elif name == "time":
                stamps = pl.Series(block.ts_close_ns[first:stop])
                columns[name] = stamps.cast(pl.Datetime("ns", "UTC"))
            elif name in block.fields:
                columns[name] = pl.Series(block.fields[name][block.row_of[symbol], first:stop])
            else:
                columns[name] = pl.repeat(None, int(stop - first), dtype=pl.Float64, eager=True)
        yield pl.DataFrame(columns)
