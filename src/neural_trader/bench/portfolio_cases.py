"""The cases of the portfolio bench: what each does, its answer, and what it measures.

A case is run by one engine in a fresh process: ``ours``, or ``numpy`` beside it. It checks what can
be checked there and returns its figures, and an answer that the two are compared by.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

import neural_trader as nt
from neural_trader.bench.portfolio_numpy import compute_common
from neural_trader.core import BenchError
from neural_trader.core.bars import Floats
from neural_trader.portfolio import COMMON, Ledger, Performance, measure, reference

DATA: Final = "sp500-closes"
DAYS: Final = 2_520
_SECONDS: Final = 0.3
_RUNS_MIN, _RUNS_MAX = 7, 1_000
_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")


class Figure(NamedTuple):
    """A measured quantity; ``value`` is None where it was not measured, for a reason."""

    quantity: str
    unit: str
    value: float | None
    reason: str | None = None


class Measured(NamedTuple):
    """What one engine did with a case: its figures, and its answer by name."""

    figures: list[Figure]
    answer: dict[str, list[float]]


class PortfolioCase(NamedTuple):
    """A case: its name, its work in words, and by quantity the target and the claim.

    ``tolerance`` is how far, relatively, NumPy's answer may be from ours.
    """

    name: str
    words: str
    targets: dict[str, float]
    claims: dict[str, float]
    engines: Mapping[str, Callable[[], Measured]]
    tolerance: float = 1e-9


# ------------------------------------------------------------------------------------- real prices
@lru_cache(1)
def _past() -> Floats:
    """Return the daily returns of the bundled closes of 20 stocks."""
    bars = nt.load(DATA)
    closes = np.stack([bars[symbol].close for symbol in bars.symbols], axis=1)
    returns: Floats = closes[1:] / closes[:-1] - 1.0
    return returns


def make_returns(series: int, days: int) -> Floats:
    """Return real daily returns, shape (days, series), C-contiguous.

    More series than there are stocks are the same stocks at other times, evenly spread over the 33
    years.
    """
    past = _past()
    stocks = past.shape[1]
    groups = -(-series // stocks)
    table = np.empty((days, series))
    for k in range(groups):
        start = k * (len(past) - days) // max(groups - 1, 1)
        part = table[:, k * stocks : (k + 1) * stocks]
        part[:] = past[start : start + days, : part.shape[1]]
    return table


def median_s(work: Callable[[], object]) -> float:
    """Return the median seconds of the runs in a third of a second, after one that warms up."""
    began = time.perf_counter()
    work()
    runs = int(_SECONDS / max(time.perf_counter() - began, 1e-6))
    times = []
    for _ in range(min(max(runs, _RUNS_MIN), _RUNS_MAX)):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


# ----------------------------------------------------------------------------------------- metrics
def run_metrics(series: int, days: int, *, counts: bool) -> Measured:
    """Measure the whole list and the common metrics, from the public call to a result read."""
    table = make_returns(series, days)
    names, benchmark = tuple(f"S{k}" for k in range(series)), table.mean(axis=1)

    def ours(metrics: tuple[str, ...]) -> Performance:
        found = measure(table, series=names, benchmark=benchmark, metrics=metrics)
        found.of(names[-1])
        return found

    whole, common = ours(reference.NAMES), ours(COMMON)
    # Plain Python takes a second for a series of ten years in each of 500 places: not all of them.
    checked = range(series) if series * days < 20_000 else (0, series // 2, series - 1)
    for place in checked:
        _check(table[:, place], benchmark, whole.of(names[place]), names[place])
        for name in COMMON:
            _expect(f"{name} alone", common.column(name)[place], whole.column(name)[place])
    figures = [
        Figure("all 47", "ms", median_s(partial(ours, reference.NAMES)) * 1e3),
        Figure("common 27", "ms", median_s(partial(ours, COMMON)) * 1e3),
    ]
    if counts:
        figures.append(count_allocations(partial(ours, reference.NAMES)))
    return Measured(figures, {name: whole.column(name).tolist() for name in COMMON})


def run_metrics_numpy(series: int, days: int, *, counts: bool) -> Measured:
    """Measure the common metrics in NumPy."""
    table = make_returns(series, days)
    benchmark = table.mean(axis=1)

    def work() -> dict[str, Floats]:
        found = compute_common(table, benchmark)
        _ = {name: float(values[-1]) for name, values in found.items()}
        return found

    answer = {name: values.tolist() for name, values in work().items()}
    milliseconds = median_s(work) * 1e3
    figures = [Figure(quantity, "ms", milliseconds) for quantity in ("all 47", "common 27")]
    if counts:
        figures.append(count_allocations(work))
    return Measured(figures, answer)


def _check(x: Floats, benchmark: Floats, found: dict[str, float], name: str) -> None:
    """Hold a series to the plain-Python reference, to the bit."""
    terms = reference.Terms(252.0, len(x) / 252.0)
    wanted = reference.measure(x.tolist(), terms, benchmark.tolist())
    for metric in reference.NAMES:
        _expect(f"{metric} of {name}", found[metric], wanted[metric])


def _expect(what: str, found: float, wanted: float) -> None:
    if found != wanted and not (math.isnan(found) and math.isnan(wanted)):
        message = f"{what} is {found!r}; expected {wanted!r}: no figure is printed"
        raise BenchError(message)


def count_allocations(work: Callable[[], object]) -> Figure:
    """Count the native heap allocations of a second call, its result read."""
    quantity = "allocations"
    try:
        import memray
    except ImportError:
        reason = "memray is not installed: pip install 'neural-trader[bench]'"
        return Figure(quantity, "", None, reason)
    from tempfile import TemporaryDirectory

    work()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "allocations"
        with memray.Tracker(path):
            work()
        with memray.FileReader(path) as reader:
            # Freed memory is recorded too, as an allocation of nothing.
            count = sum(1 for record in reader.get_allocation_records() if record.size)
    return Figure(quantity, "", float(count))


# ------------------------------------------------------------------------------------------ memory
class State(NamedTuple):
    """What a portfolio holds: returns, their covariance, and the ledger, where there is one."""

    returns: Floats
    covariance: Floats
    ledger: Ledger | None


def hold_ours(count: int) -> State:
    """Return ten years of returns, their covariance, and a ledger of so many positions."""
    returns = make_returns(count, DAYS)
    ledger = Ledger("100000000")
    for place in range(count):
        ledger.fill(f"S{place}", 100 + place, "50.00", fee="1.00")
        ledger.mark(f"S{place}", "51.00")
    return State(returns, _covariance(returns), ledger)


def hold_numpy(count: int) -> State:
    """Return ten years of returns and their covariance, as NumPy makes it."""
    returns = make_returns(count, DAYS)
    return State(returns, np.atleast_2d(np.cov(returns.T)), None)


def _covariance(returns: Floats) -> Floats:
    """Return the sample covariance, a year at a time: no copy of all returns."""
    mean = returns.mean(axis=0)
    total = np.zeros((returns.shape[1], returns.shape[1]))
    for start in range(0, len(returns), 252):
        d = returns[start : start + 252] - mean
        total += d.T @ d
    total /= len(returns) - 1
    return total


def run_memory(count: int, hold: Callable[[int], State]) -> Measured:
    """Measure how much a process grows by a portfolio, beyond one that has held two positions."""
    quantity = "held"
    if not (_STATUS.exists() and _CLEAR.exists()):
        reason = "memory is read from /proc, which this system does not have"
        return Measured([Figure(quantity, "MB", None, reason)], {})
    # Code, libraries and their buffers are there before: what is left is the portfolio's own.
    hold(2)
    before = memory_mb("VmRSS")
    _CLEAR.write_text("5")
    state = hold(count)
    after, peak = memory_mb("VmRSS"), memory_mb("VmHWM")
    if state.ledger is not None:
        # 100 + k shares of each, bought at 50, worth 51, one of money paid for each fill.
        worth = sum(100 + place for place in range(count)) - count
        _expect("equity", float(state.ledger.totals.equity), 100_000_000.0 + worth)
    # Pages that lay free may hold some of it: it is never less than its arrays.
    arrays = (state.returns.nbytes + state.covariance.nbytes) / 1e6
    figures = [
        Figure(quantity, "MB", max(after - before, arrays)),
        Figure("peak", "MB", max(peak - before, arrays)),
    ]
    diagonal = np.diagonal(state.covariance)
    answer = {"covariance": state.covariance[0].tolist(), "variance": diagonal.tolist()}
    return Measured(figures, answer)


def memory_mb(name: str) -> float:
    """Return a line of the status of this process, in MB."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return float(line.split()[1]) * 1024 / 1e6


