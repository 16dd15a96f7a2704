"""What the page asks for and no suite has: signals alone, trades, and workers; a process a case.

``python -m neural_trader.bench.page_cases NAME`` checks its answers and prints its figures as JSON.
"""

import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

import neural_trader as nt
from neural_trader.backtesting.reference import hedge_ratios, run_reference, z_scores
from neural_trader.bench.cases import CAPITAL, COSTS_BPS, find_case
from neural_trader.bench.page import WORKERS
from neural_trader.bench.runner import find_difference
from neural_trader.core import BenchError
from neural_trader.strategies import Legs

Figure = dict[str, Any]
_RUNS: Final = 2_000
_REFERENCE_RUNS: Final = 60
_SWEEPS: Final = 3
_COSTS: Final = nt.Costs(fee_bps=COSTS_BPS, slippage_bps=COSTS_BPS)


def median_us(work: Callable[[], object], runs: int) -> float:
    """Return the median microseconds of some runs, after some that warm up."""
    for _ in range(max(1, runs // 20)):
        work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def run_signals() -> list[Figure]:
    """Time hedge ratio, spread and z-score of a year of KO/PEP, beside plain Python.

    Raises
    ------
    BenchError
        A signal is not the reference's, to the bit.
    """
    case = find_case("pairs_1y")
    bars, strategy = case.bars(), case.strategy(0)
    if not isinstance(strategy, nt.Pairs):
        raise TypeError
    legs = Legs(np.stack([bars[symbol].close for symbol in case.symbols]), (0, 1))
    y, x = (column.tolist() for column in legs.close)

    def by_reference() -> list[list[float]]:
        ratios = hedge_ratios(y, x, strategy.lookback)
        spread = [p - ratio * q for p, q, ratio in zip(y, x, ratios, strict=True)]
        return [ratios, spread, z_scores(spread, strategy.lookback)]

    names = strategy.signal_names
    for name, mine, true in zip(names, strategy.signals(legs), by_reference(), strict=True):
        for bar, (found, wanted) in enumerate(zip(mine.tolist(), true, strict=True)):
            if found != wanted and not (math.isnan(found) and math.isnan(wanted)):
                message = f"signals: {name} of bar {bar} is {found!r}, not {wanted!r}"
                raise BenchError(message)
    value = median_us(lambda: strategy.signals(legs), _RUNS)
    baseline = median_us(by_reference, _REFERENCE_RUNS)
    return [{"quantity": "time", "unit": "us", "value": value, "baseline": baseline}]


def run_trades() -> list[Figure]:
    """Count the trades of the backtest, ours and the reference's, with equity equal at every bar.

    Raises
    ------
    BenchError
        They are not the same.
    """
    case = find_case("pairs_1y")
    bars, strategy = case.bars(), case.strategy(0)
    result = nt.backtest(strategy, bars, capital=CAPITAL, costs=_COSTS)
    truth = run_reference(strategy, bars, capital=CAPITAL, costs=_COSTS)
    answer, wanted = (
        {"trades": trades, "fills": fills, "equity": equity, "final_equity": equity[-1]}
        for trades, fills, equity in (
            (result.trades, result.fill_count, result.equity.tolist()),
            (truth.entries, len(truth.fills), truth.equity),
        )
    )
    difference = find_difference(answer, wanted, 1e-12)
    if difference is not None:
        message = f"trades: our answer is not the baseline's: {difference}"
        raise BenchError(message)
    return [
        {"quantity": "trades", "unit": "trades", "value": result.trades, "baseline": truth.entries}
    ]


def _pairs(**parameters: Any) -> nt.Pairs:  # noqa: ANN401 - a grid's values
    return nt.Pairs("KO", "PEP", gross=20_000.0, **parameters)


def run_scaling() -> list[Figure]:
    """Time 3,072 backtests on 1 to 16 threads.

    Raises
    ------
    BenchError
        A number of workers gives another answer than one does, or one gives a wrong one.
    """
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    grid: dict[str, list[Any]] = {
        # Trials of one lookback are one job: 64 of them keep 16 workers busy.
        "lookback": list(range(20, 84)),
        "entry": [1.25 + 0.25 * k for k in range(6)],
        "exit": [round(0.1 * k, 1) for k in range(1, 9)],
    }

    def sweep(workers: int) -> dict[str, Any]:
        return nt.sweep(_pairs, bars, grid, costs=_COSTS, workers=workers).summary

    alone = sweep(1)
    _check_trial(alone, bars)
    figures: list[Figure] = []
    first = math.nan
    for count, _, _ in WORKERS:
        found = sweep(count)
        for name in ("trials", "trades", "fills", "mean_final_equity"):
            if found[name] != alone[name]:
                message = (
                    f"scaling: {name} is {found[name]!r} on {count} workers, not {alone[name]!r}"
                )
                raise BenchError(message)
        times = []
        for _ in range(_SWEEPS):
            began = time.perf_counter()
            sweep(count)
            times.append(time.perf_counter() - began)
        taken = statistics.median(times) * 1e3
        figures.append({"quantity": f"time {count}", "unit": "ms", "value": taken})
        first = taken if count == 1 else first
        if count > 1:
            share = 100.0 * first / (taken * count)
            figures.append({"quantity": f"efficiency {count}", "unit": "%", "value": share})
    return figures


def _check_trial(summary: dict[str, Any], bars: nt.Bars) -> None:
    """Hold the best trial of a sweep to the plain-Python reference."""
    best = summary["best"]
    strategy = _pairs(**best["parameters"])
    truth = run_reference(strategy, bars, capital=CAPITAL, costs=_COSTS)
    if not math.isclose(best["final_equity"], truth.equity[-1], rel_tol=1e-12):
        message = (
            f"scaling: the best trial ends with {best['final_equity']!r}; the reference with "
            f"{truth.equity[-1]!r}"
        )
        raise BenchError(message)


PAGE_CASES: Final[dict[str, Callable[[], list[Figure]]]] = {
    "signals": run_signals,
    "trades": run_trades,
    "scaling": run_scaling,
}


def main() -> None:
    """Run the case named on the command line and print its figures."""
    sys.stdout.write(json.dumps(PAGE_CASES[sys.argv[1]]()))


if __name__ == "__main__":
    main()
