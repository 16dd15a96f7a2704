"""Whatever comes as returns has a figure, a reason or an error."""

import math
from typing import Any

import numpy as np
import pytest

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.core.sessions import last_ns
from neural_trader.portfolio import METRICS, measure
from neural_trader.portfolio.reference import NAMES, OWN, RELATIVE

NAN, INF = math.nan, math.inf
RNG = np.random.default_rng(1)


def without_turnover(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name != "turnover"}


def test_returns_that_do_not_vary_have_no_ratio_and_say_so() -> None:
    found = measure(np.full(100, 0.001))
    figures, reasons = found.of("0"), found.undefined("0")
    assert figures["volatility"] == 0.0
    assert figures["max_drawdown"] == 0.0
    assert {reasons[name] for name in ("sharpe", "skew", "psr")} == {"returns do not vary"}
    assert reasons["sortino"] == "no return below the acceptable one"
    assert reasons["calmar"] == "no drawdown"


def test_all_cash() -> None:
    found = measure(np.zeros(50))
    assert found.of("0")["total_return"] == found.of("0")["cagr"] == 0.0
    assert math.isnan(found.of("0")["sharpe"])
    assert found.undefined("0")["tail_ratio"] == "the 5 % quantile is zero"


def test_nothing_and_one_return() -> None:
    nothing = measure(np.empty(0))
    assert set(without_turnover(nothing.undefined("0")).values()) == {"no returns"}
    one = measure(np.array([0.02]))
    assert one.of("0")["total_return"] == pytest.approx(0.02)
    assert one.undefined("0")["volatility"] == "fewer than two returns"


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_hole_between_two_returns_is_an_error_that_names_its_place(bad: float) -> None:
    x = RNG.normal(0, 0.01, (20, 2))
    x[7, 1] = bad
    with pytest.raises(DataError, match=r"series 'B' has (nan|inf|-inf) at row 7"):
        measure(x, series=("A", "B"))


def test_a_series_is_measured_where_it_is() -> None:
    x = RNG.normal(0, 0.01, 40)
    padded = np.column_stack([x, x])
    padded[:10, 1] = NAN
    padded[35:, 1] = NAN
    found = measure(padded)
    assert found.observations.tolist() == [40, 25]
    assert found.of("1") == pytest.approx(measure(x[10:35]).of("0"), rel=0, abs=0, nan_ok=True)


def test_a_series_that_is_never_there() -> None:
    x = np.column_stack([RNG.normal(0, 0.01, 10), np.full(10, NAN)])
    assert measure(x).observations.tolist() == [10, 0]
    assert set(without_turnover(measure(x).undefined("1")).values()) == {"no returns"}


def test_a_loss_of_everything_has_no_growth() -> None:
    found = measure(np.array([0.1, -1.0, 0.2]))
    assert found.of("0")["max_drawdown"] == 1.0
    assert found.undefined("0")["cagr"] == "wealth fell to zero or below"


def test_months_are_seen_in_the_times() -> None:
    ts = np.array([last_ns(18_262 + 30 * month) for month in range(36)])
    found = measure(RNG.normal(0.01, 0.03, 36), ts_close_ns=ts)
    assert found.conventions["periods_per_year"] == "12 (from the times)"
    years = 35 * 30 / 365.25 * 36 / 35
    figures = found.of("0")
    assert figures["cagr"] == pytest.approx((1 + figures["total_return"]) ** (1 / years) - 1)


def test_figures_of_a_benchmark_need_one() -> None:
    x = RNG.normal(0, 0.01, 30)
    assert tuple(measure(x).of("0")) == (*OWN, "turnover")
    with_itself = measure(x, benchmark=x)
    assert tuple(with_itself.of("0")) == METRICS == (*NAMES, "turnover")
    figures = with_itself.of("0")
    assert [figures[name] for name in ("beta", "r2", "tracking_error", "up_capture")] == [
        pytest.approx(1.0),
        pytest.approx(1.0),
        0.0,
        1.0,
    ]
    assert with_itself.undefined("0")["information_ratio"] == "series and benchmark do not differ"
    assert set(RELATIVE) <= set(NAMES)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"risk_free": -1.0}, ConfigError, "risk_free is -1"),
        ({"confidence": 1.0}, ConfigError, "confidence is 1"),
        ({"periods": 0.0}, ConfigError, "periods is 0"),
        ({"series": ("A", "A")}, ConfigError, "different names"),
        ({"benchmark": np.zeros(3)}, ConfigError, "benchmark has shape"),
        ({"benchmark": np.array([0.0, NAN, 0.0, 0.0])}, DataError, "benchmark has nan at row 1"),
        ({"ts_close_ns": np.array([1, 3, 2, 4])}, DataError, "does not rise at row 2"),
    ],
)
def test_what_does_not_fit_is_refused(given: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        measure(np.zeros((4, 2)), **given)


def test_unknown_names_are_told_with_those_there_are() -> None:
    found = measure(np.zeros(4))
    with pytest.raises(ConfigError, match=r"no metric 'sharp'.*sharpe"):
        found.column("sharp")
    with pytest.raises(ConfigError, match="no series 'A'"):
        found.of("A")
    with pytest.raises(ConfigError, match="3 dimensions"):
        measure(np.zeros((2, 2, 2)))


def test_metrics_that_are_asked_for_come_in_their_order_once_each() -> None:
    found = measure(np.array([0.01, -0.02, 0.03]), metrics=["sharpe", "cdar", "sharpe"])
    assert found.metrics == ("sharpe", "cdar")
    assert list(found.of("0")) == ["sharpe", "cdar"]
    with pytest.raises(ConfigError, match="psr was not asked for; metrics were sharpe, cdar"):
        found.column("psr")


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ("sharpe", r"metrics is 'sharpe'; expected names in a list, such as \['sharpe'\]"),
        (["sharp"], "there is no metric 'sharp'"),
        (["sharpe", "beta"], "beta is held against a benchmark; pass benchmark="),
    ],
)
def test_metrics_that_cannot_be_had_are_refused(metrics: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        measure(np.array([0.01, -0.02, 0.03]), metrics=metrics)


def test_no_metric_may_be_asked_for() -> None:
    assert measure(np.array([0.01, -0.02]), metrics=[]).of("0") == {}


def test_what_is_asked_for_alone_has_its_reason_too() -> None:
    found = measure(np.full(9, 0.01), metrics=["sharpe", "calmar", "best"])
    assert found.undefined("0") == {"sharpe": "returns do not vary", "calmar": "no drawdown"}
