"""European options: their value by Black, Scholes and Merton, and a book as the kernel takes it."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels import revaluation
from neural_trader.risk.book import Book, Options

Floats = NDArray[np.float64]

STEPS_A_YEAR: Final = 252
"""Steps of a horizon in the year by which options lose time."""


class Holdings(NamedTuple):
    """A book as the kernel of revaluation takes it.

    Attributes
    ----------
    positions : float64 array, shape (N,)
        Money in each symbol.
    under : int64 array, shape (M,)
        Symbol under each option.
    options : float64 array, shape (M, COLUMNS)
    """

    positions: Floats
    under: NDArray[np.int64]
    options: Floats

    @property
    def arrays(self) -> tuple[Floats, NDArray[np.int64], Floats]:
        """The same as a plain tuple, which is what a kernel takes."""
        return self.positions, self.under, self.options


def value_options(options: Options, spots: Floats) -> Floats:
    """Return the value of one unit of each option.

    Parameters
    ----------
    options : Options
        Of which ``units`` and ``underlying`` are not read; with 0 years left it is worth what it
        pays.
    spots : float64 array, shape (M,)
        Price of each underlying; above 0.

    Returns
    -------
    float64 array, shape (M,)

    References
    ----------
    Black and Scholes (1973); Merton (1973) for the yield.
    """
    sign = np.where(options.is_call != 0, 1.0, -1.0)
    root = options.volatility * np.sqrt(options.years)
    asset = spots * np.exp(-options.dividend_yield * options.years)
    strike = options.strike * np.exp(-options.rate * options.years)
    values = np.maximum(sign * (asset - strike), 0.0)
    for i in np.flatnonzero(root > 0.0):
        d1 = math.log(asset[i] / strike[i]) / root[i] + 0.5 * root[i]
        d2 = d1 - root[i]
        up, down = _below(sign[i] * d1), _below(sign[i] * d2)
        values[i] = sign[i] * (asset[i] * up - strike[i] * down)
    return values


def deltas(options: Options, spots: Floats) -> Floats:
    """Return the change in value of one unit by the underlying's price, shape (M,)."""
    sign = np.where(options.is_call != 0, 1.0, -1.0)
    root = options.volatility * np.sqrt(options.years)
    asset = spots * np.exp(-options.dividend_yield * options.years)
    strike = options.strike * np.exp(-options.rate * options.years)
    found = np.where(sign * (asset - strike) > 0.0, sign, 0.0)
    for i in np.flatnonzero(root > 0.0):
        d1 = math.log(asset[i] / strike[i]) / root[i] + 0.5 * root[i]
        found[i] = sign[i] * _below(sign[i] * d1)
    return found * (asset / spots)


def _below(x: float) -> float:
    """Return the standard normal probability below ``x``."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def exposures_of(book: Book) -> Floats:
    """Return what a book gains by each symbol's return, in money: stocks, and options' deltas."""
    exposures = book.prices * book.shares
    under = book.options.underlying
    spots = book.prices[under]
    np.add.at(exposures, under, book.options.units * deltas(book.options, spots) * spots)
    return exposures


def holdings_of(book: Book, horizon: int) -> Holdings:
    """Return a book as it will be valued at a horizon of so many steps.

    An option has ``horizon / STEPS_A_YEAR`` years less then; one that has expired by then is
    worth what it pays at the horizon's price.
    """
    options, under = book.options, np.asarray(book.options.underlying, np.int64)
    spots = book.prices[under]
    table = np.zeros((len(under), revaluation.COLUMNS))
    years = np.maximum(options.years - horizon / STEPS_A_YEAR, 0.0)
    live = years > 0.0
    root = options.volatility * np.sqrt(years)
    table[:, 2] = root
    table[:, 3] = spots * np.exp(-options.dividend_yield * years)
    table[:, 4] = options.strike * np.exp(-options.rate * years)
    table[live, 0] = 1.0 / root[live]
    table[live, 1] = np.log(table[live, 3] / table[live, 4]) / root[live] + 0.5 * root[live]
    table[:, 5] = np.where(options.is_call != 0, 1.0, -1.0)
    table[:, 6] = options.units
    table[:, 7] = value_options(options, spots)
    return Holdings(book.prices * book.shares, under, table)
