"""Metrics by empyrical-reloaded: ``python metrics_empyrical.py RETURNS.npz`` prints JSON.

Periods a year are told to it, since it takes 252 for whatever it is given.
"""

import json
import sys
from importlib.metadata import version

import empyrical as ep
import numpy as np
import pandas as pd


def figures(x, b, periods):
    """Return its figures of one series."""
    return {
        "cum_returns_final": ep.cum_returns_final(x),
        "annual_return": ep.annual_return(x, annualization=periods),
        "annual_volatility": ep.annual_volatility(x, annualization=periods),
        "sharpe_ratio": ep.sharpe_ratio(x, annualization=periods),
        "sortino_ratio": ep.sortino_ratio(x, annualization=periods),
        "downside_risk": ep.downside_risk(x, annualization=periods),
        "max_drawdown": ep.max_drawdown(x),
        "calmar_ratio": ep.calmar_ratio(x, annualization=periods),
        "omega_ratio": ep.omega_ratio(x, annualization=periods),
        "tail_ratio": ep.tail_ratio(x),
        "value_at_risk": ep.value_at_risk(x),
        "conditional_value_at_risk": ep.conditional_value_at_risk(x),
        "beta": ep.beta(x, b),
        "alpha": ep.alpha(x, b, annualization=periods),
        "excess_sharpe": ep.excess_sharpe(x, b),
        "up_capture": ep.up_capture(x, b, period="monthly" if periods == 12 else "daily"),
        "down_capture": ep.down_capture(x, b, period="monthly" if periods == 12 else "daily"),
        "annual_volatility by default": ep.annual_volatility(x),
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
    print(json.dumps({"version": version("empyrical-reloaded"), "figures": plain}))


if __name__ == "__main__":
    main()
