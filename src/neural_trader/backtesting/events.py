"""Event-driven runs: a strategy in Python, the order book kernel, and the loop between them.

The rules are in ``docs/semantics.md``; ``reference_events`` and ``reference_book`` are the same in
plain Python.
"""

import difflib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard, cast

import numpy as np

from neural_trader._kernels.book import Book
from neural_trader._kernels.events import Desk, replay
from neural_trader.backtesting.intents import WAYS, Intents, TargetWeights
from neural_trader.backtesting.recorded import Recorded
from neural_trader.backtesting.run import Outcome
from neural_trader.backtesting.timeline import Timeline, open_timeline
from neural_trader.backtesting.window import Range, Window
from neural_trader.core import (
    Bars,
    ConfigError,
    Costs,
    Fill,
    Instrument,
    Matching,
    scratch,
    steps_per_unit,
)
from neural_trader.core.bars import Floats, Ints, SymbolBars
from neural_trader.core.orders import (
    KINDS,
    OPEN_STATUSES,
    STATUSES,
    TIMES_IN_FORCE,
    Kind,
    Status,
    TimeInForce,
)
from neural_trader.core.sessions import session_date
from neural_trader.strategies import Context, Denial, Indicator, Order, Strategy, Terms

if TYPE_CHECKING:
    from neural_trader.strategies.indicators import IndicatorCache

_ROOM = 1024


class Account(NamedTuple):
    """What a run starts with and by which rules it fills; ``instruments`` has one a symbol."""

    capital: float
    costs: Costs
    matching: Matching
    instruments: tuple[Instrument, ...]


class BookOrder:
    """An order in the book kernel, or a denied one, as its strategy sees it."""

    __slots__ = ("_book", "_terms", "id", "reason", "symbol")

    def __init__(
        self, book: Book, order_id: int, symbol: str, *, terms: Terms, reason: Denial = ""
    ) -> None:
        self._book = book
        self._terms = terms
        self.id = order_id
        self.symbol = symbol
        self.reason: Denial = reason

    @property
    def kind(self) -> Kind:
        """Market, limit, stop or stop_limit."""
        return KINDS[(self._terms.limit is not None) + 2 * (self._terms.stop is not None)]

    @property
    def qty(self) -> float:
        """Signed quantity of the whole order."""
        return self._terms.qty if self.reason else self._book.order(self.id)[0]

    @property
    def filled_qty(self) -> float:
        """Signed quantity filled so far."""
        return 0.0 if self.reason else self._book.order(self.id)[1]

    @property
    def limit(self) -> float | None:
        """The limit on the tick grid, or None."""
        if self.reason or self._terms.limit is None:
            return self._terms.limit
        return self._book.order(self.id)[2]

    @property
    def stop(self) -> float | None:
        """The trigger on the tick grid, or None."""
        if self.reason or self._terms.stop is None:
            return self._terms.stop
        return self._book.order(self.id)[3]

    @property
    def tif(self) -> TimeInForce:
        """How long the order works."""
        return self._terms.tif

    @property
    def status(self) -> Status:
        """What has become of the order."""
        return "denied" if self.reason else STATUSES[self._book.status(self.id)]

    @property
    def is_open(self) -> bool:
        """Whether the order may still fill."""
        return self.status in OPEN_STATUSES

    def __repr__(self) -> str:
        """Return the order on one line."""
        prices = "".join(
            f" {name} {price:g}"
            for name, price in (("limit", self.limit), ("stop", self.stop))
            if price is not None
        )
        return (
            f"Order({self.id}: {self.symbol} {self.qty:+g} {self.kind}{prices} {self.tif}, "
            f"{self.status}{' ' + self.reason if self.reason else ''})"
        )


