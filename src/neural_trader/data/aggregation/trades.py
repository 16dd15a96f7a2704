"""Bars from trades: by time, count, volume or money."""

import itertools
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from neural_trader._kernels import trades as kernel
from neural_trader.core import Bars, Block, ConfigError, DataError, unknown_symbol
from neural_trader.core.bars import Floats, Ints, Stamps
from neural_trader.data.aggregation.lengths import Length, read_length
from neural_trader.data.aggregation.resampling import (
    INCOMPLETE,
    LABEL,
    Incomplete,
    checked_volumes,
    note,
)
from neural_trader.data.aggregation.sessions import bins, is_last_bin_over, read_sessions
from neural_trader.data.selection import frozen, merged_blocks

if TYPE_CHECKING:
    from neural_trader.data.tables import Table

Kind = Literal["time", "tick", "volume", "dollar"]
KINDS: Final[dict[str, int]] = {
    "time": kernel.BY_TIME,
    "tick": kernel.BY_TICK,
    "volume": kernel.BY_VOLUME,
    "dollar": kernel.BY_MONEY,
}
PRICE_NAMES: Final = ("price", "tradeprice", "last")
SIZE_NAMES: Final = ("size", "tradesize", "qty", "quantity", "volume", "vol", "shares")
UNNAMED: Final = "trades"
"""The symbol of a frame that names none."""

_FIELDS: Final = ("open", "high", "low", "close", "volume")


class Trades(NamedTuple):
    """Trades of one symbol in the order of their file, arrays of shape (n,)."""

    symbol: str
    stamps: Stamps
    prices: Floats
    sizes: Floats | None


def bars_from_trades(
    trades: object,
    *,
    kind: Kind,
    size: object,
    symbols: str | Sequence[str] | None = None,
    calendar: str | None = None,
    session: tuple[object, object, str] | None = None,
    incomplete: Incomplete = "drop",
) -> Bars:
    """Make bars from trades.

    Parameters
    ----------
    trades : str, Path, Polars or pandas frame, or dict of columns
        A CSV or Parquet file, a folder of them, or a frame, with a time, a ``price``, a ``size``
        and, where it holds several, a ``symbol``. Times rise; those that repeat keep their order.
    kind : {"time", "tick", "volume", "dollar"}
        What fills a bar: time, trades, their sizes, or the money that changed hands.
    size : str, datetime.timedelta, int or float
        How much of it: ``10s``, ``5min``, ``1h``, ``day`` by time; 1 or more trades; volume or
        money above 0.
    symbols : str or sequence of str, optional
        Which, in which order; None is all. For trades without a symbol their name, by default the
        file's, or ``trades``.
    calendar, session : optional
        Sessions of bars by time, as :func:`resample` has them.
    incomplete : {"drop", "keep"}
        What becomes of the last bar, where it is not full or its time not over. One that is kept is
        told by the label ``incomplete last bar``, which stands in every result.

    Returns
    -------
    Bars
        Open, high, low, close, and volume where the trades have sizes. Basis raw.

    Raises
    ------
    ConfigError
        An argument cannot be used.
    DataError
        The trades cannot be read, times fall, a price is not above 0 or a size below it, or no bar
        is complete. The message names the row.

    Timing
    ------
    By time a bar is the interval (open, close], anchored to the session's open and stamped at its
    end; a trade at the very open of a session, of no session before it, is in its first bar. Other
    bars are stamped at the trade that closes them. Bars that close at one and the same time are
    stamped a nanosecond apart, in their order.

    Missing
    -------
    Time without a trade has no bar; trades outside of all sessions are left out and counted in the
    log. An incomplete bar that is dropped stands there, too. An empty cell is an error.

    Notes
    -----
    A trade is never split: one that is larger than a bar closes it, and what it has beyond the size
    is in this bar. The next begins at zero. Sums are taken trade by trade.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, section 2.3: standard bars.

    Examples
    --------
    >>> times = ["2024-01-02T14:30:01", "2024-01-02T14:30:02", "2024-01-02T14:30:02"]
    >>> frame = {"time": times, "price": [10.0, 11.0, 10.5], "size": [100, 300, 100]}
    >>> bars_from_trades(frame, kind="volume", size=400)["trades"].close
    array([11.])
    """
    length, limit = _read_size(kind, size)
    if incomplete not in INCOMPLETE:
        message = f"incomplete is {incomplete!r}; expected 'drop' or 'keep'"
        raise ConfigError(message)
    if length is None and not (calendar is None and session is None):
        message = f"calendar and session are for bars by time; found kind {kind!r}. Leave them out"
        raise ConfigError(message)
    name, found = _read_trades(trades, symbols, needs_size=kind in ("volume", "dollar"))
    labels: tuple[str, ...] = ()
    blocks = []
    for each in found:
        if length is None:
            block, is_over = _by_measure(each, KINDS[kind], limit)
        else:
            block, is_over = _by_time(each, length, calendar, session)
        if not is_over and incomplete == "drop":
            note("%s: the last bar of %s is not full: left out", name, each.symbol)
            block = block.cut((0,), 0, len(block.ts_close_ns) - 1)
        elif not is_over:
            labels = (LABEL,)
        if not len(block.ts_close_ns):
            message = (
                f"{each.symbol}: {len(each.stamps)} trades of {name} fill no bar; expected one of "
                f"{size!r} at least. Make it smaller, or keep the last one (incomplete='keep')"
            )
            raise DataError(message)
        blocks.append(frozen(block))
    return Bars(merged_blocks(blocks), name=name, labels=labels)


