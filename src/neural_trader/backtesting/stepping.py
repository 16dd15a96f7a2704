"""A run that is shown one time slice after the other, and knows none of the next.

A backtest has all bars and goes through them; :class:`Steps` is handed them as they come.
Orders, fills, costs and marks are those of the backtest: the same kernels are called, for one slice
at a time, so that a run over bars that came one by one leaves the result of a backtest on them.
"""

import datetime as dt
import math
from collections.abc import Callable, Collection, Mapping
from sys import float_info
from typing import NamedTuple, Protocol, cast

import msgspec
import numpy as np

from neural_trader._kernels.events import replay
from neural_trader.backtesting.engine import (
    LEVERAGE_MAX,
    above_zero,
    check_asked,
    check_outcome,
    date_text,
)
from neural_trader.backtesting.events import (
    Account,
    EventContext,
    check_basis,
    check_methods,
    count_orders,
    gather,
    is_own,
    make_book,
)
from neural_trader.backtesting.intents import Intents, TargetWeights
from neural_trader.backtesting.recorded import Recorded, record
from neural_trader.backtesting.result import Result
from neural_trader.backtesting.run import Config, Outcome
from neural_trader.backtesting.stepping_compiled import CompiledWalk
from neural_trader.backtesting.timeline import Timeline, open_timeline
from neural_trader.backtesting.window import (
    FillAt,
    Range,
    Warmup,
    Window,
    bounds,
    check_splits,
)
from neural_trader.core import (
    Bars,
    Basis,
    ConfigError,
    Costs,
    DataError,
    Fill,
    Instrument,
    Matching,
    RunRefused,
    Split,
    read_instruments,
    unknown_symbol,
)
from neural_trader.core.bars import FIELDS
from neural_trader.core.sessions import DAY_NS, first_ns, month_numbers, session_date, session_day
from neural_trader.strategies import CompiledStrategy, Strategy

Row = tuple[float, float, float, float, float]
"""One bar: open, high, low, close and volume; NaN where the data have none."""
_NO_COSTS = Costs()


class Shown(NamedTuple):
    """What will be shown: its name, symbols, the fields of each, and what the prices know."""

    name: str
    fields: Mapping[str, tuple[str, ...]]
    basis: Basis = "raw"
    splits: tuple[Split, ...] = ()


class Walk(Protocol):
    """A run in progress; one class a kind of strategy."""

    equity: list[float]
    peak: np.ndarray[tuple[int], np.dtype[np.float64]]

    @property
    def cash(self) -> float:
        """Money on hand."""
        ...

    def step(
        self, stamp: int, bars: Mapping[str, Row], *, ended: Collection[str], before: bool
    ) -> bool:
        """Go through one slice; return whether the run goes on: False is ruin."""
        ...

    def finish(self, bars: Bars, asked: Range) -> tuple[Window, Outcome]:
        """End the run, and return what it left on the bars that were shown."""
        ...


