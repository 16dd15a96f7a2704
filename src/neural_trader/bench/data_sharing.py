"""A file to the results of two workers: pages that all map, beside copies that are sent."""

import gc
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from neural_trader.bench.data_measure import MADE, Figure, Measured, memory_mb, once_ms, peak_over

WORKERS: Final = 2
_FIELDS: Final = ("open", "high", "low", "close", "volume")


def measure_ours(folder: Path, part: str) -> Measured:  # noqa: ARG001 - it has one part
    """Map the cache's entry in every process."""
    # The one place that says where the cache lies: a cache of the bench's own.
    os.environ["NEURAL_TRADER_CACHE"] = str(folder / "cache")
    from neural_trader.backtesting.sweeps.processes import SharedBars
    from neural_trader.data import load, settle

    path = folder / MADE
    # Twice: the entry is written, then checked. From then on it is what every later run finds.
    load(path)
    settle()
    load(path)
    gc.collect()

    def work(submit: Callable[..., Any]) -> list[Any]:
        bars = load(path)
        # A sweep hashes its data once, for its ledger; the path of copies hashes nothing.
        bars.remember_hash("not asked for")
        with SharedBars(bars) as shared:
            jobs = [submit(sum_shared, shared.layout) for _ in range(WORKERS)]
            return [job.result() for job in jobs]

    return measure_work(work)


def measure_copies(folder: Path, part: str) -> Measured:  # noqa: ARG001 - it has one part
    """Read by pandas, copy the columns out, and send them to every worker."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401 - what pandas reads it with

    path = folder / MADE

    def work(submit: Callable[..., Any]) -> list[Any]:
        frame = pd.read_parquet(path)
        columns = [frame[name].to_numpy().copy() for name in _FIELDS]
        jobs = [submit(sum_columns, columns) for _ in range(WORKERS)]
        return [job.result() for job in jobs]

    return measure_work(work)


def measure_work(work: Callable[[Callable[..., Any]], list[Any]]) -> Measured:
    """Time what hands jobs to two workers that have started, and the memory that all take."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        # Workers that are started and have imported what they need are part of neither path.
        for job in [pool.submit(_wake) for _ in range(4 * WORKERS)]:
            job.result()
        taken: list[tuple[float, list[Any]]] = []
        peak, reason = peak_over(lambda: taken.append(once_ms(lambda: work(pool.submit))))
    [(taken_ms, found)] = taken
    grown = [each[1] for each in found]
    # The peak of this process, and of each worker its share of the pages that it holds in the end.
    whole = None if peak is None or None in grown else peak + sum(grown)
    figures = [
        Figure("time", "ms", taken_ms),
        Figure("memory of all processes", "MB", whole, reason),
    ]
    return Measured(figures, {"sums": [value for each in found for value in each[0]]})


def _wake() -> None:
    """Import what a worker needs, and let the others have their turn."""
    from neural_trader.backtesting.sweeps import processes

    _ = processes
    time.sleep(0.05)


def sum_shared(layout: dict[str, Any]) -> tuple[list[float], float | None]:
    """Sum each column of shared bars; return by how much this process grew as well."""
    from neural_trader.backtesting.sweeps.processes import open_shared

    before = memory_mb("Pss")
    bars, _held = open_shared(layout)
    (block,) = bars.blocks
    sums = [float(np.sum(block.fields[name][0])) for name in _FIELDS]
    return sums, _grown(before)


def sum_columns(columns: list[Any]) -> tuple[list[float], float | None]:
    """Sum each column that was sent; return what they take in this process as well."""
    sums = [float(np.sum(values)) for values in columns]
    return sums, sum(values.nbytes for values in columns) / 1e6


def _grown(before: float | None) -> float | None:
    after = memory_mb("Pss")
    return None if before is None or after is None else after - before
