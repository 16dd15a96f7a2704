"""What runs in a fresh process: one case by one engine, timed run by run.

``python -m neural_trader.bench.child ENGINE CASE``, where ENGINE is ``ours``, ``baseline`` or
``limit`` (followed by the library of limit programs), prints one JSON object: the answer of the
case itself, and the times of runs with fresh parameters.
"""

import ctypes
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import neural_trader as nt
from neural_trader.backtesting.reference import run_reference
from neural_trader.bench.cases import CAPITAL, COSTS_BPS, Case, find_case

Answer = tuple[int, int, list[float]]
Prepared = tuple[Callable[[], Answer], Callable[[int], Any]]
_STATUS = Path("/proc/self/status")


def main() -> None:
    """Run the case named on the command line and print what was measured."""
    engine, name, *library = sys.argv[1:]
    case = find_case(name)
    answer, once = _ENGINES[engine](case, *library)
    trades, fills, equity = answer()
    runs = case.baseline_runs if engine == "baseline" else case.runs
    for run in range(max(1, runs // 20)):
        once(run)
    peak_mb = peak_rss_mb()
    began = time.process_time()
    times = []
    for run in range(1, runs + 1):
        start = time.perf_counter()
        once(run)
        times.append(time.perf_counter() - start)
    cpu = (time.process_time() - began) / runs
    measured = {
        "trades": trades,
        "fills": fills,
        "final_equity": equity[-1],
        "equity": equity,
        "median_us": float(np.median(times)) * 1e6,
        "cpu_us": cpu * 1e6,
        "peak_rss_mb": peak_mb,
    }
    sys.stdout.write(json.dumps(measured))


def peak_rss_mb() -> float:
    """Return the peak resident memory of this process, in MB.

    Linux gives ``ru_maxrss`` the size of the parent as its floor; the high-water mark of the
    process's own address space has none.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return float(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _ours(case: Case) -> Prepared:
    bars = case.bars()

    def once(run: int) -> nt.Result:
        return nt.backtest(
            case.strategy(run),
            bars,
            capital=CAPITAL,
            costs=nt.Costs(fee_bps=COSTS_BPS, slippage_bps=COSTS_BPS),
        )

    def answer() -> Answer:
        result = once(0)
        return result.trades, result.fill_count, result.equity.tolist()

    return answer, once


def _baseline(case: Case) -> Prepared:
    bars = case.bars()
    costs = nt.Costs(fee_bps=COSTS_BPS, slippage_bps=COSTS_BPS)

    def answer() -> Answer:
        run = run_reference(case.strategy(0), bars, capital=CAPITAL, costs=costs)
        return run.entries, len(run.fills), run.equity

    return answer, lambda run: run_reference(case.strategy(run), bars, capital=CAPITAL, costs=costs)


def _limit(case: Case, library_path: str) -> Prepared:
    library = ctypes.CDLL(library_path)
    bars = case.bars()
    closes = [np.array(bars[symbol].close) for symbol in case.symbols]
    n = len(closes[0])
    equity, spread, out = np.empty(n), np.empty(n), np.empty(3)
    real, whole = ctypes.c_double, ctypes.c_int64
    account = [real(CAPITAL), real(COSTS_BPS / 1e4), real(COSTS_BPS / 1e4)]
    pointers = [column.ctypes.data_as(ctypes.c_void_p) for column in (*closes, spread, equity, out)]
    legs, (room, curve, answers) = pointers[: len(closes)], pointers[len(closes) :]
    if case.kind == "pairs":
        sizes = [whole(n), whole(60), real(2.0), real(0.5), real(20_000.0)]
        function, arguments = library.pairs, [*legs, *sizes, *account, room, curve, answers]
    else:
        sizes = [whole(n), whole(20), whole(50), real(20_000.0)]
        function, arguments = library.sma_cross, [*legs, *sizes, *account, curve, answers]

    def answer() -> Answer:
        function(*arguments)
        return int(out[0]), int(out[1]), equity.tolist()

    return answer, lambda _: function(*arguments)


_ENGINES: dict[str, Callable[..., Prepared]] = {
    "ours": _ours,
    "baseline": _baseline,
    "limit": _limit,
}

if __name__ == "__main__":
    main()
