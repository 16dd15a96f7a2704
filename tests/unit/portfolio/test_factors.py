"""Factor regressions against statsmodels, and what cannot be regressed."""

import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.data import load
from neural_trader.portfolio import compute_factor_model, measure
from neural_trader.portfolio.reference import lags_of

BARS = load("sp500-closes", symbols=("KO", "PEP", "JNJ", "XOM"), start="2015-01-01")
CLOSES = np.column_stack([BARS[name].close for name in BARS.symbols])
TABLE = CLOSES[1:] / CLOSES[:-1] - 1.0
Y, F = TABLE[:, 0], TABLE[:, 1:]


@pytest.mark.parametrize("lags", [None, 0, 5, "auto"])
def test_statsmodels_finds_the_same(lags: Any) -> None:
    found = compute_factor_model(Y, F, names=("PEP", "JNJ", "XOM"), risk_free=0.02, lags=lags)
    free = 1.02 ** (1 / 252) - 1
    taken = lags_of(len(Y)) if lags == "auto" else lags
    kind = {"cov_type": "HAC", "cov_kwds": {"maxlags": taken}} if lags is not None else {}
    theirs = sm.OLS(Y - free, sm.add_constant(F)).fit(**kind)
    assert found.alpha == pytest.approx(theirs.params[0] * 252, rel=1e-9)
    assert found.betas == pytest.approx(theirs.params[1:], rel=1e-9)
    assert found.alpha_t == pytest.approx(theirs.tvalues[0], rel=1e-9)
    assert found.betas_t == pytest.approx(theirs.tvalues[1:], rel=1e-9)
    assert found.r2 == pytest.approx(theirs.rsquared, rel=1e-9)
    assert found.adjusted_r2 == pytest.approx(theirs.rsquared_adj, rel=1e-9)
    volatility = math.sqrt(theirs.ssr / theirs.df_resid * 252)
    assert found.residual_volatility == pytest.approx(volatility, rel=1e-9)
    assert (found.observations, found.lags, found.factors) == (len(Y), taken, ("PEP", "JNJ", "XOM"))


def test_one_factor_is_beta_and_alpha_of_the_metrics() -> None:
    found = compute_factor_model(Y, F[:, 0])
    figures = measure(Y, benchmark=F[:, 0]).of("0")
    assert found.betas[0] == pytest.approx(figures["beta"], rel=1e-10)
    assert found.alpha == pytest.approx(figures["alpha"], rel=1e-10)
    assert found.r2 == pytest.approx(figures["r2"], rel=1e-10)


def test_ends_without_returns_are_left_out() -> None:
    y, f = Y.copy(), F.copy()
    y[:5], f[:5] = math.nan, math.nan
    found = compute_factor_model(y, f)
    assert found.betas == pytest.approx(compute_factor_model(Y[5:], F[5:]).betas, rel=0, abs=0)


def test_what_is_explained_whole_has_no_t_statistic() -> None:
    found = compute_factor_model(2.0 * F[:, 0] - F[:, 1], F)
    assert found.betas == pytest.approx([2.0, -1.0, 0.0], abs=1e-12)
    assert found.r2 == pytest.approx(1.0)
    assert math.isnan(found.alpha_t)


def test_returns_that_do_not_vary_have_no_variance_to_explain() -> None:
    found = compute_factor_model(np.full(50, 0.001), F[:50])
    assert math.isnan(found.r2)
    assert found.betas == pytest.approx([0.0] * 3, abs=1e-12)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            {"factors": np.column_stack([F[:, 0], F[:, 1], F[:, 0] + F[:, 1]])},
            DataError,
            "'2' does",
        ),
        ({"factors": np.zeros((len(Y), 1))}, DataError, "factor '0' does not vary"),
        ({"factors": F[:-1]}, ConfigError, "factors have shape"),
        (
            {"factors": np.where(F[3, 1] == F, math.nan, F)},
            DataError,
            "factor '1' has nan at row 3",
        ),
        ({"names": ("A", "A", "B")}, ConfigError, "different names"),
        ({"returns": Y[:4], "factors": F[:4]}, DataError, "4 returns for 3 factors"),
        ({"returns": np.full(9, math.nan), "factors": F[:9]}, DataError, "0 returns"),
        ({"lags": -1}, ConfigError, "lags is -1"),
        ({"lags": "some"}, ConfigError, "lags is 'some'"),
        ({"lags": 10**6}, ConfigError, "lags is 1000000"),
        ({"periods": -1.0}, ConfigError, "periods is -1"),
        ({"risk_free": -2.0}, ConfigError, "risk_free is -2"),
    ],
)
def test_what_does_not_fit_is_refused(given: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        compute_factor_model(**({"returns": Y, "factors": F} | given))
