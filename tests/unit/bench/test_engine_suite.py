"""The engine's bench: answers first, a row for every target, clear refusals."""

import json
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.bench import (
    ENGINE_NAMES,
    choose_engine_cases,
    engine_cases,
    print_engine_report,
    run_engine_suite,
)
from neural_trader.bench.engine_cases import ENGINE_CASES
from neural_trader.core import BenchError


def test_every_case_has_a_name_and_its_targets_are_measured() -> None:
    assert tuple(case.name for case in ENGINE_CASES) == ENGINE_NAMES


def test_a_case_that_is_none() -> None:
    with pytest.raises(nt.ConfigError, match="expected one of sweep"):
        choose_engine_cases(["swep"])
    assert choose_engine_cases(["orders", "sweep"]) == ["sweep", "orders"]


def test_a_report_has_the_median_of_fresh_processes(capsys: pytest.CaptureFixture[str]) -> None:
    steps: list[str] = []
    report = run_engine_suite(["indicators"], rounds=2, step=steps.append)
    assert steps == ["indicators", "indicators"]
    assert [row.params["quantity"] for row in report.rows] == ["update", "batch"]
    for row in report.rows:
        assert row.checked
        assert row.low is not None
        assert row.value is not None
        assert row.high is not None
        assert 0.0 < row.low <= row.value <= row.high
    print_engine_report(report)
    assert "update" in capsys.readouterr().out


def test_a_wrong_answer_prints_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = nt.sweep

    def wrong(*arguments: Any, **keywords: Any) -> Any:
        keywords["costs"] = nt.Costs(fee_bps=6)
        return sweep(*arguments, **keywords)

    monkeypatch.setattr(nt, "sweep", wrong)
    with pytest.raises(BenchError, match="no figure is printed"):
        engine_cases.run_sweep()


def test_limits_and_stops_stand_on_a_tenth_of_the_bars() -> None:
    bars, orders = engine_cases.make_orders()
    assert len(orders["qty"]) >= 0.1 * 50 * 2_520
    assert len(bars.symbols) == 50
    assert json.dumps(orders["tif"][:2].tolist()) == '["DAY", "DAY"]'
