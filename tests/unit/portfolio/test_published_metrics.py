"""Metrics against figures that books and papers print."""

import math

import numpy as np
import pytest

from neural_trader.portfolio import deflated_sharpe, expected_best_sharpe, measure
from neural_trader.portfolio.reference import (
    Terms,
    periods_together,
    probability_of_skill,
    track_record,
)
from neural_trader.portfolio.reference import measure as by_the_law

# Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd edition: 24 months
# of a portfolio and its benchmark, in percent.
PORTFOLIO = [0.3, 2.6, 1.1, -1.0, 1.5, 2.5, 1.6, 6.7, -1.4, 4.0, -0.5, 8.1]
PORTFOLIO += [4.0, -3.7, -6.1, 1.7, -4.9, -2.2, 7.0, 5.8, -6.5, 2.4, -0.5, -0.9]
BENCHMARK = [0.2, 2.5, 1.8, -1.1, 1.4, 1.8, 1.4, 6.5, -1.5, 4.2, -0.6, 8.3]
BENCHMARK += [3.9, -3.8, -6.2, 1.5, -4.8, 2.1, 6.0, 5.6, -6.7, 1.9, -0.3, 0.0]


def bacon(mar: float = 0.0) -> dict[str, float]:
    returns, benchmark = np.array(PORTFOLIO) / 100, np.array(BENCHMARK) / 100
    return measure(returns, benchmark=benchmark, periods=12, mar=mar).of("0")


@pytest.mark.parametrize(
    ("figure", "printed", "digits", "page"),
    [
        ("pain", 0.04, 2, 89),
        ("excess_kurtosis", -0.57, 2, 84),
        ("omega", 1.78, 2, 95),
        ("hit_rate", 14 / 24, 12, 0),
        # PerformanceAnalytics 2.0.8 prints 1.6945 and 2.5926; the book has 1.70 and 2.66, since it
        # adds the returns below a peak where these compound them.
        ("martin", 1.6945, 4, 91),
        ("pain_ratio", 2.5926, 4, 91),
        # BernardoLedoitRatio of the same package, to its last digit.
        ("omega", 1.779783, 6, 95),
    ],
)
def test_bacon(figure: str, printed: float, digits: int, page: int) -> None:
    assert page >= 0
    assert bacon()[figure] == pytest.approx(printed, abs=0.5 * 10**-digits)


def test_bacon_with_half_a_percent_a_month_as_the_least_that_will_do() -> None:
    figures = bacon(mar=0.005)
    # Downside deviation and Sortino ratio (kappa 2) are per month in the book, p. 94 to 98.
    assert figures["downside_deviation"] / 12**0.5 == pytest.approx(0.0255, abs=0.5e-4)
    assert figures["sortino"] / 12**0.5 == pytest.approx(0.157, abs=0.5e-3)
    assert figures["omega"] - 1 == pytest.approx(0.29, abs=0.5e-2)


def test_performance_analytics_kappa_with_half_a_percent_a_month() -> None:
    # Kappa(portfolio_bacon[, 1], MAR = 0.005, l = 2): 0.1566371; ours is that times sqrt(12).
    assert bacon(mar=0.005)["sortino"] / 12**0.5 == pytest.approx(0.1566371, abs=0.5e-7)


def test_where_performance_analytics_differs_it_differs_by_growth_rates() -> None:
    """Jensen's alpha -0.01416944, M squared 0.10062: geometric means in the place of ours."""
    figures = bacon()
    benchmark = np.array(BENCHMARK) / 100
    growth = measure(benchmark, periods=12).of("0")
    theirs = figures["cagr"] - figures["beta"] * growth["cagr"]
    assert theirs == pytest.approx(-0.01416944, abs=0.5e-8)
    scaled = figures["cagr"] * growth["volatility"] / figures["volatility"]
    assert scaled == pytest.approx(0.10062, abs=0.5e-5)


def test_rollinger_and_hoffman_show_a_sortino_ratio() -> None:
    # Sortino: A Sharper Ratio (2013): eight years, target 0, printed as 4.417.
    years = np.array([17, 15, 23, -5, 12, 9, 13, -4]) / 100
    figures = measure(years, periods=1).of("0")
    assert figures["downside_deviation"] == pytest.approx(0.0226, abs=0.5e-4)
    assert figures["sortino"] == pytest.approx(4.417, abs=0.5e-3)


@pytest.mark.parametrize(
    ("correlation", "periods", "printed"),
    [
        *((0.9, q, eta) for q, eta in ((2, 1.03), (3, 1.05), (12, 1.21), (36, 1.60), (250, 3.70))),
        *((0.2, q, eta) for q, eta in ((4, 1.73), (12, 2.88), (250, 12.92))),
        *((0.0, q, eta) for q, eta in ((6, 2.45), (12, 3.46), (250, 15.81))),
        *((-0.2, q, eta) for q, eta in ((2, 1.58), (12, 4.17))),
    ],
)
def test_lo_scales_a_ratio_to_several_periods(
    correlation: float, periods: int, printed: float
) -> None:
    # The Statistics of Sharpe Ratios (2002), table 2: autocorrelation of the first order.
    lags = [correlation**lag for lag in range(1, periods)]
    found = periods / periods_together(periods, lags) ** 0.5
    assert found == pytest.approx(printed, abs=0.5e-2)


@pytest.mark.parametrize(
    ("trials", "skew", "kurtosis", "printed"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_bailey_and_lopez_de_prado_deflate_a_ratio(
    trials: int, skew: float, kurtosis: float, printed: float
) -> None:
    # The Deflated Sharpe Ratio (2014): five years of days with an annual ratio of 2.5, the best of
    # trials whose annual ratios have a variance of one half.
    deviation = (0.5 / 250) ** 0.5
    found = deflated_sharpe(
        2.5 / 250**0.5, 1_250, skew, kurtosis - 3, trials=trials, deviation=deviation
    )
    assert found == pytest.approx(printed, abs=0.5e-4)
    assert expected_best_sharpe(100, deviation) == pytest.approx(0.1132, abs=0.5e-4)


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "years"),
    [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_bailey_and_lopez_de_prado_need_so_many_years(
    periods: int, skew: float, kurtosis: float, years: float
) -> None:
    # The Sharpe Ratio Efficient Frontier (2012), section 7: an annual ratio of 2 is above 1.
    of_period = periods**-0.5
    found = track_record(2 * of_period, skew, kurtosis - 3, target=of_period)
    assert found / periods == pytest.approx(years, abs=0.005)


@pytest.mark.parametrize(("shape", "printed"), [((0.0, 3.0), 0.982), ((-2.448, 10.164), 0.913)])
def test_bailey_and_lopez_de_prado_are_so_sure(shape: tuple[float, float], printed: float) -> None:
    # The same paper, section 6: two years of months with a ratio of 0.458 a month.
    found = probability_of_skill(0.458, 24, shape[0], shape[1] - 3)
    assert found == pytest.approx(printed, abs=0.5e-3)


def test_the_law_says_what_the_books_say() -> None:
    returns = [r / 100 for r in PORTFOLIO]
    benchmark = [b / 100 for b in BENCHMARK]
    found = bacon()
    assert math.isnan(found.pop("turnover"))
    assert by_the_law(returns, Terms(12, 2.0), benchmark) == pytest.approx(
        found, rel=0, abs=0, nan_ok=True
    )
