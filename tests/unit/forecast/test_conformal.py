"""Intervals: their rank is the published one, and they hold what they promise on new data."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core import ConfigError, DataError
from neural_trader.forecast.artefact import Offsets
from neural_trader.forecast.conformal import intervals, split_conformal
from neural_trader.forecast.normalization import trailing_volatility


def test_the_ends_are_order_statistics() -> None:
    # n = 19, level 0.9: ceil(20 x 0.95) = 19, so the least and the greatest of the scores.
    residuals = np.random.default_rng(1).permutation(np.arange(-9.0, 10.0))[:, None]
    offsets = split_conformal(residuals, np.full(19, 2.0), 0.9)
    assert offsets.level == 0.9
    assert (offsets.lower.tolist(), offsets.upper.tolist()) == ([-4.5], [4.5])
    # n = 39: ceil(40 x 0.95) = 38, the second from each side.
    residuals = np.arange(39.0)[:, None]
    offsets = split_conformal(residuals, np.ones(39), 0.9)
    assert (offsets.lower.tolist(), offsets.upper.tolist()) == ([1.0], [37.0])


def test_each_step_is_calibrated_on_its_own() -> None:
    residuals = np.column_stack([np.arange(-50.0, 51.0), 10.0 * np.arange(-50.0, 51.0)])
    offsets = split_conformal(residuals, np.ones(101), 0.8)
    assert offsets.upper[1] == 10.0 * offsets.upper[0]
    assert offsets.lower[1] == 10.0 * offsets.lower[0]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("law", ["normal", "student", "skewed"])
def test_it_covers_what_it_promises(level: float, law: str) -> None:
    """Over many calibrations the mean coverage is at least the level, and at most 2 / (n + 1) more.

    2,000 calibrations of 99 with one outcome each: a standard error of 1.1 points at most.
    """
    rng = np.random.default_rng(7)
    draw: dict[str, Any] = {
        "normal": rng.standard_normal,
        "student": lambda shape: rng.standard_t(3, shape),
        "skewed": lambda shape: rng.exponential(1.0, shape) - 1.0,
    }
    scales = np.exp(0.5 * rng.standard_normal((2_000, 100)))
    errors = draw[law]((2_000, 100)) * scales
    held = 0
    for row, scale in zip(errors, scales, strict=True):
        offsets = split_conformal(row[:-1, None], scale[:-1], level)
        lower, upper = intervals(np.zeros(1), scale[-1], offsets)
        held += bool(lower[0] <= row[-1] <= upper[0])
    error = 4.0 * math.sqrt(level * (1.0 - level) / 2_000)
    assert level - error <= held / 2_000 <= level + 0.02 + error


def test_it_covers_prices_whose_volatility_moves() -> None:
    """Returns whose volatility doubles and halves: intervals follow it, in calm and in storm."""
    rng = np.random.default_rng(11)
    volatility = 0.01 * np.exp(np.cumsum(0.02 * rng.standard_normal(20_000)) * 0.3)
    path = np.cumsum(volatility * rng.standard_normal(20_000))
    windows = np.lib.stride_tricks.sliding_window_view(path, 65)
    scales = trailing_volatility(windows[:, :64].copy())
    errors = windows[:, 64:] - windows[:, 63:64]
    offsets = split_conformal(errors[:10_000], scales[:10_000], 0.9)
    lower, upper = intervals(np.zeros((9_936, 1)), scales[10_000:], offsets)
    inside = (lower <= errors[10_000:]) & (errors[10_000:] <= upper)
    assert 0.88 <= inside.mean() <= 0.92
    stormy = scales[10_000:] >= np.quantile(scales[10_000:], 0.95)
    # A volatility that is measured high is on average somewhat lower: 0.95 and not 0.90.
    assert 0.87 <= inside[stormy].mean() <= 0.97
    fixed = split_conformal(errors[:10_000], np.ones(10_000), 0.9)
    assert (np.abs(errors[10_000:][stormy]) <= fixed.upper).mean() < 0.85


@given(
    st.integers(19, 60),
    st.floats(0.05, 0.9),
    st.floats(0.001, 1_000.0),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=100)
def test_a_change_of_unit_changes_nothing_but_the_unit(
    count: int, level: float, unit: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    residuals, scales = rng.standard_normal((count, 3)), rng.uniform(0.5, 2.0, count)
    offsets = split_conformal(residuals, scales, level)
    scaled = split_conformal(residuals * unit, scales * unit, level)
    np.testing.assert_allclose(scaled.lower, offsets.lower, rtol=1e-12)
    np.testing.assert_allclose(scaled.upper, offsets.upper, rtol=1e-12)
    assert (offsets.lower <= offsets.upper).all()
    wider = split_conformal(residuals, scales, level / 2.0)
    assert (wider.lower >= offsets.lower).all()
    assert (wider.upper <= offsets.upper).all()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5, math.nan, "90"])
def test_a_level_is_a_share(level: Any) -> None:
    with pytest.raises(ConfigError, match="level"):
        split_conformal(np.zeros((50, 1)), np.ones(50), level)


def test_too_few_residuals_say_how_many_it_takes() -> None:
    with pytest.raises(DataError, match="it takes 19 or more"):
        split_conformal(np.zeros((18, 2)), np.ones(18), 0.9)
    with pytest.raises(DataError, match="it takes 39 or more"):
        split_conformal(np.zeros((0, 2)), np.ones(0), 0.95)
    split_conformal(np.zeros((19, 2)), np.ones(19), 0.9)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gap_in_the_calibration_is_refused(bad: float) -> None:
    residuals, scales = np.zeros((50, 2)), np.ones(50)
    residuals[7, 1] = bad
    with pytest.raises(DataError, match="row 7"):
        split_conformal(residuals, scales, 0.9)
    scales[3] = bad
    with pytest.raises(DataError, match="row 3"):
        split_conformal(np.zeros((50, 2)), scales, 0.9)


def test_a_series_that_does_not_move_cannot_be_calibrated() -> None:
    scales = np.ones(50)
    scales[9] = 0.0
    with pytest.raises(DataError, match="row 9"):
        split_conformal(np.zeros((50, 1)), scales, 0.9)


def test_shapes_must_fit() -> None:
    with pytest.raises(DataError, match="shape"):
        split_conformal(np.zeros(50), np.ones(50), 0.9)
    with pytest.raises(DataError, match="shape"):
        split_conformal(np.zeros((50, 1)), np.ones(49), 0.9)
    with pytest.raises(ConfigError, match="steps"):
        intervals(np.zeros((4, 3)), np.ones(4), Offsets(0.9, np.zeros(2), np.zeros(2)))
