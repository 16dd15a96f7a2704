"""Live bars and ticks: what a feed is, and feeds that replay, aggregate, watch and queue."""

from neural_trader.data.feeds.aggregated import Aggregated
from neural_trader.data.feeds.aggregation import (
    COUNTS,
    INCOMPLETE,
    ON_LATE,
    Aggregator,
    Incomplete,
    OnLate,
)
from neural_trader.data.feeds.clock import Clock, SimulatedClock, WallClock
from neural_trader.data.feeds.events import (
    BarEvent,
    Event,
    Heartbeat,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
    event_of,
    to_line,
)
from neural_trader.data.feeds.hours import Exchange, Hours, Session
from neural_trader.data.feeds.protocol import About, Feed
from neural_trader.data.feeds.queueing import Buffered, Channel
from neural_trader.data.feeds.replay import Replay
from neural_trader.data.feeds.staleness import Staleness
from neural_trader.data.feeds.watched import Watched

__all__ = [
    "COUNTS",
    "INCOMPLETE",
    "ON_LATE",
    "About",
    "Aggregated",
    "Aggregator",
    "BarEvent",
    "Buffered",
    "Channel",
    "Clock",
    "Event",
    "Exchange",
    "Feed",
    "Heartbeat",
    "Hours",
    "Incomplete",
    "OnLate",
    "QuoteEvent",
    "Replay",
    "Session",
    "SimulatedClock",
    "Staleness",
    "StatusEvent",
    "TradeEvent",
    "WallClock",
    "Watched",
    "event_of",
    "to_line",
]
