"""The bench as its users run it: real processes, real answers, one round."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neural_trader.bench import Report, find_peers, run_suite
from neural_trader.bench.cases import find_case
from neural_trader.bench.runner import child_engine, find_difference
from tests.tidy.tree import ROOT
from tests.unit.bench.test_peers import install


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "bench", "backtest", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_case_is_measured_beside_plain_python(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    done = bench("--case", "sma_1y", "--rounds", "1", "--json", "--output", str(file))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads(file.read_text())
    assert list(report) == ["machine", "provenance", "rows"]
    assert [row["params"]["quantity"] for row in report["rows"]] == ["time", "cpu", "peak_rss"]
    for row in report["rows"]:
        assert row["checked"]
        assert row["value"] > 0
        assert row["low"] <= row["value"] <= row["high"]
        assert row["ratio"] == pytest.approx(row["baseline"] / row["value"])
    time = report["rows"][0]
    if shutil.which("cc"):
        assert time["limit"] > 0
        assert time["reason"] is None


def test_the_command_line_is_measured_as_a_table() -> None:
    done = bench("--case", "cli_backtest", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("cli_")]
    assert [line[1] for line in lines] == ["wall", "cpu", "peak_rss"]


@pytest.mark.parametrize("case", ["pairs_1y", "sma_1y"])
@pytest.mark.parametrize("role", ["ours", "baseline"])
def test_a_child_prints_the_published_answer(case: str, role: str) -> None:
    command = child_engine("any", role, 0.0).command(find_case(case))
    assert isinstance(command, list)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    published = {
        "pairs_1y": {"trades": 2, "fills": 8, "final_equity": 99_486.6097},
        "sma_1y": {"trades": 3, "fills": 5, "final_equity": 102_130.9316},
    }[case]
    assert find_difference(answer | {"equity": None}, published, 1e-9) is None
    assert len(answer["equity"]) == 252
    assert answer["median_us"] > 0
    assert answer["peak_rss_mb"] > 1


def report_with(rival: str, tmp_path: Path) -> Report:
    """Run a case beside a rival ``bt`` that is the program given."""
    tree = tmp_path / "tree"
    folder = tree / "benchmarks" / "rivals"
    shutil.copytree(ROOT / "benchmarks" / "rivals", folder)
    (folder / "rival_bt.py").write_text(rival)
    install(tree, "bt", "bt")
    case = find_case("sma_1y")
    peers = find_peers([case], tmp_path, tree)
    chosen = [peer for peer in peers if peer.name in ("bt", "vectorbt")]
    report, _ = run_suite([case], rounds=1, cli=[], peers=chosen, step=lambda _: None)
    return report


RIVAL = """
from work import Answer
PACKAGE = "numpy"
def prepare(work):
    return work.closes[0].tolist()
def run(prices, work):
    rules, cash, held, due, fills, equity = work.rules(), work.capital, 0, None, [], []
    for price in prices:
        if due is not None:
            qty = due[0] - held
            paid = price * (1 + work.slippage if qty > 0 else 1 - work.slippage)
            cash -= qty * paid + work.fee * abs(qty) * paid
            held, due = due[0], None
            fills.append((0, qty))
        due = rules.decide(price)
        equity.append(cash + held * price)
    return fills, equity
def read(result):
    return Answer(*result)
"""


def test_a_rival_with_the_same_answer_is_timed(tmp_path: Path) -> None:
    rows = [row for row in report_with(RIVAL, tmp_path).rows if row.params["engine"] == "bt"]
    assert [row.reason for row in rows] == [None, None]
    assert [row.params["version"] for row in rows] == ["9.8.7"] * 2
    for row in rows:
        assert row.checked
        assert row.value is not None
        assert row.value > 0


def test_a_rival_with_another_answer_is_not(tmp_path: Path) -> None:
    wrong = RIVAL.replace("work.fee * abs(qty)", "2 * work.fee * abs(qty)")
    assert wrong != RIVAL
    report = report_with(wrong, tmp_path)
    for row in report.rows:
        if row.params["engine"] == "bt":
            assert row.value is None
            assert (row.reason or "").startswith("another answer: final equity is 102")
        elif row.params["engine"] == "vectorbt":
            assert row.value is None
            assert row.reason == "not installed: make peers"
        else:
            assert row.checked
