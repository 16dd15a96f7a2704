"""One call for every method: moments in, weights out, with the conventions they were made by."""

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from neural_trader.core.errors import ConfigError, DataError, NoPortfolio
from neural_trader.core.numbers import plain_number
from neural_trader.portfolio.metrics import Floats
from neural_trader.portfolio.optimizers import conic, quadratic
from neural_trader.portfolio.optimizers.black_litterman import Posterior, Views, compute_posterior
from neural_trader.portfolio.optimizers.constraints import Constraints, Limits, read_limits
from neural_trader.portfolio.optimizers.hierarchy import compute_hrp
from neural_trader.portfolio.optimizers.moments import Moments, check_definite, check_moments
from neural_trader.portfolio.optimizers.risk_parity import (
    contributions,
    read_budgets,
    spread_risk,
)

RISK_AVERSION: Final = 2.5
_SLACK: Final = 1e-7


class Allocation(NamedTuple):
    """Weights, and what they are expected to come to.

    Attributes
    ----------
    method : str
    series : tuple of str, length N
    weights : float64 array, shape (N,)
        They add up to 1.
    expected_return, volatility, sharpe : float
        Of a year, by the moments that were used, the risk-free rate included; the ratio is that of
        the excess, NaN without risk.
    contributions : float64 array, shape (N,)
        Part of the variance that comes from each; they add up to 1.
    residual : float
        By how much the conditions of the method's answer are missed, relatively.
    conventions : dict of str to str
    notes : tuple of str
        What a reader has to know.
    posterior : Posterior or None
        Of Black and Litterman's method.
    """

    method: str
    series: tuple[str, ...]
    weights: Floats
    expected_return: float
    volatility: float
    sharpe: float
    contributions: Floats
    residual: float
    conventions: dict[str, str]
    notes: tuple[str, ...] = ()
    posterior: Posterior | None = None

    def as_dict(self) -> dict[str, float]:
        """Return the weight of every series by name."""
        return dict(zip(self.series, self.weights.tolist(), strict=True))


class _Task(NamedTuple):
    """What a method is given."""

    moments: Moments
    limits: Limits
    aversion: float
    target: float | None
    shares: Floats

    @property
    def excess(self) -> Floats:
        """Expected returns beyond the risk-free rate."""
        made: Floats = self.moments.expected - self.moments.risk_free
        return made


class _Answer(NamedTuple):
    weights: Floats
    residual: float
    how: str
    notes: tuple[str, ...] = ()


