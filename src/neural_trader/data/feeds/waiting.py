"""Waiting for the next event of a feed, or for a time, whichever comes first."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from neural_trader.data.feeds.clock import Clock
from neural_trader.data.feeds.events import Event


async def events_or_times(
    events: AsyncIterator[Event], clock: Clock | None, due_ns: Callable[[], int | None]
) -> AsyncGenerator[Event | None, None]:
    """Give the events of an iterator, and None whenever a time has come before the next of them.

    Parameters
    ----------
    events : async iterator
        Closed when this ends, whichever way.
    clock : Clock or None
        None waits for events alone.
    due_ns : callable
        Asked before every wait: the time until which to wait, None for as long as it takes.
    """
    coming: asyncio.Future[Event] | None = None
    try:
        while True:
            if clock is None:
                try:
                    yield await anext(events)
                except StopAsyncIteration:
                    return
                continue
            if coming is None:
                coming = asyncio.ensure_future(_next(events))
            await _first(coming, clock, due_ns())
            if not coming.done():
                yield None
                continue
            done, coming = coming, None
            try:
                yield done.result()
            except StopAsyncIteration:
                return
    finally:
        if coming is not None:
            await end(coming)
        await close(events)


async def _next(events: AsyncIterator[Event]) -> Event:
    return await anext(events)


async def _first(coming: "asyncio.Future[Event]", clock: Clock, due: int | None) -> None:
    """Return when the event has come, or the time."""
    if due is None:
        await asyncio.wait({coming})
        return
    timer = asyncio.ensure_future(clock.sleep_until(due))
    try:
        both: set[asyncio.Future[Any]] = {coming, timer}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(timer)


async def end(task: "asyncio.Future[Any]") -> None:
    """Cancel a task and wait for its end; a cancellation of the one who waits is passed on."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def close(events: AsyncIterator[Event]) -> None:
    """Close an iterator, where it can be: what feeds it ends, too."""
    closing = getattr(events, "aclose", None)
    if closing is not None:
        await closing()
