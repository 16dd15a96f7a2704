"""Headline performance metrics of an equity curve, each by its stated convention.

Simple returns from close to close; sample deviation (ddof 1); the annual risk-free rate is turned
per period by (1 + rf)^(1/p) - 1; the minimum acceptable return is 0; CAGR by elapsed calendar time;
drawdown as a fraction of the running peak, which includes the starting capital, and positive; a
figure that is undefined is NaN, with its reason beside it.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.sessions import DAY_NS

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

YEAR_NS: Final = 365.25 * DAY_NS
# A return is exact to a few units of 1e-16: returns that differ by less than this are equal, and
# dividing by their deviation would give a Sharpe ratio of 1e14.
_NOISE: Final = 1e-13
PERIODS: Final = (252, 365, 52, 12, 4, 1)
"""What the number of periods a year is snapped to."""


class Metrics(NamedTuple):
    """Figures by name, why some are NaN, and the conventions they were computed by."""

    values: dict[str, float]
    undefined: dict[str, str]
    conventions: dict[str, str]


def compute_periods_per_year(ts_close_ns: Stamps) -> int:
    """Return how many bars stand for a year: the nearest of 252, 365, 52, 12, 4 and 1, by ratio.

    Parameters
    ----------
    ts_close_ns : int64 array, shape (T,)
        Closes, at least two, one a session or rarer.
    """
    years = float(ts_close_ns[-1] - ts_close_ns[0]) / YEAR_NS
    observed = (len(ts_close_ns) - 1) / years
    return min(PERIODS, key=lambda periods: abs(math.log(observed / periods)))


def last_of_sessions(ts_close_ns: Stamps) -> NDArray[np.intp]:
    """Return the index of the last bar of every UTC day."""
    days = ts_close_ns // DAY_NS
    return np.flatnonzero(np.append(days[1:] != days[:-1], True))


def compute_drawdown(equity: Floats, capital: float) -> Floats:
    """Return the fall from the running peak at every bar, as a positive fraction of the peak.

    Parameters
    ----------
    equity : float64 array, shape (T,)
    capital : float
        Starting capital: the peak before the first bar.
    """
    peak = np.maximum(np.maximum.accumulate(equity), capital)
    return 1.0 - equity / peak


def compute_metrics(
    equity: Floats, ts_close_ns: Stamps, *, capital: float, risk_free: float = 0.0
) -> Metrics:
    """Compute the headline metrics of an equity curve.

    Parameters
    ----------
    equity : float64 array, shape (T,)
        Value of the account at the close of every bar.
    ts_close_ns : int64 array, shape (T,)
        Those closes.
    capital : float
        Value before the first bar, above zero.
    risk_free : float
        Annual rate, as a fraction.

    Returns
    -------
    Metrics
        Fractions, never percent; annualised figures say ``ann_`` or are ratios of such. Intraday
        bars are reduced to the last equity of every UTC day first, for all figures but drawdown.

    Missing
    -------
    Fewer than two returns, or returns that do not vary, leave ratios NaN with the reason.

    References
    ----------
    Sharpe (1994); Sortino and Price (1994), downside deviation over all n; Young (1991), Calmar.
    """
    sessions = last_of_sessions(ts_close_ns)
    curve, stamps = equity[sessions], ts_close_ns[sessions]
    returns = curve[1:] / curve[:-1] - 1.0
    undefined: dict[str, str] = {}
    drawdown = compute_drawdown(equity, capital)
    under_water = drawdown > 0.0
    values = {
        "total_return": float(equity[-1] / capital - 1.0),
        "max_drawdown": float(drawdown.max()),
        "max_drawdown_bars": float(_longest_run(under_water)),
        "bars": float(len(equity)),
    }
    conventions = {
        "returns": "simple, close to close"
        + ("" if len(sessions) == len(equity) else ", last equity of every UTC day"),
        "risk_free": f"{risk_free:.6g} a year",
        "deviation": "ddof 1; Sortino's downside over all n below 0",
        "cagr": "elapsed calendar time, 365.25 days a year",
        "drawdown": "positive, peak includes the starting capital",
    }
    names: tuple[str, ...] = (
        "cagr",
        "ann_volatility",
        "sharpe",
        "sortino",
        "calmar",
        "period_hit_rate",
    )
    names += ("period_best", "period_worst")
    if len(returns) < 2 or curve[-1] <= 0.0:
        why = "equity fell to zero or below" if curve[-1] <= 0.0 else "fewer than two returns"
        values |= dict.fromkeys(names, math.nan)
        undefined = dict.fromkeys(names, why)
        return Metrics(values, undefined, conventions | {"periods_per_year": "not defined"})
    periods = compute_periods_per_year(stamps)
    conventions["periods_per_year"] = str(periods)
    years = float(stamps[-1] - stamps[0]) / YEAR_NS
    excess = returns - ((1.0 + risk_free) ** (1.0 / periods) - 1.0)
    deviation = float(returns.std(ddof=1))
    downside = math.sqrt(float(np.square(np.minimum(excess, 0.0)).mean()))
    cagr = float((equity[-1] / capital) ** (1.0 / years) - 1.0)
    scale = math.sqrt(periods)
    moves = bool(np.ptp(returns) > _NOISE)
    ratios = {
        "sharpe": (float(excess.mean()), deviation if moves else 0.0, scale, "returns do not vary"),
        "sortino": (float(excess.mean()), downside, scale, "no return below the target"),
        "calmar": (cagr, values["max_drawdown"], 1.0, "no drawdown"),
    }
    values |= {"cagr": cagr, "ann_volatility": deviation * scale if moves else 0.0}
    for name, (above, below, factor, why) in ratios.items():
        values[name] = above / below * factor if below > 0.0 else math.nan
        if not below > 0.0:
            undefined[name] = why
    values |= {
        "period_hit_rate": float((returns > 0.0).mean()),
        "period_best": float(returns.max()),
        "period_worst": float(returns.min()),
    }
    return Metrics(values, undefined, conventions)


def _longest_run(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