def optimize(
    moments: Moments,
    method: str = "min-variance",
    *,
    constraints: Constraints | None = None,
    views: Views | None = None,
    risk_aversion: float | None = None,
    target_return: float | None = None,
    budgets: Mapping[str, float] | None = None,
) -> Allocation:
    """Find the weights of a portfolio that holds nothing but these series.

    Parameters
    ----------
    moments : Moments
        As :func:`estimate_moments` makes them, or your own, of a year.
    method : str
        One of ``METHODS``: ``min-variance``, ``max-sharpe``, ``mean-variance``, ``risk-parity``,
        ``hrp``, ``black-litterman``.
    constraints : Constraints, optional
        Long only by default. Bounds of single weights are kept by compiled code of our own; groups,
        turnover and leverage, and bounds that an answer of ``risk-parity`` would break, by the
        solver of the extra ``optimize``. ``hrp`` takes bounds alone.
    views : Views, optional
        Of ``black-litterman``, which needs them.
    risk_aversion, target_return : float, optional
        Of ``mean-variance``, one of the two: the greatest return - aversion / 2 x variance, 2.5 by
        default; or the least variance with that expected return, or more.
    budgets : mapping of symbol to float, optional
        Of ``risk-parity``: parts of the risk, of every series; equal ones by default.

    Returns
    -------
    Allocation

    Raises
    ------
    ConfigError
        There is no such method, an option belongs to another one, constraints cannot be kept, or
        the solver is not installed.
    DataError
        The covariance is singular where an answer must be the only one, or none was found that
        passes its test: weights are never returned unless they add up to 1, keep their bounds and
        meet the conditions of the best to 1e-8 (1e-6 by the solver).
    NoPortfolio
        For a ratio: nothing within the bounds is expected to earn more than the risk-free rate.

    Notes
    -----
    Timing: weights of returns up to t may be held from t on, never before. Costs are not part of
    the answer. Means are estimated badly: ``max-sharpe`` and ``mean-variance`` mostly bet on them.

    Examples
    --------
    >>> import numpy as np
    >>> from neural_trader.portfolio.optimizers import Moments, optimize
    >>> found = optimize(Moments(("A", "B"), np.zeros(2), np.diag([0.01, 0.04])))
    >>> [round(weight, 6) for weight in found.weights.tolist()]
    [0.8, 0.2]
    """
    if method not in _METHODS:
        message = f"there is no method {method!r}; the methods are {', '.join(METHODS)}"
        raise ConfigError(message)
    _check_options(
        method,
        {
            "views": ("black-litterman", views),
            "risk_aversion": ("mean-variance", risk_aversion),
            "target_return": ("mean-variance", target_return),
            "budgets": ("risk-parity", budgets),
        },
    )
    given = check_moments(moments)
    limits = read_limits(constraints or Constraints(), given.series)
    posterior = None
    if method == "black-litterman":
        if views is None:
            message = "black-litterman needs views: the market's weights, and views of it if any"
            raise ConfigError(message)
        posterior = compute_posterior(given, views)
        given = given._replace(expected=posterior.expected, covariance=posterior.covariance)
    task = _Task(
        given,
        limits,
        _read_aversion(risk_aversion, target_return),
        None if target_return is None else _read_target(target_return),
        read_budgets(budgets, given.series),
    )
    answer = _METHODS[method](task)
    _check(answer.weights, limits)
    return _describe(method, task, answer, posterior)


def _check_options(method: str, options: dict[str, tuple[str, object]]) -> None:
    for name, (owner, value) in options.items():
        if value is not None and owner != method:
            message = f"{name} belongs to {owner}, not to {method}; leave it out"
            raise ConfigError(message)


def _read_aversion(aversion: float | None, target: float | None) -> float:
    if aversion is None:
        return RISK_AVERSION
    if target is not None:
        message = "give either risk_aversion or target_return, not both"
        raise ConfigError(message)
    if not 0.0 < plain_number(aversion) < math.inf:
        message = f"risk_aversion is {aversion!r}; expected a finite number above 0"
        raise ConfigError(message)
    return float(aversion)


def _read_target(target: float) -> float:
    if not math.isfinite(plain_number(target)):
        message = f"target_return is {target!r}; expected a return of a year, such as 0.08"
        raise ConfigError(message)
    return float(target)


def _min_variance(task: _Task) -> _Answer:
    check_definite(task.moments)
    matrix, limits = task.moments.covariance, task.limits
    how = "least variance"
    if limits.is_plain:
        return _Answer(*quadratic.minimize_variance(matrix, limits.low, limits.high), how)
    return _Answer(*conic.solve(matrix, np.zeros(len(matrix)), limits), how)


def _mean_variance(task: _Task) -> _Answer:
    check_definite(task.moments)
    matrix, limits, gain = task.moments.covariance, task.limits, task.moments.expected
    if task.target is None:
        how = f"greatest return - {task.aversion:g} / 2 x variance"
        if not limits.is_plain:
            return _Answer(*conic.solve(matrix, gain / task.aversion, limits), how)
        bounds = limits.low, limits.high
        found = quadratic.maximize_utility(matrix, *bounds, gain, aversion=task.aversion)
        return _Answer(*found, how)
    how = f"least variance with an expected return of {task.target:g} or more"
    if not limits.is_plain:
        nothing = np.zeros(len(matrix))
        return _Answer(*conic.solve(matrix, nothing, limits, floor=(gain, task.target)), how)
    bounds = limits.low, limits.high
    return _Answer(*quadratic.reach_gain(matrix, *bounds, gain, target=task.target), how)


