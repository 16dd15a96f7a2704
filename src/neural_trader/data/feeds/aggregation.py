"""Trades to bars and small bars to larger ones, as they come.

The result is that of a pass over all data at once: a bar's interval is (open, close], it is stamped
at its close, and its parts are taken in the order of their times, whatever the order in which they
arrived, as far as the allowance for lateness reaches. A bar closes when the feed, or a clock, has
passed its end by that allowance: never because nothing has come for a while.
"""

import math
from collections.abc import Iterable
from typing import Final, Literal

from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.feeds.buckets import (
    Bucket,
    Interval,
    Part,
    Size,
    interval_of,
    read_bar_rule,
)
from neural_trader.data.feeds.events import (
    BarEvent,
    Event,
    Heartbeat,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
)
from neural_trader.data.feeds.hours import Session
from neural_trader.data.feeds.protocol import About
from neural_trader.data.feeds.reordering import Held, Key, Reordering

OnLate = Literal["drop", "error", "amend"]
Incomplete = Literal["drop", "keep"]
INCOMPLETE: Final[tuple[Incomplete, ...]] = ("drop", "keep")
ON_LATE: Final[tuple[OnLate, ...]] = ("drop", "error", "amend")

COUNTS: Final = (
    "taken",
    "duplicates",
    "late",
    "late_dropped",
    "amended",
    "outside_session",
    "unusable",
    "of_other_kind",
    "unfinished",
)
"""What an aggregator counts.

``taken``: trades or small bars that are in a bar, or wait to be. ``duplicates``: came before, not
counted again. ``late``: came after the allowance; of those ``late_dropped`` are in no bar and
``amended`` changed one that had been sent. ``outside_session``: between two sessions. ``unusable``:
a price that is none. ``of_other_kind``: quotes; bars of a symbol that has trades; corrections of
small bars. ``unfinished``: in a bar that never closed, because the feed was over before its end, or
before its size was reached.
"""


