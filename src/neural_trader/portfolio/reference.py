"""Every performance metric in plain Python: the law that the compiled pass is held to.

One function a family, each formula with its source; ``docs/metrics.md`` has the same in words and
says where other packages differ. Sums run from the first return to the last.

Throughout: ``x`` are simple returns of n periods, ``p`` periods make a year, ``years`` is elapsed
calendar time, ``rf`` the annual risk-free rate and ``(1 + rf)^(1/p) - 1`` its part of a period,
``mar`` the minimum acceptable return of a period. Losses and drawdowns are positive. What is not
defined is NaN.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

NAN: Final = math.nan
# A return is exact to a few units of 1e-16: returns that differ by less than this are equal, and
# dividing by their deviation would give a Sharpe ratio of 1e14.
NOISE: Final = 1e-13
STERLING_EXCESS: Final = 0.10
TRACK_RECORD_Z: Final = 1.6448536269514722
"""Quantile of the normal distribution at 0.95."""

OWN: Final = (
    *("total_return", "cagr", "mean", "volatility", "downside_deviation", "skew"),
    *("excess_kurtosis", "best", "worst", "hit_rate", "payoff", "profit_factor", "expectancy"),
    *("sharpe", "sortino", "calmar", "sterling", "burke", "martin", "pain_ratio", "omega"),
    *("kappa_3", "tail_ratio", "max_drawdown", "average_drawdown", "drawdown_duration"),
    *("recovery", "recovery_factor", "ulcer", "pain", "var", "es", "cdar", "kelly"),
    *("autocorrelation", "lo_sharpe", "psr", "min_track_record"),
)
RELATIVE: Final = (
    *("beta", "alpha", "r2", "tracking_error", "information_ratio", "m2", "treynor"),
    *("up_capture", "down_capture"),
)
NAMES: Final = OWN + RELATIVE
"""Every metric; the last ones need a benchmark."""


class Terms(NamedTuple):
    """What metrics are computed by.

    Parameters
    ----------
    periods : float
        Periods a year.
    years : float
        Elapsed time of the series.
    risk_free : float
        Annual rate, as a fraction.
    mar : float
        Minimum acceptable return of a period.
    confidence : float
        Of value at risk, expected shortfall and conditional drawdown at risk.
    """

    periods: float
    years: float
    risk_free: float = 0.0
    mar: float = 0.0
    confidence: float = 0.95

    @property
    def risk_free_of_period(self) -> float:
        """The risk-free return of one period."""
        return math.pow(1.0 + self.risk_free, 1.0 / self.periods) - 1.0


Figures = dict[str, float]


def measure(
    returns: Sequence[float], terms: Terms, benchmark: Sequence[float] | None = None
) -> Figures:
    """Compute every metric of a series.

    Parameters
    ----------
    returns : sequence of float, length n
        Simple returns, finite.
    terms : Terms
    benchmark : sequence of float, length n, optional
        Of the same periods.

    Returns
    -------
    dict of name to float
        NaN where a figure is not defined.
    """
    if not returns:
        return dict.fromkeys(NAMES, NAN)
    moments = _moments(returns, terms)
    falls = _drawdowns(returns, terms)
    partial = _partial_moments(returns, terms)
    tails = _tails(returns, terms)
    own = _growth(returns, terms) | moments | falls | partial | tails
    own |= _ratios(own, terms) | _significance(returns, own, terms)
    own |= _relative(returns, benchmark or [], own, terms)
    return {name: own[name] for name in NAMES}


def divide(above: float, below: float) -> float:
    """Return a quotient; NaN unless the divisor is above zero."""
    return above / below if below > 0.0 else NAN


# ---------------------------------------------------------------------------------- one by one
def _growth(x: Sequence[float], terms: Terms) -> Figures:
    wealth = 1.0
    for r in x:
        wealth *= 1.0 + r
    # What has lost everything has no rate of growth.
    grows = wealth > 0.0 and terms.years > 0.0
    return {
        "total_return": wealth - 1.0,
        "cagr": _power(wealth, 1.0 / terms.years) - 1.0 if grows else NAN,
    }


def _moments(x: Sequence[float], terms: Terms) -> Figures:
    """Return mean, deviation (ddof 1), moments (population) and first autocorrelation."""
    n = len(x)
    mean = _sum(x) / n
    m2 = _sum(_square(r - mean) for r in x)
    m3 = _sum(_square(r - mean) * (r - mean) for r in x) / n
    m4 = _sum(_square(_square(r - mean)) for r in x) / n
    moves = max(x) - min(x) > NOISE
    deviation = math.sqrt(m2 / (n - 1)) if moves else 0.0
    variance = m2 / n
    products = _sum((a - mean) * (b - mean) for a, b in pairwise(x))
    return {
        "mean": mean,
        "deviation": deviation,
        "volatility": deviation * math.sqrt(terms.periods) if n > 1 else NAN,
        "skew": m3 / (variance * math.sqrt(variance)) if moves else NAN,
        "excess_kurtosis": m4 / (variance * variance) - 3.0 if moves else NAN,
        "autocorrelation": products / m2 if moves else NAN,
        "best": max(x),
        "worst": min(x),
    }


def _partial_moments(x: Sequence[float], terms: Terms) -> Figures:
    """Return what is won and what is lost, and the moments below the acceptable return.

    Downside deviation over all n: Sortino and Price (1994). Omega: Keating and Shadwick (2002).
    Kappa 3: Kaplan and Knowles (2004). Expectancy is that of a period.
    """
    n = len(x)
    wins = [r for r in x if r > 0.0]
    losses = [-r for r in x if r < 0.0]
    won, lost = _sum(wins), _sum(losses)
    short = [terms.mar - r if r < terms.mar else 0.0 for r in x]
    above = _sum(r - terms.mar if r > terms.mar else 0.0 for r in x)
    below = _sum(short)
    second = math.sqrt(_sum(d * d for d in short) / n)
    third = math.pow(_sum(d * d * d for d in short) / n, 1.0 / 3.0)
    excess = _sum(x) / n - terms.mar
    root = math.sqrt(terms.periods)
    return {
        "hit_rate": len(wins) / n,
        "payoff": divide(won / len(wins), lost / len(losses)) if wins and losses else NAN,
        "profit_factor": divide(won, lost),
        "expectancy": (won - lost) / n,
        "downside_deviation": second * root,
        "sortino": divide(excess, second) * root,
        "omega": divide(above, below),
        "kappa_3": divide(excess, third),
    }


def _drawdowns(x: Sequence[float], terms: Terms) -> Figures:
    """Return how far and how long wealth was below its peak, which is 1 before the first return.

    Ulcer index: Martin and McCann (1989). Pain index: Becker (2006). CDaR: Chekhlov, Uryasev and
    Zabarankin (2005). ``episodes`` is the square root of the sum of the squared depths of all
    drawdowns, from peak to peak: Burke (1994). Wealth beyond what a float holds has no falls.
    """
    wealth = peak = 1.0
    falls: list[float] = []
    depths: list[float] = []
    longest = length = 0
    depth = deepest = 0.0
    for r in x:
        wealth *= 1.0 + r
        peak = max(peak, wealth)
        fall = (peak - wealth) / peak
        falls.append(fall)
        deepest = max(deepest, fall)
        if fall > 0.0:
            depth = max(depth, fall)
            length += 1
            longest = max(longest, length)
            continue
        if depth > 0.0:
            depths.append(depth)
        depth, length = 0.0, 0
    if depth > 0.0:
        depths.append(depth)
    n = len(x)
    pain = _sum(falls) / n
    trough = falls.index(deepest) if deepest in falls else n
    recovered = next((t for t in range(trough, n) if falls[t] == 0.0), -1)
    return {
        "max_drawdown": deepest,
        "average_drawdown": _sum(depths) / len(depths) if depths else 0.0,
        "episodes": math.sqrt(_sum(depth * depth for depth in depths)),
        "drawdown_duration": float(longest),
        "recovery": float(recovered - trough) if recovered >= 0 else NAN,
        "ulcer": math.sqrt(_sum(fall * fall for fall in falls) / n),
        "pain": pain,
        "cdar": NAN if math.isnan(pain) else shortfall(falls, terms.confidence),
    }


def _tails(x: Sequence[float], terms: Terms) -> Figures:
    """Return empirical value at risk and expected shortfall, and the ratio of the tails.

    Value at risk is the order statistic ceil(n c) of the losses; expected shortfall that of Acerbi
    and Tasche (2002). The tail ratio's quantiles are interpolated (Hyndman and Fan's type 7).
    """
    losses = [-r for r in x]
    low, high = quantile(x, 0.05), quantile(x, 0.95)
    return {
        "var": sorted(losses)[rank(len(x), terms.confidence) - 1],
        "es": shortfall(losses, terms.confidence),
        "tail_ratio": abs(high) / abs(low) if low != 0.0 else NAN,
    }


def rank(n: int, confidence: float) -> int:
    """Return ceil(n c), which the noise of the product does not raise by one."""
    return max(1, math.ceil(n * confidence - 1e-9))


def shortfall(losses: Sequence[float], confidence: float) -> float:
    """Return the mean of the worst ``1 - confidence``, the boundary loss by its fraction."""
    whole = len(losses) * (1.0 - confidence)
    boundary = sorted(losses)[rank(len(losses), confidence) - 1]
    beyond = [loss for loss in losses if loss > boundary]
    return (_sum(beyond) + boundary * (whole - len(beyond))) / whole


def quantile(values: Sequence[float], probability: float) -> float:
    """Return an interpolated quantile (type 7)."""
    order = sorted(values)
    at = probability * (len(order) - 1)
    place = min(math.floor(at), len(order) - 1)
    after = order[min(place + 1, len(order) - 1)]
    return order[place] + (at - place) * (after - order[place])


# ------------------------------------------------------------------------------------- of others
def _ratios(own: Figures, terms: Terms) -> Figures:
    """Return reward by risk.

    Sharpe (1994); Young (1991), Calmar, over the whole series; Sterling with its 10 %; Burke
    (1994); Martin and McCann (1989); Becker (2006). Kelly: Thorp (2006), mean over variance.
    """
    n_periods, deviation = terms.periods, own["deviation"]
    excess = own["mean"] - terms.risk_free_of_period
    growth = own["cagr"] - terms.risk_free
    return {
        "sharpe": divide(excess, deviation) * math.sqrt(n_periods),
        "calmar": divide(own["cagr"], own["max_drawdown"]),
        "sterling": own["cagr"] / (own["max_drawdown"] + STERLING_EXCESS),
        "burke": divide(growth, own["episodes"]),
        "martin": divide(growth, own["ulcer"]),
        "pain_ratio": divide(growth, own["pain"]),
        "recovery_factor": divide(own["total_return"], own["max_drawdown"]),
        "kelly": divide(excess, deviation * deviation),
    }


def lags_of(n: int) -> int:
    """Return how many autocorrelations are estimated: Newey and West's 4 (n / 100)^(2/9)."""
    return math.floor(4.0 * math.pow(n / 100.0, 2.0 / 9.0))


