import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from neural_trader.core import ConfigError, DataError
from neural_trader.data import load
from neural_trader.risk import RiskConfig, StressPlan, read_scenarios, read_situation, stress
from neural_trader.risk.estimation import estimate_model
from neural_trader.risk.valuation import gains
from tests.tidy.tree import ROOT
from tests.unit.risk.desk import LINEAR, PUT, WITH_OPTION, drawn, on_sample, prices

QUIET = StressPlan(shocks=())


def strangle() -> dict[str, Any]:
    """Return short options on both sides: the loss has two branches."""
    put = PUT | {"strike": 60, "expiry": "2023-03-20"}
    call = PUT | {"type": "call", "strike": 66, "expiry": "2023-03-20"}
    return {
        "positions": [
            {"symbol": "KO", "qty": -10, "option": put},
            {"symbol": "KO", "qty": -10, "option": call},
            {"symbol": "PEP", "qty": 10},
        ]
    }


def test_crises_are_replayed_on_today_s_positions() -> None:
    situation = on_sample()
    found = {one.name: one for one in stress(situation).losses if one.kind == "history"}
    assert list(found) == ["1990", "2000-02", "2008", "2020"]
    one = found["2020"]
    bars = load("sp500-closes", start="2020-02-19", end="2020-03-23")
    held = np.array([200.0, -80.0, 50.0]) * situation.book.prices
    closes = np.stack([bars[name].close for name in ("KO", "PEP", "XOM")], axis=1)
    value = (closes / closes[0] - 1.0) @ held
    assert one.loss == pytest.approx(-value.min(), rel=1e-9)
    assert one.details["loss_at_end"] == pytest.approx(-value[-1], rel=1e-9)
    daily = (closes[1:] / closes[:-1] - 1.0) @ held
    assert one.details["worst_day_loss"] == pytest.approx(-daily.min(), rel=1e-9)
    assert (one.details["start"], one.details["end"]) == ("2020-02-19", "2020-03-23")
    assert sum(one.components.values()) == pytest.approx(one.loss, rel=1e-9)


def test_a_crisis_that_the_data_do_not_cover_is_refused() -> None:
    situation = on_sample(as_of="2009-01-05")
    found = stress(situation, QUIET)
    assert [one.name for one in found.losses] == ["1990", "2000-02"]
    assert set(found.refused) == {"2008", "2020"}
    assert "2007-10-09 to 2009-03-09" in found.refused["2008"]
    with pytest.raises(DataError, match="2020 reaches from 2020-02-19"):
        stress(situation, StressPlan(crises=("2020",)))
    with pytest.raises(ConfigError, match="no crisis '1987'; there are 1990"):
        stress(situation, StressPlan(crises=("1987",)))


def test_the_window_does_not_shorten_the_past() -> None:
    found = stress(on_sample(window=100), QUIET)
    assert len(found.losses) == 4


@pytest.mark.parametrize("market", [None, "JNJ"])
def test_betas_are_a_regression(market: str | None) -> None:
    situation = on_sample()
    (one,) = stress(situation, StressPlan(crises=("2020",), shocks=(-0.2,), market=market)).losses[
        1:
    ]
    bars = load("sp500-closes")
    table = np.stack([bars[name].close for name in bars.symbols], axis=1)
    returns = table[1:] / table[:-1] - 1.0
    factor = returns.mean(axis=1) if market is None else returns[:, bars.symbols.index("JNJ")]
    fitted = stats.linregress(factor, returns[:, bars.symbols.index("KO")])
    assert one.details["betas"]["KO"] == pytest.approx(fitted.slope, rel=1e-9)
    wanted = 0.2 * fitted.slope * 200.0 * situation.book.prices[0]
    assert one.components["KO"] == pytest.approx(wanted, rel=1e-9)


def test_shocks_that_cannot_be_are_told() -> None:
    for shock in (-1.5, math.nan, math.inf):
        with pytest.raises(ConfigError, match="shock is"):
            StressPlan(shocks=(shock,))
    with pytest.raises(DataError, match="unknown symbol 'SPY'"):
        stress(on_sample(), StressPlan(market="SPY"))
    with pytest.raises(ConfigError, match="horizon is 0"):
        StressPlan(horizon=0)


