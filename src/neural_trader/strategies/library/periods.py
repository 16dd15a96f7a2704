"""Days, weeks, months and quarters, at whose first bar a rule decides."""

import datetime as dt
from typing import Literal, get_args

from neural_trader.core import ConfigError

Period = Literal["day", "week", "month", "quarter"]


def read_period(name: str, value: Period) -> Period:
    """Return a period, or raise ConfigError."""
    if value not in get_args(Period):
        message = f"{name} is {value!r}; expected day, week, month or quarter"
        raise ConfigError(message)
    return value


def period_of(date: dt.date, period: Period) -> object:
    """Return what stays the same within a period."""
    if period == "day":
        return date
    if period == "week":
        return date.isocalendar()[:2]
    month = date.month if period == "month" else (date.month - 1) // 3
    return date.year, month
