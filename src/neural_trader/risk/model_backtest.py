"""Backtests of a risk model: what it said before each day, beside what the day brought."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import session_date, session_day
from neural_trader.risk.config import RiskConfig
from neural_trader.risk.coverage import (
    Z2_CRITICAL,
    acerbi_szekely,
    christoffersen,
    conditional_coverage,
    kupiec,
    traffic_light,
)
from neural_trader.risk.estimation import fit_degrees
from neural_trader.risk.measure import Situation, plain, provenance_of
from neural_trader.risk.methods import Sample, check_returns, estimate, make_sample
from neural_trader.risk.valuation import gains, is_flat

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

WINDOW: Final = 500
"""Returns that an estimate sees, unless it is told otherwise."""
REFIT: Final = 20
"""Days for which fitted degrees of freedom and GARCH parameters stay."""


class RiskBacktest(NamedTuple):
    """Value at risk and expected shortfall, day by day, out of sample.

    Attributes
    ----------
    ts_close_ns : int64 array, shape (T,)
        Of the days on which the losses came.
    losses : float64 array, shape (T,)
        Of today's positions at the as-of prices, with the returns of each day.
    var, es : float64 arrays, shape (T,)
        Of the returns before that day.
    hits : bool array, shape (T,)
        Whether the loss was beyond VaR.
    tests : dict
        ``kupiec``, ``independence``, ``conditional_coverage``, ``traffic_light``, ``z1``, ``z2``.
    method : str
    definitions : dict of str to str
    notes : tuple of str
    provenance : dict
    """

    ts_close_ns: Stamps
    losses: Floats
    var: Floats
    es: Floats
    hits: NDArray[np.bool_]
    tests: dict[str, Any]
    method: str
    definitions: dict[str, str]
    notes: tuple[str, ...]
    provenance: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return tests and exceptions as JSON can hold them; NaN is None."""
        rows = np.flatnonzero(self.hits)
        exceptions = [
            {
                "date": str(session_date(int(self.ts_close_ns[row]))),
                "loss": float(self.losses[row]),
                "var": float(self.var[row]),
                "es": float(self.es[row]),
            }
            for row in rows.tolist()
        ]
        return {
            "method": self.method,
            "confidence": self.provenance["config"]["confidence"],
            "window": self.provenance["window"],
            "from": str(session_date(int(self.ts_close_ns[0]))),
            "to": str(session_date(int(self.ts_close_ns[-1]))),
            **plain(self.tests),
            "exception_days": exceptions,
            "definitions": self.definitions,
            "notes": list(self.notes),
            "provenance": plain(self.provenance),
        }


def backtest_risk(
    situation: Situation,
    config: RiskConfig,
    *,
    window: int = WINDOW,
    start: str | None = None,
    on_day: Callable[[int, int], None] | None = None,
) -> RiskBacktest:
    """Estimate value at risk for every day from the returns before it, and test what came.

    Parameters
    ----------
    situation : Situation
        Its window holds all days: those that only train, and those that are tested.
    config : RiskConfig
        Over a horizon of one period.
    window : int
        Returns that an estimate sees: those right before the day.
    start : str, optional
        The first day that is tested; None is the first with enough returns before it.
    on_day : callable, optional
        Told how many days are done, and of how many.

    Raises
    ------
    ConfigError
        The horizon is not one period, ``window`` is below 2, or nothing is held.
    DataError
        There are not enough returns, or an estimate is undefined on every day.

    Timing
    ------
    Look-ahead: the estimate for day t sees the returns of days t - window to t - 1 and the as-of
    positions, nothing else. Degrees of freedom are fitted anew every 20 days.

    Missing
    -------
    A day whose estimate is undefined is left out, and counted in the notes.
    """
    _check(situation, config, window)
    returns = situation.history.returns
    stamps = situation.history.ts_close_ns[1:]
    first = _first_day(stamps, window, start)
    book = situation.book
    # What the positions would have gained each day: no later day is part of it.
    gained = gains(book, returns, passed=situation.period)
    losses = 0.0 - gained.sum(axis=1)[first:]
    found: list[tuple[float, float]] = []
    tails: list[Floats] = []
    refit = config
    for number, day in enumerate(range(first, len(returns))):
        if config.method == "monte-carlo" or number % REFIT == 0:
            refit = _refitted(config, returns[day - window : day], day)
        sample = _sample_of(situation, refit, (day - window, day), gained)
        said = estimate(sample, refit)
        found.append((said.var, said.es))
        tails.append(said.tail)
        if on_day is not None:
            on_day(number + 1, len(returns) - first)
    var, es = np.array(found).T
    kept = np.isfinite(var) & np.isfinite(es)
    if not kept.any():
        message = (
            f"{config.method} is undefined on each of the {len(var):,} days; take another method, "
            "or a longer window"
        )
        raise DataError(message)
    hits = losses > var
    tests = run_tests(losses[kept], var[kept], es[kept], np.array(tails)[kept], config=config)
    left_out = int((~kept).sum())
    notes = [f"{left_out:,} days left out: the estimate is undefined"] if left_out else []
    if "survivors" in situation.history.bars.labels:
        notes.append("survivors: these symbols are known today because they lasted")
    return RiskBacktest(
        ts_close_ns=stamps[first:][kept],
        losses=losses[kept],
        var=var[kept],
        es=es[kept],
        hits=hits[kept],
        tests=tests,
        method=config.method,
        definitions=_definitions(config, window, bool(len(book.options.units))),
        notes=tuple(notes),
        provenance=provenance_of(situation, config) | {"window": window},
    )