def _read_size(kind: object, size: object) -> tuple[Length | None, float]:
    """Return the length of bars by time, or what fills the others."""
    if not isinstance(kind, str) or kind not in KINDS:
        message = f"kind is {kind!r}; expected one of {', '.join(map(repr, KINDS))}"
        raise ConfigError(message)
    if kind == "time":
        return read_length(size, option="size"), 0.0
    number = isinstance(size, (int, float, np.integer, np.floating)) and not isinstance(size, bool)
    try:
        value = float(size) if number else math.nan  # type: ignore[arg-type]
    except OverflowError:
        value = math.inf
    if kind == "tick" and not (value >= 1.0 and value.is_integer()):
        message = f"size is {size!r}; expected a number of trades, 1 or more"
        raise ConfigError(message)
    if not (value > 0.0 and math.isfinite(value)):
        word = "money" if kind == "dollar" else "volume"
        message = f"size is {size!r}; expected {word} above 0"
        raise ConfigError(message)
    return None, value


def _by_measure(trades: Trades, kind: int, limit: float) -> tuple[Block, bool]:
    """Return bars by count, volume or money, and whether the last one is full."""
    none = np.empty(0, np.int64)
    sizes = np.zeros(len(trades.prices)) if trades.sizes is None else trades.sizes
    nothing = np.empty((kernel.OUT_ROWS, 0))
    count = kernel.count_bars(kind, limit, none, trades.prices, sizes, none, nothing)
    last, out, complete = _build(kind, limit, none, trades, room=count + 1)
    is_over = complete > 0 and int(last[complete - 1]) == len(trades.prices) - 1
    stop = complete if is_over else complete + 1
    # Strictly rising, and never before its trade: s[k] is the largest t[j] + (k - j) with j <= k.
    steps = np.arange(stop)
    stamps = np.maximum.accumulate(trades.stamps[last[:stop]] - steps) + steps
    return _block(trades, stamps, out[:, :stop]), is_over


def _by_time(
    trades: Trades,
    length: Length,
    calendar: str | None,
    session: tuple[object, object, str] | None,
) -> tuple[Block, bool]:
    """Return bars by time, and whether the last one's time is over."""
    end = int(trades.stamps[-1])
    sessions = read_sessions(int(trades.stamps[0]), end, calendar, session)
    homes = sessions.homes(trades.stamps, dated=False, at_open=True)
    inside = homes >= 0
    if not inside.any():
        message = f"{trades.symbol}: no trade lies within a session. Check calendar and time zone"
        raise DataError(message)
    if not inside.all():
        count = int((~inside).sum())
        note("%d trades of %s lie outside of the sessions", count, trades.symbol)
        trades = Trades(
            trades.symbol,
            trades.stamps[inside],
            trades.prices[inside],
            None if trades.sizes is None else trades.sizes[inside],
        )
        homes = homes[inside]
    found = bins(trades.stamps, homes, sessions, length, dated=False)
    count = len(found.ends)
    _, out, _ = _build(kernel.BY_TIME, 0.0, found.codes, trades, room=count + 1)
    is_over = is_last_bin_over(end, homes, sessions, found, to=length)
    return _block(trades, found.ends, out[:, :count]), is_over


def _build(
    kind: int, limit: float, codes: Ints, trades: Trades, *, room: int
) -> tuple[Ints, Floats, int]:
    sizes = np.zeros(len(trades.prices)) if trades.sizes is None else trades.sizes
    last = np.empty(room, np.int64)
    out = np.empty((kernel.OUT_ROWS, room))
    complete = kernel.build_bars(kind, limit, codes, trades.prices, sizes, last, out)
    return last, out, complete


def _block(trades: Trades, stamps: Stamps, out: Floats) -> Block:
    checked_volumes(out[len(_FIELDS) - 1])
    fields = {
        name: np.ascontiguousarray(out[row : row + 1])
        for row, name in enumerate(_FIELDS)
        if name != "volume" or trades.sizes is not None
    }
    return Block((trades.symbol,), stamps, fields)


def _read_trades(
    source: object, symbols: str | Sequence[str] | None, *, needs_size: bool
) -> tuple[str, list[Trades]]:
    """Return the name of a source and the trades of its symbols, in the order asked for."""
    from neural_trader.data.loading import read_symbols

    wanted = read_symbols(symbols)
    if isinstance(source, (str, os.PathLike)):
        from neural_trader.data.paths import data_files, find_path
        from neural_trader.data.readers import read_tables

        path = find_path(source)
        tables = read_tables(path, [(file, file.read_bytes()) for file in data_files(path)])
        name = path.name
    else:
        from neural_trader.data.frames import frame_table

        tables = [frame_table(source, wanted, None)]
        name = tables[0].name.removeprefix("the ")
    parts: dict[str, list[Trades]] = {}
    for table in tables:
        for each in _split(table, needs_size=needs_size):
            parts.setdefault(each.symbol, []).append(each)
    if not parts:
        message = f"{name} has no row; expected trades, one a line"
        raise DataError(message)
    for symbol in wanted or ():
        if symbol not in parts:
            raise DataError(unknown_symbol(symbol, parts, where=name))
    return name, [_joined(name, parts[symbol]) for symbol in wanted or parts]


