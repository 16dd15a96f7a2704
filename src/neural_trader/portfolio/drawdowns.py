"""Drawdowns: how far below its peak a curve is, and every fall from a peak to the next one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError
from neural_trader.portfolio.series import span_of

Floats = NDArray[np.float64]


class Drawdown(NamedTuple):
    """A fall below a peak, until the next one.

    Attributes
    ----------
    start : int
        Row of the first return that left wealth below the peak.
    trough : int
        Row at whose end wealth was lowest.
    end : int or None
        Row at whose end the peak was reached again; None where it has not been.
    depth : float
        Fall from the peak to the trough, as a positive fraction of the peak.
    length : int
        Periods that ended below the peak.
    recovery : int or None
        Periods from the trough to the end.
    """

    start: int
    trough: int
    end: int | None
    depth: float
    length: int
    recovery: int | None


def compute_drawdown(equity: Floats, capital: float) -> Floats:
    """Return the fall from the running peak at every bar, as a positive fraction of the peak.

    Parameters
    ----------
    equity : float64 array, shape (T,)
    capital : float
        Starting capital: the peak before the first bar.
    """
    peak = np.maximum(np.maximum.accumulate(equity), capital)
    return (peak - equity) / peak


def find_drawdowns(returns: Floats, *, top: int | None = None) -> list[Drawdown]:
    """Find every drawdown of a series, the deepest first.

    Parameters
    ----------
    returns : float64 array, shape (T,)
        Simple returns; they compound from 1, which is the first peak.
    top : int, optional
        How many to return at most; all by default.

    Returns
    -------
    list of Drawdown
        Of equal depth the earlier first. ``measure`` gives the deepest as ``max_drawdown``, the
        mean depth as ``average_drawdown``, the greatest length as ``drawdown_duration`` and the
        recovery of the deepest as ``recovery``.

    Raises
    ------
    ConfigError
        ``top`` is below one, or there are several series.
    DataError
        A return is infinite, or missing between others.

    Missing
    -------
    NaN before the first and after the last return is skipped; no return, no drawdown.
    """
    if top is not None and top < 1:
        message = f"top is {top}; expected how many drawdowns to return, 1 or more"
        raise ConfigError(message)
    column = np.asarray(returns, np.float64)
    first, stop = span_of(column)
    wealth: Floats = np.multiply.accumulate(1.0 + column[first:stop])
    fall = compute_drawdown(wealth, 1.0)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], fall > 0.0, [False])).astype(np.int8)))
    found = [
        _drawdown(fall, int(begin), int(end), first)
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    ]
    found.sort(key=lambda one: -one.depth)
    return found[:top]


def _drawdown(fall: Floats, begin: int, end: int, first: int) -> Drawdown:
    trough = begin + int(np.argmax(fall[begin:end]))
    over = end < len(fall)
    return Drawdown(
        first + begin,
        first + trough,
        first + end if over else None,
        float(fall[trough]),
        end - begin,
        end - trough if over else None,
    )
