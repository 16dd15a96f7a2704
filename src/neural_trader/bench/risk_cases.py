"""The cases of the risk bench: each checks its answers, then times ours beside the others."""

import hashlib
import math
import statistics
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from neural_trader.bench import risk_work as work
from neural_trader.bench.child import peak_rss_mb
from neural_trader.core import BenchError, ConfigError
from neural_trader.risk import Plan, Simulation, simulate

MILLION: Final = 1_000_000
POINTS: Final = 8_192
_SEEDS: Final = 100
_RUNS: Final = 30


class Measured(NamedTuple):
    """A quantity: who did it, what it counts, its value, the target, and what stands beside."""

    engine: str
    quantity: str
    unit: str
    value: float | None
    target: float | None = None
    claim: float | None = None
    limit: float | None = None
    reason: str | None = None


def _times(*runs: Callable[[], object], count: int = _RUNS) -> list[list[float]]:
    """Return the milliseconds of each of some programs, run in turn so that noise meets all."""
    for run in runs:
        run()
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(count):
        for run, times in zip(runs, taken, strict=True):
            began = time.perf_counter()
            run()
            times.append((time.perf_counter() - began) * 1e3)
    return taken


def _ratio(others: list[float], ours: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(others, ours, strict=True))


def simulated(
    simulations: int = work.SCENARIOS, options: int = 0, **plan: int | str
) -> Callable[[], Simulation]:
    """Return what simulates the book of the bench, with another seed each time."""
    book, model = work.make_book(options), work.make_model()
    how = Plan()._replace(**plan)  # type: ignore[arg-type]  # names and types are those of Plan
    seeds = iter(range(MILLION))

    def run() -> Simulation:
        # Each run has a seed of its own: nothing could be remembered.
        seed = next(seeds)
        return simulate(
            book,
            model,
            confidence=work.CONFIDENCE,
            simulations=simulations,
            seed=seed,
            plan=how,
        )

    return run


def _checked(name: str, run: Callable[[], Simulation], count: int) -> Callable[[], Simulation]:
    found = run()
    work.check(name, work.Answer(found.var, found.es, found.component_es), count)
    if not math.isclose(float(found.component_es.sum()), found.es, rel_tol=1e-9):
        message = f"components sum to {found.component_es.sum()}, not to {found.es}"
        raise BenchError(message)
    return run


def run_linear() -> list[Measured]:
    """Time value at risk, shortfall and all components of linear positions."""
    ours = _checked("ours", simulated(), work.SCENARIOS)
    by_numpy, by_scipy = work.by_numpy(), work.by_scipy()
    work.check("numpy", by_numpy(), work.SCENARIOS)
    programs: list[Callable[[], object]] = [ours, by_numpy]
    if by_scipy is not None:
        work.check("scipy", by_scipy(), work.SCENARIOS)
        programs.append(by_scipy)
    mine, numpys, *scipys = _times(*programs)
    rows = [
        Measured("ours", "time", "ms", statistics.median(mine), target=1.5, claim=85.0),
        Measured("numpy", "time", "ms", statistics.median(numpys)),
        Measured("ours", "numpy over ours", "x", _ratio(numpys, mine), target=2.5),
    ]
    if not scipys:
        return [
            *rows,
            Measured("scipy", "time", "ms", None, reason="not installed: pip install scipy"),
        ]
    return [
        *rows,
        Measured("scipy", "time", "ms", statistics.median(scipys[0])),
        Measured("ours", "scipy over ours", "x", _ratio(scipys[0], mine), target=6.0),
    ]


def run_memory() -> list[Measured]:
    """Measure how far one simulation raises the peak memory of this process."""
    # What a first call loads and builds stays: it is not what a simulation needs.
    simulated(200)()
    run = simulated()
    before = peak_rss_mb()
    run()
    return [Measured("ours", "peak", "MB", peak_rss_mb() - before, target=0.5, claim=8.0)]


