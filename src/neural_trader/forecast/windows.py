"""Series on common bars, and the windows that a network learns from, found by index."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from neural_trader.core.bars import Bars, Stamps
from neural_trader.core.errors import DataError
from neural_trader.core.sessions import session_date
from neural_trader.forecast.normalization import transform

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]


class Panel(NamedTuple):
    """Series on common bars.

    Attributes
    ----------
    series : tuple of str, length S
    ts_close_ns : int64 array, shape (T,)
        Rising.
    values : float64 array, shape (T, S)
    name : str
        Of the data, for provenance; ``sha256`` is that of series, stamps and values.
    labels : tuple of str
        What every result made from them must say, such as "survivors".
    """

    series: tuple[str, ...]
    ts_close_ns: Stamps
    values: Floats
    name: str
    sha256: str
    labels: tuple[str, ...] = ()

    def date(self, place: int) -> str:
        """Return the session date of a bar."""
        return str(session_date(int(self.ts_close_ns[place])))


def panel_of(bars: Bars, symbols: tuple[str, ...] = ()) -> Panel:
    """Return the closes of symbols on the bars that all of them have.

    Parameters
    ----------
    bars : Bars
    symbols : tuple of str
        All by default.

    Raises
    ------
    DataError
        A symbol is not loaded, stands twice, or there is no bar in common.
    """
    symbols = symbols or bars.symbols
    twice = [name for name in symbols if symbols.count(name) > 1]
    if twice:
        message = f"{twice[0]!r} stands twice among the symbols; name each once"
        raise DataError(message)
    block, rows = bars.common(symbols)
    values = np.ascontiguousarray(block.fields["close"][list(rows)].T)
    return panel_from(symbols, block.ts_close_ns, values, name=bars.name, labels=bars.labels)


def panel_from(
    series: tuple[str, ...],
    ts_close_ns: Stamps,
    values: Floats,
    *,
    name: str,
    labels: tuple[str, ...] = (),
) -> Panel:
    """Return a panel of arrays, with the hash of what it holds.

    Parameters
    ----------
    series : tuple of str, length S
    ts_close_ns : int64 array, shape (T,)
    values : float64 array, shape (T, S)
    name : str
    labels : tuple of str
    """
    digest = hashlib.sha256("\0".join(series).encode())
    digest.update(np.ascontiguousarray(ts_close_ns, dtype=np.int64).tobytes())
    digest.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
    return Panel(series, ts_close_ns, values, name, digest.hexdigest(), labels)


def transformed(panel: Panel, kind: str, *, bars_min: int) -> Floats:
    """Check a panel, and return what a network is trained on.

    Parameters
    ----------
    panel : Panel
    kind : {"log", "level"}
    bars_min : int
        The least number of bars.

    Returns
    -------
    float64 array, shape (S, T), C-contiguous

    Raises
    ------
    DataError
        A value is missing, infinite, or not positive where logarithms are taken; a series never
        moves; there are too few bars. The message names series and date.
    """
    count = len(panel.ts_close_ns)
    if count < bars_min:
        message = (
            f"{panel.name} has {count:,} common bars of {len(panel.series)} series; this horizon "
            f"and lookback need {bars_min:,}: load more, or take a shorter lookback"
        )
        raise DataError(message)
    wrong = ~np.isfinite(panel.values)
    if kind == "log":
        wrong |= panel.values <= 0.0
    if wrong.any():
        row, column = (int(place[0]) for place in np.nonzero(wrong))
        wanted = "a positive number" if kind == "log" else "a number"
        advice = "; values of any sign are forecast with values='level'" if kind == "log" else ""
        message = (
            f"{panel.series[column]} is {panel.values[row, column]:g} on {panel.date(row)}; "
            f"expected {wanted}{advice}"
        )
        raise DataError(message)
    still = np.flatnonzero(np.ptp(panel.values, axis=0) == 0.0)
    if len(still):
        name = panel.series[int(still[0])]
        message = (
            f"{name} is {panel.values[0, still[0]]:g} throughout; a series that never moves has "
            "nothing to forecast: leave it out"
        )
        raise DataError(message)
    return np.ascontiguousarray(transform(panel.values, kind).T)


def origins(lookback: int, horizon: int, *, first: int, stop: int) -> Indexes:
    """Return the bars at which a window ends whose targets lie within ``[first, stop)``.

    Parameters
    ----------
    lookback, horizon : int
        L and H.
    first, stop : int
        The targets are bars ``first`` to ``stop - 1``.

    Returns
    -------
    intp array
        Of last bars t: the window is bars ``t - L + 1`` to t, the targets ``t + 1`` to ``t + H``.
    """
    return np.arange(max(first - 1, lookback - 1), stop - horizon, dtype=np.intp)


def windows_at(values: Floats, at: Indexes, lookback: int) -> Floats:
    """Return the windows that end at some bars.

    Parameters
    ----------
    values : float64 array, shape (S, T)
    at : intp array, shape (N,)
    lookback : int
        L.

    Returns
    -------
    float64 array, shape (N, S, L)
        A copy.
    """
    every = sliding_window_view(values, lookback, axis=1)
    return np.ascontiguousarray(every[:, at - (lookback - 1)].transpose(1, 0, 2))


def targets_at(values: Floats, at: Indexes, horizon: int) -> Floats:
    """Return the values after some bars, float64 (N, S, H)."""
    every = sliding_window_view(values, horizon, axis=1)
    return np.ascontiguousarray(every[:, at + 1].transpose(1, 0, 2))


def typical_change(values: Floats, horizon: int) -> float:
    """Return the size of a change over the horizon: what a network's outputs are measured in.

    Parameters
    ----------
    values : float64 array, shape (S, T)
        Transformed values of the training part.
    horizon : int
        H.

    Returns
    -------
    float
        The root of the mean square of ``values[t + h] - values[t]`` over all t and h = 1 ... H.
    """
    squares = [
        float(np.mean((values[:, step:] - values[:, :-step]) ** 2))
        for step in range(1, horizon + 1)
    ]
    return float(np.sqrt(np.mean(squares)))