def run_tests(
    losses: Floats, var: Floats, es: Floats, tails: Floats, *, config: RiskConfig
) -> dict[str, Any]:
    """Return every test of a risk model, as plain values.

    Parameters
    ----------
    losses, var, es : float64 arrays, shape (T,)
    tails : float64 array, shape (T, K)
    config : RiskConfig
        Its confidence and seed.
    """
    hits = losses > var
    days, count, confidence = len(losses), int(hits.sum()), config.confidence
    z1, z2 = acerbi_szekely(losses, var, es, tails, confidence=confidence, seed=config.seed)
    last = hits[-250:]
    return {
        "days": days,
        "exceptions": count,
        "expected": days * (1.0 - confidence),
        "kupiec": kupiec(count, days, confidence)._asdict(),
        "independence": christoffersen(hits)._asdict(),
        "conditional_coverage": conditional_coverage(hits, confidence)._asdict(),
        "traffic_light": traffic_light(count, days, confidence)._asdict(),
        "traffic_light_last_250": traffic_light(int(last.sum()), len(last), confidence)._asdict()
        | {"days": len(last), "exceptions": int(last.sum())},
        "z1": z1._asdict(),
        "z2": z2._asdict() | {"critical": Z2_CRITICAL},
    }


def _check(situation: Situation, config: RiskConfig, window: int) -> None:
    if config.horizon != 1:
        message = (
            f"horizon is {config.horizon}; a backtest compares one period ahead with the next "
            "period. Take 1"
        )
        raise ConfigError(message)
    if window < 2:
        message = f"window is {window}; expected a number of returns, 2 or more"
        raise ConfigError(message)
    if is_flat(situation.book):
        message = "the positions net to nothing: there is no risk to test"
        raise ConfigError(message)
    check_returns(situation.history.returns, situation.history.symbols)


def _first_day(stamps: Stamps, window: int, start: str | None) -> int:
    if len(stamps) <= window:
        message = (
            f"{len(stamps):,} returns leave no day to test after {window:,} to estimate from; "
            "take a shorter window, or more data"
        )
        raise DataError(message)
    if start is None:
        return window
    day = session_day(start, option="start")
    dates = np.array([session_day(session_date(s), option="start") for s in stamps.tolist()])
    first = int(np.searchsorted(dates, day))
    if first >= len(stamps):
        message = f"no return on or after {start}; the last is on {session_date(int(stamps[-1]))}"
        raise DataError(message)
    if first < window:
        message = (
            f"{first:,} returns lie before {start}; expected {window:,} to estimate from. Start "
            f"on {session_date(int(stamps[window]))} or later, or take a shorter window"
        )
        raise DataError(message)
    return first


def _refitted(config: RiskConfig, returns: Floats, day: int) -> RiskConfig:
    """Return the configuration of a day: its degrees fitted, its draws its own."""
    changes: dict[str, Any] = {}
    fits = config.degrees == "fit" or (config.method == "student-t" and config.degrees is None)
    if fits:
        changes["degrees"] = fit_degrees(returns)
    if config.method == "monte-carlo":
        changes["seed"] = (config.seed + day) % 2**63
    return msgspec.structs.replace(config, **changes) if changes else config


def _sample_of(
    situation: Situation, config: RiskConfig, rows: tuple[int, int], gained: Floats
) -> Sample:
    """Return what the method looks at for a day, what it has computed already taken over."""
    seen = slice(*rows)
    returns = situation.history.returns[seen]
    return make_sample(
        situation.book, returns, config, period=situation.period, gained=gained[seen]
    )


def _definitions(config: RiskConfig, window: int, has_options: bool) -> dict[str, str]:
    words = {
        "loss": "of today's positions at the as-of prices, moved by the returns of each day",
        "estimate": f"{config.method}, from the {window:,} returns right before the day",
        "exception": "a loss beyond VaR",
        "kupiec": "likelihood ratio of the share of exceptions, chi-squared with 1 degree",
        "independence": "likelihood ratio of Christoffersen, first order, 1 degree",
        "conditional_coverage": "the sum of both, 2 degrees",
        "traffic_light": "Basel: probability of at most as many exceptions; yellow from 95 %, red "
        "from 99.99 %",
        "z1": "Acerbi and Szekely: 1 - mean of loss / ES over the exceptions",
        "z2": "Acerbi and Szekely: 1 - sum of loss / ES over the exceptions / (T (1 - c)); at "
        f"97.5 % over 250 days {Z2_CRITICAL:.2f} is the 5 % point",
        "p_value": f"of z1 and z2: from simulated days, seed {config.seed}",
    }
    if has_options:
        words["options"] = "as they stand at the as-of date, one period gone by on each day"
    return words
