"""Metrics over a window that moves, in a time that does not depend on its length.

Sums over a window are those of the tail of one block and the head of the next, both taken from the
second block's first value (``docs/adr/0001``): nothing is subtracted that was added before, so
nothing drifts, and a window of equal returns deviates by exactly zero.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError
from neural_trader.portfolio.reference import NOISE
from neural_trader.portfolio.series import as_table, span_of

Floats = NDArray[np.float64]

_OF_BENCHMARK: Final = ("beta", "alpha", "r2")
ROLLING: Final = (
    *("total_return", "mean", "volatility", "downside_deviation", "sharpe", "sortino"),
    *("max_drawdown", *_OF_BENCHMARK),
)
"""Metrics that have a rolling form, by their names in ``METRICS``; the last need a benchmark."""


def compute_rolling(
    returns: Floats,
    window: int,
    *,
    metrics: Sequence[str] | None = None,
    benchmark: Floats | None = None,
    periods: float = 252.0,
    risk_free: float = 0.0,
    mar: float = 0.0,
) -> dict[str, Floats]:
    """Compute metrics of every ``window`` returns in a row.

    Parameters
    ----------
    returns : float64 array, shape (T,) or (T, S)
        Simple returns, a column a series.
    window : int
        Returns in a window, at least 2.
    metrics : sequence of str, optional
        Of ``ROLLING``; by default all that can be computed.
    benchmark : float64 array, shape (T,), optional
    periods : float
        Periods a year.
    risk_free : float
        Annual rate, as a fraction.
    mar : float
        Minimum acceptable return of a period.

    Returns
    -------
    dict of name to float64 array, shape of ``returns``
        Row t is what ``measure`` says of the returns t - window + 1 to t.

    Raises
    ------
    ConfigError
        The window, a metric or a shape does not fit.
    DataError
        A return is infinite, or missing between others.

    Timing
    ------
    Row t is known at the end of period t, and may be acted on from period t + 1.

    Missing
    -------
    NaN until a series has ``window`` returns, after its last one, where the benchmark is missing,
    and where ``measure`` has NaN.

    Notes
    -----
    O(T) a series and metric, whatever the window; maximum drawdown of a series that loses
    everything costs O(T window).
    """
    wanted = _check(window, metrics, benchmark, periods)
    table = as_table(returns)
    for place in range(table.shape[1]):
        span_of(table[:, place], f"series {place}")
    if not risk_free > -1.0 or not math.isfinite(risk_free):
        message = f"risk_free is {risk_free}; expected an annual rate above -1, such as 0.03"
        raise ConfigError(message)
    against = None
    if benchmark is not None:
        against = np.asarray(benchmark, np.float64)
        if against.shape != table.shape[:1]:
            message = f"benchmark has shape {against.shape}; expected {table.shape[:1]}"
            raise ConfigError(message)
    free = math.pow(1.0 + risk_free, 1.0 / periods) - 1.0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        windows = _Windows(table, window)
        found = windows.figures(wanted, periods, free, mar)
        if against is not None:
            found |= windows.relative(against, periods, free)
    shape = np.shape(returns)
    return {name: found[name].reshape(shape) for name in wanted}


def _check(
    window: int, metrics: Sequence[str] | None, benchmark: Floats | None, periods: float
) -> tuple[str, ...]:
    if window < 2:
        message = f"window is {window}; expected the returns of a window, 2 or more"
        raise ConfigError(message)
    if not 0.0 < periods < math.inf:
        message = f"periods is {periods}; expected how many make a year, such as 252 or 12"
        raise ConfigError(message)
    possible = ROLLING if benchmark is not None else ROLLING[: -len(_OF_BENCHMARK)]
    wanted = possible if metrics is None else tuple(metrics)
    for name in wanted:
        if name not in ROLLING:
            message = f"{name!r} has no rolling form; those that have are {', '.join(ROLLING)}"
            raise ConfigError(message)
        if name not in possible:
            message = f"{name} needs a benchmark; give one, or leave the metric out"
            raise ConfigError(message)
    return wanted


class _Windows:
    """Returns cut into blocks of a window's length, shape (blocks, window, S)."""

    def __init__(self, table: Floats, window: int) -> None:
        self.length, self.count = table.shape
        self.window = window
        self.blocks = self._cut(table)
        self.anchors = self.blocks[:, :1]
        self.range = self._over(self.blocks, np.maximum, -np.inf) - self._over(
            self.blocks, np.minimum, np.inf
        )
        # From a block's first value: its head, and the tail of the block before.
        self.heads = self.blocks - self.anchors
        self.tails = self.blocks - _next(self.anchors)
        self.sums = self._sum(self.heads, self.tails)
        self.means = self._back(np.broadcast_to(self.anchors, self.blocks.shape)) + (
            self.sums / window
        )

    def _cut(self, table: Floats) -> Floats:
        blocks = -(-max(len(table), 1) // self.window)
        padded = np.zeros((blocks * self.window, table.shape[1]))
        padded[: len(table)] = table
        return padded.reshape(blocks, self.window, -1)

    def _back(self, blocks: Floats) -> Floats:
        """Return blocks as a table; NaN where a window is not full yet."""
        table = blocks.reshape(-1, blocks.shape[2])[: self.length].copy()
        table[: self.window - 1] = np.nan
        return table

    def _join(self, heads: Floats, tails: Floats, join: Callable[..., Floats], no: float) -> Floats:
        """Join every head with the tail of the block before that makes it a window."""
        before = np.full_like(tails, no)
        before[1:, :-1] = tails[:-1, 1:]
        return self._back(join(before, heads))

    def _over(self, blocks: Floats, join: np.ufunc, no: float) -> Floats:
        heads = join.accumulate(blocks, axis=1)
        tails = join.accumulate(blocks[:, ::-1], axis=1)[:, ::-1]
        return self._join(heads, tails, join, no)

    def _sum(self, heads: Floats, tails: Floats) -> Floats:
        head = np.cumsum(heads, axis=1)
        tail = np.cumsum(tails[:, ::-1], axis=1)[:, ::-1]
        return self._join(head, tail, np.add, 0.0)

    def _squares(self) -> Floats:
        """Return the sums of squares about the mean; zero where returns do not vary."""
        raw = self._sum(np.square(self.heads), np.square(self.tails))
        squares = np.maximum(raw - np.square(self.sums) / self.window, 0.0)
        return np.where(self.range > NOISE, squares, np.where(np.isnan(self.range), np.nan, 0.0))

    def figures(
        self, wanted: tuple[str, ...], periods: float, free: float, mar: float
    ) -> dict[str, Floats]:
        root = math.sqrt(periods)
        deviation = np.sqrt(self._squares() / (self.window - 1))
        short = np.square(np.minimum(self.blocks - mar, 0.0))
        downside = np.sqrt(self._sum(short, short) / self.window)
        found = {
            "mean": self.means,
            "volatility": deviation * root,
            "downside_deviation": downside * root,
            "sharpe": _ratio(self.means - free, deviation) * root,
            "sortino": _ratio(self.means - mar, downside) * root,
        }
        if "total_return" in wanted:
            found["total_return"] = self._over(1.0 + self.blocks, np.multiply, 1.0) - 1.0
        if "max_drawdown" in wanted:
            found["max_drawdown"] = self._max_drawdown()
        return found

    def relative(self, benchmark: Floats, periods: float, free: float) -> dict[str, Floats]:
        other = _Windows(benchmark[:, np.newaxis], self.window)
        both = (
            self._sum(self.heads * other.heads, self.tails * other.tails)
            - self.sums * other.sums / self.window
        )
        squares, theirs = self._squares(), other._squares()
        beta = _ratio(both, theirs)
        of_both = np.where(squares > 0.0, squares, np.nan) * theirs
        return {
            "beta": beta,
            "alpha": (self.means - free - beta * (other.means - free)) * periods,
            "r2": _ratio(np.square(both), of_both),
        }

    def _max_drawdown(self) -> Floats:
        """Return the deepest fall: within the tail, within the head, or from one to the other."""
        # A return that is not there leaves the wealth of those windows alone that do not hold it.
        wealth = np.cumprod(1.0 + np.nan_to_num(self.blocks, nan=0.0), axis=1)
        before = np.concatenate([np.ones_like(wealth[:, :1]), wealth[:, :-1]], axis=1)
        peak = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
        head = np.maximum.accumulate((peak - wealth) / peak, axis=1)
        lowest = np.minimum.accumulate(wealth, axis=1)
        still = np.minimum.accumulate(wealth[:, ::-1], axis=1)[:, ::-1]
        tail = np.maximum.accumulate(((before - still) / before)[:, ::-1], axis=1)[:, ::-1]
        # The highest that a tail was, by what it ended at, which is where the head begins.
        highest = np.maximum.accumulate(before[:, ::-1], axis=1)[:, ::-1]
        highest = np.maximum(highest / wealth[:, -1:], 1.0)
        within = self._join(head, tail, np.maximum, 0.0)
        across = self._join(lowest, highest, lambda high, low: (high - low) / high, 1.0)
        # The last column has no tail: `across` compares its lowest with a peak of 1 there.
        found = np.maximum(np.maximum(within, across), 0.0)
        found[np.isnan(self.range)] = np.nan
        for place in np.flatnonzero((self.blocks <= -1.0).any(axis=(0, 1))).tolist():
            found[:, place] = self._fall_by_fall(place)
        return found

    def _fall_by_fall(self, place: int) -> Floats:
        """Return the same of a series that loses everything: from there on no ratio is defined."""
        column = self.blocks[:, :, place].reshape(-1)[: self.length]
        found = np.full(self.length, np.nan)
        for t in range(self.window - 1, self.length):
            wealth = np.cumprod(1.0 + column[t - self.window + 1 : t + 1])
            peak = np.maximum(np.maximum.accumulate(wealth), 1.0)
            found[t] = ((peak - wealth) / peak).max()
        return found


def _next(blocks: Floats) -> Floats:
    """Return of every block the one after it; of the last, whose tail no window has, itself."""
    return np.concatenate([blocks[1:], blocks[-1:]])


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return a quotient; NaN unless the divisor is above zero."""
    return np.where(below > 0.0, above / below, np.nan)
