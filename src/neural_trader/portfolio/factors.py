"""Factor regression: what of a series other returns explain, and what is left."""

import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.portfolio.reference import NOISE, lags_of
from neural_trader.portfolio.series import span_of

Floats = NDArray[np.float64]

_DEPENDENT: Final = 1e-10


class FactorModel(NamedTuple):
    """A series as a sum of factors.

    Attributes
    ----------
    factors : tuple of str, length K
    alpha : float
        What is left of the mean, a year.
    betas : float64 array, shape (K,)
    alpha_t, betas_t : float and float64 array, shape (K,)
        t statistics; NaN where nothing is left to explain.
    r2, adjusted_r2 : float
        Share of the variance that is explained; NaN where there is none.
    residual_volatility : float
        Annualised; ddof K + 1.
    observations : int
    lags : int or None
        Of Newey and West's errors; None for those of least squares.
    """

    factors: tuple[str, ...]
    alpha: float
    betas: Floats
    alpha_t: float
    betas_t: Floats
    r2: float
    adjusted_r2: float
    residual_volatility: float
    observations: int
    lags: int | None


def compute_factor_model(
    returns: Floats,
    factors: Floats,
    *,
    names: Sequence[str] | None = None,
    periods: float = 252.0,
    risk_free: float = 0.0,
    lags: int | Literal["auto"] | None = None,
) -> FactorModel:
    """Explain the returns beyond the risk-free rate by factors, with least squares.

    Parameters
    ----------
    returns : float64 array, shape (T,)
        Simple returns; NaN before the first and after the last.
    factors : float64 array, shape (T,) or (T, K)
        Returns of factors beyond the risk-free rate, or of long-short ones; finite where
        ``returns`` are.
    names : sequence of str, length K, optional
        Numbers by default.
    periods : float
        Periods a year.
    risk_free : float
        Annual rate, as a fraction, taken off ``returns`` alone.
    lags : int or "auto", optional
        Standard errors that hold with autocorrelation up to this lag and with changing variance
        (0: with changing variance alone); ``"auto"`` takes 4 (n / 100)^(2/9).

    Returns
    -------
    FactorModel

    Raises
    ------
    ConfigError
        A shape, name or number does not fit.
    DataError
        There are too few returns, a hole, or a factor that is a sum of others or a constant.

    Notes
    -----
    Newey and West's errors carry no small-sample correction.

    References
    ----------
    Newey and West (1987), equation 5; (1994) for the number of lags.
    """
    y = np.asarray(returns, np.float64)
    first, stop = span_of(y)
    table = np.asarray(factors, np.float64)
    table = table[:, np.newaxis] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[0] != len(y) or not table.shape[1]:
        message = f"factors have shape {np.shape(factors)}; expected ({len(y)}, K)"
        raise ConfigError(message)
    labels = tuple(names) if names is not None else tuple(map(str, range(table.shape[1])))
    _check(labels, table.shape[1], periods, risk_free)
    x, n = np.column_stack([np.ones(stop - first), table[first:stop]]), stop - first
    _check_factors(x, labels, first)
    taken = _lags(lags, n)
    free = math.pow(1.0 + risk_free, 1.0 / periods) - 1.0
    excess = y[first:stop] - free
    scale = np.sqrt(np.square(x).sum(axis=0))
    q, r = np.linalg.qr(x / scale)
    inverse = np.linalg.inv(r) / scale[:, np.newaxis]
    found = inverse @ (q.T @ excess)
    left = excess - x @ found
    moves = float(np.ptp(excess)) > NOISE
    spare = n - x.shape[1]
    unexplained = float(left @ left)
    total = float(np.square(excess - excess.mean()).sum())
    r2 = 1.0 - unexplained / total if moves else math.nan
    errors = np.sqrt(np.diag(_covariance(x, left, inverse @ inverse.T, taken)))
    is_exact = math.sqrt(unexplained / n) <= NOISE
    t = np.full(len(found), math.nan) if is_exact else found / errors
    return FactorModel(
        labels,
        float(found[0]) * periods,
        found[1:],
        float(t[0]),
        t[1:],
        r2,
        1.0 - (1.0 - r2) * (n - 1) / spare,
        math.sqrt(unexplained / spare) * math.sqrt(periods),
        n,
        taken,
    )


def _check(labels: tuple[str, ...], count: int, periods: float, risk_free: float) -> None:
    if len(labels) != count or len(set(labels)) != count:
        message = f"{count} factors need {count} different names; {len(set(labels))} were given"
        raise ConfigError(message)
    if not 0.0 < periods < math.inf:
        message = f"periods is {periods}; expected how many make a year, such as 252 or 12"
        raise ConfigError(message)
    if not -1.0 < risk_free < math.inf:
        message = f"risk_free is {risk_free}; expected an annual rate above -1, such as 0.03"
        raise ConfigError(message)


def _lags(lags: int | Literal["auto"] | None, n: int) -> int | None:
    if lags is None:
        return None
    taken = min(lags_of(n), n - 1) if lags == "auto" else lags
    if not isinstance(taken, int) or not 0 <= taken < n:
        message = f"lags is {lags!r}; expected 0 to {n - 1}, 'auto', or None"
        raise ConfigError(message)
    return taken


def _check_factors(x: Floats, labels: tuple[str, ...], first: int) -> None:
    n, width = x.shape
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        row, column = bad[0].tolist()
        message = (
            f"factor {labels[column - 1]!r} has {x[row, column]} at row {first + row}, where the "
            "series has a return"
        )
        raise DataError(message)
    if n <= width:
        message = f"there are {n} returns for {width - 1} factors; expected more than {width}"
        raise DataError(message)
    # What a column adds to those before it, by its own size about its mean.
    centered = x[:, 1:] - x[:, 1:].mean(axis=0)
    size = np.sqrt(np.square(centered).sum(axis=0))
    own = np.abs(np.diag(np.linalg.qr(centered)[1]))
    for place, label in enumerate(labels):
        if np.ptp(x[:, place + 1]) <= NOISE or own[place] <= _DEPENDENT * size[place]:
            message = (
                f"factor {label!r} does not vary, or is a sum of those before it; leave it out"
            )
            raise DataError(message)


def _covariance(x: Floats, left: Floats, inverse: Floats, lags: int | None) -> Floats:
    """Return the covariance of the estimates: least squares, or Newey and West (1987)."""
    if lags is None:
        covariance: Floats = inverse * (float(left @ left) / (len(x) - x.shape[1]))
        return covariance
    moments = x * left[:, np.newaxis]
    middle = moments.T @ moments
    for lag in range(1, lags + 1):
        product = moments[lag:].T @ moments[:-lag]
        middle = middle + (1.0 - lag / (lags + 1)) * (product + product.T)
    both: Floats = inverse @ middle @ inverse
    return both
