"""A buffer that gives events back in the order of their times, as far as an allowance reaches."""

import heapq
import math
from typing import NamedTuple

from neural_trader.data.feeds.events import BarEvent, TradeEvent

Key = tuple[int, int, int, str, int]
"""Time; kind of id; number or length of the id; id as text; place of arrival."""
Ticket = tuple[str, int, object]
"""What tells a repetition: symbol, and stamp or kind of id, and id."""


class Held(NamedTuple):
    """An event in the buffer, by its key."""

    key: Key
    event: BarEvent | TradeEvent


class Reordering:
    """Holds events until nothing earlier may come, and knows what is late and what is double.

    Parameters
    ----------
    lateness_ns : int
        How much later than a later event an event may arrive.
    memory_ns : int
        For how long before the horizon ids are remembered.

    Attributes
    ----------
    horizon : int or None
        Everything up to and including this time has come, as far as the allowance reaches.
    newest : int or None
        The latest time of an event so far.
    """

    def __init__(self, lateness_ns: int, memory_ns: int) -> None:
        self._lateness = lateness_ns
        self._memory = max(lateness_ns, memory_ns)
        self._held: list[Held] = []
        self._seen: set[Ticket] = set()
        self._remembered: list[tuple[int, int, Ticket]] = []
        self._arrivals = 0
        self.horizon: int | None = None
        self.newest: int | None = None

    def key_of(self, event: BarEvent | TradeEvent) -> Key:
        """Return what an event is sorted by: time, id, then arrival."""
        self._arrivals += 1
        identity = getattr(event, "id", None)
        if isinstance(identity, int):
            return event.ts_event_ns, 0, identity, "", self._arrivals
        if isinstance(identity, str):
            # "10" comes after "9".
            return event.ts_event_ns, 1, len(identity), identity, self._arrivals
        return event.ts_event_ns, 2, 0, "", self._arrivals

    def is_double(self, event: BarEvent | TradeEvent) -> bool:
        """Return whether an event has come before; remember it where it has not.

        A trade is told by its id, a bar by its stamp. Of trades without an id, those of one stamp,
        price and size are one.
        """
        ticket: Ticket
        if isinstance(event, BarEvent):
            ticket = (event.symbol, 0, event.ts_close_ns)
        elif event.id is not None:
            ticket = (event.symbol, 1, event.id)
        else:
            ticket = (event.symbol, 2, (event.ts_event_ns, event.price, event.size))
        if ticket in self._seen:
            return True
        self._seen.add(ticket)
        heapq.heappush(self._remembered, (event.ts_event_ns, self._arrivals, ticket))
        return False

    def is_late(self, ts_ns: int) -> bool:
        """Return whether a time lies where everything was said to have come."""
        return self.horizon is not None and ts_ns <= self.horizon

    def hold(self, key: Key, event: BarEvent | TradeEvent) -> None:
        """Take an event that is not late; its time moves the horizon."""
        heapq.heappush(self._held, Held(key, event))
        ts_ns = key[0]
        if self.newest is None or ts_ns > self.newest:
            self.newest = ts_ns
        # Another event of the same time may come: the horizon ends before it.
        self.reach(ts_ns - 1)

    def reach(self, ts_ns: int) -> None:
        """Learn that the source has come to a time."""
        horizon = ts_ns - self._lateness
        if self.horizon is None or horizon > self.horizon:
            self.horizon = horizon
            while self._remembered and self._remembered[0][0] < horizon - self._memory:
                self._seen.discard(heapq.heappop(self._remembered)[2])

    def release(self) -> list[Held]:
        """Return what lies up to the horizon, in order."""
        released = []
        limit = -math.inf if self.horizon is None else self.horizon
        while self._held and self._held[0].key[0] <= limit:
            released.append(heapq.heappop(self._held))
        return released

    def drain(self) -> list[Held]:
        """Return all that is held, in order: nothing more will come."""
        released = sorted(self._held)
        self._held.clear()
        if self.newest is not None:
            self.horizon = max(self.newest, self.horizon or self.newest)
        return released

    def peek(self) -> list[Held]:
        """Return the first of what is held, or nothing."""
        return self._held[:1]

    def __len__(self) -> int:
        """Return how many events are held."""
        return len(self._held)
