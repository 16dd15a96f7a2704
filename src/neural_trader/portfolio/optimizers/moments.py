"""What an optimizer is given: expected returns and covariance of a year, and how they were made."""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.core.numbers import plain_number
from neural_trader.core.sessions import session_date
from neural_trader.portfolio.metrics import Floats, Stamps
from neural_trader.portfolio.periods import compute_periods_per_year

HALF_LIFE: Final = 63.0
_DAYS_A_YEAR: Final = 252
_NOISE: Final = 1e-13
# A pivot of the correlations below this is rounding: nothing of the series is its own.
_LEAST_PIVOT: Final = 1e-10


class Moments(NamedTuple):
    """Expected returns and covariance of some series.

    Attributes
    ----------
    series : tuple of str, length N
    expected : float64 array, shape (N,)
        Arithmetic, of a year, as fractions.
    covariance : float64 array, shape (N, N)
        Of a year.
    risk_free : float
        Arithmetic, of a year.
    conventions : dict of str to str
        How they were made.
    """

    series: tuple[str, ...]
    expected: Floats
    covariance: Floats
    risk_free: float = 0.0
    conventions: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it


def estimate_moments(
    returns: Floats,
    *,
    series: Sequence[str] | None = None,
    covariance: str = "sample",
    half_life: float = HALF_LIFE,
    risk_free: float = 0.0,
    ts_close_ns: Stamps | None = None,
    periods: float | None = None,
) -> Moments:
    """Estimate expected returns and covariance from past returns.

    Parameters
    ----------
    returns : float64 array, shape (T, N)
        Simple returns, a column a series, T of 2 or more.
    series : sequence of str, length N, optional
        Their names; numbers by default.
    covariance : {"sample", "ewma", "ledoit-wolf", "oas"}
        See :func:`estimate_covariance`.
    half_life : float
        For ``ewma``, in periods.
    risk_free : float
        Annual rate, as a fraction; turned per period by (1 + rf)^(1/p) - 1, and times p.
    ts_close_ns : int64 array, shape (T,), optional
        The ends of the periods, for periods a year.
    periods : float, optional
        Periods a year; by default from the times, snapped to 252, 365, 52, 12, 4 or 1, and 252
        where there are no times.

    Returns
    -------
    Moments
        Means and covariance of a period, times the periods a year. The expected return is the
        plain mean, whatever the covariance.

    Raises
    ------
    ConfigError
        A name, shape, rate or number does not fit.
    DataError
        Fewer than two returns, one that is missing or infinite, or a series that does not move.

    Missing
    -------
    There is no rule for gaps: a NaN anywhere is an error that names the series and the period.
    """
    table = np.ascontiguousarray(returns, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 1:
        message = f"returns have shape {table.shape}; expected (T, N), a column a series"
        raise ConfigError(message)
    names = tuple(series) if series is not None else tuple(map(str, range(table.shape[1])))
    if len(names) != table.shape[1] or len(set(names)) != len(names):
        message = f"{table.shape[1]} columns need as many different names; got {', '.join(names)}"
        raise ConfigError(message)
    if not -1.0 < plain_number(risk_free) < math.inf:
        message = f"risk_free is {risk_free!r}; expected an annual rate above -1, such as 0.03"
        raise ConfigError(message)
    if periods is not None and not 0.0 < plain_number(periods) < math.inf:
        message = f"periods is {periods!r}; expected how many make a year, such as 252 or 12"
        raise ConfigError(message)
    _check_table(table, names, ts_close_ns)
    made, how = _estimate(table, covariance, half_life)
    per_year, source = _DAYS_A_YEAR + 0.0, "by default"
    if periods is not None:
        per_year, source = float(periods), "given"
    elif ts_close_ns is not None:
        per_year, source = float(compute_periods_per_year(ts_close_ns)), "from the times"
    part = math.pow(1.0 + risk_free, 1.0 / per_year) - 1.0
    conventions = {
        "returns": "simple",
        "periods_per_year": f"{per_year:g} ({source})",
        "expected_return": "arithmetic mean of a period, times the periods a year",
        "covariance": f"{how}, times the periods a year",
        "risk_free": f"{risk_free:.6g} a year",
    }
    return Moments(
        names, table.mean(axis=0) * per_year, made * per_year, part * per_year, conventions
    )


def _check_table(table: Floats, names: tuple[str, ...], stamps: Stamps | None) -> None:
    length = len(table)
    if length < 2:
        message = f"there are {length} returns of {names[0]} and the others; expected 2 or more"
        raise DataError(message)
    if stamps is not None and (len(stamps) != length or (np.diff(stamps) <= 0).any()):
        message = f"{len(stamps)} times for {length} returns; expected one a return, and rising"
        raise ConfigError(message)
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        when = f"row {row}" if stamps is None else str(session_date(int(stamps[row])))
        message = (
            f"series {names[column]!r} has the return {table[row, column]} at {when}; the weights "
            "need one of every series in every period: leave the series or the periods out"
        )
        raise DataError(message)
    still = np.flatnonzero(np.ptp(table, axis=0) <= _NOISE)
    if len(still):
        message = (
            f"the returns of {', '.join(names[at] for at in still[:5])} do not vary: without risk "
            "there is nothing to weigh. Leave it out, and hold it as cash beside the portfolio"
        )
        raise DataError(message)


def estimate_covariance(
    returns: Floats, method: str = "sample", *, half_life: float = HALF_LIFE
) -> Floats:
    """Estimate the covariance of the returns of a period.

    Parameters
    ----------
    returns : float64 array, shape (T, N)
        Finite; T of 2 or more.
    method : {"sample", "ewma", "ledoit-wolf", "oas"}
        ``sample``: ddof 1. ``ewma``: weights that halve every ``half_life`` periods, about the mean
        with those weights, over 1 - sum of the squared weights. ``ledoit-wolf`` and ``oas``: the
        covariance with ddof 0, shrunk towards its mean variance times the identity.
    half_life : float
        Above 0, in periods.

    Returns
    -------
    float64 array, shape (N, N)

    Raises
    ------
    ConfigError
        There is no such method, or the half-life is none.
    DataError
        Fewer than two returns, or one that is not finite.

    Notes
    -----
    With T <= N, ``sample`` is singular; the two shrunk ones are not, as long as anything moves.

    References
    ----------
    Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance
    matrices", Journal of Multivariate Analysis 88; Chen, Wiesel, Eldar and Hero (2010), "Shrinkage
    Algorithms for MMSE Covariance Estimation", eq. 23, in scikit-learn's form; RiskMetrics (1996).
    """
    table = np.asarray(returns, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2 or not np.isfinite(table).all():
        message = f"returns have shape {table.shape}; expected (T, N), finite, T of 2 or more"
        raise DataError(message)
    return _estimate(table, method, half_life)[0]


def _estimate(table: Floats, method: str, half_life: float) -> tuple[Floats, str]:
    """Return the covariance of a period, and in words how it was made."""
    if method not in _ESTIMATORS:
        message = f"covariance is {method!r}; expected one of {', '.join(COVARIANCES)}"
        raise ConfigError(message)
    if not 0.0 < plain_number(half_life) < math.inf:
        message = f"half_life is {half_life!r}; expected a number of periods above 0"
        raise ConfigError(message)
    return _ESTIMATORS[method](table, half_life)


def _sample(table: Floats, half_life: float) -> tuple[Floats, str]:
    del half_life
    moves = table - table.mean(axis=0)
    return moves.T @ moves / (len(table) - 1), "sample, ddof 1"


def _ewma(table: Floats, half_life: float) -> tuple[Floats, str]:
    decay = 0.5 ** (1.0 / half_life)
    weights = decay ** np.arange(len(table) - 1, -1, -1.0)
    weights /= weights.sum()
    moves = table - weights @ table
    made = (moves * weights[:, np.newaxis]).T @ moves / (1.0 - weights @ weights)
    return made, f"ewma, half-life {half_life:g} periods (decay {decay:.6f}), debiased"


def _ledoit_wolf(table: Floats, half_life: float) -> tuple[Floats, str]:
    del half_life
    length, count = table.shape
    moves = table - table.mean(axis=0)
    made = moves.T @ moves / length
    target = float(np.trace(made)) / count
    squared = float((made * made).sum())
    squares = moves * moves
    spread = (float((squares.T @ squares).sum()) / length - squared) / (count * length)
    distance = (squared - count * target * target) / count
    spread = min(spread, distance)
    intensity = spread / distance if count > 1 and spread > 0.0 else 0.0
    return _shrunk(made, target, intensity), f"ledoit-wolf, {_words(intensity)}"


def _oas(table: Floats, half_life: float) -> tuple[Floats, str]:
    del half_life
    length, count = table.shape
    moves = table - table.mean(axis=0)
    made = moves.T @ moves / length
    target = float(np.trace(made)) / count
    mean_square = float((made * made).mean())
    above = mean_square + target * target
    below = (length + 1.0) * (mean_square - target * target / count)
    intensity = min(above / below, 1.0) if below > 0.0 else 1.0
    if count == 1:
        intensity = 0.0
    return _shrunk(made, target, intensity), f"oas, {_words(intensity)}"


def _shrunk(made: Floats, target: float, intensity: float) -> Floats:
    shrunk = (1.0 - intensity) * made
    shrunk.flat[:: len(made) + 1] += intensity * target
    return shrunk


def _words(intensity: float) -> str:
    return f"ddof 0, shrunk by {intensity:.6g} towards the mean variance times the identity"


_ESTIMATORS: Final[dict[str, Callable[[Floats, float], tuple[Floats, str]]]] = {
    "sample": _sample,
    "ewma": _ewma,
    "ledoit-wolf": _ledoit_wolf,
    "oas": _oas,
}
COVARIANCES: Final = tuple(_ESTIMATORS)
"""The estimators of covariance, by name."""


def check_moments(moments: Moments) -> Moments:
    """Return moments as arrays, or raise for those that are none.

    Raises
    ------
    ConfigError
        Shapes or names do not fit together.
    DataError
        A number is not finite, a variance not above 0, or the matrix not symmetric.
    """
    expected = np.ascontiguousarray(moments.expected, dtype=np.float64)
    matrix = np.ascontiguousarray(moments.covariance, dtype=np.float64)
    count = len(moments.series)
    if count < 1 or expected.shape != (count,) or matrix.shape != (count, count):
        message = (
            f"{count} series with {expected.shape} expected returns and a covariance of "
            f"{matrix.shape}; expected (N,) and (N, N)"
        )
        raise ConfigError(message)
    if len(set(moments.series)) != count:
        message = f"a series stands twice in {', '.join(moments.series)}"
        raise ConfigError(message)
    if not (np.isfinite(expected).all() and np.isfinite(matrix).all()):
        message = "expected returns and covariance hold a number that is not finite"
        raise DataError(message)
    diagonal = matrix.diagonal()
    if not (diagonal > 0.0).all():
        at = int(np.argmin(diagonal))
        message = f"the variance of {moments.series[at]} is {diagonal[at]:g}; expected more than 0"
        raise DataError(message)
    if np.abs(matrix - matrix.T).max() > 1e-9 * diagonal.max():
        message = "the covariance matrix is not symmetric"
        raise DataError(message)
    return moments._replace(expected=expected, covariance=(matrix + matrix.T) / 2.0)


def check_definite(moments: Moments) -> None:
    """Raise DataError, with the name, where a series is a combination of those before it."""
    matrix = moments.covariance
    scale = 1.0 / np.sqrt(matrix.diagonal())
    correlations = matrix * scale * scale[:, np.newaxis]
    try:
        pivots = np.square(np.linalg.cholesky(correlations).diagonal())
        if (pivots > _LEAST_PIVOT).all():
            return
    except np.linalg.LinAlgError:
        pass
    at = _first_dependent(correlations)
    message = (
        f"the covariance matrix of {len(matrix)} series is singular: {moments.series[at]} is a "
        "combination of those before it, so many weights are equally good. Use covariance "
        "ledoit-wolf or oas, more returns than series, or fewer series"
    )
    raise DataError(message)


def _first_dependent(matrix: Floats) -> int:
    """Return the first series of which nothing is its own."""
    for count in range(1, len(matrix) + 1):
        part = matrix[:count, :count]
        if count > 1:
            known = np.linalg.lstsq(part[:-1, :-1], part[:-1, -1], rcond=None)[0]
            if part[-1, -1] - known @ part[:-1, -1] <= _LEAST_PIVOT:
                return count - 1
    return len(matrix) - 1
