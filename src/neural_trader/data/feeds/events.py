"""What a feed says: bars, trades, quotes, how far it has got, and how it is.

Every event is frozen, knows when it happened (``ts_event_ns``, nanoseconds UTC), and is one line of
JSON: ``to_line``.
"""

from typing import Literal

import msgspec

TradeId = int | str

Condition = Literal["stale", "fresh", "ended", "dropped"]
"""What a status may say.

``stale``: silence for longer than the limit. ``fresh``: it is back. ``ended``: nothing more will
come of the symbol, or of the whole feed. ``dropped``: a queue was full, and events are lost.
"""


class BarEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="bar"):
    """A bar that has closed: its interval is (open, close], and its stamp is its close.

    ``open``, ``high``, ``low`` and ``volume`` are None where the data have none. ``amends`` says
    that it takes the place of a bar of the same symbol and stamp that was sent before.
    """

    symbol: str
    ts_close_ns: int
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None
    volume: float | None = None
    amends: bool = False

    @property
    def ts_event_ns(self) -> int:
        """When the bar closed."""
        return self.ts_close_ns


class TradeEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="trade"):
    """A trade of the market, also called a print.

    ``id`` tells trades of one symbol apart, and puts trades of one stamp in order; None where the
    source has none.
    """

    symbol: str
    ts_event_ns: int
    price: float
    size: float
    id: TradeId | None = None


class QuoteEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="quote"):
    """The best prices of the market; a size is None where the source has none."""

    symbol: str
    ts_event_ns: int
    bid: float
    ask: float
    bid_size: float | None = None
    ask_size: float | None = None


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="heartbeat"):
    """The feed lives, and has sent all that happened up to and including this time."""

    ts_event_ns: int


class StatusEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="status"):
    """What has become of a symbol, or with ``symbol`` None of the whole feed."""

    ts_event_ns: int
    condition: Condition
    symbol: str | None = None
    detail: str = ""


Event = BarEvent | TradeEvent | QuoteEvent | Heartbeat | StatusEvent
MarketEvent = BarEvent | TradeEvent | QuoteEvent


def to_line(event: Event) -> str:
    """Return an event as one line of JSON, with the kind under ``event``; NaN becomes null."""
    return msgspec.json.encode(event).decode()


def event_of(line: str | bytes) -> Event:
    """Return the event of a line that ``to_line`` made.

    Raises
    ------
    msgspec.ValidationError
        The line is no event.
    """
    event: Event = msgspec.json.decode(line, type=Event)
    return event
