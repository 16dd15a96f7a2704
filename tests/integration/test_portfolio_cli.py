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
