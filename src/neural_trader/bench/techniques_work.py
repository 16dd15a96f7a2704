"""What the techniques do and what is done without them, each in a fresh process.

``python -m neural_trader.bench.techniques_work TECHNIQUE with|without FOLDER`` prints figures and
answer as JSON.
"""

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

import neural_trader as nt
from neural_trader.bench import data_fetch
from neural_trader.bench.data_measure import MADE, Figure, Measured, median_ms
from neural_trader.bench.data_sharing import WORKERS, measure_work, sum_columns, sum_shared
from neural_trader.bench.techniques_pool import measure_fresh, measure_pool
from neural_trader.core import BenchError

_FIELDS: Final = ("open", "high", "low", "close", "volume")
_WINDOW: Final = 20
_WINDOWS: Final = range(10, 110, 10)
_REVALUATIONS: Final = 25
_REPEATS: Final = 10
"""Ten windows asked for ten times each: nine of ten are hits."""


class Unavailable(Exception):  # noqa: N818 - it is a reason, and no error
    """What a technique needs is not on this machine."""


Floats = np.ndarray[Any, np.dtype[np.float64]]
Work = Callable[[Path], Measured]


def main() -> None:
    """Run what is named on the command line and print what was measured."""
    name, variant, folder = sys.argv[1:]
    # The one place that says where the cache lies: a cache of the bench's own.
    os.environ["NEURAL_TRADER_CACHE"] = str(Path(folder) / "cache")
    try:
        figures, answer = WORKS[name][variant](Path(folder))
    except Unavailable as reason:
        sys.stdout.write(json.dumps({"reason": str(reason)}))
        return
    except ImportError as error:
        sys.stdout.write(json.dumps({"reason": f"not installed: pip install {error.name}"}))
        return
    found = {"figures": [figure._asdict() for figure in figures], "answer": answer}
    sys.stdout.write(json.dumps(found))


# ------------------------------------------------------------------------------------- zero copies
def _share(folder: Path) -> Measured:
    from neural_trader.backtesting.sweeps.processes import SharedBars

    bars = _cached(folder)

    def work(submit: Callable[..., Any]) -> list[Any]:
        with SharedBars(bars) as shared:
            if shared.copied_bytes:
                message = f"{shared.copied_bytes:,} bytes were copied; expected mapped columns"
                raise BenchError(message)
            jobs = [submit(sum_shared, shared.layout) for _ in range(WORKERS)]
            return [job.result() for job in jobs]

    return measure_work(work)


def _send(folder: Path) -> Measured:
    (block,) = _cached(folder).blocks
    columns = [block.fields[name][0] for name in _FIELDS]

    def work(submit: Callable[..., Any]) -> list[Any]:
        jobs = [submit(sum_columns, columns) for _ in range(WORKERS)]
        return [job.result() for job in jobs]

    return measure_work(work)


def _cached(folder: Path) -> nt.Bars:
    """Return the bars of the file from the column cache."""
    from neural_trader.data import load, settle

    path = folder / MADE
    # Twice: the entry is written, then checked. From then on it is what every later run finds.
    load(path)
    settle()
    load(path)
    gc.collect()
    bars = load(path)
    bars.remember_hash("not asked for")
    return bars


# ---------------------------------------------------------------------------------- caches of data
def _load_cached(folder: Path) -> Measured:
    _cached(folder)
    return _loaded(folder, cache=True)


def _load_parsed(folder: Path) -> Measured:
    return _loaded(folder, cache=False)


def _loaded(folder: Path, *, cache: bool) -> Measured:
    from neural_trader.data import load

    taken = median_ms(lambda: load(folder / MADE, cache=cache))
    (block,) = load(folder / MADE, cache=cache).blocks
    sums = [float(np.sum(block.fields[name][0])) for name in _FIELDS]
    return Measured([Figure("time", "ms", taken)], {"sums": sums})


# --------------------------------------------------------------------------- compiled and vectors
def _close(symbol: str = "KO") -> Floats:
    return nt.load("sp500-closes", symbols=symbol)[symbol].close


def _compiled(folder: Path) -> Measured:  # noqa: ARG001 - it reads a sample
    close, sma = _close(), nt.indicators.SMA(_WINDOW)
    taken = median_ms(lambda: sma.batch(close))
    return Measured([Figure("time", "ms", taken)], {"mean": sma.batch(close)[_WINDOW:].tolist()})


def _loop(folder: Path) -> Measured:  # noqa: ARG001 - it reads a sample
    # A list: a loop over an array's elements is slower still.
    close = _close().tolist()
    taken = median_ms(lambda: average_by_loop(close, _WINDOW))
    mean = average_by_loop(close, _WINDOW)
    return Measured([Figure("time", "ms", taken)], {"mean": mean[_WINDOW:]})


def average_by_loop(values: list[float], window: int) -> list[float]:
    """Return a simple moving average by a running sum, O(1) a value; NaN before the first."""
    found = [float("nan")] * (window - 1)
    total = sum(values[: window - 1])
    for place in range(window - 1, len(values)):
        total += values[place]
        found.append(total / window)
        total -= values[place - window + 1]
    return found


