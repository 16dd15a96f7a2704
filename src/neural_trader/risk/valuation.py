"""From a portfolio and prices to a book, and what the book gains when prices move."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError
from neural_trader.risk.black_scholes import option_greeks, option_values
from neural_trader.risk.book import Book, Options
from neural_trader.risk.history import NOISE, History
from neural_trader.risk.portfolio_file import OptionTerms, Portfolio

Floats = NDArray[np.float64]

DAYS_A_YEAR: Final = 365.0
# Values of options that are held at a time, so that they stay in the cache.
_TABLE: Final = 32_768


def make_book(portfolio: Portfolio, history: History) -> Book:
    """Return a portfolio at the prices of the as-of date.

    Parameters
    ----------
    portfolio : Portfolio
    history : History
        Of the portfolio's symbols.

    Raises
    ------
    DataError
        An option has expired by the as-of date, or is to take a volatility from returns that do
        not vary.

    Notes
    -----
    Entries of the same symbol, or of the same option, are added; what nets to nothing is dropped
    (of options) or stays with 0 shares. A historical volatility is the sample deviation (ddof 1) of
    the window's simple returns, by year.
    """
    places = {symbol: place for place, symbol in enumerate(history.symbols)}
    shares = np.zeros(len(places))
    contracts: dict[tuple[int, OptionTerms], float] = {}
    for number, entry in enumerate(portfolio.positions):
        place, terms = places[entry.symbol], entry.option
        if terms is None:
            shares[place] += entry.qty
            continue
        if terms.expiry <= history.as_of:
            message = (
                f"$.positions[{number}].option.expiry is {terms.expiry}; expected a day after the "
                f"as-of date {history.as_of}. Take the expired option out"
            )
            raise DataError(message)
        key = (place, terms)
        contracts[key] = contracts.get(key, 0.0) + entry.qty
    held = [(place, terms, qty) for (place, terms), qty in contracts.items() if qty != 0.0]
    options = _options(held, history)
    return Book(history.symbols, history.closes[-1].copy(), shares, options, portfolio.cash)


def _options(held: Sequence[tuple[int, OptionTerms, float]], history: History) -> Options:
    as_of = history.as_of
    return Options(
        underlying=np.array([place for place, _, _ in held], np.int64),
        units=np.array([qty * terms.multiplier for _, terms, qty in held], np.float64),
        strike=np.array([terms.strike for _, terms, _ in held], np.float64),
        years=np.array([_years(terms.expiry, as_of) for _, terms, _ in held], np.float64),
        volatility=np.array([_volatility(place, terms, history) for place, terms, _ in held]),
        rate=np.array([terms.rate for _, terms, _ in held], np.float64),
        dividend_yield=np.array([terms.dividend_yield for _, terms, _ in held], np.float64),
        is_call=np.array([terms.type == "call" for _, terms, _ in held], np.uint8),
    )


def _years(expiry: dt.date, as_of: dt.date) -> float:
    return (expiry - as_of).days / DAYS_A_YEAR


def _volatility(place: int, terms: OptionTerms, history: History) -> float:
    if terms.iv is not None:
        return terms.iv
    returns = history.returns[:, place]
    if np.ptp(returns) <= NOISE:
        message = (
            f"{history.symbols[place]} did not move in the window, so its options have no "
            'historical volatility; give their "iv"'
        )
        raise DataError(message)
    return float(returns.std(ddof=1)) * math.sqrt(history.periods_per_year)


def book_value(book: Book) -> float:
    """Return what a book is worth at its prices: cash, shares and options by Black-Scholes."""
    return book.cash + float(position_values(book).sum())


def position_values(book: Book) -> Floats:
    """Return what is held of each symbol at the book's prices, options with their underlying.

    Returns
    -------
    float64 array, shape (N,)
    """
    values: Floats = book.shares * book.prices
    options = book.options
    if len(options.units):
        worth = options.units * option_values(options, book.prices[options.underlying])
        values = values + np.bincount(options.underlying, worth, len(values))
    return values


def exposures(book: Book) -> Floats:
    """Return the money that moves as each symbol does, options by their delta.

    Returns
    -------
    float64 array, shape (N,)
    """
    shares, options = book.shares, book.options
    if len(options.units):
        delta = option_greeks(options, book.prices[options.underlying]).delta
        shares = shares + np.bincount(options.underlying, options.units * delta, len(shares))
    result: Floats = shares * book.prices
    return result


def gains(book: Book, moves: Floats, *, passed: float = 0.0, shift: float | Floats = 0.0) -> Floats:
    """Return what each symbol's positions gain in scenarios, options revalued in full.

    Parameters
    ----------
    book : Book
    moves : float64 array, shape (S, N)
        Simple returns of each scenario.
    passed : float
        Years that go by, which options lose.
    shift : float or float64 array, shape (M,)
        Added to the options' volatilities.

    Returns
    -------
    float64 array, shape (S, N)
        In money; options with their underlying.

    Notes
    -----
    A price does not fall below 0: a return below -1 counts as -1.
    """
    moves = np.maximum(moves, -1.0)
    gained: Floats = moves * (book.shares * book.prices)
    options = book.options
    if not len(options.units):
        return gained
    today = option_values(options, book.prices[options.underlying])
    rows = max(1, _TABLE // len(options.units))
    for first in range(0, len(moves), rows):
        part = slice(first, first + rows)
        prices = (book.prices * (1.0 + moves[part]))[:, options.underlying]
        worth = option_values(options, prices, passed=passed, shift=shift)
        change = options.units * (worth - today)
        for place, row in enumerate(options.underlying.tolist()):
            gained[part, row] += change[:, place]
    return gained


def without(book: Book, place: int) -> Book:
    """Return a book without the positions in one symbol; the symbol itself stays in its place."""
    shares = book.shares.copy()
    shares[place] = 0.0
    kept = book.options.underlying != place
    return book._replace(shares=shares, options=_taken(book.options, kept))


def is_flat(book: Book) -> bool:
    """Return whether nothing is held that could lose."""
    return not book.shares.any() and not len(book.options.units)


def _taken(options: Options, rows: NDArray[np.bool_]) -> Options:
    return Options(
        underlying=options.underlying[rows],
        units=options.units[rows],
        strike=options.strike[rows],
        years=options.years[rows],
        volatility=options.volatility[rows],
        rate=options.rate[rows],
        dividend_yield=options.dividend_yield[rows],
        is_call=options.is_call[rows],
    )
