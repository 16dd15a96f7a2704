"""What books and papers print, to half a unit of their last digit."""

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.risk import RiskConfig, kupiec, traffic_light
from neural_trader.risk.black_scholes import option_greeks, option_values
from neural_trader.risk.book import Book, Options
from neural_trader.risk.coverage import Z2_CRITICAL, acerbi_szekely, independence
from neural_trader.risk.distributions import (
    chi_squared_tail,
    normal_quantile,
    normal_tail,
    student_quantile,
    student_shortfall,
)
from neural_trader.risk.empirical import age_weights, tail_of
from neural_trader.risk.estimation import fit_filter
from neural_trader.risk.extremes import ParetoTail
from neural_trader.risk.methods import Sample, estimate
from neural_trader.risk.model import Model
from neural_trader.risk.valuation import exposures

NONE = np.zeros(0)
NOTHING = Options(NONE.astype(np.int64), NONE, NONE, NONE, NONE, NONE, NONE, NONE.astype(np.uint8))


def normal_var(money: list[float], deviations: list[float], correlation: float, **how: Any) -> Any:
    """Return the estimate for positions of money with daily deviations and one correlation."""
    d = np.array(deviations)
    covariance = np.outer(d, d) * np.where(np.eye(len(d)) == 1.0, 1.0, correlation)
    book = Book(tuple("AB"[: len(d)]), np.ones(len(d)), np.array(money), NOTHING, 0.0)
    nothing = np.zeros((0, len(d)))
    model = Model(np.zeros(len(d)), covariance, how.pop("degrees", math.inf))
    sample = Sample(book, exposures(book), nothing, nothing, model)
    return estimate(sample, RiskConfig(**how))


@pytest.mark.parametrize(
    ("money", "deviations", "printed"),
    [
        ([10e6], [0.02], 1_473_621),
        ([5e6], [0.01], 368_405),
        ([10e6, 5e6], [0.02, 0.01], 1_622_657),
    ],
)
def test_hull_ten_day_var(money: list[float], deviations: list[float], printed: float) -> None:
    # Source: Hull, Options, Futures and Other Derivatives, the model-building approach. He takes
    # 2.33 for the 99 % point, and so does this test.
    confidence = 1.0 - normal_tail(2.33)
    found = normal_var(money, deviations, 0.3, method="normal", confidence=confidence, horizon=10)
    assert found.var == pytest.approx(printed, abs=0.5)
    assert found.component_var.sum() == pytest.approx(found.var, rel=1e-12)


def test_hull_extreme_value() -> None:
    # Source: Hull, same book: 22 of 500 losses above 160, xi 0.436, beta 32.532, VaR 227.8. The
    # printed xi and beta are rounded: to the halves of their last digits the figure is reached.
    found = [
        ParetoTail(160.0, 0.436 + a, 32.532 + b, 22, 500).quantile(0.99)
        for a, b in product((-0.0005, 0.0, 0.0005), repeat=2)
    ]
    assert min(found) < 227.85
    assert max(found) > 227.75
    assert found[4] == pytest.approx(227.8, abs=0.07)


@pytest.mark.parametrize(
    ("confidence", "normal", "student", "normal_es", "student_es"),
    [
        (0.90, 162.1, 137.1, 222.0, 223.5),
        (0.95, 208.1, 190.7, 260.9, 286.5),
        (0.975, 247.9, 248.3, 295.7, 357.2),
        (0.99, 294.3, 335.1, 337.1, 466.9),
        (0.995, 325.8, 411.8, 365.8, 565.7),
    ],
)
def test_mcneil_frey_embrechts(
    confidence: float, normal: float, student: float, normal_es: float, student_es: float
) -> None:
    # Source: McNeil, Frey and Embrechts, Quantitative Risk Management, the example of 10,000 with
    # 20 % a year over 250 days, normal and Student-t with 4 degrees (VaR as printed; ES by the
    # formulas of the same section, which test_distributions.py holds to a quadrature).
    deviation = [0.2 / math.sqrt(250.0)]
    one = normal_var([10_000.0], deviation, 0.0, method="normal", confidence=confidence)
    other = normal_var(
        [10_000.0], deviation, 0.0, method="student-t", confidence=confidence, degrees=4.0
    )
    assert one.var == pytest.approx(normal, abs=0.05)
    assert other.var == pytest.approx(student, abs=0.05)
    assert one.es == pytest.approx(normal_es, abs=0.05)
    assert other.es == pytest.approx(student_es, abs=0.05)


def test_kupiec_regions() -> None:
    # Source: Kupiec 1995, as Jorion, Value at Risk, table 6-2 prints it, at a test confidence 95 %.
    def kept(days: int, confidence: float) -> list[int]:
        return [n for n in range(120) if kupiec(n, days, confidence).p_value > 0.05]

    assert max(kept(255, 0.99)) == 6
    assert (min(kept(1_000, 0.95)), max(kept(1_000, 0.95))) == (38, 64)


