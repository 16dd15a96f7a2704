"""How many events of each kind: every feed counts what it sends."""

from typing import Final

from neural_trader.data.feeds.events import (
    BarEvent,
    Event,
    Heartbeat,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
)

_NAMES: Final[dict[type, str]] = {
    BarEvent: "bars",
    TradeEvent: "trades",
    QuoteEvent: "quotes",
    Heartbeat: "heartbeats",
    StatusEvent: "statuses",
}


def new_counts() -> dict[str, int]:
    """Return a count of 0 for every kind of event."""
    return dict.fromkeys(_NAMES.values(), 0)


def count(counts: dict[str, int], event: Event) -> Event:
    """Count an event, and return it."""
    counts[_NAMES[type(event)]] += 1
    return event