def test_own_scenarios_move_prices_and_volatilities(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        '[[scenario]]\nname = "a"\nall = -0.1\nsymbols = { PEP = 0.05 }\nvol = 0.1\n'
        '[[scenario]]\nname = "b"\nvols = { KO = -5 }\n'
    )
    situation = on_sample(WITH_OPTION)
    scenarios = read_scenarios(path, situation.history.symbols)
    one, other = stress(situation, StressPlan(shocks=(), scenarios=scenarios)).losses[4:]
    wanted = gains(situation.book, np.array([[-0.1, 0.05]]), shift=np.array([0.1]))[0]
    assert one.components == pytest.approx({"KO": -wanted[0], "PEP": -wanted[1]})
    assert one.details["moves"] == {"KO": -0.1, "PEP": 0.05}
    # Without any volatility the put is worth what it would pay at the forward price: nothing.
    assert other.loss > 0.0
    assert other.components["PEP"] == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "scenario"),
        ("[[scenario]]\nall = -0.1\n", r"name.*\$\.scenario\[0\]"),
        ('[[scenario]]\nname = "a"\nfall = 1\n', r"fall.*\$\.scenario\[0\]"),
        ('[[scenario]]\nname = "a"\nall = -2\n', r"\$\.scenario\[0\]\.all"),
        ('[[scenario]]\nname = "a"\nall = nan\n', r"\$\.scenario\[0\]\.all|finite"),
        ('[[scenario]]\nname = "a"\nsymbols = { IBM = 0.1 }\n', r"\[0\]\.symbols names 'IBM'"),
        ('[[scenario]]\nname = "a"\n[[scenario]]\nname = "a"\n', r"\[1\]\.name is 'a' again"),
        ("[[scenario", "s.toml"),
    ],
)
def test_scenarios_that_are_wrong_are_told(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_scenarios(path, ("KO", "PEP"))
    with pytest.raises(DataError, match="cannot read the scenarios"):
        read_scenarios(tmp_path / "none.toml", ("KO",))


def test_the_example_is_played() -> None:
    situation = on_sample(ROOT / "examples" / "portfolio_with_options.json")
    path = ROOT / "examples" / "scenarios.toml"
    scenarios = read_scenarios(path, situation.history.symbols)
    assert [one.name for one in scenarios] == ["rates up, growth down", "quiet rally"]
    assert len(stress(situation, StressPlan(scenarios=scenarios)).losses) == 10


def test_reverse_stress_of_linear_positions_is_the_nearest() -> None:
    situation = on_sample()
    worst = stress(situation, StressPlan(shocks=(), reverse=600.0, horizon=4)).reverse
    assert worst is not None
    covariance = 4.0 * np.cov(situation.history.returns, rowvar=False, ddof=1)
    held = np.array([200.0, -80.0, 50.0]) * situation.book.prices
    assert float(worst.moves @ held) == pytest.approx(-600.0, rel=1e-12)
    deviation = math.sqrt(held @ covariance @ held)
    assert worst.distance == pytest.approx(600.0 / deviation, rel=1e-12)
    assert worst.probability == pytest.approx(stats.norm.sf(600.0 / deviation), rel=1e-9)
    found = math.sqrt(worst.moves @ np.linalg.solve(covariance, worst.moves))
    assert found == pytest.approx(worst.distance, rel=1e-9)
    # Any other way to lose as much is less likely.
    generator = np.random.default_rng(1)
    for _ in range(50):
        other = worst.moves + generator.normal(scale=0.01, size=3)
        other *= -600.0 / float(other @ held)
        assert math.sqrt(other @ np.linalg.solve(covariance, other)) >= worst.distance


@pytest.mark.parametrize("portfolio", [WITH_OPTION, strangle()], ids=["put", "strangle"])
@pytest.mark.parametrize("loss", [300.0, 900.0])
def test_reverse_stress_of_options_is_no_worse_than_scipy_s(
    portfolio: dict[str, Any], loss: float
) -> None:
    situation = on_sample(portfolio)
    worst = stress(situation, StressPlan(shocks=(), reverse=loss)).reverse
    assert worst is not None
    assert worst.gains.sum() == pytest.approx(-loss, rel=1e-6)
    model = estimate_model(situation.history.returns, RiskConfig(method="normal"))
    root = np.linalg.cholesky(model.covariance)

    def gap(point: Any) -> float:
        return float(gains(situation.book, (root @ point)[None, :]).sum()) / loss + 1.0

    generator = np.random.default_rng(2)
    found = []
    for _ in range(12):
        start = generator.normal(scale=3.0, size=2)
        done = optimize.minimize(
            lambda u: 0.5 * u @ u, start, constraints={"type": "eq", "fun": gap}, method="SLSQP"
        )
        if done.success and abs(gap(done.x)) < 1e-6:
            found.append(float(np.linalg.norm(done.x)))
    assert found
    assert worst.distance <= min(found) * (1.0 + 1e-3)
    assert worst.distance == pytest.approx(min(found), rel=1e-3)


def test_a_loss_that_cannot_be_is_told() -> None:
    long_put = {"positions": [{"symbol": "KO", "qty": 10, "option": PUT}]}
    with pytest.raises(DataError, match="no scenario within 40 deviations loses 90,000"):
        stress(on_sample(long_put), StressPlan(shocks=(), reverse=90_000.0))
    for loss in (0.0, -5.0, math.nan):
        with pytest.raises(ConfigError, match="expected money above 0"):
            stress(on_sample(), StressPlan(shocks=(), reverse=loss))
    held = {"positions": [{"symbol": "KO", "qty": 1}]}
    with pytest.raises(DataError, match="prices would have to fall below 0"):
        stress(on_sample(held), StressPlan(shocks=(), reverse=1e6))


def test_reverse_stress_needs_what_moves() -> None:
    bars = prices(np.zeros((300, 1)), ("A",))
    still = read_situation({"positions": [{"symbol": "A", "qty": 1}]}, bars)
    with pytest.raises(DataError, match="nothing that is held moves"):
        stress(still, StressPlan(shocks=(), reverse=5.0))
    twins = drawn(400, 1)
    bars = prices(np.hstack([twins, twins]), ("A", "B"))
    hedged = {"positions": [{"symbol": "A", "qty": 1}, {"symbol": "B", "qty": -1}]}
    with pytest.raises(DataError, match="nothing that is held moves"):
        stress(read_situation(hedged, bars), StressPlan(shocks=(), reverse=5.0))


def test_results_are_plain() -> None:
    found = stress(on_sample(LINEAR), StressPlan(reverse=500.0)).to_dict()
    assert set(found) == {
        *("history", "factor", "custom", "reverse", "refused", "definitions", "provenance")
    }
    assert found["custom"] == []
    assert sum(found["reverse"]["components"].values()) == pytest.approx(500.0)
