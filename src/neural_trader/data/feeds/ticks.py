"""Files of trades and quotes become events, in the order in which they stand there.

The order of a file is the order in which its ticks arrived, late ones included; where each symbol
stands in a part of its own, the parts are merged by time. A trade without an id gets the number of
its row, so that trades of one stamp keep their order.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from neural_trader.core import DataError
from neural_trader.data.feeds.events import QuoteEvent, TradeEvent
from neural_trader.data.layouts import SYMBOL_NAMES, TIME_NAMES, plain
from neural_trader.data.paths import CSV, data_files
from neural_trader.data.tables import Table

_SIZES: Final = ("size", "qty", "quantity", "amount")
_IDS: Final = ("id", "tradeid")
_TIMES: Final = (*TIME_NAMES, "tseventns", "tsevent")
_PRICES: Final = ("price", "tradeprice")


def are_ticks(path: Path) -> bool:
    """Return whether the columns of a file, or of the first of a folder, are those of ticks.

    Bid and ask, or a price with a size or an id, are ticks; a price alone may be a close.
    """
    names = {plain(name) for name in _columns(data_files(path)[0])}
    if {"bid", "ask"} <= names:
        return True
    marks = (*_SIZES, *_IDS)
    return bool(names & set(_PRICES)) and any(mark in names for mark in marks)


def may_be_ticks(path: Path) -> bool:
    """Return whether a file has a price, which is a trade's or a close."""
    return bool({plain(name) for name in _columns(data_files(path)[0])} & set(_PRICES))


def _columns(path: Path) -> list[str]:
    import polars as pl

    try:
        if path.suffix.lower() in CSV:
            return list(pl.read_csv(path, n_rows=0, infer_schema=False).columns)
        return list(pl.read_parquet_schema(path))
    except (OSError, pl.exceptions.PolarsError):
        # Whoever reads it whole says better what is wrong.
        return []


def read_ticks(path: Path) -> list[object]:
    """Return the trades and quotes of a file or folder.

    Raises
    ------
    DataError
        A column is missing, or a cell is no time, no price above 0 or no size of 0 or more.
    """
    from neural_trader.data.readers import read_tables

    try:
        contents = [(file, file.read_bytes()) for file in data_files(path)]
    except OSError as error:
        message = f"{error.filename} cannot be read: {error.strerror}. Check its rights"
        raise DataError(message) from None
    events: list[Any] = []
    for table, (file, _) in zip(read_tables(path, contents), contents, strict=True):
        events += _read(table, file.stem, begin=len(events))
    if not events:
        message = f"{path.name} has no row; expected trades or quotes, one a line"
        raise DataError(message)
    return _merged(events)


def _read(table: Table, stem: str, *, begin: int) -> list[Any]:
    """Return the ticks of one table; a row with a bid and an ask is a quote."""
    from neural_trader.data.times import read_times

    names = {plain(name): name for name in table.frame.columns}

    def column(known: tuple[str, ...]) -> str | None:
        return next((names[name] for name in known if name in names), None)

    time, price = column(_TIMES), column(_PRICES)
    size = column((*_SIZES, "volume", "vol"))
    is_quoted = "bid" in names and "ask" in names
    if time is None or (not is_quoted and (price is None or size is None)):
        message = (
            f"{table.name} has the columns {', '.join(table.frame.columns)}; expected a time, and "
            "price and size, or bid and ask"
        )
        raise DataError(message)
    stamps = read_times(table, time).stamps.tolist()
    symbol = column(SYMBOL_NAMES)
    symbols = [stem] * len(stamps) if symbol is None else table.frame[symbol].to_list()
    if None in symbols:
        raise table.fault(symbols.index(None), "there is no symbol", "Fill or drop the row")
    owners = [str(each).strip() for each in symbols]
    if is_quoted:
        sides = [_numbers(table, names[side], above=True) for side in ("bid", "ask")]
        sizes = [
            _numbers(table, names[side]) if side in names else [None] * len(stamps)
            for side in ("bidsize", "asksize")
        ]
        return [
            QuoteEvent(symbol=s, ts_event_ns=t, bid=bid, ask=ask, bid_size=more, ask_size=most)
            for s, t, bid, ask, more, most in zip(owners, stamps, *sides, *sizes, strict=True)
        ]
    named = column(_IDS)
    ids = range(begin, begin + len(stamps)) if named is None else table.frame[named].to_list()
    prices, traded = _numbers(table, str(price), above=True), _numbers(table, str(size))
    return [
        TradeEvent(symbol=s, ts_event_ns=t, price=paid, size=units, id=number)
        for s, t, paid, units, number in zip(owners, stamps, prices, traded, ids, strict=True)
    ]


def _numbers(table: Table, column: str, *, above: bool = False) -> list[Any]:
    """Read a column of finite numbers, of 0 or more, or above 0."""
    import polars as pl

    series = table.frame[column]
    if series.dtype == pl.String:
        series = series.str.strip_chars()
    numbers = series.cast(pl.Float64, strict=False)
    values = numbers.fill_null(np.nan).to_numpy()
    wrong = np.flatnonzero(~((values > 0.0 if above else values >= 0.0) & (values < np.inf)))
    if len(wrong):
        row = int(wrong[0])
        text = f"column {column!r} is {series[row]!r}; expected a number "
        text += "above 0" if above else "of 0 or more"
        raise table.fault(row, text, "Mend or drop the row", more=len(wrong) - 1)
    found: list[Any] = numbers.to_list()
    return found


def _merged(events: list[Any]) -> list[object]:
    """Merge by time where every symbol stands in a part of its own; else leave the order."""
    starts = [
        place
        for place, event in enumerate(events)
        if place == 0 or events[place - 1].symbol != event.symbol
    ]
    if len(starts) == 1 or len(starts) > len({event.symbol for event in events}):
        return events
    reached: list[int] = []
    for place, event in enumerate(events):
        begins = place == 0 or events[place - 1].symbol != event.symbol
        # A late tick arrives when the latest before it has come.
        reached.append(event.ts_event_ns if begins else max(reached[-1], event.ts_event_ns))
    order = sorted(range(len(events)), key=reached.__getitem__)
    return [events[place] for place in order]
