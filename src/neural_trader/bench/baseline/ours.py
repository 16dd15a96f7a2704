"""The cases of the baseline by neural-trader, and how far both answers may be apart.

``python -m neural_trader.bench.baseline.ours NAME`` prints one case as ``baseline.NAME`` does.
"""

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

import neural_trader as nt
from neural_trader.bench import risk_work
from neural_trader.bench.baseline.price_files import price_folder
from neural_trader.bench.baseline.processes import launch
from neural_trader.bench.baseline.timing import Answer, measure
from neural_trader.bench.child import peak_rss_mb
from neural_trader.bench.neural_cases import SYMBOL, made_artefact, made_windows
from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.bench.portfolio_cases import hold_ours, make_returns, memory_mb
from neural_trader.core import BenchError
from neural_trader.forecast import Forecaster
from neural_trader.portfolio import COMMON
from neural_trader.portfolio import measure as measure_returns
from neural_trader.risk import simulate

Work = Callable[[], Answer]


class Compared(NamedTuple):
    """A case: in words what the baseline is and what ours is, and the claims beside its figures.

    ``tolerance`` is how far, relatively, the answers may be apart.
    """

    baseline: str
    ours: str
    make: Callable[..., Work]
    tolerance: float
    claims: dict[str, float]
    runs: int = 0


def _backtest(start: str = "2021-01-01", end: str = "2021-12-31", **rules: Any) -> Work:  # noqa: ANN401 - the rules by name
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], start=start, end=end)
    costs = nt.Costs(fee_bps=5, slippage_bps=5)

    def work() -> Answer:
        result = nt.backtest(nt.Pairs("KO", "PEP", **rules), bars, costs=costs)
        return {
            "trades": result.trades,
            "fills": result.fill_count,
            "final_equity": result.final_equity,
        }

    return work


def _signals(  # noqa: PLR0917 - as the baseline takes them
    y: str = "KO",
    x: str = "PEP",
    start: str = "2021-01-01",
    end: str = "2021-12-31",
    lookback: int = 60,
) -> Work:
    bars = nt.load("sp500-closes", symbols=[y, x], start=start, end=end)
    closes = [bars[symbol].close for symbol in (y, x)]

    def work() -> Answer:
        lines = nt.indicators.OLS(lookback).batch(*closes)
        z = nt.indicators.ZScore(lookback).batch(lines.spread)
        ratio = lines.slope
        return {
            "hedge_ratio": ratio[~np.isnan(ratio)].tolist(),
            "z": z[~np.isnan(z)].tolist(),
        }

    return work


def _risk(simulations: int = 10_000, confidence: float = 0.99, seed: int = 7) -> Work:
    book, model = risk_work.make_book(), risk_work.make_model()
    seeds = count(seed)

    def work() -> Answer:
        found = simulate(
            book, model, confidence=confidence, simulations=simulations, seed=next(seeds)
        )
        return {
            "var": found.var,
            "es": found.es,
            "components": np.asarray(found.component_es).tolist(),
        }

    return work


def _portfolio(series: int = 51, days: int = 252) -> Work:
    table = make_returns(series, days)
    names, benchmark = tuple(f"S{k}" for k in range(series)), table.mean(axis=1)

    def work() -> Answer:
        found = measure_returns(table, series=names, benchmark=benchmark, metrics=COMMON)
        return {name: found.column(name).tolist() for name in COMMON}

    return work


def _market_data(
    symbols: int = 20, year: int = 2021, window: int = 20, delay_ms: float | None = None
) -> Work:
    if delay_ms is not None:
        message = "ours has no part in the fetch from a slow server: that is a technique of its own"
        raise BenchError(message)
    folder = price_folder(symbols, year)
    paths = sorted(folder.glob("*.csv"))

    def work() -> Answer:
        answer: dict[str, list[float]] = {"return": [], "average": [], "deviation": [], "z": []}
        for path in paths:
            bars = nt.load(str(path), basis="total-return", cache=False)
            close = bars[bars.symbols[0]].close
            mean, deviation = (
                nt.indicators.SMA(window).batch(close)[-1],
                nt.indicators.Std(window).batch(close)[-1],
            )
            answer["return"].append(float(close[-1] / close[-2] - 1.0))
            answer["average"].append(float(mean))
            answer["deviation"].append(float(deviation))
            answer["z"].append(float((close[-1] - mean) / deviation))
        return answer

    return work


def _forecast(width: int = 64, rows: int = 1) -> Work:
    forecaster = Forecaster(made_artefact(width))
    windows, symbols = made_windows(rows), [SYMBOL] * rows

    def work() -> Answer:
        if rows == 1:
            found = forecaster.forecast(windows[0], symbol=SYMBOL)
            parts = (found.forecast, found.lower, found.upper)
            names = ("forecast", "lower", "upper")
            return {
                name: [np.asarray(part).tolist()] for name, part in zip(names, parts, strict=True)
            }
        many = forecaster.forecast_many(windows, symbols)
        return {
            "forecast": np.asarray(many.forecast).tolist(),
            "lower": np.asarray(many.lower).tolist(),
            "upper": np.asarray(many.upper).tolist(),
        }

    return work


