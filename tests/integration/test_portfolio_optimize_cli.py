"""``neural-trader portfolio optimize`` as its users call it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.app.cli import portfolio_optimize
from neural_trader.data import load, returns_of
from neural_trader.portfolio.optimizers import (
    COVARIANCES,
    METHODS,
    Constraints,
    estimate_moments,
    optimize,
)

VIEWS = """
[market_weights]
KO = 260
PEP = 240
JNJ = 450

[[views]]
symbol = "JNJ"
return = 0.10
confidence = 0.6

[[views]]
long = "KO"
short = "PEP"
return = 0.02
"""
DATA = ("--data", "sp500-closes")


def run(*arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "portfolio", "optimize", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def told(*arguments: str, cwd: Path | None = None) -> dict[str, Any]:
    done = run(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_names_are_those_of_the_library() -> None:
    assert portfolio_optimize.METHODS == METHODS
    assert portfolio_optimize.COVARIANCES == COVARIANCES


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_those_of_the_library(method: str, tmp_path: Path) -> None:
    if method == "black-litterman":
        (tmp_path / "views.toml").write_text(VIEWS)
        found = told(
            *DATA, "--symbols", "KO,PEP,JNJ", "--method", method, "--views", "views.toml",
            cwd=tmp_path,
        )  # fmt: skip
        assert list(found["weights"]) == ["KO", "PEP", "JNJ"]
        assert found["market_weights"]["KO"] == pytest.approx(260 / 950)
        assert found["posterior_returns"]["JNJ"] > found["prior_returns"]["JNJ"]
        assert len(found["provenance"]["files"]["views"]["sha256"]) == 64
    else:
        found = told(*DATA, "--method", method, "--start", "2018-01-01", "--covariance", "oas")
        returns = returns_of(load("sp500-closes", start="2018-01-01"))
        moments = estimate_moments(
            returns.table, series=returns.series, covariance="oas", ts_close_ns=returns.ts_close_ns
        )
        wanted = optimize(moments, method)
        # The command runs BLAS on one thread, whose last bits may be others.
        assert found["weights"] == pytest.approx(wanted.as_dict(), abs=1e-12)
        assert found["expected_return"] == pytest.approx(wanted.expected_return)
        assert found["volatility"] == pytest.approx(wanted.volatility)
        assert found["conventions"] == wanted.conventions
        assert found["provenance"]["observations"] == len(returns.table)
        assert found["provenance"]["labels"] == ["survivors"]
    assert sum(found["weights"].values()) == pytest.approx(1.0, abs=1e-9)
    assert sum(found["risk_contributions"].values()) == pytest.approx(1.0, abs=1e-9)
    assert min(found["weights"].values()) >= 0.0


def test_bounds_and_groups(tmp_path: Path) -> None:
    (tmp_path / "groups.toml").write_text(
        '[groups.banks]\nsymbols = ["BAC", "JPM"]\nmin = 0.1\nmax = 0.12\n'
    )
    words = ("--method", "min-variance", "--min-weight", "0.01", "--max-weight", "0.2")
    found = told(*DATA, *words, "--groups", "groups.toml", cwd=tmp_path)
    weights = found["weights"]
    assert 0.1 - 1e-6 <= weights["BAC"] + weights["JPM"] <= 0.12 + 1e-6
    assert min(weights.values()) >= 0.01 - 1e-9
    assert max(weights.values()) <= 0.2 + 1e-9


def test_mean_variance_takes_an_aversion_or_a_target() -> None:
    found = told(*DATA, "--method", "mean-variance", "--target-return", "0.15")
    assert found["expected_return"] == pytest.approx(0.15)
    bold = told(*DATA, "--method", "mean-variance", "--risk-aversion", "0.5")
    assert bold["volatility"] > found["volatility"]


def test_ewma_takes_a_half_life() -> None:
    found = told(*DATA, "--method", "hrp", "--covariance", "ewma", "--half-life", "20")
    assert "half-life 20 periods" in found["conventions"]["covariance"]


def test_a_file_of_returns(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = "".join(
        f"2020-{month:02}-28,{a:.6f},{b:.6f}\n"
        for month, (a, b) in enumerate(rng.normal(0.01, 0.02, (12, 2)), 1)
    )
    (tmp_path / "funds.csv").write_text("date,one,two\n" + rows)
    words = ("--returns", "funds.csv", "--method", "risk-parity")
    found = told(*words, cwd=tmp_path)
    assert list(found["weights"]) == ["one", "two"]
    assert found["conventions"]["periods_per_year"] == "12 (from the times)"
    # Of two, each carries half whatever the correlation: by inverse volatility.
    returns = np.loadtxt(tmp_path / "funds.csv", delimiter=",", skiprows=1, usecols=(1, 2))
    inverse = 1.0 / returns.std(axis=0)
    assert found["weights"]["one"] == pytest.approx(inverse[0] / inverse.sum())
    one = told(*words, "--symbols", "two", cwd=tmp_path)
    assert one["weights"] == {"two": 1.0}


def test_the_table_has_weights_and_where_the_risk_comes_from() -> None:
    done = run(*DATA, "--method", "min-variance", "--max-weight", "0.3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["symbol", "weight", "risk", "contribution"]
    shown = [line for line in lines if line.count("%") == 2 and line[0].isupper()]
    total = sum(float(line.split()[1]) for line in shown)
    assert total == pytest.approx(100.0, abs=0.2)
    assert "more at 0" in done.stdout
    assert "Sharpe" in done.stdout
    assert "survivors" in done.stdout
    assert "sample, ddof 1" in done.stdout


def test_the_bounds_of_risk_parity_are_said() -> None:
    found = told(*DATA, "--method", "risk-parity", "--max-weight", "0.06")
    assert "bind" in found["notes"][0]
    done = run(*DATA, "--method", "risk-parity", "--max-weight", "0.06")
    assert "note: the constraints bind" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((*DATA,), 2, "Choose from: min-variance, max-sharpe, mean-variance, risk-parity, hrp"),
        (
            (*DATA, "--method", "best"),
            2,
            "the methods are min-variance, max-sharpe, mean-variance, risk-parity, hrp, black-lit",
        ),
        (("--method", "hrp"), 2, "give either --returns FILE, or --data"),
        (("--method", "hrp", "--data", "nowhere"), 3, "nowhere"),
        (("--method", "hrp", "--returns", "nowhere.csv"), 3, "nowhere.csv"),
        (("--method", "hrp", "--returns", "x.csv", "--start", "2020-01-01"), 2, "go with --data"),
        ((*DATA, "--method", "hrp", "--symbols", "KO,PEPP"), 2, "did you mean PEP?"),
        ((*DATA, "--method", "hrp", "--symbols", "KO,KO"), 2, "each symbol once"),
        ((*DATA, "--method", "hrp", "--symbols", ""), 2, "unknown symbol ''"),
        ((*DATA, "--method", "hrp", "--covariance", "best"), 2, "expected one of sample, ewma"),
        ((*DATA, "--method", "hrp", "--half-life", "9"), 2, "--half-life is for ewma"),
        ((*DATA, "--method", "hrp", "--max-weight", "0.01"), 2, "raise max_weight to 0.05"),
        ((*DATA, "--method", "hrp", "--min-weight", "0.1"), 2, "lower bounds of 20 series"),
        ((*DATA, "--method", "hrp", "--max-weight", "nan"), 2, "max_weight is nan"),
        ((*DATA, "--method", "hrp", "--risk-aversion", "2"), 2, "belongs to mean-variance"),
        ((*DATA, "--method", "hrp", "--groups", "nowhere.toml"), 2, "cannot read nowhere.toml"),
        ((*DATA, "--method", "hrp", "--views", "nowhere.toml"), 2, "--views is for black-litt"),
        ((*DATA, "--method", "black-litterman"), 2, "needs --views FILE.toml"),
        ((*DATA, "--method", "black-litterman", "--views", "no.toml"), 2, "cannot read no.toml"),
        ((*DATA, "--method", "max-sharpe", "--risk-free", "2"), 3, "above the risk-free rate"),
        ((*DATA, "--method", "max-sharpe", "--risk-free", "-1"), 2, "risk_free is -1"),
        ((*DATA, "--method", "min-variance", "--start", "2022-12-15"), 3, "singular: JNJ"),
        ((*DATA, "--method", "hrp", "--start", "2022-12-27"), 3, "expected 2 or more"),
        ((*DATA, "--method", "hrp", "--periods", "0"), 2, "periods is 0.0"),
        ((*DATA, "--method", "mean-variance", "--target-return", "3"), 2, "target_return is 3"),
    ],
)
def test_what_cannot_be_is_told(words: tuple[str, ...], code: int, message: str) -> None:
    done = run(*words)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_rebalancing_goes_by_its_name() -> None:
    words = ("backtest", "--strategy", "rebalance", "--symbols", "KO,PEP,JNJ", *DATA, "--json")
    more = ("--set", "method=hrp", "--set", "every=quarter", "--start", "2015-01-01")
    done = subprocess.run(
        [sys.executable, "-m", "neural_trader", *words, *more, "--fee-bps", "5"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["metrics"]["turnover"] > 0.0
    assert found["metrics"]["fees"] > 0.0
    assert found["provenance"]["config"]["strategy"]["parameters"]["method"] == "hrp"


def test_constraints_of_the_command_are_those_of_the_library() -> None:
    returns = returns_of(load("sp500-closes"))
    moments = estimate_moments(
        returns.table, series=returns.series, ts_close_ns=returns.ts_close_ns, risk_free=0.01
    )
    wanted = optimize(moments, "max-sharpe", constraints=Constraints(-0.05, 0.25))
    words = ("--min-weight", "-0.05", "--max-weight", "0.25", "--risk-free", "0.01")
    found = told(*DATA, "--method", "max-sharpe", *words)["weights"]
    assert found == pytest.approx(wanted.as_dict(), abs=1e-12)
