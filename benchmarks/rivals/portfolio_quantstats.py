"""quantstats: one function a metric and series, on pandas series.

Left out of the comparison: value at risk (normal, negative), skew and kurtosis (bias-corrected),
growth by calendar days, Calmar and Ulcer with it.
"""

import numpy as np
import pandas as pd
from quantstats import stats

PACKAGE = "quantstats"
NAMES = (
    *("comp", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "ulcer_index"),
    *("value_at_risk", "cvar", "skew", "kurtosis", "omega", "tail_ratio", "best", "worst"),
    *("win_rate", "payoff_ratio", "profit_factor", "gain_to_pain_ratio"),
)
METRICS = len(NAMES)
SAME = {"comp": "total_return", "volatility": "volatility", "sharpe": "sharpe"}


def prepare(returns, benchmark):  # noqa: ARG001 - all of them are called alike
    index = pd.bdate_range("2021-01-04", periods=len(returns))
    return [pd.Series(column, index=index) for column in returns.T]


def run(series):
    return {name: [getattr(stats, name)(one) for one in series] for name in NAMES}


def read(result):
    same = {ours: result[name] for name, ours in SAME.items()}
    return same | {"max_drawdown": -np.array(result["max_drawdown"])}