class EventContext(Desk, Context):
    """The context of a backtest: the kernel's desk, and orders that go to the kernel's book."""

    def __init__(self, timeline: Timeline, account: Account, book: Book, ledger: Floats) -> None:
        self._legs = {symbol: leg for leg, symbol in enumerate(timeline.symbols)}
        super().__init__(self._legs, ledger)
        self.symbols = timeline.symbols
        self.instruments = account.instruments
        self.tracked: list[tuple[Any, tuple[int, ...], tuple[int, ...]]] = []
        self.denied: dict[str, int] = {"warming_up": 0, "stopped": 0, "no_price": 0}
        self.state = "starting"
        self._book = book
        self._targets = {}
        self._orders: dict[int, Order] = {}
        self.is_close_only = timeline.fill_at == "close"
        ranges = () if self.is_close_only else ("open", "high", "low")
        fields = ("close", *ranges, *(("volume",) if len(timeline.volume) else ()))
        self._row_of = {name: row for row, name in enumerate(fields)}
        legs = len(self.symbols)
        # Room for the bars so far: it grows as they come, and says nothing of how many there are.
        self._history = np.zeros((len(fields), legs, _ROOM))
        self._stamps = np.zeros((legs, _ROOM), dtype=np.int64)
        self._lengths = np.zeros(legs, dtype=np.int64)
        self._present = (np.full(legs, np.nan), np.zeros(legs, dtype=np.int64))
        self._adopt()

    def _adopt(self) -> None:
        self.adopt(self._history, self._stamps, self._lengths, *self._present)

    def grow(self) -> None:
        """Double the room for bars; views that were handed out keep the old columns."""
        history = scratch.empty((*self._history.shape[:2], 2 * self._history.shape[2]))
        stamps = scratch.empty((len(self.symbols), history.shape[2]), np.int64)
        history[:, :, : self._history.shape[2]] = self._history
        stamps[:, : self._stamps.shape[1]] = self._stamps
        self._history, self._stamps = history, stamps
        self._adopt()

    def refuse(self, symbol: object) -> None:
        """Raise ConfigError for a symbol that is not traded."""
        self._leg(str(symbol))

    # --------------------------------------------------------------------------------- Context
    def bars(self, symbol: str) -> SymbolBars:
        """Return the bars of a symbol up to now; see ``Context``."""
        leg = self._leg(symbol)
        length = self._lengths[leg]
        stamps = self._stamps[leg, :length]
        stamps.flags.writeable = False

        columns: dict[str, Floats] = {}
        for name, row in self._row_of.items():
            columns[name] = self._history[row, leg, :length]
            columns[name].flags.writeable = False
        return SymbolBars(
            symbol,
            stamps,
            columns.get("open"),
            columns.get("high"),
            columns.get("low"),
            columns["close"],
            columns.get("volume"),
        )

    def track(self, indicator: Indicator, *symbols: str) -> None:
        """Have an indicator fed with every bar; see ``Context``."""
        if self.state != "starting":
            message = "track was called after on_start; track indicators in on_start"
            raise ConfigError(message)
        inputs = tuple(indicator.inputs)
        legs = tuple(self._leg(symbol) for symbol in symbols)
        if len(legs) not in (1, len(inputs)):
            wanted = "one symbol" if len(inputs) == 1 else f"one symbol, or {len(inputs)}"
            message = f"track was given {len(legs)} symbols; {indicator!r} reads {wanted}"
            raise ConfigError(message)
        for name in inputs:
            if name not in self._row_of:
                message = f"{indicator!r} reads {name}; this run has {', '.join(self._row_of)}"
                raise ConfigError(message)
        rows = tuple(self._row_of[name] for name in inputs)
        self.tracked.append((indicator.update, legs if len(legs) > 1 else legs * len(inputs), rows))

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """The orders that may still fill, in the order in which they were made."""
        return tuple(self._orders[order_id] for order_id in self._book.open_ids())

    def _submit(self, terms: Terms) -> Order:
        if self.is_warming_up:
            return self._deny(terms, "warming_up")
        if self.state == "stopped":
            return self._deny(terms, "stopped")
        leg, qty, limit, stop, tif = terms
        order_id = self._book.place(
            leg,
            qty,
            np.nan if limit is None else limit,
            np.nan if stop is None else stop,
            TIMES_IN_FORCE.index(tif),
            self.now,
        )
        order = BookOrder(self._book, order_id, self.symbols[leg], terms=terms)
        self._orders[order_id] = order
        return order

    def _deny(self, terms: Terms, reason: Denial) -> Order:
        self.denied[reason] += 1
        return BookOrder(self._book, -1, self.symbols[terms.leg], terms=terms, reason=reason)

    def _cancel(self, order_id: int) -> bool:
        return self._book.cancel(order_id)

    def _replace(self, order_id: int, qty: float, limit: float | None, stop: float | None) -> None:
        self._book.replace(
            order_id,
            qty,
            np.nan if limit is None else limit,
            np.nan if stop is None else stop,
            self.now,
        )


def make_book(account: Account, legs: int) -> tuple[Book, Floats, Ints]:
    """Return a flat book, its ledger (cash, quantities) and its lists of working orders."""
    costs, matching = account.costs, account.matching
    ledger = np.zeros(legs + 1)
    ledger[0] = account.capital
    rates = np.array(
        [
            costs.fee_rate,
            costs.fee_per_share,
            costs.fee_minimum,
            costs.slippage_rate,
            costs.half_spread,
        ]
    )
    tiers = np.array(costs.tier_rates, dtype=np.float64).reshape(-1, 2).T.copy()
    grid = np.array(
        [
            (i.tick_size, steps_per_unit(i.tick_size), i.lot_size, steps_per_unit(i.lot_size))
            for i in account.instruments
        ]
    ).T.copy()
    lists = np.zeros((4, legs), dtype=np.int64)
    rules = (matching.volume_share or 0.0, matching.limit_fills == "touch")
    return Book(ledger, rates, tiers, grid, rules, lists, np.empty), ledger, lists


