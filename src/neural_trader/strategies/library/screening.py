"""Screening a universe for pairs whose spread comes back: Engle and Granger's test, half-life."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from neural_trader.core import Bars, ConfigError, DataError
from neural_trader.core.bars import Floats
from neural_trader.core.sessions import first_ns, last_ns, session_day
from neural_trader.strategies.parameters import read_finite

_BARS_MIN = 60


class Candidate(NamedTuple):
    """A pair whose spread looks stationary.

    ``hedge_ratio`` is the slope of y on x with intercept; ``statistic`` and ``p_value`` are those
    of Engle and Granger's test; ``half_life`` is in bars, infinite where the spread does not come
    back.
    """

    y: str
    x: str
    hedge_ratio: float
    statistic: float
    p_value: float
    half_life: float


class Screening(NamedTuple):
    """The pairs that passed, best first, and how many were tested to find them."""

    candidates: list[Candidate]
    tested: int


def screen_pairs(
    bars: Bars,
    symbols: Sequence[str] | None = None,
    *,
    start: str | None = None,
    end: str | None = None,
    p_value: float = 0.05,
    half_life_max: float = math.inf,
    progress: Callable[[int, int], None] | None = None,
) -> Screening:
    """Test every two symbols for cointegration.

    Parameters
    ----------
    bars : Bars
    symbols : sequence of str, optional
        All of the bars by default.
    start, end : str, optional
        Inclusive session dates. Screen on one part and trade the next: a pair that was chosen on
        the bars that it is then tested on has been looked up, not found.
    p_value : float
        Pass at this or less, 0 to 1.
    half_life_max : float
        Pass at this many bars or less.
    progress : callable, optional
        Called with the number of pairs done and of all.

    Returns
    -------
    Screening
        Of the two directions of a pair, the one with the smaller p-value.

    Raises
    ------
    ConfigError
        Fewer than two symbols, or statsmodels is not installed.
    DataError
        A symbol that the bars do not have, or a pair with fewer than 60 bars in common.

    Notes
    -----
    The test is statsmodels' ``coint``: residuals of the regression, an augmented Dickey-Fuller test
    on them with the lags that Akaike's criterion chooses, MacKinnon's p-values. At 0.05, one pair
    in twenty passes by luck: ``tested`` says out of how many.
    Half-life: the residual's regression on its last value has the slope rho; ln 0.5 / ln rho.

    References
    ----------
    Engle and Granger (1987), "Co-integration and Error Correction", Econometrica 55; MacKinnon
    (2010), "Critical Values for Cointegration Tests".
    """
    try:
        from statsmodels.tsa.stattools import coint
    except ImportError:
        message = "screening needs statsmodels; install it: pip install 'neural-trader[screening]'"
        raise ConfigError(message) from None
    names = tuple(bars.symbols if symbols is None else symbols)
    if len(set(names)) < 2:
        message = f"symbols are {names!r}; expected two or more different ones to make pairs of"
        raise ConfigError(message)
    if not 0.0 <= read_finite("p_value", p_value) <= 1.0:
        message = f"p_value is {p_value!r}; expected a number from 0 to 1"
        raise ConfigError(message)
    columns = {name: _closes(bars, name, start, end) for name in names}
    pairs = list(itertools.combinations(dict.fromkeys(names), 2))
    found = []
    for done, (one, other) in enumerate(pairs, start=1):
        a, b = _common(columns, one, other)
        candidate = min(
            _test(coint, (one, a), (other, b)),
            _test(coint, (other, b), (one, a)),
            key=lambda tested: tested.p_value,
        )
        if candidate.p_value <= p_value and candidate.half_life <= half_life_max:
            found.append(candidate)
        if progress is not None:
            progress(done, len(pairs))
    return Screening(sorted(found, key=lambda tested: tested.p_value), len(pairs))


def _closes(bars: Bars, name: str, start: str | None, end: str | None) -> tuple[Any, Floats]:
    """Return stamps and closes of a symbol in a range."""
    column = bars[name]
    stamps = column.ts_close_ns
    begin, stop = 0, len(stamps)
    if start is not None:
        begin = int(np.searchsorted(stamps, first_ns(session_day(start, option="start"))))
    if end is not None:
        last = last_ns(session_day(end, option="end"))
        stop = int(np.searchsorted(stamps, last, side="right"))
    return stamps[begin:stop], column.close[begin:stop]


def _common(columns: dict[str, tuple[Any, Floats]], one: str, other: str) -> tuple[Floats, Floats]:
    """Return the closes of two symbols at their common bars."""
    (stamps, closes), (other_stamps, other_closes) = columns[one], columns[other]
    _, here, there = np.intersect1d(stamps, other_stamps, assume_unique=True, return_indices=True)
    if len(here) < _BARS_MIN:
        message = (
            f"{one} and {other} have {len(here)} bars in common; expected {_BARS_MIN} or more to "
            "test them: widen start and end, or leave one out"
        )
        raise DataError(message)
    return closes[here], other_closes[there]


def _test(coint: Any, left: tuple[str, Floats], right: tuple[str, Floats]) -> Candidate:  # noqa: ANN401
    """Test whether y - hedge ratio times x comes back."""
    (y_name, y), (x_name, x) = left, right
    moves = x - x.mean()
    ratio = float(moves @ (y - y.mean()) / (moves @ moves))
    statistic, p_value, _ = coint(y, x, trend="c", autolag="aic")
    return Candidate(
        y_name, x_name, ratio, float(statistic), float(p_value), compute_half_life(y - ratio * x)
    )


def compute_half_life(spread: Floats) -> float:
    """Return the bars after which half of a spread's distance from its mean is left.

    The slope of the spread on its value a bar before is rho; the half-life is ln 0.5 / ln rho,
    infinite where rho is 1 or more, and 0 where rho is 0 or less.
    """
    before, now = spread[:-1] - spread[:-1].mean(), spread[1:] - spread[1:].mean()
    moves = float(before @ before)
    rho = float(before @ now) / moves if moves > 0.0 else math.nan
    if not rho > 0.0:
        return 0.0
    return math.log(0.5) / math.log(rho) if rho < 1.0 else math.inf
