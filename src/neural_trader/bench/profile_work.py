"""What is profiled, repeated in a fresh process: ``python -m neural_trader.bench.profile_work``.

``... CASE SECONDS [memray|tracemalloc FILE]`` repeats the work of a case for so long, ours alone
where others stand beside it in the bench, and writes what its memory did to the file.
"""

import json
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Final

import neural_trader as nt
from neural_trader.core import ConfigError

Work = Callable[[], object]
SAMPLE_S: Final = 0.005
_TOP: Final = 20


def _backtest(name: str) -> Work:
    from neural_trader.bench.cases import CAPITAL, COSTS_BPS, find_case

    case = find_case(name)
    bars, runs = case.bars(), iter(range(1 << 60))
    costs = nt.Costs(fee_bps=COSTS_BPS, slippage_bps=COSTS_BPS)
    return lambda: nt.backtest(case.strategy(next(runs)), bars, capital=CAPITAL, costs=costs)


def _engine(name: str) -> Work:
    from neural_trader.bench.engine_cases import ENGINE_CASES

    return next(case for case in ENGINE_CASES if case.name == name).run


def _portfolio(name: str) -> Work:
    from neural_trader.bench.portfolio_cases import find_portfolio_case

    return find_portfolio_case(name).engines["ours"]


def _risk(name: str) -> Work:
    from neural_trader.bench import risk_work
    from neural_trader.risk import Plan, simulate

    model = risk_work.make_model()
    book = risk_work.make_book(100 if name == "options" else 0)
    plan = Plan()._replace(draws="sobol") if name == "quasi" else Plan()
    count = {"million": 1_000_000, "quasi": 8_192}.get(name, risk_work.SCENARIOS)
    seeds = iter(range(1 << 60))
    return lambda: simulate(
        book,
        model,
        confidence=risk_work.CONFIDENCE,
        simulations=count,
        seed=next(seeds),
        plan=plan,
    )


def _neural(name: str) -> Work:
    from neural_trader.bench.neural_cases import NEURAL_CASES, SYMBOL, made_artefact, made_windows
    from neural_trader.forecast import Forecaster

    case = next(case for case in NEURAL_CASES if case.name == name)
    forecaster = Forecaster(made_artefact(case.width), engine="compiled")
    windows = made_windows(case.rows)
    if case.rows == 1:
        return lambda: forecaster.forecast(windows[0], symbol=SYMBOL)
    return lambda: forecaster.forecast_many(windows, [SYMBOL] * case.rows)


def _data(_: str) -> Work:
    return lambda: nt.load("sp500-closes")


def suites() -> dict[str, tuple[tuple[str, ...], Callable[[str], Work]]]:
    """Return the names of the cases of every suite, and what makes the work of one."""
    from neural_trader.bench.cases import CASES
    from neural_trader.bench.engine_cases import ENGINE_CASES
    from neural_trader.bench.neural_cases import NEURAL_CASES
    from neural_trader.bench.portfolio_cases import PORTFOLIO_CASES

    return {
        "backtest": (tuple(case.name for case in CASES), _backtest),
        "engine": (tuple(case.name for case in ENGINE_CASES), _engine),
        "portfolio": (tuple(case.name for case in PORTFOLIO_CASES), _portfolio),
        "risk": (("linear", "million", "options", "quasi"), _risk),
        "neural": (tuple(case.name for case in NEURAL_CASES), _neural),
        "data": (("data",), _data),
    }


def make_work(name: str) -> Work:
    """Prepare the work of a case.

    Raises
    ------
    ConfigError
        There is no such case.
    """
    for names, make in suites().values():
        if name in names:
            return make(name)
    message = f"case is {name!r}; expected one that neural-trader bench profile --help lists"
    raise ConfigError(message)


def repeat(work: Work, seconds: float) -> int:
    """Run the work until the time is over, once at least, and return how often it ran."""
    end, runs = time.perf_counter() + seconds, 0
    while not runs or time.perf_counter() < end:
        work()
        runs += 1
    return runs


def trace(run: Work, file: Path) -> object:
    """Run something under tracemalloc and write its memory over time as JSON.

    Notes
    -----
    What C code takes for itself is not in it; NumPy's arrays are.
    """
    timeline: list[tuple[float, int]] = []
    ended = threading.Event()
    began = time.perf_counter()

    def watch() -> None:
        while True:
            timeline.append((time.perf_counter() - began, tracemalloc.get_traced_memory()[0]))
            if ended.wait(SAMPLE_S):
                return

    tracemalloc.start(8)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return run()
    finally:
        ended.set()
        watcher.join()
        peak = tracemalloc.get_traced_memory()[1]
        held = tracemalloc.take_snapshot().statistics("lineno")[:_TOP]
        places = [
            {"place": str(one.traceback[0]), "bytes": one.size, "count": one.count} for one in held
        ]
        told = {"timeline": timeline, "peak_bytes": peak, "places": places}
        file.write_text(json.dumps(told), encoding="utf-8")


def track(run: Work, tool: str, file: Path) -> object:
    """Run something with its memory watched by memray or tracemalloc."""
    if tool == "tracemalloc":
        return trace(run, file)
    import memray

    tracker = memray.Tracker(file, memory_interval_ms=int(SAMPLE_S * 1e3))
    tracker.__enter__()
    try:
        return run()
    finally:
        tracker.__exit__(None, None, None)


def main() -> None:
    """Repeat the work of a case, and say how often it ran."""
    name, seconds, *watched = sys.argv[1:]
    work = make_work(name)
    work()
    if watched:
        runs = track(lambda: repeat(work, float(seconds)), watched[0], Path(watched[1]))
    else:
        runs = repeat(work, float(seconds))
    sys.stdout.write(json.dumps({"runs": runs}))


if __name__ == "__main__":
    main()