def _max_sharpe(task: _Task) -> _Answer:
    check_definite(task.moments)
    matrix, limits = task.moments.covariance, task.limits
    how = "greatest expected excess return over volatility"
    if limits.is_plain:
        found = quadratic.maximize_ratio(matrix, limits.low, limits.high, task.excess)
        return _Answer(*found, how)
    nothing = np.zeros(len(matrix))
    try:
        return _Answer(*conic.solve(matrix, nothing, limits, excess=task.excess), how)
    except conic.Infeasible:
        # Which of the two cannot be: the constraints, or an excess return above 0 within them?
        conic.solve(matrix, nothing, limits)
    raise NoPortfolio(quadratic.NOTHING_EARNS)


def _risk_parity(task: _Task) -> _Answer:
    matrix, limits = task.moments.covariance, task.limits
    how = "parts of the variance as budgeted (equal by default), long only"
    try:
        answer = _Answer(*spread_risk(matrix, task.shares), how)
    except DataError:
        if limits.is_plain and not (limits.high < 1.0).any() and not (limits.low > 0.0).any():
            raise
        answer = None
    if answer is not None and limits.hold(answer.weights, 0.0):
        return answer
    found = conic.solve(matrix, np.zeros(len(matrix)), limits, shares=task.shares)
    note = "the constraints bind: the parts of the risk are as near to their budgets as they allow"
    return _Answer(*found, how, (note,))


def _hrp(task: _Task) -> _Answer:
    limits, series = task.limits, task.moments.series
    if not limits.is_plain:
        message = "hrp takes min_weight and max_weight alone; use risk-parity with groups"
        raise ConfigError(message)
    low = np.maximum(limits.low, 0.0)
    if (low > limits.high).any() or low.sum() > 1.0 + _SLACK:
        message = "hrp is long only, which these bounds do not allow"
        raise ConfigError(message)
    # By name, so that the order of the columns does not matter.
    order = np.argsort(np.array(series), kind="stable")
    weights = np.empty(len(series))
    matrix = task.moments.covariance[np.ix_(order, order)]
    weights[order] = compute_hrp(matrix, low=low[order], high=limits.high[order])
    how = "single linkage of the distances of columns, series by name, split by inverse variance"
    return _Answer(weights, 0.0, how)


def _black_litterman(task: _Task) -> _Answer:
    answer = _max_sharpe(task)
    how = "greatest posterior excess return over volatility: He and Litterman's weights, scaled"
    return answer._replace(how=how)


_METHODS: Final[dict[str, Callable[[_Task], _Answer]]] = {
    "min-variance": _min_variance,
    "max-sharpe": _max_sharpe,
    "mean-variance": _mean_variance,
    "risk-parity": _risk_parity,
    "hrp": _hrp,
    "black-litterman": _black_litterman,
}
METHODS: Final = tuple(_METHODS)
"""The methods, by name."""


def _check(weights: Floats, limits: Limits) -> None:
    """Raise DataError unless weights add up to 1 and keep their limits."""
    size = max(1.0, float(np.abs(weights).sum()))
    off = abs(float(weights.sum()) - 1.0)
    if not off <= _SLACK * size or not limits.hold(weights, _SLACK * size):
        message = f"the weights that were found add up to {1.0 + off:.9g} or break a bound"
        raise DataError(message)


def _describe(method: str, task: _Task, answer: _Answer, posterior: Posterior | None) -> Allocation:
    moments, weights = task.moments, answer.weights
    expected = float(moments.expected @ weights)
    deviation = math.sqrt(max(float(weights @ moments.covariance @ weights), 0.0))
    conventions = moments.conventions | {
        "method": answer.how,
        "weights": "of the portfolio's value, adding up to 1",
        "risk_contributions": "w (S w) / w'S w: part of the variance",
    }
    if posterior is not None:
        conventions["expected_return"] = "posterior mean, a year, the risk-free rate included"
        conventions["views"] = "returns of a year; confidence 0.5 is He and Litterman's"
    return Allocation(
        method,
        moments.series,
        weights,
        expected,
        deviation,
        (expected - moments.risk_free) / deviation if deviation > 0.0 else math.nan,
        contributions(moments.covariance, weights),
        answer.residual,
        conventions,
        answer.notes,
        posterior,
    )
