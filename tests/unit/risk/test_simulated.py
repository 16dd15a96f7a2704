"""The simulation and the other methods meet where they speak of the same thing."""

import math
from typing import Any

import numpy as np
import pytest

from neural_trader.core import DataError
from neural_trader.data import load
from neural_trader.risk import RiskConfig, read_situation, simulate
from neural_trader.risk.black_scholes import option_values
from neural_trader.risk.empirical import tail_of
from neural_trader.risk.methods import estimate, make_sample
from neural_trader.risk.valuation import gains
from tests.unit.risk.desk import LINEAR, WITH_OPTION, drawn, figures, on_sample, prices


@pytest.mark.parametrize("degrees", [None, 5.0])
@pytest.mark.parametrize("draws", ["pseudo", "sobol"])
def test_monte_carlo_meets_its_closed_form(degrees: float | None, draws: str) -> None:
    situation = on_sample()
    closed = figures(situation, "student-t" if degrees else "normal", degrees=degrees)
    found = figures(situation, "monte-carlo", degrees=degrees, draws=draws, simulations=2**17)
    assert abs(found.var - closed.var) < 4.0 * found.std_error
    assert abs(found.es - closed.es) < 4.0 * found.es_std_error
    for symbol, part in closed.components.items():
        assert found.components[symbol] == pytest.approx(part, abs=0.05 * closed.es)
        assert found.marginal[symbol] == pytest.approx(closed.marginal[symbol], rel=0.1, abs=2e-3)
    assert found.label.startswith("monte-carlo")


def test_the_kernel_s_losses_are_full_revaluations() -> None:
    """With one step and a fixed seed every loss is that of some moves: held by the same tail."""
    situation = on_sample(WITH_OPTION)
    config = RiskConfig(method="monte-carlo", simulations=4_000)
    sample = make_sample(situation.book, situation.history.returns, config, period=1 / 252)
    found = estimate(sample, config)
    again = tail_of(found.losses, 0.99)
    assert found.var == pytest.approx(again.var, rel=1e-12)
    assert found.es == pytest.approx(again.es, rel=1e-9)
    assert found.tail.mean() == pytest.approx(found.es, rel=1e-9)


def test_the_kernel_values_options_as_black_scholes_does() -> None:
    """A model without variance but with a mean moves every scenario alike."""
    situation = on_sample(WITH_OPTION)
    book = situation.book
    for mean in ([0.0, 0.0], [-0.2, 0.1], [0.05, 0.0], [-0.9, 0.0]):
        sample = make_sample(
            book, situation.history.returns, RiskConfig(method="monte-carlo"), period=1 / 252
        )
        model = sample.model._replace(mean=np.array(mean), covariance=np.zeros((2, 2)))
        found = simulate(book, model, confidence=0.9, simulations=50, seed=1)
        wanted = -gains(book, np.array([mean]), passed=1 / 252)[0]
        scale = float(option_values(book.options, np.array([60.0]))[0]) + 10.0
        assert found.var == pytest.approx(wanted.sum(), abs=1e-6 * scale * 1_000.0)
        assert found.component_es == pytest.approx(wanted, abs=1e-6 * scale * 1_000.0)


def test_marginal_with_options_is_the_derivative() -> None:
    bars = load("sp500-closes", symbols=["KO", "PEP"])
    base = figures(read_situation(WITH_OPTION, bars), "monte-carlo")
    more: dict[str, Any] = {"positions": [*WITH_OPTION["positions"], {"symbol": "KO", "qty": 0.01}]}
    situation = read_situation(more, bars)
    moved = figures(situation, "monte-carlo")
    money = 0.01 * float(situation.book.prices[0])
    assert base.marginal["KO"] == pytest.approx((moved.es - base.es) / money, rel=1e-3)
    assert base.undefined == {}


def test_degrees_are_fitted_for_the_simulation_too() -> None:
    found = figures(on_sample(), "monte-carlo", degrees="fit")
    closed = figures(on_sample(), "student-t")
    assert found.estimates["degrees"] == closed.estimates["degrees"]
    assert "Student-t" in found.label


def test_threads_change_nothing() -> None:
    one, two = (figures(on_sample(), "monte-carlo", threads=count) for count in (1, 2))
    assert (one.var, one.es, one.components) == (two.var, two.es, two.components)


def test_options_on_other_than_trading_days_are_not_simulated() -> None:
    closes = np.cumprod(1.0 + drawn(300, 1), axis=0)
    days = np.datetime64("2000-01-03") + 7 * np.arange(300)
    bars = load(closes, symbols=["KO"], timestamps=days)
    option = WITH_OPTION["positions"][2]
    held = {"positions": [{"symbol": "KO", "qty": 10}]}
    assert figures(read_situation(held, bars), "monte-carlo").var > 0.0
    with pytest.raises(DataError, match="52 periods a year"):
        figures(read_situation({"positions": [option]}, bars), "monte-carlo")


def test_more_symbols_than_days_are_drawn() -> None:
    returns = drawn(15, 20)
    names = tuple(f"S{k}" for k in range(20))
    held = {"positions": [{"symbol": name, "qty": 1} for name in names]}
    situation = read_situation(held, prices(returns, names))
    closed = figures(situation, "normal")
    found = figures(situation, "monte-carlo", simulations=100_000)
    assert abs(found.var - closed.var) < 4.0 * found.std_error
    assert math.isfinite(sum(found.components.values()))


def test_linear_losses_have_no_price_of_time() -> None:
    assert figures(on_sample(LINEAR), "monte-carlo").definitions.get("options") is None
