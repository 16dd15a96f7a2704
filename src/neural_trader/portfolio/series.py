"""A series of returns as it comes: where it begins and ends, and that nothing is missing within."""

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError, DataError

Floats = NDArray[np.float64]


def as_table(returns: Floats) -> Floats:
    """Return returns as float64, shape (T, S).

    Raises
    ------
    ConfigError
        They have no or more than two dimensions.
    """
    table = np.asarray(returns, np.float64)
    if table.ndim not in (1, 2):
        message = f"returns have {table.ndim} dimensions; expected (T,) or (T, S)"
        raise ConfigError(message)
    return table[:, np.newaxis] if table.ndim == 1 else table


def span_of(column: Floats, name: str = "the series") -> tuple[int, int]:
    """Return the row of the first return of a series, and the one after its last.

    Parameters
    ----------
    column : float64 array, shape (T,)
    name : str
        What an error calls it.

    Raises
    ------
    ConfigError
        It is no single series.
    DataError
        A return is infinite, or missing between others.
    """
    if column.ndim != 1:
        message = f"{name} has shape {column.shape}; expected (T,), a single series"
        raise ConfigError(message)
    there = np.flatnonzero(~np.isnan(column))
    first, stop = (int(there[0]), int(there[-1]) + 1) if len(there) else (0, 0)
    bad = np.flatnonzero(~np.isfinite(column[first:stop]))
    if len(bad):
        place = first + int(bad[0])
        message = (
            f"{name} has {column[place]} at row {place}, between its first return at row {first} "
            f"and its last at row {stop - 1}; fill the gap, or leave the row out"
        )
        raise DataError(message)
    return first, stop
