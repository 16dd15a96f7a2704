"""The work of the risk bench, and how NumPy and scipy do it: their best, to be fair to them."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import BenchError
from neural_trader.risk import Book, Model, Options

Floats = NDArray[np.float64]

CONFIDENCE: Final = 0.99
SCENARIOS: Final = 10_000
SYMBOLS: Final = 50
OPTIONS: Final = 100


class Answer(NamedTuple):
    """Value at risk, expected shortfall, and its components by symbol."""

    var: float
    es: float
    components: Floats


def make_book(options: int = 0) -> Book:
    """Return 50 positions, long and short, with or without options on them."""
    rng = np.random.default_rng(1)
    prices, shares = rng.uniform(20.0, 200.0, SYMBOLS), rng.normal(20.0, 60.0, SYMBOLS)
    under = np.arange(options, dtype=np.int64) % SYMBOLS
    held = Options(
        underlying=under,
        units=rng.normal(0.0, 100.0, options),
        strike=prices[under] * rng.uniform(0.8, 1.2, options),
        years=rng.uniform(0.05, 1.0, options),
        volatility=rng.uniform(0.15, 0.6, options),
        rate=np.full(options, 0.03),
        dividend_yield=np.full(options, 0.01),
        is_call=(np.arange(options) % 2).astype(np.uint8),
    )
    return Book(tuple(f"S{place:02}" for place in range(SYMBOLS)), prices, shares, held, 0.0)


def make_model() -> Model:
    """Return a normal model of daily returns, with a market and noise."""
    rng = np.random.default_rng(2)
    mixed = rng.normal(size=(SYMBOLS, SYMBOLS))
    covariance = mixed @ mixed.T / SYMBOLS * 1e-4 + 1e-4 * (np.eye(SYMBOLS) + 0.5)
    return Model(rng.normal(0.0, 2e-4, SYMBOLS), covariance, math.inf)


def closed_form(book: Book, model: Model) -> tuple[float, float]:
    """Return the value at risk and expected shortfall that simulations come near to."""
    w = book.prices * book.shares
    drift, deviation = float(w @ model.mean), math.sqrt(float(w @ model.covariance @ w))
    quantile = NormalDist().inv_cdf(CONFIDENCE)
    tail = NormalDist().pdf(quantile) / (1.0 - CONFIDENCE)
    return deviation * quantile - drift, deviation * tail - drift


def check(who: str, answer: Answer, count: int) -> None:
    """Raise BenchError where an answer is not near the closed form, or does not add up."""
    book, model = make_book(), make_model()
    error = 4.0 * 3.74 / math.sqrt(count)  # a deviation of the quantile, over its density
    for name, found, wanted in zip(
        ("VaR", "ES"), answer[:2], closed_form(book, model), strict=True
    ):
        if not abs(found / wanted - 1.0) < 1.5 * error / 2.3:
            message = f"{who} finds a {name} of {found:.2f}; expected {wanted:.2f}: no figure"
            raise BenchError(message)
    if not abs(float(answer.components.sum()) / answer.es - 1.0) < 1e-3:
        message = f"the components of {who} sum to {answer.components.sum()}, not to {answer.es}"
        raise BenchError(message)


def _figures(losses: Any, vectors: Any, parts: Callable[[Any], Any]) -> Answer:  # noqa: ANN401 - of either precision
    """Return the figures of losses; components from the mean vector of the tail."""
    place = math.ceil(len(losses) * CONFIDENCE - 1e-9) - 1
    order = np.argpartition(losses, place)
    tail = order[place + 1 :]
    components = parts(vectors[tail].mean(axis=0))
    return Answer(float(losses[order[place]]), float(losses[tail].mean()), components)


def by_numpy() -> Callable[[], Answer]:
    """Return NumPy's best: SFC64, single precision, into an array that is there already."""
    book, model = make_book(), make_model()
    rng = np.random.Generator(np.random.SFC64(7))
    normals = np.empty((SCENARIOS, SYMBOLS), np.float32)
    losses = np.empty(SCENARIOS, np.float32)

    def run() -> Answer:
        factor = np.linalg.cholesky(model.covariance)
        w = book.prices * book.shares
        rng.standard_normal(out=normals, dtype=np.float32)
        np.matmul(normals, -(w @ factor).astype(np.float32), out=losses)
        losses[:] -= np.float32(w @ model.mean)
        return _figures(losses, normals, lambda mean: -w * (model.mean + factor @ mean))

    return run


def by_scipy() -> Callable[[], Answer] | None:
    """Return scipy's way, ``multivariate_normal.rvs``; None where it is not installed."""
    try:
        from scipy.stats import multivariate_normal
    except ImportError:
        return None
    book, model = make_book(), make_model()
    rng = np.random.default_rng(7)

    def run() -> Answer:
        returns = multivariate_normal.rvs(
            mean=model.mean, cov=model.covariance, size=SCENARIOS, random_state=rng
        )
        w = book.prices * book.shares
        losses = -(returns @ w)
        return _figures(losses, returns, lambda mean: -w * mean)

    return run


def sobol_by_scipy(points: int) -> Callable[[], float] | None:
    """Return scipy's scrambled Sobol points and inverse normal; None where it is not installed."""
    try:
        from scipy.special import ndtri
        from scipy.stats import qmc
    except ImportError:
        return None
    book, model = make_book(), make_model()
    factor = np.linalg.cholesky(model.covariance)
    loads = -(book.prices * book.shares) @ factor

    def run() -> float:
        normals = ndtri(qmc.Sobol(SYMBOLS, rng=7).random(points))
        losses = normals @ loads
        place = math.ceil(points * CONFIDENCE) - 1
        return float(np.partition(losses, place)[place])

    return run


def options_by_numpy() -> Callable[[], float] | None:
    """Return a full revaluation by NumPy, with scipy's normal probability; None without it."""
    try:
        from scipy.special import ndtr
    except ImportError:
        return None
    book, model = make_book(OPTIONS), make_model()
    o = book.options
    rng = np.random.Generator(np.random.SFC64(7))
    sign = np.where(o.is_call != 0, 1.0, -1.0)

    def value(spots: Floats, years: Floats) -> Floats:
        root = o.volatility * np.sqrt(years)
        carry = (o.rate - o.dividend_yield + 0.5 * o.volatility**2) * years
        d1 = (np.log(spots / o.strike) + carry) / root
        asset = spots * np.exp(-o.dividend_yield * years) * ndtr(sign * d1)
        cash = o.strike * np.exp(-o.rate * years) * ndtr(sign * (d1 - root))
        values: Floats = sign * (asset - cash)
        return values

    def run() -> float:
        factor = np.linalg.cholesky(model.covariance)
        normals = rng.standard_normal((SCENARIOS, SYMBOLS))
        returns = normals @ factor.T + model.mean
        grown = (book.prices * (1.0 + returns))[:, o.underlying]
        before = value(book.prices[o.underlying], o.years)
        gains = (value(grown, o.years - 1.0 / 252.0) - before) @ o.units
        losses = -(returns @ (book.prices * book.shares) + gains)
        place = math.ceil(SCENARIOS * CONFIDENCE) - 1
        return float(np.partition(losses, place)[place])

    return run
