"""skfolio: the summary of a portfolio of one asset a series.

Its summary is by period, uncompounded, and takes kurtosis raw; what is compared is made a year's
here.
"""

import numpy as np
import pandas as pd
from skfolio import Portfolio

PACKAGE = "skfolio"
METRICS = 0  # counted when it has run


def prepare(returns, benchmark):  # noqa: ARG001 - all of them are called alike
    index = pd.bdate_range("2021-01-04", periods=len(returns))
    frame = pd.DataFrame(returns, index=index, columns=[f"S{k}" for k in range(returns.shape[1])])
    return [frame[[name]] for name in frame]


def run(frames):
    global METRICS  # noqa: PLW0603
    found = [Portfolio(X=one, weights=[1.0]).summary(formatted=False) for one in frames]
    METRICS = len(found[0])
    return found


def read(result):
    table = pd.DataFrame(result)
    return {
        "volatility": table["Annualized Standard Deviation"],
        "sharpe": table["Annualized Sharpe Ratio"],
        "skew": table["Skew"],
        "excess_kurtosis": np.array(table["Kurtosis"], dtype=float) - 3.0,
    }
