"""Reverse stress: the most likely way to lose a sum of money."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError, DataError
from neural_trader.risk.book import Book
from neural_trader.risk.distributions import normal_tail
from neural_trader.risk.model import Model
from neural_trader.risk.valuation import exposures, gains

Floats = NDArray[np.float64]

DISTANCE_MAX: Final = 40.0
"""Deviations from no move, beyond which nothing is looked for."""
_STEPS_MAX: Final = 100
_HALVINGS_MAX: Final = 12
_CONDITION_MAX: Final = 1e12
_CLOSE: Final = 1e-9
_BUMP: Final = 1e-4
_RADII: Final = 160
_WALKS: Final = 6
_BISECTIONS: Final = 30


class WorstCase(NamedTuple):
    """The most likely scenario that loses a sum.

    Attributes
    ----------
    loss : float
        In money, positive.
    moves : float64 array, shape (N,)
        Simple returns.
    gains : float64 array, shape (N,)
        By symbol; they add up to minus ``loss``.
    distance : float
        In deviations (Mahalanobis): the likelihood falls with its square.
    probability : float
        Of the normal distribution beyond that distance: of losing as much or more, exactly for
        linear positions, to first order with options.
    label : str
        Closed form or search.
    """

    loss: float
    moves: Floats
    gains: Floats
    distance: float
    probability: float
    label: str


def reverse_stress(book: Book, model: Model, loss: float) -> WorstCase:
    """Return the most likely moves, under a normal distribution of mean 0, that lose a sum.

    Parameters
    ----------
    book : Book
    model : Model
        Its covariance, over the horizon that is meant.
    loss : float
        Above 0, in money.

    Raises
    ------
    ConfigError
        ``loss`` is not above 0.
    DataError
        Nothing that is held moves, or no scenario within 40 deviations loses as much.

    Notes
    -----
    For linear positions x with covariance C it is -loss C x / (x' C x). With options the nearest
    point of the surface of that loss is searched from many starts, in coordinates in which the
    moves are independent (Hasofer and Lind 1974; Rackwitz and Fiessler 1978), with steps halved
    until they make progress. The nearest of those found is returned; a search cannot prove that
    there is no nearer one.
    """
    if not (math.isfinite(loss) and loss > 0.0):
        message = f"the loss of a reverse stress is {loss}; expected money above 0"
        raise ConfigError(message)
    covariance, held = model.covariance, exposures(book)
    variance = float(held @ covariance @ held)
    has_options = bool(len(book.options.units))
    scale = float((np.abs(held) * np.sqrt(np.diag(covariance))).sum())
    if not has_options:
        if variance <= (1e-9 * scale) ** 2:
            message = "nothing that is held moves in the window, so nothing loses money there"
            raise DataError(message)
        moves = -loss * (covariance @ held) / variance
        distance = loss / math.sqrt(variance)
        if (moves < -1.0).any():
            message = f"no scenario loses {loss:,.2f}: prices would have to fall below 0"
            raise DataError(message)
        return WorstCase(
            loss, moves, moves * held, distance, normal_tail(distance), "closed form, linear"
        )
    search = _Surface(book, covariance, loss)
    point = search.nearest()
    moves = search.factor @ point
    distance = float(np.linalg.norm(point))
    return WorstCase(
        loss,
        moves,
        gains(book, moves[None, :])[0],
        distance,
        normal_tail(distance),
        "search, options revalued in full",
    )


class _Surface:
    """Where a book loses a sum, in coordinates in which the moves are independent."""

    def __init__(self, book: Book, covariance: Floats, loss: float) -> None:
        values, vectors = np.linalg.eigh(covariance)
        kept = values > max(float(values[-1]), 0.0) * len(values) * 1e-12
        self.factor: Floats = vectors[:, kept] * np.sqrt(values[kept])
        self.book = book
        self.loss = loss

    def gap(self, points: Floats) -> Floats:
        """Return by how much less than the sum each of several points loses, over the sum."""
        gained: Floats = gains(self.book, points @ self.factor.T).sum(axis=1)
        return gained / self.loss + 1.0

    def slope(self, point: Floats) -> Floats:
        """Return how the gap moves with a point."""
        return self.curve(point)[0]

    def curve(self, point: Floats) -> tuple[Floats, Floats]:
        """Return the first and second derivatives of the gap: what a symbol gains is its own."""
        moves = self.factor @ point
        low, middle, high = gains(self.book, np.stack([moves - _BUMP, moves, moves + _BUMP]))
        first = (high - low) / (2.0 * _BUMP * self.loss)
        second = (high - 2.0 * middle + low) / (_BUMP * _BUMP * self.loss)
        slope: Floats = self.factor.T @ first
        bend: Floats = self.factor.T @ (second[:, None] * self.factor)
        return slope, bend

    def nearest(self) -> Floats:
        """Return the nearest point of the surface that the search finds."""
        starts = self._starts()
        radii = np.linspace(DISTANCE_MAX / _RADII, DISTANCE_MAX, _RADII)
        found: list[Floats] = []
        most = 0.0
        for start in starts:
            ray = radii[:, None] * start
            gaps = self.gap(ray)
            most = max(most, 1.0 - float(gaps.min()))
            beyond = np.flatnonzero(gaps <= 0.0)
            if len(beyond):
                found.append(self._cross(start, float(radii[beyond[0]])))
        if not found:
            message = (
                f"no scenario within {DISTANCE_MAX:g} deviations loses {self.loss:,.2f}; the most "
                f"that was found is {most * self.loss:,.2f}. Ask for less"
            )
            raise DataError(message)
        # The nearest crossings lie on every branch of the surface that is near.
        found.sort(key=lambda point: float(np.linalg.norm(point)))
        walked = [self._walk(point) for point in found[:_WALKS]]
        return min(walked, key=lambda point: float(np.linalg.norm(point)))

    def _starts(self) -> list[Floats]:
        """Return directions to look in: along the delta, each axis and each symbol, both ways."""
        rank = self.factor.shape[1]
        lines = [*np.eye(rank), *self.factor, self.slope(np.zeros(rank))]
        lines.append(np.sign(self.slope(np.zeros(rank))) + 0.0)
        sizes = [float(np.linalg.norm(line)) for line in lines]
        units = [line / size for line, size in zip(lines, sizes, strict=True) if size > 0.0]
        return [sign * unit for unit in units for sign in (1.0, -1.0)]

    def _cross(self, direction: Floats, radius: float) -> Floats:
        """Return where a ray first crosses the surface, before a radius beyond it."""
        low, high = radius - DISTANCE_MAX / _RADII, radius
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            inside = float(self.gap(middle * direction[None, :])[0]) > 0.0
            low, high = (middle, high) if inside else (low, middle)
        return high * direction

    def _walk(self, point: Floats) -> Floats:
        """Return the nearest point of the surface that can be reached downhill from one on it.

        Newton's steps for the point and its multiplier; where one makes no progress, the step to
        the nearest point of the tangent.
        """
        best, multiplier = point, 0.0
        for _ in range(_STEPS_MAX):
            slope, bend = self.curve(point)
            steepness = float(slope @ slope)
            if steepness == 0.0:
                break
            gap = float(self.gap(point[None, :])[0])
            tangent = (float(slope @ point) - gap) / steepness * slope
            multiplier = -float(slope @ tangent) / steepness
            system = np.block(
                [[np.eye(len(point)) + multiplier * bend, slope[:, None]], [slope, np.zeros(1)]]
            )
            aims = [tangent]
            if np.linalg.cond(system) < _CONDITION_MAX:
                solved = np.linalg.solve(system, np.append(-point, -gap))
                aims = [point + solved[:-1], tangent]
            weight = 2.0 * abs(multiplier) + 1.0
            steps = (self._shortened(point, aim, weight) for aim in aims)
            step = next((found for found in steps if found is not None), None)
            if step is None:
                break
            moved = float(np.linalg.norm(step - point))
            point = step
            off = abs(float(self.gap(point[None, :])[0]))
            if off < _CLOSE and np.linalg.norm(point) < np.linalg.norm(best):
                best = point
            if moved < _CLOSE * max(1.0, float(np.linalg.norm(point))):
                break
        return best

    def _shortened(self, point: Floats, aim: Floats, weight: float) -> Floats | None:
        """Return a step towards the aim that makes distance and gap together smaller, or none."""

        def merit(where: Floats) -> float:
            gap = abs(float(self.gap(where[None, :])[0]))
            return 0.5 * float(where @ where) + weight * gap

        now, share = merit(point), 1.0
        for _ in range(_HALVINGS_MAX):
            step = point + share * (aim - point)
            if merit(step) < now:
                return step
            share *= 0.5
        return None
