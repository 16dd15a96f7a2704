"""Weights against figures that papers print."""

import random

import numpy as np
import pytest

from neural_trader.portfolio.metrics import Floats
from neural_trader.portfolio.optimizers import (
    Constraints,
    Moments,
    View,
    Views,
    compute_hrp,
    compute_posterior,
    optimize,
)

# He and Litterman (1999), tables 1 and 2: Australia, Canada, France, Germany, Japan, United
# Kingdom, United States.
COUNTRIES = ("AUL", "CAN", "FRA", "GER", "JAP", "UKG", "USA")
BELOW = (
    (0.488,),
    (0.478, 0.664),
    (0.515, 0.655, 0.861),
    (0.439, 0.310, 0.355, 0.354),
    (0.512, 0.608, 0.783, 0.777, 0.405),
    (0.491, 0.779, 0.668, 0.653, 0.306, 0.652),
)
VOLATILITY = np.array([16.0, 20.3, 24.8, 27.1, 21.0, 20.0, 18.7]) / 100
MARKET = dict(zip(COUNTRIES, (1.6, 2.2, 5.2, 5.5, 11.6, 12.4, 61.5), strict=True))
# Germany against the rest of Europe, by capitalization; Canada against the United States.
EUROPE = View({"GER": 1.0, "FRA": -5.2 / 17.6, "UKG": -12.4 / 17.6}, 0.05)
CANADA = View({"CAN": 1.0, "USA": -1.0}, 0.03)
ALL = Constraints(min_weight=-np.inf)


def countries() -> Moments:
    correlations = np.eye(7)
    for row, values in enumerate(BELOW, 1):
        correlations[row, :row] = correlations[:row, row] = values
    covariance = correlations * VOLATILITY * VOLATILITY[:, np.newaxis]
    return Moments(COUNTRIES, np.zeros(7), covariance)


def unscaled(views: Views) -> Floats:
    """Return the weights as the paper has them: what is left is cash."""
    posterior = compute_posterior(countries(), views)
    return np.asarray(
        np.linalg.solve(2.5 * posterior.covariance, posterior.expected), dtype=np.float64
    )


class TestHeAndLitterman:
    def test_table_2_the_market_implies(self) -> None:
        posterior = compute_posterior(countries(), Views(MARKET))
        np.testing.assert_array_equal(
            np.round(100 * posterior.prior, 1), [3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6]
        )
        np.testing.assert_array_equal(posterior.expected, posterior.prior)

    @pytest.mark.parametrize(
        ("views", "means", "weights"),
        [
            (  # table 4
                (EUROPE,),
                [4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1],
                [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6],
            ),
            (  # table 5
                (EUROPE, CANADA),
                [4.4, 8.7, 9.5, 11.2, 4.6, 7.0, 7.5],
                [1.5, 41.9, -3.4, 33.6, 11.0, -8.2, 18.8],
            ),
        ],
    )
    def test_tables_4_and_5_views(
        self, views: tuple[View, ...], means: list[float], weights: list[float]
    ) -> None:
        given = Views(MARKET, views)
        posterior = compute_posterior(countries(), given)
        np.testing.assert_array_equal(np.round(100 * posterior.expected, 1), means)
        np.testing.assert_array_equal(np.round(100 * unscaled(given), 1), weights)

    def test_without_bounds_ours_are_the_paper_s_weights_scaled(self) -> None:
        views = Views(MARKET, (EUROPE, CANADA))
        wanted = unscaled(views)
        found = optimize(countries(), "black-litterman", constraints=ALL, views=views)
        np.testing.assert_allclose(found.weights, wanted / wanted.sum(), atol=1e-12)

    def test_who_is_in_no_view_keeps_the_market_s_weight(self) -> None:
        views = Views(MARKET, (EUROPE,))
        found = optimize(countries(), "black-litterman", constraints=ALL, views=views)
        for symbol in ("AUL", "CAN", "JAP", "USA"):
            assert found.as_dict()[symbol] == pytest.approx(MARKET[symbol] / 100, abs=1e-12)

    def test_without_views_the_market_is_held(self) -> None:
        found = optimize(countries(), "black-litterman", views=Views(MARKET))
        np.testing.assert_allclose(found.weights, np.array(list(MARKET.values())) / 100, atol=1e-12)


def lopez_de_prado() -> Floats:
    """Return the covariance of the numerical example: five series, and five made of them."""
    state = np.random.RandomState(12345)
    draw = random.Random(12345)
    own = state.normal(0, 1, size=(10_000, 5))
    columns = [int(draw.random() * 5) for _ in range(5)]
    made = own[:, columns] + state.normal(0, 0.25, size=(10_000, 5))
    covariance: Floats = np.cov(np.append(own, made, axis=1).T)
    return covariance


class TestLopezDePrado:
    """Lopez de Prado (2016), table 1, in percent."""

    def test_hierarchical_risk_parity(self) -> None:
        printed = [7.00, 7.59, 10.84, 19.03, 9.72, 10.19, 6.62, 9.10, 7.12, 12.79]
        np.testing.assert_array_equal(np.round(100 * compute_hrp(lopez_de_prado()), 2), printed)

    def test_minimum_variance_by_the_critical_line(self) -> None:
        printed = [14.44, 19.93, 19.73, 19.87, 18.68, 0.00, 5.86, 1.49, 0.00, 0.00]
        names = tuple("abcdefghij")
        found = optimize(Moments(names, np.zeros(10), lopez_de_prado()), "min-variance")
        np.testing.assert_array_equal(np.round(100 * found.weights, 2), printed)


class TestMaillardRoncalliTeiletche:
    """Maillard, Roncalli and Teiletche (2010), the second example of four assets."""

    moments = Moments(
        ("1", "2", "3", "4"),
        np.zeros(4),
        np.array([[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1]])
        * np.outer([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]),
    )

    @pytest.mark.parametrize(
        ("method", "weights", "volatility"),
        [
            ("risk-parity", [38.4, 19.2, 24.3, 18.2], 10.3),
            ("min-variance", [74.5, 0.0, 15.2, 10.3], 8.6),
        ],
    )
    def test_weights(self, method: str, weights: list[float], volatility: float) -> None:
        found = optimize(self.moments, method)
        np.testing.assert_array_equal(np.round(100 * found.weights, 1), weights)
        assert round(100 * found.volatility, 1) == volatility

    def test_each_carries_a_quarter(self) -> None:
        found = optimize(self.moments, "risk-parity")
        np.testing.assert_allclose(found.contributions, 0.25, atol=1e-14)

    def test_equal_correlations_weigh_by_volatility(self) -> None:
        deviations = np.array([0.1, 0.2, 0.4])
        matrix = (0.3 + 0.7 * np.eye(3)) * np.outer(deviations, deviations)
        found = optimize(Moments(("a", "b", "c"), np.zeros(3), matrix), "risk-parity")
        wanted = 1 / deviations
        np.testing.assert_allclose(found.weights, wanted / wanted.sum(), atol=1e-14)
