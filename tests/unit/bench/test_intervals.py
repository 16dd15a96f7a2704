import math

import numpy as np
import pytest
from scipy import stats

from neural_trader.bench.intervals import median_interval, ratio_interval
from neural_trader.core import BenchError


def test_the_interval_of_a_median_is_scipy_s() -> None:
    samples = np.random.default_rng(3).normal(100.0, 5.0, 401)
    low, high = median_interval(samples.tolist())
    peer = stats.bootstrap(
        (samples,), np.median, n_resamples=9_999, method="percentile", rng=1
    ).confidence_interval
    assert low == pytest.approx(peer.low, abs=0.15)
    assert high == pytest.approx(peer.high, abs=0.15)


def test_the_same_samples_and_seed_give_the_same_interval() -> None:
    samples = [1.0, 1.1, 1.3, 0.9, 1.05]
    assert median_interval(samples, 4) == median_interval(samples, 4)
    assert ratio_interval(samples, samples, 4) == ratio_interval(samples, samples, 4)


def test_a_ratio_is_the_first_over_the_second() -> None:
    low, high = ratio_interval([20.0, 20.1, 19.9], [10.0, 10.1, 9.9])
    assert 1.9 < low < 2.0 < high < 2.1


def test_intervals_of_the_same_distribution_hold_one_most_of_the_time() -> None:
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(100):
        a, b = generator.normal(50.0, 3.0, (2, 9)).tolist()
        low, high = ratio_interval(a, b)
        held += low <= 1.0 <= high
    assert 88 <= held <= 100


def test_constant_samples_have_an_interval_of_no_width() -> None:
    assert median_interval([2.0] * 5) == (2.0, 2.0)


def test_one_sample_has_no_interval() -> None:
    assert all(math.isnan(end) for end in median_interval([1.0]))
    assert all(math.isnan(end) for end in ratio_interval([1.0], [1.0, 2.0]))


@pytest.mark.parametrize("samples", [[], [1.0, math.nan], [math.inf, 1.0]])
def test_samples_that_are_no_numbers_are_refused(samples: list[float]) -> None:
    with pytest.raises(BenchError, match="finite"):
        median_interval(samples)


@pytest.mark.parametrize("samples", [[0.0, 1.0], [-1.0, 1.0]])
def test_a_ratio_needs_samples_above_zero(samples: list[float]) -> None:
    with pytest.raises(BenchError, match="above zero"):
        ratio_interval([1.0, 1.0], samples)
