import math

import numpy as np
import pytest
from scipy import integrate, stats

from neural_trader.risk import distributions

DEGREES = (2.01, 3.0, 4.0, 10.0, 200.0, 1e6)
LEVELS = (1e-6, 0.01, 0.4, 0.5, 0.501, 0.9, 0.99, 0.9999)


def test_normal_probabilities_are_scipy_s() -> None:
    x = np.linspace(-38.0, 38.0, 20_001)
    assert distributions.normal_below(x) == pytest.approx(stats.norm.cdf(x), abs=1e-15)
    far = np.linspace(-37.0, -1.0, 1_000)
    assert distributions.normal_below(far) == pytest.approx(stats.norm.cdf(far), rel=1e-12)
    assert distributions.normal_tail(3.0) == pytest.approx(stats.norm.sf(3.0), rel=1e-14)


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("level", LEVELS)
def test_student_quantiles_and_tails_are_scipy_s(degrees: float, level: float) -> None:
    x = float(stats.t.ppf(level, degrees))
    assert distributions.student_quantile(level, degrees) == pytest.approx(x, rel=1e-10, abs=1e-12)
    assert distributions.student_tail(x, degrees) == pytest.approx(
        stats.t.sf(x, degrees), rel=1e-9, abs=1e-13
    )


@pytest.mark.parametrize("degrees", [2.5, 4.0, 30.0, math.inf])
def test_shortfall_is_the_integral_beyond_the_quantile(degrees: float) -> None:
    law = stats.norm if math.isinf(degrees) else stats.t(degrees)
    area, _ = integrate.quad(law.ppf, 0.975, 1.0)
    found = distributions.student_shortfall(0.975, degrees)
    assert found == pytest.approx(area / 0.025, rel=1e-6)


@pytest.mark.parametrize("degrees", [1, 2])
def test_chi_squared_tails_are_scipy_s(degrees: int) -> None:
    for x in (0.0, 0.1, 3.84, 40.0):
        found = distributions.chi_squared_tail(x, degrees)
        assert found == pytest.approx(stats.chi2.sf(x, degrees), rel=1e-12)
    assert math.isnan(distributions.chi_squared_tail(math.nan, 1))


def test_binomial_probabilities_are_scipy_s() -> None:
    for count, trials, level in ((0, 250, 0.01), (9, 250, 0.01), (60, 1_000, 0.05), (5, 5, 0.5)):
        found = distributions.binomial_below(count, trials, level)
        assert found == pytest.approx(stats.binom.cdf(count, trials, level), rel=1e-11)