def _memory(positions: int = 50, days: int = 2_520) -> Work:
    if days != 2_520:
        message = f"days is {days}; ours holds 2,520"
        raise BenchError(message)

    def work() -> Answer:
        hold_ours(2)
        before, began, cpu = memory_mb("VmRSS"), time.perf_counter(), time.process_time()
        state = hold_ours(positions)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        arrays = (state.returns.nbytes + state.covariance.nbytes) / 1e6
        figures = {
            "time_ms": took * 1e3,
            "cpu_ms": cpu * 1e3,
            "peak_rss_mb": peak_rss_mb(),
            "held_mb": max(memory_mb("VmRSS") - before, arrays),
        }
        return {"figures": figures, "variance": np.diagonal(state.covariance).tolist()}

    return work


def _startup(modules: list[str] | None = None) -> Work:
    def work() -> Answer:
        command = [sys.executable, "-m", "neural_trader", "--help"]
        launch(command)
        return {"figures": launch(command), "imported": modules}

    return work


def _orders(
    orders: int = 2_000, window: int = 1, synchronous: str = "NORMAL", folder: str | None = None
) -> Work:
    durability = {"NORMAL": "process-safe", "FULL": "power-safe"}[synchronous]

    def work() -> Answer:
        with (
            tempfile.TemporaryDirectory(dir=folder) as place,
            Stack(durability, placements()["unpinned"], Path(place)) as stack,
        ):
            found = stack.load(orders, window=window)
        # What was lost, doubled or rejected has raised an error: the rest is filled.
        return {"figures": order_figures(found, orders), "filled": orders, "rejected": 0}

    return work


def order_figures(found: dict[str, Any], orders: int) -> dict[str, float]:
    """Return the figures of a load under the names of the baseline."""
    seconds = float(found["seconds"])
    shares = {"p50": "p50_us", "p90": "p90_us", "p95": "p95_us", "p99": "p99_us"}
    shares |= {"p99.9": "p999_us"}
    times = {name: float(found["fill_us"][share]) for share, name in shares.items()}
    return {"time_ms": seconds * 1e3, **times, "orders_per_s": orders / seconds}


CASES: Final = {
    "backtest": Compared(
        "pandas: rolling columns, a loop of bars", "nt.backtest of nt.Pairs",
        _backtest, 1e-9, {"time_ms": 5_100.0, "peak_rss_mb": 118.0},
    ),
    "signals": Compared(
        "pandas: rolling cov, var, mean, std", "indicators OLS and ZScore",
        _signals, 1e-7, {"time_ms": 12.0},
    ),
    "risk": Compared(
        "scipy: multivariate_normal.rvs", "risk.simulate", _risk, 0.0,
        {"time_ms": 85.0, "peak_rss_mb": 8.0},
    ),
    "portfolio": Compared(
        "pandas: whole frames", "portfolio.measure", _portfolio, 1e-9, {"time_ms": 8.0}
    ),
    "market_data": Compared(
        "pandas: read_csv, checks, rolling", "nt.load without cache, indicators",
        _market_data, 1e-9, {"time_ms": 180.0, "peak_rss_mb": 12.0},
    ),
    "forecast": Compared(
        "PyTorch, eager, one thread", "the compiled kernel", _forecast, 1e-6,
        {"time_ms": 18.0, "peak_rss_mb": 85.0},
    ),
    "orders": Compared(
        "asyncio, JSON lines, SQLite NORMAL", "nt gateway, process-safe", _orders, 0.0,
        {"p50_us": 700.0, "p90_us": 1_200.0, "p95_us": 1_800.0, "p99_us": 3_200.0,
         "p999_us": 8_500.0, "orders_per_s": 1_250.0}, 1,
    ),
    "startup": Compared(
        "imports numpy, pandas, scipy.stats", "neural-trader --help",
        _startup, 0.0, {"time_ms": 300.0}, 1,
    ),
    "memory": Compared(
        "pandas frames, 50 positions", "arrays and ledger, 50 positions",
        _memory, 1e-9, {"held_mb": 118.0}, 1,
    ),
}  # fmt: skip


def check_answers(name: str, baseline: Answer, ours: Answer, given: dict[str, Any]) -> None:
    """Raise BenchError where the two answers are not equal within the case's tolerance.

    Draws differ between generators: both risks are held to the closed form, within what so many
    draws allow. A start has no answer.
    """
    if name == "startup":
        return
    if name == "risk":
        for who, answer in (("the baseline", baseline), ("ours", ours)):
            parts = np.asarray(answer["components"], dtype=np.float64)
            found = risk_work.Answer(answer["var"], answer["es"], parts)
            risk_work.check(who, found, given.get("simulations", risk_work.SCENARIOS))
        return
    for key, expected in ours.items():
        if not _equal(baseline.get(key), expected, CASES[name].tolerance):
            message = (
                f"{key} of {name} by the baseline is {str(baseline.get(key))[:60]}; "
                f"by ours {str(expected)[:60]}: no figure is printed"
            )
            raise BenchError(message)


def _equal(a: Any, b: Any, tolerance: float) -> bool:  # noqa: ANN401 - plain values of any kind
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(
            _equal(one, other, tolerance) for one, other in zip(a, b, strict=True)
        )
    if isinstance(a, int | float) and isinstance(b, int | float):
        both_missing = math.isnan(a) and math.isnan(b)
        return both_missing or math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
    return bool(a == b)


def main() -> None:
    """Measure one case and print it."""
    name, *rest = sys.argv[1:]
    given = json.loads(rest[1]) if rest else {}
    case = CASES[name]
    work = case.make(**given)
    sys.stdout.write(json.dumps(measure(name, {}, work, case.runs)) + "\n")


if __name__ == "__main__":
    main()
