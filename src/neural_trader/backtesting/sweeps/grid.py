"""Grids of parameters: what was written becomes values, and values become trials."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from neural_trader.core import ConfigError

Grid = dict[str, tuple[Any, ...]]
TRIALS_MAX: Final = 10_000_000


def read_grid_text(text: str) -> tuple[str, tuple[Any, ...]]:
    """Read one parameter's values: ``NAME=FIRST:LAST:STEP`` (inclusive) or ``NAME=A,B,C``.

    A range is counted in decimals, as a person would: 0.1:1.0:0.1 is ten values.

    Raises
    ------
    ConfigError
        Not of that form, an empty or reversed range, or a step of zero or beyond its range.

    Examples
    --------
    >>> read_grid_text("exit=0.1:0.4:0.1")
    ('exit', (0.1, 0.2, 0.3, 0.4))
    """
    name, equals, values = text.partition("=")
    if not equals or not name.isidentifier() or not values:
        message = f"--grid is {text!r}; expected NAME=FIRST:LAST:STEP or NAME=A,B,C"
        raise ConfigError(message)
    if ":" not in values:
        return name, tuple(_value(part.strip()) for part in values.split(","))
    try:
        first, last, step = (Decimal(part) for part in values.split(":"))
    except (ValueError, InvalidOperation):
        message = f"--grid is {text!r}; expected three numbers, FIRST:LAST:STEP"
        raise ConfigError(message) from None
    if not (first.is_finite() and last.is_finite() and step > 0 and step.is_finite()):
        message = f"--grid is {text!r}; expected finite numbers and a step above 0"
        raise ConfigError(message)
    if last < first:
        message = f"--grid is {text!r}: its range is reversed; expected FIRST <= LAST"
        raise ConfigError(message)
    count = int((last - first) / step) + 1
    if count > TRIALS_MAX:
        message = f"--grid is {text!r}: {count:,} values; expected at most {TRIALS_MAX:,}"
        raise ConfigError(message)
    return name, tuple(_number(first + step * k) for k in range(count))


def _number(value: Decimal) -> int | float:
    return (
        int(value)
        if value == value.to_integral_value() and value.as_tuple().exponent == 0
        else float(value)
    )


def _value(text: str) -> Any:  # noqa: ANN401 - whatever a parameter takes
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return _number(number) if number.is_finite() else text


def as_text(value: object) -> str:
    """Return a value as JSON with sorted keys, the same for equal ones; what JSON lacks by repr."""
    return json.dumps(value, sort_keys=True, default=repr)


def read_grid(grid: Mapping[str, Sequence[Any]]) -> Grid:
    """Return a grid with its values as tuples, or raise ConfigError."""
    if not isinstance(grid, Mapping) or not grid:
        message = (
            f"grid is {grid!r}; expected parameters and their values, {{'lookback': [20, 30]}}"
        )
        raise ConfigError(message)
    read: Grid = {}
    for name, values in grid.items():
        try:
            if isinstance(values, (str, bytes)):
                raise TypeError  # noqa: TRY301 - a text is a sequence of letters, and meant as none
            read[name] = tuple(
                value.item() if hasattr(value, "item") else value for value in values
            )
        except TypeError:
            message = f"grid[{name!r}] is {values!r}; expected a sequence of values"
            raise ConfigError(message) from None
        if not read[name]:
            message = f"grid[{name!r}] is empty; expected a value or more"
            raise ConfigError(message)
        if len(set(map(as_text, read[name]))) < len(read[name]):
            message = f"grid[{name!r}] has a value twice; each trial is run once"
            raise ConfigError(message)
    if count_trials(read) > TRIALS_MAX:
        message = f"the grid has {count_trials(read):,} trials; expected at most {TRIALS_MAX:,}"
        raise ConfigError(message)
    return read


def count_trials(grid: Grid) -> int:
    """Return how many trials a grid has."""
    count = 1
    for values in grid.values():
        count *= len(values)
    return count


def parameters_of(grid: Grid, place: int) -> dict[str, Any]:
    """Return the parameters of the trial at a place; the last parameter changes fastest."""
    chosen = {}
    for name in reversed(grid):
        place, at = divmod(place, len(grid[name]))
        chosen[name] = grid[name][at]
    return {name: chosen[name] for name in grid}


def trials(grid: Grid) -> Iterator[dict[str, Any]]:
    """Yield the parameters of every trial, in order."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
