"""Every performance metric of one series of returns or of hundreds, in one compiled pass.

The definitions are those of ``reference``, to the bit; ``docs/metrics.md`` has them in words.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels import performance as kernel
from neural_trader._kernels import relative
from neural_trader.core.errors import ConfigError, DataError
from neural_trader.portfolio.periods import YEAR_NS, compute_periods_per_year
from neural_trader.portfolio.reference import NAMES, NOISE, OWN, RELATIVE

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

_DAYS_A_YEAR: Final = 252
_OF_OTHERS: Final = frozenset(RELATIVE)
_TOO_FEW: Final = frozenset(
    {"volatility", "sharpe", "kelly", "lo_sharpe", "psr", "min_track_record", "autocorrelation"}
    | {"skew", "excess_kurtosis", "tracking_error", "information_ratio", "beta", "r2"}
)
# What the kernels compute on demand, by the bit that asks for it.
_PARTS: Final = (
    (1, frozenset({"var", "es", "tail_ratio"})),
    (2, frozenset({"average_drawdown", "burke", "drawdown_duration", "recovery"})),
    (4, frozenset({"cdar"})),
    (8, frozenset({"autocorrelation", "lo_sharpe", "psr", "min_track_record"})),
    (16, frozenset({"up_capture", "down_capture"})),
)
_REASONS: Final = {
    "cagr": "wealth fell to zero or below",
    "calmar": "no drawdown",
    "burke": "no drawdown",
    "martin": "no drawdown",
    "pain_ratio": "no drawdown",
    "recovery_factor": "no drawdown",
    "recovery": "the deepest drawdown has not been made good",
    "payoff": "no period with a gain, or none with a loss",
    "profit_factor": "no loss",
    "sortino": "no return below the acceptable one",
    "omega": "no return below the acceptable one",
    "kappa_3": "no return below the acceptable one",
    "tail_ratio": "the 5 % quantile is zero",
    "lo_sharpe": "the autocorrelations leave no variance",
    "psr": "skew and kurtosis leave no variance of the ratio",
    "min_track_record": "the Sharpe ratio is not above zero",
    "beta": "the benchmark does not vary",
    "alpha": "the benchmark does not vary",
    "r2": "the series or the benchmark does not vary",
    "m2": "the series or the benchmark does not vary",
    "treynor": "beta is zero or not defined",
    "information_ratio": "series and benchmark do not differ",
    "up_capture": "the benchmark never rose, or wealth was lost",
    "down_capture": "the benchmark never fell, or wealth was lost",
}


class Performance(NamedTuple):
    """Figures of series, and the conventions they were computed by.

    Attributes
    ----------
    series : tuple of str, length S
    table : float64 array, shape (S, K)
        A column a metric, in the order of ``METRICS`` up to ``turnover``; NaN where it is not
        defined, or not asked for.
    observations : int64 array, shape (S,)
        Returns of each series between its first and its last.
    has_benchmark : bool
    conventions : dict of str to str
    metrics : tuple of str
        The names of the metrics that were asked for.
    turnover : float64 array, shape (S,), optional
        As it was given: returns alone do not say what was traded.
    """

    series: tuple[str, ...]
    table: Floats
    observations: NDArray[np.int64]
    has_benchmark: bool
    conventions: dict[str, str]
    metrics: tuple[str, ...]
    turnover: Floats | None = None

    def column(self, metric: str) -> Floats:
        """Return one metric of every series.

        Raises
        ------
        ConfigError
            There is no such metric, or it was not asked for.
        """
        _check_metric(metric)
        if metric not in self.metrics and (self.has_benchmark or metric not in _OF_OTHERS):
            message = f"{metric} was not asked for; metrics were {', '.join(self.metrics)}"
            raise ConfigError(message)
        if metric == TURNOVER:
            return np.full(len(self.series), math.nan) if self.turnover is None else self.turnover
        column: Floats = self.table[:, NAMES.index(metric)]
        return column

    def of(self, series: str) -> dict[str, float]:
        """Return the figures of one series by name.

        Raises
        ------
        ConfigError
            There is no such series.
        """
        figures = self._figures(self._row(series))
        return {name: figures[name] for name in self.metrics}

    def undefined(self, series: str) -> dict[str, str]:
        """Return why figures of a series are NaN, by name."""
        row = self._row(series)
        figures = self._figures(row)
        count = int(self.observations[row])
        return {
            name: _reason(name, figures, count)
            for name in self.metrics
            if math.isnan(figures[name])
        }

    def _figures(self, row: int) -> dict[str, float]:
        figures = dict(zip(NAMES, self.table[row].tolist(), strict=True))
        figures[TURNOVER] = math.nan if self.turnover is None else float(self.turnover[row])
        return figures

    def _row(self, series: str) -> int:
        if series not in self.series:
            message = f"there is no series {series!r}; the series are {', '.join(self.series)}"
            raise ConfigError(message)
        return self.series.index(series)


def _reason(name: str, figures: dict[str, float], count: int) -> str:
    if name == TURNOVER:
        return "returns alone do not say what was traded"
    if count == 0:
        return "no returns"
    if count < 2 and name in _TOO_FEW:
        return "fewer than two returns"
    moves = figures["best"] - figures["worst"] > NOISE
    if not moves and name in _TOO_FEW and name not in RELATIVE:
        return "returns do not vary"
    if math.isnan(figures["cagr"]) and name in ("sterling", "calmar", "burke", "martin"):
        return _REASONS["cagr"]
    return _REASONS.get(name, "returns do not vary")


def measure(  # noqa: PLR0913 - each a convention of its own
    returns: Floats,
    *,
    series: Sequence[str] | None = None,
    ts_close_ns: Stamps | None = None,
    benchmark: Floats | None = None,
    periods: float | None = None,
    risk_free: float = 0.0,
    mar: float = 0.0,
    confidence: float = 0.95,
    metrics: Sequence[str] | None = None,
    start_ns: int | None = None,
    turnover: float | Floats | None = None,
) -> Performance:
    """Compute every metric of every series, or those that are asked for.

    Parameters
    ----------
    returns : float64 array, shape (T,) or (T, S)
        Simple returns, a column a series. NaN before the first and after the last return of a
        series stand for periods in which it was not there; NaN between them is an error.
    series : sequence of str, length S, optional
        Their names; numbers by default.
    ts_close_ns : int64 array, shape (T,), optional
        The ends of the periods, increasing: for periods a year and elapsed time.
    benchmark : float64 array, shape (T,), optional
        Finite wherever a series is.
    periods : float, optional
        Periods a year; by default from ``ts_close_ns``, snapped to 252, 365, 52, 12, 4 or 1, and
        252 where there are no times.
    risk_free : float
        Annual rate, as a fraction.
    mar : float
        Minimum acceptable return of a period.
    confidence : float
        Of value at risk, expected shortfall and conditional drawdown at risk.
    metrics : sequence of str, optional
        Names from ``METRICS``, such as ``COMMON``: fewer take less time. By default all, those that
        need a benchmark where there is one.
    start_ns : int, optional
        When the first period began, for elapsed time; by default it was as long as the others.
    turnover : float or float64 array, shape (S,), optional
        From ``compute_turnover`` or ``turnover_of_weights``, to stand among the metrics.

    Returns
    -------
    Performance
        Fractions, never percent; what is not defined is NaN, and ``undefined`` says why.

    Raises
    ------
    ConfigError
        A shape, rate, name or number does not fit.
    DataError
        A return is infinite, or missing between others.
    """
    table = np.asarray(returns, dtype=np.float64)
    if table.ndim not in (1, 2):
        message = f"returns have {table.ndim} dimensions; expected (T,) or (T, S)"
        raise ConfigError(message)
    if table.ndim == 1:
        table = table[:, np.newaxis]
    length, count = table.shape
    names = tuple(series) if series is not None else tuple(map(str, range(count)))
    _check_terms(risk_free, confidence, periods)
    _check_names(names, count)
    _check_lengths(length, ts_close_ns, benchmark)
    asked = _check_metrics(metrics, has_benchmark=benchmark is not None)
    spans, is_whole = _spans(table, names)
    per_year, how = _periods(periods, ts_close_ns)
    part = math.pow(1.0 + risk_free, 1.0 / per_year) - 1.0
    terms = np.array([per_year, risk_free, part, mar, confidence])
    parts = sum(bit for bit, family in _PARTS if not family.isdisjoint(asked))
    years = _years(spans, ts_close_ns, per_year, start_ns)
    against = None
    if benchmark is not None and not _OF_OTHERS.isdisjoint(asked):
        against = np.ascontiguousarray(benchmark, np.float64)
        _check_benchmark(against, spans, names)
    if is_whole:
        found = _compute(table, spans, years, against, terms, parts)
    else:
        # Series of one span walk side by side: neighbors should begin and end together.
        order = np.lexsort(spans)
        sorted_spans = np.ascontiguousarray(spans[:, order])
        found = np.empty((count, kernel.COLUMNS))
        found[order] = _compute(table[:, order], sorted_spans, years[order], against, terms, parts)
    conventions = {
        "returns": "simple",
        "periods_per_year": f"{per_year:g} ({how})",
        "risk_free": f"{risk_free:.6g} a year",
        "mar": f"{mar:.6g} a period",
        "deviation": "ddof 1; downside over all n; skew and kurtosis of the population",
        "cagr": "elapsed time" if ts_close_ns is not None else "number of periods",
        "drawdown": "positive, compounded, peak includes the start",
        "var": f"{confidence:g}, order statistic ceil(n c), a positive loss of a period",
        "es": "Acerbi-Tasche, boundary loss by its fraction",
    }
    return Performance(
        names,
        found,
        spans[1] - spans[0],
        benchmark is not None,
        conventions,
        asked,
        None if turnover is None else _turnover(turnover, count),
    )


def _compute(  # noqa: PLR0917 - what the kernels take
    table: Floats,
    spans: NDArray[np.int64],
    years: Floats,
    benchmark: Floats | None,
    terms: Floats,
    parts: int,
) -> Floats:
    """Run the kernels; return a row a series."""
    length, count = table.shape
    out = np.empty(count * kernel.COLUMNS)
    scratch = np.empty(kernel.SCRATCH_LANES * length + kernel.SCRATCH_MORE)
    kernel.measure(table, spans, years, terms, parts, scratch, out)
    if benchmark is not None:
        relative.measure(table, spans, benchmark, terms, parts, scratch, out)
    found: Floats = out.reshape(count, kernel.COLUMNS)
    return found


def _check_metric(name: str) -> None:
    if name not in METRICS:
        message = f"there is no metric {name!r}; the metrics are {', '.join(METRICS)}"
        raise ConfigError(message)


def _check_metrics(metrics: Sequence[str] | None, *, has_benchmark: bool) -> tuple[str, ...]:
    """Return what is asked for, each name once, in the order in which it is asked for."""
    if metrics is None:
        return METRICS if has_benchmark else (*OWN, TURNOVER)
    if isinstance(metrics, str):
        message = f"metrics is {metrics!r}; expected names in a list, such as [{metrics!r}]"
        raise ConfigError(message)
    asked = tuple(dict.fromkeys(metrics))
    for name in asked:
        _check_metric(name)
        if not has_benchmark and name in _OF_OTHERS:
            message = f"{name} is held against a benchmark; pass benchmark=, or leave it out"
            raise ConfigError(message)
    return asked


def _check_terms(risk_free: float, confidence: float, periods: float | None) -> None:
    if not -1.0 < risk_free < math.inf:
        message = f"risk_free is {risk_free}; expected an annual rate above -1, such as 0.03"
        raise ConfigError(message)
    if not 0.0 < confidence < 1.0:
        message = f"confidence is {confidence}; expected a fraction between 0 and 1, such as 0.95"
        raise ConfigError(message)
    if periods is not None and not 0.0 < periods < math.inf:
        message = f"periods is {periods}; expected how many make a year, such as 252 or 12"
        raise ConfigError(message)


def _check_names(names: tuple[str, ...], count: int) -> None:
    if len(names) != count or len(set(names)) != count:
        message = f"{count} series need {count} different names; {len(set(names))} were given"
        raise ConfigError(message)


def _check_lengths(length: int, ts_close_ns: Stamps | None, benchmark: Floats | None) -> None:
    for what, column in (("ts_close_ns", ts_close_ns), ("benchmark", benchmark)):
        if column is not None and np.shape(column) != (length,):
            message = f"{what} has shape {np.shape(column)}; expected ({length},), one a return"
            raise ConfigError(message)
    if ts_close_ns is not None and (np.diff(ts_close_ns) <= 0).any():
        place = int(np.argmax(np.diff(ts_close_ns) <= 0)) + 1
        message = f"ts_close_ns does not rise at row {place}; sort the rows, each time once"
        raise DataError(message)


def _spans(table: Floats, names: tuple[str, ...]) -> tuple[NDArray[np.int64], bool]:
    """Return the first return of each series and the one after its last, and if all are whole."""
    length, count = table.shape
    spans = np.zeros((2, count), np.int64)
    spans[1] = length
    if np.isfinite(table).all():
        return spans, True
    for place, name in enumerate(names):
        column = table[:, place]
        there = np.flatnonzero(~np.isnan(column))
        first, stop = (int(there[0]), int(there[-1]) + 1) if len(there) else (0, 0)
        spans[:, place] = first, stop
        bad = np.flatnonzero(~np.isfinite(column[first:stop]))
        if len(bad):
            row = first + int(bad[0])
            message = (
                f"series {name!r} has {column[row]} at row {row}, between its first return "
                f"at row {first} and its last at row {stop - 1}; fill the gap, or leave the row out"
            )
            raise DataError(message)
    return spans, False


def _check_benchmark(benchmark: Floats, spans: NDArray[np.int64], names: tuple[str, ...]) -> None:
    bad = np.flatnonzero(~np.isfinite(benchmark))
    if not len(bad):
        return
    for row, name in enumerate(names):
        inside = bad[(bad >= spans[0, row]) & (bad < spans[1, row])]
        if len(inside):
            place = int(inside[0])
            message = (
                f"the benchmark has {benchmark[place]} at row {place}, where series {name!r} has a "
                "return; a series is held against a benchmark of the same periods"
            )
            raise DataError(message)


def _periods(periods: float | None, ts_close_ns: Stamps | None) -> tuple[float, str]:
    if periods is not None:
        return float(periods), "given"
    if ts_close_ns is not None and len(ts_close_ns) > 1:
        return float(compute_periods_per_year(ts_close_ns)), "from the times"
    return float(_DAYS_A_YEAR), "by default"


def _turnover(given: float | Floats, count: int) -> Floats:
    column = np.asarray(given, np.float64)
    if column.ndim > 1 or (column.ndim == 1 and len(column) != count):
        message = f"turnover has shape {column.shape}; expected ({count},), one a series"
        raise ConfigError(message)
    return np.broadcast_to(column, (count,))


def _years(
    spans: NDArray[np.int64], ts_close_ns: Stamps | None, per_year: float, start_ns: int | None
) -> Floats:
    """Return the elapsed time of each series; its first period is as long as the others are."""
    counts = (spans[1] - spans[0]).astype(np.float64)
    years: Floats = counts / per_year
    if start_ns is not None and (
        ts_close_ns is None or start_ns > ts_close_ns[:1].min(initial=start_ns)
    ):
        message = f"start_ns is {start_ns}; it goes with ts_close_ns, and lies before all of them"
        raise ConfigError(message)
    if ts_close_ns is None:
        return years
    for row in np.flatnonzero(counts > 0):
        first, stop = spans[:, row]
        if first == 0 and start_ns is not None:
            years[row] = float(ts_close_ns[stop - 1] - start_ns) / YEAR_NS
            continue
        if counts[row] == 1:
            continue
        elapsed = float(ts_close_ns[stop - 1] - ts_close_ns[first]) / YEAR_NS
        years[row] = elapsed * counts[row] / (counts[row] - 1.0)
    return years


TURNOVER: Final = "turnover"
METRICS: Final = (*NAMES, TURNOVER)
"""Every metric: those of returns alone, those that need a benchmark, and what was traded."""
COMMON: Final = (
    *("total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "pain"),
    *("ulcer", "martin", "var", "es", "skew", "excess_kurtosis", "omega", "tail_ratio"),
    *("downside_deviation", "beta", "alpha", "r2", "tracking_error", "information_ratio"),
    *("best", "worst", "hit_rate", "payoff", "profit_factor"),
)
"""The 27 metrics that most people look at; some of them need a benchmark."""
