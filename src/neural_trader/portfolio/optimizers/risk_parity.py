"""Risk parity: weights whose parts of the risk are equal, or stand as their budgets do."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from neural_trader._kernels import allocation as kernel
from neural_trader.core import unknown_symbol
from neural_trader.core.errors import ConfigError, DataError
from neural_trader.core.numbers import plain_number
from neural_trader.portfolio.metrics import Floats

TOLERANCE: Final = 1e-9
"""How far a part of the risk may be off its budget, as a fraction of all risk."""


def read_budgets(budgets: Mapping[str, float] | None, series: tuple[str, ...]) -> Floats:
    """Return the parts of the risk that are wanted, adding up to 1; equal ones by default.

    Raises
    ------
    ConfigError
        A symbol is unknown or missing, or a budget not above 0.
    """
    if budgets is None:
        return np.full(len(series), 1.0 / len(series))
    for symbol in budgets:
        if symbol not in series:
            raise ConfigError("budgets: " + unknown_symbol(symbol, series, where="the portfolio"))
    missing = [symbol for symbol in series if symbol not in budgets]
    if missing:
        message = f"budgets have none for {', '.join(missing[:5])}; expected one for every symbol"
        raise ConfigError(message)
    made = np.array([plain_number(budgets[symbol]) for symbol in series])
    if not ((made > 0.0) & (made < np.inf)).all():
        message = f"budgets are {dict(budgets)!r}; expected finite numbers above 0"
        raise ConfigError(message)
    shares: Floats = made / made.sum()
    return shares


def spread_risk(matrix: Floats, shares: Floats) -> tuple[Floats, float]:
    """Return the long-only weights whose parts of the variance are ``shares``, and their residual.

    Parameters
    ----------
    matrix : float64 array, shape (N, N)
        Covariance, with variances above 0; it may be singular.
    shares : float64 array, shape (N,)
        Above 0, adding up to 1.

    Raises
    ------
    DataError
        No such weights were found: some portfolio has no risk at all.

    References
    ----------
    Maillard, Roncalli and Teiletche (2010), "The Properties of Equally Weighted Risk Contribution
    Portfolios"; Spinu (2013), "An Algorithm for Computing Risk Parity Weights".
    """
    count = len(matrix)
    scale = 1.0 / np.sqrt(matrix.diagonal())
    correlations = matrix * scale * scale[:, np.newaxis]
    whole = max(float(correlations.sum()), 1e-6)
    weights = np.full(count, 1.0 / np.sqrt(whole))
    steps = kernel.erc(
        np.ascontiguousarray(correlations).reshape(-1),
        shares,
        weights,
        np.empty(count * count + 2 * count),
    )
    weights *= scale
    weights /= weights.sum()
    residual = np.inf
    if steps > 0 and np.isfinite(weights).all():
        residual = float(np.abs(contributions(matrix, weights) - shares).max())
    if not residual <= TOLERANCE:
        message = (
            "no weights spread the risk as wanted: some portfolio of these series has no risk, or "
            "nearly none. Use covariance ledoit-wolf or oas, or leave out what hedges the others"
        )
        raise DataError(message)
    return weights, residual


def contributions(matrix: Floats, weights: Floats) -> Floats:
    """Return each weight's part of the variance; they add up to 1, and are NaN without risk."""
    parts: Floats = weights * (matrix @ weights)
    total = float(parts.sum())
    return parts / total if total > 0.0 else np.full(len(weights), np.nan)
