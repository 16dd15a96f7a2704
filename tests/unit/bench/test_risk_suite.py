"""The risk bench: answers first, a row for every target, reasons for what was not measured."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.bench import (
    choose_risk_cases,
    print_risk_report,
    risk_cases,
    risk_suite,
    risk_work,
    run_risk_suite,
)
from neural_trader.bench.risk_suite import PEERS, RISK_NAMES
from neural_trader.core import BenchError
from neural_trader.risk import simulate
from tests.tidy.tree import ROOT


def test_every_case_can_be_run() -> None:
    assert tuple(risk_cases.RISK_CASES) == RISK_NAMES
    assert choose_risk_cases([]) == list(RISK_NAMES)
    assert choose_risk_cases(["quasi", "linear"]) == ["linear", "quasi"]
    with pytest.raises(nt.ConfigError, match="case is 'liner'; expected one of linear"):
        choose_risk_cases(["liner"])


def test_a_report_has_ours_beside_numpy_and_scipy(capsys: pytest.CaptureFixture[str]) -> None:
    report = run_risk_suite(["linear"], rounds=1, peers=True, step=lambda _: None)
    rows = {(row.params["engine"], row.params["quantity"]): row for row in report.rows}
    ours = rows["ours", "time"]
    assert ours.checked
    assert (ours.params["target"], ours.claim) == (1.5, 85.0)
    for engine in ("numpy", "scipy"):
        ratio, time = rows["ours", f"{engine} over ours"], rows[engine, "time"]
        assert time.value is not None
        assert ours.value is not None
        assert ratio.value == pytest.approx(time.value / ours.value, rel=0.9)
    assert {row.params["engine"] for row in report.rows} >= set(PEERS.values())
    assert rows["arch", "time"].value is None
    assert "one series at a time" in str(rows["arch", "time"].reason)
    print_risk_report(report)
    shown = capsys.readouterr().out
    assert "not measured" in shown
    assert "scipy over ours" in shown


def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    monkeypatch.setattr(risk_cases, "_RUNS", 1)
    found = {(row.engine, row.quantity): row for row in risk_cases.run_linear()}
    assert found["scipy", "time"].value is None
    assert found["scipy", "time"].reason == "not installed: pip install scipy"
    assert ("ours", "scipy over ours") not in found


def test_cuda_that_is_not_there_was_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: Any, **keywords: Any) -> Any:
        message = "there is none"
        raise nt.ConfigError(message)

    monkeypatch.setattr(risk_cases, "simulate", missing)
    (row,) = risk_cases.run_cuda()
    assert (row.value, row.target, row.reason) == (None, 50.0, "not run: there is none")


def test_a_wrong_answer_prints_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:

    def wrong(*arguments: Any, **keywords: Any) -> Any:
        found = simulate(*arguments, **keywords)
        return found._replace(var=found.var * 1.5)

    monkeypatch.setattr(risk_cases, "simulate", wrong)
    with pytest.raises(BenchError, match=r"ours finds a VaR of .*: no figure"):
        risk_cases.run_linear()


def test_components_that_do_not_add_up_print_no_figure() -> None:
    found = risk_work.by_numpy()()
    risk_work.check("numpy", found, risk_work.SCENARIOS)
    with pytest.raises(BenchError, match="the components of numpy sum to"):
        risk_work.check("numpy", found._replace(components=found.components * 1.1), 10_000)


def test_a_case_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; sys.exit('it broke')"
    monkeypatch.setattr(risk_suite, "_own_command", lambda _: [sys.executable, "-c", program])
    with pytest.raises(BenchError, match="the case linear failed: it broke"):
        run_risk_suite(["linear"], rounds=1, peers=False, step=lambda _: None)


def test_the_command_line_prints_json(tmp_path: Path) -> None:
    file = tmp_path / "risk.json"
    command = [sys.executable, "-m", "neural_trader", "bench", "risk", "--case", "memory"]
    command += ["--rounds", "1", "--json", "--output", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    report = json.loads(done.stdout)
    assert report == json.loads(file.read_text())
    (row,) = report["rows"]
    assert row["params"]["quantity"] == "peak"
    assert row["claim"] == 8.0
    assert 0.0 <= row["value"] < 5.0


def test_every_peer_has_its_pins() -> None:
    folder = ROOT / "benchmarks" / "rivals" / "requirements" / "risk"
    for name in ("quantlib", "skfolio"):
        pins = (folder / f"{name}.txt").read_text().splitlines()
        assert any(pin.lower().startswith(f"{name}==") for pin in pins)
        assert all("==" in pin for pin in pins)
