"""Portfolio: measures what an equity curve did, and what positions are worth."""

from neural_trader.portfolio.calendar import YearOfReturns, compute_calendar_returns
from neural_trader.portfolio.ledger import Ledger, PositionLine, Totals
from neural_trader.portfolio.metrics import (
    Metrics,
    compute_drawdown,
    compute_metrics,
    compute_periods_per_year,
    last_of_sessions,
)
from neural_trader.portfolio.performance import COMMON, METRICS, Performance, measure

__all__ = [
    "COMMON",
    "METRICS",
    "Ledger",
    "Metrics",
    "Performance",
    "PositionLine",
    "Totals",
    "YearOfReturns",
    "compute_calendar_returns",
    "compute_drawdown",
    "compute_metrics",
    "compute_periods_per_year",
    "last_of_sessions",
    "measure",
]
