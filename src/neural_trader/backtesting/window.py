"""Which bars a run sees, from which of them it may decide, and at which prices it fills."""

from typing import Literal, NamedTuple

import numpy as np

from neural_trader.core import Bars, Block, ConfigError, DataError
from neural_trader.core.bars import Floats, Stamps
from neural_trader.core.sessions import DAY_NS, first_ns, last_ns, session_date, session_day

Warmup = Literal["before", "inside"]
FillAt = Literal["open", "close"]


class Window(NamedTuple):
    """The bars of a run.

    ``close`` and ``fill_price`` have shape (S, T); ``rows`` names the row of each leg; ``first`` is
    the first bar on which a decision may be taken, and the first that is valued.
    """

    ts_close_ns: Stamps
    close: Floats
    fill_price: Floats
    fill_at: FillAt
    rows: tuple[int, ...]
    first: int
    block: Block

    def until(self, stop: int) -> "Window":
        """Return the window without its bars from ``stop`` on."""
        block = self.block.cut(self.rows, 0, stop)
        return Window(
            block.ts_close_ns,
            block.fields["close"],
            # Several calendars are shown by their closes alone.
            block.fields.get(self.fill_at, block.fields["close"]),
            self.fill_at,
            tuple(range(len(self.rows))),
            self.first,
            block,
        )


class Range(NamedTuple):
    """What the user asked for: inclusive session dates, warm-up and fill price."""

    start: str | None
    end: str | None
    warmup: Warmup
    fill_at: FillAt | None


def open_window(bars: Bars, symbols: tuple[str, ...], asked: Range) -> Window:
    """Cut the bars of a run.

    Raises
    ------
    ConfigError
        An unknown warm-up or fill price, a date that is none, or a start after the end.
    DataError
        An unknown symbol, an empty range, opens that are not there, or raw prices that cross a
        known split.
    """
    block, rows = bars.common(symbols)
    first, stop = bounds(block.ts_close_ns, asked)
    begin = first if asked.warmup == "inside" else 0
    if begin > 0 or stop < len(block.ts_close_ns):
        block = block.cut(rows, begin, stop)
        rows = tuple(range(len(rows)))
        first -= begin
    if bars.splits:
        check_splits(bars, symbols, block.ts_close_ns)
    close = block.fields["close"]
    fill_at: FillAt = asked.fill_at or ("open" if "open" in block.fields else "close")
    if fill_at not in block.fields:
        message = (
            f"{bars.name} has no open prices; fill at the next close instead (fill_at='close')"
        )
        raise DataError(message)
    return Window(block.ts_close_ns, close, block.fields[fill_at], fill_at, rows, first, block)


def bounds(stamps: Stamps, asked: Range) -> tuple[int, int]:
    """Return the first bar of the range and the one after its last."""
    if asked.warmup not in ("before", "inside"):
        message = f"warmup is {asked.warmup!r}; expected 'before' or 'inside'"
        raise ConfigError(message)
    if asked.fill_at not in (None, "open", "close"):
        message = f"fill_at is {asked.fill_at!r}; expected 'open' or 'close'"
        raise ConfigError(message)
    first, stop = 0, len(stamps)
    if asked.start is not None:
        first = int(np.searchsorted(stamps, first_ns(session_day(asked.start, option="start"))))
    if asked.end is not None:
        last = last_ns(session_day(asked.end, option="end"))
        stop = int(np.searchsorted(stamps, last, side="right"))
        if asked.start is not None and last < first_ns(session_day(asked.start, option="start")):
            message = f"start {asked.start} is after end {asked.end}; expected start <= end"
            raise ConfigError(message)
    if first >= stop:
        message = (
            f"no bar from {asked.start or 'the first'} to {asked.end or 'the last'}; the data run "
            f"from {session_date(stamps[0])} to {session_date(stamps[-1])}"
        )
        raise DataError(message)
    return first, stop


def check_splits(bars: Bars, symbols: tuple[str, ...], stamps: Stamps) -> None:
    """Refuse raw prices that cross a split: the jump would be traded as if it were a loss."""
    begin, end = int(stamps[0]) // DAY_NS, int(stamps[-1]) // DAY_NS
    for split in bars.splits:
        if split.symbol in symbols and begin < split.day <= end:
            message = (
                f"raw prices of {split.symbol} cross the {split.ratio:g}-for-1 split of "
                f"{split.date}; load them adjusted (adjust='splits') or "
                "choose a range on one side of it"
            )
            raise DataError(message)
