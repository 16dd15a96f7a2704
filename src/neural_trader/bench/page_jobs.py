"""The parts of a run of the page: each calls a suite for one round, and returns its rows.

No part measures anything itself: what a suite has is taken from it, and what none has comes from
``page_cases``, ``component`` and ``page_orders``.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from neural_trader.bench.cost import HEADROOM, price, run_cost
from neural_trader.bench.data_suite import choose_data_cases, run_data_suite
from neural_trader.bench.neural_cases import made_artefact
from neural_trader.bench.neural_suite import run_neural_suite
from neural_trader.bench.page import SIZES, slope_of
from neural_trader.bench.page_orders import run_page_orders
from neural_trader.bench.portfolio_suite import choose_portfolio_cases, run_portfolio_suite
from neural_trader.bench.prices import read_prices
from neural_trader.bench.risk_suite import run_risk_suite
from neural_trader.bench.rows import Row
from neural_trader.bench.runner import measure_process
from neural_trader.bench.suite import choose_cases, run_suite
from neural_trader.bench.techniques import choose_techniques, run_techniques_suite
from neural_trader.core import BenchError
from neural_trader.forecast import save_artefact

_TIMEOUT_S: Final = 300
_PROC: Final = Path("/proc/self/stat")
_COMPONENT: Final = Path(__file__).with_name("component.py")
_OVER: Final = {
    "market_data": "numpy",
    "strategy": "pair",
    "portfolio": "numpy",
    "model": "numpy",
}
_QUICK_SHARE: Final = 0.15
_QUICK_PLACES: Final = ("one core", "unpinned")
_FULL_PLACES: Final = (*_QUICK_PLACES, "gateway apart")
# One core is what is compared; whoever links against more threads gets one as well.
_ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


class Round(NamedTuple):
    """What a part is given: the cases wanted, how much work, where, and whom to tell."""

    cases: Sequence[str]
    is_full: bool
    scratch: Path
    step: Callable[[str], None]


class Missing(Exception):  # noqa: N818 - it says that something is not there
    """A part cannot be measured in this installation, for a reason in words."""


Job = Callable[[Round], list[Row]]


def _backtest(now: Round) -> list[Row]:
    cases, _ = choose_cases(now.cases)
    return run_suite(cases, rounds=1, cli=[], step=now.step)[0].rows


def _command_line(now: Round) -> list[Row]:
    return run_suite([], rounds=1, cli=now.cases, step=now.step)[0].rows


def _risk(now: Round) -> list[Row]:
    return run_risk_suite(now.cases, rounds=1, peers=False, step=now.step).rows


def _portfolio(now: Round) -> list[Row]:
    return run_portfolio_suite(choose_portfolio_cases(now.cases), rounds=1, step=now.step).rows


def _held(now: Round) -> list[Row]:
    """Return what portfolios hold, and the slope of that over their sizes."""
    names = [f"memory_{count}" for count, _, _ in SIZES]
    rows = _portfolio(now._replace(cases=names))
    held = {row.case: row for row in rows if row.params["quantity"] == "held"}
    found = [held[name] for name in names]
    if any(row.value is None for row in found):
        reason = next(row.reason for row in found if row.value is None)
        return [*rows, Row(case="slope", params=_SLOPE, value=None, unit="MB", reason=reason)]
    sizes = [float(count) for count, _, _ in SIZES]
    value = slope_of(sizes, [row.value or 0.0 for row in found])
    base = [row.baseline for row in found if row.baseline is not None]
    baseline = slope_of(sizes, base) if len(base) == len(sizes) else None
    slope = Row(
        case="slope", params=_SLOPE, value=value, unit="MB", baseline=baseline, checked=True
    )
    return [*rows, slope]


_SLOPE: Final = {"quantity": "slope"}


def _neural(now: Round) -> list[Row]:
    return run_neural_suite(now.cases, rounds=1, with_peers=False, step=now.step).rows


def _own(now: Round) -> list[Row]:
    """Run cases of ``page_cases``, each in a fresh process."""
    rows = []
    for name in now.cases:
        now.step(name)
        found = ask([sys.executable, "-m", "neural_trader.bench.page_cases", name], name)
        rows += [
            Row(
                case=name,
                params={"quantity": figure["quantity"]},
                value=figure["value"],
                unit=figure["unit"],
                baseline=figure.get("baseline"),
                checked=True,
            )
            for figure in found
        ]
    return rows


def _components(now: Round) -> list[Row]:
    """Measure what each component holds, and the peak of its process over one that has less."""
    folder = now.scratch / "model"
    if not folder.exists():
        save_artefact(made_artefact(64), folder)
    peaks: dict[str, float] = {}

    def peak(name: str) -> float:
        if name not in peaks:
            now.step(f"memory: {name}")
            command = [sys.executable, str(_COMPONENT), name, str(folder)]
            peaks[name] = measure_process(command)["peak_rss_mb"]
        return peaks[name]

    rows = []
    for name in now.cases:
        over = _OVER[name]
        value = peak(name) - peak(over)
        params = {"quantity": "memory", "over": over}
        rows.append(Row(case=name, params=params, value=value, unit="MB", checked=True))
        now.step(f"memory: {name}, held")
        found = ask([sys.executable, str(_COMPONENT), name, str(folder), "held"], name)
        rows.append(
            Row(
                case=name,
                params={"quantity": "held"},
                value=found.get("held_mb"),
                unit="MB",
                reason=found.get("reason"),
                checked=True,
            )
        )
    return rows


def _orders(now: Round) -> list[Row]:
    return run_page_orders(
        # The throughput of one at a time on one core comes with its latency.
        ["closed" if name == "window_1" else name for name in now.cases if name != "all"]
        + [name for name in now.cases if name == "window_1"],
        share=1.0 if now.is_full else _QUICK_SHARE,
        places=_FULL_PLACES if now.is_full else _QUICK_PLACES,
        folder=None,
        step=now.step,
    )


def _data(now: Round) -> list[Row]:
    return run_data_suite(choose_data_cases(now.cases), rounds=1, step=now.step).rows


def _techniques(now: Round) -> list[Row]:
    return run_techniques_suite(choose_techniques(now.cases), rounds=1, step=now.step).rows


def _cost(now: Round) -> list[Row]:
    if not _PROC.exists():
        reason = (
            "CPU and memory of the gateway are read from /proc, which this system does not have"
        )
        raise Missing(reason)
    share = 1.0 if now.is_full else _QUICK_SHARE
    return price(run_cost(rounds=1, step=now.step, share=share), read_prices(), HEADROOM).rows


JOBS: Final[dict[str, Job]] = {
    "backtest": _backtest,
    "cli": _command_line,
    "trades": _own,
    "orders": _orders,
    "risk": _risk,
    "portfolio": _portfolio,
    "signals": _own,
    "data": _data,
    "neural": _neural,
    "startup": _command_line,
    "components": _components,
    "held": _held,
    "scaling": _own,
    "techniques": _techniques,
    "cost": _cost,
}
"""The parts of a run by name, in the order in which they are run."""


def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, on one thread of linear algebra.

    Raises
    ------
    BenchError
        It could not be started, or took too long.
    """
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=os.environ | _ONE_THREAD,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{' '.join(command[:5])} could not be measured: {error}"
        raise BenchError(message) from None


def ask(command: Sequence[str], what: str) -> Any:  # noqa: ANN401 - the program knows
    """Return the JSON that a fresh process prints.

    Raises
    ------
    BenchError
        It failed; the message has its last words.
    """
    done = run(command)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        message = f"{what} failed: {said[:300]}"
        raise BenchError(message)
    return json.loads(done.stdout)