class Aggregator:
    """Bars in the making; it takes events and returns events, and has no clock of its own.

    Parameters
    ----------
    about : About
        Of the feed whose events it takes: symbols with fields have bars, the others trades.
    to : str
        ``5Min``, ``1Hour``, ``1Day``; for trades also ``tick:N``, ``volume:N``, ``dollar:N``.
    lateness_ns : int
        How much later than a later event an event may arrive.
    on_late : {"drop", "error", "amend"}
        What happens to an event that is later: it is dropped and counted, it is an error, or the
        bar that it belongs to is sent again, with ``amends``.
    amend_ns : int
        How long after its end a bar can be amended; what is later is dropped and counted.
    session : Session, optional
        Bars begin at its open and end with it; what lies outside is dropped and counted.
    incomplete : {"drop", "keep"}
        What becomes of a bar in time whose feed is over before its end: it is not sent, and its
        parts are ``unfinished``; or it is sent. A bar by size that is not reached never is.

    Raises
    ------
    ConfigError
        A rule that is none, bars by size made of bars or to be amended.

    Notes
    -----
    Cost: O(log b) an event that waits with b others. Memory: what came within the allowance, ids
    included, and with ``amend`` within ``amend_ns``.
    """

    def __init__(
        self,
        about: About,
        to: str,
        *,
        lateness_ns: int = 0,
        on_late: OnLate = "drop",
        amend_ns: int = 3_600_000_000_000,
        session: Session | None = None,
        incomplete: Incomplete = "drop",
    ) -> None:
        self.rule = read_bar_rule(to)
        if on_late not in ON_LATE:
            message = f"on_late is {on_late!r}; expected one of {', '.join(ON_LATE)}"
            raise ConfigError(message)
        if incomplete not in INCOMPLETE:
            message = f"incomplete is {incomplete!r}; expected one of {', '.join(INCOMPLETE)}"
            raise ConfigError(message)
        self._keeps_incomplete = incomplete == "keep"
        if isinstance(self.rule, Size):
            _check_by_size(about, to, on_late, session)
        self._about, self._session, self._on_late = about, session, on_late
        self._amend_ns = amend_ns if on_late == "amend" else 0
        self._lateness = lateness_ns
        self._buffer = Reordering(lateness_ns, self._amend_ns)
        self._place = {symbol: place for place, symbol in enumerate(about.symbols)}
        self._open: dict[Interval, dict[str, Bucket]] = {}
        self._sent: dict[Interval, dict[str, Bucket]] = {}
        self._growing: dict[str, Bucket] = {}
        self._stamps: dict[str, int] = {}
        self._waiting: list[StatusEvent] = []
        self._next_end = math.inf
        self._said = -math.inf
        self.counts = dict.fromkeys(COUNTS, 0)

    @property
    def due_ns(self) -> int | None:
        """When a bar closes though nothing more comes; None while none is open."""
        times = [interval.end_ns for interval in self._open]
        times += [held.key[0] for held in self._buffer.peek()]
        return min(times) + self._lateness if times else None

    def take(self, event: Event) -> list[Event]:
        """Take an event, and return what is sent because of it.

        Raises
        ------
        DataError
            A late event, where ``on_late`` is ``error``; a symbol that the feed does not have.
        """
        if isinstance(event, (BarEvent, TradeEvent)):
            return self._take_part(event)
        if isinstance(event, Heartbeat):
            return self.tick(event.ts_event_ns)
        if isinstance(event, QuoteEvent):
            self.counts["of_other_kind"] += 1
            return []
        if event.condition != "ended":
            return [event]
        if event.symbol is None:
            return [*self._finish(), event]
        self._waiting.append(event)
        return self._move()

    def tick(self, now_ns: int) -> list[Event]:
        """Learn that the feed, or a clock, has come to a time; return what is sent then."""
        self._buffer.reach(now_ns)
        sent = self._move()
        horizon = self._buffer.horizon
        return sent if horizon is None else [*sent, *self._beat(horizon)]

    def stop(self) -> None:
        """Count what is in bars that have not closed: they are not sent."""
        self.counts["unfinished"] += len(self._buffer) + sum(
            bucket.parts
            for bucket in (
                *(bucket for buckets in self._open.values() for bucket in buckets.values()),
                *self._growing.values(),
            )
        )
        self._buffer.drain()
        self._open.clear()
        self._growing.clear()

    # --------------------------------------------------------------------------------- one part
    def _take_part(self, event: BarEvent | TradeEvent) -> list[Event]:
        if event.symbol not in self._place:
            message = (
                f"{event.symbol!r} came on the feed {self._about.name}, which is said to have "
                f"{', '.join(self._about.symbols)}; name all symbols"
            )
            raise DataError(message)
        has_bars = bool(self._about.fields[event.symbol])
        if has_bars != isinstance(event, BarEvent) or getattr(event, "amends", False):
            self.counts["of_other_kind"] += 1
            return []
        if not _is_usable(event):
            self.counts["unusable"] += 1
            return []
        if self._buffer.is_double(event):
            self.counts["duplicates"] += 1
            return []
        key = self._buffer.key_of(event)
        if self._buffer.is_late(event.ts_event_ns):
            return self._take_late(key, event)
        self.counts["taken"] += 1
        self._buffer.hold(key, event)
        return self._move()

    def _take_late(self, key: Key, event: BarEvent | TradeEvent) -> list[Event]:
        self.counts["late"] += 1
        horizon = self._buffer.horizon or 0
        if self._on_late == "error":
            behind = (horizon - event.ts_event_ns) / 1e9
            message = (
                f"a {'bar' if isinstance(event, BarEvent) else 'trade'} of {event.symbol} at "
                f"{event.ts_event_ns} came {behind:g} s after the allowance of "
                f"{self._lateness / 1e9:g} s; allow more lateness, or drop or amend what is late"
            )
            raise DataError(message)
        if self._on_late == "drop" or isinstance(self.rule, Size):
            self.counts["late_dropped"] += 1
            return []
        interval = interval_of(event.ts_event_ns, self.rule, self._session)
        if interval is None:
            self.counts["outside_session"] += 1
            return []
        if interval.end_ns > horizon:
            self.counts["taken"] += 1
            self._put(self._open, interval, Held(key, event))
            self._next_end = min(self._next_end, interval.end_ns)
            return []
        if interval.end_ns <= horizon - self._amend_ns:
            self.counts["late_dropped"] += 1
            return []
        self.counts["taken"] += 1
        self.counts["amended"] += 1
        bucket = self._put(self._sent, interval, Held(key, event))
        return [bucket.event(event.symbol, interval.stamp_ns, amends=True)]

    # ------------------------------------------------------------------------------- many parts
    def _move(self) -> list[Event]:
        """Put what is released into its bars, and send the bars that have closed."""
        sent = self._add(self._buffer.release())
        horizon = self._buffer.horizon
        if horizon is not None:
            sent += self._close(horizon)
            sent += self._pass_on(horizon)
        return sent

    def _finish(self) -> list[Event]:
        """End all: what is held is put in, and the bars whose time is over are sent."""
        sent = self._add(self._buffer.drain())
        newest = self._buffer.newest
        if self._keeps_incomplete:
            sent += self._close(math.inf)
        elif newest is not None:
            # The last date of a series is a day that is over, though a nanosecond is left of it.
            dated = newest + 1 if (newest + 1) % DAY_NS == 0 else newest
            sent += self._close(dated)
        self.stop()
        return sent + self._pass_on(math.inf)

    def _add(self, released: Iterable[Held]) -> list[Event]:
        """Put parts into their bars, in order; return the bars by size that they close."""
        rule = self.rule
        if isinstance(rule, Size):
            bars = [bar for held in released if (bar := self._grow(rule, held)) is not None]
            bars.sort(key=lambda bar: bar.ts_close_ns)
            return [*bars, *self._beat(bars[-1].ts_close_ns)] if bars else []
        for held in released:
            interval = interval_of(held.key[0], rule, self._session)
            if interval is None:
                self.counts["taken"] -= 1
                self.counts["outside_session"] += 1
            else:
                self._put(self._open, interval, held)
                self._next_end = min(self._next_end, interval.end_ns)
        return []

    def _put(
        self, buckets: dict[Interval, dict[str, Bucket]], interval: Interval, held: Held
    ) -> Bucket:
        """Put one part into its bar, and return the bar."""
        by_symbol = buckets.setdefault(interval, {})
        symbol, part = held.event.symbol, _part_of(held.event)
        bucket = by_symbol.get(symbol)
        if bucket is None:
            bucket = by_symbol[symbol] = Bucket(held.key, part)
        else:
            bucket.add(held.key, part)
        return bucket

    def _close(self, horizon: float) -> list[Event]:
        """Send the bars whose interval is over: by time, then in the order of the symbols."""
        if horizon < self._next_end:
            return []
        sent: list[Event] = []
        for interval in sorted(each for each in self._open if each.end_ns <= horizon):
            buckets = self._open.pop(interval)
            sent += [
                buckets[symbol].event(symbol, interval.stamp_ns)
                for symbol in sorted(buckets, key=self._place.__getitem__)
            ]
            sent += self._beat(interval.stamp_ns)
            if self._amend_ns:
                self._sent[interval] = buckets
        for interval in [each for each in self._sent if each.end_ns <= horizon - self._amend_ns]:
            del self._sent[interval]
        self._next_end = min((each.end_ns for each in self._open), default=math.inf)
        return sent

    def _beat(self, ts_ns: int) -> list[Event]:
        """Say how far all bars are sent; never less than was said before."""
        if ts_ns <= self._said:
            return []
        self._said = ts_ns
        return [Heartbeat(ts_event_ns=ts_ns)]

    def _grow(self, rule: Size, held: Held) -> BarEvent | None:
        """Put a trade into its symbol's bar by size; return the bar where the trade closes it."""
        symbol, part = held.event.symbol, _part_of(held.event)
        bucket = self._growing.get(symbol)
        if bucket is None:
            bucket = self._growing[symbol] = Bucket(held.key, part)
        else:
            bucket.add(held.key, part)
        if rule.measure == "tick":
            reached: float = bucket.parts
        elif rule.measure == "volume":
            reached = bucket.volume or 0.0
        else:
            price, size = part[3], part[4] or 0.0
            bucket.value += price * size
            reached = bucket.value
        if reached < rule.size:
            return None
        del self._growing[symbol]
        # Trades share stamps: a bar that closes at the stamp of the one before is a nanosecond on.
        stamp = max(held.key[0], self._stamps.get(symbol, held.key[0] - 1) + 1)
        self._stamps[symbol] = stamp
        return bucket.event(symbol, stamp)

    def _pass_on(self, horizon: float) -> list[Event]:
        """Send word of symbols that have ended, once their bars are out."""
        if not self._waiting:
            return []
        busy = {symbol for buckets in self._open.values() for symbol in buckets}
        passed = [
            event
            for event in self._waiting
            if event.ts_event_ns <= horizon and event.symbol not in busy
        ]
        self._waiting = [event for event in self._waiting if event not in passed]
        return list(passed)


