"""Sobol points, their scrambles and their axes."""

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from scipy import special, stats
from scipy.stats import qmc

from neural_trader._kernels import sobol as kernel
from neural_trader.risk.scenarios import quasi
from neural_trader.risk.scenarios.chi_square import quantile, stretches_of
from tests.unit.risk.books import some_book

# The first five points by QuantLib 1.44, ql.SobolRsg(5, 0, ql.SobolRsg.JoeKuoD6).
QUANTLIB = [
    [0.5, 0.5, 0.5, 0.5, 0.5],
    [0.75, 0.25, 0.25, 0.25, 0.75],
    [0.25, 0.75, 0.75, 0.75, 0.25],
    [0.375, 0.375, 0.625, 0.875, 0.375],
    [0.875, 0.875, 0.125, 0.375, 0.875],
]


def numbers() -> np.ndarray[tuple[int, int], np.dtype[np.uint16]]:
    found: np.ndarray[tuple[int, int], np.dtype[np.uint16]]
    found = np.load(Path(quasi.__file__).with_name("sobol_numbers.npy"))
    return found


def plain(dimensions: int, points: int) -> quasi.Floats:
    """Return unscrambled points, by way of their normals."""
    bits = (points - 1).bit_length()
    directions = np.empty((bits, dimensions), np.uint32)
    kernel.expand(np.ascontiguousarray(numbers()[:dimensions]), directions)
    shifts = np.full((1, dimensions), -(2**31), np.int32)
    normals = np.empty((points, dimensions))
    state = np.empty(dimensions, np.int32)
    signed = directions.view(np.int32)[None]
    kernel.fill(signed, shifts, points, np.arange(points), state, normals)
    return np.asarray(special.ndtr(normals))


def test_the_numbers_are_those_that_scipy_ships() -> None:
    path = Path(scipy.stats.__file__).with_name("_sobol_direction_numbers.npz")
    with np.load(path) as theirs:
        assert (numbers()[:, 0] == theirs["poly"][: quasi.DIMENSIONS_MAX]).all()
        assert (numbers()[:, 1:] == theirs["vinit"][: quasi.DIMENSIONS_MAX, :15]).all()
    assert len(numbers()) == quasi.DIMENSIONS_MAX


def test_points_are_those_of_scipy_and_quantlib() -> None:
    found = plain(300, 2_048) - 2.0**-33
    wanted = qmc.Sobol(300, scramble=False, bits=30).random(2_048)
    assert np.abs(found - wanted).max() < 1e-8
    assert found[1:6, :5] == pytest.approx(np.array(QUANTLIB), abs=1e-8)


def draw(points: int, n: int, *, steps: int = 1, degrees: float = math.inf) -> quasi.Floats:
    source = quasi.sobol_of(5, points=points, scrambles=16, shape=(steps, n), degrees=degrees)
    normals, stretches = np.empty((16 * points, steps, n)), np.empty((16 * points, steps))
    source.draw(np.arange(16 * points), normals, stretches)
    return normals if math.isinf(degrees) else stretches


def test_a_scramble_keeps_every_point_in_a_cell_of_its_own() -> None:
    """Of 256 points one lies in each 256th of every dimension, and of the first two in each box."""
    cells = (special.ndtr(draw(256, 40)[:, 0]).reshape(16, 256, 40) * 256).astype(int)
    for scramble in cells:
        assert (np.sort(scramble, axis=0) == np.arange(256)[:, None]).all()
        for share in (2, 4, 16, 64):
            boxes = scramble[:, 0] // share * share + scramble[:, 1] // (256 // share)
            assert len(set(boxes.tolist())) == 256


