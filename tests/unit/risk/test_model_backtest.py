import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from neural_trader.core import ConfigError, DataError
from neural_trader.risk import (
    METHODS,
    RiskConfig,
    acerbi_szekely,
    backtest_risk,
    christoffersen,
    conditional_coverage,
    kupiec,
    read_situation,
    traffic_light,
)
from tests.unit.risk.desk import WITH_OPTION, drawn, figures, on_sample, prices

PAIR = {"positions": [{"symbol": "A", "qty": 10}, {"symbol": "B", "qty": -4}]}


def on_drawn(count: int = 700, **reading: Any) -> Any:
    return read_situation(PAIR, prices(drawn(count, 2), ("A", "B")), **reading)


def test_kupiec_is_its_ratio() -> None:
    found = kupiec(9, 500, 0.99)
    one = stats.binom.logpmf(9, 500, 9 / 500) - stats.binom.logpmf(9, 500, 0.01)
    assert found.statistic == pytest.approx(2.0 * one, rel=1e-10)
    assert found.p_value == pytest.approx(stats.chi2.sf(2.0 * one, 1), rel=1e-10)
    assert kupiec(0, 250, 0.99).statistic == pytest.approx(-500.0 * math.log(0.99), rel=1e-12)
    assert kupiec(5, 5, 0.99).p_value < 1e-9
    assert kupiec(5, 500, 0.99).statistic == pytest.approx(0.0, abs=1e-12)
    for wrong in ((-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (1, 5, 1.0)):
        with pytest.raises(ConfigError):
            kupiec(*wrong)


def test_clusters_are_found_and_chance_is_not() -> None:
    hits = np.zeros(1_000, bool)
    hits[100:150] = True
    assert christoffersen(hits).p_value < 1e-20
    spread = np.random.default_rng(1).random(20_000) < 0.05
    assert christoffersen(spread).p_value > 0.01
    both = conditional_coverage(hits, 0.95)
    parts = kupiec(50, 1_000, 0.95).statistic + christoffersen(hits).statistic
    assert both.statistic == pytest.approx(parts)
    assert both.p_value == pytest.approx(stats.chi2.sf(parts, 2), rel=1e-9)


@pytest.mark.parametrize(
    ("hits", "why"),
    [
        ([False] * 9, "no day follows"),
        ([False] * 9 + [True], "no day follows"),
        ([True] * 9, "every day"),
    ],
)
def test_independence_without_exceptions_is_undefined(hits: list[bool], why: str) -> None:
    found = christoffersen(np.array(hits))
    assert math.isnan(found.statistic)
    assert why in found.undefined
    assert math.isnan(conditional_coverage(np.array(hits), 0.9).p_value)


def test_kupiec_rejects_as_often_as_it_says() -> None:
    counts = np.random.default_rng(4).binomial(1_000, 0.05, 4_000)
    rejected = np.mean([kupiec(int(count), 1_000, 0.95).p_value < 0.05 for count in counts])
    assert 0.04 < rejected < 0.065


def test_acerbi_szekely_by_hand() -> None:
    losses = np.array([1.0, 4.0, 0.0, 6.0])
    var, es = np.full(4, 3.0), np.full(4, 4.0)
    tails = np.tile(np.linspace(3.0, 5.0, 40), (4, 1))
    one, two = acerbi_szekely(losses, var, es, tails, confidence=0.75, seed=1, trials=2_000)
    assert one.statistic == pytest.approx(1.0 - (4.0 / 4.0 + 6.0 / 4.0) / 2.0)
    assert two.statistic == pytest.approx(1.0 - (4.0 / 4.0 + 6.0 / 4.0) / (4 * 0.25))
    again = acerbi_szekely(losses, var, es, tails, confidence=0.75, seed=1, trials=2_000)
    assert again == (one, two)
    none, _ = acerbi_szekely(losses, var + 9, es + 9, tails, confidence=0.75, seed=1, trials=50)
    assert none.undefined == "no loss was beyond VaR"
    for each in acerbi_szekely(losses, var, es * 0.0, tails, confidence=0.75, seed=1, trials=50):
        assert math.isnan(each.statistic)
        assert "above 0" in each.undefined


def test_p_values_of_a_right_model_are_uniform() -> None:
    generator = np.random.default_rng(7)
    level, days = 0.95, 400
    var, es = stats.norm.ppf(level), stats.norm.pdf(stats.norm.ppf(level)) / (1 - level)
    steps = level + (1 - level) * (np.arange(40) + 0.5) / 40
    tails = np.tile(stats.norm.ppf(steps), (days, 1))
    found = [
        acerbi_szekely(
            generator.normal(size=days), np.full(days, var), np.full(days, es), tails,
            confidence=level, seed=seed, trials=400,
        )[1].p_value
        for seed in range(200)
    ]  # fmt: skip
    assert stats.kstest(found, "uniform").pvalue > 0.001


def test_zones_of_other_lengths() -> None:
    assert traffic_light(0, 1_000, 0.99).color == "green"
    assert traffic_light(25, 1_000, 0.99).color == "red"
    assert traffic_light(30, 1_000, 0.95).color == "green"
    assert math.isnan(traffic_light(5, 251, 0.99).plus)


@pytest.mark.parametrize("method", METHODS)
def test_a_day_is_estimated_from_the_days_before_it(method: str) -> None:
    """The estimate of a day is the one that the window before it gives by itself."""
    situation = on_drawn()
    settings: dict[str, Any] = {"method": method, "confidence": 0.95, "simulations": 2_000}
    if method == "student-t":
        settings["degrees"] = 5.0
    config = RiskConfig(**settings)
    found = backtest_risk(situation, config, window=300, start=None)
    day = 320
    alone = situation._replace(
        history=situation.history._replace(returns=situation.history.returns[day - 300 : day])
    )
    if method == "monte-carlo":
        settings["seed"] = 7 + day
    one = figures(alone, **settings)
    assert found.var[day - 300] == pytest.approx(one.var, rel=1e-12)
    assert found.es[day - 300] == pytest.approx(one.es, rel=1e-12)
    held = np.array([1_000.0, -400.0])
    assert found.losses == pytest.approx(-(situation.history.returns[300:] @ held), rel=1e-12)
    assert (found.hits == (found.losses > found.var)).all()
    assert len(found.ts_close_ns) == 400


def test_a_right_model_passes() -> None:
    returns = np.random.default_rng(3).normal(scale=0.01, size=(3_000, 1))
    held = {"positions": [{"symbol": "A", "qty": 10}]}
    situation = read_situation(held, prices(returns, ("A",)))
    tests = backtest_risk(situation, RiskConfig(method="normal", confidence=0.975)).tests
    assert tests["kupiec"]["p_value"] > 0.01
    assert tests["independence"]["p_value"] > 0.01
    assert tests["z2"]["p_value"] > 0.01
    assert tests["traffic_light"]["color"] == "green"
    assert tests["z2"]["critical"] == -0.70


def test_a_wrong_model_does_not() -> None:
    calm, wild = drawn(1_000, 2), 4.0 * drawn(200, 2, seed=8)
    situation = read_situation(PAIR, prices(np.vstack([calm, wild]), ("A", "B")))
    tests = backtest_risk(situation, RiskConfig(method="normal"), window=1_000).tests
    assert tests["kupiec"]["p_value"] < 1e-6
    assert tests["z1"]["statistic"] < -0.1
    assert tests["z2"]["p_value"] == 0.0
    assert tests["traffic_light"]["color"] == "red"


def test_options_are_in_the_losses() -> None:
    found = backtest_risk(
        on_sample(WITH_OPTION), RiskConfig(confidence=0.95), window=250, start="2022-01-03"
    )
    assert len(found.losses) == 249
    assert "options" in found.definitions


def test_days_without_an_estimate_are_counted() -> None:
    returns = drawn(500, 1)
    returns[100] = -0.45
    held = {"positions": [{"symbol": "A", "qty": 1}]}
    situation = read_situation(held, prices(returns, ("A",)))
    config = RiskConfig(method="cornish-fisher", confidence=0.95)
    found = backtest_risk(situation, config, window=200)
    assert len(found.losses) < 300
    assert f"{300 - len(found.losses)} days left out" in found.notes[0]
    short = read_situation(held, prices(returns[:210], ("A",)))
    with pytest.raises(DataError, match="undefined on each"):
        backtest_risk(short, config, window=150)


def test_what_cannot_be_is_told() -> None:
    situation = on_drawn()
    with pytest.raises(ConfigError, match="horizon is 10"):
        backtest_risk(situation, RiskConfig(horizon=10))
    with pytest.raises(ConfigError, match="window is 1"):
        backtest_risk(situation, RiskConfig(), window=1)
    with pytest.raises(DataError, match="leave no day to test after 700"):
        backtest_risk(situation, RiskConfig(), window=700)
    with pytest.raises(DataError, match="expected 300 to estimate from"):
        backtest_risk(situation, RiskConfig(), window=300, start="2000-01-10")
    with pytest.raises(DataError, match="no return on or after"):
        backtest_risk(situation, RiskConfig(), window=300, start="2030-01-10")
    nothing = {"positions": [{"symbol": "A", "qty": 0}]}
    flat = read_situation(nothing, prices(drawn(700, 1), ("A",)))
    with pytest.raises(ConfigError, match="no risk to test"):
        backtest_risk(flat, RiskConfig())


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    backtest_risk(on_drawn(), RiskConfig(), window=600, on_day=lambda *at: told.append(at))
    assert told[0] == (1, 100)
    assert told[-1] == (100, 100)
