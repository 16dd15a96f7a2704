"""What every method does at its edges, and what is refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.core.errors import NoPortfolio
from neural_trader.portfolio.metrics import Floats
from neural_trader.portfolio.optimizers import (
    METHODS,
    Constraints,
    Group,
    Moments,
    View,
    Views,
    compute_hrp,
    compute_posterior,
    conic,
    estimate_moments,
    optimize,
    quadratic,
    read_groups,
    read_views,
)

NAMES = ("A", "B", "C", "D", "E")
MARKET = Views(dict.fromkeys(NAMES, 1.0))


def moments(seed: int = 3, count: int = 5) -> Moments:
    rng = np.random.default_rng(seed)
    table = rng.normal(0.001, 0.01, (300, count)) * rng.uniform(0.5, 3.0, count)
    return estimate_moments(table + rng.normal(0, 0.005, (300, 1)), series=NAMES[:count])


def weigh(method: str, given: Moments | None = None, **options: Any) -> Any:
    if method == "black-litterman":
        options.setdefault("views", MARKET)
    return optimize(given or moments(), method, **options)


each = pytest.mark.parametrize("method", METHODS)


class TestEvery:
    @each
    def test_weights_add_up_and_stay_long(self, method: str) -> None:
        found = weigh(method)
        assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
        assert (found.weights >= 0.0).all()
        assert found.residual <= 1e-8
        assert found.contributions.sum() == pytest.approx(1.0, abs=1e-12)
        assert found.as_dict() == dict(zip(NAMES, found.weights.tolist(), strict=True))

    @each
    def test_one_asset_is_all(self, method: str) -> None:
        given = Moments(("A",), np.array([0.05]), np.array([[0.04]]))
        options = {"views": Views({"A": 3.0})} if method == "black-litterman" else {}
        found = optimize(given, method, **options)  # type: ignore[arg-type]
        assert found.weights.tolist() == [1.0]
        assert found.contributions.tolist() == [1.0]

    @each
    @pytest.mark.parametrize("most", [0.2, 0.25, 0.5])
    def test_bounds_are_kept(self, method: str, most: float) -> None:
        found = weigh(method, constraints=Constraints(min_weight=0.05, max_weight=most))
        assert (found.weights >= 0.05 - 1e-9).all()
        assert (found.weights <= most + 1e-9).all()
        assert found.weights.sum() == pytest.approx(1.0, abs=1e-9)

    @each
    def test_bounds_that_leave_one_answer(self, method: str) -> None:
        found = weigh(method, constraints=Constraints(max_weight=0.2))
        np.testing.assert_allclose(found.weights, 0.2, atol=1e-9)

    @each
    def test_the_same_input_gives_the_same_bytes(self, method: str) -> None:
        assert weigh(method).weights.tobytes() == weigh(method).weights.tobytes()

    @each
    def test_the_order_of_the_series_does_not_matter(self, method: str) -> None:
        given, turned = moments(), [3, 1, 4, 0, 2]
        other = given._replace(
            series=tuple(NAMES[at] for at in turned),
            expected=given.expected[turned],
            covariance=given.covariance[np.ix_(turned, turned)],
        )
        one, two = weigh(method, given).as_dict(), weigh(method, other).as_dict()
        assert one == pytest.approx(two, abs=1e-9)

    @each
    def test_a_tenfold_year_gives_the_same_weights(self, method: str) -> None:
        given = moments()
        other = given._replace(expected=given.expected * 10, covariance=given.covariance * 10)
        one, two = weigh(method, given).weights, weigh(method, other).weights
        np.testing.assert_allclose(one, two, atol=1e-9)

    @each
    @pytest.mark.parametrize(
        ("constraints", "said"),
        [
            (Constraints(max_weight=0.1), "upper bounds of 5 series add up to 0.5"),
            (Constraints(min_weight=0.3), "lower bounds of 5 series add up to 1.5"),
            (Constraints(min_weight=0.3, max_weight=0.2), "A must weigh 0.3 or more"),
            (Constraints(min_weight={"B": 0.5}, max_weight={"B": 0.4}), "B must weigh 0.5"),
            (Constraints(max_weight=float("nan")), "max_weight is nan"),
            (Constraints(max_weight=True), "max_weight is True"),
            (Constraints(min_weight=float("inf")), "A must weigh inf or more"),
            (Constraints(max_weight={"X": 0.5}), "unknown symbol 'X'"),
            (Constraints(groups=(Group("g", ("X",), 0.1),)), "unknown symbol 'X'"),
            (Constraints(groups=(Group("g", (), 0.1),)), "has no symbols"),
            (Constraints(groups=(Group("g", ("A",), 0.5, 0.1),)), "'g' must weigh 0.5 or more"),
            (Constraints(turnover=0.1), "give both turnover and current"),
            (Constraints(current={"A": 1.0}), "give both turnover and current"),
            (Constraints(leverage=-1.0), "leverage is -1.0"),
        ],
    )
    def test_bounds_that_cannot_be_kept(
        self, method: str, constraints: Constraints, said: str
    ) -> None:
        with pytest.raises(ConfigError, match=said):
            weigh(method, constraints=constraints)


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("max-return", {}, "methods are min-variance, max-sharpe, mean-variance, risk-parity, hrp"),
        ("", {}, "there is no method ''"),
        ("min-variance", {"views": MARKET}, "views belongs to black-litterman"),
        ("max-sharpe", {"risk_aversion": 1.0}, "risk_aversion belongs to mean-variance"),
        ("hrp", {"target_return": 0.1}, "target_return belongs to mean-variance"),
        ("hrp", {"budgets": {"A": 1.0}}, "budgets belongs to risk-parity"),
        ("black-litterman", {}, "needs views"),
        ("mean-variance", {"risk_aversion": 1.0, "target_return": 0.1}, "not both"),
        ("mean-variance", {"risk_aversion": 0.0}, "risk_aversion is 0.0"),
        ("mean-variance", {"risk_aversion": float("inf")}, "risk_aversion is inf"),
        ("mean-variance", {"target_return": float("nan")}, "target_return is nan"),
        ("mean-variance", {"target_return": 9.0}, "target_return is 9; the most"),
        ("risk-parity", {"budgets": {"A": 1.0}}, "budgets have none for B, C, D, E"),
        ("risk-parity", {"budgets": dict.fromkeys("ABCDX", 1.0)}, "unknown symbol 'X'"),
        ("risk-parity", {"budgets": dict.fromkeys("ABCDE", 0.0)}, "finite numbers above 0"),
    ],
)
def test_what_is_refused(method: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        optimize(moments(), method, **options)


def singular(count: int = 4) -> Moments:
    given = moments()
    mix = np.eye(5)
    mix[count, :] = 0.0
    mix[count, :2] = 0.5
    return given._replace(covariance=mix @ given.covariance @ mix.T, expected=mix @ given.expected)


class TestSingular:
    @pytest.mark.parametrize("method", ["min-variance", "max-sharpe", "mean-variance"])
    def test_an_answer_that_is_not_the_only_one_is_refused_by_name(self, method: str) -> None:
        with pytest.raises(DataError, match=r"singular: E is a combination .* ledoit-wolf or oas"):
            weigh(method, singular())

    def test_views_of_a_singular_covariance_too(self) -> None:
        with pytest.raises(DataError, match="singular"):
            weigh("black-litterman", singular())

    @pytest.mark.parametrize("method", ["risk-parity", "hrp"])
    def test_the_risk_can_be_spread_all_the_same(self, method: str) -> None:
        found = weigh(method, singular())
        assert (found.weights > 0.0).all()
        assert found.weights.sum() == pytest.approx(1.0)

    def test_fewer_returns_than_series(self) -> None:
        table = np.random.default_rng(1).normal(size=(4, 5)) / 100
        with pytest.raises(DataError, match="singular: D"):
            optimize(estimate_moments(table, series=NAMES), "min-variance")
        found = optimize(estimate_moments(table, series=NAMES, covariance="oas"), "min-variance")
        assert found.weights.sum() == pytest.approx(1.0)

    def test_no_risk_to_spread(self) -> None:
        opposite = Moments(("A", "B"), np.zeros(2), np.array([[1.0, -1.0], [-1.0, 1.0]]))
        with pytest.raises(DataError, match="has no risk"):
            optimize(opposite, "risk-parity")
        assert optimize(opposite, "hrp").weights.tolist() == [0.5, 0.5]

    def test_two_pairs_of_opposites_are_split_in_halves(self) -> None:
        pair = np.array([[1.0, -1.0], [-1.0, 1.0]])
        matrix = np.block([[pair, np.zeros((2, 2))], [np.zeros((2, 2)), pair]])
        assert compute_hrp(matrix).sum() == pytest.approx(1.0)


class TestMaxSharpe:
    def test_nothing_above_the_risk_free_rate_is_cash(self) -> None:
        with pytest.raises(NoPortfolio, match="hold cash"):
            optimize(moments()._replace(risk_free=5.0), "max-sharpe")
        falling = moments()
        with pytest.raises(NoPortfolio):
            optimize(falling._replace(expected=-abs(falling.expected)), "max-sharpe")
        with pytest.raises(NoPortfolio):
            optimize(falling._replace(expected=np.zeros(5)), "max-sharpe")

    def test_by_the_solver_too(self) -> None:
        groups = Constraints(groups=(Group("g", ("A", "B"), 0.2, 0.6),))
        with pytest.raises(NoPortfolio):
            optimize(moments()._replace(risk_free=5.0), "max-sharpe", constraints=groups)

    def test_one_that_rises_among_those_that_fall_is_all(self) -> None:
        given = moments()._replace(expected=np.array([-0.1, -0.1, 0.2, -0.1, -0.1]))
        weights = optimize(given, "max-sharpe").weights
        assert weights[2] > 0.5

    def test_it_is_the_tangency_portfolio(self) -> None:
        given = moments()
        raw = np.linalg.solve(given.covariance, given.expected)
        loose = Constraints(min_weight=-np.inf)
        found = optimize(given, "max-sharpe", constraints=loose)
        np.testing.assert_allclose(found.weights, raw / raw.sum(), rtol=1e-9)

    def test_a_ratio_without_end_is_told(self) -> None:
        given = Moments(("A", "B"), np.array([-0.1, 0.01]), np.eye(2) * 0.04)
        with pytest.raises(ConfigError, match="rises without end"):
            optimize(given, "max-sharpe", constraints=Constraints(min_weight=-np.inf))

    def test_equal_expectations_are_the_least_variance(self) -> None:
        given = moments()._replace(expected=np.full(5, 0.07))
        one, two = (optimize(given, name).weights for name in ("max-sharpe", "min-variance"))
        np.testing.assert_allclose(one, two, atol=1e-12)


class TestMeanVariance:
    def test_a_low_target_is_the_least_variance(self) -> None:
        one = weigh("mean-variance", target_return=-1.0).weights
        np.testing.assert_allclose(one, weigh("min-variance").weights, atol=1e-12)

    def test_the_highest_target_is_the_best_alone(self) -> None:
        given = moments()
        found = weigh("mean-variance", given, target_return=float(given.expected.max()))
        np.testing.assert_allclose(found.weights, given.expected == given.expected.max(), atol=1e-9)

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
    @pytest.mark.parametrize("low", [0.0, -0.5])
    def test_targets_are_met(self, part: float, low: float) -> None:
        given, bounds = moments(), Constraints(min_weight=low, max_weight=0.8)
        least = optimize(given, "min-variance", constraints=bounds).expected_return
        most = quadratic.greatest_gain(given.expected, np.full(5, low), np.full(5, 0.8))
        target = least + part * (most - least)
        found = optimize(given, "mean-variance", constraints=bounds, target_return=target)
        assert found.expected_return == pytest.approx(target, rel=1e-9)

    def test_no_fear_is_the_best_alone_and_all_fear_the_least_variance(self) -> None:
        assert weigh("mean-variance", risk_aversion=1e-9).weights.max() == pytest.approx(1.0)
        fear = weigh("mean-variance", risk_aversion=1e12).weights
        np.testing.assert_allclose(fear, weigh("min-variance").weights, atol=1e-9)

    def test_a_group_and_a_target(self) -> None:
        groups = Constraints(groups=(Group("g", ("A", "B"), 0.3, 0.4),))
        found = weigh("mean-variance", constraints=groups, target_return=0.15)
        assert 0.3 - 1e-7 <= found.weights[:2].sum() <= 0.4 + 1e-7
        assert found.expected_return >= 0.15 - 1e-7


class TestRiskParity:
    def test_budgets_are_met(self) -> None:
        budgets = dict(zip(NAMES, (1.0, 2.0, 3.0, 4.0, 10.0), strict=True))
        found = weigh("risk-parity", budgets=budgets)
        np.testing.assert_allclose(found.contributions, np.array([1, 2, 3, 4, 10]) / 20, atol=1e-12)

    def test_bounds_that_bind_are_said(self) -> None:
        free = weigh("risk-parity")
        assert free.notes == ()
        bound = weigh("risk-parity", constraints=Constraints(max_weight=free.weights.max() - 0.05))
        assert "bind" in bound.notes[0]
        assert weigh("risk-parity", constraints=Constraints(max_weight=0.99)).notes == ()


class TestHrp:
    def test_it_takes_no_groups(self) -> None:
        with pytest.raises(ConfigError, match="hrp takes min_weight and max_weight alone"):
            weigh("hrp", constraints=Constraints(groups=(Group("g", ("A",), 0.1),)))

    def test_short_it_cannot_be(self) -> None:
        with pytest.raises(ConfigError, match="long only"):
            weigh("hrp", constraints=Constraints(min_weight=-1.0, max_weight={"A": -0.1}))

    def test_an_unknown_distance_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="columns, correlation"):
            compute_hrp(np.eye(3), distance="angular")

    def test_without_correlation_it_is_inverse_variance(self) -> None:
        matrix = np.diag([1.0, 4.0, 2.0, 8.0])
        wanted = 1.0 / matrix.diagonal()
        np.testing.assert_allclose(compute_hrp(matrix), wanted / wanted.sum(), atol=1e-12)


class TestSolver:
    def test_a_ratio_without_end_is_told(self) -> None:
        given = Moments(("A", "B"), np.array([-0.1, 0.01]), np.eye(2) * 0.04)
        endless = Constraints(min_weight=-np.inf, groups=(Group("g", ("A",), -np.inf, 9.0),))
        with pytest.raises(ConfigError, match="rises without end"):
            optimize(given, "max-sharpe", constraints=endless)

    def test_turnover(self) -> None:
        held = dict.fromkeys(NAMES, 0.2)
        found = weigh("min-variance", constraints=Constraints(turnover=0.3, current=held))
        assert np.abs(found.weights - 0.2).sum() == pytest.approx(0.3, abs=1e-6)
        still = weigh("min-variance", constraints=Constraints(turnover=0.0, current=held))
        np.testing.assert_allclose(still.weights, 0.2, atol=1e-7)

    def test_leverage(self) -> None:
        loose = Constraints(min_weight=-1.0, leverage=1.2)
        found = weigh("max-sharpe", constraints=loose)
        assert np.abs(found.weights).sum() <= 1.2 + 1e-6
        with pytest.raises(ConfigError, match="no weights keep all constraints"):
            weigh("min-variance", constraints=Constraints(leverage=0.5))

    @pytest.mark.parametrize(
        "method", ["min-variance", "max-sharpe", "mean-variance", "risk-parity"]
    )
    def test_groups_that_contradict_each_other(self, method: str) -> None:
        groups = (Group("a", ("A", "B"), 0.7), Group("b", ("C", "D", "E"), 0.7))
        with pytest.raises(ConfigError, match="no weights keep all constraints"):
            weigh(method, constraints=Constraints(groups=groups))

    @pytest.mark.parametrize("method", ["min-variance", "max-sharpe", "mean-variance"])
    @pytest.mark.parametrize("low", [0.0, -0.3])
    def test_with_a_group_that_does_not_bind_it_finds_our_own_weights(
        self, method: str, low: float
    ) -> None:
        plain = Constraints(min_weight=low, max_weight=0.6)
        loose = plain._replace(groups=(Group("all", NAMES, -9.0, 9.0),))
        one = weigh(method, constraints=plain).weights
        np.testing.assert_allclose(weigh(method, constraints=loose).weights, one, atol=1e-6)

    def test_without_it_the_extra_is_named(self) -> None:
        program = (
            "import sys; sys.modules['clarabel'] = None\n"
            "import numpy as np\n"
            "from neural_trader.portfolio.optimizers import *\n"
            "m = Moments(('A', 'B'), np.zeros(2), np.eye(2))\n"
            "assert optimize(m, 'min-variance').weights.tolist() == [0.5, 0.5]\n"
            "optimize(m, constraints=Constraints(groups=(Group('g', ('A',), 0.1, 0.2),)))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert "pip install 'neural-trader[optimize]'" in done.stderr
        assert "ConfigError" in done.stderr

    def test_what_is_not_good_enough_is_not_returned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(conic, "TOLERANCE", 0.0)
        with pytest.raises(DataError, match="the solver found no weights"):
            weigh("min-variance", constraints=Constraints(groups=(Group("g", ("A",), 0.1, 0.2),)))


class TestTheTestOfAnAnswer:
    def test_a_bad_answer_is_not_returned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def equal(self: quadratic.Frontier, linear: Floats) -> Floats:
            return np.full(len(linear), 1.0 / len(linear))

        monkeypatch.setattr(quadratic.Frontier, "solve", equal)
        for method in ("min-variance", "max-sharpe", "mean-variance"):
            with pytest.raises(DataError, match="conditions of the best weights are missed"):
                weigh(method)

    def test_steps_that_run_out_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "neural_trader.portfolio.optimizers.quadratic.kernel.least", lambda *_: -1
        )
        with pytest.raises(DataError, match="steps ran out"):
            weigh("min-variance")

    def test_the_residual_sees_who_should_give(self) -> None:
        matrix, nothing = np.diag([1.0, 4.0]), np.zeros(2)
        bounds = np.zeros(2), np.ones(2)
        best = quadratic.compute_residual(matrix, nothing, bounds, np.array([0.8, 0.2]))
        assert best == pytest.approx(0.0, abs=1e-15)
        off = quadratic.compute_residual(matrix, nothing, bounds, np.array([0.7, 0.3]))
        assert off == pytest.approx((4 * 0.3 - 0.7) / 1.2)


class TestViews:
    def test_certain_views_come_true(self) -> None:
        views = (View({"A": 1.0}, 0.12, 1.0), View({"B": 1.0, "C": -1.0}, 0.03, 1.0))
        posterior = compute_posterior(moments(), MARKET._replace(views=views))
        assert posterior.expected[0] == pytest.approx(0.12)
        assert posterior.expected[1] - posterior.expected[2] == pytest.approx(0.03)

    def test_a_single_view_moves_by_its_confidence(self) -> None:
        prior = compute_posterior(moments(), MARKET).prior[0]
        for sure in (0.25, 0.5, 0.9):
            views = (View({"A": 1.0}, prior + 0.1, sure),)
            found = compute_posterior(moments(), MARKET._replace(views=views)).expected[0]
            assert found == pytest.approx(prior + sure * 0.1)

    def test_the_risk_free_rate_is_part_of_an_absolute_view_alone(self) -> None:
        given = moments()._replace(risk_free=0.04)
        prior = compute_posterior(given, MARKET).prior
        views = (View({"A": 1.0}, prior[0]), View({"B": 1.0, "C": -1.0}, prior[1] - prior[2]))
        posterior = compute_posterior(given, MARKET._replace(views=views))
        np.testing.assert_allclose(posterior.expected, prior, atol=1e-12)

    def test_a_rosy_view_is_followed(self) -> None:
        views = MARKET._replace(views=(View({"A": 1.0}, 0.5, 0.9),))
        assert weigh("black-litterman", views=views).weights[0] > 0.3

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"market_weights": {"A": 1.0}}, "market_weights have none for B, C, D, E"),
            ({"market_weights": {}}, "without the market there is no prior"),
            ({"market_weights": dict.fromkeys("ABCDEX", 1.0)}, "unknown symbol 'X'"),
            ({"market_weights": dict.fromkeys("ABCDE", 0.0)}, "one above 0"),
            ({"market_weights": dict.fromkeys("ABCDE", -1.0)}, "0 or more"),
            ({"risk_aversion": 0.0}, "risk_aversion is 0.0"),
            ({"tau": -0.1}, "tau is -0.1"),
            ({"views": (View({"X": 1.0}, 0.1),)}, "view 1: unknown symbol 'X'"),
            ({"views": (View({}, 0.1),)}, "view 1 has the weights {}"),
            ({"views": (View({"A": 0.0}, 0.1),)}, "some other than 0"),
            ({"views": (View({"A": 1.0}, float("nan")),)}, "view 1 expects nan"),
            ({"views": (View({"A": 1.0}, 0.1, 0.0),)}, "confidence 0.0"),
            ({"views": (View({"A": 1.0}, 0.1, 1.5),)}, "confidence 1.5"),
            (
                {"views": (View({"A": 1.0}, 0.1, 1.0), View({"A": 2.0}, 0.3, 1.0))},
                "certain of the same",
            ),
        ],
    )
    def test_bad_views_are_told(self, changes: dict[str, Any], said: str) -> None:
        with pytest.raises(ConfigError, match=said):
            weigh("black-litterman", views=MARKET._replace(**changes))


GOOD = """
risk_aversion = 3.0
tau = 0.025
[market_weights]
A = 3
B = 1.5
[[views]]
symbol = "A"
return = 0.1
confidence = 0.6
[[views]]
long = ["A"]
short = {B = 2.0, C = 6.0}
return = 0.02
"""


class TestFiles:
    def test_views(self, tmp_path: Path) -> None:
        path = tmp_path / "views.toml"
        path.write_text(GOOD)
        assert read_views(path) == Views(
            {"A": 3.0, "B": 1.5},
            (View({"A": 1.0}, 0.1, 0.6), View({"A": 1.0, "B": -0.25, "C": -0.75}, 0.02, 0.5)),
            3.0,
            0.025,
        )

    def test_groups(self, tmp_path: Path) -> None:
        path = tmp_path / "groups.toml"
        path.write_text('[groups.banks]\nsymbols = ["BAC", "JPM"]\nmin = 0.05\n')
        assert read_groups(path) == (Group("banks", ("BAC", "JPM"), 0.05, float("inf")),)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("= 3", "is no TOML"),
            ("", "missing required field `market_weights`"),
            ("[market_weights]\nA = 'much'", "Expected `float`"),
            ("[market_weights]\nA = 1\n[[views]]\nsymbol = 'A'", "`return`"),
            ("[market_weights]\nA = 1\n[[views]]\nreturn = 0.1", "either symbol"),
            ("[market_weights]\nA = 1\n[[views]]\nreturn = 0.1\nlong = 'A'", "long and short"),
            (
                "[market_weights]\nA = 1\n[[views]]\nreturn = 0.1\nsymbol='A'\nlong = 'A'",
                "either symbol",
            ),
            (
                "[market_weights]\nA = 1\n[[views]]\nreturn = 0.1\nlong = 'A'\nshort = 'A'",
                "A on both sides",
            ),
            (
                "[market_weights]\nA = 1\n[[views]]\nreturn = 0.1\nlong = []\nshort = 'A'",
                "a table of parts above 0",
            ),
            ("[market_weights]\nA = 1\n[[views]]\nsymbol='A'\nreturns = 0.1", "returns"),
            ("[market_weights]\nA = 1\n[weights]\nA = 1", "weights"),
        ],
    )
    def test_bad_files_are_told_with_their_name(self, tmp_path: Path, text: str, said: str) -> None:
        path = tmp_path / "views.toml"
        path.write_text(text)
        with pytest.raises(ConfigError, match=said) as caught:
            read_views(path)
        assert "views.toml" in str(caught.value)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot read"):
            read_groups(tmp_path / "nowhere.toml")
