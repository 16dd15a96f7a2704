"""Reports beside each other, as the command line shows them; and the gate held to real slowness."""

import json
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from neural_trader.app.cli.main import cli
from neural_trader.bench.compare import compare
from neural_trader.bench.rows import Report, Row
from tests.unit.bench.test_compare import MACHINE, around, make_report, make_row


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["bench", *arguments])


def write(path: Path, report: Report) -> str:
    path.write_bytes(msgspec.json.encode(report))
    return str(path)


@pytest.fixture
def reports(tmp_path: Path) -> tuple[str, str]:
    old = make_report(make_row(around(10)), make_row(around(4), engine="x"))
    new = make_report(make_row(around(15)), make_row(around(4), engine="x"))
    return write(tmp_path / "a.json", old), write(tmp_path / "b.json", new)


def test_a_comparison_is_a_table_or_json(reports: tuple[str, str]) -> None:
    done = run("compare", *reports)
    assert done.exit_code == 0, done.output
    assert "slower" in done.output
    assert "no difference" in done.output
    told = json.loads(run("compare", *reports, "--json").output)
    assert told["counts"] == {"slower": 1, "no difference": 1}
    assert told["rows"][0]["ratio"] == pytest.approx(1.5)


def test_a_gate_fails_on_a_regression_alone(reports: tuple[str, str]) -> None:
    old, new = reports
    assert run("gate", "--baseline", old, "--report", old).exit_code == 0
    done = run("gate", "--baseline", old, "--report", new, "--json")
    assert done.exit_code == 6
    told = json.loads(done.output)
    assert told["passed"] is False
    assert [one["case"] for one in told["regressions"]] == ["c"]
    assert run("gate", "--baseline", old, "--report", new, "--margin", "2").exit_code == 0


def test_a_gate_that_does_not_know_the_cases_says_what_to_do(reports: tuple[str, str]) -> None:
    done = run("gate", "--baseline", reports[0])
    assert done.exit_code != 0
    assert "--report" in str(done.exception)


def test_a_trend_adds_and_draws(reports: tuple[str, str], tmp_path: Path) -> None:
    history, page = str(tmp_path / "h.jsonl"), tmp_path / "t.html"
    for name in reports:
        done = run("trend", "--history", history, "--add", name, "--output", str(page), "--json")
        assert done.exit_code == 0, done.output
    assert json.loads(done.output)["entries"] == 2
    assert page.read_text().startswith("<!doctype html>")
    bad = run("trend", "--history", history, "--add", reports[0], "--add", history)
    assert bad.exit_code != 0
    assert len(Path(history).read_text().splitlines()) == 2


def _work(times: int) -> None:
    table = np.arange(30_000.0)
    for _ in range(times):
        np.sort(table[::-1])


def _measured(*times: int) -> list[Report]:
    """Measure pieces of work in nine rounds of some ten milliseconds each, in turn.

    A machine that is shared becomes faster and slower from second to second: in turn, all meet it.
    """
    samples: list[list[float]] = [[] for _ in times]
    for _ in range(9):
        for taken, count in zip(samples, times, strict=True):
            took = []
            for _ in range(5):
                began = time.process_time_ns()
                _work(count)
                took.append((time.process_time_ns() - began) / 1e3)
            taken.append(min(took))
    rows = [
        Row(
            case="sort",
            params={"quantity": "cpu"},
            value=float(np.median(taken)),
            unit="us",
            samples=taken,
        )
        for taken in samples
    ]
    config = {"config": {"rounds": 9}}
    return [Report(machine=MACHINE, provenance=config, rows=[row]) for row in rows]


def test_work_that_takes_twice_as_long_is_caught_and_ten_null_runs_are_not() -> None:
    _measured(4)
    nulls = [compare(*_measured(4, 4)).regressions(1.25) for _ in range(10)]
    assert nulls == [[]] * 10
    (caught,) = compare(*_measured(4, 8)).regressions(1.25)
    assert caught.case == "sort"
