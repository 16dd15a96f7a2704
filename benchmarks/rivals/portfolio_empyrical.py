"""empyrical-reloaded: one function a metric and series, on pandas series.

Left out of the comparison: value at risk and what is beyond it (interpolated, negative).
"""

import empyrical
import numpy as np
import pandas as pd

PACKAGE = "empyrical-reloaded"
NAMES = (
    *("cum_returns_final", "annual_return", "annual_volatility", "sharpe_ratio", "sortino_ratio"),
    *("calmar_ratio", "max_drawdown", "downside_risk", "omega_ratio", "tail_ratio"),
    *("stability_of_timeseries", "value_at_risk", "conditional_value_at_risk"),
)
METRICS = len(NAMES) + 2
SAME = {
    "cum_returns_final": "total_return",
    "annual_return": "cagr",
    "annual_volatility": "volatility",
    "sharpe_ratio": "sharpe",
    "sortino_ratio": "sortino",
    "calmar_ratio": "calmar",
    "downside_risk": "downside_deviation",
}


def prepare(returns, benchmark):
    index = pd.bdate_range("2021-01-04", periods=len(returns))
    return [pd.Series(column, index=index) for column in returns.T], pd.Series(benchmark, index)


def run(held):
    series, benchmark = held
    found = {name: [getattr(empyrical, name)(one) for one in series] for name in NAMES}
    found["alpha_beta"] = [empyrical.alpha_beta(one, benchmark) for one in series]
    return found


def read(result):
    same = {ours: result[name] for name, ours in SAME.items()}
    same["max_drawdown"] = -np.array(result["max_drawdown"])
    return same | {"beta": [beta for _, beta in result["alpha_beta"]]}
