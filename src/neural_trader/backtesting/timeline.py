"""The bars of an event-driven run: time slices over symbols that may have different calendars."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.backtesting.window import FillAt, Range, Window, bounds, check_splits
from neural_trader.core import Bars, Block, DataError, scratch
from neural_trader.core.bars import Floats, Ints, Stamps
from neural_trader.core.sessions import DAY_NS, month_numbers

_SERIES_ENDED_NS = 7 * DAY_NS
"""A symbol whose last bar lies so long before the run's last has ended; less is a holiday."""


_PART = 1 << 16


class Timeline(NamedTuple):
    """Time slices, and where each symbol's bar of a slice stands.

    Attributes
    ----------
    symbols : tuple of str
        In the order in which the run handles them.
    ts_close_ns : int64 array, shape (N,)
        The distinct closes over all symbols.
    first : int
        The first slice on which a decision may be taken.
    fill_at : {"open", "close"}
        Where market orders fill. ``close``: the close is the only price that an order sees.
    bar_at : int64 array, shape (B, N)
        The bar of each calendar in each slice, -1 where it has none.
    home : int64 array, shape (S,)
        The calendar of each symbol.
    offset : int64 array, shape (S,)
        Where the symbol's first bar stands in the columns.
    open, high, low, close, volume : float64 arrays, shape (n,)
        Columns of all symbols, one after the other. ``volume`` is empty where the data have none.
    ended : int64 array, shape (S,)
        The slice at which a series that ended early is closed out, N where it did not end.
    block : Block or None
        The bars themselves, where all symbols share a calendar.
    """

    symbols: tuple[str, ...]
    ts_close_ns: Stamps
    first: int
    fill_at: FillAt
    bar_at: Ints
    home: Ints
    offset: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    ended: Ints
    block: Block | None

    @property
    def sessions(self) -> Ints:
        """The UTC day of each slice, as a number."""
        days: Ints = scratch.empty(self.ts_close_ns.shape, np.int64)
        np.floor_divide(self.ts_close_ns, DAY_NS, out=days)
        return days

    @property
    def months(self) -> Ints:
        """The calendar month of each slice, as a number."""
        return month_numbers(self.ts_close_ns)

    def window(self) -> Window:
        """Return the run's window as results show it: closes at every slice, gaps filled forward.

        Before a symbol's first bar stands its first close: money that waits for it does not move.
        """
        if self.block is not None:
            block = self.block
            fields = block.fields
            return Window(
                block.ts_close_ns,
                fields["close"],
                fields[self.fill_at],
                self.fill_at,
                tuple(block.row_of[symbol] for symbol in self.symbols),
                self.first,
                block,
            )
        slices = len(self.ts_close_ns)
        close = np.empty((len(self.symbols), slices))
        for row in range(len(self.symbols)):
            bars = np.maximum.accumulate(np.maximum(self.bar_at[self.home[row]], 0))
            close[row] = self.close[self.offset[row] + bars]
        block = Block(self.symbols, self.ts_close_ns, {"close": close})
        rows = tuple(range(len(self.symbols)))
        return Window(self.ts_close_ns, close, close, self.fill_at, rows, self.first, block)