def test_jorion_jp_morgan_1998() -> None:
    # Source: Jorion, Value at Risk: 20 exceptions at 95 % in 252 days, 6 of them after another.
    coverage, after = kupiec(20, 252, 0.95), independence(218, 14, 14, 6)
    assert coverage.statistic == pytest.approx(3.91, abs=0.005)
    assert after.statistic == pytest.approx(9.53, abs=0.005)
    both = coverage.statistic + after.statistic
    assert both == pytest.approx(13.44, abs=0.005)
    assert chi_squared_tail(both, 2) < 0.01


@pytest.mark.parametrize(
    ("exceptions", "printed", "color", "plus"),
    [
        (4, 89.22, "green", 0.0),
        (5, 95.88, "yellow", 0.4),
        (9, 99.97, "yellow", 0.85),
        (10, 99.99, "red", 1.0),
    ],
)
def test_basel_zones(exceptions: int, printed: float, color: str, plus: float) -> None:
    # Source: Basel Committee 1996, table 2.
    zone = traffic_light(exceptions, 250, 0.99)
    assert zone.probability * 100.0 == pytest.approx(printed, abs=0.005)
    assert (zone.color, zone.plus) == (color, plus)


@pytest.mark.parametrize("degrees", [10.0, 100.0, 1e9])
def test_acerbi_szekely_critical_value(degrees: float) -> None:
    # Source: Acerbi and Szekely 2014, critical values: Z2 at 5 % is about -0.70 for normal tails
    # and not far from it for those of Student-t, of 250 days at 97.5 %.
    days, points = 250, 400
    var, es = student_quantile(0.975, degrees), student_shortfall(0.975, degrees)
    steps = 0.975 + 0.025 * (np.arange(points) + 0.5) / points
    tail = np.array([student_quantile(level, degrees) for level in steps.tolist()])
    # One exception whose size makes Z2 the printed value: its p-value is then about 5 %.
    losses = np.zeros(days)
    losses[0] = (1.0 - Z2_CRITICAL) * days * 0.025 * es
    _, second = acerbi_szekely(
        losses, np.full(days, var), np.full(days, es), np.tile(tail, (days, 1)),
        confidence=0.975, seed=1, trials=20_000,
    )  # fmt: skip
    assert second.statistic == pytest.approx(-0.70, abs=1e-12)
    assert second.p_value == pytest.approx(0.05, abs=0.008)


def options(kind: str, *terms: float) -> tuple[Options, np.ndarray[Any, Any]]:
    spot, strike, years, volatility, rate, dividend = terms
    one = Options(
        np.zeros(1, np.int64),
        np.ones(1),
        np.array([strike]),
        np.array([years]),
        np.array([volatility]),
        np.array([rate]),
        np.array([dividend]),
        np.array([kind == "call"], np.uint8),
    )
    return one, np.array([spot])


@pytest.mark.parametrize(("kind", "printed"), [("call", 4.76), ("put", 0.81)])
def test_hull_black_scholes(kind: str, printed: float) -> None:
    # Source: Hull, example 15.6.
    one, spot = options(kind, 42.0, 40.0, 0.5, 0.2, 0.1, 0.0)
    assert option_values(one, spot)[0] == pytest.approx(printed, abs=0.005)


PEERS = json.loads(Path(__file__).with_name("peers.json").read_text())


@pytest.mark.parametrize("peer", PEERS["quantlib_options"], ids=lambda row: str(row["terms"]))
def test_quantlib_values_options_alike(peer: dict[str, Any]) -> None:
    one, spot = options(*peer["terms"])
    greeks = option_greeks(one, spot)
    assert option_values(one, spot)[0] == pytest.approx(peer["value"], rel=1e-9, abs=1e-12)
    for name in ("delta", "gamma", "vega", "theta"):
        found = float(getattr(greeks, name)[0])
        assert found == pytest.approx(peer[name], rel=1e-8, abs=1e-12), name


@pytest.mark.parametrize("peer", PEERS["skfolio"], ids=lambda row: str(row["confidence"]))
def test_skfolio_finds_the_same_tail(peer: dict[str, float]) -> None:
    losses = -np.array(PEERS["returns"]).sum(axis=1)
    confidence = peer["confidence"]
    plain = tail_of(losses, confidence)
    # With a whole number of scenarios beyond, skfolio's lower quantile is ours.
    assert plain.var == pytest.approx(peer["var"], abs=1e-12)
    assert plain.es == pytest.approx(peer["es"], rel=1e-12)
    weighted = tail_of(losses, confidence, weights=age_weights(len(losses), 0.98))
    assert weighted.var == pytest.approx(peer["weighted_var"], abs=1e-12)
    assert weighted.es == pytest.approx(peer["weighted_es"], rel=1e-12)


def test_arch_follows_volatility_alike() -> None:
    returns = np.array(PEERS["returns"])
    found = fit_filter(returns, RiskConfig(method="fhs"))
    # The two start from another variance, of which 0.94^300 is left.
    assert found.variance == pytest.approx(PEERS["arch_ewma_variance"], rel=1e-6)


def test_normal_quantile_is_the_one_of_the_tables() -> None:
    assert normal_quantile(0.99) == pytest.approx(2.326, abs=0.0005)
