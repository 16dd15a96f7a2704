"""Paper trading on a feed: a strategy is asked at every slice of bars, its fills are simulated.

No order leaves for a gateway. A decision fills at the next bar of its symbol, by the rules and
costs of the backtest, so that a run over a replay leaves what a backtest on the same bars leaves.
"""

import datetime as dt
import math
from array import array
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from neural_trader.backtesting import Result, Shown, Steps
from neural_trader.core import (
    FIELDS,
    Bars,
    Block,
    ConfigError,
    Costs,
    DataError,
    Fill,
    Instrument,
    Matching,
)
from neural_trader.data.feeds import About, BarEvent, Event, Heartbeat, StatusEvent
from neural_trader.strategies import CompiledStrategy, Strategy

_NO_COSTS = Costs()
_NOISE = 1e-9
_COUNTS = ("slices", "bars", "late", "duplicates", "amendments", "not_traded", "stale", "fills")


class Progress(NamedTuple):
    """What has just happened: a slice of bars is over, or an order was filled.

    ``fill`` is None at the end of a slice. Within the slice of a fill, equity still is that of the
    slice before.
    """

    ts_close_ns: int
    equity: float
    cash: float
    fill: Fill | None = None


class Paper:
    """A strategy's account on a feed; it takes events, and has neither a loop nor a clock.

    Parameters
    ----------
    strategy : Strategy, Pairs or SmaCross
        Frames of intents and strategies that plan need all bars at once, and are refused.
    about : About
        Of the feed whose events it will take.
    capital, costs, start, warmup, fill_at, max_leverage, matching, instruments
        As in :func:`neural_trader.backtest`.
    on_progress : callable, optional
        Called with a :class:`Progress` at every fill and after every slice.

    Attributes
    ----------
    counts : dict of str to int
        ``slices`` and ``bars`` that the strategy saw; bars that were ``late`` or ``duplicates``,
        ``amendments`` of bars that were traded on, all of them left out; events that are
        ``not_traded`` (ticks); ``stale`` warnings; ``fills``.

    Raises
    ------
    ConfigError, DataError
        As ``backtest``; a feed of ticks, which must be made into bars first.

    Timing
    ------
    A slice is whole when all symbols of the feed have their bar, when a later bar or a heartbeat
    comes, or when the feed ends; only then is the strategy asked.

    Notes
    -----
    Memory: what the result needs, which is all bars of the feed, 48 bytes a bar, and once more for
    ``ctx.bars``. Give a feed the symbols that you trade, and no others.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that a user decides about a run
        self,
        strategy: Strategy | CompiledStrategy,
        about: About,
        *,
        capital: float = 100_000.0,
        costs: Costs = _NO_COSTS,
        start: str | dt.date | None = None,
        warmup: str = "before",
        fill_at: str | None = None,
        max_leverage: float = 2.0,
        matching: Matching | None = None,
        instruments: Instrument | Mapping[str, Instrument] | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> None:
        if not isinstance(about, About):
            message = f"about is {about!r}; expected the about of a feed"
            raise ConfigError(message)
        bare = [symbol for symbol, fields in about.fields.items() if not fields]
        if bare or not about.fields:
            message = (
                f"{about.name} has no bars{' of ' + bare[0] if bare else ''}; make bars of its "
                "trades: feeds.Aggregated(feed, '1Min')"
            )
            raise ConfigError(message)
        self.counts = dict.fromkeys(_COUNTS, 0)
        self._about, self._on_progress = about, on_progress
        self._columns = {
            symbol: (array("q"), {name: array("d") for name in fields})
            for symbol, fields in about.fields.items()
        }
        self._slice: dict[str, tuple[float, ...]] = {}
        self._stamp: int | None = None
        self._done: int | None = None
        self._ended: set[str] = set()
        self._is_over = False
        self._result: Result | None = None
        shown = Shown(about.name, about.fields, about.basis, about.splits)
        self._steps = Steps(
            strategy,
            shown,
            capital=capital,
            costs=costs,
            start=start,
            warmup=warmup,  # type: ignore[arg-type]
            fill_at=fill_at,  # type: ignore[arg-type]
            max_leverage=max_leverage,
            matching=matching,
            instruments=instruments,
            on_fill=self._on_fill,
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the strategy trades."""
        return self._steps.symbols

    @property
    def equity(self) -> float:
        """Cash and positions at the last closes."""
        return self._steps.equity

    @property
    def cash(self) -> float:
        """Money on hand."""
        return self._steps.cash

    @property
    def is_over(self) -> bool:
        """Whether equity is gone: the run takes nothing more."""
        return self._is_over

    def take(self, event: Event) -> bool:
        """Take an event; return whether the run goes on.

        Raises
        ------
        DataError
            A bar lacks a field, has one more, or has a price that is none; a symbol that the feed
            is not said to have; raw prices across a known split.
        RunRefused
            Gross exposure went beyond ``max_leverage``.
        """
        if self._result is not None:
            message = "the run has its result; make a new one to go on"
            raise ConfigError(message)
        if isinstance(event, BarEvent):
            self._take_bar(event)
        elif isinstance(event, Heartbeat):
            if self._stamp is not None and event.ts_event_ns >= self._stamp:
                self._close()
        elif isinstance(event, StatusEvent):
            self._take_status(event)
        else:
            self.counts["not_traded"] += 1
        return not self._is_over

    def _take_status(self, event: StatusEvent) -> None:
        if event.condition == "stale":
            self.counts["stale"] += 1
        elif event.condition == "ended":
            # What ended belongs to the slices after the one that is open.
            self._close()
            if event.symbol is not None:
                self._ended.add(event.symbol)

    def _take_bar(self, event: BarEvent) -> None:
        stamp = event.ts_close_ns
        if event.symbol not in self._columns:
            message = (
                f"a bar of {event.symbol!r} came on the feed {self._about.name}, which is said to "
                f"have {', '.join(self._columns)}"
            )
            raise DataError(message)
        if event.amends:
            self.counts["amendments"] += 1
            return
        if self._stamp is not None and stamp > self._stamp:
            self._close()
        if self._is_over:
            return
        if stamp == self._stamp and event.symbol in self._slice:
            self.counts["duplicates"] += 1
            return
        if (self._stamp or 0) > stamp or (self._done is not None and stamp <= self._done):
            self.counts["late"] += 1
            return
        self._stamp = stamp
        self._slice[event.symbol] = _values(event, self._columns[event.symbol][1])
        self.counts["bars"] += 1
        if len(self._slice) == len(self._columns):
            self._close()

    def _close(self) -> None:
        """Show a slice that is whole, and ask the strategy."""
        if self._stamp is None or self._is_over:
            return
        stamp, rows = self._stamp, self._slice
        self._done, self._stamp, self._slice = stamp, None, {}
        for symbol, row in rows.items():
            stamps, columns = self._columns[symbol]
            stamps.append(stamp)
            for name, value in zip(FIELDS, row, strict=True):
                if name in columns:
                    columns[name].append(value)
        self._present = stamp
        goes_on = self._steps.step(stamp, rows, self._ended)  # type: ignore[arg-type]
        self.counts["slices"] += 1
        self._is_over = not goes_on
        if self._on_progress is not None:
            self._on_progress(Progress(stamp, self.equity, self.cash))

    def _on_fill(self, fill: Fill) -> None:
        self.counts["fills"] += 1
        if self._on_progress is not None:
            self._on_progress(Progress(fill.ts_close_ns, self.equity, fill.cash, fill))

    def result(self) -> Result:
        """End the run and return its result; a slice that is open is shown first.

        Raises
        ------
        DataError
            No bar has come, or none from the start on. A symbol without one is left out of the
            result, which says so; a pair needs both.
        """
        if self._result is None:
            self._close()
            self._result = self._steps.result(self._bars())
        return self._result

    def _bars(self) -> Bars:
        """Return what was shown, symbols of one calendar in one block, as ``nt.load`` has them."""
        groups: dict[tuple[bytes, tuple[str, ...]], list[str]] = {}
        for symbol, (stamps, columns) in self._columns.items():
            if stamps:
                groups.setdefault((stamps.tobytes(), tuple(columns)), []).append(symbol)
        if not groups:
            message = f"no bar has come on the feed {self._about.name}"
            raise DataError(message)
        blocks = []
        for members in groups.values():
            stamps, first = self._columns[members[0]]
            fields = {
                name: np.stack([np.array(self._columns[symbol][1][name]) for symbol in members])
                for name in first
            }
            blocks.append(Block(tuple(members), np.array(stamps, dtype=np.int64), fields))
        about = self._about
        return Bars(
            tuple(blocks),
            name=about.name,
            basis=about.basis,
            labels=about.labels,
            splits=about.splits,
        )


