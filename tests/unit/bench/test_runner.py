"""Answers come before times, and ratios are taken inside a round."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from neural_trader.bench.cases import find_case
from neural_trader.bench.runner import (
    BASELINE,
    LIMIT,
    OURS,
    Engine,
    Measured,
    backtest_rows,
    cli_rows,
    find_difference,
    measure_process,
    measure_round,
)
from neural_trader.core import BenchError

CASE = find_case("pairs_1y")
TRUTH: dict[str, Any] = {
    "trades": 2, "fills": 8, "final_equity": 101.0, "equity": [100.0, 101.0],
    "median_us": 600.0, "cpu_us": 610.0, "peak_rss_mb": 40.0,
}  # fmt: skip
Taken = dict[tuple[str, str], Measured]


def engine(name: str, tolerance: float = 1e-6, **changes: Any) -> Engine:
    """Return an engine that prints the true answer, but for some changes."""
    answer = {key: value for key, value in (TRUTH | changes).items() if value is not None}
    program = f"print({json.dumps(answer)!r})"
    return Engine(name, lambda _: [sys.executable, "-c", program], tolerance)


def measured(*engines: Engine) -> Taken:
    taken: Taken = {}
    measure_round([CASE], engines, taken, step=lambda _: None)
    return taken


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trades": 3}, "trades are 3, not 2"),
        ({"fills": 7}, "fills are 7, not 8"),
        ({"final_equity": 101.001}, "final equity is 101.001, not 101.0"),
        ({"equity": [100.0]}, "equity has 1 bars, not 2"),
        ({"equity": [99.9, 101.0]}, "equity at bar 0 is 99.9, not 100.0"),
        ({"equity": [float("nan"), 101.0]}, "equity at bar 0 is nan, not 100.0"),
    ],
)
def test_every_difference_is_found_and_named(changes: dict[str, Any], words: str) -> None:
    assert find_difference(TRUTH | changes, TRUTH, 1e-6) == words


def test_a_tolerance_is_relative_and_a_curve_may_be_missing() -> None:
    near = {"trades": 2, "fills": 8, "final_equity": 101.00009}
    assert find_difference(near, TRUTH, 1e-6) is None
    assert find_difference(near, TRUTH, 1e-7) is not None


def test_a_wrong_answer_of_ours_stops_everything() -> None:
    with pytest.raises(BenchError, match="pairs_1y: our answer is not the baseline's: trades are"):
        measured(engine(OURS, trades=3), engine(BASELINE))


def test_a_wrong_answer_of_another_engine_gets_no_time() -> None:
    engines = [engine(OURS), engine(BASELINE), engine("rival", final_equity=100.0)]
    rows = backtest_rows([CASE], engines, measured(*engines))
    rivals = [row for row in rows if row.params["engine"] == "rival"]
    assert len(rivals) == 2
    for row in rivals:
        assert row.value is row.low is row.high is row.baseline is row.ratio is None
        assert not row.checked
        assert row.reason == "another answer: final equity is 100.0, not 101.0"
    assert all(row.checked for row in rows if row.params["engine"] == OURS)


def test_an_engine_that_was_wrong_once_is_not_believed_later() -> None:
    taken = measured(engine(OURS), engine(BASELINE), engine("rival", fills=1))
    measure_round(
        [CASE], [engine(OURS), engine(BASELINE), engine("rival")], taken, step=lambda _: None
    )
    assert taken[CASE.name, "rival"].rounds == []
    assert len(taken[CASE.name, OURS].rounds) == 2


def test_no_baseline_no_time() -> None:
    broken = Engine(BASELINE, lambda _: [sys.executable, "-c", "raise SystemExit('sick')"], 0.0)
    with pytest.raises(BenchError, match="plain-Python baseline failed with exit code 1: sick"):
        measured(engine(OURS), broken)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("not installed: make peers", "not installed: make peers"),
        ([sys.executable, "-c", "raise ValueError('no engine')"], "exit code 1: ValueError: no"),
        ([sys.executable, "-c", "print('hello')"], "failed with exit code 0: hello"),
        (["/nowhere/python"], "could not be started: No such file or directory"),
    ],
)
def test_an_engine_that_cannot_run_says_why(command: list[str] | str, reason: str) -> None:
    taken = measured(engine(OURS), engine(BASELINE), Engine("rival", lambda _: command, 1e-6))
    outcome = taken[CASE.name, "rival"]
    assert outcome.rounds == []
    assert reason in (outcome.reason or "")


def test_rows_hold_medians_ends_claims_limits_and_ratios_of_the_same_round() -> None:
    ours = [TRUTH | {"median_us": value} for value in (10.0, 30.0, 20.0)]
    base = [TRUTH | {"median_us": value} for value in (100.0, 600.0, 800.0)]
    taken: Taken = {
        (CASE.name, OURS): Measured(ours),
        (CASE.name, BASELINE): Measured(base),
        (CASE.name, LIMIT): Measured([TRUTH | {"median_us": 4.0}] * 3),
    }
    rows = backtest_rows([CASE], [engine(name) for name in (OURS, BASELINE, LIMIT)], taken)
    assert [row.params["quantity"] for row in rows] == ["time", "cpu", "peak_rss"]
    time = rows[0]
    assert (time.value, time.low, time.high, time.baseline) == (20.0, 10.0, 30.0, 600.0)
    # 10, 20 and 40 times: the median of the ratios, not the ratio of the medians.
    assert time.ratio == 20.0
    assert (time.limit, time.claim, time.unit, time.checked) == (4.0, 5.1e6, "us", True)
    assert rows[1].limit is None
    assert (rows[2].claim, rows[2].unit) == (118.0, "MB")


def test_a_missing_limit_leaves_our_time_and_says_why() -> None:
    missing = Engine(LIMIT, lambda _: "no C compiler", 1e-6)
    engines = [engine(OURS), engine(BASELINE), missing]
    time = backtest_rows([CASE], engines, measured(*engines))[0]
    assert time.value == TRUTH["median_us"]
    assert time.limit is None
    assert time.reason == "no C compiler"


def test_a_process_is_measured_without_its_parent(tmp_path: Path) -> None:
    # The parent, pytest, holds far more than this child: its memory must not be counted.
    ballast = bytearray(300_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small = measure_process([sys.executable, "-I", "-S", "-c", "pass"])
    assert small["peak_rss_mb"] < 100.0
    large = measure_process([sys.executable, "-I", "-S", "-c", "x = bytearray(200_000_000)"])
    assert large["peak_rss_mb"] > 200.0
    assert small["wall_ms"] > 0.0
    assert small["cpu_ms"] > 0.0


def test_a_process_that_fails_is_not_timed() -> None:
    with pytest.raises(BenchError, match="failed with exit code 3"):
        measure_process([sys.executable, "-c", "raise SystemExit(3)"])


def test_only_the_command_line_whose_answer_was_compared_is_called_checked() -> None:
    one = {"wall_ms": 50.0, "cpu_ms": 40.0, "peak_rss_mb": 30.0}
    rows = cli_rows(["cli_backtest", "cli_help"], [{"cli_backtest": one, "cli_help": one}])
    assert {row.case: row.checked for row in rows} == {"cli_backtest": True, "cli_help": False}
    assert [row.claim for row in rows if row.case == "cli_help"] == [300.0, None, None]
    assert [row.value for row in rows[:3]] == [50.0, 40.0, 30.0]