def _significance(x: Sequence[float], own: Figures, terms: Terms) -> Figures:
    """Return what a Sharpe ratio is worth.

    Lo (2002), with autocorrelations beyond ``lags_of`` taken as 0; Bailey and Lopez de Prado
    (2012), the probability that the true ratio is above 0, and the periods that it takes to say so
    with 95 %, both by the ratio of a period and raw kurtosis.
    """
    n, mean, deviation = len(x), own["mean"], own["deviation"]
    none = {"lo_sharpe": NAN, "psr": NAN, "min_track_record": NAN}
    if not deviation > 0.0:
        return none
    ratio = (mean - terms.risk_free_of_period) / deviation
    total = _sum(_square(r - mean) for r in x)
    q = terms.periods
    correlations = [
        _sum((x[t] - mean) * (x[t - lag] - mean) for t in range(lag, n)) / total
        for lag in range(1, min(lags_of(n), n - 1, int(q) - 1) + 1)
    ]
    shape = own["skew"], own["excess_kurtosis"]
    return {
        "lo_sharpe": divide(ratio * q, _root(periods_together(q, correlations))),
        "psr": probability_of_skill(ratio, n, *shape),
        "min_track_record": track_record(ratio, *shape) if ratio > 0.0 else NAN,
    }


def periods_together(periods: float, correlations: Sequence[float]) -> float:
    """Return the variance of that many periods together, in variances of one: Lo (2002), eq. 20."""
    total = periods
    for lag, correlation in enumerate(correlations, start=1):
        total += 2.0 * (periods - lag) * correlation
    return total