def _values(event: BarEvent, columns: Mapping[str, object]) -> tuple[float, ...]:
    """Return a bar's values in the order of ``FIELDS``, NaN where the feed has no such field."""
    values = []
    for name in FIELDS:
        value = getattr(event, name)
        if (value is None) == (name in columns):
            message = (
                f"the bar of {event.symbol} at {event.ts_close_ns} has {name} {value}; the feed "
                f"says that its bars have {', '.join(columns)}"
            )
            raise DataError(message)
        least = 0.0 if name == "volume" else math.ulp(0.0)
        if value is not None and not least <= value < math.inf:
            message = (
                f"the bar of {event.symbol} at {event.ts_close_ns} has {name} {value}; expected a "
                f"finite number {'of 0 or more' if name == 'volume' else 'above 0'}"
            )
            raise DataError(message)
        values.append(math.nan if value is None else float(value))
    _check_range(event)
    return tuple(values)


def _check_range(event: BarEvent) -> None:
    """Refuse a high that is not the highest price of its bar, and a low that is not the lowest."""
    prices = [price for price in (event.open, event.close) if price is not None]
    high = max(prices) if event.high is None else event.high
    low = min(prices) if event.low is None else event.low
    # Vendors adjust each price by itself, so that equal ones differ in their last bits.
    if max(*prices, low) > high * (1.0 + _NOISE) or min(*prices, high) < low * (1.0 - _NOISE):
        message = (
            f"the bar of {event.symbol} at {event.ts_close_ns} has open {event.open}, high "
            f"{event.high}, low {event.low}, close {event.close}; expected the high to be the "
            "highest and the low the lowest of them"
        )
        raise DataError(message)
