"""How the metrics of returns are named, grouped and written where people read them."""

import math
from typing import Final

from neural_trader.reports.formats import NBSP, number, percent

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Return": (
        *("total_return", "cagr", "mean", "best", "worst", "hit_rate", "payoff", "profit_factor"),
        "expectancy",
    ),
    "Risk": (
        *("volatility", "downside_deviation", "skew", "excess_kurtosis", "tail_ratio", "var"),
        *("es", "autocorrelation"),
    ),
    "Drawdown": (
        *("max_drawdown", "average_drawdown", "drawdown_duration", "recovery", "recovery_factor"),
        *("ulcer", "pain", "cdar"),
    ),
    "Reward for risk": (
        *("sharpe", "lo_sharpe", "psr", "min_track_record", "sortino", "calmar", "sterling"),
        *("burke", "martin", "pain_ratio", "omega", "kappa_3", "kelly"),
    ),
    "Against the benchmark": (
        *("beta", "alpha", "r2", "tracking_error", "information_ratio", "m2", "treynor"),
        *("up_capture", "down_capture"),
    ),
    "Trading": ("turnover",),
}
"""Every metric of ``METRICS`` once, as tables show them."""

PERCENT: Final = frozenset(
    {"total_return", "cagr", "mean", "volatility", "downside_deviation", "best", "worst"}
    | {"hit_rate", "expectancy", "max_drawdown", "average_drawdown", "ulcer", "pain", "var"}
    | {"es", "cdar", "alpha", "tracking_error", "m2", "psr"}
)
PERIODS: Final = frozenset({"drawdown_duration", "recovery", "min_track_record"})
SIGNED: Final = frozenset(
    {"total_return", "cagr", "mean", "best", "worst", "expectancy", "alpha", "sharpe", "sortino"}
)
"""Of which a reader wants to see at once whether they are above zero."""

_WORDS: Final = {
    "cagr": "CAGR",
    "es": "expected shortfall",
    "psr": "probability of skill",
    "r2": "R²",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "calmar": "Calmar",
    "var": "value at risk",
}


def metric_words(name: str) -> str:
    """Return the name of a metric as words."""
    return _WORDS.get(name, name.replace("_", " "))


def metric_text(name: str, value: float) -> str:
    """Return a metric as it is read: percent, periods or a ratio; a dash where it is undefined."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0.0 else "−∞"
    if name in PERIODS:
        return f"{number(value, 0)}{NBSP}periods"
    if name in PERCENT:
        # The mean of a day is a hundredth of a percent or so.
        return percent(value, 4 if name in ("mean", "expectancy") else 2)
    return number(value, 3)


def listed(metrics: tuple[str, ...]) -> dict[str, list[str]]:
    """Return those of some metrics that stand in each group, without empty groups."""
    groups = {title: [name for name in names if name in metrics] for title, names in GROUPS.items()}
    return {title: names for title, names in groups.items() if names}
