"""The figures of an evaluation card, each with how far luck could have moved it."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.forecast.artefact import MODEL
from neural_trader.forecast.predictions import Predictions
from neural_trader.forecast.significance import Resampled

Floats = NDArray[np.float64]

_TAILS: Final = (2.5, 97.5)
_VOLATILE_PART: Final = 0.05
_RANKED_MIN: Final = 3
"""Series at the least whose order can be forecast."""
_DAYS_OF_YEAR: Final = 365.25
_PERIODS: Final = (365.0, 252.0, 52.0, 12.0, 4.0, 1.0)
_DAY_NS: Final = 86_400_000_000_000


def number(value: float) -> float | None:
    """Return a figure as JSON can hold it: None where it is undefined."""
    return float(value) if math.isfinite(value) else None


def interval(draws: Floats) -> tuple[float | None, float | None]:
    """Return the ends of the 95 % between the tails of resampled figures."""
    finite = draws[np.isfinite(draws)]
    if not len(finite):
        return None, None
    low, high = np.percentile(finite, _TAILS)
    return float(low), float(high)


def ratio(over: Floats, under: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    return np.divide(over, under, out=np.full_like(over, math.nan), where=under > 0.0)


def skills(errors: Floats, others: Floats, resampled: Resampled) -> list[dict[str, Any]]:
    """Return by how much errors are smaller than others, a column a figure.

    Parameters
    ----------
    errors, others : float64 arrays, shape (N, K)
        Squared errors.
    resampled : Resampled

    Returns
    -------
    list of dict
        ``value`` is 1 less the ratio of the sums, positive where the first errs less; ``lower`` and
        ``upper`` hold 95 % of it resampled. None where the others never err.
    """
    values = 1.0 - ratio(errors.sum(axis=0), others.sum(axis=0))
    draws = 1.0 - ratio(resampled.sums(errors), resampled.sums(others))
    found = []
    for column, value in enumerate(values.tolist()):
        lower, upper = interval(draws[:, column])
        found.append({"value": number(value), "lower": lower, "upper": upper})
    return found


def direction(made: Predictions, resampled: Resampled) -> dict[str, Any]:
    """Return how often the sign of the change over the horizon was right, less always up.

    Notes
    -----
    Only changes that are not zero count; a forecast of no change is no hit.
    """
    change = made.truths[:, :, -1] - made.last
    said = made.forecasts[MODEL][:, :, -1] - made.last
    moved = change != 0.0
    hits = (np.sign(said) == np.sign(change)) & moved
    ups = change > 0.0
    sums = [part.sum(axis=1).astype(np.float64) for part in (hits, ups, moved)]
    total = [float(part.sum()) for part in sums]
    drawn = resampled.sums(np.stack(sums, axis=1))
    lower, upper = interval(ratio(drawn[:, 0] - drawn[:, 1], drawn[:, 2]))
    count = total[2] or math.nan
    return {
        "hit_rate": number(total[0] / count),
        "always_up": number(total[1] / count),
        "difference": number((total[0] - total[1]) / count),
        "lower": lower,
        "upper": upper,
        "says_up": float((said > 0.0).mean()),
    }


def cross_section(made: Predictions, resampled: Resampled) -> dict[str, Any]:
    """Return what is left when the mean of all series is taken off at every origin.

    Notes
    -----
    Skill is over forecasting the mean for every series, so that it is what the network knows of one
    series against another. Rank IC is the mean of Spearman's correlations across series between the
    forecast and the true change over the horizon, over origins where both differ.
    """
    count = made.truths.shape[1]
    if count < _RANKED_MIN:
        return {"reason": f"{count} series; the order of {_RANKED_MIN} or more can be forecast"}
    change = made.truths - made.last[:, :, None]
    said = made.forecasts[MODEL] - made.last[:, :, None]
    change, said = (part - part.mean(axis=1, keepdims=True) for part in (change, said))
    errors = ((change - said) ** 2).mean(axis=(1, 2))[:, None]
    (skill,) = skills(errors, (change**2).mean(axis=(1, 2))[:, None], resampled)
    ics = _rank_correlations(said[:, :, -1], change[:, :, -1])
    defined = np.isfinite(ics)
    pairs = np.stack([np.where(defined, ics, 0.0), defined.astype(np.float64)], axis=1)
    drawn = resampled.sums(pairs)
    lower, upper = interval(ratio(drawn[:, 0], drawn[:, 1]))
    mean = float(ics[defined].mean()) if defined.any() else math.nan
    return {
        "demeaned_skill": skill,
        "rank_ic": {"value": number(mean), "lower": lower, "upper": upper},
    }


def _rank_correlations(one: Floats, two: Floats) -> Floats:
    """Return Spearman's correlation of each row; NaN where a row of either is all the same."""
    ranks = []
    for values in (one, two):
        order = np.argsort(values, axis=1, kind="stable")
        rank = np.empty_like(values)
        np.put_along_axis(rank, order, np.arange(values.shape[1], dtype=np.float64)[None, :], 1)
        ranks.append(rank - rank.mean(axis=1, keepdims=True))
    products = (ranks[0] * ranks[1]).sum(axis=1)
    found: Floats = products / np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    still = (np.ptp(one, axis=1) < 1e-15) | (np.ptp(two, axis=1) == 0.0)
    found[still] = math.nan
    return found


