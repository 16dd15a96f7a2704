"""Trades and feeds for tests: short ways to make them and to read them."""

import asyncio
from collections.abc import Iterable
from typing import Any

from neural_trader.data import feeds

SECOND = 1_000_000_000
NOON = 1_704_196_800 * SECOND  # 2024-01-02 12:00 UTC


def trade(at: float, price: float = 10.0, size: float = 1.0, **more: Any) -> feeds.TradeEvent:
    """Return a trade so many seconds after noon."""
    symbol = more.pop("symbol", "A")
    return feeds.TradeEvent(
        symbol=symbol, ts_event_ns=NOON + round(at * SECOND), price=price, size=size, **more
    )


def beat(at: float) -> feeds.Heartbeat:
    """Return a heartbeat so many seconds after noon."""
    return feeds.Heartbeat(ts_event_ns=NOON + round(at * SECOND))


def about(*symbols: str, fields: tuple[str, ...] = ()) -> feeds.About:
    """Return what a feed of ticks, or of bars with these fields, says of itself."""
    return feeds.About("made", dict.fromkeys(symbols or ("A",), fields))


def take_all(taker: feeds.Aggregator, events: Iterable[feeds.Event]) -> list[feeds.BarEvent]:
    """Return the bars that come of events."""
    return bars_of(each for event in events for each in taker.take(event))


def bars_of(events: Iterable[feeds.Event]) -> list[feeds.BarEvent]:
    """Return the bars among events."""
    return [event for event in events if isinstance(event, feeds.BarEvent)]


def at(event: feeds.Event) -> float:
    """Return when an event happened, in seconds after noon."""
    return (event.ts_event_ns - NOON) / SECOND


def read(feed: feeds.Feed) -> list[feeds.Event]:
    """Return all events of a feed."""

    async def gather() -> list[feeds.Event]:
        return [event async for event in feed]

    return asyncio.run(gather())


async def collect(feed: feeds.Feed, into: list[feeds.Event]) -> None:
    """Add the events of a feed to a list, one by one as they come."""
    async for event in feed:
        into.append(event)  # noqa: PERF401 - a test looks at the list in between


async def settle() -> None:
    """Let every task do what it can without the time moving on."""
    for _ in range(20):
        await asyncio.sleep(0)