def _check_by_size(about: About, to: str, on_late: OnLate, session: Session | None) -> None:
    """Refuse what bars by size cannot have."""
    barred = [symbol for symbol, fields in about.fields.items() if fields]
    if barred:
        message = f"bars by {to} are made of trades, and {barred[0]} has bars in {about.name}"
        raise ConfigError(message)
    if on_late == "amend":
        message = (
            f"bars by {to} cannot be amended, since a late trade would move the ends of all later "
            "ones; use on_late='drop' or 'error'"
        )
        raise ConfigError(message)
    if session is not None:
        message = f"bars by {to} have no session; leave it out"
        raise ConfigError(message)


def _is_usable(event: BarEvent | TradeEvent) -> bool:
    """Return whether prices are above 0 and sizes not below, all of them finite."""
    if isinstance(event, TradeEvent):
        prices: tuple[float | None, ...] = (event.price,)
        size: float | None = event.size
    else:
        prices = (event.open, event.high, event.low, event.close)
        size = event.volume
    return all(price is None or 0.0 < price < math.inf for price in prices) and (
        size is None or 0.0 <= size < math.inf
    )


def _part_of(event: BarEvent | TradeEvent) -> Part:
    if isinstance(event, TradeEvent):
        return event.price, event.price, event.price, event.price, event.size
    return event.open, event.high, event.low, event.close, event.volume
