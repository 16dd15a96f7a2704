import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from neural_trader.core import DataError
from neural_trader.forecast.significance import (
    Resampled,
    block_length,
    diebold_mariano,
    holm,
    incomplete_beta,
    student_t_cdf,
)


@pytest.mark.parametrize("degrees", [1.0, 2.0, 5.0, 29.0, 250.0, 3_000.0, 1e6])
def test_student_t_is_that_of_scipy(degrees: float) -> None:
    for value in (-40.0, -3.0, -1.96, -0.5, -1e-9, 0.0, 0.3, 1.0, 2.5, 12.0):
        wanted = float(scipy.stats.t.cdf(value, degrees))
        assert student_t_cdf(value, degrees) == pytest.approx(wanted, rel=1e-9, abs=1e-15)


def test_the_incomplete_beta_function_is_that_of_scipy() -> None:
    for a in (0.5, 1.0, 3.5, 40.0, 900.0):
        for b in (0.5, 1.0, 7.0, 300.0):
            for x in (0.0, 1e-12, 0.01, 0.3, 0.5, 0.9, 0.999999, 1.0):
                wanted = float(scipy.special.betainc(a, b, x))
                assert incomplete_beta(x, a, b) == pytest.approx(wanted, rel=1e-9, abs=1e-14)


def losses(seed: int, count: int, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    common = np.convolve(rng.normal(size=count + 4), np.ones(5), mode="valid") ** 2
    return common + rng.normal(size=count) - gain, common + rng.normal(size=count)


@pytest.mark.parametrize(("horizon", "lags"), [(1, 0), (1, 4), (5, 4), (5, 12), (10, 27)])
def test_diebold_mariano_is_statsmodels_with_the_correction(horizon: int, lags: int) -> None:
    one, two = losses(3, 240, 0.2)
    found = diebold_mariano(one, two, horizon=horizon, lags=lags)
    # The t statistic of a mean with Bartlett's weights, from a regression on a constant.
    fitted = sm.OLS(one - two, np.ones(240)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    factor = math.sqrt((240 + 1 - 2 * horizon + horizon * (horizon - 1) / 240) / 240)
    wanted = float(fitted.tvalues[0]) * factor
    assert found.lags == lags
    assert found.statistic == pytest.approx(wanted, rel=1e-10)
    assert found.p_value == pytest.approx(float(scipy.stats.t.cdf(wanted, 239)), rel=1e-9)


def test_lags_are_never_fewer_than_the_overlap() -> None:
    one, two = losses(4, 300)
    assert diebold_mariano(one, two, horizon=7, lags=1).lags == 6
    assert diebold_mariano(one, two, horizon=7).lags == 18
    assert diebold_mariano(one, two, horizon=1).lags == 5


def test_a_clear_gain_is_found_and_none_where_there_is_none() -> None:
    better, other = losses(5, 600, 1.0)
    assert diebold_mariano(better, other, horizon=5).p_value < 1e-4
    assert diebold_mariano(other, better, horizon=5).p_value > 1 - 1e-4
    same = diebold_mariano(other, other, horizon=5)
    assert (same.statistic, same.p_value) == (0.0, 1.0)


def test_the_test_is_not_too_easy_on_overlapping_errors() -> None:
    rng = np.random.default_rng(6)
    passed = 0
    for _ in range(400):
        noise = rng.normal(size=(2, 400 + 4))
        one, two = (np.convolve(row, np.ones(5), mode="valid") for row in noise)
        passed += diebold_mariano(one, two, horizon=5).p_value < 0.05
    assert passed / 400 < 0.09


@pytest.mark.parametrize("wrong", [np.full(50, np.nan), np.zeros(9)])
def test_losses_that_cannot_be_tested_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"finite|hold out more"):
        diebold_mariano(wrong, np.zeros(len(wrong)), horizon=4)


def test_holm_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(7)
    for count in (1, 2, 7, 30):
        p_values = (rng.random(count) ** 3).tolist()
        wanted = multipletests(p_values, method="holm")[1]
        assert holm(p_values) == pytest.approx(wanted.tolist(), rel=1e-12)
    assert holm([]) == []


def test_resampled_sums_are_those_of_whole_blocks() -> None:
    values = np.arange(12.0)[:, None]
    drawn = Resampled(12, block=12, draws=50, seed=1).sums(values)
    # One block of everything, wherever it begins, has everything once.
    assert np.allclose(drawn, 66.0)
    pairs = Resampled(12, block=2, draws=4_000, seed=1).sums(values)
    # Neighbors are drawn together: a sum of six is made of six pairs.
    assert {round(float(total)) % 2 for total in pairs[:, 0]} <= {0, 1}
    assert float(pairs.mean()) == pytest.approx(66.0, rel=0.02)
    assert np.array_equal(pairs, Resampled(12, block=2, draws=4_000, seed=1).sums(values))
    assert not np.array_equal(pairs, Resampled(12, block=2, draws=4_000, seed=2).sums(values))


def test_blocks_widen_what_neighbors_share() -> None:
    rng = np.random.default_rng(8)
    smooth = np.convolve(rng.normal(size=1_019), np.ones(20), mode="valid")[:, None]
    narrow = Resampled(1_000, block=1, draws=1_000, seed=1).sums(smooth).std()
    wide = Resampled(1_000, block=60, draws=1_000, seed=1).sums(smooth).std()
    assert wide > 2.5 * narrow


def test_a_block_holds_what_overlaps() -> None:
    assert block_length(3_000, 5) == 15
    assert block_length(3_000, 20) == 40
