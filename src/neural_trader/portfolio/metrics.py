"""The metrics of an equity curve: those of ``measure``, from the equity of an account.

Simple returns from close to close; an intraday curve is reduced to the last equity of every UTC
day first, for all but growth and drawdowns, which are those of every bar, from a peak that
includes the starting capital.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.portfolio.performance import Performance, measure
from neural_trader.portfolio.periods import last_of_sessions

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

_OF_EVERY_BAR: Final = (
    *("total_return", "cagr", "calmar", "sterling", "burke", "martin", "pain_ratio"),
    *("max_drawdown", "average_drawdown", "drawdown_duration", "recovery", "recovery_factor"),
    *("ulcer", "pain", "cdar"),
)
_OF_ONE_BAR: Final = frozenset({"total_return", "max_drawdown", "drawdown_duration"})
OLDER_NAMES: Final = {
    "ann_volatility": "volatility",
    "max_drawdown_bars": "drawdown_duration",
    "period_best": "best",
    "period_hit_rate": "hit_rate",
    "period_worst": "worst",
}
"""Names under which figures of a backtest were known before, and those of ``METRICS`` they are."""


class Metrics(NamedTuple):
    """Figures by name, why some are NaN, and the conventions they were computed by."""

    values: dict[str, float]
    undefined: dict[str, str]
    conventions: dict[str, str]


def compute_metrics(
    equity: Floats,
    ts_close_ns: Stamps,
    *,
    capital: float,
    risk_free: float = 0.0,
    benchmark: Floats | None = None,
) -> Metrics:
    """Compute every metric of an equity curve.

    Parameters
    ----------
    equity : float64 array, shape (T,)
        Value of the account at the close of every bar; all but the last above zero.
    ts_close_ns : int64 array, shape (T,)
        Those closes.
    capital : float
        Value before the first bar, above zero.
    risk_free : float
        Annual rate, as a fraction.
    benchmark : float64 array, shape (T,), optional
        Value of what the account is held against, above zero.

    Returns
    -------
    Metrics
        As ``measure`` defines them, and by their older names too (``OLDER_NAMES``); ``bars`` counts
        the bars. Turnover is for who knows the fills.

    Missing
    -------
    With fewer than two returns from session to session, or an equity that fell to zero or below,
    ratios are NaN with the reason.
    """
    sessions = last_of_sessions(ts_close_ns)
    curve, stamps = equity[sessions], ts_close_ns[sessions]
    before = capital if len(equity) == 1 or equity[0] != capital else None
    every_bar = measure(
        _returns(equity, before),
        ts_close_ns=ts_close_ns if before is not None else ts_close_ns[1:],
        start_ns=int(ts_close_ns[0]),
        risk_free=risk_free,
    )
    is_short, is_ruined = len(curve) < 3, bool(curve[-1] <= 0.0)
    found = every_bar
    if not is_short and not is_ruined:
        against = None if benchmark is None else _returns(benchmark[sessions])
        found = measure(
            _returns(curve),
            ts_close_ns=stamps[1:],
            start_ns=int(stamps[0]),
            risk_free=risk_free,
            benchmark=against,
        )
    values, undefined = _figures(found, every_bar)
    # The chain of returns loses the last digits of what the account says.
    values["total_return"] = float(equity[-1] / capital - 1.0)
    conventions = dict(found.conventions)
    conventions["returns"] = "simple, close to close"
    if len(sessions) < len(equity):
        conventions["returns"] += ", last equity of every UTC day; growth and drawdown of every bar"
    conventions["drawdown"] = "positive, peak includes the starting capital"
    conventions["periods_per_year"] = conventions["periods_per_year"].partition(" ")[0]
    if is_short or is_ruined:
        why = "equity fell to zero or below" if is_ruined else "fewer than two returns"
        kept = set(_OF_EVERY_BAR) - {"cagr", "calmar"} if is_ruined else _OF_ONE_BAR
        undefined = dict.fromkeys((name for name in values if name not in kept), why)
        values |= dict.fromkeys(undefined, math.nan)
        undefined |= {name: why for name, value in values.items() if math.isnan(value)}
        conventions["periods_per_year"] = "not defined"
    values |= {older: values[name] for older, name in OLDER_NAMES.items()}
    undefined |= {
        older: undefined[name] for older, name in OLDER_NAMES.items() if name in undefined
    }
    return Metrics(values | {"bars": float(len(equity))}, undefined, conventions)


def _returns(curve: Floats, before: float | None = None) -> Floats:
    """Return the simple returns of a curve; the first from ``before`` where that is given."""
    if before is not None:
        curve = np.concatenate(([before], curve))
    returns: Floats = curve[1:] / curve[:-1] - 1.0
    return returns


def _figures(found: Performance, every_bar: Performance) -> tuple[dict[str, float], dict[str, str]]:
    """Return figures and reasons: growth and drawdowns of every bar, the others of sessions."""
    values, undefined = found.of("0"), found.undefined("0")
    bars, reasons = every_bar.of("0"), every_bar.undefined("0")
    for name in _OF_EVERY_BAR:
        values[name] = bars[name]
        undefined.pop(name, None)
        if name in reasons:
            undefined[name] = reasons[name]
    del values["turnover"], undefined["turnover"]
    return values, undefined