def coverage(made: Predictions, coverages: tuple[float, ...]) -> dict[str, Any]:
    """Return what part of truths the intervals held, overall and when markets moved most.

    Notes
    -----
    A mean over origins, series and steps. Volatile are the 5 % of the origins of each series with
    the highest trailing volatility: what was known at the origin decides.
    """
    moves = made.volatility > 0.0
    edge = np.quantile(made.volatility, 1.0 - _VOLATILE_PART, axis=0)
    volatile = moves & (made.volatility >= edge)
    found: dict[str, Any] = {}
    for source, held in made.covered.items():
        found[source] = [
            {
                "level": level,
                "overall": number(float(part[moves].mean())) if moves.any() else None,
                "volatile": number(float(part[volatile].mean())) if volatile.any() else None,
                "by_step": part[moves].mean(axis=0).tolist() if moves.any() else None,
            }
            for level, part in zip(coverages, held, strict=True)
        ]
    return found


def trading(
    made: Predictions,
    prices: Floats,
    ts_close_ns: NDArray[np.int64],
    *,
    cost_bps: float,
    resampled: Resampled,
) -> dict[str, Any]:
    """Return the Sharpe ratio of trading by the forecasts' signs, net of costs.

    Parameters
    ----------
    made : Predictions
    prices : float64 array, shape (S, T)
    ts_close_ns : int64 array, shape (T,)
    cost_bps : float
        Of what is bought or sold.
    resampled : Resampled

    Timing
    ------
    A forecast at the close of bar t is traded at the close of bar t + 1, and earns from there to
    the close of bar t + 2. Equal weights, long where a rise is forecast over the horizon and short
    where a fall is. Buy-and-hold has the same weights on the same bars, always long.
    """
    use = made.at + 2 < prices.shape[1]
    at = made.at[use]
    said = np.sign(made.forecasts[MODEL][:, :, -1] - made.last)[use]
    earned = prices[:, at + 2].T / prices[:, at + 1].T - 1.0
    before = np.vstack([np.zeros(said.shape[1]), said[:-1]])
    traded = np.abs(said - before).mean(axis=1)
    strategy = (said * earned).mean(axis=1) - traded * cost_bps * 1e-4
    market = earned.mean(axis=1)
    market[0] -= cost_bps * 1e-4
    periods = periods_per_year(ts_close_ns[at])
    rows = np.zeros((len(made.at), 4))
    rows[use] = np.stack([strategy, strategy**2, market, market**2], axis=1)
    own, other = (_sharpe(rows.sum(axis=0)[None], place, len(at), periods)[0] for place in (0, 2))
    drawn = resampled.sums(rows)
    gap = _sharpe(drawn, 0, len(at), periods) - _sharpe(drawn, 2, len(at), periods)
    lower, upper = interval(gap)
    return {
        "sharpe": number(own),
        "buy_and_hold": number(other),
        "difference": number(own - other),
        "lower": lower,
        "upper": upper,
        "cost_bps": cost_bps,
        "turnover": float(traded.mean()),
        "periods_per_year": periods,
    }


def _sharpe(sums: Floats, place: int, count: int, periods: float) -> Floats:
    """Return annual Sharpe ratios from sums of returns and of their squares."""
    mean = sums[:, place] / count
    variance = (sums[:, place + 1] - count * mean * mean) / max(count - 1, 1)
    found: Floats = np.divide(
        mean,
        np.sqrt(np.maximum(variance, 0.0)),
        out=np.full_like(mean, math.nan),
        where=variance > 1e-30,
    ) * math.sqrt(periods)
    return found


def periods_per_year(ts_close_ns: NDArray[np.int64]) -> float:
    """Return how many bars a year has: the nearest usual number, or what is there if more."""
    if len(ts_close_ns) < 2:
        return _PERIODS[1]
    years = float(ts_close_ns[-1] - ts_close_ns[0]) / _DAY_NS / _DAYS_OF_YEAR
    found = (len(ts_close_ns) - 1) / years
    if found > 1.5 * _PERIODS[0]:
        return found
    return min(_PERIODS, key=lambda usual: abs(math.log(usual / found)))
