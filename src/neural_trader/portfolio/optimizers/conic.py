"""General constraints, by a maintained solver: Clarabel, of the extra ``optimize``.

Everything is asked for w = y / k with a free scale k, so that one set of rows does for a variance
(k = 1), a ratio (excess'y = 1) and budgets of risk (a product of powers of y).
"""

from typing import Any, Final

import numpy as np

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.portfolio.metrics import Floats
from neural_trader.portfolio.optimizers.constraints import Limits
from neural_trader.portfolio.optimizers.quadratic import ENDLESS, FAR

TOLERANCE: Final = 1e-6
"""How far a condition of the best weights may be missed, in units of the scaled problem."""


class Infeasible(ConfigError):  # noqa: N818 - it names what they are
    """No weights keep all constraints at once."""


def solve(
    matrix: Floats,
    linear: Floats,
    limits: Limits,
    *,
    excess: Floats | None = None,
    floor: tuple[Floats, float] | None = None,
    shares: Floats | None = None,
) -> tuple[Floats, float]:
    """Return the weights of least w'Mw / 2 - linear'w under all constraints, and their residual.

    Parameters
    ----------
    matrix : float64 array, shape (N, N)
    linear : float64 array, shape (N,)
    limits : Limits
    excess : float64 array, shape (N,), optional
        Instead of the least, the greatest excess'w / sqrt(w'Mw); ``linear`` is 0 then.
    floor : pair of float64 array, shape (N,), and float, optional
        The first, times the weights, is to be the second or more.
    shares : float64 array, shape (N,), optional
        Instead of the least, parts of the variance as near to these as constraints allow: the least
        of y'My / 2 with the sum of shares x log y no less than 0. ``linear`` is 0 then.

    Raises
    ------
    ConfigError
        Clarabel is not installed, or no weights keep all constraints.
    DataError
        It found no answer that stands the test.

    References
    ----------
    Goulart and Chen (2024), "Clarabel: An interior-point solver for conic programs with quadratic
    objectives"; Richard and Roncalli (2019), "Constrained Risk Budgeting Portfolios".
    """
    clarabel, sparse = _load()
    unit = float(matrix.diagonal().mean())
    program = _Program(limits, len(linear), has_logs=shares is not None)
    count, width = len(linear), program.width
    quadratic, slope = np.zeros((width, width)), np.zeros(width)
    quadratic[:count, :count] = matrix / unit
    slope[:count] = -linear / unit
    program.budget(excess)
    program.bounds()
    if floor is not None:
        program.at_most(-floor[0], -floor[1])
    if shares is not None:
        program.logs(shares)
    rows, sides, cones = program.stacked(clarabel)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
    settings.max_iter = 500
    found = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(quadratic)),
        slope,
        sparse.csc_matrix(rows),
        sides,
        cones,
        settings,
    ).solve()
    status = str(found.status)
    if status == "DualInfeasible":
        raise ConfigError(ENDLESS)
    if "Infeasible" in status:
        message = (
            "no weights keep all constraints at once (bounds, groups, turnover, leverage, target); "
            "loosen one"
        )
        raise Infeasible(message)
    x, dual, slack = (np.asarray(part) for part in (found.x, found.z, found.s))
    residual = np.inf
    if len(x) == width and np.isfinite(x).all() and x[count] > 0.0:
        size = max(1.0, float(np.abs(x).max()))
        misses = (
            np.abs(quadratic @ x + slope + rows.T @ dual).max(),
            np.abs(rows @ x + slack - sides).max(),
            abs(float(slack @ dual)),
        )
        residual = float(max(misses)) / size
    if not residual <= TOLERANCE:
        message = (
            f"the solver found no weights ({status}, conditions missed by {residual:.1e}); use "
            "covariance ledoit-wolf or oas, or loosen a constraint"
        )
        raise DataError(message)
    weights = np.clip(x[:count] / x[count], limits.low, limits.high)
    if np.abs(weights).sum() > FAR:
        raise ConfigError(ENDLESS)
    return weights, residual


