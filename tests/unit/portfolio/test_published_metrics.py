"""Metrics against figures that books and papers print."""

import numpy as np
import pytest

from neural_trader.portfolio import measure
from neural_trader.portfolio.reference import Terms, probability_of_skill, track_record
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
        # PerformanceAnalytics 2.0.8 prints 1.6945; the book's 1.70 rests on a rounded ulcer index.
        ("martin", 1.6945, 4, 91),
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
    assert by_the_law(returns, Terms(12, 2.0), benchmark) == pytest.approx(
        bacon(), rel=0, abs=0, nan_ok=True
    )