def _vectors(folder: Path) -> Measured:  # noqa: ARG001 - it reads no file
    from neural_trader._kernels import revaluation
    from neural_trader.risk.scenarios import vectors

    if vectors.revaluation is revaluation:
        message = "the kernel for AVX2 is not built, or this processor does not have it"
        raise Unavailable(message)
    return _revalue()


def _portable(folder: Path) -> Measured:  # noqa: ARG001 - it reads no file
    from neural_trader._kernels import revaluation
    from neural_trader.risk.scenarios import running

    # A kernel of every machine in the place of the one that was chosen: this process is its own.
    vars(running)["revaluation"] = revaluation
    return _revalue()


def _revalue() -> Measured:
    from neural_trader.bench.risk_cases import simulated
    from neural_trader.bench.risk_work import OPTIONS

    run = simulated(options=OPTIONS)
    first = run()
    answer = {"figures": [float(first.var), float(first.es)]}
    # CPU: what else runs takes turns with a loop of milliseconds, and shared cores hide its gain.
    taken = []
    for _ in range(_REVALUATIONS):
        began = time.process_time()
        run()
        taken.append(time.process_time() - began)
    return Measured([Figure("CPU", "ms", statistics.median(taken) * 1e3)], answer)


# ---------------------------------------------------------------------------- caches of indicators
def ewma_variance(series: Any, window: int) -> Floats:  # noqa: ANN401 - SymbolBars
    """Return an exponentially weighted variance of returns, as a user writes it: a loop."""
    close = series.close.tolist()
    keep = 1.0 - 1.0 / window
    found = [0.0]
    for before, now in pairwise(close):
        change = now / before - 1.0
        found.append(keep * found[-1] + (1.0 - keep) * change * change)
    return np.array(found)


def _function_cached(folder: Path) -> Measured:  # noqa: ARG001 - it reads a sample
    bars = _bars()

    def ask(cache: nt.indicators.IndicatorCache, window: int) -> Floats:
        found: Floats = cache.call(ewma_variance, bars, "KO", window=window)
        return found

    return _with_cache(ask)


def _function_anew(folder: Path) -> Measured:  # noqa: ARG001 - it reads a sample
    series = _bars()["KO"]
    return _without_cache(lambda window: ewma_variance(series, window))


def _indicator_cached(folder: Path) -> Measured:  # noqa: ARG001 - it reads a sample
    bars = _bars()

    def ask(cache: nt.indicators.IndicatorCache, window: int) -> Floats:
        found: Floats = cache.compute(nt.indicators.SMA(window), bars, "KO")
        return found

    return _with_cache(ask)


def _indicator_anew(folder: Path) -> Measured:  # noqa: ARG001 - it reads a sample
    close = _bars()["KO"].close
    return _without_cache(lambda window: nt.indicators.SMA(window).batch(close))


def _bars() -> nt.Bars:
    return nt.load("sp500-closes", symbols="KO")


def _with_cache(ask: Callable[[Any, int], Floats]) -> Measured:
    """Time a cache that begins empty, and one request that it can answer."""

    def work() -> nt.indicators.IndicatorCache:
        cache = nt.indicators.IndicatorCache()
        for _ in range(_REPEATS):
            for window in _WINDOWS:
                ask(cache, window)
        return cache

    taken, cache = median_ms(work), work()
    wanted = (len(_WINDOWS) * (_REPEATS - 1), len(_WINDOWS))
    if (cache.stats.hits, cache.stats.misses) != wanted:
        message = f"hits and misses are {cache.stats[:2]}; expected {wanted}"
        raise BenchError(message)
    one = median_ms(lambda: ask(cache, _WINDOWS[0]))
    return _asked(taken, one, lambda window: ask(cache, window))


def _without_cache(compute: Callable[[int], Floats]) -> Measured:
    def work() -> None:
        for _ in range(_REPEATS):
            for window in _WINDOWS:
                compute(window)

    return _asked(median_ms(work), median_ms(lambda: compute(_WINDOWS[0])), compute)


def _asked(taken_ms: float, one_ms: float, ask: Callable[[int], Floats]) -> Measured:
    figures = [
        Figure("100 requests, 90 of them hits", "ms", taken_ms),
        Figure("a request that is a hit", "ms", one_ms),
    ]
    answer = {f"sums of {window}": _sums(ask(window)) for window in _WINDOWS}
    return Measured(figures, answer)


def _sums(column: Floats) -> list[float]:
    known = column[~np.isnan(column)]
    return [float(len(known)), float(known.sum()), float((known * known).sum())]


WORKS: Final[Mapping[str, Mapping[str, Work]]] = {
    "zero_copy": {"with": _share, "without": _send},
    "concurrent_fetch": {
        "with": lambda folder: data_fetch.measure_at_once(folder, ""),
        "without": lambda folder: data_fetch.measure_in_turn(folder, ""),
    },
    "compiled": {"with": _compiled, "without": _loop},
    "vectors": {"with": _vectors, "without": _portable},
    "column_cache": {"with": _load_cached, "without": _load_parsed},
    "function_cache": {"with": _function_cached, "without": _function_anew},
    "indicator_cache": {"with": _indicator_cached, "without": _indicator_anew},
    "pooling": {"with": lambda _: measure_pool(), "without": lambda _: measure_fresh()},
}

if __name__ == "__main__":
    main()