class Steps:
    """A strategy's run, slice by slice.

    Parameters
    ----------
    strategy : Strategy, Pairs or SmaCross
        Frames of intents and strategies that plan are refused: they need all bars at once.
    shown : Shown
        What will be shown.
    capital, costs, start, warmup, fill_at, max_leverage, matching, instruments
        As in :func:`neural_trader.backtest`.
    on_fill : callable, optional
        Called with every fill, after the strategy was told.

    Raises
    ------
    ConfigError, DataError
        As ``backtest``, as soon as it can be known.

    Timing
    ------
    A slice holds the bars that closed at one time. What is decided on it fills in the next slice in
    which its symbol has a bar, so a decision is made before its fill price exists.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that a user decides about a run
        self,
        strategy: Strategy | CompiledStrategy,
        shown: Shown,
        *,
        capital: float = 100_000.0,
        costs: Costs = _NO_COSTS,
        start: str | dt.date | None = None,
        warmup: Warmup = "before",
        fill_at: FillAt | None = None,
        max_leverage: float = LEVERAGE_MAX,
        matching: Matching | None = None,
        instruments: Instrument | Mapping[str, Instrument] | None = None,
        on_fill: Callable[[Fill], object] | None = None,
    ) -> None:
        check_asked(strategy, costs)
        _check_can_step(strategy)
        capital = above_zero("capital", capital, at_most=float_info.max)
        max_leverage = above_zero("max_leverage", max_leverage, at_most=math.inf)
        day = date_text("start", start)
        self._asked = Range(day, None, warmup, fill_at)
        # A day of which all is known: warm-up and fill price are checked before a bar has come.
        bounds(np.zeros(1, dtype=np.int64), self._asked._replace(start=None))
        self._start = None if day is None else first_ns(session_day(day, option="start"))
        self._first_day: int | None = None
        self._shown = shown
        self.symbols = _traded(strategy, shown)
        fields = [
            name for name in FIELDS if all(name in shown.fields[symbol] for symbol in self.symbols)
        ]
        filled_at: FillAt = fill_at or ("open" if "open" in fields else "close")
        if filled_at not in fields:
            message = (
                f"{shown.name} has no open prices; fill at the next close instead (fill_at='close')"
            )
            raise DataError(message)
        ran: CompiledStrategy | Recorded
        rules: tuple[Matching, tuple[Instrument, ...]] = (Matching(), ())
        if not is_own(strategy):
            ran = cast("CompiledStrategy", strategy)
            if matching is not None or instruments is not None:
                message = (
                    f"{ran.kind} trades whole shares at the market; matching and instruments are "
                    "for strategies that make orders: leave them out"
                )
                raise ConfigError(message)
            check_basis_of(shown, costs, rules[0])
            self._walk: Walk = CompiledWalk(ran, filled_at, capital, costs, on_fill=on_fill)
        else:
            own = cast("Strategy", strategy)
            check_methods(own)
            rules = (matching or Matching(), read_instruments(instruments, self.symbols))
            check_basis_of(shown, costs, rules[0])
            if rules[0].volume_share is not None and "volume" not in fields:
                message = f"volume_share is set, and {shown.name} has no volume; leave it out"
                raise ConfigError(message)
            ran = record(own, self.symbols)
            account = Account(capital, costs, *rules)
            empty = _empty_timeline(self.symbols, filled_at, has_volume="volume" in fields)
            self._walk = _EventWalk(own, empty, account, fields=tuple(fields), on_fill=on_fill)
        self._config = Config(
            ran, capital, costs, day, None, warmup, filled_at, max_leverage, *rules
        )

    @property
    def equity(self) -> float:
        """Cash and positions at the last closes; the capital before the first slice."""
        return self._walk.equity[-1] if self._walk.equity else self._config.capital

    @property
    def cash(self) -> float:
        """Money on hand."""
        return self._walk.cash

    def step(self, stamp: int, bars: Mapping[str, Row], ended: Collection[str] = ()) -> bool:
        """Show the bars that closed at one time, later than all before.

        Parameters
        ----------
        stamp : int
            Their close, nanoseconds UTC.
        bars : mapping of symbol to Row
            One bar or more; symbols that are not traded are passed over.
        ended : collection of str
            The symbols whose series has ended: what is held of them is closed at the last price.

        Returns
        -------
        bool
            Whether the run goes on: False means that equity is gone.

        Raises
        ------
        RunRefused
            Gross exposure went beyond ``max_leverage``.
        DataError
            Raw prices cross a known split.
        """
        before = self._start is not None and stamp < self._start
        if before and self._asked.warmup == "inside":
            return True
        if not any(symbol in bars for symbol in self.symbols):
            return True
        if self._first_day is None:
            self._first_day = stamp
        if self._shown.splits:
            self._check_splits(stamp)
        goes_on = self._walk.step(stamp, bars, ended=ended, before=before)
        if self._walk.peak[0] > self._config.max_leverage:
            message = (
                f"gross exposure reached {self._walk.peak[0]:.4g} x equity on "
                f"{session_date(stamp)}; the limit is {self._config.max_leverage:g} x. Lower "
                "gross, or allow it with max_leverage (--max-leverage)"
            )
            raise RunRefused(message)
        return goes_on

    def _check_splits(self, stamp: int) -> None:
        span = np.array([self._first_day, stamp], dtype=np.int64)
        bare = Bars((), name=self._shown.name, splits=self._shown.splits)
        check_splits(bare, self.symbols, span)

    def result(self, bars: Bars) -> Result:
        """End the run and return its result.

        Parameters
        ----------
        bars : Bars
            All that was shown, and nothing else.

        Raises
        ------
        DataError
            Nothing was shown, or nothing from the start on.
        """
        config, ran = self._config, self._config.strategy
        seen = tuple(symbol for symbol in self.symbols if symbol in bars)
        if seen != self.symbols:
            missing = ", ".join(symbol for symbol in self.symbols if symbol not in bars)
            if not isinstance(ran, Recorded) or not seen:
                message = f"no bar of {missing} has come from {self._shown.name}"
                raise DataError(message)
            # It was never traded: the account is that of the others.
            notes = (*ran.notes, f"no bar of {missing} came: it is left out")
            config = config._replace(
                strategy=msgspec.structs.replace(ran, symbols=seen, notes=notes),
                instruments=tuple(
                    rules
                    for symbol, rules in zip(self.symbols, config.instruments, strict=True)
                    if symbol in bars
                ),
            )
        window, outcome = self._walk.finish(bars, self._asked)
        check_outcome(outcome, window, config.max_leverage)
        return Result(config, bars, window, outcome)


class _EventWalk:
    """A strategy that is Python code: the event kernel, called for one slice at a time."""

    def __init__(
        self,
        strategy: Strategy,
        empty: Timeline,
        account: Account,
        *,
        fields: tuple[str, ...],
        on_fill: Callable[[Fill], object] | None,
    ) -> None:
        legs = len(empty.symbols)
        self._strategy, self._symbols, self._on_fill = strategy, empty.symbols, on_fill
        self._fields = fields if empty.fill_at == "open" else ("close",)
        self._book, ledger, lists = make_book(account, legs)
        self._ctx = EventContext(empty, account, self._book, ledger)
        self._book.listen(self._tell)
        self._columns = np.zeros((5, legs))
        self._bar_at = np.zeros((legs, 1), dtype=np.int64)
        self._places = np.arange(legs, dtype=np.int64)
        self._ended = np.ones(legs, dtype=np.int64)
        self._closed: set[str] = set()
        self._lists, self._has_tiers = lists, bool(account.costs.fee_tiers)
        self._has_volume = len(empty.volume) > 0
        self._slices, self._stamp = 0, 0
        self._ruined_at: int | None = None
        self.equity: list[float] = []
        self.peak = np.zeros(3)
        strategy.on_start(self._ctx)
        self._ctx.state = "running"

    @property
    def cash(self) -> float:
        """Money on hand."""
        return self._ctx.cash

    def _tell(self, number: int) -> None:
        _, leg, order_id, *what = self._book.fill(number)
        fill = Fill(order_id, self._symbols[leg], self._stamp, *what)
        self._strategy.on_fill(self._ctx, fill)
        if self._on_fill is not None:
            self._on_fill(fill)

    def _show(self, bars: Mapping[str, Row], ended: Collection[str]) -> None:
        """Write one slice into the columns; see ``timeline._columns`` for what a range is."""
        for leg, symbol in enumerate(self._symbols):
            row = bars.get(symbol)
            self._ended[leg] = 1
            if row is None:
                self._bar_at[leg] = -1
                if symbol in ended and symbol not in self._closed:
                    self._ended[leg] = 0
                    self._closed.add(symbol)
                continue
            self._closed.discard(symbol)
            self._bar_at[leg] = 0
            open_, high, low, close, volume = row
            if "open" not in self._fields:
                open_ = high = low = close
            else:
                high = high if "high" in self._fields else max(open_, close)
                low = low if "low" in self._fields else min(open_, close)
            self._columns[:, leg] = open_, high, low, close, volume if self._has_volume else 0.0

    def step(
        self, stamp: int, bars: Mapping[str, Row], *, ended: Collection[str], before: bool
    ) -> bool:
        """See ``Walk``."""
        self._show(bars, ended)
        self._stamp = stamp
        stamps = np.array([stamp], dtype=np.int64)
        sessions = stamps // DAY_NS
        months = month_numbers(stamps) if self._has_tiers else sessions
        open_, high, low, close, volume = self._columns
        equity = np.empty(0 if before else 1)
        try:
            stop = replay(
                self._ctx,
                self._book,
                (self._strategy.on_bar, self._ctx.tracked),
                (open_, high, low, close, volume if self._has_volume else np.empty(0)),
                (stamps, sessions, months, self._bar_at),
                (
                    self._places,
                    self._places,
                    self._ended,
                    self._lists,
                    int(before),
                    self._ctx.is_close_only,
                ),
                equity,
                self.peak,
                self._slices,
            )
        except Exception as error:
            error.add_note(f"in the strategy, at the bar of {session_date(stamp)}")
            raise
        self.equity += equity.tolist()
        if stop == 0:
            self._ruined_at = self._slices
        self._slices += 1
        return self._ruined_at is None

    def finish(self, bars: Bars, asked: Range) -> tuple[Window, Outcome]:
        """See ``Walk``."""
        seen = [leg for leg, symbol in enumerate(self._symbols) if symbol in bars]
        timeline = open_timeline(bars, tuple(self._symbols[leg] for leg in seen), asked)
        self._ctx.state = "stopped"
        counts = count_orders(self._book, self._ctx.now, int(self.peak[2]))
        self._strategy.on_stop(self._ctx)
        counts |= {f"denied_{reason}": n for reason, n in self._ctx.denied.items()}
        stop = len(timeline.ts_close_ns) if self._ruined_at is None else self._ruined_at
        outcome = gather(self._book, timeline, (np.array(self.equity), stop, self.peak), counts)
        outcome.where[1] = np.searchsorted(seen, outcome.where[1])
        window = timeline.window()
        if outcome.is_ruined:
            window = window.until(window.first + len(outcome.equity))
        return window, outcome


def check_basis_of(shown: Shown, costs: Costs, matching: Matching) -> None:
    """Refuse costs by the share on total-return prices, as a backtest does."""
    check_basis(Bars((), name=shown.name, basis=shown.basis), costs, matching)


def _check_can_step(strategy: object) -> None:
    """Refuse what needs all bars at once."""
    is_planned = callable(getattr(strategy, "plan", None))
    if isinstance(strategy, (Intents, TargetWeights)) or is_planned:
        message = (
            f"{type(strategy).__name__} decides on all bars at once, and a feed brings them one by "
            "one; write a class that derives from nt.Strategy and decides in on_bar, or backtest it"
        )
        raise ConfigError(message)


def _traded(strategy: object, shown: Shown) -> tuple[str, ...]:
    """Return what a strategy trades: what it names, or all that is shown."""
    named = getattr(strategy, "symbols", ())
    if isinstance(named, str):
        message = f"{type(strategy).__name__}.symbols is {named!r}; expected a tuple of symbols"
        raise ConfigError(message)
    symbols = tuple(named) or tuple(shown.fields)
    if len(set(symbols)) < len(symbols):
        message = f"{type(strategy).__name__}.symbols names a symbol twice: {', '.join(symbols)}"
        raise ConfigError(message)
    for symbol in symbols:
        if symbol not in shown.fields:
            raise DataError(unknown_symbol(symbol, shown.fields, where=shown.name))
    return symbols


def _empty_timeline(symbols: tuple[str, ...], fill_at: FillAt, *, has_volume: bool) -> Timeline:
    """Return a timeline without a slice: what a context asks of it is known before the first."""
    none, stamps = np.empty(0), np.empty(0, dtype=np.int64)
    at = np.empty((0, 0), dtype=np.int64)
    volume = np.zeros(1) if has_volume else none
    columns = (none, none, none, none, volume)
    return Timeline(symbols, stamps, 0, fill_at, at, stamps, stamps, *columns, stamps, None)
