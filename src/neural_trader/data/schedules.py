"""Frames of what is to happen when: a column of times, and columns that belong to them."""

from typing import Any, NamedTuple

import numpy as np

from neural_trader.core import DataError
from neural_trader.core.bars import Stamps


class Schedule(NamedTuple):
    """Rows of a frame: int64 stamps of shape (n,), and its other columns by name, each (n,).

    Texts are object arrays; a missing number is NaN, a missing text None. ``is_dates`` says that
    the stamps are the last nanoseconds of session dates.
    """

    ts_close_ns: Stamps
    is_dates: bool
    columns: dict[str, np.ndarray[Any, Any]]


def read_schedule(source: object) -> Schedule:
    """Read a frame with a column of times (date, time, datetime, timestamp).

    Parameters
    ----------
    source : Polars or pandas frame, mapping of columns, or structured array
        A pandas index of times counts as its column. Dates stand for the close of their session.

    Raises
    ------
    ConfigError
        The source is of no known kind.
    DataError
        No column of times or two of them, or a time that is none.
    """
    # A warm load of bars goes without these, and they need Polars.
    from neural_trader.data.frames import frame_table
    from neural_trader.data.layouts import is_time_name
    from neural_trader.data.times import DATES, read_times

    table = frame_table(source, None, None)
    times = [name for name in table.frame.columns if is_time_name(name)]
    if len(times) != 1:
        found = ", ".join(map(repr, times or table.frame.columns))
        message = f"{table.name} has the columns {found}; expected one of times, such as 'date'"
        raise DataError(message)
    stamps, clock = read_times(table, times[0])
    columns = {
        name: table.frame[name].to_numpy() for name in table.frame.columns if name != times[0]
    }
    return Schedule(stamps, clock == DATES, columns)