class Planned(Protocol):
    """A strategy that looks at all bars at once and returns a frame of what to do when.

    It is handed the future, and it alone can see to it that it does not use it: have
    ``neural-trader check lookahead`` try.
    """

    def plan(self, bars: Bars) -> Intents | TargetWeights:
        """Return what is to be done at which bar."""
        ...


class PlannedFromCache(Protocol):
    """The same, with a cache of whole columns, which the trials of a sweep share."""

    def plan(self, bars: Bars, cache: "IndicatorCache") -> Intents | TargetWeights:
        """Return what is to be done at which bar."""
        ...


Own = Strategy | Planned | PlannedFromCache | Intents | TargetWeights
"""What a user brings: a strategy that is Python code, or a frame, or what makes one."""


Doer = Strategy | Intents | TargetWeights
"""What is run: a planned strategy has made its frame by now."""


def is_own(strategy: object) -> TypeGuard[Own]:
    """Whether an object is a strategy that is Python code, or a frame."""
    return isinstance(strategy, (Intents, TargetWeights)) or (
        not isinstance(strategy, type)
        and any(callable(getattr(strategy, name, None)) for name in ("on_bar", "plan"))
    )


def symbols_of(strategy: Doer, bars: Bars) -> tuple[str, ...]:
    """Return what a strategy trades: what it names, or all that there is."""
    named = getattr(strategy, "symbols", ())
    if isinstance(named, str):
        message = f"{type(strategy).__name__}.symbols is {named!r}; expected a tuple of symbols"
        raise ConfigError(message)
    symbols = tuple(named) or bars.symbols
    if len(set(symbols)) < len(symbols):
        message = f"{type(strategy).__name__}.symbols names a symbol twice: {', '.join(symbols)}"
        raise ConfigError(message)
    return symbols


def doer_of(strategy: Own, bars: Bars, cache: "IndicatorCache | None" = None) -> Doer:
    """Return what is to be run: for a planned strategy, the frame that it makes of these bars.

    A plan that takes ``cache`` is given this one, or a new one.
    """
    plan = getattr(strategy, "plan", None)
    if plan is None:
        return cast("Doer", strategy)
    if getattr(type(strategy), "on_bar", Strategy.on_bar) is not Strategy.on_bar:
        message = (
            f"{type(strategy).__name__} has both plan and on_bar; expected one of them: plan makes "
            "a frame for all bars, on_bar decides bar by bar"
        )
        raise ConfigError(message)
    if "cache" in inspect.signature(plan).parameters:
        from neural_trader.strategies.indicators import IndicatorCache

        frame = plan(bars, cache=IndicatorCache.read(cache))
    else:
        frame = plan(bars)
    if not isinstance(frame, (Intents, TargetWeights)):
        message = (
            f"{type(strategy).__name__}.plan returned a {type(frame).__name__}; expected "
            "nt.Intents(...) or nt.TargetWeights(...)"
        )
        raise ConfigError(message)
    return frame


def run_own(strategy: Doer, bars: Bars, asked: Range, account: Account) -> tuple[Window, Outcome]:
    """Run a strategy or a frame; ``account`` has an instrument for each of its symbols.

    Raises
    ------
    ConfigError
        A method whose name no engine calls, or a rule that the data cannot serve.
    """
    symbols = symbols_of(strategy, bars)
    check_basis(bars, account.costs, account.matching)
    timeline = open_timeline(bars, symbols, asked)
    if account.matching.volume_share is not None and not len(timeline.volume):
        message = f"volume_share is set, and {bars.name} has no volume; leave it out"
        raise ConfigError(message)
    if isinstance(strategy, (Intents, TargetWeights)):
        outcome = run_frame(strategy, timeline, account)
    else:
        check_methods(strategy)
        outcome = run_strategy(strategy, timeline, account)
    window = timeline.window()
    if outcome.is_ruined:
        window = window.until(window.first + len(outcome.equity))
    return window, outcome


def check_methods(strategy: Strategy) -> None:
    """Refuse a method that looks like one an engine calls and is none: it would never be called."""
    known = [name for name in vars(Strategy) if name.startswith("on_")]
    for name in dir(strategy):
        if name.startswith("on_") and name not in known and callable(getattr(strategy, name)):
            near = difflib.get_close_matches(name, known, n=1)
            message = (
                f"{type(strategy).__name__} has a method {name}, which is never called: "
                f"{f'did you mean {near[0]}? ' if near else ''}There are {', '.join(known)}"
            )
            raise ConfigError(message)


