"""Metrics of returns by quantstats: ``python metrics_quantstats.py RETURNS.npz`` prints JSON.

Periods a year are told to it where it asks for them; where it does not, it takes 252.
"""

import json
import logging
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd

logging.disable(logging.CRITICAL)
from quantstats import stats as qs  # noqa: E402 - its fonts are logged at import


def figures(x, b, periods):
    """Return its figures of one series."""
    greeks = qs.greeks(x, b, periods=periods)
    return {
        "comp": qs.comp(x),
        "cagr": qs.cagr(x, periods=periods),
        "expected_return": qs.expected_return(x),
        "volatility": qs.volatility(x, periods=periods),
        "sharpe": qs.sharpe(x, periods=periods),
        "smart_sharpe": qs.smart_sharpe(x, periods=periods),
        "sortino": qs.sortino(x, periods=periods),
        "omega": qs.omega(x, periods=periods),
        "max_drawdown": qs.max_drawdown(x),
        "calmar": qs.calmar(x, periods=periods),
        "ulcer_index": qs.ulcer_index(x),
        "ulcer_performance_index": qs.ulcer_performance_index(x),
        "recovery_factor": qs.recovery_factor(x),
        "tail_ratio": qs.tail_ratio(x),
        "skew": qs.skew(x),
        "kurtosis": qs.kurtosis(x),
        "value_at_risk": qs.value_at_risk(x),
        "cvar": qs.cvar(x),
        "best": qs.best(x),
        "worst": qs.worst(x),
        "win_rate": qs.win_rate(x),
        "payoff_ratio": qs.payoff_ratio(x),
        "profit_factor": qs.profit_factor(x),
        "kelly_criterion": qs.kelly_criterion(x),
        "probabilistic_sharpe_ratio": qs.probabilistic_sharpe_ratio(x, periods=periods),
        "beta": greeks["beta"],
        "alpha": greeks["alpha"],
        "r_squared": qs.r_squared(x, b),
        "information_ratio": qs.information_ratio(x, b),
        "treynor_ratio": qs.treynor_ratio(x, b, periods=periods),
        "volatility by default": qs.volatility(x),
    }


def main():
    """Answer on standard output."""
    given = np.load(sys.argv[1])
    index = pd.to_datetime(given["days"], unit="D")
    b = pd.Series(given["benchmark"], index=index)
    found = [
        figures(pd.Series(column, index=index), b, int(given["periods"]))
        for column in given["returns"].T
    ]
    plain = [{name: float(value) for name, value in one.items()} for one in found]
    print(json.dumps({"version": version("quantstats"), "figures": plain}))


if __name__ == "__main__":
    main()
