"""What weights may be, beside adding up to 1: bounds of each and of groups, turnover, leverage."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from neural_trader.core import unknown_symbol
from neural_trader.core.errors import ConfigError
from neural_trader.core.numbers import plain_number
from neural_trader.portfolio.metrics import Floats

# So far may a sum of bounds be off 1, where 1/3 was written with ten digits.
_SLACK: Final = 1e-9


class Group(NamedTuple):
    """Bounds of the sum of some weights.

    Attributes
    ----------
    name : str
    symbols : tuple of str
    min_weight, max_weight : float
    """

    name: str
    symbols: tuple[str, ...]
    min_weight: float = -math.inf
    max_weight: float = math.inf


class Constraints(NamedTuple):
    """What weights may be, beside adding up to 1.

    Attributes
    ----------
    min_weight, max_weight : float, or mapping of symbol to float
        Of every weight, or of those named: the others have 0 and no upper bound. Long only by
        default. ``-math.inf`` is no lower bound.
    groups : tuple of Group
    turnover : float, optional
        Most that the weights may differ from ``current`` in sum of absolute differences: 2 is to
        sell all and buy something else.
    current : mapping of symbol to float, optional
        Weights held now; 0 where not named.
    leverage : float, optional
        Most that absolute weights may add up to.
    """

    min_weight: float | Mapping[str, float] = 0.0
    max_weight: float | Mapping[str, float] = math.inf
    groups: tuple[Group, ...] = ()
    turnover: float | None = None
    current: Mapping[str, float] | None = None
    leverage: float | None = None


class Limits(NamedTuple):
    """Constraints as arrays: ``low`` and ``high`` (N,), and ``rows`` (K, N) with bounds."""

    low: Floats
    high: Floats
    rows: Floats
    row_low: Floats
    row_high: Floats
    turnover: float | None
    current: Floats
    leverage: float | None

    @property
    def is_plain(self) -> bool:
        """Whether there are bounds of single weights alone."""
        return not len(self.rows) and self.turnover is None and self.leverage is None

    def hold(self, weights: Floats, slack: float) -> bool:
        """Return whether weights keep all of them."""
        sums = self.rows @ weights
        moved = float(np.abs(weights - self.current).sum())
        return bool(
            (weights >= self.low - slack).all()
            and (weights <= self.high + slack).all()
            and (sums >= self.row_low - slack).all()
            and (sums <= self.row_high + slack).all()
            and (self.turnover is None or moved <= self.turnover + slack)
            and (self.leverage is None or float(np.abs(weights).sum()) <= self.leverage + slack)
        )


def read_limits(constraints: Constraints, series: tuple[str, ...]) -> Limits:
    """Return constraints as arrays, and refuse those that no weights can keep.

    Raises
    ------
    ConfigError
        An unknown symbol, a bound that is none, or bounds that contradict each other.
    """
    low = _bounds("min_weight", constraints.min_weight, series, 0.0)
    high = _bounds("max_weight", constraints.max_weight, series, math.inf)
    wrong = np.flatnonzero((low > high) | (low == math.inf) | (high == -math.inf))
    if len(wrong):
        at = int(wrong[0])
        message = f"{series[at]} must weigh {low[at]:g} or more and {high[at]:g} or less"
        raise ConfigError(message)
    least, most = float(low.sum()), float(high.sum())
    if least > 1.0 + _SLACK:
        message = (
            f"the lower bounds of {len(series)} series add up to {least:.6g}; weights add up to 1: "
            "lower min_weight, or leave series out"
        )
        raise ConfigError(message)
    if most < 1.0 - _SLACK:
        message = (
            f"the upper bounds of {len(series)} series add up to {most:.6g}; weights add up to 1: "
            f"raise max_weight to {1.0 / len(series):.6g} or more"
        )
        raise ConfigError(message)
    for name, most_of in (("turnover", constraints.turnover), ("leverage", constraints.leverage)):
        if most_of is not None and not plain_number(most_of) >= 0.0:
            message = f"{name} is {most_of!r}; expected a number, 0 or more"
            raise ConfigError(message)
    if (constraints.turnover is None) != (constraints.current is None):
        message = "turnover is counted from weights held now: give both turnover and current"
        raise ConfigError(message)
    rows, sums = _groups(constraints.groups, series)
    return Limits(
        low,
        high,
        rows,
        sums[0],
        sums[1],
        constraints.turnover,
        _bounds("current", constraints.current or {}, series, 0.0),
        constraints.leverage,
    )


def _bounds(
    name: str, given: float | Mapping[str, float], series: tuple[str, ...], other: float
) -> Floats:
    """Return a number a series."""
    if not isinstance(given, Mapping):
        return np.full(len(series), _number(name, given))
    made = np.full(len(series), other)
    for symbol, value in given.items():
        made[_place(name, symbol, series)] = _number(f"{name} of {symbol}", value)
    return made


def _number(name: str, value: object) -> float:
    number = plain_number(value)
    if math.isnan(number):
        message = f"{name} is {value!r}; expected a number such as 0.1 for 10 %"
        raise ConfigError(message)
    return number


def _place(name: str, symbol: str, series: tuple[str, ...]) -> int:
    if symbol not in series:
        raise ConfigError(f"{name}: " + unknown_symbol(symbol, series, where="the portfolio"))
    return series.index(symbol)


def _groups(groups: tuple[Group, ...], series: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Return the rows of the groups, shape (K, N), and their bounds, shape (2, K)."""
    rows = np.zeros((len(groups), len(series)))
    sums = np.zeros((2, len(groups)))
    for row, group in enumerate(groups):
        if not group.symbols:
            message = f"group {group.name!r} has no symbols"
            raise ConfigError(message)
        for symbol in group.symbols:
            rows[row, _place(f"group {group.name!r}", symbol, series)] = 1.0
        low = _number(f"the least of group {group.name!r}", group.min_weight)
        high = _number(f"the most of group {group.name!r}", group.max_weight)
        if low > high:
            message = f"group {group.name!r} must weigh {low:g} or more and {high:g} or less"
            raise ConfigError(message)
        sums[:, row] = low, high
    return rows, sums
