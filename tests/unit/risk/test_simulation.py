"""Simulated figures against closed forms, with the errors that they print."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.risk import Book, Model, Plan, Simulation, simulate
from tests.unit.risk.books import book_of, no_options, one_option, some_book, some_options

NAN, INF = math.nan, math.inf


def closed_form(book: Book, model: Model, c: float) -> tuple[float, float, Any]:
    """Return VaR, ES and the components of ES of linear positions over one step."""
    w = book.prices * book.shares
    drift, deviation = w @ model.mean, math.sqrt(w @ model.covariance @ w)
    if math.isinf(model.degrees):
        q = stats.norm.ppf(c)
        tail = stats.norm.pdf(q) / (1 - c)
    else:
        nu, scale = model.degrees, math.sqrt((model.degrees - 2) / model.degrees)
        q = stats.t.ppf(c, nu)
        tail = scale * stats.t.pdf(q, nu) / (1 - c) * (nu + q * q) / (nu - 1)
        q *= scale
    components = -w * model.mean + w * (model.covariance @ w) / deviation * tail
    return -drift + deviation * q, -drift + deviation * tail, components


@pytest.mark.parametrize("degrees", [INF, 5.0])
@pytest.mark.parametrize("c", [0.99, 0.95])
def test_over_200_seeds_the_closed_form_lies_within_the_errors_that_are_printed(
    degrees: float, c: float
) -> None:
    book, model = some_book(5)
    model = model._replace(degrees=degrees)
    var, es, components = closed_form(book, model, c)
    # Where tails are heavy it takes more of them before their spread shows how heavy.
    count = 5_000 if math.isinf(degrees) else 40_000
    runs = [
        simulate(book, model, confidence=c, simulations=count, seed=seed) for seed in range(200)
    ]
    for wanted, name in ((var, "var"), (es, "es")):
        off = np.array([getattr(run, name) - wanted for run in runs])
        errors = np.array([getattr(run, f"{name}_std_error") for run in runs])
        z = off / errors
        assert np.abs(z).max() < 4.0
        # 68 and 95 in 100 within one and two errors; three deviations of 200 such draws about it.
        assert 0.58 < (np.abs(z) < 1).mean() < 0.79
        assert (np.abs(z) < 2).mean() > 0.90
        assert errors.mean() == pytest.approx(off.std(), rel=0.2)
    mean = np.mean([run.component_es for run in runs], axis=0)
    spread = np.std([run.component_es for run in runs], axis=0) / math.sqrt(200)
    assert (np.abs(mean - components) < 4 * spread).all()
    smoothed = np.mean([run.component_var for run in runs], axis=0)
    w = book.prices * book.shares
    share = w * (model.covariance @ w) / (w @ model.covariance @ w)
    expected = -w * model.mean + share * (var + w @ model.mean)
    assert smoothed == pytest.approx(expected, abs=0.05 * np.abs(expected).max())


def test_the_figures_are_those_of_their_definitions() -> None:
    book, model = some_book(4)
    run = simulate(
        book, model, confidence=0.975, simulations=1_010, seed=3, plan=Plan(keep_losses=True)
    )
    assert run.losses is not None
    ordered = np.sort(run.losses)
    place = math.ceil(1_010 * 0.975)
    assert run.var == ordered[place - 1]
    whole = 1_010 * 0.025
    beyond = ordered[place:]
    wanted = (beyond.sum() + (whole - len(beyond)) * run.var) / whole
    assert run.es == pytest.approx(wanted, rel=1e-13)
    assert run.simulations == len(run.losses) == 1_010
    assert (run.seed, run.scrambles, run.device) == (3, 0, "cpu")


@pytest.mark.parametrize("n", [1, 2, 50])
@pytest.mark.parametrize("degrees", [INF, 3.0])
@pytest.mark.parametrize("options", [0, 7])
@pytest.mark.parametrize("plan", [Plan(), Plan(horizon=4), Plan(draws="sobol")])
def test_components_sum_to_the_total(n: int, degrees: float, options: int, plan: Plan) -> None:
    book, model = some_book(n)
    book = book._replace(options=some_options(book, options))
    model = model._replace(degrees=degrees)
    run = simulate(book, model, confidence=0.9, simulations=1_600, seed=1, plan=plan)
    assert run.component_es.sum() == pytest.approx(run.es, rel=1e-9)
    assert run.component_var.sum() == pytest.approx(run.var, rel=1e-9)
    assert run.losses is None


def test_a_symbol_that_is_not_held_has_no_part() -> None:
    book, model = some_book(6)
    book.shares[2] = 0.0
    run = simulate(book, model, confidence=0.99, simulations=2_000, seed=1)
    assert run.component_es[2] == run.component_var[2] == 0.0
    assert (run.component_es != 0.0).sum() == 5


def test_long_and_short_of_the_same_is_nothing() -> None:
    """Two symbols that move as one, held against each other: a singular covariance."""
    model = Model(np.zeros(2), np.full((2, 2), 4e-4), INF)
    for plan in (Plan(), Plan(horizon=5), Plan(draws="sobol")):
        run = simulate(
            book_of([50.0, 100.0], [200.0, -100.0]),
            model,
            confidence=0.99,
            simulations=1_600,
            seed=2,
            plan=plan,
        )
        assert abs(run.var) < 1e-8
        assert abs(run.es) < 1e-8
        assert abs(run.component_es.sum()) < 1e-8
        assert run.component_es[0] == pytest.approx(-run.component_es[1], abs=1e-8)


def test_a_parity_of_options_and_stock_loses_what_the_strike_earns() -> None:
    """A call less a put less the stock is a debt of the discounted strike, wherever prices go."""
    call, put = one_option(is_call=True, units=10.0), one_option(is_call=False, units=-10.0)
    both = call._replace(
        **{name: np.concatenate([getattr(call, name), getattr(put, name)]) for name in call._fields}
    )
    book = book_of([42.0], [-10.0], both)
    model = Model(np.zeros(1), np.array([[0.03]]), 4.0)
    run = simulate(
        book,
        model,
        confidence=0.95,
        simulations=2_000,
        seed=4,
        plan=Plan(horizon=20, keep_losses=True),
    )
    earned = 10.0 * 40.0 * (math.exp(-0.1 * (0.5 - 20 / 252)) - math.exp(-0.1 * 0.5))
    assert run.losses is not None
    assert run.losses == pytest.approx(np.full(2_000, earned), rel=1e-9)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("units", [10.0, -10.0])
@pytest.mark.parametrize("plan", [Plan(), Plan(draws="sobol")])
def test_an_option_alone_loses_what_its_price_says_at_the_quantile(
    is_call: bool, units: float, plan: Plan
) -> None:
    """Its value rises or falls with one price, so that its quantile is that of the price."""
    deviation, c = 0.02, 0.99
    option = one_option(is_call=is_call, units=units)
    book = book_of([42.0], [0.0], option)
    model = Model(np.zeros(1), np.array([[deviation**2]]), INF)
    falls = (units > 0) == is_call
    spot = 42.0 * (1.0 + (-1 if falls else 1) * deviation * stats.norm.ppf(c))
    wanted = -units * (value(is_call, spot, 0.5 - 1 / 252) - value(is_call, 42.0, 0.5))
    run = simulate(book, model, confidence=c, simulations=16_000, seed=5, plan=plan)
    assert abs(run.var - wanted) < 4 * run.var_std_error
    assert 0 < run.var_std_error < 0.05 * wanted
    assert "full revaluation of 1 option" in run.method


def value(is_call: bool, spot: float, years: float) -> float:
    """Return the value of Hull's option, from scipy's normal distribution."""
    d1 = (math.log(spot / 40.0) + (0.1 + 0.02) * years) / (0.2 * math.sqrt(years))
    d2 = d1 - 0.2 * math.sqrt(years)
    sign = 1.0 if is_call else -1.0
    asset, cash = spot * stats.norm.cdf(sign * d1), 40.0 * math.exp(-0.1 * years)
    return float(sign * (asset - cash * stats.norm.cdf(sign * d2)))


@pytest.mark.parametrize("plan", [Plan(horizon=2), Plan(horizon=2, draws="sobol")])
def test_steps_compound(plan: Plan) -> None:
    """Of two steps of 10 % the quantile is that of a product, by an integral."""
    deviation, c = 0.1, 0.99

    def below(growth: float) -> float:
        def density(x: float) -> float:
            inner = (growth / (1 + deviation * x) - 1) / deviation
            return float(stats.norm.pdf(x) * stats.norm.cdf(inner))

        return float(integrate.quad(density, -8, 8)[0]) - (1 - c)

    wanted = 1_000.0 * (1.0 - optimize.brentq(below, 0.5, 0.95))
    model = Model(np.zeros(1), np.array([[deviation**2]]), INF)
    run = simulate(
        book_of([10.0], [100.0]), model, confidence=c, simulations=32_000, seed=6, plan=plan
    )
    assert abs(run.var - wanted) < 4 * run.var_std_error
    assert run.var_std_error < 0.02 * wanted
    assert "2 steps compounded" in run.method


@pytest.mark.parametrize("degrees", [INF, 2.2])
@pytest.mark.parametrize("deviation", [0.02, 0.5])
@pytest.mark.parametrize("horizon", [1, 3])
def test_a_price_does_not_fall_below_zero(degrees: float, deviation: float, horizon: int) -> None:
    model = Model(np.zeros(2), np.diag([deviation**2, 1e-6]), degrees)
    book = book_of([10.0, 10.0], [100.0, 0.0])
    run = simulate(
        book,
        model,
        confidence=0.99,
        simulations=40_000,
        seed=7,
        plan=Plan(horizon=horizon, keep_losses=True),
    )
    assert run.losses is not None
    assert np.isfinite(run.losses).all()
    assert run.losses.max() <= 1_000.0
    assert run.component_es.sum() == pytest.approx(run.es, rel=1e-9)
    if deviation == 0.5:
        assert run.losses.max() == 1_000.0


def test_what_does_not_move_loses_its_drift_alone() -> None:
    model = Model(np.array([0.001, -0.002]), np.zeros((2, 2)), INF)
    for plan in (Plan(), Plan(draws="sobol")):
        run = simulate(
            book_of([10.0, 20.0], [100.0, 50.0]),
            model,
            confidence=0.9,
            simulations=320,
            seed=1,
            plan=plan,
        )
        assert run.var == pytest.approx(1.0, rel=1e-12)
        assert run.es == pytest.approx(1.0, rel=1e-12)
        assert run.var_std_error == pytest.approx(0.0, abs=1e-12)
        assert run.component_es == pytest.approx([-1.0, 2.0], rel=1e-12)


def test_a_singular_covariance_is_drawn_from() -> None:
    rng = np.random.default_rng(8)
    loads = rng.normal(size=(10, 3)) * 0.01
    model = Model(np.zeros(10), loads @ loads.T, INF)
    book = book_of(list(rng.uniform(10, 90, 10)), list(rng.normal(size=10) * 100))
    var = closed_form(book, model, 0.99)[0]
    for plan in (Plan(), Plan(draws="sobol")):
        run = simulate(book, model, confidence=0.99, simulations=16_000, seed=9, plan=plan)
        assert abs(run.var - var) < 4 * run.var_std_error


def test_another_seed_is_another_sample_and_the_same_seed_the_same() -> None:
    book, model = some_book(3)
    one, same, other = (
        simulate(book, model, confidence=0.9, simulations=100, seed=seed) for seed in (1, 1, 2)
    )
    assert one[:4] == same[:4]
    assert one.var != other.var


def test_sobol_points_say_how_sure_they_are_and_are_surer() -> None:
    book, model = some_book(50)
    var, es, _ = closed_form(book, model, 0.99)
    plan = Plan(draws="sobol")
    runs = [
        simulate(book, model, confidence=0.99, simulations=8_192, seed=seed, plan=plan)
        for seed in range(60)
    ]
    off = np.array([run.var / var - 1.0 for run in runs])
    assert math.sqrt(np.square(off).mean()) < 0.004
    z = np.array([(run.var - var) / run.var_std_error for run in runs])
    assert (np.abs(z) < 4).all()
    assert (np.abs(z) < 2).mean() > 0.85
    # The spread of 16 is itself known to a fifth only: Student's t with 15 degrees, and skewed.
    z = np.array([(run.es - es) / run.es_std_error for run in runs])
    assert (np.abs(z) < 6).all()
    assert (np.abs(z) < 2).mean() > 0.85
    assert runs[0].scrambles == 16
    assert runs[0].method == "monte-carlo (Sobol points, 16 scrambles, normal)"


def replaced(**changes: Any) -> Callable[[Book, Model], tuple[Book, Model]]:
    def change(book: Book, model: Model) -> tuple[Book, Model]:
        for name, (place, value) in changes.items():
            array = getattr(model if name in Model._fields else book, name)
            array[place] = value
        return book, model

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced(prices=(1, NAN)), "price of S1 is nan"),
        (replaced(prices=(0, INF)), "price of S0 is inf"),
        (replaced(prices=(0, 0.0)), "price of S0 is 0.0; expected it above 0"),
        (replaced(prices=(0, -1.0)), "price of S0 is -1.0"),
        (replaced(shares=(2, NAN)), "share of S2 is nan"),
        (replaced(mean=(1, INF)), "mean return of S1 is inf"),
        (replaced(covariance=((1, 2), NAN)), "covariance of S1 and S2 is nan"),
        (replaced(covariance=((0, 1), 0.5)), "not symmetric"),
        (replaced(covariance=((1, 1), -1.0)), "variance 1 of the covariance is -1"),
        (lambda b, m: (b, m._replace(degrees=2.0)), "2.0 degrees of freedom"),
        (lambda b, m: (b, m._replace(degrees=NAN)), "nan degrees of freedom"),
        (lambda b, m: (b, m._replace(mean=m.mean[:2])), r"mean of the model has shape \(2,\)"),
        (lambda b, m: (b, m._replace(covariance=m.covariance[:2])), r"shape \(2, 3\)"),
        (lambda b, m: (b._replace(symbols=("A",)), m), r"prices of the book has shape \(3,\)"),
        (
            lambda _, m: (Book((), np.zeros(0), np.zeros(0), no_options(), 0.0), m),
            "holds no symbols",
        ),
    ],
)
def test_books_and_models_that_cannot_be(change: Any, message: str) -> None:
    book, model = change(*some_book(3))
    with pytest.raises(DataError, match=message):
        simulate(book, model, confidence=0.9, simulations=100, seed=1)


def test_a_covariance_that_no_returns_can_have() -> None:
    covariance = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]) * 1e-4
    book, model = some_book(3)
    for plan in (Plan(), Plan(draws="sobol")):
        with pytest.raises(DataError, match=r"smallest eigenvalue of its correlations is -0\.8"):
            simulate(
                book,
                model._replace(covariance=covariance),
                confidence=0.9,
                simulations=160,
                seed=1,
                plan=plan,
            )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("strike", 0.0, "strike of option 0 is 0.0; expected it above 0"),
        ("strike", NAN, "strike of option 0 is nan"),
        ("volatility", 0.0, "volatility of option 0 is 0.0"),
        ("volatility", -0.2, "volatility of option 0 is -0.2"),
        ("years", -0.1, "option 0 expired 0.1 years before"),
        ("units", INF, "units of option 0 is inf"),
        ("rate", NAN, "rate of option 0 is nan"),
        ("underlying", 1, "on symbol number 1; the book has 1"),
        ("underlying", -1, "on symbol number -1"),
    ],
)
def test_options_that_cannot_be(field: str, value: float, message: str) -> None:
    option = one_option(is_call=True)
    getattr(option, field)[0] = value
    model = Model(np.zeros(1), np.array([[1e-4]]), INF)
    with pytest.raises(DataError, match=message):
        simulate(book_of([42.0], [0.0], option), model, confidence=0.9, simulations=99, seed=1)


@pytest.mark.parametrize(
    ("request_", "plan", "message"),
    [
        ({"confidence": 1.0}, {}, "confidence is 1.0; expected it between 0 and 1"),
        ({"confidence": 0.0}, {}, "confidence is 0.0"),
        ({"confidence": NAN}, {}, "confidence is nan"),
        ({"confidence": 99.0}, {}, "confidence is 99.0"),
        ({"simulations": 9}, {}, "needs at least 10 for one scenario"),
        ({"simulations": 0}, {}, "needs at least 10"),
        ({"simulations": -5}, {}, "needs at least 10"),
        ({"simulations": 100.5}, {}, "simulations is 100.5; expected a whole number"),
        ({"simulations": 2 * 10**9}, {}, "expected at most 1,000,000,000"),
        ({"seed": -1}, {}, "seed is -1"),
        ({"seed": 2**64}, {}, "seed is 18446744073709551616"),
        ({"seed": "7"}, {}, "seed is '7'; expected a whole number"),
        ({}, {"draws": "halton"}, "draws is 'halton'; expected one of pseudo, sobol"),
        ({}, {"device": "tpu"}, "device is 'tpu'; expected one of auto, cpu, cuda"),
        ({}, {"horizon": 0}, "horizon is 0; expected 1 or more"),
        ({}, {"horizon": 1.5}, "horizon is 1.5; expected a whole number"),
        ({}, {"threads": 0}, "threads is 0"),
        ({}, {"draws": "sobol", "scrambles": 8}, "scrambles is 8; expected 16 or more"),
        ({"simulations": 170}, {"draws": "sobol"}, "expected a multiple of 16 and at least 160"),
        ({"simulations": 144}, {"draws": "sobol"}, "at least 160"),
        ({}, {"draws": "sobol", "horizon": 2_000}, "dimensions.*for 3667 at most"),
    ],
)
def test_requests_that_cannot_be(request_: Any, plan: Any, message: str) -> None:
    book, model = some_book(3)
    asked = {"confidence": 0.9, "simulations": 160, "seed": 1} | request_
    with pytest.raises(ConfigError, match=message):
        simulate(book, model, **asked, plan=Plan(**plan))


def test_the_least_that_is_taken_has_one_scenario_in_the_tail() -> None:
    book, model = some_book(3)
    run: Simulation = simulate(book, model, confidence=0.99, simulations=100, seed=1)
    assert run.es >= run.var
    run = simulate(book, model, confidence=0.001, simulations=2, seed=2**64 - 1)
    assert run.var < run.es