def _load() -> tuple[Any, Any]:
    try:
        import clarabel
        from scipy import sparse
    except ImportError:
        message = (
            "groups, turnover, leverage and bounds of risk parity need a solver; install it: pip "
            "install 'neural-trader[optimize]'"
        )
        raise ConfigError(message) from None
    return clarabel, sparse


class _Program:
    """Rows A x + s = b over x = (y, k, and what absolute values and logarithms need)."""

    def __init__(self, limits: Limits, count: int, *, has_logs: bool) -> None:
        self.limits, self.count = limits, count
        self.moved = count + 1
        self.size = self.moved + (count if limits.turnover is not None else 0)
        self.log = self.size + (count if limits.leverage is not None else 0)
        self.width = self.log + (count if has_logs else 0)
        self._equal: list[tuple[Floats, float]] = []
        self._most: list[Floats] = []
        self._cone: list[tuple[Floats, float]] = []
        self._has_scale = has_logs

    def _row(self, weights: Floats, scale: float = 0.0) -> Floats:
        row = np.zeros(self.width)
        row[: self.count], row[self.count] = weights, scale
        return row

    def budget(self, excess: Floats | None) -> None:
        """Make y add up to k, and set the scale."""
        self._equal.append((self._row(np.ones(self.count), -1.0), 0.0))
        if excess is not None:
            self._equal.append((self._row(excess / np.abs(excess).max()), 1.0))
        elif not self._has_scale:
            self._equal.append((self._row(np.zeros(self.count), 1.0), 1.0))
        self._most.append(self._row(np.zeros(self.count), -1.0))

    def at_most(self, weights: Floats, most: float) -> None:
        """Hold weights'w to a number at most."""
        if most < np.inf:
            self._most.append(self._row(weights, -most))

    def bounds(self) -> None:
        """Hold every weight, group, change and size to its bounds."""
        limits, one = self.limits, np.eye(self.count)
        for at in range(self.count):
            self.at_most(one[at], float(limits.high[at]))
            self.at_most(-one[at], -float(limits.low[at]))
        for row, low, high in zip(limits.rows, limits.row_low, limits.row_high, strict=True):
            self.at_most(row, float(high))
            self.at_most(-row, -float(low))
        if limits.turnover is not None:
            self._absolute(self.moved, limits.current, limits.turnover)
        if limits.leverage is not None:
            self._absolute(self.size, np.zeros(self.count), limits.leverage)

    def _absolute(self, place: int, center: Floats, most: float) -> None:
        """Hold the sum of |w - center| to a number at most."""
        total = self._row(np.zeros(self.count), -most)
        for at, one in enumerate(np.eye(self.count)):
            for sign in (1.0, -1.0):
                row = self._row(sign * one, -sign * float(center[at]))
                row[place + at] = -1.0
                self._most.append(row)
            total[place + at] = 1.0
        self._most.append(total)

    def logs(self, shares: Floats) -> None:
        """Hold the sum of shares x log y to 0 or more: exp(r) <= y for every r."""
        total = np.zeros(self.width)
        total[self.log :] = -shares
        self._most.append(total)
        for at, one in enumerate(np.eye(self.count)):
            row = np.zeros(self.width)
            row[self.log + at] = -1.0
            self._cone += [(row, 0.0), (np.zeros(self.width), 1.0), (self._row(-one), 0.0)]

    def stacked(self, clarabel: Any) -> tuple[Floats, Floats, list[Any]]:  # noqa: ANN401 - untyped
        """Return A, b and the cones of s."""
        rows = [row for row, _ in self._equal] + self._most + [row for row, _ in self._cone]
        sides = [side for _, side in self._equal] + [0.0] * len(self._most)
        sides += [side for _, side in self._cone]
        cones = [clarabel.ZeroConeT(len(self._equal)), clarabel.NonnegativeConeT(len(self._most))]
        cones += [clarabel.ExponentialConeT() for _ in range(len(self._cone) // 3)]
        return np.array(rows), np.array(sides), cones
