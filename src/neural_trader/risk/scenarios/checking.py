"""What a simulation refuses: each message says what was found, what was expected, what to do."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError, DataError
from neural_trader.risk.book import Book, Options
from neural_trader.risk.model import Model

Floats = NDArray[np.float64]

SEED_MAX: Final = 2**64 - 1
SCENARIOS_MAX: Final = 1_000_000_000
SCRAMBLES_MIN: Final = 16


def as_arrays(book: Book, model: Model) -> tuple[Book, Model]:
    """Return both with contiguous arrays of the types that kernels take."""
    options = book.options
    held = Options(
        underlying=np.ascontiguousarray(options.underlying, np.int64),
        units=_floats(options.units),
        strike=_floats(options.strike),
        years=_floats(options.years),
        volatility=_floats(options.volatility),
        rate=_floats(options.rate),
        dividend_yield=_floats(options.dividend_yield),
        is_call=np.ascontiguousarray(options.is_call, np.uint8),
    )
    prices, shares = _floats(book.prices), _floats(book.shares)
    same = Model(_floats(model.mean), _floats(model.covariance), float(model.degrees))
    return book._replace(prices=prices, shares=shares, options=held), same


def _floats(values: object) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def check_book(book: Book) -> None:
    """Raise DataError where a book is not what it must be."""
    n = len(book.symbols)
    if n == 0:
        message = "the book holds no symbols: there is nothing to simulate"
        raise DataError(message)
    for name, values in (("prices", book.prices), ("shares", book.shares)):
        _check_shape(f"{name} of the book", values, (n,))
        _check_finite(f"the {name[:-1]}", values, book.symbols)
    if not (book.prices > 0.0).all():
        at = int((book.prices > 0.0).argmin())
        message = f"the price of {book.symbols[at]} is {book.prices[at]}; expected it above 0"
        raise DataError(message)
    _check_options(book)


def _check_options(book: Book) -> None:
    options = book.options
    count = len(options.underlying)
    for name in options._fields:
        values = getattr(options, name)
        _check_shape(f"{name} of the options", values, (count,))
        if name not in {"underlying", "is_call"}:
            _check_finite(name, values, tuple(f"option {place}" for place in range(count)))
    for place in range(count):
        under = int(options.underlying[place])
        if not 0 <= under < len(book.symbols):
            message = (
                f"option {place} is on symbol number {under}; the book has {len(book.symbols)}, "
                "counted from 0"
            )
            raise DataError(message)
        for name in ("strike", "volatility"):
            value = float(getattr(options, name)[place])
            if not value > 0.0:
                message = f"the {name} of option {place} is {value}; expected it above 0"
                raise DataError(message)
        if options.years[place] < 0.0:
            message = (
                f"option {place} expired {-options.years[place]:.4g} years before the as-of date: "
                "leave it out"
            )
            raise DataError(message)


def check_model(model: Model, symbols: tuple[str, ...]) -> None:
    """Raise DataError where a model is not one of these symbols' returns."""
    n = len(symbols)
    _check_shape("mean of the model", model.mean, (n,))
    _check_shape("covariance of the model", model.covariance, (n, n))
    _check_finite("the mean return", model.mean, symbols)
    if not np.isfinite(model.covariance).all():
        row, column = np.argwhere(~np.isfinite(model.covariance))[0]
        message = (
            f"the covariance of {symbols[row]} and {symbols[column]} is "
            f"{model.covariance[row, column]}; expected a number"
        )
        raise DataError(message)
    if not model.degrees > 2.0:
        message = (
            f"the model has {model.degrees} degrees of freedom; expected more than 2, or infinity "
            "for the normal distribution: with 2 or fewer there is no covariance"
        )
        raise DataError(message)
    size = float(np.abs(model.covariance).max())
    if float(np.abs(model.covariance - model.covariance.T).max()) > 1e-9 * size:
        message = "the covariance is not symmetric; expected the same both ways for every pair"
        raise DataError(message)


def check_request(confidence: float, simulations: int, seed: int) -> None:
    """Raise ConfigError where a simulation cannot be what was asked for."""
    if not 0.0 < confidence < 1.0:
        message = f"confidence is {confidence}; expected it between 0 and 1, as in 0.99"
        raise ConfigError(message)
    least = least_simulations(confidence)
    if simulations < least:
        message = (
            f"simulations is {simulations}; with a confidence of {confidence} the tail needs at "
            f"least {least} for one scenario in it, and 100 times that for a useful figure"
        )
        raise ConfigError(message)
    if simulations > SCENARIOS_MAX:
        message = f"simulations is {simulations}; expected at most {SCENARIOS_MAX:,}"
        raise ConfigError(message)
    if not 0 <= seed <= SEED_MAX:
        message = f"seed is {seed}; expected a whole number from 0 to {SEED_MAX}"
        raise ConfigError(message)


def check_scrambles(confidence: float, simulations: int, scrambles: int) -> int:
    """Return the number of scrambles, or raise ConfigError where they cannot be had."""
    if scrambles < SCRAMBLES_MIN:
        message = (
            f"scrambles is {scrambles}; expected {SCRAMBLES_MIN} or more: their spread is the "
            "standard error"
        )
        raise ConfigError(message)
    least = least_simulations(confidence) * scrambles
    if simulations % scrambles or simulations < least:
        message = (
            f"simulations is {simulations}; with {scrambles} scrambles and a confidence of "
            f"{confidence} expected a multiple of {scrambles} and at least {least}, best "
            f"{scrambles} times a power of two, as {scrambles * 512}"
        )
        raise ConfigError(message)
    return scrambles


def least_simulations(confidence: float) -> int:
    """Return how many scenarios put one into the tail."""
    return max(2, math.ceil(1.0 / (1.0 - confidence) - 1e-9))


def _check_shape(name: str, values: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        message = f"{name} has shape {values.shape}; expected {shape}, as many as its symbols"
        raise DataError(message)


def _check_finite(name: str, values: NDArray[np.float64], of: tuple[str, ...]) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        at = int(finite.argmin())
        message = f"{name} of {of[at]} is {values[at]}; expected a number"
        raise DataError(message)
