"""How much a strategy puts at work: an amount of money or a share of equity."""

import math
from typing import Any, NamedTuple

from neural_trader.core import ConfigError

SHARE_MAX = 10.0
"""Up to this number ``gross`` is a share of equity; above it, money."""


class Gross(NamedTuple):
    """The gross value of a new position: ``amount`` of money, or of equity if ``of_equity``."""

    amount: float
    of_equity: bool

    def __str__(self) -> str:
        """Say it in words."""
        if self.of_equity:
            return f"{self.amount:.6g} of equity ({self.amount * 100:.6g} %)"
        return f"{self.amount:,.2f} in money"


def read_gross(value: float | str) -> Gross:
    """Read a gross value.

    Parameters
    ----------
    value : float or str
        ``20_000`` or any number above 10: money. A number from 0 to 10: a share of equity, so 0.2
        is 20 % and 1.5 is 150 %. ``"20%"``: a share of equity too.

    Raises
    ------
    ConfigError
        Not a finite number above zero.
    """
    percent = isinstance(value, str) and value.strip().endswith("%")
    # The plain type first: a sweep asks a thousand times.
    amount = value if type(value) is float else _read(value)
    if not (math.isfinite(amount) and amount > 0.0):
        message = (
            f"gross is {value!r}; expected money such as 20000, or a share of equity such as "
            "0.2 or 20%"
        )
        raise ConfigError(message)
    if percent:
        return Gross(amount / 100.0, of_equity=True)
    return Gross(amount, of_equity=amount <= SHARE_MAX)


def _read(value: object) -> float:
    """Return what is written as a number, or NaN."""
    if isinstance(value, bool):
        return math.nan
    try:
        number: Any = value.strip().removesuffix("%") if isinstance(value, str) else value
        return float(number)
    except (TypeError, ValueError, OverflowError):
        return math.nan