def test_scrambles_are_independent_and_every_point_is_uniform() -> None:
    one = draw(64, 6)[:, 0].reshape(16, 64, 6)
    assert len({row.tobytes() for row in one}) == 16
    firsts = [
        quasi.sobol_of(seed, points=64, scrambles=16, shape=(1, 4), degrees=math.inf)
        for seed in range(200)
    ]
    normals, stretches = np.empty((16, 1, 4)), np.empty((16, 1))
    found = []
    for source in firsts:
        source.draw(np.arange(16) * 64 + 37, normals, stretches)
        found.append(special.ndtr(normals[:, 0]))
    values = np.concatenate(found)
    for column in range(4):
        assert stats.kstest(values[:, column], "uniform").pvalue > 1e-4
    between = np.corrcoef(values.T)[np.triu_indices(4, 1)] * math.sqrt(len(values))
    assert stats.chi2.sf(np.square(between).sum(), 6) > 1e-4


def test_any_point_can_be_drawn_by_itself() -> None:
    source = quasi.sobol_of(7, points=100, scrambles=16, shape=(3, 4), degrees=5.0)
    ids = np.arange(1_600)
    normals, stretches = np.empty((1_600, 3, 4)), np.empty((1_600, 3))
    source.draw(ids, normals, stretches)
    some = np.random.default_rng(1).permutation(ids)[:200]
    alone, stretched = np.empty((200, 3, 4)), np.empty((200, 3))
    source.draw(some, alone, stretched)
    assert (alone == normals[some]).all()
    assert (stretched == stretches[some]).all()


def test_steps_are_independent_normals_of_unit_variance() -> None:
    flat = draw(1_024, 3, steps=4).reshape(-1, 12)
    assert np.abs(np.corrcoef(flat.T) - np.eye(12)).max() < 0.02
    assert flat.std(axis=0) == pytest.approx(np.ones(12), rel=0.01)
    for column in range(12):
        assert stats.kstest(flat[:, column], "norm").statistic < 0.01


@pytest.mark.parametrize("degrees", [2.1, 3.0, 5.0, 40.0, 1_000.0])
def test_chi_squares_by_inversion(degrees: float) -> None:
    z = np.linspace(-6.5, 6.5, 53)
    wanted = np.where(
        z < 0,
        stats.chi2.ppf(stats.norm.cdf(z), degrees),
        stats.chi2.isf(stats.norm.sf(z), degrees),
    )
    assert [quantile(float(x), degrees) for x in z] == pytest.approx(wanted, rel=1e-11)
    between = stretches_of(degrees).at(z + 0.021)
    beside = [math.sqrt((degrees - 2) / quantile(float(x) + 0.021, degrees)) for x in z]
    assert between == pytest.approx(beside, rel=1e-7)
    chi_square = (degrees - 2) / np.square(draw(1_024, 2, degrees=degrees))
    assert stats.kstest(chi_square[:, 0], stats.chi2(degrees).cdf).statistic < 0.005


def test_very_many_degrees_are_quick_and_nearly_normal() -> None:
    z = np.linspace(-6, 6, 25)
    wanted = np.where(
        z < 0, stats.chi2.ppf(stats.norm.cdf(z), 3e4), stats.chi2.isf(stats.norm.sf(z), 3e4)
    )
    assert [quantile(float(x), 3e4) for x in z] == pytest.approx(wanted, rel=2e-6)


def test_the_first_axis_is_the_book_and_all_make_the_covariance() -> None:
    book, model = some_book(20)
    w = book.prices * book.shares
    factor = quasi.axes_of(model.covariance, w)
    assert factor.matrix @ factor.matrix.T == pytest.approx(model.covariance, abs=1e-16)
    loads = w @ factor.matrix
    assert loads[0] == pytest.approx(math.sqrt(w @ model.covariance @ w))
    assert np.abs(loads[1:]).max() < 1e-9 * loads[0]
    sizes = np.square(factor.matrix[:, 1:]).sum(axis=0)
    assert (np.diff(sizes) <= 1e-18).all()
    nothing = quasi.axes_of(model.covariance, np.zeros(20))
    assert nothing.matrix @ nothing.matrix.T == pytest.approx(model.covariance, abs=1e-16)
