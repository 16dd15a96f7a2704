"""Figures of the card, by hand."""

import numpy as np
import pytest
import scipy.stats

from neural_trader.forecast import figures
from neural_trader.forecast.predictions import Predictions
from neural_trader.forecast.significance import Resampled

COUNT, SERIES, HORIZON = 120, 4, 2


def predictions(truths: np.ndarray, said: np.ndarray, last: np.ndarray) -> Predictions:
    count, series, _ = truths.shape
    volatility = np.linspace(0.01, 0.02, count)[:, None] + np.zeros((count, series))
    return Predictions(
        np.arange(count) + 9,
        last,
        volatility,
        truths,
        {"nhits": said, "naive": np.repeat(last[:, :, None], truths.shape[2], axis=2)},
        {},
    )


@pytest.fixture
def made() -> Predictions:
    rng = np.random.default_rng(1)
    last = rng.normal(size=(COUNT, SERIES))
    truths = last[:, :, None] + np.cumsum(rng.normal(size=(COUNT, SERIES, HORIZON)), axis=2)
    said = last[:, :, None] + rng.normal(size=(COUNT, SERIES, HORIZON))
    return predictions(truths, said, last)


@pytest.fixture
def resampled() -> Resampled:
    return Resampled(COUNT, block=5, draws=500, seed=1)


def test_skill_is_one_less_the_ratio_of_errors(resampled: Resampled) -> None:
    rng = np.random.default_rng(2)
    other = rng.random((COUNT, 2))
    own = np.column_stack([0.5 * other[:, 0], rng.random(COUNT)])
    half, luck = figures.skills(own, other, resampled)
    assert half == pytest.approx({"value": 0.5, "lower": 0.5, "upper": 0.5})
    assert luck["value"] == pytest.approx(1.0 - own[:, 1].sum() / other[:, 1].sum())
    assert luck["lower"] < luck["value"] < luck["upper"]
    (none,) = figures.skills(own[:, :1], np.zeros((COUNT, 1)), resampled)
    assert none == {"value": None, "lower": None, "upper": None}


def test_hits_are_measured_against_always_up(made: Predictions, resampled: Resampled) -> None:
    found = figures.direction(made, resampled)
    change = made.truths[:, :, -1] - made.last
    said = made.forecasts["nhits"][:, :, -1] - made.last
    assert found["hit_rate"] == pytest.approx(float((change * said > 0).mean()))
    assert found["always_up"] == pytest.approx(float((change > 0).mean()))
    assert found["difference"] == pytest.approx(found["hit_rate"] - found["always_up"])
    assert found["lower"] < found["difference"] < found["upper"]
    up = made.last[:, :, None] + np.ones_like(made.truths)
    always = figures.direction(made._replace(forecasts={"nhits": up}), resampled)
    assert (always["difference"], always["says_up"]) == (0.0, 1.0)
    still = made._replace(truths=made.last[:, :, None] + np.zeros_like(made.truths))
    assert figures.direction(still, resampled)["hit_rate"] is None


def test_the_market_is_taken_off(made: Predictions, resampled: Resampled) -> None:
    rng = np.random.default_rng(3)
    market = 5.0 * rng.normal(size=(COUNT, 1, HORIZON))
    with_market = made._replace(
        truths=made.truths + market, forecasts={"nhits": made.forecasts["nhits"] + 3.0 * market}
    )
    one, two = (figures.cross_section(each, resampled) for each in (made, with_market))
    assert one["demeaned_skill"]["value"] == pytest.approx(two["demeaned_skill"]["value"])
    assert one["rank_ic"]["value"] == pytest.approx(two["rank_ic"]["value"])
    wanted = [
        scipy.stats.spearmanr(
            made.forecasts["nhits"][row, :, -1] - made.last[row],
            made.truths[row, :, -1] - made.last[row],
        ).statistic
        for row in range(COUNT)
    ]
    assert one["rank_ic"]["value"] == pytest.approx(np.mean(wanted))
    perfect = figures.cross_section(made._replace(forecasts={"nhits": made.truths}), resampled)
    assert perfect["demeaned_skill"]["value"] == pytest.approx(1.0)
    assert perfect["rank_ic"]["value"] == pytest.approx(1.0)


