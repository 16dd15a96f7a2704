"""``neural-trader risk`` as its users call it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neural_trader.data import load
from neural_trader.risk import METHODS, RiskConfig, measure_risk, portfolio_schema, read_situation
from tests.tidy.tree import ROOT

LINEAR = str(ROOT / "examples" / "portfolio.json")
OPTIONS = str(ROOT / "examples" / "portfolio_with_options.json")
DATA = ("--data", "sp500-closes")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "neural_trader", "risk", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def told(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_var_is_that_of_the_library(method: Any) -> None:
    words = ("var", "--portfolio", LINEAR, *DATA, "--method", method, "--confidence", "0.99")
    found = told(*words, "--simulations", "10000", "--horizon", "1", "--seed", "7")
    assert {"var", "es", "std_error", "components", "method"} <= set(found)
    assert {"simulations", "seed", "provenance", "definitions"} <= set(found)
    situation = read_situation(LINEAR, load("sp500-closes", symbols=["KO", "PEP", "XOM", "MSFT"]))
    wanted = measure_risk(situation, RiskConfig(method=method)).to_dict()
    assert found == wanted
    assert found["method"] == method
    assert sum(found["components"].values()) == pytest.approx(found["es"], rel=1e-9)
    if method in ("fhs", "monte-carlo"):
        assert (found["simulations"], found["seed"]) == (10_000, 7)
        assert found["std_error"] > 0.0


def test_monte_carlo_meets_the_closed_form() -> None:
    closed = told("var", "--portfolio", LINEAR, *DATA, "--method", "normal")
    drawn = told(
        *("var", "--portfolio", LINEAR, *DATA, "--method", "monte-carlo"),
        *("--simulations", "200000", "--device", "auto"),
    )
    assert abs(drawn["var"] - closed["var"]) < 4.0 * drawn["std_error"]
    assert abs(drawn["es"] - closed["es"]) < 4.0 * drawn["es_std_error"]


@pytest.mark.parametrize("method", ["historical", "normal", "fhs", "monte-carlo"])
def test_text_says_what_json_does(method: str) -> None:
    words = ("var", "--portfolio", OPTIONS, *DATA, "--method", method)
    found, done = told(*words), run(*words)
    assert done.returncode == 0, done.stderr
    assert f"{found['var']:,.2f}" in done.stdout
    assert f"{found['es']:,.2f}" in done.stdout
    assert ("standard error" in done.stdout) == (method != "normal")
    for name in found["definitions"]:
        assert f"{name}: " in done.stdout
    assert "survivors" in done.stdout


def test_as_of_window_and_settings_reach_the_figure() -> None:
    found = told(
        *("var", "--portfolio", LINEAR, *DATA, "--method", "student-t", "--degrees", "5"),
        *("--as-of", "2010-06-30", "--window", "500", "--mean", "sample", "--horizon", "10"),
    )
    assert found["provenance"]["as_of"] == "2010-06-30"
    assert found["provenance"]["returns"] == 500
    assert found["provenance"]["config"]["mean"] == "sample"
    assert found["estimates"] == {"degrees": "5"}
    assert found["std_error"] is None


def test_stress() -> None:
    path = str(ROOT / "examples" / "scenarios.toml")
    words = ("stress", "--portfolio", OPTIONS, *DATA, "--scenarios", path, "--reverse", "1000")
    found = told(*words)
    assert [one["name"] for one in found["history"]] == ["1990", "2000-02", "2008", "2020"]
    assert len(found["factor"]) == 4
    assert [one["name"] for one in found["custom"]] == ["rates up, growth down", "quiet rally"]
    assert sum(found["reverse"]["components"].values()) == pytest.approx(1_000.0, rel=1e-6)
    text = run(*words).stdout
    assert "most likely way to lose 1,000.00" in text
    one = told("stress", "--portfolio", LINEAR, *DATA, "--crisis", "2008", "--shock", "-0.2",
               "--market", "JNJ")  # fmt: skip
    assert [row["name"] for row in one["history"]] == ["2008"]
    assert [row["shock"] for row in one["factor"]] == [-0.2]


def test_backtest() -> None:
    words = (
        *("backtest", "--portfolio", LINEAR, *DATA, "--confidence", "0.975"),
        *("--start", "2021-01-04", "--window", "250", "--method", "normal"),
    )
    found = told(*words)
    assert found["days"] == 501
    assert found["window"] == 250
    assert len(found["exception_days"]) == found["exceptions"]
    assert {"kupiec", "independence", "conditional_coverage"} <= set(found)
    assert {"traffic_light", "z1", "z2"} <= set(found)
    text = run(*words).stdout
    assert f"{found['exceptions']} exceptions on 501 days" in text
    assert "kupiec" in text


def test_report(tmp_path: Path) -> None:
    path = tmp_path / "risk.html"
    words = ("report", "--portfolio", OPTIONS, *DATA, "--output", str(path), "--days", "120")
    assert told(*words) == {"report": str(path)}
    page = path.read_text()
    assert page.startswith("<!doctype html>")
    first = path.read_bytes()
    assert run(*words).returncode == 0
    assert path.read_bytes() == first
    assert len(first) < 1_000_000
    assert re.findall(r"https?://|<script|src=|url\(", page) == []
    for words_of_page in ("Contributions", "Stress", "The model over time", "Definitions"):
        assert words_of_page in page
    assert list(tmp_path.iterdir()) == [path]


def test_schema() -> None:
    assert json.loads(run("schema").stdout) == portfolio_schema() == told("schema")


def american(tmp_path: Path) -> str:
    text = Path(OPTIONS).read_text().replace('"european"', '"american"', 1)
    path = tmp_path / "american.json"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("var", "--portfolio", LINEAR, *DATA, "--method", "magic"), 2, "magic"),
        (("var", "--portfolio", LINEAR, *DATA, "--confidence", "1"), 2, "confidence is 1.0"),
        (("var", "--portfolio", LINEAR, *DATA, "--confidence", "99"), 2, "write 0.99"),
        (("var", "--portfolio", LINEAR, *DATA, "--horizon", "0"), 2, "horizon is 0"),
        (("var", "--portfolio", LINEAR, *DATA, "--window", "0"), 2, "window is 0"),
        (("var", "--portfolio", LINEAR, *DATA, "--window", "50"), 3, "hold no tail"),
        (("var", "--portfolio", LINEAR, *DATA, "--window", "90000"), 3, "expected 90,000"),
        (("var", "--portfolio", LINEAR, *DATA, "--degrees", "x"), 2, "--degrees is 'x'"),
        (("var", "--portfolio", LINEAR, *DATA, "--as-of", "2050-01-01"), 3, "outside"),
        (("var", "--portfolio", "none.json", *DATA), 3, "none.json"),
        (("var", "--portfolio", LINEAR, "--data", "nowhere"), 3, "nowhere"),
        (("var", "--portfolio", LINEAR, "--data", "us-ohlcv"), 3, "unknown symbol 'KO'"),
        (("var", *DATA), 2, "--portfolio"),
        (("stress", "--portfolio", LINEAR, *DATA, "--crisis", "1929"), 2, "no crisis '1929'"),
        (("stress", "--portfolio", LINEAR, *DATA, "--market", "SPY"), 3, "SPY"),
        (("stress", "--portfolio", LINEAR, *DATA, "--shock", "-2"), 2, "shock is -2"),
        (("stress", "--portfolio", LINEAR, *DATA, "--reverse", "-1"), 2, "money above 0"),
        (("backtest", "--portfolio", LINEAR, *DATA, "--window", "9000"), 3, "no day to test"),
        (("report", "--portfolio", LINEAR, *DATA, "--output", LINEAR), 2, "are both"),
        (("report", "--portfolio", LINEAR, *DATA, "--output", "no/such/r.html"), 3, "no/such"),
    ],
)
def test_what_cannot_be_is_told(words: tuple[str, ...], code: int, message: str) -> None:
    done = run(*words)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_an_american_option_is_refused_with_its_path(tmp_path: Path) -> None:
    done = run("var", "--portfolio", american(tmp_path), *DATA)
    assert done.returncode == 3
    assert "$.positions[2].option.style is 'american'" in done.stderr


def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "risk.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "page.py").write_text(program + "\nprint(found.var > 0.0)\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "True"


def test_the_file_of_the_page_is_a_portfolio(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "risk.md").read_text()
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "p.json"
    path.write_text(text)
    assert told("var", "--portfolio", str(path), *DATA)["components"].keys() == {"KO", "PEP"}
