"""Ours beside plain Python and NumPy in one process, and instructions where callgrind is there.

No time is asserted: a ratio of two programs, run in turn, holds on a busy machine where times do
not, and each is held to about a third of what is usual. What was measured is added to a history
that ``bench trend`` reads.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.reference import run_reference
from neural_trader.bench.cases import CAPITAL, COSTS_BPS, find_case
from neural_trader.bench.history import add_entry, make_entry
from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.portfolio_cases import make_returns
from neural_trader.bench.portfolio_numpy import compute_common
from neural_trader.bench.rows import Report, Row
from neural_trader.core.version import VERSION
from neural_trader.portfolio import COMMON, measure
from tests.tidy.tree import ROOT

HISTORY = "bench-history.jsonl"
ROUNDS = 15


@pytest.fixture(scope="module")
def rows() -> Iterator[list[Row]]:
    """Rows to keep: they are added to the history when the tests of this file are over."""
    kept: list[Row] = []
    machine = describe_machine()
    yield kept
    folder = Path(os.environ.get("CI_ARTIFACTS") or ROOT / "out")
    folder.mkdir(parents=True, exist_ok=True)
    provenance = {
        "version": VERSION,
        "commit": describe_commit(ROOT),
        "config": {"rounds": ROUNDS},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if kept:
        report = Report(machine=machine, provenance=provenance, rows=kept)
        add_entry(folder / HISTORY, make_entry(report))


def ratios(ours: Callable[[], object], other: Callable[[], object], *, runs: int) -> list[float]:
    """Return how many times as long the other takes, round by round, each in turn."""
    found = []
    ours(), other()
    for _ in range(ROUNDS):
        took = []
        for work, times in ((ours, runs), (other, 1)):
            began = time.perf_counter()
            for _ in range(times):
                work()
            took.append((time.perf_counter() - began) / times)
        found.append(took[1] / took[0])
    return found


def keep(rows: list[Row], case: str, quantity: str, unit: str, found: list[float]) -> float:
    value = statistics.median(found)
    rows.append(
        Row(
            case=f"test_{case}",
            params={"quantity": quantity},
            value=value,
            unit=unit,
            low=min(found),
            high=max(found),
            checked=True,
            samples=found,
        )
    )
    return value


@pytest.mark.parametrize(("case_name", "least"), [("pairs_1y", 6.0), ("sma_1y", 4.0)])
def test_a_backtest_is_faster_than_plain_python(
    rows: list[Row], case_name: str, least: float
) -> None:
    case = find_case(case_name)
    bars, costs = case.bars(), nt.Costs(fee_bps=COSTS_BPS, slippage_bps=COSTS_BPS)

    def ours() -> nt.Result:
        return nt.backtest(case.strategy(0), bars, capital=CAPITAL, costs=costs)

    def plain() -> list[float]:
        return run_reference(case.strategy(0), bars, capital=CAPITAL, costs=costs).equity

    np.testing.assert_allclose(ours().equity, plain(), rtol=1e-12)
    found = ratios(ours, plain, runs=10)
    assert keep(rows, case_name, "plain Python over ours", "x", found) >= least


def test_metrics_are_faster_than_numpy(rows: list[Row]) -> None:
    table = make_returns(51, 252)
    benchmark = table.mean(axis=1)
    series = tuple(f"S{k}" for k in range(51))

    def ours() -> object:
        return measure(table, series=series, benchmark=benchmark, metrics=COMMON)

    wanted = compute_common(table, benchmark)
    found = measure(table, series=series, benchmark=benchmark, metrics=COMMON)
    np.testing.assert_allclose(found.column("sharpe"), wanted["sharpe"], rtol=1e-9)
    numpys = ratios(ours, lambda: compute_common(table, benchmark), runs=3)
    assert keep(rows, "metrics_51x252", "NumPy over ours", "x", numpys) >= 1.0


PROGRAM = """
import numpy as np
from neural_trader._kernels import sma_cross
closes = 50.0 + np.cumsum(np.random.default_rng(1).normal(0.0, 0.1, (1, 8_313)), axis=1)
out = np.empty((2, 8_313))
for _ in range(10):
    sma_cross.signals(closes, 0, (20, 50), np.empty(50), out)
"""


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_kernel_takes_as_few_instructions_as_ever(rows: list[Row], tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            "--toggle-collect=*sma_cross*signals*",
            f"--callgrind-out-file={tmp_path / 'callgrind.out'}",
            sys.executable,
            "-c",
            PROGRAM,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    counted = re.search(r"Collected : (\d+)", done.stderr)
    assert counted, done.stderr
    each = int(counted[1]) / (10 * 8_313)
    # 38 as gcc 12 builds it; a pass too many or a call in the loop is more than half again.
    found = keep(rows, "sma_signals", "instructions a bar", "instructions", [each] * 3)
    assert 5.0 < found <= 57.0
