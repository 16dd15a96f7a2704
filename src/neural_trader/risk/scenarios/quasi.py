"""Quasi-random scenarios: scrambled Sobol points, the first axis where the book loses most."""

import math
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels import scenarios as hashes
from neural_trader._kernels import sobol as kernel
from neural_trader.core import ConfigError
from neural_trader.risk.scenarios.chi_square import Stretches, stretches_of
from neural_trader.risk.scenarios.factors import Factor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Digits = NDArray[np.int32]

_NUMBERS: Final = Path(__file__).with_name("sobol_numbers.npy")
DIMENSIONS_MAX: Final = 3_667
"""Dimensions of which direction numbers are shipped."""


class Sobol(NamedTuple):
    """Scrambled Sobol points: a source of scenarios.

    Attributes
    ----------
    directions : int32 array, shape (R, bits, D)
        Of each scramble; columns are the normals of a scenario, then one a step for its stretch.
    shifts : int32 array, shape (R, D)
        Counted from the median.
    points : int
        Of each scramble.
    stretches : Stretches or None
        None where nothing is stretched: the normal distribution.
    turn : float64 array, shape (H, H)
        What makes the steps' normals of the first axis: its first column moves all steps alike.
    """

    directions: Digits
    shifts: Digits
    points: int
    stretches: Stretches | None
    turn: Floats

    def draw(self, ids: Ints, normals: Floats, stretches: Floats) -> None:
        """Write the normals and stretches of scenarios; see ``drawing.Source``."""
        count, steps, n = normals.shape
        columns = self.directions.shape[2]
        state = np.empty(columns, np.int32)
        if self.stretches is None and steps == 1:
            room = normals.reshape(count, n)
            kernel.fill(self.directions, self.shifts, self.points, ids, state, room)
            stretches[:] = 1.0
            return
        room = np.empty((count, columns))
        kernel.fill(self.directions, self.shifts, self.points, ids, state, room)
        normals[:] = room[:, : steps * n].reshape(count, steps, n)
        if steps > 1:
            # In a fixed order, so that a scenario does not depend on those beside it.
            first = normals[:, :, 0].copy()
            for step in range(steps):
                normals[:, step, 0] = _weighted(first, self.turn[step])
        stretches[:] = 1.0
        if self.stretches is not None:
            stretches[:] = self.stretches.at(room[:, steps * n :])


def _weighted(columns: Floats, weights: Floats) -> Floats:
    total = np.zeros(len(columns))
    for place, weight in enumerate(weights):
        total += weight * columns[:, place]
    return total


def sobol_of(
    seed_stream: int, *, points: int, scrambles: int, shape: tuple[int, int], degrees: float
) -> Sobol:
    """Return scrambled Sobol points for scenarios of ``shape`` (steps, symbols).

    Raises
    ------
    ConfigError
        There are no direction numbers for so many dimensions.
    """
    steps, n = shape
    is_stretched = math.isfinite(degrees)
    columns = steps * n + steps * is_stretched
    if columns > DIMENSIONS_MAX:
        message = (
            f"the scenarios have {columns} dimensions ({n} symbols x {steps} steps"
            f"{f', and {steps} for the tails' if is_stretched else ''}); Sobol points are there "
            f"for {DIMENSIONS_MAX} at most: use pseudo-random numbers (draws pseudo)"
        )
        raise ConfigError(message)
    bits = max(1, (points - 1).bit_length())
    plain = np.empty((bits, columns), np.uint32)
    kernel.expand(_numbers()[:columns][_order(steps, n, is_stretched=is_stretched)], plain)
    directions = np.empty((scrambles, bits, columns), np.uint32)
    shifts = np.empty((scrambles, columns), np.uint32)
    random = np.empty((1, columns * (bits + 1)), np.uint64)
    for scramble in range(scrambles):
        hashes.words(seed_stream, np.array([scramble]), 0, random)
        own = random.reshape(columns, bits + 1)
        kernel.scramble(plain, own, directions[scramble], shifts[scramble])
    stretches = stretches_of(degrees) if is_stretched else None
    shifts ^= np.uint32(1 << 31)
    return Sobol(directions.view(np.int32), shifts.view(np.int32), points, stretches, _turn(steps))


@cache
def _numbers() -> NDArray[np.uint16]:
    numbers: NDArray[np.uint16] = np.load(_NUMBERS)
    return numbers


def _order(steps: int, n: int, *, is_stretched: bool) -> Ints:
    """Return the dimension of every column, the best ones for what moves the book most.

    First the steps of the first axis, then their stretches, then axis by axis.
    """
    later = steps if is_stretched else 0
    axes = np.arange(n)[None, :] * steps + np.arange(steps)[:, None]
    axes[:, 1:] += later
    order = axes.reshape(-1)
    if is_stretched:
        order = np.concatenate([order, steps + np.arange(steps)])
    return order


def _turn(steps: int) -> Floats:
    """Return the orthogonal cosine transform: the first column is the same for every step."""
    turn = np.empty((steps, steps))
    for step in range(steps):
        for wave in range(steps):
            angle = math.pi * wave * (2 * step + 1) / (2 * steps)
            turn[step, wave] = math.cos(angle) * math.sqrt((1.0 if wave == 0 else 2.0) / steps)
    return turn


def axes_of(covariance: Floats, exposures: Floats) -> Factor:
    """Return a factor whose first axis is the book's, the others the principal components beside.

    Parameters
    ----------
    covariance : float64 array, shape (N, N)
        Positive semidefinite.
    exposures : float64 array, shape (N,)
        Gain of the book by each symbol's return: its delta in money.

    Returns
    -------
    Factor
        The first column is the covariance of each symbol with the book over the book's deviation;
        then principal components of what that leaves, the greatest first.
    """
    n = len(covariance)
    toward = covariance @ exposures
    variance = float(exposures @ toward)
    columns = []
    rest = covariance
    if variance > 1e-24 * float(np.square(exposures) @ covariance.diagonal()):
        first = toward / math.sqrt(variance)
        columns.append(first)
        rest = covariance - np.outer(first, first)
    values, vectors = np.linalg.eigh(rest)
    for place in range(n - 1, -1, -1):
        if len(columns) < n:
            vector = vectors[:, place]
            sign = 1.0 if vector[np.abs(vector).argmax()] > 0.0 else -1.0
            columns.append(sign * math.sqrt(max(float(values[place]), 0.0)) * vector)
    return Factor(np.ascontiguousarray(np.stack(columns, axis=1)), np.full(n, n, np.int64))
