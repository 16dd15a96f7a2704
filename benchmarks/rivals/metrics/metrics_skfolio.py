"""Metrics of returns by skfolio: ``python metrics_skfolio.py RETURNS.npz`` prints JSON."""

import json
import sys
from importlib.metadata import version

import numpy as np
from skfolio import measures as sk


def figures(x):
    """Return its figures of one series, of a period each."""
    falls = sk.get_drawdowns(x, compounded=True)
    return {
        "mean": sk.mean(x),
        "standard_deviation": sk.standard_deviation(x),
        "semi_deviation": sk.semi_deviation(x, min_acceptable_return=0.0),
        "skew": sk.skew(x),
        "kurtosis": sk.kurtosis(x),
        "worst_realization": sk.worst_realization(x),
        "value_at_risk": sk.value_at_risk(x, beta=0.95),
        "cvar": sk.cvar(x, beta=0.95),
        "max_drawdown": sk.max_drawdown(falls),
        "average_drawdown": sk.average_drawdown(falls),
        "ulcer_index": sk.ulcer_index(falls),
        "cdar": sk.cdar(falls, beta=0.95),
        "max_drawdown by default": sk.max_drawdown(sk.get_drawdowns(x)),
    }


def main():
    """Answer on standard output."""
    given = np.load(sys.argv[1])
    found = [figures(np.ascontiguousarray(column)) for column in given["returns"].T]
    plain = [{name: float(value) for name, value in one.items()} for one in found]
    print(json.dumps({"version": version("skfolio"), "figures": plain}))


if __name__ == "__main__":
    main()