def test_what_is_no_order_has_no_rank(made: Predictions, resampled: Resampled) -> None:
    flat = made._replace(forecasts={"nhits": made.forecasts["naive"]})
    found = figures.cross_section(flat, resampled)
    assert found["rank_ic"]["value"] is None
    assert found["demeaned_skill"]["value"] == 0.0
    two = predictions(made.truths[:, :2], made.forecasts["nhits"][:, :2], made.last[:, :2])
    assert "2 series" in figures.cross_section(two, resampled)["reason"]


def test_coverage_looks_at_the_volatile_apart(made: Predictions) -> None:
    held = np.zeros((1, COUNT, SERIES, HORIZON), dtype=bool)
    held[0, :90] = True
    held[0, -3:, :, 0] = True
    (found,) = figures.coverage(made._replace(covered={"nhits": held}), (0.9,))["nhits"]
    assert found["overall"] == pytest.approx((90 + 1.5) / 120)
    # The six origins of the highest volatility are the last ones: half of the steps of half.
    assert found["volatile"] == pytest.approx(0.25)
    assert found["by_step"] == pytest.approx([93 / 120, 90 / 120])
    still = made._replace(volatility=np.zeros_like(made.volatility), covered={"nhits": held})
    assert figures.coverage(still, (0.9,))["nhits"][0]["overall"] is None


def test_trading_comes_after_the_decision_and_pays() -> None:
    rng = np.random.default_rng(4)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (2, 200)), axis=1))
    at = np.arange(9, 9 + COUNT)
    last = np.log(prices[:, at]).T
    truths = np.log(np.stack([prices[:, at + 1], prices[:, at + 2]], axis=2)).transpose(1, 0, 2)
    # Who knows the return from t + 1 to t + 2 at t has it all; who knows that before has none.
    later = np.sign(prices[:, at + 2] / prices[:, at + 1] - 1.0).T
    made = predictions(truths, last[:, :, None] + later[:, :, None] * np.ones(2), last)
    resampled = Resampled(COUNT, block=5, draws=300, seed=1)
    stamps = np.arange(200, dtype=np.int64) * 86_400_000_000_000
    free = figures.trading(made, prices, stamps, cost_bps=0.0, resampled=resampled)
    returns = np.abs(prices[:, at + 2] / prices[:, at + 1] - 1.0).mean(axis=0)
    wanted = returns.mean() / returns.std(ddof=1) * np.sqrt(365.0)
    assert free["sharpe"] == pytest.approx(wanted)
    assert free["periods_per_year"] == 365.0
    assert free["lower"] > 0.0
    dear = figures.trading(made, prices, stamps, cost_bps=50.0, resampled=resampled)
    traded = np.abs(np.diff(np.vstack([np.zeros(2), later]), axis=0)).mean(axis=1)
    net = returns - traded * 50e-4
    assert dear["sharpe"] == pytest.approx(net.mean() / net.std(ddof=1) * np.sqrt(365.0))
    assert dear["turnover"] == pytest.approx(traded.mean())
    market = (prices[:, at + 2] / prices[:, at + 1] - 1.0).mean(axis=0)
    assert free["buy_and_hold"] == pytest.approx(
        market.mean() / market.std(ddof=1) * np.sqrt(365.0)
    )


def test_periods_of_a_year_are_the_usual_ones() -> None:
    day = 86_400_000_000_000
    weekdays = np.array([d for d in range(3_000) if d % 7 < 5], dtype=np.int64) * day
    assert figures.periods_per_year(weekdays) == 252.0
    assert figures.periods_per_year(np.arange(300, dtype=np.int64) * 7 * day) == 52.0
    hours = np.arange(5_000, dtype=np.int64) * (day // 24)
    assert figures.periods_per_year(hours) == pytest.approx(365.25 * 24)
