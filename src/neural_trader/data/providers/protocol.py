"""What a provider is: who asks it, and what it answers."""

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from neural_trader.core import FIELDS, Bars, Basis, Block
from neural_trader.core.sessions import DAY_NS, first_ns, last_ns, session_day
from neural_trader.data.catalog import Origin
from neural_trader.data.frequencies import Frequency
from neural_trader.data.selection import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neural_trader.core.bars import Floats, Ints

    Column = Floats | Ints


class Ask(NamedTuple):
    """The bars of one symbol that close on the days from ``start`` to ``end``, both inclusive."""

    symbol: str
    frequency: Frequency
    start: dt.date
    end: dt.date

    @property
    def first_ns(self) -> int:
        """The earliest close that is asked for."""
        return first_ns(session_day(self.start, option="start"))

    @property
    def last_ns(self) -> int:
        """The latest close that is asked for."""
        return last_ns(session_day(self.end, option="end"))


class Provider(Protocol):
    """Where bars come from.

    It is entered before it is asked and left afterwards, as an ``async with``; in between it may be
    asked many things at once.
    """

    days_max: int
    """The longest range of bars within the day that is asked for at once: a bound on memory."""

    def origin(self, symbol: str) -> Origin:
        """Return what the provenance of a symbol's bars says; never a key."""

    async def bars(self, ask: Ask) -> Bars | None:
        """Return validated bars of one symbol, stamped at their close; None where there are none.

        Raises
        ------
        ConfigError
            The provider answers nobody like this: wrong keys, a library that is missing. No other
            symbol will fare better.
        DataError
            It has no such symbol, or could not be reached or understood after some tries.
        """

    async def __aenter__(self) -> Self:
        """Open connections."""

    async def __aexit__(self, *error: object) -> None:
        """Close them."""


def cut(bars: Bars, ask: Ask) -> Bars | None:
    """Return the bars that were asked for; None where none of them was."""
    import numpy as np

    (block,) = bars.blocks
    low = int(np.searchsorted(block.ts_close_ns, ask.first_ns, "left"))
    high = int(np.searchsorted(block.ts_close_ns, ask.last_ns, "right"))
    if low >= high:
        return None
    return Bars(
        (block.cut([0], low, high),),
        name=bars.name,
        basis=bars.basis,
        labels=bars.labels,
        splits=bars.splits,
    )


def read_columns(name: str, columns: "Mapping[str, Column]", ask: Ask, basis: Basis) -> Bars | None:
    """Turn the columns of an answer into validated bars.

    Parameters
    ----------
    name : str
        How messages call the answer.
    columns : mapping of str to array, each of shape (T,)
        ``start_ns``, the int64 nanoseconds UTC at which each bar *begins*, as providers stamp them,
        and the fields. A daily bar begins at the midnight of its exchange or of UTC.
    ask : Ask
        What was asked for.
    basis : {"raw", "split-adjusted", "total-return"}
        What the prices know of corporate actions.

    Returns
    -------
    Bars or None
        None where there are no rows.

    Raises
    ------
    DataError
        A bar breaks a rule, or lies outside of what was asked for.
    """
    import numpy as np
    import polars as pl

    from neural_trader.data.layouts import Series
    from neural_trader.data.tables import Table
    from neural_trader.data.validate import find_fault

    symbol = ask.symbol
    starts = columns["start_ns"].astype(np.int64)
    if not len(starts):
        return None
    daily = ask.frequency.daily
    closes = starts // DAY_NS * DAY_NS + (DAY_NS - 1) if daily else starts + ask.frequency.length_ns
    fields = {name: columns[name].astype(np.float64) for name in FIELDS if name in columns}
    # The names are known: what guesses them from a table of a stranger would cost a millisecond.
    table = Table(name, pl.DataFrame(fields), symbol)
    names = {field: field for field in fields}
    series = Series(symbol, closes, fields, np.arange(len(closes)), names, table)
    outside = np.flatnonzero((closes < ask.first_ns) | (closes > ask.last_ns))
    if len(outside):
        text = f"it closes outside of {ask.start} to {ask.end}, which was asked for"
        raise table.fault(int(outside[0]), text, "Tell the provider", more=len(outside) - 1)
    fault = find_fault(series)
    if fault is not None:
        raise fault
    stacked = {field: values.reshape(1, -1) for field, values in fields.items()}
    return Bars((frozen(Block((symbol,), closes, stacked)),), name=name, basis=basis)
