"""The baseline: its answers are ours on other parameters too, and a difference stops all."""

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

import neural_trader as nt
from neural_trader.app.cli.main import cli
from neural_trader.bench.baseline import ours, suite
from neural_trader.core import BenchError

GIVEN: list[tuple[str, dict[str, Any]]] = [
    ("backtest", {}),
    ("backtest", {"start": "1990-01-02", "end": "2022-12-28"}),
    ("backtest", {"start": "2005-01-03", "end": "2009-12-31", "lookback": 40, "entry": 1.5}),
    ("signals", {"y": "RRC", "x": "PEP", "start": "1990-01-02", "end": "1995-12-29"}),
    ("signals", {"y": "MSFT", "x": "AAPL", "start": "2010-01-04", "end": "2012-12-31"}),
    ("risk", {"simulations": 40_000, "seed": 3}),
    ("portfolio", {"series": 7, "days": 500}),
    ("market_data", {"symbols": 3, "year": 2008, "window": 10}),
    ("forecast", {"width": 32, "rows": 3}),
    ("memory", {"positions": 10}),
]


def run(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"neural_trader.bench.baseline.{module}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("name", "given"), GIVEN)
def test_answers_are_ours(name: str, given: dict[str, Any]) -> None:
    text = json.dumps(given)
    baseline = run(name, "--json-args", text)
    mine = run("ours", name, "--json-args", text)
    assert baseline["case"] == mine["case"] == name
    assert {"time_ms", "cpu_ms", "peak_rss_mb"} <= set(baseline["figures"])
    assert min(baseline["figures"].values()) > 0
    ours.check_answers(name, baseline["answer"], mine["answer"], given)


def test_orders_are_journalled_and_filled() -> None:
    found = run("orders", "--json-args", '{"orders": 200, "window": 8, "synchronous": "FULL"}')
    answer = found["answer"]
    assert (answer["filled"], answer["rejected"], answer["journalled"]) == (200, 0, [200, 200])
    assert answer["position"] == sum(1 + number % 4 for number in range(1, 201))
    assert found["figures"]["p50_us"] <= found["figures"]["p999_us"]


def test_the_slow_server_is_waited_for() -> None:
    given = {"symbols": 4, "delay_ms": 20}
    assert run("market_data", "--json-args", json.dumps(given))["figures"]["time_ms"] > 80


def test_a_different_answer_is_an_error() -> None:
    right = {"trades": 2, "fills": 8, "final_equity": 99486.6}
    ours.check_answers("backtest", right, right, {})
    for wrong in ({"trades": 3}, {"final_equity": 99486.7}, {"final_equity": None}):
        with pytest.raises(BenchError, match="no figure is printed"):
            ours.check_answers("backtest", right | wrong, right, {})
    risk = {"var": 1.0, "es": 1.0, "components": [1.0]}
    with pytest.raises(BenchError):
        ours.check_answers("risk", risk, risk, {})


def test_unknown_cases_are_refused() -> None:
    with pytest.raises(nt.ConfigError, match="case is 'backtst'; expected one of backtest"):
        suite.choose_baseline_cases(["backtst"])
    assert suite.choose_baseline_cases(["risk", "backtest"]) == ["backtest", "risk"]


def test_what_is_not_installed_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "run_case", lambda *_: "not measured: pip install pandas")
    report = suite.run_baseline_suite(["signals"], rounds=2, step=lambda _: None)
    (row,) = report.rows
    assert (row.value, row.reason) == (None, "not measured: pip install pandas")
    suite.print_baseline_report(report)
    assert "pip install pandas" in capsys.readouterr().out


def test_a_missing_library_is_told_from_a_failure(tmp_path: Any) -> None:
    (tmp_path / "pandas.py").write_text("import nothing_of_that_name")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        found = suite.run_case("signals", "neural_trader.bench.baseline.signals")
    assert found == "not measured: pip install nothing_of_that_name"
    with pytest.raises(BenchError, match="the case signals failed"):
        suite.run_case("signals", "neural_trader.bench.baseline.signals", "--nonsense")


def test_the_command_prints_ratios() -> None:
    done = CliRunner().invoke(cli, ["bench", "baseline", "signals", "--rounds", "1", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    (time,) = [row for row in rows if row["params"]["quantity"] == "time"]
    assert time["checked"]
    assert time["ratio"] == pytest.approx(time["baseline"] / time["value"])
