"""The portfolio's bench: answers first, a row for every target, clear refusals."""

import io
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import neural_trader as nt
from neural_trader.bench import (
    PORTFOLIO_NAMES,
    Report,
    Row,
    choose_portfolio_cases,
    find_portfolio_peers,
    portfolio_cases,
    portfolio_steps_of,
    portfolio_suite,
    print_portfolio_report,
    run_portfolio_suite,
)
from neural_trader.bench.portfolio_numpy import compute_common
from neural_trader.bench.portfolio_peers import PortfolioPeer
from neural_trader.core import BenchError
from neural_trader.portfolio import COMMON, measure
from tests.tidy.tree import ROOT
from tests.unit.bench.test_peers import install

MEMORY = choose_portfolio_cases(["memory_10"])
METRICS = choose_portfolio_cases(["metrics_51x252"])


def test_a_case_that_is_none() -> None:
    with pytest.raises(nt.ConfigError, match="case is 'metrics'; expected one of metrics_51x252"):
        choose_portfolio_cases(["metrics"])
    assert [case.name for case in choose_portfolio_cases([])] == list(PORTFOLIO_NAMES)


def test_every_target_and_claim_is_of_a_quantity_that_is_measured() -> None:
    counted = {"all 47", "common 27", "allocations", "held", "peak", "time"}
    for case in portfolio_cases.PORTFOLIO_CASES:
        assert {*case.targets, *case.claims} <= counted
        assert list(case.engines) == ["ours", "numpy"]


def test_the_series_are_real_and_all_different() -> None:
    closes = nt.load("sp500-closes", symbols=["AAPL"])["AAPL"].close
    returns = closes[1:] / closes[:-1] - 1.0
    table = portfolio_cases.make_returns(500, 2_520)
    assert table.shape == (2_520, 500)
    assert table[:, 0].tolist() == returns[:2_520].tolist()
    assert table[:, 480].tolist() == returns[-2_520:].tolist()
    assert len({column.tobytes() for column in table.T}) == 500


@pytest.mark.parametrize("days", [252, 253, 1_000])
def test_numpy_computes_the_same(days: int) -> None:
    table = np.random.default_rng(days).standard_t(4, (days, 7)) * 0.01
    found = compute_common(table, table.mean(axis=1))
    ours = measure(table, benchmark=table.mean(axis=1))
    assert set(found) == set(COMMON)
    for name, values in found.items():
        np.testing.assert_allclose(values, ours.column(name), rtol=1e-9, err_msg=name)


def test_a_second_call_allocates_next_to_nothing() -> None:
    pytest.importorskip("memray")
    table = portfolio_cases.make_returns(51, 252)
    names = tuple(f"S{k}" for k in range(51))

    def work() -> None:
        measure(table, series=names, benchmark=table[:, 0].copy()).of("S7")

    counted = portfolio_cases.count_allocations(work)
    assert counted.value is not None
    assert 0 < counted.value <= 45

    kept: list[Any] = []

    def more() -> None:
        kept.extend(np.empty(50_000) for _ in range(60))

    assert (portfolio_cases.count_allocations(more).value or 0) >= 60


def test_without_memray_allocations_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "memray", None)
    found = portfolio_cases.count_allocations(list)
    assert found.value is None
    assert found.reason == "memray is not installed: pip install 'neural-trader[bench]'"


def test_a_wrong_answer_of_ours_prints_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: Any, **keywords: Any) -> Any:
        return measure(*arguments, **keywords, mar=1e-9)

    monkeypatch.setattr(portfolio_cases, "measure", wrong)
    with pytest.raises(BenchError, match=r"of S0 is .*; expected .*: no figure is printed"):
        portfolio_cases.run_metrics(51, 252, counts=False)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"sharpe": [1.0, math.nan]}, None),
        ({"sharpe": [1.0 + 1e-10, math.nan]}, None),
        ({"sharpe": [1.0 + 1e-8, math.nan]}, "sharpe of series 0 is 1.00000001, not 1.0"),
        ({"sharpe": [1.0, 2.0]}, "sharpe of series 1 is 2.0, not nan"),
        ({"sharpe": [1.0]}, "sharpe has 1 values, not 2"),
        ({"other": [1.0]}, "other has 1 values, not 0"),
    ],
)
def test_an_answer_is_compared_value_by_value(answer: Any, words: str | None) -> None:
    assert portfolio_suite.find_wrong(answer, {"sharpe": [1.0, math.nan]}, 1e-9) == words


def test_an_answer_of_numpy_that_is_not_ours_prints_no_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([1.0, 1.001])

    def run(command: list[str]) -> Any:
        figure = {"quantity": "held", "unit": "MB", "value": 1.0, "reason": None}
        return {"figures": [figure], "answer": {"variance": [next(answers)]}}

    monkeypatch.setattr(portfolio_suite, "_run", run)
    with pytest.raises(BenchError, match="the answer of numpy is not ours: variance of series 0"):
        run_portfolio_suite(MEMORY, rounds=1, step=lambda _: None)


def test_a_case_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BenchError, match="memory_10, ours: could not be started"):
        run_portfolio_suite(MEMORY, rounds=1, step=lambda _: None)


