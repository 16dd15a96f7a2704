"""Black and Litterman: what the market's weights imply, moved by views as far as they are sure."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from neural_trader.core import unknown_symbol
from neural_trader.core.errors import ConfigError
from neural_trader.core.numbers import plain_number
from neural_trader.portfolio.metrics import Floats
from neural_trader.portfolio.optimizers.moments import Moments


class View(NamedTuple):
    """What a portfolio of some series is expected to return.

    Attributes
    ----------
    weights : mapping of symbol to float
        ``{"KO": 1}`` is an absolute view of KO, ``{"KO": 1, "PEP": -1}`` a relative one: by how
        much KO will return more than PEP.
    expected : float
        Return of a year, as a fraction: all of it, the risk-free rate included.
    confidence : float
        Above 0, at most 1. 1 is certain; at 0.5 the view is as uncertain as the prior is about the
        same portfolio, which is He and Litterman's choice; c makes its variance
        tau (1 - c) / c x that of the portfolio.
    """

    weights: Mapping[str, float]
    expected: float
    confidence: float = 0.5


class Views(NamedTuple):
    """The market, and views of it.

    Attributes
    ----------
    market_weights : mapping of symbol to float
        Capitalizations or weights, of every series, 0 or more; they are scaled to add up to 1.
    views : tuple of View
        There may be none: then the market is held.
    risk_aversion : float
        Excess return over variance that the market is content with.
    tau : float
        Uncertainty of the prior means, as a part of the covariance.
    """

    market_weights: Mapping[str, float]
    views: tuple[View, ...] = ()
    risk_aversion: float = 2.5
    tau: float = 0.05


class Posterior(NamedTuple):
    """What is believed after the views.

    Attributes
    ----------
    market : float64 array, shape (N,)
        The market's weights.
    prior, expected : float64 arrays, shape (N,)
        Expected returns of a year before and after the views, the risk-free rate included.
    covariance : float64 array, shape (N, N)
        Of returns of a year, the uncertainty of their means included.
    """

    market: Floats
    prior: Floats
    expected: Floats
    covariance: Floats


def compute_posterior(moments: Moments, views: Views) -> Posterior:
    """Compute expected returns and covariance from the market and from views.

    Parameters
    ----------
    moments : Moments
        Their covariance counts, and the risk-free rate; not their expected returns.
    views : Views

    Returns
    -------
    Posterior

    Raises
    ------
    ConfigError
        A market weight is missing or below 0, a symbol unknown, a number out of its range, or two
        views are certain of the same.

    Notes
    -----
    prior pi = aversion S w; mean mu = pi + tau S P' (P tau S P' + O)^-1 (q - P pi); covariance
    S + tau S - tau S P' (P tau S P' + O)^-1 P tau S; O is diagonal. Nothing is inverted, so that a
    view may be certain.

    References
    ----------
    He and Litterman (1999), "The Intuition Behind Black-Litterman Model Portfolios", appendix B;
    Idzorek (2005), "A step-by-step guide to the Black-Litterman model", in the closed form of
    Walters (2014), "The Black-Litterman Model in Detail".
    """
    aversion = _positive("risk_aversion", views.risk_aversion)
    tau = _positive("tau", views.tau)
    market = _read_market(views.market_weights, moments.series)
    pick, wanted, doubt = _read_views(views.views, moments)
    uncertain = tau * moments.covariance
    prior = aversion * moments.covariance @ market
    spread = uncertain @ pick.T
    between = pick @ spread
    between += np.diag(doubt * between.diagonal())
    if len(wanted) and np.linalg.matrix_rank(between, hermitian=True) < len(wanted):
        message = (
            "two views are certain of the same portfolio, or one follows from the others: leave "
            "one out, or give it a confidence below 1"
        )
        raise ConfigError(message)
    found = np.linalg.solve(between, np.column_stack([wanted - pick @ prior, spread.T]))
    expected = prior + spread @ found[:, 0]
    covariance = moments.covariance + uncertain - spread @ found[:, 1:]
    rate = moments.risk_free
    return Posterior(market, prior + rate, expected + rate, (covariance + covariance.T) / 2.0)


def _positive(name: str, value: object) -> float:
    number = plain_number(value)
    if not 0.0 < number < np.inf:
        message = f"{name} is {value!r}; expected a finite number above 0"
        raise ConfigError(message)
    return number


def _read_market(given: Mapping[str, float], series: tuple[str, ...]) -> Floats:
    """Return the market's weights."""
    for symbol in given:
        if symbol not in series:
            raise ConfigError(
                "market_weights: " + unknown_symbol(symbol, series, where="the portfolio")
            )
    missing = [symbol for symbol in series if symbol not in given]
    if missing:
        message = (
            f"market_weights have none for {', '.join(missing[:5])}"
            f"{' and others' if len(missing) > 5 else ''}; expected the capitalization of every "
            "symbol (0 for none): without the market there is no prior"
        )
        raise ConfigError(message)
    made = np.array([plain_number(given[symbol]) for symbol in series])
    if not ((made >= 0.0) & (made < np.inf)).all() or not made.sum() > 0.0:
        message = "market_weights are not all finite and 0 or more, with one above 0"
        raise ConfigError(message)
    market: Floats = made / made.sum()
    return market


def _read_views(views: tuple[View, ...], moments: Moments) -> tuple[Floats, Floats, Floats]:
    """Return the portfolios of the views, their excess returns, and how much they are doubted."""
    series = moments.series
    pick = np.zeros((len(views), len(series)))
    wanted, doubt = np.zeros(len(views)), np.zeros(len(views))
    for row, view in enumerate(views):
        name = f"view {row + 1}"
        for symbol, weight in view.weights.items():
            if symbol not in series:
                raise ConfigError(
                    f"{name}: " + unknown_symbol(symbol, series, where="the portfolio")
                )
            pick[row, series.index(symbol)] = plain_number(weight)
        if not np.isfinite(pick[row]).all() or not pick[row].any():
            message = f"{name} has the weights {dict(view.weights)!r}; expected some other than 0"
            raise ConfigError(message)
        wanted[row] = plain_number(view.expected)
        if not np.isfinite(wanted[row]):
            message = f"{name} expects {view.expected!r}; expected a return such as 0.05"
            raise ConfigError(message)
        wanted[row] -= moments.risk_free * pick[row].sum()
        sure = plain_number(view.confidence)
        if not 0.0 < sure <= 1.0:
            message = (
                f"{name} has the confidence {view.confidence!r}; expected a number above 0, up to "
                "1 for certain"
            )
            raise ConfigError(message)
        doubt[row] = (1.0 - sure) / sure
    return pick, wanted, doubt
