"""ffn: ``calc_stats`` of a frame of prices.

Left out of the comparison: growth by calendar days, skew and kurtosis (bias-corrected).
"""

import ffn
import numpy as np
import pandas as pd

PACKAGE = "ffn"
METRICS = 0  # counted when it has run


def prepare(returns, benchmark):  # noqa: ARG001 - all of them are called alike
    index = pd.bdate_range("2020-12-31", periods=len(returns) + 1)
    wealth = np.vstack([np.ones(returns.shape[1]), np.cumprod(1.0 + returns, axis=0)])
    names = [f"S{k}" for k in range(returns.shape[1])]
    return pd.DataFrame(100.0 * wealth, index=index, columns=names)


def run(prices):
    global METRICS  # noqa: PLW0603
    found = ffn.calc_stats(prices)
    METRICS = len(found.stats)
    return found


def read(result):
    table = result.stats
    return {
        "total_return": np.array(table.loc["total_return"], dtype=float),
        "volatility": np.array(table.loc["daily_vol"], dtype=float),
        "sharpe": np.array(table.loc["daily_sharpe"], dtype=float),
        "max_drawdown": -np.array(table.loc["max_drawdown"], dtype=float),
        "best": np.array(table.loc["best_day"], dtype=float),
        "worst": np.array(table.loc["worst_day"], dtype=float),
    }
