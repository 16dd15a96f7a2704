"""Turnover: how much was traded for what was owned."""

import math

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError, DataError

Floats = NDArray[np.float64]


def compute_turnover(traded: Floats | float, equity: Floats, years: float) -> float:
    """Return the value traded a year, purchases and sales together, over mean equity.

    Parameters
    ----------
    traded : float or float64 array
        Value of every trade, without its sign, or their sum.
    equity : float64 array, shape (T,)
        Value of the account at every close.
    years : float
        Elapsed time.

    Returns
    -------
    float
        2 for one who sells all and buys something else once a year. NaN where no time passed, or
        mean equity is not above zero.
    """
    mean = float(equity.mean()) if len(equity) else 0.0
    if not (mean > 0.0 and years > 0.0):
        return math.nan
    return float(np.sum(traded)) / mean / years


def turnover_of_weights(weights: Floats, returns: Floats, *, periods: float = 252.0) -> float:
    """Return the turnover of weights that are set anew at the begin of every period.

    Parameters
    ----------
    weights : float64 array, shape (T, N)
        Fractions of equity held from the begin of a period on; the rest is cash.
    returns : float64 array, shape (T, N)
        Simple returns of those periods.
    periods : float
        Periods a year.

    Returns
    -------
    float
        ``compute_turnover`` of what it takes to come from the weights that prices left at the end
        of a period to those of the next; the first purchase counts. NaN for no period, and where
        all was lost.

    Raises
    ------
    ConfigError
        Shapes do not fit.
    DataError
        A weight or a return is not finite.
    """
    if weights.ndim != 2 or weights.shape != returns.shape:
        message = f"weights have shape {weights.shape} and returns {returns.shape}; expected (T, N)"
        raise ConfigError(message)
    for what, table in (("weight", weights), ("return", returns)):
        bad = np.argwhere(~np.isfinite(table))
        if len(bad):
            row, column = bad[0].tolist()
            message = f"the {what} in row {row}, column {column} is {table[row, column]}"
            raise DataError(message)
    growth = 1.0 + (weights * returns).sum(axis=1)
    if not len(growth) or not (growth > 0.0).all():
        return math.nan
    ends = np.cumprod(growth)
    begins = np.concatenate(([1.0], ends[:-1]))
    drifted = weights * (1.0 + returns) / growth[:, None]
    before = np.vstack([np.zeros((1, weights.shape[1])), drifted[:-1]])
    traded = np.abs(weights - before).sum(axis=1) * begins
    return compute_turnover(traded, ends, len(growth) / periods)
