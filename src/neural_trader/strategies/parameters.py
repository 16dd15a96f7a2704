"""Reads strategy parameters: plain Python numbers out, clear messages for anything else."""

import math
import numbers

from neural_trader.core import ConfigError
from neural_trader.core.numbers import plain_number
from neural_trader.strategies.sizing import read_gross


def read_whole(name: str, value: object, *, at_least: int) -> int:
    """Return a whole number of at least ``at_least``, or raise ConfigError."""
    whole = type(value) is int or (
        isinstance(value, numbers.Integral) and not isinstance(value, bool)
    )
    if not whole or int(value) < at_least:  # type: ignore[call-overload]
        message = f"{name} is {value!r}; expected a whole number of bars, at least {at_least}"
        raise ConfigError(message)
    return int(value)  # type: ignore[call-overload,no-any-return]


def read_finite(name: str, value: object) -> float:
    """Return a finite number, or raise ConfigError."""
    number = plain_number(value)
    if not math.isfinite(number):
        message = f"{name} is {value!r}; expected a finite number"
        raise ConfigError(message)
    return number


def read_symbol(name: str, value: object) -> str:
    """Return a symbol, or raise ConfigError."""
    if not isinstance(value, str) or not value.strip():
        message = f"{name} is {value!r}; expected a symbol such as 'KO'"
        raise ConfigError(message)
    return value


def read_size(value: float | str) -> float | str:
    """Return a gross value in its plain form, or raise ConfigError."""
    read_gross(value)
    return value if isinstance(value, str) else float(value)