def check_basis(bars: Bars, costs: Costs, matching: Matching) -> None:
    """Refuse costs and caps by the share on prices whose shares are not those of the day."""
    if bars.basis != "total-return":
        return
    given = {
        "fee_per_share": costs.fee_per_share,
        "half_spread": costs.half_spread,
        "volume_share": matching.volume_share,
    }
    for name, value in given.items():
        if value:
            message = (
                f"{name} is {value!r}, and the prices of {bars.name} are total-return: their "
                "shares are not those that were traded; use costs in basis points"
            )
            raise ConfigError(message)


def run_strategy(
    strategy: Strategy,
    timeline: Timeline,
    account: Account,
    *,
    context: Callable[[Timeline, Account, Book, Floats], EventContext] = EventContext,
) -> Outcome:
    """Run a strategy over a timeline; what its own code raises is passed on with its bar."""
    book, ledger, lists = make_book(account, len(timeline.symbols))
    ctx = context(timeline, account, book, ledger)

    def tell(number: int) -> None:
        bar, leg, order_id, *what = book.fill(number)
        stamp = int(timeline.ts_close_ns[bar])
        strategy.on_fill(ctx, Fill(order_id, timeline.symbols[leg], stamp, *what))

    book.listen(tell)
    equity = scratch.empty((len(timeline.ts_close_ns) - timeline.first,))
    peak = np.zeros(3)
    sessions = timeline.sessions
    # Months cost more to find than a short run: only tiers of fees ask for them.
    months = timeline.months if account.costs.fee_tiers else sessions
    try:
        strategy.on_start(ctx)
        ctx.state = "running"
        stop = replay(
            ctx,
            book,
            (strategy.on_bar, ctx.tracked),
            (timeline.open, timeline.high, timeline.low, timeline.close, timeline.volume),
            (timeline.ts_close_ns, sessions, months, timeline.bar_at),
            (
                timeline.home,
                timeline.offset,
                timeline.ended,
                lists,
                timeline.first,
                ctx.is_close_only,
            ),
            equity,
            peak,
        )
        ctx.state = "stopped"
        counts = count_orders(book, ctx.now, int(peak[2]))
        strategy.on_stop(ctx)
        counts |= {f"denied_{reason}": n for reason, n in ctx.denied.items()}
    except Exception as error:
        if ctx.ts_close_ns:
            error.add_note(f"in the strategy, at the bar of {session_date(ctx.ts_close_ns)}")
        raise
    return gather(book, timeline, (equity, stop, peak), counts)


def run_frame(frame: Intents | TargetWeights, timeline: Timeline, account: Account) -> Outcome:
    """Run a frame of intents over a timeline, whole, without calling Python."""
    book, _, _ = make_book(account, len(timeline.symbols))
    rows = frame.rows(timeline, account.instruments)
    sessions = timeline.sessions
    months = timeline.months if account.costs.fee_tiers else sessions
    equity = scratch.empty((len(timeline.ts_close_ns) - timeline.first,))
    peak = np.zeros(4)
    stop = book.run(
        (
            timeline.open,
            timeline.high,
            timeline.low,
            timeline.close,
            timeline.volume,
            np.stack([sessions, months]),
            timeline.bar_at,
            np.stack([timeline.home, timeline.offset, timeline.ended]),
        ),
        (rows.slices, rows.legs, rows.size, rows.limit, rows.stop, rows.tif),
        WAYS.index(frame.way),
        timeline.first,
        equity,
        peak,
    )
    counts = count_orders(book, min(stop, len(timeline.ts_close_ns) - 1), int(peak[2]))
    counts |= {"denied_warming_up": 0, "denied_stopped": 0, "denied_no_price": int(peak[3])}
    return gather(book, timeline, (equity, stop, peak), counts)


def gather(
    book: Book, timeline: Timeline, valued: tuple[Floats, int, Floats], counts: dict[str, int]
) -> Outcome:
    """Gather what a run left: arrays cut to what is used, counts in the order of their names."""
    equity, stop, peak = valued
    is_ruined = stop < len(timeline.ts_close_ns)
    where, fills, filled = book.filled()
    names = (*Recorded.skip_reasons, "decided_on_the_last_bar")
    return Outcome(
        equity[: stop + 1 - timeline.first] if is_ruined else equity,
        np.asarray(where)[:, :filled].copy(),
        np.asarray(fills)[:, :filled].copy(),
        np.empty((0, len(timeline.ts_close_ns))),
        is_ruined,
        float(peak[0]),
        int(peak[1]),
        tuple(counts[name] for name in names),
    )


def count_orders(book: Book, now: int, stale: int) -> dict[str, int]:
    """Count what a result says of the orders of a run that is over."""
    return {
        "decided_on_the_last_bar": book.count_placed(now),
        "open_at_the_end": len(book.open_ids()),
        "ambiguous_bars": book.counts()[1],
        "stale_marks": stale,
    }
