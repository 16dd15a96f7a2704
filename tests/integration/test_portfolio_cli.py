"""``neural-trader portfolio`` as its users call it."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.data import load
from neural_trader.portfolio import METRICS, measure


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "portfolio", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def told(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_metrics_of_closes_are_those_of_the_library() -> None:
    words = ("--data", "sp500-closes", "--symbols", "KO,PEP", "--benchmark", "JNJ")
    found = told("metrics", *words)
    closes = load("sp500-closes", symbols=("KO", "PEP", "JNJ"))
    table = np.column_stack([closes[name].close for name in ("KO", "PEP", "JNJ")])
    returns = table[1:] / table[:-1] - 1.0
    wanted = measure(
        returns[:, :2],
        series=("KO", "PEP"),
        ts_close_ns=closes["KO"].ts_close_ns[1:],
        benchmark=returns[:, 2],
    )
    assert list(found["metrics"]) == ["KO", "PEP"]
    assert tuple(found["metrics"]["KO"]) == METRICS
    assert found["metrics"]["KO"].pop("turnover") is None
    assert found["undefined"]["KO"] == wanted.undefined("KO")
    expected = wanted.of("KO")
    assert all(math.isnan(expected.pop(name)) for name in wanted.undefined("KO"))
    assert found["metrics"]["KO"] == expected
    assert found["metrics"]["PEP"]["sharpe"] == wanted.column("sharpe")[1]
    assert found["conventions"] == wanted.conventions
    provenance = found["provenance"]
    assert provenance["labels"] == ["survivors"]
    assert (provenance["from"], provenance["to"]) == ("1990-01-03", "2022-12-28")
    assert provenance["observations"] == {"KO": 8_312, "PEP": 8_312}


def test_a_file_of_returns_and_a_figure_that_is_not_defined(tmp_path: Path) -> None:
    path = tmp_path / "fund.csv"
    path.write_text("date,fund\n2024-01-31,0.01\n2024-02-29,0.02\n2024-03-31,0.03\n")
    found = told("metrics", "--returns", str(path))
    assert found["metrics"]["fund"]["max_drawdown"] == 0.0
    assert found["metrics"]["fund"]["calmar"] is None
    assert found["undefined"]["fund"]["calmar"] == "no drawdown"
    assert found["conventions"]["periods_per_year"] == "12 (from the times)"
    text = run("metrics", "--returns", str(path)).stdout
    assert "calmar" in text
    assert "no drawdown" in text


def test_many_series_are_a_table() -> None:
    done = run("metrics", "--data", "sp500-closes")
    assert done.returncode == 0, done.stderr
    header = done.stdout.splitlines()[0].split()
    assert header == [
        "series",
        "cagr",
        "volatility",
        "sharpe",
        "sortino",
        "max_drawdown",
        "calmar",
        "es",
    ]
    assert "…" not in done.stdout
    assert "survivors" in done.stdout


def test_a_tear_sheet_of_a_file(tmp_path: Path) -> None:
    path, page = tmp_path / "fund.csv", tmp_path / "report.html"
    path.write_text(
        'date,"Fund, A",B\n2024-01-31,0.01,0.02\n2024-02-29,-0.02,0.01\n2024-03-31,0.03,0\n'
    )
    done = run("report", "--returns", str(path), "--output", str(page))
    assert (done.returncode, done.stdout) == (0, f"report: {page}\n"), done.stderr
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    again = ("report", "--returns", str(path), "--symbols", "Fund, A", "--benchmark", "B")
    found = told(*again, "--output", str(page))
    assert found["report"] == str(page)
    assert list(found["metrics"]) == ["Fund, A"]
    assert found["metrics"] == told("metrics", *again[1:])["metrics"]
    assert found["provenance"]["benchmark"] == "B"
    assert "<h1>Fund, A</h1>" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [
        ("", 3, "has no row below its header"),
        (
            "2024-01-31,0.01\n2024-02-29,\n2024-03-31,0.01\n",
            3,
            "'a' of x.csv has no return on 2024-02-29",
        ),
        (
            "2024-01-31,0.01\n2024-02-29,nan\n2024-03-31,0.01\n",
            3,
            "no return on 2024-02-29 (row 2)",
        ),
        ("2024-01-31,0.01\n2024-02-29,inf\n", 3, "row 2 (line 3 of x.csv): column 'a' is 'inf'"),
        ("2024-01-31,one\n", 3, "column 'a' is 'one'"),
        ("2024-01-31,-1.01\n", 3, "column 'a' is '-1.01'"),
        ("2024-01-31,0.1\n2024-01-31,0.1\n", 3, "does not rise here"),
        ("2024-01-31,0.1\n", 0, ""),
        ("2024-01-31,0\n2024-02-29,0\n2024-03-31,0\n", 0, ""),
        ("2024-01-31,0.1\n2024-02-29,-1\n2024-03-31,0\n", 0, ""),
        ("2024-01-31,\n2024-02-29,\n", 0, ""),
        ("2024-01-31,0.01\n2024-06-28,0.01\n2024-07-01,0.02\n", 0, ""),
    ],
)
def test_whatever_comes_as_returns_has_an_answer_or_an_error(
    rows: str, code: int, message: str, tmp_path: Path
) -> None:
    path, page = tmp_path / "x.csv", tmp_path / "report.html"
    path.write_text(f"date,a\n{rows}")
    for words in (("metrics", "--json"), ("metrics",), ("report", "--output", str(page))):
        done = run(*words, "--returns", str(path))
        assert done.returncode == code, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert page.exists() == (code == 0)


def test_a_tear_sheet_needs_a_place_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = run("report", "--data", "sp500-closes")
    assert done.returncode == 2
    assert "--output" in done.stderr
    done = run("report", "--data", "sp500-closes", "--output", str(tmp_path / "no" / "x.html"))
    assert done.returncode == 3
    assert "choose a folder that exists" in done.stderr
    done = run(
        "report", "--data", "sp500-closes", "--symbols", "X", "--output", str(tmp_path / "x")
    )
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 2, "give either --returns FILE, or --data"),
        (("--returns", "nowhere.csv"), 3, "nowhere.csv"),
        (("--data", "sp500-closes", "--symbols", "XX"), 2, "no series 'XX'; it has AAPL"),
        (("--data", "sp500-closes", "--benchmark", "XX"), 2, "no series 'XX'"),
        (("--data", "sp500-closes", "--risk-free", "-2"), 2, "risk_free is -2"),
        (("--returns", "x.csv", "--start", "2020-01-01"), 2, "go with --data"),
    ],
)
def test_what_cannot_be_is_told(words: tuple[str, ...], code: int, message: str) -> None:
    done = run("metrics", *words)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
