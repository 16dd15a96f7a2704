"""The random numbers hold against statistical batteries, across every neighbour they have."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from neural_trader._kernels import scenarios as kernel
from neural_trader.risk.scenarios import reference
from neural_trader.risk.scenarios.drawing import layers

# Seeds are fixed, so a test either passes always or shows a fault: one p in 10^4 is small enough.
SMALL = 1e-4


def words(seed: int, scenarios: int, columns: int, first: int = 0) -> Any:
    out = np.empty((scenarios, columns), np.uint64)
    kernel.words(kernel.stream_of(seed), np.arange(first, first + scenarios), 0, out)
    return out


def normals(seed: int, scenarios: int, columns: int, degrees: float = math.inf) -> Any:
    out, stretches = np.empty((scenarios, 1, columns)), np.empty((scenarios, 1))
    ids = np.arange(scenarios)
    kernel.draw(kernel.stream_of(seed), ids, degrees, layers(), out, stretches)
    return out[:, 0], stretches[:, 0]


def test_every_bit_is_fair() -> None:
    raw = words(1, 20_000, 16).reshape(-1)
    ones = [int(((raw >> np.uint64(bit)) & np.uint64(1)).sum()) for bit in range(64)]
    z = (np.array(ones) - len(raw) / 2) / math.sqrt(len(raw) / 4)
    assert stats.chi2.sf(np.square(z).sum(), 64) > SMALL


@pytest.mark.parametrize("shift", [0, 10, 24, 48, 56])
@pytest.mark.parametrize("by", ["columns", "scenarios", "seeds"])
def test_bytes_and_pairs_of_neighbours_fill_every_cell(shift: int, by: str) -> None:
    if by == "seeds":
        raw = np.concatenate([words(seed, 1, 8) for seed in range(40_000)])
        raw = np.ascontiguousarray(raw.T)
    else:
        raw = words(2, 40_000, 8)
        raw = np.ascontiguousarray(raw.T) if by == "scenarios" else raw
    chosen = ((raw >> np.uint64(shift)) & np.uint64(255)).astype(np.int64)
    one = np.bincount(chosen.reshape(-1), minlength=256)
    assert stats.chisquare(one).pvalue > SMALL
    pairs = (chosen[:, :-1] * 256 + chosen[:, 1:]).reshape(-1)
    assert stats.chisquare(np.bincount(pairs, minlength=65_536)).pvalue > SMALL


@pytest.mark.parametrize("by", ["columns", "scenarios", "seeds"])
def test_birthdays_are_spaced_as_chance_has_it(by: str) -> None:
    """Marsaglia's birthday spacings: 2^10 birthdays in a year of 2^24 days, 500 years."""
    if by == "seeds":
        raw = np.concatenate([words(seed, 1, 1)[0] for seed in range(500 * 1024)])
    else:
        raw = words(3, 1024, 500)
        raw = raw.T.reshape(-1) if by == "scenarios" else raw.reshape(-1)
    years = np.sort((raw.reshape(500, 1024) >> np.uint64(40)).astype(np.int64), axis=1)
    spacings = np.sort(np.diff(years, axis=1), axis=1)
    repeats = (np.diff(spacings, axis=1) == 0).sum(axis=1)
    total, expected = int(repeats.sum()), 500 * 1024**3 / (4 * 2**24)
    assert abs(total - expected) < 4 * math.sqrt(expected)


def test_a_bit_that_changes_in_the_counter_changes_half_of_the_bits() -> None:
    base, moved = words(4, 2_000, 4), words(4, 2_000, 4, first=1)
    flips = np.bitwise_count(base ^ moved).reshape(-1)
    assert flips.mean() == pytest.approx(32.0, abs=4 * 4.0 / math.sqrt(len(flips)))
    assert flips.std() == pytest.approx(4.0, rel=0.05)
    other = np.bitwise_count(words(4, 2_000, 4) ^ words(5, 2_000, 4)).reshape(-1)
    assert other.mean() == pytest.approx(32.0, abs=4 * 4.0 / math.sqrt(len(other)))


