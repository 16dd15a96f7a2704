"""Portfolio: measures what returns and equity curves did, and what positions are worth."""

from neural_trader.portfolio.calendar import (
    YearOfReturns,
    calendar_of_returns,
    compute_calendar_returns,
)
from neural_trader.portfolio.drawdowns import Drawdown, compute_drawdown, find_drawdowns
from neural_trader.portfolio.factors import FactorModel, compute_factor_model
from neural_trader.portfolio.ledger import Ledger, PositionLine, Totals
from neural_trader.portfolio.metrics import OLDER_NAMES, Metrics, compute_metrics
from neural_trader.portfolio.performance import COMMON, METRICS, Performance, measure
from neural_trader.portfolio.periods import (
    YEAR_NS,
    compute_periods_per_year,
    last_of_sessions,
)
from neural_trader.portfolio.rolling import ROLLING, compute_rolling
from neural_trader.portfolio.significance import deflated_sharpe, expected_best_sharpe
from neural_trader.portfolio.turnover import compute_turnover, turnover_of_weights

__all__ = [
    "COMMON",
    "METRICS",
    "OLDER_NAMES",
    "ROLLING",
    "YEAR_NS",
    "Drawdown",
    "FactorModel",
    "Ledger",
    "Metrics",
    "Performance",
    "PositionLine",
    "Totals",
    "YearOfReturns",
    "calendar_of_returns",
    "compute_calendar_returns",
    "compute_drawdown",
    "compute_factor_model",
    "compute_metrics",
    "compute_periods_per_year",
    "compute_rolling",
    "compute_turnover",
    "deflated_sharpe",
    "expected_best_sharpe",
    "find_drawdowns",
    "last_of_sessions",
    "measure",
    "turnover_of_weights",
]
