"""European options by Black, Scholes and Merton: values and how they move, in NumPy.

The simulation has its own form of the value in a kernel; tests hold the two together.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.risk.book import Options
from neural_trader.risk.distributions import normal_below

Floats = NDArray[np.float64]


class Greeks(NamedTuple):
    """How the values of options move, per unit of the underlying, an entry an option.

    Attributes
    ----------
    delta, gamma : float64 arrays, shape (M,)
        Of the price of the underlying.
    vega : float64 array, shape (M,)
        Of the volatility, as a fraction a year.
    theta : float64 array, shape (M,)
        Of the passing of a year.
    """

    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


def option_values(
    options: Options, prices: Floats, *, passed: float = 0.0, shift: float | Floats = 0.0
) -> Floats:
    """Return the values of options, per unit of the underlying.

    Parameters
    ----------
    options : Options
    prices : float64 array, shape (..., M)
        Of the underlying of each option; 0 is a price too.
    passed : float
        Years that have gone by since the as-of date.
    shift : float or float64 array, shape (M,)
        Added to the volatility of each option.

    Returns
    -------
    float64 array, shape (..., M)
        What an option pays where none of its time is left, or it has no volatility left.

    Notes
    -----
    call = S e^(-qT) N(d1) - K e^(-rT) N(d2), put = K e^(-rT) N(-d2) - S e^(-qT) N(-d1).

    References
    ----------
    Black and Scholes 1973; Merton 1973.
    """
    years = np.maximum(options.years - passed, 0.0)
    spot = prices * np.exp(-options.dividend_yield * years)
    strike = options.strike * np.exp(-options.rate * years)
    sign = np.where(options.is_call == 1, 1.0, -1.0)
    deviation = np.maximum(options.volatility + shift, 0.0) * np.sqrt(years)
    sure = np.maximum(sign * (spot - strike), 0.0)
    moves = (deviation > 0.0) & (spot > 0.0)
    safe = np.where(moves, np.broadcast_to(deviation, spot.shape), 1.0)
    d1 = np.log(np.where(moves, spot, 1.0) / strike) / safe + 0.5 * safe
    value = sign * (spot * normal_below(sign * d1) - strike * normal_below(sign * (d1 - safe)))
    result: Floats = np.where(moves, np.maximum(value, 0.0), sure)
    return result


def option_greeks(options: Options, prices: Floats) -> Greeks:
    """Return delta, gamma, vega and theta of options, per unit of the underlying.

    Parameters
    ----------
    options : Options
        With time and volatility left, as those of a book at its as-of date have.
    prices : float64 array, shape (M,)
        Of the underlying of each option, above 0.
    """
    years, volatility = options.years, options.volatility
    root = np.sqrt(years)
    carry, discount = np.exp(-options.dividend_yield * years), np.exp(-options.rate * years)
    d1 = np.log(prices * carry / (options.strike * discount)) / (volatility * root)
    d1 += 0.5 * volatility * root
    sign = np.where(options.is_call == 1, 1.0, -1.0)
    density = np.exp(-0.5 * d1 * d1) / np.sqrt(2.0 * np.pi)
    spot, strike = prices * carry, options.strike * discount
    delta = sign * carry * normal_below(sign * d1)
    decay = -0.5 * spot * density * volatility / root
    decay += sign * options.dividend_yield * spot * normal_below(sign * d1)
    decay -= sign * options.rate * strike * normal_below(sign * (d1 - volatility * root))
    return Greeks(
        delta=delta,
        gamma=carry * density / (prices * volatility * root),
        vega=spot * density * root,
        theta=decay,
    )