def test_memory_is_measured_in_fresh_processes(capsys: pytest.CaptureFixture[str]) -> None:
    steps: list[str] = []
    report = run_portfolio_suite(MEMORY, rounds=2, step=steps.append)
    assert steps == ["memory_10: ours", "memory_10: numpy"] * 2
    held = report.rows[0]
    assert held.params["quantity"] == "held"
    assert (held.params["target"], held.claim) == (1.0, 14.0)
    if sys.platform == "linux":
        assert held.value is not None
        assert held.value >= 10 * 2_520 * 8 / 1e6
    print_portfolio_report(report)
    assert "memory_10" in capsys.readouterr().out


# -------------------------------------------------------------------------------------------- peers
@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a source tree with the rivals' files and no environment."""
    shutil.copytree(ROOT / "benchmarks" / "rivals", tmp_path / "tree" / "benchmarks" / "rivals")
    return tmp_path / "tree"


def test_peers_that_are_not_there_say_so(tree: Path, tmp_path: Path) -> None:
    peers = find_portfolio_peers(tmp_path, tree)
    assert [peer.name for peer in peers] == [
        "vectorbt", "empyrical", "skfolio", "ffn", "quantstats",
    ]  # fmt: skip
    assert peers[3].reason == "not installed: make peers ARGS=bt"
    assert not (tmp_path / "returns.npz").exists()
    nowhere = find_portfolio_peers(tmp_path, tmp_path / "site-packages")
    assert all("source tree" in str(peer.reason) for peer in nowhere)
    for peer in peers:
        assert (ROOT / "benchmarks" / "rivals" / f"portfolio_{peer.name}.py").is_file()
        environment = str(peer.reason).rpartition("=")[2]
        pins = (ROOT / "benchmarks" / "rivals" / "requirements" / f"{environment}.txt").read_text()
        assert f"\n{peer.title}==" in pins


def test_a_peer_that_is_there_is_asked_with_the_returns(tree: Path, tmp_path: Path) -> None:
    install(tree, "bt", "ffn")
    peer = find_portfolio_peers(tmp_path, tree)[3]
    assert (peer.version, peer.reason) == ("9.8.7", None)
    assert peer.command[-2:] == ["ffn", str(tmp_path / "returns.npz")]
    with np.load(tmp_path / "returns.npz") as file:
        assert file["returns"].shape == (252, 51)


def peer(name: str, reason: str | None = None, program: str = "") -> PortfolioPeer:
    return PortfolioPeer(name, name.title(), "1.0", [sys.executable, "-c", program], reason)


def test_a_peer_with_another_answer_gets_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(engine: str, name: str) -> Any:
        figure = {"quantity": "common 27", "unit": "ms", "value": 0.1, "reason": None}
        return {"figures": [figure], "answer": {"sharpe": [1.0]}}

    monkeypatch.setattr(portfolio_suite, "_measure", measured)
    say = "import json; print(json.dumps({'metrics': 3, 'median_ms': 5.0, 'answer': %s}))"
    peers = [
        peer("right", program=say % {"sharpe": [1.0]}),
        peer("wrong", program=say % {"sharpe": [-1.0]}),
        peer("broken", program="raise SystemExit('no such module')"),
        peer("missing", "not installed: make peers ARGS=missing"),
    ]
    assert portfolio_steps_of(METRICS, peers) == 6
    assert portfolio_steps_of(MEMORY, peers) == 2
    report = run_portfolio_suite(METRICS, rounds=2, peers=peers, step=lambda _: None)
    rows = {row.params["engine"]: row for row in report.rows}
    assert (rows["Right"].value, rows["Right"].params["metrics"]) == (5.0, 3)
    assert rows["Wrong"].reason == "another answer: sharpe of series 0 is -1.0, not 1.0"
    assert rows["Broken"].reason == "failed with exit code 1: no such module"
    assert rows["Missing"].reason == "not installed: make peers ARGS=missing"
    text = shown(report, width=80)
    assert "50 x" in text
    assert "not measured: another answer" in " ".join(text.split())


def shown(report: Report, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_portfolio_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_wide_terminal_shows_the_rounds_and_a_narrow_one_cuts_nothing() -> None:
    params = {"quantity": "allocations", "engine": "neural-trader", "work": "w", "target": 888.8}
    rows = [
        Row(case="metrics_500x2520", params=params, value=88.8, unit="ms", low=77.7, high=99.9,
            baseline=888.0, ratio=10.0, claim=1_100.0),
        Row(case="metrics_500x2520", params=params, value=None, unit="", reason="no memray"),
    ]  # fmt: skip
    machine = {"processor": "P", "cores": 2, "system": "S", "python": "C", "load_1min": 0.1}
    provenance = {"version": "0.1", "config": {"rounds": 1}}
    report = Report(machine=machine, provenance=provenance, rows=rows)
    narrow, wide = shown(report, 80), shown(report, 120)
    assert "…" not in narrow
    assert "77.7 - 99.9" in wide
    assert "allocations: not measured: no memray" in narrow
