"""Books and models that the tests of simulations share."""

import numpy as np
from numpy.typing import NDArray

from neural_trader.risk import Book, Model, Options

Floats = NDArray[np.float64]


def no_options() -> Options:
    none = np.zeros(0)
    return Options(np.zeros(0, np.int64), none, none, none, none, none, none, np.zeros(0, np.uint8))


def book_of(prices: list[float], shares: list[float], options: Options | None = None) -> Book:
    names = tuple(f"S{place}" for place in range(len(prices)))
    held = no_options() if options is None else options
    return Book(names, np.array(prices, float), np.array(shares, float), held, 0.0)


def some_book(n: int, seed: int = 1) -> tuple[Book, Model]:
    """Return a book of n symbols, long and short, and a normal model of a day."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, n))
    covariance = mixed @ mixed.T / n * 1e-4 + np.eye(n) * 1e-4
    book = book_of(list(rng.uniform(20, 200, n)), list(rng.normal(20.0, 60.0, n)))
    return book, Model(rng.normal(0.0, 2e-4, n), covariance, np.inf)


def some_options(book: Book, count: int, seed: int = 2) -> Options:
    """Return options on the symbols of a book in turn, calls and puts, bought and sold."""
    rng = np.random.default_rng(seed)
    under = np.arange(count, dtype=np.int64) % len(book.symbols)
    return Options(
        underlying=under,
        units=rng.normal(0.0, 100.0, count),
        strike=book.prices[under] * rng.uniform(0.8, 1.2, count),
        years=rng.uniform(0.02, 1.0, count),
        volatility=rng.uniform(0.15, 0.6, count),
        rate=np.full(count, 0.03),
        dividend_yield=np.full(count, 0.01),
        is_call=(np.arange(count) % 3 == 0).astype(np.uint8),
    )


def one_option(*, is_call: bool, units: float = 1.0, years: float = 0.5) -> Options:
    """Return Hull's option: strike 40, rate 10 %, volatility 20 %, six months."""
    return Options(
        underlying=np.array([0]),
        units=np.array([units]),
        strike=np.array([40.0]),
        years=np.array([years]),
        volatility=np.array([0.2]),
        rate=np.array([0.1]),
        dividend_yield=np.array([0.0]),
        is_call=np.array([is_call], np.uint8),
    )
