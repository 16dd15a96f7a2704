"""Turnover by hand, by fills and by weights."""

import math

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core.errors import ConfigError, DataError
from neural_trader.portfolio import compute_turnover, measure, turnover_of_weights


def test_selling_all_for_something_else_once_a_year_is_two() -> None:
    assert compute_turnover(np.array([100.0, 100.0]), np.full(252, 100.0), 1.0) == 2.0


def test_weights_that_are_held_are_bought_once() -> None:
    returns = np.array([[0.1, 0.0], [0.0, 0.1], [0.05, 0.0]])
    begins = np.cumprod(1.0 + returns, axis=0) * [0.5, 0.5]
    held = np.vstack([[0.5, 0.5], begins[:-1] / begins[:-1].sum(axis=1, keepdims=True)])
    ends = begins.sum(axis=1)
    found = turnover_of_weights(held, returns, periods=3)
    assert found == pytest.approx(1.0 / ends.mean())


def test_weights_that_are_set_back_cost_what_prices_moved() -> None:
    returns = np.array([[0.1, 0.0], [0.0, 0.0]])
    found = turnover_of_weights(np.full((2, 2), 0.5), returns, periods=1)
    wealth = np.array([1.05, 1.05])
    moved = abs(0.5 - 0.55 / 1.05) + abs(0.5 - 0.5 / 1.05)
    assert found == pytest.approx((1.0 + moved * 1.05) / wealth.mean() / 2)


def test_turnover_of_a_backtest_is_that_of_its_fills() -> None:
    bars = nt.load("sp500-closes", symbols=["KO"], start="2021-01-01")
    result = nt.backtest(nt.SmaCross("KO", gross=20_000), bars)
    qty, reference = result.outcome.fills[:2]
    traded = np.abs(qty * reference)
    years = float(result.ts_close_ns[-1] - result.ts_close_ns[0]) / (365.25 * 86_400e9)
    assert result.metrics["turnover"] == compute_turnover(traded.sum(), result.equity, years)


def test_turnover_stands_among_the_metrics_where_it_is_given() -> None:
    x = np.zeros((10, 2))
    found = measure(x, turnover=np.array([1.5, 2.5]))
    assert found.column("turnover").tolist() == [1.5, 2.5]
    assert found.of("1")["turnover"] == 2.5
    assert "turnover" not in found.undefined("0")
    assert measure(x, turnover=3.0).of("1")["turnover"] == 3.0
    without = measure(x)
    assert np.isnan(without.column("turnover")).all()
    assert without.undefined("0")["turnover"] == "returns alone do not say what was traded"
    with pytest.raises(ConfigError, match="turnover has shape"):
        measure(x, turnover=np.zeros(3))


def test_nothing_and_all_lost() -> None:
    assert math.isnan(compute_turnover(1.0, np.array([]), 1.0))
    assert math.isnan(compute_turnover(1.0, np.array([5.0]), 0.0))
    assert math.isnan(turnover_of_weights(np.ones((1, 1)), -np.ones((1, 1))))
    assert math.isnan(turnover_of_weights(np.ones((0, 1)), np.ones((0, 1))))
    assert turnover_of_weights(np.zeros((5, 2)), np.zeros((5, 2))) == 0.0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="weights have shape"):
        turnover_of_weights(np.zeros(3), np.zeros(3))
    with pytest.raises(DataError, match="return in row 1, column 0 is nan"):
        turnover_of_weights(np.zeros((2, 1)), np.array([[0.0], [math.nan]]))