# ------------------------------------------------------------------------------------------- cases
def _metrics(
    series: int,
    days: int,
    targets: dict[str, float],
    claims: dict[str, float] | None = None,
    *,
    counts: bool = False,
) -> PortfolioCase:
    return PortfolioCase(
        f"metrics_{series}x{days}",
        f"metrics, {series} series x {days:,} days",
        targets,
        claims or {},
        {
            "ours": partial(run_metrics, series, days, counts=counts),
            "numpy": partial(run_metrics_numpy, series, days, counts=counts),
        },
    )


def _memory(count: int, target: float, claim: float) -> PortfolioCase:
    return PortfolioCase(
        f"memory_{count}",
        f"{count} positions, {DAYS:,} days, covariance",
        {"held": target},
        {"held": claim},
        {
            "ours": partial(run_memory, count, hold_ours),
            "numpy": partial(run_memory, count, hold_numpy),
        },
    )


def _optimizer(name: str, words: str, method: str, target: float) -> PortfolioCase:
    def run(*, is_ours: bool) -> Measured:
        from neural_trader.bench.portfolio_optimizers import run_optimizer, run_optimizer_numpy

        return run_optimizer(method) if is_ours else run_optimizer_numpy(method)

    engines = {"ours": partial(run, is_ours=True), "numpy": partial(run, is_ours=False)}
    return PortfolioCase(name, words, {"time": target}, {}, engines, tolerance=1e-6)


PORTFOLIO_CASES: Final = (
    _metrics(
        51,
        252,
        {"all 47": 0.35, "common 27": 0.2, "allocations": 45.0},
        {"common 27": 8.0, "allocations": 45.0},
        counts=True,
    ),
    _metrics(51, 2_520, {}),
    _metrics(500, 2_520, {"all 47": 25.0}),
    _optimizer("min_variance_50", "minimum variance, 50 assets", "min-variance", 0.3),
    _optimizer("risk_parity_50", "equal risk contributions, 50 assets", "risk-parity", 1.5),
    _memory(10, 1.0, 14.0),
    _memory(50, 2.0, 118.0),
    _memory(100, 4.0, 235.0),
    _memory(500, 20.0, 1_100.0),
)
"""In the order in which they are measured and printed."""

PEER_CASE: Final = "metrics_51x252"
"""The case that other packages are asked for as well."""


def find_portfolio_case(name: str) -> PortfolioCase:
    """Return the case of that name; the suite gives only names that exist."""
    return next(case for case in PORTFOLIO_CASES if case.name == name)


def describe(engine: str, name: str) -> dict[str, Any]:
    """Run a case by an engine, here, and return its figures and its answer as plain values."""
    measured = find_portfolio_case(name).engines[engine]()
    return {
        "figures": [figure._asdict() for figure in measured.figures],
        "answer": measured.answer,
    }
