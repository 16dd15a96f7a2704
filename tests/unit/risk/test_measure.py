"""Every method on portfolios: definitions, parts that add up, hedges, edges."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from neural_trader.core import ConfigError, DataError
from neural_trader.risk import METHODS, RiskConfig, read_situation
from neural_trader.risk.estimation import draw_moves, fit_degrees, fit_filter
from neural_trader.risk.history import compound
from tests.unit.risk.desk import (
    CLOSED,
    LINEAR,
    WITH_OPTION,
    drawn,
    figures,
    on_sample,
    prices,
)

PAIR = {"positions": [{"symbol": "A", "qty": 10}, {"symbol": "B", "qty": -4}]}


def on_drawn(count: int = 1_000, portfolio: Any = None, **reading: Any) -> Any:
    return read_situation(portfolio or PAIR, prices(drawn(count, 2), ("A", "B")), **reading)


def test_historical_is_the_order_statistic_of_today_s_positions() -> None:
    situation = on_drawn()
    found = figures(situation)
    losses = -(situation.history.returns @ np.array([1_000.0, -400.0]))
    ranked = np.sort(losses)
    assert found.var == pytest.approx(ranked[989], rel=1e-12)
    assert found.es == pytest.approx(ranked[990:].mean(), rel=1e-12)
    assert found.value == pytest.approx(600.0)


def test_horizons_of_the_past_overlap() -> None:
    situation = on_drawn()
    found = figures(situation, horizon=10)
    growth = 1.0 + situation.history.returns
    moves = np.array([growth[k : k + 10].prod(axis=0) - 1.0 for k in range(991)])
    assert compound(situation.history.returns, 10) == pytest.approx(moves, abs=1e-14)
    losses = np.sort(-(moves @ np.array([1_000.0, -400.0])))
    assert found.var == pytest.approx(losses[math.ceil(991 * 0.99) - 1], rel=1e-10)
    assert "overlapping" in found.label


@pytest.mark.parametrize("mean", ["zero", "sample"])
def test_normal_is_its_formula(mean: str) -> None:
    situation = on_drawn()
    found = figures(situation, "normal", mean=mean, horizon=4, confidence=0.975)
    held, returns = np.array([1_000.0, -400.0]), situation.history.returns
    deviation = math.sqrt(held @ np.cov(returns, rowvar=False, ddof=1) @ held)
    drift = 4.0 * float(returns.mean(axis=0) @ held) if mean == "sample" else 0.0
    z = stats.norm.ppf(0.975)
    assert found.var == pytest.approx(2.0 * z * deviation - drift, rel=1e-12)
    assert found.es == pytest.approx(2.0 * stats.norm.pdf(z) / 0.025 * deviation - drift, rel=1e-12)
    assert math.isnan(found.std_error)
    assert "closed form" in found.label


def test_student_keeps_the_deviation_of_the_sample() -> None:
    situation = on_drawn()
    normal = figures(situation, "normal")
    found = figures(situation, "student-t", degrees=5.0)
    scale = stats.t.ppf(0.99, 5) * math.sqrt(3.0 / 5.0) / stats.norm.ppf(0.99)
    assert found.var == pytest.approx(normal.var * scale, rel=1e-9)
    far = figures(situation, "student-t", degrees=1e8)
    assert far.var == pytest.approx(normal.var, rel=1e-6)


def test_degrees_are_found_again() -> None:
    generator = np.random.default_rng(8)
    shared = np.sqrt(6.0 / generator.chisquare(6.0, (40_000, 1)))
    returns = generator.multivariate_normal([0, 0], [[1.0, 0.6], [0.6, 2.0]], 40_000) * shared
    assert fit_degrees(0.01 * returns) == pytest.approx(6.0, rel=0.06)
    assert fit_degrees(0.01 * np.hstack([returns, returns[:, :1]])) == pytest.approx(6.0, rel=0.06)
    assert (
        math.isinf(fit_degrees(generator.normal(size=(4_000, 2))))
        or fit_degrees(generator.normal(size=(4_000, 2))) > 40.0
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("horizon", [1, 10])
@pytest.mark.parametrize("portfolio", [LINEAR, WITH_OPTION], ids=["linear", "option"])
def test_components_add_up(method: str, horizon: int, portfolio: dict[str, Any]) -> None:
    found = figures(on_sample(portfolio), method, horizon=horizon)
    if math.isnan(found.var):
        assert method == "cornish-fisher"
        assert "monotone" in found.undefined["var"]
        return
    assert sum(found.components.values()) == pytest.approx(found.es, rel=1e-9)
    assert sum(found.component_var.values()) == pytest.approx(found.var, rel=1e-9)
    assert set(found.components) == {entry["symbol"] for entry in portfolio["positions"]}
    # An ES is above its VaR, and both are losses here.
    assert found.es > found.var > 0.0


@pytest.mark.parametrize("method", ["historical", "normal", "student-t", "fhs"])
def test_marginal_is_the_derivative(method: str) -> None:
    bars = prices(drawn(1_500, 2), ("A", "B"))
    settings: dict[str, Any] = {"degrees": 5.0} if method == "student-t" else {}
    base = figures(read_situation(PAIR, bars), method, **settings)
    more = {"positions": [{"symbol": "A", "qty": 10.0001}, {"symbol": "B", "qty": -4}]}
    moved = figures(read_situation(more, bars), method, **settings)
    # 0.0001 shares at a price of 100 are 0.01 of money.
    assert (moved.es - base.es) / 0.01 == pytest.approx(base.marginal["A"], rel=1e-3)
    assert base.components["A"] == pytest.approx(base.marginal["A"] * 1_000.0, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_incremental_is_the_total_minus_the_total_without(method: str) -> None:
    bars = prices(drawn(1_500, 2), ("A", "B"))
    both = figures(read_situation(PAIR, bars), method)
    alone = figures(
        read_situation(
            {"positions": [{"symbol": "A", "qty": 10}, {"symbol": "B", "qty": 0}]}, bars
        ),
        method,
    )
    if not math.isnan(both.var + alone.var):
        assert both.incremental["B"] == pytest.approx(both.var - alone.var, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_hedges_net(method: str) -> None:
    held = {"positions": [{"symbol": "KO", "qty": 100}, {"symbol": "KO", "qty": -100}]}
    found = figures(on_sample(held), method)
    assert (found.var, found.es) == (0.0, 0.0)
    assert found.components == {"KO": 0.0}
    assert "net to nothing" in found.notes[0]


def test_duplicates_are_one_position() -> None:
    twice = {"positions": [{"symbol": "KO", "qty": 150}, {"symbol": "KO", "qty": 50}]}
    once = {"positions": [{"symbol": "KO", "qty": 200}]}
    assert figures(on_sample(twice)).var == figures(on_sample(once)).var


@pytest.mark.parametrize("method", METHODS)
def test_two_names_of_one_series_hedge(method: str) -> None:
    """A singular covariance: long one, short its twin."""
    one = drawn(1_000, 1)
    bars = prices(np.hstack([one, one]), ("A", "B"))
    held = {"positions": [{"symbol": "A", "qty": 7}, {"symbol": "B", "qty": -7}]}
    found = figures(read_situation(held, bars), method)
    if method in ("cornish-fisher", "evt"):
        assert math.isnan(found.var)
        assert "do not vary" in found.undefined["var"].replace("does", "do")
    else:
        assert abs(found.var) < 1e-9
        assert abs(found.es) < 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_singular_covariance_is_no_obstacle(method: str) -> None:
    one = drawn(1_000, 1)
    bars = prices(np.hstack([one, one]), ("A", "B"))
    both = {"positions": [{"symbol": "A", "qty": 3}, {"symbol": "B", "qty": 4}]}
    single = {"positions": [{"symbol": "A", "qty": 7}]}
    found = figures(read_situation(both, bars), method)
    alone = figures(read_situation(single, bars), method)
    assert found.var == pytest.approx(alone.var, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_series_has_no_risk(method: str) -> None:
    bars = prices(np.zeros((600, 1)), ("A",))
    found = figures(read_situation({"positions": [{"symbol": "A", "qty": 5}]}, bars), method)
    if method in ("cornish-fisher", "evt"):
        assert math.isnan(found.var)
        assert "vary" in found.undefined["var"]
    else:
        assert (found.var, found.es) == (0.0, 0.0)
    assert any("did not move" in note for note in found.notes)


@pytest.mark.parametrize("method", METHODS)
def test_a_short_history_is_told(method: str) -> None:
    bars = prices(drawn(60, 2), ("A", "B"))
    situation = read_situation(PAIR, bars)
    if method in ("historical", "evt"):
        with pytest.raises(DataError, match="or more"):
            figures(situation, method, tail=0.05)
    else:
        assert not math.isinf(figures(situation, method).var)


def test_a_window_that_is_not_there_is_told() -> None:
    bars = prices(drawn(60, 2), ("A", "B"))
    with pytest.raises(DataError, match=r"60 returns of A, B .* expected 61 or more"):
        read_situation(PAIR, bars, window=61)
    with pytest.raises(ConfigError, match="window is 1"):
        read_situation(PAIR, bars, window=1)
    assert len(read_situation(PAIR, bars, window=60).history.returns) == 60


def test_the_as_of_date_cuts_the_history() -> None:
    situation = on_sample(as_of="2008-09-14", window=500)
    # A Sunday: the last close is that of Friday.
    assert str(situation.history.as_of) == "2008-09-12"
    found = figures(situation)
    assert found.provenance["as_of"] == "2008-09-12"
    assert found.definitions["window"].startswith("500 returns")
    for day in ("1989-12-31", "2023-01-05"):
        with pytest.raises(DataError, match="outside the common bars"):
            on_sample(as_of=day)
    with pytest.raises(ConfigError, match="YYYY-MM-DD"):
        on_sample(as_of="yesterday")


def test_a_symbol_without_prices_is_told() -> None:
    held = {"positions": [{"symbol": "KOO", "qty": 1}]}
    with pytest.raises(DataError, match=r"unknown symbol 'KOO'.*KO"):
        on_sample(held)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 99.0, -0.5, 1.5, math.nan, math.inf])
def test_a_confidence_outside_its_range_is_told(confidence: float) -> None:
    with pytest.raises(ConfigError, match="confidence is"):
        RiskConfig(confidence=confidence)
    if confidence == 99.0:
        with pytest.raises(ConfigError, match=r"write 0\.99 for 99 %"):
            RiskConfig(confidence=confidence)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "garch"}, "method is 'garch'; expected one of historical"),
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": 1.5}, "horizon is 1.5"),
        ({"simulations": 0}, "simulations is 0"),
        ({"method": "fhs", "simulations": 99}, "simulations is 99; .* needs 100 or more"),
        ({"seed": -1}, "seed is -1"),
        ({"degrees": 2.0}, "degrees is 2.0"),
        ({"degrees": "many"}, "degrees is 'many'"),
        ({"age_weight": 1.0}, "age_weight is 1.0"),
        ({"tail": 0.0}, "tail is 0.0"),
        ({"decay": 1.0}, "decay is 1.0"),
        ({"mean": "none"}, "mean is 'none'"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"scrambles": 1}, "scrambles is 1"),
    ],
)
def test_settings_outside_their_range_are_told(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RiskConfig(**settings)


def test_a_return_that_is_no_number_is_told() -> None:
    situation = on_drawn()
    returns = situation.history.returns.copy()
    returns[5, 1] = math.nan
    broken = situation._replace(history=situation.history._replace(returns=returns))
    for method in METHODS:
        with pytest.raises(DataError, match="return of B in row 5 is nan"):
            figures(broken, method)


def test_an_expansion_outside_its_domain_is_nan_with_its_reason() -> None:
    returns = drawn(1_000, 1)
    returns[10] = -0.45
    found = figures(
        read_situation({"positions": [{"symbol": "A", "qty": 1}]}, prices(returns, ("A",))),
        "cornish-fisher",
    )
    assert math.isnan(found.var)
    assert math.isnan(found.es)
    assert "outside the domain" in found.undefined["var"]
    assert found.to_dict()["var"] is None


def test_filtered_history_follows_volatility() -> None:
    calm, wild = drawn(500, 2), 3.0 * drawn(250, 2, seed=9)
    after = figures(read_situation(PAIR, prices(np.vstack([calm, wild]), ("A", "B"))), "fhs")
    before = figures(read_situation(PAIR, prices(np.vstack([wild, calm]), ("A", "B"))), "fhs")
    assert after.var > 1.8 * before.var


def test_filtered_history_by_hand() -> None:
    returns = drawn(50, 2)
    found = fit_filter(returns, RiskConfig(method="fhs", decay=0.9))
    variance = (returns**2).mean(axis=0)
    shocks = []
    for row in returns:
        shocks.append(row / np.sqrt(variance))
        variance = 0.9 * variance + 0.1 * row**2
    assert found.variance == pytest.approx(variance, rel=1e-12)
    assert found.shocks == pytest.approx(np.array(shocks) - np.mean(shocks, axis=0), rel=1e-9)
    one = draw_moves(found, RiskConfig(method="fhs", decay=0.9, simulations=4_000, seed=3))
    possible = np.sqrt(variance) * found.shocks
    # Every move is that of one past day, of all symbols together.
    gaps = np.abs(one[:, None, :] - possible[None]).max(axis=2).min(axis=1)
    assert gaps.max() < 1e-14
    two = draw_moves(
        found, RiskConfig(method="fhs", decay=0.9, simulations=4_000, seed=3, horizon=2)
    )
    assert two.std() > 1.2 * one.std()


def test_the_same_seed_gives_the_same_bytes() -> None:
    situation = on_drawn()
    one, other = (figures(situation, "fhs", horizon=5, seed=4) for _ in range(2))
    assert one.to_dict() == other.to_dict()
    assert one.var != figures(situation, "fhs", horizon=5, seed=5).var


def test_garch_is_arch_s() -> None:
    arch = pytest.importorskip("arch")
    returns = drawn(800, 1, seed=6)
    found = fit_filter(returns, RiskConfig(method="fhs", filter="garch"))
    scale = returns.std(ddof=1)
    fitted = arch.arch_model(
        returns[:, 0] / scale, mean="Zero", vol="GARCH", p=1, q=1, rescale=False
    ).fit(disp="off", show_warning=False)
    ahead = float(fitted.forecast(horizon=1).variance.iloc[-1, 0]) * scale**2
    # The first variance differs, and its weight is gone after 800 days.
    assert float(found.variance[0]) == pytest.approx(ahead, rel=1e-4)


def test_garch_without_its_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(ConfigError, match=r"neural-trader\[garch\]"):
        figures(on_drawn(), "fhs", filter="garch")


@pytest.mark.parametrize("method", METHODS)
def test_definitions_say_what_was_done(method: str) -> None:
    words = figures(on_sample(WITH_OPTION), method, horizon=10).definitions
    wanted = {"loss", "as_of", "returns", "window", "mean", "deviation", "var", "es", "horizon"}
    assert wanted | {"components", "component_var", "marginal", "incremental"} <= set(words)
    assert words["as_of"] == "2022-12-28"
    assert words["deviation"] == "ddof 1"
    if method in ("historical", "fhs"):
        assert words["var"] == "order statistic ceil(n c) of the losses"
        assert "Acerbi-Tasche" in words["es"]
    assert ("delta" in words["options"]) == (method in ("normal", "student-t"))


def test_simulated_figures_have_errors_and_closed_forms_say_none() -> None:
    situation = on_sample()
    for method in CLOSED:
        found = figures(situation, method, horizon=10)
        assert math.isnan(found.std_error)
        assert (found.simulations, found.seed) == (None, None)
    found = figures(situation, "fhs", simulations=5_000)
    assert found.std_error > 0.0
    assert found.es_std_error > 0.0
    assert (found.simulations, found.seed) == (5_000, 7)


def test_the_example_of_the_docstring_is_true() -> None:
    import doctest

    from neural_trader.risk import measure

    done = doctest.testmod(measure)
    assert done.attempted > 0
    assert done.failed == 0
