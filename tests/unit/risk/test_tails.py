"""Empirical tails, extreme values, Cornish-Fisher: by hand and beside scipy."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from neural_trader.core import DataError
from neural_trader.risk import RiskConfig
from neural_trader.risk.cornish_fisher import Moments, expand, is_monotone
from neural_trader.risk.empirical import age_weights, tail_of
from neural_trader.risk.extremes import ParetoTail, fit_pareto, fit_tail


def test_var_is_the_order_statistic_and_es_has_its_fraction() -> None:
    losses = np.arange(1.0, 151.0)[::-1].copy()
    found = tail_of(losses, 0.99)
    # ceil(150 x 0.99) = 149; the worst 1 % are 1.5 losses: the 150th and half of the 149th.
    assert found.var == 149.0
    assert found.es == pytest.approx((150.0 + 0.5 * 149.0) / 1.5)
    assert found.es_weights.sum() == pytest.approx(1.0)
    assert np.flatnonzero(found.es_weights).tolist() == [0, 1]


@pytest.mark.parametrize(("count", "confidence", "place"), [(100, 0.07, 7), (1_000, 0.99, 990)])
def test_noise_of_the_product_moves_no_rank(count: int, confidence: float, place: int) -> None:
    # 100 x 0.07 is 7.000000000000001 in floating point.
    assert tail_of(np.arange(1.0, count + 1.0), confidence).var == float(place)


def test_equal_weights_are_no_weights() -> None:
    losses = np.random.default_rng(1).normal(size=400)
    one, other = tail_of(losses, 0.97), tail_of(losses, 0.97, weights=np.full(400, 1.0 / 400))
    assert one.var == other.var
    assert one.es == pytest.approx(other.es, rel=1e-12)
    assert one.es_std_error == pytest.approx(other.es_std_error, rel=1e-9)


def test_weights_by_age() -> None:
    weights = age_weights(3, 0.5)
    assert weights.tolist() == pytest.approx([1 / 7, 2 / 7, 4 / 7])
    # The worst loss is the oldest and weighs 1/7 of all: at 0.8 the next one is the VaR.
    assert tail_of(np.array([9.0, 5.0, 1.0] * 1), 0.5, weights=weights).var == 1.0
    assert tail_of(np.array([9.0, 5.0, 1.0]), 0.6, weights=weights).var == 5.0


def test_smoothed_components_of_var_add_up() -> None:
    losses = np.random.default_rng(2).standard_t(4, 2_000)
    found = tail_of(losses, 0.99)
    assert float(found.var_weights @ losses) == pytest.approx(found.var, rel=1e-12)


def test_standard_errors_cover() -> None:
    """Of many samples two thirds lie within one standard error, and 95 % within two."""
    generator = np.random.default_rng(11)
    truth = stats.norm.ppf(0.975), stats.norm.pdf(stats.norm.ppf(0.975)) / 0.025
    inside = np.zeros(4)
    for _ in range(300):
        found = tail_of(generator.normal(size=4_000), 0.975)
        for k, (value, error, true) in enumerate(
            zip((found.var, found.es), (found.var_std_error, found.es_std_error), truth,
                strict=True)
        ):  # fmt: skip
            inside[k] += abs(value - true) <= error
            inside[2 + k] += abs(value - true) <= 2.0 * error
    assert (inside[:2] / 300.0 > 0.58).all()
    assert (inside[:2] / 300.0 < 0.78).all()
    assert (inside[2:] / 300.0 > 0.91).all()


@pytest.mark.parametrize(("count", "confidence"), [(99, 0.99), (10, 0.95), (999, 0.999)])
def test_too_few_scenarios_are_told(count: int, confidence: float) -> None:
    with pytest.raises(DataError, match="hold no tail"):
        tail_of(np.zeros(count), confidence)


def test_a_loss_that_is_no_number_is_told() -> None:
    with pytest.raises(DataError, match="scenario 7"):
        tail_of(np.where(np.arange(200) == 7, np.nan, 1.0), 0.95)


@pytest.mark.parametrize("shape", [-0.3, -0.1, 0.0, 0.2, 0.5, 0.9, 2.0])
@pytest.mark.parametrize("count", [50, 400])
def test_pareto_fit_is_no_worse_than_scipy_s(shape: float, count: int) -> None:
    excesses = stats.genpareto.rvs(shape, scale=3.0, size=count, random_state=count)
    xi, beta = fit_pareto(excesses)
    theirs = stats.genpareto.fit(excesses, floc=0.0)
    own = stats.genpareto.logpdf(excesses, xi, scale=beta).sum()
    other = stats.genpareto.logpdf(excesses, theirs[0], scale=theirs[2]).sum()
    if theirs[0] > -0.5:
        assert own >= other - 1e-6
        assert xi == pytest.approx(theirs[0], abs=2e-3)


def test_pareto_quantile_and_shortfall_are_those_of_the_distribution() -> None:
    tail = ParetoTail(2.0, 0.25, 1.5, 50, 1_000)
    law = stats.genpareto(0.25, loc=2.0, scale=1.5)
    assert tail.quantile(0.99) == pytest.approx(law.ppf(1.0 - 0.01 / 0.05), rel=1e-12)
    area, _ = integrate.quad(tail.quantile, 0.99, 1.0)
    assert tail.shortfall(0.99) == pytest.approx(area / 0.01, rel=1e-6)
    near = ParetoTail(2.0, 1e-7, 1.5, 50, 1_000).quantile(0.99)
    assert ParetoTail(2.0, 0.0, 1.5, 50, 1_000).quantile(0.99) == pytest.approx(near, rel=1e-6)
    assert math.isnan(ParetoTail(2.0, 1.0, 1.5, 50, 1_000).shortfall(0.99))
    with pytest.raises(DataError, match="below the threshold"):
        tail.quantile(0.9)


def test_a_tail_needs_losses() -> None:
    with pytest.raises(DataError, match="9 of 180 losses lie beyond"):
        fit_tail(np.arange(180.0), 0.05)


def test_the_domain_of_cornish_fisher() -> None:
    # Source: Maillard 2012: |S| at most 6 (sqrt(2) - 1), and at S = 0 K from 0 to 8.
    assert is_monotone(0.0, 0.0)
    assert is_monotone(0.0, 7.99)
    assert not is_monotone(0.0, 8.01)
    assert not is_monotone(0.0, -0.01)
    edge = 6.0 * (math.sqrt(2.0) - 1.0)
    assert any(is_monotone(0.999 * edge, k) for k in np.linspace(0.0, 20.0, 2_001))
    assert not any(is_monotone(1.001 * edge, k) for k in np.linspace(0.0, 20.0, 2_001))


def test_the_domain_is_where_quantiles_are_in_order() -> None:
    z = np.linspace(-6.0, 6.0, 2_001)
    generator = np.random.default_rng(3)
    for skew, kurtosis in generator.uniform((-3.0, -1.0), (3.0, 12.0), (300, 2)).tolist():
        terms = [expand(point) for point in z.tolist()]
        q = [t.base + t.skew * skew + t.kurtosis * kurtosis - t.square * skew**2 for t in terms]
        if is_monotone(skew, kurtosis):
            assert (np.diff(q) > -1e-12).all()


def test_shortfall_of_the_expansion_is_its_integral() -> None:
    skew, kurtosis = 0.4, 1.5

    def quantile(level: float) -> float:
        t = expand(float(stats.norm.ppf(level)))
        return t.base + t.skew * skew + t.kurtosis * kurtosis - t.square * skew**2

    area, _ = integrate.quad(quantile, 0.975, 1.0)
    t = expand(0.975, beyond=True)
    found = t.base + t.skew * skew + t.kurtosis * kurtosis - t.square * skew**2
    assert found == pytest.approx(area / 0.025, rel=1e-6)


def test_slopes_of_moments_are_their_derivatives() -> None:
    losses = np.random.default_rng(4).standard_t(9, 500)
    config = RiskConfig(method="cornish-fisher", mean="sample", horizon=5)
    direction = np.random.default_rng(5).normal(size=500)
    base, terms = Moments.of(losses, config), expand(0.99, beyond=True)
    _, weights = base.figure(terms)
    step = 1e-6
    up = Moments.of(losses + step * direction, config).figure(terms)[0]
    down = Moments.of(losses - step * direction, config).figure(terms)[0]
    assert float(weights @ direction) == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_moments_are_scipy_s() -> None:
    losses = np.random.default_rng(6).standard_t(9, 400)
    found = Moments.of(losses, RiskConfig(method="cornish-fisher"))
    assert found.skew == pytest.approx(stats.skew(losses), rel=1e-12)
    assert found.kurtosis == pytest.approx(stats.kurtosis(losses), rel=1e-12)
    assert found.deviation == pytest.approx(losses.std(ddof=1), rel=1e-12)
