"""A tear sheet: returns with all that is computed from them, before any of it is drawn."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import session_date
from neural_trader.data import Returns
from neural_trader.portfolio import Performance, compute_periods_per_year, measure
from neural_trader.portfolio import compute_rolling as rolling

Floats = NDArray[np.float64]

_DAYS_A_YEAR: Final = 252


class Terms(NamedTuple):
    """By which rules returns are measured; see ``neural_trader.portfolio.measure``."""

    periods: float | None = None
    risk_free: float = 0.0
    mar: float = 0.0
    confidence: float = 0.95


class TearSheet(NamedTuple):
    """Returns of one series or of several, measured.

    Attributes
    ----------
    returns : Returns
        As they were loaded.
    performance : Performance
        Of the series that were asked for; then of the benchmark, where that is another one.
    wanted : tuple of str
        Those that were asked for.
    benchmark : str or None
    terms : Terms
        With the periods a year that were found.
    """

    returns: Returns
    performance: Performance
    wanted: tuple[str, ...]
    benchmark: str | None
    terms: Terms

    @property
    def series(self) -> tuple[str, ...]:
        """The series that were measured, the benchmark among them."""
        return self.performance.series

    def column(self, name: str) -> Floats:
        """Return the returns of a series, shape (T,)."""
        column: Floats = self.returns.table[:, self.returns.series.index(name)]
        return column

    @property
    def window(self) -> int | None:
        """Returns in a window of the rolling figures; None where there are too few for any."""
        periods = self.terms.periods or _DAYS_A_YEAR
        longest = int(self.performance.observations.max(initial=0))
        candidates = [round(periods / part) for part in (1, 2, 4)]
        for window in [*(one for one in candidates if one >= 12), 12, 6]:
            if longest >= 2 * window:
                return window
        return None

    def rolling(self, metric: str) -> Floats | None:
        """Return a rolling figure of every series, shape (T, S); None where there are too few."""
        if self.window is None:
            return None
        table = np.column_stack([self.column(name) for name in self.series])
        found = rolling(
            table,
            self.window,
            metrics=(metric,),
            benchmark=None if self.benchmark is None else self.column(self.benchmark),
            periods=self.terms.periods or _DAYS_A_YEAR,
            risk_free=self.terms.risk_free,
            mar=self.terms.mar,
        )
        return found[metric]


def tear_sheet(
    returns: Returns,
    *,
    series: tuple[str, ...] | None = None,
    benchmark: str | None = None,
    terms: Terms | None = None,
) -> TearSheet:
    """Measure returns, for ``nt.report`` to make a page of.

    Parameters
    ----------
    returns : Returns
        From ``neural_trader.data.load_returns`` or ``returns_of``.
    series : tuple of str, optional
        Which of them; all by default.
    benchmark : str, optional
        The series that the others are held against.
    terms : Terms, optional
        Those of ``measure`` by default.

    Raises
    ------
    ConfigError
        There is no such series, or a term does not fit.
    DataError
        A return is missing between others, or the benchmark's where a series has one.
    """
    terms = terms or Terms()
    wanted = returns.series if series is None else series
    for name in (*wanted, *([] if benchmark is None else [benchmark])):
        if name not in returns.series:
            message = f"{returns.name} has no series {name!r}; it has {', '.join(returns.series)}"
            raise ConfigError(message)
    shown = wanted if benchmark is None or benchmark in wanted else (*wanted, benchmark)
    for name in shown:
        _check_whole(returns, name)
    places = [returns.series.index(name) for name in shown]
    found = measure(
        returns.table[:, places],
        series=shown,
        ts_close_ns=returns.ts_close_ns,
        benchmark=_against(returns, benchmark),
        periods=terms.periods,
        risk_free=terms.risk_free,
        mar=terms.mar,
        confidence=terms.confidence,
    )
    periods = terms.periods or (
        float(compute_periods_per_year(returns.ts_close_ns))
        if len(returns.ts_close_ns) > 1
        else float(_DAYS_A_YEAR)
    )
    return TearSheet(returns, found, wanted, benchmark, terms._replace(periods=periods))


def _check_whole(returns: Returns, name: str) -> None:
    column = returns.table[:, returns.series.index(name)]
    there = np.flatnonzero(~np.isnan(column))
    if len(there) and len(there) <= there[-1] - there[0]:
        hole = int(there[0] + np.argmax(np.isnan(column[there[0] :])))
        day, first, last = (
            session_date(int(returns.ts_close_ns[row])) for row in (hole, there[0], there[-1])
        )
        message = (
            f"series {name!r} of {returns.name} has no return on {day} (row {hole + 1}), between "
            f"its first on {first} and its last on {last}; fill the gap, or leave the row out"
        )
        raise DataError(message)


def _against(returns: Returns, benchmark: str | None) -> Floats | None:
    if benchmark is None:
        return None
    column: Floats = returns.table[:, returns.series.index(benchmark)]
    return column
