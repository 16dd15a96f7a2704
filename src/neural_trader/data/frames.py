"""Frames, mappings and arrays in memory become tables."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_trader.core import ConfigError, DataError
from neural_trader.data.layouts import is_field_name, is_time_name, read_names
from neural_trader.data.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

TIMESTAMPS = "timestamps"


def frame_table(source: object, symbols: Sequence[str] | None, timestamps: object) -> Table:
    """Return the table of an object in memory.

    Parameters
    ----------
    source : Polars or pandas frame, mapping, or NumPy array
    symbols : sequence of str or None
        Names the columns of an unnamed array, and the one symbol of a frame that has no symbols.
    timestamps : array-like or None
        The times of a source that has none.

    Raises
    ------
    ConfigError
        The source is of no known kind, or the arguments it needs are missing.
    DataError
        It cannot be read as columns of one length.
    """
    symbol = symbols[0] if symbols is not None and len(symbols) == 1 else None
    polars, pandas = sys.modules.get("polars"), sys.modules.get("pandas")
    if polars and isinstance(source, (polars.DataFrame, polars.LazyFrame)):
        name = "the Polars frame"
        if isinstance(source, polars.LazyFrame):
            frame = _collected(name, source, is_timed=timestamps is None)
        else:
            frame = source
    elif pandas and isinstance(source, (pandas.DataFrame, pandas.Series)):
        name, frame = "the pandas frame", _pandas_frame(source)
    elif isinstance(source, Mapping):
        name, frame = "the mapping", _columns_frame("the mapping", source)
    elif isinstance(source, np.ndarray) and source.dtype.names:
        name = "the structured array"
        frame = _columns_frame(name, {field: source[field] for field in source.dtype.names})
    elif isinstance(source, np.ndarray):
        return _array_table(source, symbols, timestamps)
    else:
        kind = f"{type(source).__module__}.{type(source).__qualname__}"
        message = (
            f"source is a {kind}; expected the name of a sample, a path, a Polars or pandas frame, "
            "a dict of columns or a NumPy array"
        )
        raise ConfigError(message)
    if timestamps is not None:
        frame = _with_times(name, frame, timestamps)
    return Table(name, frame, symbol)


def _collected(name: str, plan: "pl.LazyFrame", *, is_timed: bool) -> "pl.DataFrame":
    """Run a plan by the streaming engine; one whose columns are no bars is refused before it runs.

    ``is_timed`` says that the plan has the times itself.
    """
    import polars as pl

    try:
        schema = plan.collect_schema()
        if is_timed:
            read_names(name, list(schema))
        return plan.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        message = f"the Polars plan cannot be run: {str(error).strip().splitlines()[0]}"
        raise DataError(message) from error


def _array_table(
    source: np.ndarray[Any, Any], symbols: Sequence[str] | None, timestamps: object
) -> Table:
    """Name the columns of an array of closes, of shape (T,) or (T, N)."""
    name = "the array"
    if timestamps is None or symbols is None:
        missing = "timestamps" if timestamps is None else "symbols"
        message = (
            f"an array of closes needs {missing}=; pass timestamps (one a row) and symbols (one a "
            f"column), found an array of shape {source.shape}"
        )
        raise ConfigError(message)
    if source.ndim not in {1, 2} or source.dtype.kind not in "fiu":
        message = (
            f"the array has shape {source.shape} and type {source.dtype}; expected numbers of "
            "shape (T,) or (T, N)"
        )
        raise DataError(message)
    closes = source.reshape(len(source), -1)
    if closes.shape[1] != len(symbols):
        message = (
            f"the array has {closes.shape[1]} columns and symbols has {len(symbols)} names; "
            "expected one name a column"
        )
        raise ConfigError(message)
    columns = dict(zip(symbols, closes.T, strict=True))
    return Table(name, _with_times(name, _columns_frame(name, columns), timestamps), wide=True)


def _with_times(name: str, frame: "pl.DataFrame", timestamps: object) -> "pl.DataFrame":
    """Return a frame with the times that were given apart as its first column."""
    if TIMESTAMPS in frame.columns:
        message = f"{name} has a column {TIMESTAMPS!r} and timestamps= is given; expected one"
        raise ConfigError(message)
    times = _column(TIMESTAMPS, timestamps)
    if len(times) != frame.height:
        message = (
            f"timestamps has {len(times)} times and {name} {frame.height} rows; expected as many"
        )
        raise ConfigError(message)
    # A clone shares the columns; inserting would change the frame of the caller.
    return frame.clone().insert_column(0, times)


def _columns_frame(name: str, columns: Mapping[Any, Any]) -> "pl.DataFrame":
    """Return a frame of named columns, all of one length."""
    import polars as pl

    series = [_column(str(key), values) for key, values in columns.items()]
    lengths = {each.name: len(each) for each in series}
    if len(lengths) < len(series):
        message = f"{name} has two columns of one name; found {', '.join(map(repr, columns))}"
        raise DataError(message)
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key!r} has {length}" for key, length in lengths.items())
        message = f"{name}: columns of different lengths: {told}. Make them equal"
        raise DataError(message)
    return pl.DataFrame(series)


def _column(name: str, values: object) -> "pl.Series":
    """Return a column of an array, a series or a sequence."""
    import polars as pl

    if isinstance(values, pl.Series):
        return values.alias(name)
    pandas = sys.modules.get("pandas")
    if pandas and isinstance(values, (pandas.Series, pandas.Index)):
        return _pandas_column(name, pandas.Series(values))
    if not isinstance(values, np.ndarray):
        if isinstance(values, Iterable) and not isinstance(values, (str, bytes)):
            return _objects(name, list(values))
        values = np.array(0)
    if values.ndim != 1:
        message = f"column {name!r} has the shape {values.shape}; expected one value a bar"
        raise DataError(message)
    if values.dtype.kind == "M":
        unit = np.datetime_data(values.dtype)[0]
        known = unit in {"D", "ms", "us", "ns"}
        return pl.Series(name, values if known else values.astype("datetime64[us]"))
    if values.dtype.kind in "fiub":
        return pl.Series(name, np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="))))
    return _objects(name, values.tolist())


def _objects(name: str, values: list[Any]) -> "pl.Series":
    """Return a column of Python objects: of their own type, or of their texts where they differ."""
    import polars as pl

    values = [each.decode() if isinstance(each, bytes) else each for each in values]
    try:
        return pl.Series(name, values)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        texts = [None if each is None else str(each) for each in values]
        return pl.Series(name, texts, dtype=pl.String)


def _pandas_frame(source: "pd.DataFrame | pd.Series") -> "pl.DataFrame":
    """Return a pandas frame, its index as a column where it carries times, as a Polars frame."""
    import pandas as pd
    import polars as pl

    frame = (
        source.to_frame("close" if source.name is None else source.name)
        if isinstance(source, pd.Series)
        else source
    )
    if frame.columns.nlevels > 1:
        return _by_symbol(frame)
    columns = _index_columns(frame) + [
        _pandas_column(str(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns)
    ]
    names = [each.name for each in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"the pandas frame has column {twice[0]!r} twice. Rename or drop one"
        raise DataError(message)
    return pl.DataFrame(columns)


def _index_columns(frame: "pd.DataFrame") -> list["pl.Series"]:
    """Return the levels of an index that carry something: any but the plain count of rows."""
    import pandas as pd

    if isinstance(frame.index, pd.RangeIndex):
        return []
    if frame.index.nlevels > 1:
        levels = [frame.index.get_level_values(at) for at in range(frame.index.nlevels)]
    else:
        levels = [frame.index]
    named_time = any(is_time_name(str(name)) for name in frame.columns)
    columns = []
    for level in levels:
        is_time = isinstance(level, pd.DatetimeIndex)
        if named_time and (is_time or level.name is None):
            continue
        name = str(level.name) if level.name is not None else "index"
        if is_time and not is_time_name(name):
            name = "date"
        columns.append(_pandas_column(name, pd.Series(level)))
    return columns


def _by_symbol(frame: "pd.DataFrame") -> "pl.DataFrame":
    """Turn columns of two levels, field and symbol in either order, into a long frame."""
    import polars as pl

    sets = [{str(name) for name in frame.columns.get_level_values(at)} for at in range(2)]
    at_field = next((at for at, names in enumerate(sets) if all(map(is_field_name, names))), None)
    if frame.columns.nlevels != 2 or at_field is None:
        message = (
            f"the pandas frame has columns of {frame.columns.nlevels} levels, such as "
            f"{frame.columns[0]!r}; expected (field, symbol) or (symbol, field)"
        )
        raise DataError(message)
    parts = []
    for symbol in dict.fromkeys(frame.columns.get_level_values(1 - at_field)):
        part = frame.xs(symbol, axis=1, level=1 - at_field)
        long = _pandas_frame(part)
        parts.append(long.insert_column(0, pl.Series("symbol", [str(symbol)] * long.height)))
    return pl.concat(parts, how="diagonal_relaxed")


def _pandas_column(name: str, values: "pd.Series") -> "pl.Series":
    """Return a pandas column; one of dates in a time zone keeps its local dates."""
    import pandas as pd
    import polars as pl

    dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        local = values.dt.tz_localize(None)
        if bool((local == local.dt.normalize()).all()):
            return pl.Series(name, local.dt.as_unit("us").to_numpy()).cast(pl.Date)
        utc = values.dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit("ns").to_numpy()
        return pl.Series(name, utc).dt.replace_time_zone("UTC")
    if pd.api.types.is_datetime64_dtype(dtype):
        unit = "us" if dtype == np.dtype("datetime64[s]") else np.datetime_data(dtype)[0]
        return pl.Series(name, values.dt.as_unit(unit).to_numpy())
    if pd.api.types.is_integer_dtype(dtype) and not values.hasnans:
        return pl.Series(name, values.to_numpy(dtype=np.int64))
    if pd.api.types.is_float_dtype(dtype):
        return pl.Series(name, values.to_numpy(dtype=np.float64, na_value=np.nan))
    return _objects(name, [None if pd.isna(each) else each for each in values.to_list()])
