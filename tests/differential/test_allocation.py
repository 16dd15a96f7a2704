"""The compiled allocation kernel against itself interpreted: the same bits, on whatever comes."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader._kernels import allocation as kernel
from neural_trader.portfolio.metrics import Floats
from tests.interpreted import load_interpreted, with_memoryviews

INTERPRETED = load_interpreted("allocation")


def call(home: ModuleType, name: str) -> object:
    function = getattr(home, name)
    return function if home is kernel else with_memoryviews(function)


def made(rng: np.random.Generator, count: int) -> Floats:
    moves = rng.normal(size=(3 * count, count)) * 10 ** rng.uniform(-2, 0, count)
    matrix: Floats = moves.T @ moves / len(moves)
    return matrix


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.sampled_from([0.0, -0.4, -np.inf]))
@settings(max_examples=150)
def test_least(seed: int, count: int, low: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = made(rng, count)
    linear = rng.normal(size=count) * rng.choice([0.0, 1.0]) * matrix.diagonal().mean()
    bounds = np.full(count, low), np.full(count, rng.choice([1.3 / count, 1.0, np.inf]))
    answers = []
    for home in (kernel, INTERPRETED):
        weights, places = np.zeros(count), np.zeros(count, np.int64)
        places[0] = kernel.NEW
        rest = np.zeros(count, np.int64), np.zeros(count * count + 3 * count)
        least = call(home, "least")
        steps = least(matrix.reshape(-1), linear, *bounds, weights, places, *rest)  # type: ignore[operator]
        answers.append((steps, weights.tobytes(), places.tobytes()))
    assert answers[0] == answers[1]
    assert answers[0][0] > 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
@settings(max_examples=100)
def test_erc(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, shares = made(rng, count), rng.uniform(0.1, 1.0, count)
    answers = []
    for home in (kernel, INTERPRETED):
        weights = np.full(count, 0.7)
        scratch = np.zeros(count * count + 2 * count)
        steps = call(home, "erc")(matrix.reshape(-1), shares, weights, scratch)  # type: ignore[operator]
        answers.append((steps, weights.tobytes()))
    assert answers[0] == answers[1]
    np.testing.assert_allclose(weights * (matrix @ weights), shares, rtol=1e-9)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"matrix": 8}, "matrix"), ({"high": 2}, "bounds"), ({"scratch": 17}, "scratch")],
)
def test_what_does_not_fit_is_refused(changed: dict[str, int], said: str) -> None:
    sizes = {"matrix": 9, "linear": 3, "low": 3, "high": 3, "weights": 3} | changed
    arrays = {name: np.zeros(size) for name, size in sizes.items() if name != "scratch"}
    with pytest.raises(ValueError, match=said):
        kernel.least(
            **arrays,
            places=np.zeros(3, np.int64),
            free=np.zeros(3, np.int64),
            scratch=np.zeros(sizes.get("scratch", 18)),
        )


def test_an_erc_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="shares"):
        kernel.erc(np.zeros(4), np.zeros(3), np.zeros(2), np.zeros(8))
    with pytest.raises(ValueError, match="scratch"):
        kernel.erc(np.zeros(4), np.zeros(2), np.zeros(2), np.zeros(7))