def _joined(name: str, parts: Sequence[Trades]) -> Trades:
    """Join the trades of one symbol from the files of a folder."""
    if len(parts) == 1:
        return parts[0]
    for before, each in itertools.pairwise(parts):
        if each.stamps[0] < before.stamps[-1] or (each.sizes is None) != (before.sizes is None):
            message = (
                f"{name}: the files of {each.symbol} overlap in time, or only some have sizes; "
                "expected one after the other by name. Rename or join them"
            )
            raise DataError(message)
    sizes = [each.sizes for each in parts if each.sizes is not None]
    return Trades(
        parts[0].symbol,
        np.concatenate([each.stamps for each in parts]),
        np.concatenate([each.prices for each in parts]),
        np.concatenate(sizes) if sizes else None,
    )


def _split(table: "Table", *, needs_size: bool) -> list[Trades]:
    """Return the trades of each symbol of a table, checked."""
    import polars as pl

    from neural_trader.data.layouts import SYMBOL_NAMES, TIME_NAMES, plain
    from neural_trader.data.times import DATES, read_times

    names: dict[str, str] = {}
    for found_name in table.frame.columns:
        names.setdefault(plain(found_name), found_name)

    def first(known: Sequence[str]) -> str | None:
        return next((names[each] for each in known if each in names), None)

    time, price, size = first(TIME_NAMES), first(PRICE_NAMES), first(SIZE_NAMES)
    if time is None or price is None or (size is None and needs_size):
        message = (
            f"{table.name} has the columns {', '.join(table.frame.columns)}; expected time, price "
            "and size"
        )
        raise DataError(message)
    if not table.frame.height:
        return []
    stamps, clock = read_times(table._replace(stamped=True), time)
    if clock == DATES:
        text = f"column {time!r} holds dates; expected times of day"
        raise table.fault(0, text, "A trade needs the time at which it was made")
    rows = np.arange(len(stamps))
    if "bid" in names and "ask" in names:
        # Quotes and prints in one file, as a paper venue replays them: a quote has no price.
        cells = table.frame[price].cast(pl.String).str.strip_chars()
        rows = np.flatnonzero((cells.is_not_null() & (cells != "")).to_numpy())
    prices = _checked(table, price, rows, lowest="a price above 0")
    sizes = None if size is None else _checked(table, size, rows, lowest="0 or more")
    column = first(SYMBOL_NAMES)
    if column is None:
        parts = [(table.symbol or UNNAMED, np.arange(len(rows)))] if len(rows) else []
    else:
        parts = _by_symbol(table, column, rows)
    found = []
    for symbol, own in parts:
        _check_order(table, stamps[rows[own]], rows[own])
        held = None if sizes is None else sizes[own]
        found.append(Trades(symbol, stamps[rows[own]], prices[own], held))
    return found


def _by_symbol(table: "Table", column: str, rows: Ints) -> list[tuple[str, Ints]]:
    """Return each symbol of some rows and where among them it stands, in order of appearance."""
    import polars as pl

    labels = table.frame[column].cast(pl.String).str.strip_chars()[rows]
    missing = np.flatnonzero((labels.is_null() | (labels == "")).to_numpy())
    if len(missing):
        text = f"column {column!r} has no symbol"
        row = int(rows[missing[0]])
        raise table.fault(row, text, "Fill or drop the row", more=len(missing) - 1)
    codes = labels.rank("dense").to_numpy()
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=0))
    groups = sorted(np.split(order, starts[1:]), key=lambda each: int(each[0]) if len(each) else 0)
    return [(str(labels[int(own[0])]), own) for own in groups if len(own)]


def _checked(table: "Table", column: str, rows: Ints, *, lowest: str) -> Floats:
    """Return some rows of a column of numbers, each as it must be."""
    from neural_trader.data.layouts import read_floats

    values = np.ascontiguousarray(read_floats(table, {"value": column})["value"][rows])
    low = values <= 0.0 if lowest != "0 or more" else values < 0.0
    wrong = np.flatnonzero(~np.isfinite(values) | low)
    if len(wrong):
        row = int(rows[wrong[0]])
        text = f"column {column!r} is {table.frame[column][row]!r}; expected {lowest}"
        raise table.fault(row, text, "Mend or drop the row", more=len(wrong) - 1)
    return values


def _check_order(table: "Table", stamps: Stamps, rows: Ints) -> None:
    falling = np.flatnonzero(np.diff(stamps) < 0)
    if len(falling):
        row = int(rows[falling[0] + 1])
        text = "the time lies before that of the trade before it"
        raise table.fault(row, text, "Sort the rows by time", more=len(falling) - 1)
