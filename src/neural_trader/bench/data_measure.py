"""What the cases of the data bench share: figures, a process's memory, files to read."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

ROWS: Final = 5_000_000
SYMBOLS: Final = 20
MADE: Final = "MADE.parquet"
YEAR: Final = ("2021-01-01", "2021-12-31")
_SECONDS: Final = 0.5
_RUNS_MIN, _RUNS_MAX = 5, 200
_TICK_S: Final = 2.1
_STATUS: Final = Path("/proc/self/status")
_ROLLUP: Final = Path("/proc/self/smaps_rollup")
_CLEAR: Final = Path("/proc/self/clear_refs")
NO_MEMORY: Final = "memory is read from /proc, which this system does not have"


class Figure(NamedTuple):
    """A measured quantity; ``value`` is None where it was not measured, for a reason."""

    quantity: str
    unit: str
    value: float | None
    reason: str | None = None
    limit: float | None = None


class Measured(NamedTuple):
    """What one engine did with a case: its figures, and its answer by name."""

    figures: list[Figure]
    answer: dict[str, list[float]]


def median_ms(work: Callable[[], object]) -> float:
    """Return the median milliseconds of the runs in half a second, after one that warms up."""
    began = time.perf_counter()
    work()
    runs = int(_SECONDS / max(time.perf_counter() - began, 1e-6))
    times = []
    for _ in range(min(max(runs, _RUNS_MIN), _RUNS_MAX)):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def once_ms(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the milliseconds of one run, and what it returned."""
    began = time.perf_counter()
    found = work()
    return (time.perf_counter() - began) * 1e3, found


def memory_mb(name: str) -> float | None:
    """Return a figure of this process's memory in MB: ``VmHWM``, ``RssAnon``, ``Pss`` and such."""
    path = _ROLLUP if name in {"Pss", "Private_Dirty"} else _STATUS
    if not path.exists():
        return None
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def peak_over(work: Callable[[], object]) -> tuple[float | None, str | None]:
    """Return by how many MB a run raises the peak memory over what is there now, or why not."""
    (peak, _), reason = peaks_over(work)
    return peak, reason


def peaks_over(
    work: Callable[[], object],
) -> tuple[tuple[float | None, float | None], str | None]:
    """Return the same, and how much of it is not pages of files: libraries that a run reads in."""
    if not _CLEAR.exists():
        return (None, None), NO_MEMORY
    # Sets the high-water mark back to what is there.
    _CLEAR.write_text("5", encoding="ascii")
    before, files = memory_mb("VmHWM"), memory_mb("RssFile")
    work()
    after, files_after = memory_mb("VmHWM"), memory_mb("RssFile")
    if before is None or after is None or files is None or files_after is None:
        return (None, None), NO_MEMORY
    return (after - before, after - before - (files_after - files)), None


# --------------------------------------------------------------------------------------- the files
def write_year(folder: Path) -> None:
    """Write a year of real daily closes of 20 stocks, long, as CSV and as Parquet."""
    import polars as pl

    import neural_trader as nt

    bars = nt.load("sp500-closes", start=YEAR[0], end=YEAR[1])
    frame = bars.to_polars().select("symbol", pl.col("time").dt.date().alias("date"), "close")
    frame.write_csv(folder / "year.csv")
    frame.write_parquet(folder / "year.parquet")


def write_rows(
    folder: Path, rows: int = ROWS, *, compression: Literal["lz4", "zstd"] = "lz4"
) -> None:
    """Write minute bars of one symbol, with made-up prices, as Parquet: five million.

    LZ4 is what the catalog writes.
    """
    import polars as pl

    rng = np.random.default_rng(7)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-4, rows))), 4)
    open_ = np.concatenate([close[:1], close[:-1]])
    stamps = pl.Series(1_500_000_000_000_000_000 + np.arange(rows) * 60_000_000_000)
    pl.DataFrame(
        {
            "time": stamps.cast(pl.Datetime("ns", "UTC")),
            "open": open_,
            "high": np.round(np.maximum(open_, close) + 0.01, 4),
            "low": np.round(np.minimum(open_, close) - 0.01, 4),
            "close": close,
            "volume": rng.integers(0, 10_000, rows).astype(np.float64),
        }
    ).write_parquet(folder / MADE, compression=compression)


def wait_until_old(path: Path) -> None:
    """Wait until a file is known by its times: one of this very moment is hashed at each load."""
    time.sleep(max(0.0, path.stat().st_mtime + _TICK_S - time.time()))
