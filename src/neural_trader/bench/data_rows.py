"""Five million rows of Parquet to columns that a kernel reads: cold, and from the cache."""

import mmap
import os
import shutil
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from neural_trader.bench.data_measure import (
    MADE,
    NO_MEMORY,
    ROWS,
    Figure,
    Measured,
    memory_mb,
    once_ms,
    wait_until_old,
    write_rows,
)

_RUNS: Final = 5
ZSTD: Final = "cold, zstd"
"""The part that reads a file as Polars writes it unless it is told otherwise."""


def write_both(folder: Path, rows: int = ROWS) -> None:
    """Write the rows as the catalog does, and once more as Polars does."""
    other = folder / "zstd"
    other.mkdir()
    write_rows(other, rows, compression="zstd")
    write_rows(folder, rows)
    wait_until_old(folder / MADE)


def measure_ours(folder: Path, part: str) -> Measured:
    """Load the file, without a cache entry or with one."""
    # The one place that says where the cache lies: a cache of the bench's own.
    os.environ["NEURAL_TRADER_CACHE"] = str(folder / "cache")
    return _cached(folder) if part == "cached" else _cold(folder, part)


def _cold(folder: Path, part: str) -> Measured:
    from neural_trader.data import load, settle

    shutil.rmtree(folder / "cache", ignore_errors=True)
    path = _in_page_cache(folder, part)
    # What the work needs is imported, and Polars started, before it is measured.
    load("sp500-closes", symbols="KO", cache=False)
    began = time.perf_counter()
    bars = load(path)
    loaded_ms = (time.perf_counter() - began) * 1e3
    settle()
    written_ms = (time.perf_counter() - began) * 1e3
    figures = [
        Figure(part, "ms", loaded_ms),
        Figure(f"{part}, until the entry is written", "ms", written_ms),
    ]
    return Measured(figures, _answer(bars))


def _cached(folder: Path) -> Measured:
    from neural_trader.data import load

    path = folder / MADE
    first_ms, bars = once_ms(lambda: load(path))
    del bars
    before = memory_mb("RssAnon")
    taken = [once_ms(lambda: load(path)) for _ in range(_RUNS)]
    after = memory_mb("RssAnon")
    private = None if before is None or after is None else after - before
    entry = next((folder / "cache").glob("v1/*.bars"))
    figures = [
        Figure("first from the cache, checked", "ms", first_ms),
        Figure(
            "from the cache",
            "ms",
            float(np.median([ms for ms, _ in taken])),
            limit=float(np.median([_map_ms(entry) for _ in range(_RUNS)])),
        ),
        Figure(
            "private memory of a cached load",
            "MB",
            None if private is None else private / _RUNS,
            NO_MEMORY if private is None else None,
        ),
    ]
    return Measured(figures, _answer(taken[-1][1]))


def _map_ms(path: Path) -> float:
    """Return what opening and mapping a file takes."""

    def work() -> mmap.mmap:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    return once_ms(work)[0]


def measure_pandas(folder: Path, part: str) -> Measured:
    """Read the same file into contiguous columns by pandas; it has no cache."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401 - what pandas reads it with

    path = _in_page_cache(folder, part)

    def work() -> dict[str, Any]:
        frame = pd.read_parquet(path)
        # Without its zone: an aware column would become five million objects.
        frame["time"] = frame["time"].dt.tz_localize(None)
        return {name: np.ascontiguousarray(frame[name].to_numpy()) for name in frame.columns}

    taken_ms, columns = once_ms(work)
    quantity = "from the cache" if part == "cached" else part
    answer = {
        "rows": [float(len(columns["close"]))],
        "ends": [float(columns["close"][0]), float(columns["close"][-1])],
        "sums": [float(columns[name].sum()) for name in ("open", "high", "low", "close", "volume")],
    }
    return Measured([Figure(quantity, "ms", taken_ms)], answer)


def measure_limit(folder: Path, part: str) -> Measured:
    """Read the same file by Polars alone: neither checked, nor contiguous, nor kept."""
    import polars as pl

    path = _in_page_cache(folder, part)
    pl.DataFrame({"x": [1.0]}).select(pl.col("x") + 1)
    taken_ms, _ = once_ms(lambda: pl.read_parquet(path))
    return Measured([Figure(part, "ms", taken_ms)], {})


def _in_page_cache(folder: Path, part: str) -> Path:
    path = (folder / "zstd" if part == ZSTD else folder) / MADE
    path.read_bytes()
    return path


def _answer(bars: Any) -> dict[str, list[float]]:  # noqa: ANN401 - bars are imported late
    series = bars["MADE"]
    columns = (series.open, series.high, series.low, series.close, series.volume)
    return {
        "rows": [float(len(series.close))],
        "ends": [float(series.close[0]), float(series.close[-1])],
        "sums": [float(values.sum()) for values in columns],
    }
