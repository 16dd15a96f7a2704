"""Checks of strategy parameters, with messages that say what was found and expected."""

import math

from neural_trader.core import ConfigError


def check_whole(name: str, value: object, *, at_least: int) -> None:
    """Raise ConfigError unless ``value`` is a whole number of at least ``at_least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        message = f"{name} is {value!r}; expected a whole number of bars, at least {at_least}"
        raise ConfigError(message)


def check_finite(name: str, value: object) -> None:
    """Raise ConfigError unless ``value`` is a finite number."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value):  # type: ignore[arg-type]
        message = f"{name} is {value!r}; expected a finite number"
        raise ConfigError(message)


def check_symbol(name: str, value: object) -> None:
    """Raise ConfigError unless ``value`` is a symbol."""
    if not isinstance(value, str) or not value.strip():
        message = f"{name} is {value!r}; expected a symbol such as 'KO'"
        raise ConfigError(message)
