"""Expected returns and covariance: against pandas, and what cannot be estimated."""

import numpy as np
import pandas as pd
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import last_ns
from neural_trader.portfolio import measure
from neural_trader.portfolio.metrics import Floats
from neural_trader.portfolio.optimizers import (
    COVARIANCES,
    Constraints,
    Moments,
    estimate_covariance,
    estimate_moments,
    optimize,
)


def draw(length: int = 60, count: int = 4, seed: int = 5) -> Floats:
    table: Floats = np.random.default_rng(seed).normal(0.001, 0.01, (length, count))
    return table


def test_sample_is_that_of_numpy() -> None:
    np.testing.assert_allclose(estimate_covariance(draw()), np.cov(draw().T), rtol=1e-12)


@pytest.mark.parametrize("half_life", [2.0, 21.0, 500.0])
def test_ewma_is_that_of_pandas(half_life: float) -> None:
    frame = pd.DataFrame(draw())
    wanted = frame.ewm(halflife=half_life).cov().iloc[-4:].to_numpy()
    found = estimate_covariance(draw(), "ewma", half_life=half_life)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)


def test_a_long_half_life_is_the_sample() -> None:
    found = estimate_covariance(draw(), "ewma", half_life=1e9)
    np.testing.assert_allclose(found, estimate_covariance(draw()), rtol=1e-6)


@pytest.mark.parametrize("method", ["ledoit-wolf", "oas"])
class TestShrunk:
    def test_fewer_returns_than_series_is_definite(self, method: str) -> None:
        found = estimate_covariance(draw(8, 20), method)
        assert np.linalg.eigvalsh(found).min() > 0.0
        assert np.linalg.matrix_rank(estimate_covariance(draw(8, 20))) == 7

    def test_the_trace_stays(self, method: str) -> None:
        plain = np.cov(draw(30, 6).T, ddof=0)
        assert np.trace(estimate_covariance(draw(30, 6), method)) == pytest.approx(np.trace(plain))

    def test_one_series_is_its_variance(self, method: str) -> None:
        assert estimate_covariance(draw(30, 1), method) == pytest.approx(draw(30, 1).var())

    def test_a_series_that_does_not_move_gets_some_variance(self, method: str) -> None:
        table = draw()
        table[:, 1] = 0.0
        found = estimate_covariance(table, method)
        assert 0.0 < found[1, 1] < found[0, 0]

    def test_scale(self, method: str) -> None:
        found = estimate_covariance(100 * draw(), method)
        np.testing.assert_allclose(found, 1e4 * estimate_covariance(draw(), method), rtol=1e-9)


@pytest.mark.parametrize("method", COVARIANCES)
def test_every_estimate_is_symmetric_and_of_a_year(method: str) -> None:
    made = estimate_covariance(draw(), method)
    np.testing.assert_allclose(made, made.T, rtol=1e-12)
    moments = estimate_moments(draw(), covariance=method, periods=12)
    np.testing.assert_array_equal(moments.covariance, made * 12)
    np.testing.assert_allclose(moments.expected, draw().mean(axis=0) * 12)
    assert method in moments.conventions["covariance"]


def test_the_ratio_is_that_of_the_metrics() -> None:
    table = draw(500)
    moments = estimate_moments(table, risk_free=0.03)
    found = optimize(moments, "max-sharpe", constraints=Constraints(max_weight=0.4))
    held = measure(table @ found.weights, risk_free=0.03).of("0")
    assert found.sharpe == pytest.approx(held["sharpe"], rel=1e-12)
    assert found.volatility == pytest.approx(held["volatility"], rel=1e-12)


def test_periods_come_from_the_times() -> None:
    months = np.array([last_ns(30 * k) for k in range(60)], dtype=np.int64)
    moments = estimate_moments(draw(), ts_close_ns=months)
    assert moments.conventions["periods_per_year"] == "12 (from the times)"
    assert estimate_moments(draw()).conventions["periods_per_year"] == "252 (by default)"


def with_cell(value: float) -> Floats:
    table = draw()
    table[7, 2] = value
    return table


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (with_cell(np.nan), r"series 'c' has the return nan at row 7"),
        (with_cell(np.inf), r"series 'c' has the return inf at row 7"),
        (draw() * [1, 0, 1, 1], "returns of b do not vary"),
        (np.zeros((9, 4)), "returns of a, b, c, d do not vary"),
        (np.full((9, 4), 0.001), "returns of a, b, c, d do not vary"),
        (draw(1), "there are 1 returns"),
        (draw(0), "there are 0 returns"),
    ],
)
def test_bad_returns_are_told(table: Floats, said: str) -> None:
    with pytest.raises(DataError, match=said):
        estimate_moments(table, series=("a", "b", "c", "d"))


def test_a_gap_is_told_with_its_day() -> None:
    days = np.array([last_ns(k) for k in range(60)], dtype=np.int64)
    with pytest.raises(DataError, match="at 1970-01-08"):
        estimate_moments(with_cell(np.nan), ts_close_ns=days)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"covariance": "shrunk"}, "expected one of sample, ewma, ledoit-wolf, oas"),
        ({"covariance": "ewma", "half_life": 0.0}, "half_life is 0.0"),
        ({"covariance": "ewma", "half_life": float("nan")}, "half_life is nan"),
        ({"risk_free": -1.0}, "risk_free is -1.0"),
        ({"periods": 0.0}, "periods is 0.0"),
        ({"series": ("a", "a", "b", "c")}, "4 columns"),
        ({"series": ("a", "b")}, "4 columns"),
        ({"ts_close_ns": np.zeros(60, np.int64)}, "rising"),
        ({"ts_close_ns": np.arange(3)}, "3 times for 60 returns"),
    ],
)
def test_bad_options_are_told(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        estimate_moments(draw(), **options)  # type: ignore[arg-type]


def test_a_column_alone_is_no_table() -> None:
    with pytest.raises(ConfigError, match=r"expected \(T, N\)"):
        estimate_moments(draw()[:, 0])
    with pytest.raises(DataError, match="finite"):
        estimate_covariance(with_cell(np.nan))


@pytest.mark.parametrize(
    ("moments", "kind", "said"),
    [
        (Moments(("a", "b"), np.zeros(3), np.eye(2)), ConfigError, "expected returns"),
        (Moments(("a", "b"), np.zeros(2), np.eye(3)), ConfigError, "covariance of"),
        (Moments((), np.zeros(0), np.zeros((0, 0))), ConfigError, "0 series"),
        (Moments(("a", "a"), np.zeros(2), np.eye(2)), ConfigError, "stands twice"),
        (Moments(("a", "b"), np.array([0.1, np.nan]), np.eye(2)), DataError, "not finite"),
        (Moments(("a", "b"), np.zeros(2), np.diag([1.0, 0.0])), DataError, "variance of b is 0"),
        (
            Moments(("a", "b"), np.zeros(2), np.array([[1.0, 0.5], [0.1, 1.0]])),
            DataError,
            "not symmetric",
        ),
    ],
)
def test_moments_of_your_own_are_checked(
    moments: Moments, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        optimize(moments)
