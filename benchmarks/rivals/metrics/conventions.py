"""What each package calls a metric, in our own figures: the same, or by which other convention.

A rule says how to come from our figures to theirs; ``why`` is empty where nothing differs.
``compare.py`` holds the rules to what the packages say now, ``tests/golden`` to what they said.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

import neural_trader as nt
from neural_trader.portfolio import measure
from neural_trader.portfolio.reference import quantile

Floats = NDArray[np.float64]

SERIES: Final = ("KO", "XOM", "AAPL")
BENCHMARK: Final = "JNJ"
START: Final = "2012-01-01"
TAIL: Final = 0.05
_DAY_NS: Final = 86_400_000_000_000


class Case(NamedTuple):
    """Returns of one series and of the benchmark, with our figures of them."""

    x: Floats
    b: Floats
    periods: int
    ours: dict[str, float]


class Rule(NamedTuple):
    """A figure of another package: how it comes from ours, and why it is not ours."""

    figure: str
    theirs: Callable[[Case], float]
    why: str = ""


class Returns(NamedTuple):
    """Returns of ``SERIES``, shape (T, S), and of the benchmark, at the ends of days or months."""

    table: Floats
    benchmark: Floats
    days: NDArray[np.int64]
    periods: int


def returns() -> dict[str, Returns]:
    """Return the bundled closes as daily and as monthly returns."""
    bars = nt.load("sp500-closes", symbols=[*SERIES, BENCHMARK], start=START)
    closes = np.column_stack([bars[name].close for name in (*SERIES, BENCHMARK)])
    days = bars[BENCHMARK].ts_close_ns // _DAY_NS
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    ends = np.flatnonzero(np.append(months[1:] != months[:-1], True))
    found = {}
    for name, rows, periods in (("daily", np.arange(len(days)), 252), ("monthly", ends, 12)):
        kept = closes[rows]
        table = kept[1:] / kept[:-1] - 1.0
        found[name] = Returns(table[:, :-1], table[:, -1], days[rows][1:], periods)
    return found


def cases(of: Returns) -> list[Case]:
    """Return a case of every series."""
    found = measure(
        of.table,
        series=SERIES,
        ts_close_ns=of.days * _DAY_NS,
        benchmark=of.benchmark,
        periods=of.periods,
    )
    return [
        Case(of.table[:, place], of.benchmark, of.periods, found.of(name))
        for place, name in enumerate(SERIES)
    ]


def ours(name: str, factor: float = 1.0) -> Callable[[Case], float]:
    """Return our figure, times a number."""
    return lambda case: factor * case.ours[name]


def a_period(name: str) -> Callable[[Case], float]:
    """Return our annualised figure as that of a period."""
    return lambda case: case.ours[name] / math.sqrt(case.periods)


# --------------------------------------------------------------------------- how others define it
def growth(x: Floats, periods: int) -> float:
    """Return growth a year by the number of returns, not by the time that passed."""
    return math.pow(float(np.prod(1.0 + x)), periods / len(x)) - 1.0


def _capture(case: Case, side: NDArray[np.bool_]) -> float:
    return growth(case.x[side], case.periods) / growth(case.b[side], case.periods)


def _mean_of_worst(case: Case) -> float:
    count = int((len(case.x) - 1) * TAIL) + 1
    return float(np.sort(case.x)[:count].mean())


def _over_n_less_one(name: str) -> Callable[[Case], float]:
    def theirs(case: Case) -> float:
        n = len(case.x)
        return case.ours[name] * math.sqrt(n / (n - 1))

    return theirs


def _skew(case: Case) -> float:
    n = len(case.x)
    return case.ours["skew"] * math.sqrt(n * (n - 1)) / (n - 2)


def _kurtosis(case: Case) -> float:
    n = len(case.x)
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * case.ours["excess_kurtosis"] + 6.0)


def _skill(case: Case) -> float:
    ratio = case.ours["sharpe"] / math.sqrt(case.periods)
    spread = 1.0 - _skew(case) * ratio + (_kurtosis(case) + 2.0) / 4.0 * ratio**2
    return NormalDist().cdf(ratio * math.sqrt((len(case.x) - 1) / spread))


def _penalized(case: Case) -> float:
    n = len(case.x)
    first = abs(float(np.corrcoef(case.x[:-1], case.x[1:])[0, 1]))
    lags = np.arange(1, n)
    return case.ours["sharpe"] / math.sqrt(1.0 + 2.0 * float(((n - lags) / n * first**lags).sum()))


def _normal(case: Case) -> tuple[float, float]:
    return case.ours["mean"], case.ours["volatility"] / math.sqrt(case.periods)


def _normal_risk(case: Case) -> float:
    mean, deviation = _normal(case)
    return mean + NormalDist().inv_cdf(TAIL) * deviation


def _normal_shortfall(case: Case) -> float:
    mean, deviation = _normal(case)
    normal = NormalDist()
    return mean - deviation * normal.pdf(normal.inv_cdf(TAIL)) / TAIL


def _wins(case: Case) -> float:
    return float((case.x > 0.0).sum() / (case.x != 0.0).sum())


def _kelly(case: Case) -> float:
    return _wins(case) - (1.0 - _wins(case)) / case.ours["payoff"]


def _added_up(case: Case) -> float:
    sums = np.concatenate(([0.0], np.cumsum(case.x)))
    return float((np.maximum.accumulate(sums) - sums).max())


_COUNTED = "growth by the number of returns, not by the time that passed"
_NEGATIVE = "a loss is negative"

RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "empyrical": (
        Rule("cum_returns_final", ours("total_return")),
        Rule("annual_return", lambda c: growth(c.x, c.periods), _COUNTED),
        Rule("annual_volatility", ours("volatility")),
        Rule("sharpe_ratio", ours("sharpe")),
        Rule("sortino_ratio", ours("sortino")),
        Rule("downside_risk", ours("downside_deviation")),
        Rule("max_drawdown", ours("max_drawdown", -1.0), _NEGATIVE),
        Rule(
            "calmar_ratio",
            lambda c: growth(c.x, c.periods) / c.ours["max_drawdown"],
            _COUNTED,
        ),
        Rule("omega_ratio", ours("omega")),
        Rule("tail_ratio", ours("tail_ratio")),
        Rule(
            "value_at_risk",
            lambda c: quantile(c.x.tolist(), TAIL),
            "an interpolated quantile, and negative",
        ),
        Rule(
            "conditional_value_at_risk",
            _mean_of_worst,
            "the mean of the worst 1 + floor((n - 1) 5 %) returns, and negative",
        ),
        Rule("beta", ours("beta")),
        Rule(
            "alpha",
            lambda c: (1.0 + c.ours["alpha"] / c.periods) ** c.periods - 1.0,
            "alpha of a period compounded, not times the periods of a year",
        ),
        Rule("excess_sharpe", a_period("information_ratio"), "of a period, not of a year"),
        Rule("up_capture", lambda c: _capture(c, c.b > 0.0), "of annualised growth"),
        Rule("down_capture", lambda c: _capture(c, c.b < 0.0), "of annualised growth"),
        Rule(
            "annual_volatility by default",
            lambda c: c.ours["volatility"] * math.sqrt(252 / c.periods),
            "252 periods a year, also where they are months",
        ),
    ),
    "quantstats": (
        Rule("comp", ours("total_return")),
        Rule("cagr", lambda c: growth(c.x, c.periods), _COUNTED),
        Rule("expected_return", lambda c: growth(c.x, 1), "the geometric mean of a period"),
        Rule("volatility", ours("volatility")),
        Rule("sharpe", ours("sharpe")),
        Rule(
            "smart_sharpe",
            _penalized,
            "Sharpe over a penalty made of the first autocorrelation, whatever its sign",
        ),
        Rule("sortino", ours("sortino")),
        Rule("omega", ours("omega")),
        Rule("max_drawdown", ours("max_drawdown", -1.0), _NEGATIVE),
        Rule("calmar", lambda c: growth(c.x, c.periods) / c.ours["max_drawdown"], _COUNTED),
        Rule("ulcer_index", _over_n_less_one("ulcer"), "over n - 1"),
        Rule(
            "ulcer_performance_index",
            lambda c: c.ours["total_return"] / _over_n_less_one("ulcer")(c),
            "total return over the ulcer index, not growth a year",
        ),
        Rule(
            "recovery_factor",
            lambda c: abs(float(c.x.sum())) / c.ours["max_drawdown"],
            "the sum of returns over the drawdown, not their compound",
        ),
        Rule("tail_ratio", ours("tail_ratio")),
        Rule("skew", _skew, "corrected for bias"),
        Rule("kurtosis", _kurtosis, "corrected for bias"),
        Rule("value_at_risk", _normal_risk, "of a normal distribution, and negative"),
        Rule("cvar", _normal_shortfall, "of a normal distribution, and negative"),
        Rule("best", ours("best")),
        Rule("worst", ours("worst")),
        Rule("win_rate", _wins, "of the periods in which anything changed"),
        Rule("payoff_ratio", ours("payoff")),
        Rule("profit_factor", ours("profit_factor")),
        Rule("kelly_criterion", _kelly, "that of a bet with two outcomes, not mean over variance"),
        Rule("probabilistic_sharpe_ratio", _skill, "by skew and kurtosis corrected for bias"),
        Rule("beta", ours("beta")),
        Rule("alpha", ours("alpha")),
        Rule("r_squared", ours("r2")),
        Rule("information_ratio", a_period("information_ratio"), "of a period, not of a year"),
        Rule(
            "treynor_ratio",
            lambda c: c.ours["total_return"] / c.ours["beta"],
            "total return over beta, not the mean of a year",
        ),
        Rule(
            "volatility by default",
            lambda c: c.ours["volatility"] * math.sqrt(252 / c.periods),
            "252 periods a year, also where they are months",
        ),
    ),
    "skfolio": (
        Rule("mean", ours("mean")),
        Rule("standard_deviation", a_period("volatility"), "of a period, not of a year"),
        Rule(
            "semi_deviation",
            lambda c: _over_n_less_one("downside_deviation")(c) / math.sqrt(c.periods),
            "of a period, and over n - 1",
        ),
        Rule("skew", ours("skew")),
        Rule("kurtosis", lambda c: c.ours["excess_kurtosis"] + 3.0, "raw: 3 for a normal one"),
        Rule("worst_realization", ours("worst", -1.0), "a loss is positive"),
        Rule("value_at_risk", ours("var")),
        Rule("cvar", ours("es")),
        Rule("max_drawdown", ours("max_drawdown")),
        Rule("average_drawdown", ours("pain"), "the mean over all periods, which is our pain"),
        Rule("ulcer_index", ours("ulcer")),
        Rule("cdar", ours("cdar")),
        Rule("max_drawdown by default", _added_up, "returns are added up, not compounded"),
    ),
}