def test_normals_are_normal() -> None:
    z = normals(11, 100_000, 10)[0].reshape(-1)
    assert stats.kstest(z, "norm").pvalue > SMALL
    assert stats.kstest(z[::7], "norm").pvalue > SMALL
    # Anderson and Darling's statistic for a known distribution: 6.0 is passed once in 1,000.
    ordered = np.sort(special.ndtr(z))
    i = np.arange(1, len(z) + 1)
    a2 = -len(z) - np.mean((2 * i - 1) * (np.log(ordered) + np.log1p(-ordered[::-1])))
    assert a2 < 6.0
    for power, wanted in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (6, 15.0), (8, 105.0)):
        spread = math.sqrt(special.factorial2(4 * power - 1) if power % 2 == 0 else
                           special.factorial2(2 * power - 1)) / math.sqrt(len(z))  # fmt: skip
        assert abs(np.mean(z**power) - wanted) < 4 * spread


def test_the_tail_of_the_ziggurat_is_that_of_the_normal() -> None:
    """What lies beyond the layers, and in their wedges, has a path of its own."""
    z = np.abs(normals(12, 400_000, 50)[0].reshape(-1))
    for limit in (2.0, 3.0, reference.TAIL, 4.0, 4.5):
        expected = 2 * stats.norm.sf(limit) * len(z)
        assert abs((z > limit).sum() - expected) < 4 * math.sqrt(expected)
    beyond = z[z > reference.TAIL]
    floor = 2 * stats.norm.sf(reference.TAIL)
    uniform = 1.0 - 2 * stats.norm.sf(beyond) / floor
    assert stats.kstest(uniform, "uniform").pvalue > SMALL


def test_neighbours_do_not_know_of_each_other() -> None:
    z = normals(13, 50_000, 12)[0]
    between = np.corrcoef(z.T)[np.triu_indices(12, 1)] * math.sqrt(len(z))
    assert stats.chi2.sf(np.square(between).sum(), len(between)) > SMALL
    for lag in (1, 2, 3, 64, 1024):
        serial = [np.corrcoef(z[:-lag, j], z[lag:, j])[0, 1] for j in range(12)]
        scaled = np.array(serial) * math.sqrt(len(z) - lag)
        assert stats.chi2.sf(np.square(scaled).sum(), 12) > SMALL
    squares = np.corrcoef(np.square(z).T)[np.triu_indices(12, 1)] * math.sqrt(len(z))
    assert stats.chi2.sf(np.square(squares).sum(), len(squares)) > SMALL
    seeds = [normals(seed, 50_000, 1)[0][:, 0] for seed in range(8)]
    apart = np.corrcoef(seeds)[np.triu_indices(8, 1)] * math.sqrt(50_000)
    assert stats.chi2.sf(np.square(apart).sum(), len(apart)) > SMALL


@pytest.mark.parametrize("degrees", [2.5, 3.0, 5.0, 30.0, 400.0])
def test_stretches_come_from_the_chi_square(degrees: float) -> None:
    stretches = normals(14, 200_000, 2, degrees)[1]
    chi_square = (degrees - 2.0) / np.square(stretches)
    assert stats.kstest(chi_square, stats.chi2(degrees).cdf).pvalue > SMALL


def test_a_student_t_vector_is_one() -> None:
    z, stretches = normals(15, 200_000, 3, 5.0)
    t = z * stretches[:, None]
    scaled = t / math.sqrt(3.0 / 5.0)
    for column in range(3):
        assert stats.kstest(scaled[:, column], stats.t(5.0).cdf).pvalue > SMALL
    # Of one vector with one stretch, the squared length is 3 times an F.
    squared = np.square(scaled).sum(axis=1) / 3.0
    assert stats.kstest(squared, stats.f(3, 5).cdf).pvalue > SMALL
    assert np.square(t).mean() == pytest.approx(1.0, rel=0.03)


def test_normal_and_student_t_share_their_normals() -> None:
    assert (normals(16, 100, 4)[0] == normals(16, 100, 4, 5.0)[0]).all()


def test_the_layers_are_of_equal_area() -> None:
    made = reference.layers()
    ends = np.array(made.widths) * 2.0**53
    heights = np.array(made.heights)
    areas = ends[1:] * np.diff(heights[1:])
    assert areas == pytest.approx(np.full(reference.LAYERS - 1, reference.AREA), rel=1e-12)
    below = ends[1] * heights[1] + math.sqrt(2 * math.pi) * stats.norm.sf(ends[1])
    assert below == pytest.approx(reference.AREA, rel=1e-12)
    assert heights[1:-1] == pytest.approx(np.exp(-0.5 * ends[1:] ** 2), rel=1e-14)
