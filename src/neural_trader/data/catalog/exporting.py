"""Bars out of a catalog, as one long file that any program reads."""

import io
import os
from pathlib import Path

from neural_trader.core import Bars, ConfigError, DataError
from neural_trader.data.catalog.writing import write_whole
from neural_trader.data.frequencies import read_frequency
from neural_trader.data.paths import CSV, EXTENSIONS


def export_bars(bars: Bars, path: str | os.PathLike[str], *, frequency: str = "1Day") -> int:
    """Write bars to one long CSV or Parquet file; an older one is replaced.

    Parameters
    ----------
    bars : Bars
        Any number of symbols.
    path : str or Path
        Its extension says which: ``.csv``, ``.parquet`` or ``.pq``. Numbers in a CSV file read back
        to the last bit.
    frequency : str
        Of the bars: daily ones get a column ``date``, others ``time``, their close in UTC.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    ConfigError
        The extension is unknown.
    DataError
        The folder is not there.
    """
    import polars as pl

    target = Path(path).expanduser()
    if target.suffix.lower() not in EXTENSIONS:
        known = ", ".join(sorted(EXTENSIONS))
        message = f"{target.name} has the extension {target.suffix!r}; expected one of {known}"
        raise ConfigError(message)
    if not target.parent.is_dir():
        message = f"the folder {target.parent} is not there. Make it, or give another path"
        raise DataError(message)
    frame = bars.to_polars()
    if read_frequency(frequency).daily:
        frame = frame.with_columns(pl.col("time").dt.date()).rename({"time": "date"})
    out = io.BytesIO()
    if target.suffix.lower() in CSV:
        texts = [
            pl.Series(name, [repr(value) for value in frame[name].to_list()])
            for name in frame.columns
            if frame[name].dtype == pl.Float64
        ]
        if "time" in frame.columns:
            texts.append(frame["time"].dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ"))
        frame.with_columns(texts).write_csv(out)
    else:
        frame.write_parquet(out)
    write_whole(target, out.getvalue())
    return frame.height
