"""The page as its users measure it: sections alone, the report, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neural_trader.bench.page import PAGE


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    file = tmp_path_factory.mktemp("page") / "signals.json"
    done = bench("signals", "--rounds", "2", "--json", "--output", str(file))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads(file.read_text())
    return file, report


def test_a_section_is_measured(measured: tuple[Path, Any]) -> None:
    _, report = measured
    (row,) = report["rows"]
    assert row["params"]["row"] == "signals.time"
    assert row["checked"]
    assert 0 < row["value"] < row["baseline"]
    assert len(row["samples"]) == 2
    assert row["claim"] == 12.0
    assert report["provenance"]["config"]["rounds"] == 2


def test_memory_and_start_up_are_those_of_fresh_processes() -> None:
    done = bench("memory", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["params"]["row"]: row for row in json.loads(done.stdout)["rows"]}
    for count in (10, 50, 100, 500):
        row = rows[f"memory.{count}"]
        # Ten years of returns in float64.
        assert row["value"] >= count * 2_520 * 8 / 1e6
    assert rows["memory.10"]["value"] < rows["memory.500"]["value"]
    slope = (rows["memory.500"]["value"] - rows["memory.10"]["value"]) / 490
    assert rows["memory.slope"]["value"] == pytest.approx(slope, rel=0.3)
    for name in ("market_data", "strategy", "portfolio", "model"):
        assert 0 < rows[f"memory.{name}"]["value"] < rows[f"memory.{name}_code"]["value"]


def test_a_steady_load_gives_latency_cpu_and_memory() -> None:
    done = bench("production", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["params"]["row"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["production.mean"]["value"] > 0
    assert rows["production.p99"]["value"] >= rows["production.mean"]["value"] / 10
    assert 0 <= rows["production.cpu"]["value"] < 200
    assert 10 < rows["production.memory"]["value"] < 500
    assert rows["production.errors"]["value"] == 0
    assert rows["production.errors"]["params"]["work"].startswith("0 of ")
    for name in ("orders", "uptime"):
        assert rows[f"production.{name}"]["value"] is None
        assert rows[f"production.{name}"]["reason"]


def test_a_report_is_written_from_a_file(measured: tuple[Path, Any], tmp_path: Path) -> None:
    file, _ = measured
    out = tmp_path / "out"
    done = bench("report", "--input", str(file), "--output", str(out), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["measured"]) == (len(PAGE), 1)
    assert told["ahead"] + told["behind"] == 1
    assert Path(told["markdown"]).read_text().startswith("# Performance\n")
    assert Path(told["html"]).read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nope",), 2, "no case 'nope'; expected one of backtest"),
        (("--json", "signals"), 2, "--json stands before signals"),
        (("--full", "orders"), 2, "--full stands before orders"),
        (("--rounds", "0"), 2, "1<=x<=100"),
        (("--output", "no/such/file.json"), 2, "its folder does not exist"),
        (("signals", "--case", "x"), 2, "No such option"),
        (("report", "--input", "nothing.json"), 3, "cannot read nothing.json"),
        (("report", "--input", "x", "--full"), 2, "leave one"),
        (("report", "--output", "no/such/folder"), 2, "its folder does not exist"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_measured(
    arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = bench(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_a_file_of_another_suite_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    machine = {"processor": "", "cores": 1, "system": "", "python": "", "load_1min": 0.0}
    rows = [{"case": "x", "params": {}, "value": 1.0, "unit": "us"}]
    provenance = {"config": {"rounds": 1}, "version": "", "measured_at": ""}
    file.write_text(json.dumps({"machine": machine, "provenance": provenance, "rows": rows}))
    done = bench("report", "--input", str(file), "--output", str(tmp_path / "out"))
    assert done.returncode == 3
    assert "no row of the page" in done.stderr
    assert not (tmp_path / "out").exists()
