"""Our weights beside those of PyPortfolioOpt, skfolio, Riskfolio-Lib and scikit-learn.

What they say is written by ``benchmarks/rivals/weights/compare.py``.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.data import Returns, load, returns_of
from neural_trader.portfolio.optimizers import (
    Constraints,
    Group,
    Moments,
    View,
    Views,
    compute_hrp,
    compute_posterior,
    estimate_covariance,
    estimate_moments,
    optimize,
)

PEERS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "peer-weights.json").read_text(encoding="utf-8")
)
# How far their solvers stop from their own answer: skfolio's ratio is scaled, its shrunk variance
# is solved as a cone; Riskfolio-Lib minimizes the deviation.
LOOSE = {"skfolio: max-sharpe": 5e-6, "skfolio": 1e-6, "Riskfolio-Lib: min-variance": 1e-7}


@cache
def returns() -> Returns:
    given = PEERS["provenance"]
    return returns_of(load(given["data"], start=given["start"], end=given["end"]))


@cache
def moments(covariance: str = "sample") -> Moments:
    return estimate_moments(returns().table, series=returns().series, covariance=covariance)


def found(method: str, covariance: str = "sample", **options: Any) -> dict[str, float]:
    bounds = {"min_weight", "max_weight", "groups"} & set(options)
    constraints = Constraints(**{name: options.pop(name) for name in bounds})
    given = moments(covariance)
    if "risk_free" in options:
        given = given._replace(risk_free=options.pop("risk_free"))
    return optimize(given, method, constraints=constraints, **options).as_dict()


def hrp() -> dict[str, float]:
    weights = compute_hrp(moments().covariance, distance="correlation")
    return dict(zip(returns().series, weights.tolist(), strict=True))


def ranks() -> dict[str, float]:
    return {name: rank + 1.0 for rank, name in enumerate(returns().series)}


OURS: dict[str, Callable[[], dict[str, float]]] = {
    "min-variance": lambda: found("min-variance"),
    "min-variance, at most 0.1": lambda: found("min-variance", max_weight=0.1),
    "min-variance, short": lambda: found("min-variance", min_weight=-0.1, max_weight=0.3),
    "min-variance, banks": lambda: found(
        "min-variance", groups=(Group("banks", ("BAC", "JPM"), 0.1, 0.12),)
    ),
    "min-variance, ledoit-wolf": lambda: found("min-variance", "ledoit-wolf"),
    "min-variance, oas": lambda: found("min-variance", "oas"),
    "max-sharpe": lambda: found("max-sharpe"),
    "max-sharpe, 0.02, at most 0.15": lambda: found("max-sharpe", risk_free=0.02, max_weight=0.15),
    "mean-variance, 10": lambda: found("mean-variance", risk_aversion=10.0),
    "mean-variance, 0.15": lambda: found("mean-variance", target_return=0.15),
    "risk-parity": lambda: found("risk-parity"),
    "risk-parity, budgets": lambda: found("risk-parity", budgets=ranks()),
    "risk-parity, at most 0.06": lambda: found("risk-parity", max_weight=0.06),
    "hrp, correlation": hrp,
}


def test_the_prices_are_those_that_the_peers_were_given() -> None:
    assert returns().sha256 == PEERS["provenance"]["sha256"]
    assert {name.partition(": ")[2] for name in PEERS["cases"]} == set(OURS)


@pytest.mark.parametrize("case", PEERS["cases"])
def test_weights(case: str) -> None:
    library, _, name = case.partition(": ")
    ours, theirs = OURS[name](), PEERS["cases"][case]
    assert set(ours) == set(theirs)
    away = max(abs(ours[symbol] - theirs[symbol]) for symbol in ours)
    assert away <= LOOSE.get(case, LOOSE.get(library, 1e-8))


def test_the_posterior_of_views() -> None:
    views = (View({"AAPL": 1.0}, 0.10, 0.6), View({"KO": 1.0, "PEP": -1.0}, 0.02, 0.3))
    posterior = compute_posterior(moments(), Views(ranks(), views))
    np.testing.assert_allclose(posterior.expected, PEERS["posterior"]["expected"], rtol=1e-9)
    np.testing.assert_allclose(posterior.covariance, PEERS["posterior"]["covariance"], rtol=1e-9)


@pytest.mark.parametrize("method", ["ledoit-wolf", "oas"])
def test_shrunk_covariance_is_that_of_scikit_learn(method: str) -> None:
    ours = estimate_covariance(returns().table, method)
    np.testing.assert_allclose(ours, PEERS["covariance"][method], rtol=1e-9)
    assert (
        f"shrunk by {PEERS['intensity'][method]:.6g}" in moments(method).conventions["covariance"]
    )