def probability_of_skill(
    ratio: float, n: int, skew: float, excess_kurtosis: float, *, target: float = 0.0
) -> float:
    """Return the probability that the Sharpe ratio of a period is truly above a target.

    Bailey and Lopez de Prado (2012), the probabilistic Sharpe ratio. NaN where skew and kurtosis
    leave the ratio no variance.
    """
    spread = 1.0 - skew * ratio + (excess_kurtosis + 2.0) / 4.0 * (ratio * ratio)
    if not spread > 0.0:
        return NAN
    z = (ratio - target) * math.sqrt((n - 1) / spread)
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def track_record(
    ratio: float, skew: float, excess_kurtosis: float, *, target: float = 0.0
) -> float:
    """Return the periods that it takes to say with 95 % that a ratio is above a target below it.

    Bailey and Lopez de Prado (2012), the minimum track record length.
    """
    spread = 1.0 - skew * ratio + (excess_kurtosis + 2.0) / 4.0 * (ratio * ratio)
    wait = TRACK_RECORD_Z / (ratio - target)
    return 1.0 + spread * (wait * wait) if spread > 0.0 else NAN


def _relative(x: Sequence[float], b: Sequence[float], own: Figures, terms: Terms) -> Figures:
    """Return a series against a benchmark of the same periods.

    Beta, alpha and R2 of the returns beyond the risk-free one, alpha times periods a year: Jensen
    (1968). M2: Modigliani and Modigliani (1997), Treynor (1965), by arithmetic means. Capture:
    compound return of the periods in which the benchmark rose, or fell, over the benchmark's own,
    each by period.
    """
    if not b:
        return dict.fromkeys(RELATIVE, NAN)
    n, p = len(x), terms.periods
    mean_b = _sum(b) / n
    both = _sum((r - own["mean"]) * (m - mean_b) for r, m in zip(x, b, strict=True))
    square_b = _sum(_square(m - mean_b) for m in b)
    square_x = _sum(_square(r - own["mean"]) for r in x)
    moves_b = max(b) - min(b) > NOISE
    apart = [r - m for r, m in zip(x, b, strict=True)]
    mean_a = _sum(apart) / n
    parts = max(apart) - min(apart) > NOISE
    error = math.sqrt(_sum(_square(a - mean_a) for a in apart) / (n - 1)) if parts else 0.0
    beta = both / square_b if moves_b else NAN
    excess = own["mean"] - terms.risk_free_of_period
    of_market = math.sqrt(square_b / (n - 1)) * math.sqrt(p) if moves_b else NAN
    return {
        "beta": beta,
        "alpha": (excess - beta * (mean_b - terms.risk_free_of_period)) * p,
        "r2": both * both / (square_b * square_x) if moves_b and own["deviation"] > 0.0 else NAN,
        "tracking_error": error * math.sqrt(p) if n > 1 else NAN,
        "information_ratio": divide(mean_a, error) * math.sqrt(p),
        "m2": terms.risk_free + own["sharpe"] * of_market,
        "treynor": excess * p / beta if beta != 0.0 else NAN,
        "up_capture": _capture([(r, m) for r, m in zip(x, b, strict=True) if m > 0.0]),
        "down_capture": _capture([(r, m) for r, m in zip(x, b, strict=True) if m < 0.0]),
    }


def _capture(pairs: Sequence[tuple[float, float]]) -> float:
    if not pairs:
        return NAN
    ours = theirs = 1.0
    for r, m in pairs:
        ours *= 1.0 + r
        theirs *= 1.0 + m
    if not (ours > 0.0 and theirs > 0.0):
        return NAN
    share = 1.0 / len(pairs)
    market = _power(theirs, share) - 1.0
    return (_power(ours, share) - 1.0) / market if market != 0.0 else NAN


def _power(base: float, exponent: float) -> float:
    """Return a power as C does: infinite where it is beyond what a float holds."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf


def _root(value: float) -> float:
    return math.sqrt(value) if value > 0.0 else NAN


def _sum(values: Iterable[float]) -> float:
    """Add up from the first to the last; ``sum`` may compensate for what is lost on the way."""
    total = 0.0
    for value in values:
        total += value
    return total


def _square(value: float) -> float:
    return value * value
