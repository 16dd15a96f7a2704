"""Portfolio: measures what an equity curve did."""

from neural_trader.portfolio.metrics import (
    Metrics,
    compute_drawdown,
    compute_metrics,
    compute_periods_per_year,
)

__all__ = ["Metrics", "compute_drawdown", "compute_metrics", "compute_periods_per_year"]
