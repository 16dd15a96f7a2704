"""A window that moves says what ``measure`` says of its returns alone."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.portfolio import ROLLING, compute_rolling
from neural_trader.portfolio.reference import Terms
from neural_trader.portfolio.reference import measure as by_the_law

NAN = math.nan
RETURN = st.one_of(st.floats(-0.2, 0.2), st.sampled_from([0.0, 0.01, -0.01, 0.01, 1.0, -0.9]))


def by_hand(
    x: np.ndarray[Any, Any], b: np.ndarray[Any, Any], window: int
) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in ROLLING}
    for t in range(len(x)):
        figures = dict.fromkeys(ROLLING, NAN)
        if t >= window - 1:
            rows = slice(t - window + 1, t + 1)
            terms = Terms(52, window / 52, 0.02, 0.001)
            figures = by_the_law(x[rows].tolist(), terms, b[rows].tolist())
        for name in ROLLING:
            found[name].append(figures[name])
    return found


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_every_row_is_the_law_of_its_window(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))
    window = data.draw(st.integers(2, 12))
    x = np.array(data.draw(st.lists(RETURN, min_size=n, max_size=n)))
    b = np.array(data.draw(st.lists(RETURN, min_size=n, max_size=n)))
    found = compute_rolling(x, window, benchmark=b, periods=52, risk_free=0.02, mar=0.001)
    assert tuple(found) == ROLLING
    for name, wanted in by_hand(x, b, window).items():
        # Returns that hardly vary leave ratios of rounding; what matters is that both say so.
        np.testing.assert_allclose(found[name], wanted, rtol=1e-6, atol=1e-9, err_msg=name)


def test_long_windows_of_real_size_agree_to_the_digits_that_a_report_prints() -> None:
    x = np.random.default_rng(5).normal(0.0004, 0.012, 2_000)
    b = np.random.default_rng(6).normal(0.0003, 0.01, 2_000)
    found = compute_rolling(x, 252, benchmark=b, periods=52, risk_free=0.02, mar=0.001)
    for name, wanted in by_hand(x, b, 252).items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-11, atol=1e-13, err_msg=name)


def test_equal_returns_deviate_by_exactly_nothing_after_a_wild_past() -> None:
    """Sums that subtract what they added leave noise here, and a Sharpe ratio of 1e8."""
    x = np.concatenate([np.random.default_rng(1).normal(0, 5, 1_000), np.full(100, 0.001)])
    found = compute_rolling(x, 20)
    assert (found["volatility"][1_020:] == 0.0).all()
    assert np.isnan(found["sharpe"][1_020:]).all()


def test_columns_are_series_and_each_is_there_where_it_is() -> None:
    x = np.random.default_rng(2).normal(0, 0.01, (60, 3))
    x[:10, 1] = NAN
    x[50:, 2] = NAN
    found = compute_rolling(x, 7)
    assert all(column.shape == (60, 3) for column in found.values())
    alone = compute_rolling(x[10:, 1], 7)
    for name, column in found.items():
        assert np.isnan(column[:16, 1]).all()
        assert np.isnan(column[50:, 2]).all()
        np.testing.assert_allclose(column[16:, 1], alone[name][6:], rtol=1e-9, atol=1e-12)


def test_the_future_changes_nothing() -> None:
    x = np.random.default_rng(3).normal(0, 0.01, 50)
    other = np.concatenate([x[:30], np.full(20, 0.5)])
    before, after = compute_rolling(x, 9), compute_rolling(other, 9)
    for name in before:
        assert before[name][:30].tobytes() == after[name][:30].tobytes(), name


def test_a_loss_of_everything() -> None:
    x = np.array([0.1, -0.5, -1.0, 0.2, 0.1, -0.1, 0.3, 0.1])
    found = compute_rolling(x, 3, metrics=("max_drawdown", "total_return"))
    wanted = by_hand(x, x, 3)
    np.testing.assert_allclose(found["max_drawdown"], wanted["max_drawdown"], rtol=1e-12)
    np.testing.assert_allclose(
        found["total_return"], wanted["total_return"], rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize("length", [0, 1, 5])
def test_what_is_shorter_than_its_window_has_nothing(length: int) -> None:
    found = compute_rolling(np.zeros(length), 6)
    assert all(len(column) == length and np.isnan(column).all() for column in found.values())


@pytest.mark.parametrize(
    ("given_", "error", "words"),
    [
        ({"window": 1}, ConfigError, "window is 1"),
        ({"metrics": ("sharp",)}, ConfigError, "'sharp' has no rolling form"),
        ({"metrics": ("beta",)}, ConfigError, "beta needs a benchmark"),
        ({"benchmark": np.zeros(3)}, ConfigError, "benchmark has shape"),
        ({"periods": 0.0}, ConfigError, "periods is 0"),
        ({"risk_free": -1.0}, ConfigError, "risk_free is -1"),
        ({"returns": np.array([0.1, NAN, 0.1])}, DataError, "series 0 has nan at row 1"),
        ({"returns": np.array([0.1, math.inf])}, DataError, "has inf at row 1"),
        ({"returns": np.zeros((2, 2, 2))}, ConfigError, "3 dimensions"),
    ],
)
def test_what_does_not_fit_is_refused(given_: Any, error: type, words: str) -> None:
    arguments = {"returns": np.zeros(10), "window": 3} | given_
    with pytest.raises(error, match=words):
        compute_rolling(**arguments)
