"""The reference for strategies that are Python code: time slice by time slice, in plain Python.

The law of ``docs/semantics.md``, "Event strategies": at each slice the orders made before it are
matched, the account is valued at the close, tracked indicators are fed, and the strategy is asked.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from neural_trader.backtesting.reference_book import (
    Bar,
    BookFill,
    ReferenceBook,
    ReferenceOrder,
)
from neural_trader.backtesting.timeline import Timeline, open_timeline
from neural_trader.backtesting.window import Range
from neural_trader.core import Bars, ConfigError, Costs, Fill, Instrument, Matching
from neural_trader.core import read_instruments as instruments_of
from neural_trader.core.bars import Floats, SymbolBars
from neural_trader.core.orders import Kind, Status, TimeInForce
from neural_trader.strategies import Context, Denial, Indicator, Order, Strategy, Terms


class OrderView:
    """An order of the reference book, as its strategy sees it."""

    def __init__(self, order: ReferenceOrder, symbol: str, reason: Denial = "") -> None:
        self._order = order
        self.symbol = symbol
        self.reason: Denial = reason

    @property
    def id(self) -> int:
        """See ``Order``."""
        return self._order.id

    @property
    def kind(self) -> Kind:
        """See ``Order``."""
        if self.stop is None:
            return "market" if self.limit is None else "limit"
        return "stop" if self.limit is None else "stop_limit"

    @property
    def qty(self) -> float:
        """See ``Order``."""
        return self._order.qty

    @property
    def filled_qty(self) -> float:
        """See ``Order``."""
        return self._order.filled

    @property
    def limit(self) -> float | None:
        """See ``Order``."""
        return self._order.limit

    @property
    def stop(self) -> float | None:
        """See ``Order``."""
        return self._order.stop

    @property
    def tif(self) -> TimeInForce:
        """See ``Order``."""
        return self._order.tif  # type: ignore[return-value]

    @property
    def status(self) -> Status:
        """See ``Order``."""
        return self._order.status  # type: ignore[return-value]

    @property
    def is_open(self) -> bool:
        """See ``Order``."""
        return self._order.is_open


@dataclass
class EventRun:
    """What the reference saw: one number of ``equity`` for every slice from ``first`` on."""

    first: int
    equity: list[float] = field(default_factory=list)
    fills: list[BookFill] = field(default_factory=list)
    orders: list[ReferenceOrder] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    peak_leverage: float = 0.0
    peak_bar: int = 0
    is_ruined: bool = False


class ReferenceContext(Context):
    """The market so far: columns that grow by a bar at a time, and the reference book."""

    def __init__(self, timeline: Timeline, book: ReferenceBook) -> None:
        self.symbols = timeline.symbols
        self.instruments = book.instruments
        self.book = book
        self.views: list[OrderView] = []
        self.columns: list[list[tuple[float, ...]]] = [[] for _ in self.symbols]
        self.fresh = [False] * len(self.symbols)
        self.tracked: list[tuple[Indicator, tuple[int, ...]]] = []
        self.denied = {"warming_up": 0, "stopped": 0, "no_price": 0}
        self.valued = book.cash
        self.stamp = 0
        self.now = -1
        self.state = "starting"
        self.before_start = True
        self._legs = {symbol: leg for leg, symbol in enumerate(self.symbols)}
        self._targets = {}
        self._has_volume = len(timeline.volume) > 0
        self._is_close_only = timeline.fill_at == "close"

    @property
    def ts_close_ns(self) -> int:
        """See ``Context``."""
        return self.stamp

    @property
    def is_warming_up(self) -> bool:
        """See ``Context``."""
        return self.before_start

    @property
    def cash(self) -> float:
        """See ``Context``."""
        return self.book.cash

    @property
    def equity(self) -> float:
        """See ``Context``."""
        return self.valued

    def close(self, symbol: str) -> float:
        """See ``Context``."""
        column = self.columns[self._leg(symbol)]
        return column[-1][4] if column else math.nan

    def has_bar(self, symbol: str) -> bool:
        """See ``Context``."""
        return self.fresh[self._leg(symbol)]

    def position(self, symbol: str) -> float:
        """See ``Context``."""
        return self.book.qty[self._leg(symbol)]

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """See ``Context``."""
        return tuple(view for view in self.views if view.is_open)

    def bars(self, symbol: str) -> SymbolBars:
        """See ``Context``."""
        column = self.columns[self._leg(symbol)]

        def values(place: int) -> Floats:
            return np.array([row[place] for row in column], dtype=np.float64)

        is_bare = self._is_close_only
        return SymbolBars(
            symbol,
            np.array([row[0] for row in column], dtype=np.int64),
            None if is_bare else values(1),
            None if is_bare else values(2),
            None if is_bare else values(3),
            values(4),
            values(5) if self._has_volume else None,
        )

    def track(self, indicator: Indicator, *symbols: str) -> None:
        """See ``Context``."""
        if self.state != "starting":
            message = "track was called after on_start; track indicators in on_start"
            raise ConfigError(message)
        legs = tuple(self._leg(symbol) for symbol in symbols)
        self.tracked.append((indicator, legs))

    def _submit(self, terms: Terms) -> Order:
        if self.is_warming_up:
            return self._deny(terms, "warming_up")
        if self.state == "stopped":
            return self._deny(terms, "stopped")
        leg, qty, limit, stop, tif = terms
        order = self.book.place(leg, qty, limit=limit, stop=stop, tif=tif, now=self.now)
        self.views.append(OrderView(order, self.symbols[leg]))
        return self.views[-1]

    def _deny(self, terms: Terms, reason: Denial) -> Order:
        leg, qty, limit, stop, tif = terms
        self.denied[reason] += 1
        order = ReferenceOrder(-1, leg, qty, limit, stop, tif, self.now, status="denied")
        return OrderView(order, self.symbols[leg], reason)

    def _cancel(self, order_id: int) -> bool:
        order = self.book.orders[order_id]
        if not order.is_open:
            return False
        order.status = "canceled"
        return True

    def _replace(self, order_id: int, qty: float, limit: float | None, stop: float | None) -> None:
        self.book.replace(order_id, qty, limit=limit, stop=stop, now=self.now)

    # ------------------------------------------------------------------------------ by the walk
    def show(self, leg: int, stamp: int, bar: Bar) -> None:
        """Add a bar that has closed."""
        self.columns[leg].append((stamp, bar.open, bar.high, bar.low, bar.close, bar.volume))

    def feed(self) -> None:
        """Update the tracked indicators whose symbols all have a bar in this slice."""
        places = {"open": 1, "high": 2, "low": 3, "close": 4, "volume": 5}
        for indicator, legs in self.tracked:
            if all(self.fresh[leg] for leg in legs):
                sources = legs if len(legs) > 1 else legs * len(indicator.inputs)
                values = [
                    self.columns[leg][-1][places[name]]
                    for leg, name in zip(sources, indicator.inputs, strict=True)
                ]
                indicator.update(*values)


def run_events(
    strategy: Strategy,
    bars: Bars,
    *,
    capital: float = 100_000.0,
    costs: Costs = Costs(),  # noqa: B008 - frozen, so one instance serves every call
    asked: Range = Range(None, None, "before", None),  # noqa: B008 - a tuple
    matching: Matching = Matching(),  # noqa: B008 - frozen
    instruments: Instrument | dict[str, Instrument] | None = None,
) -> EventRun:
    """Run an event strategy over bars; arguments as in ``backtest``."""
    symbols = tuple(strategy.symbols) or bars.symbols
    timeline = open_timeline(bars, symbols, asked)
    run = EventRun(timeline.first)
    book = ReferenceBook(
        float(capital), costs, matching, instruments_of(instruments, symbols), lambda _: None
    )
    ctx = ReferenceContext(timeline, book)
    book.on_fill = lambda fill: strategy.on_fill(ctx, _told(fill, timeline))
    strategy.on_start(ctx)
    ctx.state = "running"
    stale = _walk(strategy, timeline, ctx, run)
    ctx.state = "stopped"
    last = timeline.first + len(run.equity) - 1
    run.counts = {
        "decided_on_the_last_bar": sum(o.is_open and o.placed == last for o in book.orders),
        "open_at_the_end": sum(order.is_open for order in book.orders),
        "ambiguous_bars": book.ambiguous_bars,
        "stale_marks": stale,
    }
    strategy.on_stop(ctx)
    run.counts |= {f"denied_{reason}": n for reason, n in ctx.denied.items()}
    run.fills, run.orders = book.fills, book.orders
    return run


def _told(fill: BookFill, timeline: Timeline) -> Fill:
    return Fill(
        fill.order_id,
        timeline.symbols[fill.leg],
        int(timeline.ts_close_ns[fill.bar]),
        *fill[3:],
    )


def _walk(strategy: Strategy, timeline: Timeline, ctx: ReferenceContext, run: EventRun) -> int:
    """Go through the slices: match, value, feed, decide; return how many marks were stale."""
    book, stale = ctx.book, 0
    for t, stamp in enumerate(timeline.ts_close_ns.tolist()):
        today = {leg: bar for leg in range(len(ctx.symbols)) if (bar := _bar(timeline, leg, t))}
        ctx.before_start = t < timeline.first
        if not ctx.before_start:
            # Orders that a fill calls forth belong to this slice, and work from the next one on.
            ctx.now = t
            for leg in range(len(ctx.symbols)):
                if leg in today:
                    book.match(leg, today[leg], t)
                elif timeline.ended[leg] == t:
                    book.close_out(leg, _last_bar(timeline, leg, t), t)
        ctx.stamp, ctx.now = stamp, t
        for leg in range(len(ctx.symbols)):
            ctx.fresh[leg] = leg in today
            if leg in today:
                ctx.show(leg, stamp, today[leg])
        if not ctx.before_start:
            equity, gross = book.value([ctx.close(symbol) for symbol in ctx.symbols])
            run.equity.append(equity)
            ctx.valued = equity
            stale += sum(
                book.qty[leg] != 0.0 and leg not in today for leg in range(len(ctx.symbols))
            )
            if equity <= 0.0:
                run.is_ruined = True
                return stale
            if gross > run.peak_leverage * equity:
                run.peak_leverage, run.peak_bar = gross / equity, t
        ctx.feed()
        strategy.on_bar(ctx)
    return stale


def _bar(timeline: Timeline, leg: int, t: int) -> Bar | None:
    """Return the bar of a symbol in a time slice, if it has one."""
    place = int(timeline.bar_at[timeline.home[leg], t])
    if place < 0:
        return None
    at = int(timeline.offset[leg]) + place
    columns = (timeline.open, timeline.high, timeline.low, timeline.close)
    volume = float(timeline.volume[at]) if len(timeline.volume) else 0.0
    stamps = timeline.ts_close_ns[t]
    open_, high, low, close = (float(column[at]) for column in columns)
    return Bar(
        open_,
        high,
        low,
        close,
        volume,
        int(timeline.sessions[t]),
        int(stamps.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)),
    )


def _last_bar(timeline: Timeline, leg: int, t: int) -> Bar:
    """Return the last bar that a symbol had before a slice."""
    while (bar := _bar(timeline, leg, t - 1)) is None:
        t -= 1
    return bar
