"""European options against published, scipy's and QuantLib's values."""

import math

import numpy as np
import pytest
from scipy import stats

from neural_trader._kernels import revaluation
from neural_trader.risk import Book, Options
from neural_trader.risk.scenarios.options import (
    deltas,
    exposures_of,
    holdings_of,
    value_options,
)
from neural_trader.risk.scenarios.vectors import choose
from tests.unit.risk.books import book_of, one_option, some_book, some_options

# ql.blackFormula of QuantLib 1.44: kind, spot, strike, years, volatility, rate, yield, value.
QUANTLIB = [
    ("call", 42, 40, 0.5, 0.2, 0.1, 0.0, 4.759422392871536),
    ("put", 42, 40, 0.5, 0.2, 0.1, 0.0, 0.8085993729000943),
    ("call", 100, 150, 0.05, 0.3, 0.03, 0.01, 1.0649522107005563e-09),
    ("put", 100, 60, 0.1, 0.45, 0.03, 0.01, 0.0004227356544413199),
    ("put", 100, 130, 1.0, 0.25, 0.05, 0.02, 28.245501131823367),
    ("call", 100, 80, 2.0, 0.6, -0.01, 0.03, 35.55044383471004),
    ("call", 50, 50, 0.004, 0.15, 0.04, 0.0, 0.19324568233259667),
]


def one(
    kind: str, strike: float, years: float, volatility: float, rate: float, q: float
) -> Options:
    def array(x: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([x], float)

    return Options(
        np.array([0]),
        array(1.0),
        array(strike),
        array(years),
        array(volatility),
        array(rate),
        array(q),
        np.array([kind == "call"], np.uint8),
    )


def revalued(book: Book, growths: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the kernel's value of a book of one symbol and its options at prices grown so."""
    n = len(growths)
    normals = np.array(growths).reshape(n, 1, 1) - 1.0
    holdings = holdings_of(book, 0)
    losses, scratch = np.empty(n), [np.empty((1, revaluation.LANES)) for _ in range(4)]
    market = np.zeros(1), np.ones((1, 1)), np.ones(1, np.int64)
    for kernel in (revaluation, choose()):
        kernel.revalue(
            normals,
            np.ones((n, 1)),
            market,
            holdings.arrays,
            tuple(scratch),
            losses,
            np.empty((0, 1)),
        )
    return float(value_options(book.options, np.full(1, book.prices[0]))[0]) - losses


def test_hull() -> None:
    """Hull, Options, Futures and Other Derivatives: 4.76 and 0.81."""
    spot = np.array([42.0])
    assert round(float(value_options(one_option(is_call=True), spot)[0]), 2) == 4.76
    assert round(float(value_options(one_option(is_call=False), spot)[0]), 2) == 0.81


@pytest.mark.parametrize("case", QUANTLIB)
def test_quantlib(case: tuple[str, float, float, float, float, float, float, float]) -> None:
    kind, spot, *terms, wanted = case
    option = one(kind, *terms)
    assert value_options(option, np.array([spot], float))[0] == pytest.approx(
        wanted, rel=1e-11, abs=1e-14 * spot
    )
    # The kernel comes to the same price from another one.
    from_elsewhere = revalued(book_of([spot / 1.25], [0.0], option), [1.25])
    assert from_elsewhere[0] == pytest.approx(wanted, rel=1e-6, abs=1e-12 * spot)


@pytest.mark.parametrize("kind", ["call", "put"])
@pytest.mark.parametrize("years", [0.002, 0.25, 5.0])
@pytest.mark.parametrize("volatility", [0.01, 0.3, 1.5])
def test_the_kernel_values_as_scipy_does(kind: str, years: float, volatility: float) -> None:
    growths = [0.0, 1e-6, 0.2, 0.7, 0.71, 0.9, 0.99, 1.0, 1.0001, 1.01, 1.1, 1.41, 1.42, 2.0, 30.0]
    option = one(kind, 105.0, years, volatility, 0.02, 0.01)
    found = revalued(book_of([100.0], [0.0], option), growths)
    spots = np.maximum(np.array(growths) * 100.0, 1e-300)
    root = volatility * math.sqrt(years)
    d1 = (np.log(spots / 105.0) + (0.01 + volatility**2 / 2) * years) / root
    sign = 1.0 if kind == "call" else -1.0
    asset = spots * math.exp(-0.01 * years) * stats.norm.cdf(sign * d1)
    cash = 105.0 * math.exp(-0.02 * years) * stats.norm.cdf(sign * (d1 - root))
    assert found == pytest.approx(sign * (asset - cash), abs=1e-9)
    assert (found > -1e-9).all()


def test_an_option_that_expires_within_the_horizon_is_worth_what_it_pays() -> None:
    book = book_of([42.0], [0.0], one_option(is_call=True, years=0.01))
    table = holdings_of(book, 5).options
    assert table[0, 0] == 0.0
    assert (table[0, 3], table[0, 4]) == (42.0, 40.0)
    today = book_of([42.0], [0.0], one_option(is_call=False, years=0.0))
    assert revalued(today, [0.5, 1.0, 1.1]) == pytest.approx([19.0, 0.0, 0.0])


def test_a_step_takes_a_trading_day_of_252() -> None:
    book = book_of([42.0], [0.0], one_option(is_call=True))
    assert holdings_of(book, 10).options[0, 2] == pytest.approx(0.2 * math.sqrt(0.5 - 10 / 252))


def test_deltas_are_the_slope() -> None:
    book, _ = some_book(4)
    options = some_options(book, 12)
    spots = book.prices[options.underlying]
    step = 1e-4 * spots
    up, down = value_options(options, spots + step), value_options(options, spots - step)
    assert deltas(options, spots) == pytest.approx((up - down) / (2 * step), abs=1e-6)
    held = book._replace(options=options)
    plain = exposures_of(book)
    assert plain == pytest.approx(book.prices * book.shares)
    added = np.zeros(4)
    np.add.at(added, options.underlying, options.units * deltas(options, spots) * spots)
    assert exposures_of(held) == pytest.approx(plain + added)
