"""What holds for the weights of any covariance; scipy's solvers are the oracle."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import assume, given, settings
from scipy.cluster import hierarchy
from scipy.optimize import minimize
from scipy.spatial.distance import squareform

from neural_trader.core.errors import NoPortfolio
from neural_trader.portfolio.metrics import Floats
from neural_trader.portfolio.optimizers import (
    Constraints,
    Moments,
    compute_hrp,
    estimate_moments,
    optimize,
)
from neural_trader.portfolio.optimizers.hierarchy import order_of

SEEDS = st.integers(0, 2**32 - 1)


def moments(seed: int, count: int) -> Moments:
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.3, 3.0, count) * 0.01
    table = (rng.normal(0.03, 1.0, (count * 4 + 8, count)) + rng.normal(0, 1, (1, 1))) * size
    table += rng.normal(size=(len(table), 1)) * 0.01
    names = tuple(f"s{at:02}" for at in range(count))
    return estimate_moments(table, series=names)


def bounds_of(seed: int, count: int) -> Constraints:
    """Return bounds that some weights keep: long, capped, short, or one of its own for each."""
    rng = np.random.default_rng(seed + 1)
    kind = rng.integers(4)
    if kind == 0:
        return Constraints()
    if kind == 1:
        return Constraints(max_weight=float(rng.uniform(1.05, 2.0)) / count)
    if kind == 2:
        return Constraints(-float(rng.uniform(0.05, 0.5)), float(rng.uniform(1.1, 3.0)) / count)
    low = rng.uniform(-0.2, 0.9 / count, count)
    high = low + rng.uniform(0.0, 0.5, count) + np.maximum(1.1 / count - low, 0.0)
    names = [f"s{at:02}" for at in range(count)]
    return Constraints(
        dict(zip(names, low.tolist(), strict=True)), dict(zip(names, high.tolist(), strict=True))
    )


def limits(given: Constraints, names: tuple[str, ...]) -> list[tuple[float, float]]:
    low, high = given.min_weight, given.max_weight
    return [
        (
            low[name] if isinstance(low, dict) else low,  # type: ignore[misc]
            min(high[name] if isinstance(high, dict) else high, 50.0),  # type: ignore[type-var]
        )
        for name in names
    ]


def best_by_scipy(given: Moments, box: list[tuple[float, float]], linear: Floats) -> float:
    """Return the least of w'Sw / 2 - linear'w that SLSQP finds."""
    scale = float(given.covariance.diagonal().mean())
    matrix, slope = given.covariance / scale, linear / scale
    low = np.array([one for one, _ in box])
    room = np.array([other for _, other in box]) - low
    start = low + room * (1.0 - low.sum()) / room.sum()
    found = minimize(
        lambda w: float(w @ matrix @ w / 2 - slope @ w),
        start,
        jac=lambda w: matrix @ w - slope,
        bounds=box,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 2000},
    )
    return float(found.fun) * scale


def least(given: Moments, weights: Floats, linear: Floats) -> float:
    return float(weights @ given.covariance @ weights / 2 - linear @ weights)


@given(SEEDS, st.integers(2, 12))
@settings(max_examples=120)
def test_no_solver_finds_less(seed: int, count: int) -> None:
    given_, bounds = moments(seed, count), bounds_of(seed, count)
    box = limits(bounds, given_.series)
    scale = float(given_.covariance.diagonal().mean())
    for method, linear in (
        ("min-variance", np.zeros(count)),
        ("mean-variance", given_.expected / 2.5),
    ):
        found = optimize(given_, method, constraints=bounds)
        theirs = best_by_scipy(given_, box, linear)
        size = scale + float(np.abs(linear).max())
        assert least(given_, found.weights, linear) <= theirs + 1e-9 * size
        assert abs(found.weights.sum() - 1.0) < 1e-12
        assert all(
            low - 1e-12 <= weight <= high + 1e-12
            for weight, (low, high) in zip(found.weights, box, strict=True)
        )


@given(SEEDS, st.integers(2, 12), st.floats(-0.05, 0.05))
@settings(max_examples=120)
def test_no_small_trade_raises_the_ratio(seed: int, count: int, rate: float) -> None:
    given_ = moments(seed, count)._replace(risk_free=rate)
    bounds = bounds_of(seed, count)
    box = limits(bounds, given_.series)
    assume(max(given_.expected) > rate)
    try:
        found = optimize(given_, "max-sharpe", constraints=bounds)
    except NoPortfolio:
        return
    excess = given_.expected - rate

    def ratio(weights: Floats) -> float:
        return float(excess @ weights / np.sqrt(weights @ given_.covariance @ weights))

    best = ratio(found.weights)
    assert best > 0.0
    for one in range(count):
        for other in range(count):
            step = 1e-4
            moved = found.weights.copy()
            moved[one] += step
            moved[other] -= step
            if moved[one] <= box[one][1] and moved[other] >= box[other][0]:
                assert ratio(moved) <= best * (1.0 + 1e-10)


@given(SEEDS, st.integers(1, 15))
@settings(max_examples=150)
def test_parts_of_the_risk_are_their_budgets(seed: int, count: int) -> None:
    given_ = moments(seed, count)
    wanted = np.random.default_rng(seed).uniform(0.05, 1.0, count)
    wanted /= wanted.sum()
    budgets = dict(zip(given_.series, wanted.tolist(), strict=True))
    found = optimize(given_, "risk-parity", budgets=budgets)
    np.testing.assert_allclose(found.contributions, wanted, atol=1e-11)
    assert (found.weights > 0.0).all()
    equal = optimize(given_, "risk-parity")
    np.testing.assert_allclose(equal.contributions, 1.0 / count, atol=1e-11)


@given(SEEDS, st.integers(1, 15))
@settings(max_examples=100)
def test_more_leverage_in_a_series_is_less_weight(seed: int, count: int) -> None:
    """A series that moves k times as much gets 1 / k of the weight, before they are scaled."""
    given_ = moments(seed, count)
    factors = np.random.default_rng(seed).uniform(0.2, 5.0, count)
    scaled = given_._replace(covariance=given_.covariance * np.outer(factors, factors))
    one = optimize(given_, "risk-parity").weights / factors
    np.testing.assert_allclose(optimize(scaled, "risk-parity").weights, one / one.sum(), rtol=1e-9)


@given(SEEDS, st.integers(2, 20))
@settings(max_examples=150)
def test_the_order_of_leaves_is_that_of_scipy(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 3))
    far = np.sqrt(np.square(points[:, None] - points).sum(axis=2))
    tree = hierarchy.linkage(squareform(far, checks=False), "single")
    assert order_of(far) == hierarchy.leaves_list(tree).tolist()


@given(SEEDS, st.integers(2, 20))
@settings(max_examples=100)
def test_hierarchy_within_bounds(seed: int, count: int) -> None:
    given_ = moments(seed, count)
    rng = np.random.default_rng(seed)
    low = rng.uniform(0.0, 0.9 / count, count)
    high = low + rng.uniform(1.1 / count, 2.0 / count, count)
    weights = compute_hrp(given_.covariance, low=low, high=high)
    assert abs(weights.sum() - 1.0) < 1e-12
    assert (weights >= low - 1e-12).all()
    assert (weights <= high + 1e-12).all()
    plain = compute_hrp(given_.covariance)
    loose = compute_hrp(given_.covariance, low=np.zeros(count), high=np.ones(count))
    np.testing.assert_array_equal(plain, loose)
    # Correlations decide the order and variances the split: all series times k change nothing.
    np.testing.assert_allclose(compute_hrp(given_.covariance * 7.0), plain, rtol=1e-9)