def run_million() -> list[Measured]:
    """Time a million scenarios on one thread, and on two beside what two cores can do."""
    one, two = simulated(MILLION), simulated(MILLION, threads=2)
    _checked("ours", one, MILLION)
    alone, paired = _times(one, two, count=5)
    limit = _hash_speed_up()
    return [
        Measured("ours", "time", "ms", statistics.median(alone), target=120.0),
        Measured("ours", "two threads", "x", _ratio(alone, paired), target=1.8, limit=limit),
    ]


def _hash_speed_up() -> float:
    """Return what two threads that only hash gain over one."""
    block = bytes(1 << 20)

    def hashes(count: int) -> None:
        for _ in range(count):
            hashlib.sha256(block).digest()

    def on_threads() -> None:
        threads = [threading.Thread(target=hashes, args=(60,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    alone, paired = _times(lambda: hashes(120), on_threads, count=3)
    return _ratio(alone, paired)


def run_options() -> list[Measured]:
    """Time the full revaluation of 50 stocks and 100 options."""
    ours = simulated(options=work.OPTIONS)
    by_numpy = work.options_by_numpy()
    if by_numpy is None:
        missing = "not installed: NumPy has no normal probability, pip install scipy"
        (mine,) = _times(ours, count=15)
        return [
            Measured("ours", "time", "ms", statistics.median(mine), target=12.0),
            Measured("numpy", "time", "ms", None, reason=missing),
        ]
    found, theirs = ours(), by_numpy()
    if not abs(found.var - theirs) < 6.0 * found.var_std_error:
        message = f"VaR of the options is {found.var:.2f} by ours and {theirs:.2f} by NumPy"
        raise BenchError(message)
    mine, numpys = _times(ours, by_numpy, count=15)
    return [
        Measured("ours", "time", "ms", statistics.median(mine), target=12.0),
        Measured("numpy", "time", "ms", statistics.median(numpys)),
        Measured("ours", "numpy over ours", "x", _ratio(numpys, mine), target=2.5),
    ]


def run_quasi() -> list[Measured]:
    """Time Sobol points, and measure how far their value at risk is off over many seeds."""
    ours = _checked("ours", simulated(POINTS, draws="sobol"), POINTS)
    wanted = work.closed_form(work.make_book(), work.make_model())[0]
    off = [ours().var / wanted - 1.0 for _ in range(_SEEDS)]
    rmse = 100.0 * math.sqrt(statistics.fmean(x * x for x in off))
    by_scipy = work.sobol_by_scipy(POINTS)
    if by_scipy is None:
        (mine,) = _times(ours)
        beside = [Measured("scipy", "time", "ms", None, reason="not installed: pip install scipy")]
    else:
        mine, scipys = _times(ours, by_scipy)
        beside = [
            Measured("scipy", "time", "ms", statistics.median(scipys)),
            Measured("ours", "scipy over ours", "x", _ratio(scipys, mine)),
        ]
    return [
        Measured("ours", "time", "ms", statistics.median(mine), target=5.0),
        Measured("ours", "VaR RMSE", "%", rmse, target=0.4),
        *beside,
    ]


def run_cuda() -> list[Measured]:
    """Time ten million scenarios on a graphics processor, transfer included, beside NumPy."""
    count = 10 * MILLION
    ours = simulated(count, device="cuda")
    try:
        found = ours()
    except ConfigError as error:
        return [
            Measured("ours", "numpy over cuda", "x", None, target=50.0, reason=f"not run: {error}")
        ]
    work.check("ours", work.Answer(found.var, found.es, found.component_es), count)
    (mine,) = _times(ours, count=3)
    (numpys,) = _times(work.by_numpy(), count=5)
    each = statistics.median(numpys) * count / work.SCENARIOS
    time_ms = statistics.median(mine)
    return [
        Measured("ours", "time on cuda", "ms", time_ms),
        Measured("ours", "numpy over cuda", "x", each / time_ms, target=50.0),
    ]


RISK_CASES: Final[dict[str, Callable[[], list[Measured]]]] = {
    "linear": run_linear,
    "memory": run_memory,
    "million": run_million,
    "options": run_options,
    "quasi": run_quasi,
    "cuda": run_cuda,
}