def open_timeline(bars: Bars, symbols: tuple[str, ...], asked: Range) -> Timeline:
    """Cut the bars of an event-driven run.

    Raises
    ------
    ConfigError
        An unknown warm-up or fill price, a date that is none, or a start after the end.
    DataError
        An unknown symbol, an empty range, opens that are not there, or raw prices that cross a
        known split.
    """
    homes = [bars.home(symbol) for symbol in symbols]
    blocks = list({id(block): block for block in homes}.values())
    stamps = (
        blocks[0].ts_close_ns
        if len(blocks) == 1
        else np.unique(np.concatenate([block.ts_close_ns for block in blocks]))
    )
    first, stop = bounds(stamps, asked)
    begin = first if asked.warmup == "inside" else 0
    stamps = stamps[begin:stop]
    if bars.splits:
        check_splits(bars, symbols, stamps)
    blocks, homes = _cut(blocks, homes, symbols, stamps)
    fields = [name for name in blocks[0].fields if all(name in b.fields for b in blocks)]
    fill_at: FillAt = asked.fill_at or ("open" if "open" in fields else "close")
    if fill_at not in fields:
        message = (
            f"{bars.name} has no open prices; fill at the next close instead (fill_at='close')"
        )
        raise DataError(message)
    bar_at = _bars_of(blocks, stamps)
    number = {id(block): calendar for calendar, block in enumerate(blocks)}
    home = np.array([number[id(block)] for block in homes], dtype=np.int64)
    sizes = np.array([len(block.symbols) * len(block.ts_close_ns) for block in blocks])
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    offset = np.array(
        [
            begins[number[id(block)]] + block.row_of[symbol] * len(block.ts_close_ns)
            for block, symbol in zip(homes, symbols, strict=True)
        ],
        dtype=np.int64,
    )
    columns = _columns(blocks, fields, fill_at)
    return Timeline(
        symbols,
        stamps,
        first - begin,
        fill_at,
        bar_at,
        home,
        offset,
        *columns,
        _ends(bar_at, home, stamps),
        blocks[0] if len(blocks) == 1 else None,
    )


def _cut(
    blocks: list[Block], homes: list[Block], symbols: tuple[str, ...], stamps: Stamps
) -> tuple[list[Block], list[Block]]:
    """Cut every block to the range and to the symbols that are traded."""
    kept: list[Block] = []
    new_home: dict[int, Block] = {}
    for block in blocks:
        rows = sorted(
            block.row_of[s] for s, home in zip(symbols, homes, strict=True) if home is block
        )
        first = int(np.searchsorted(block.ts_close_ns, stamps[0]))
        stop = int(np.searchsorted(block.ts_close_ns, stamps[-1], side="right"))
        if first == stop:
            message = (
                f"{', '.join(block.symbols[row] for row in rows)} has no bar in the range; leave "
                "it out or choose another range"
            )
            raise DataError(message)
        new_home[id(block)] = block.cut(rows, first, stop)
        kept.append(new_home[id(block)])
    return kept, [new_home[id(block)] for block in homes]


def _bars_of(blocks: list[Block], stamps: Stamps) -> Ints:
    """Return the bar of every calendar in every slice, -1 where it has none."""
    if len(blocks) == 1:
        alone = scratch.empty((1, len(stamps)), np.int64)
        for begin in range(0, len(stamps), _PART):
            stop = min(begin + _PART, len(stamps))
            alone[0, begin:stop] = np.arange(begin, stop)
        return alone
    bar_at = np.full((len(blocks), len(stamps)), -1, dtype=np.int64)
    for calendar, block in enumerate(blocks):
        there = np.searchsorted(stamps, block.ts_close_ns)
        bar_at[calendar, there] = np.arange(len(there))
    return bar_at


def _columns(
    blocks: list[Block], fields: Iterable[str], fill_at: FillAt
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return open, high, low, close and volume of all symbols; one block is not copied."""
    there = set(fields)

    def column(name: str) -> Floats:
        parts = [block.fields[name].reshape(-1) for block in blocks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    close = column("close")
    volume = column("volume") if "volume" in there else np.empty(0)
    if fill_at == "close":
        return close, close, close, close, volume
    open_ = column("open")
    # Without highs and lows, what is known of a bar's range is its open and its close.
    high = column("high") if "high" in there else np.maximum(open_, close)
    low = column("low") if "low" in there else np.minimum(open_, close)
    return open_, high, low, close, volume


def _ends(bar_at: Ints, home: NDArray[np.int64], stamps: Stamps) -> Ints:
    """Return the slice after the last bar of every series that ended early, else N."""
    slices = bar_at.shape[1]
    last = slices - 1 - np.argmax(bar_at[:, ::-1] >= 0, axis=1)
    ended = stamps[-1] - stamps[last] > _SERIES_ENDED_NS
    closed_at: Ints = np.where(ended, last + 1, slices)[home]
    return closed_at
