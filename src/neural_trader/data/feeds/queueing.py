"""A bounded queue between a source and its reader, and what happens when it is full."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Literal

from neural_trader.core import ConfigError
from neural_trader.data.feeds.counting import count, new_counts
from neural_trader.data.feeds.events import Event, StatusEvent
from neural_trader.data.feeds.protocol import About, Feed
from neural_trader.data.feeds.waiting import close, end

WhenFull = Literal["wait", "drop"]
_WHEN_FULL: Final[tuple[WhenFull, ...]] = ("wait", "drop")


class Channel:
    """A feed that a source writes into: the way in for a live source.

    Parameters
    ----------
    about : About
    size : int
        How many events may wait for the reader.

    Notes
    -----
    ``put`` waits while it is full, which slows the source down. ``push`` never waits: a live source
    cannot be slowed, so the event that finds no room is dropped and counted by its kind, and the
    reader gets a ``dropped`` status in its place, which says how many.
    """

    def __init__(self, about: About, size: int = 1024) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            message = f"size is {size!r}; expected a whole number of events, 1 or more"
            raise ConfigError(message)
        self._about, self._size = about, size
        self._waiting: deque[Event] = deque()
        self._lost: list[Event] = []
        self._counts = new_counts() | {"dropped": 0}
        self._moved = asyncio.Event()
        self._closed = False
        self._error: BaseException | None = None

    @property
    def about(self) -> About:
        """See ``Feed``."""
        return self._about

    @property
    def counts(self) -> dict[str, int]:
        """What was read, by kind, and how many were dropped."""
        return dict(self._counts)

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._waiting)

    async def put(self, event: Event) -> bool:
        """Add an event, when there is room; False where nobody will read it any more."""
        while len(self._waiting) >= self._size and not self._closed:
            self._moved.clear()
            await self._moved.wait()
        if self._closed:
            return False
        self._waiting.append(event)
        self._moved.set()
        return True

    def push(self, event: Event) -> bool:
        """Add an event if there is room; False where it was dropped."""
        if self._closed or len(self._waiting) >= self._size or self._lost:
            # What comes after a loss is lost, too, until its reader was told: order is kept.
            if not self._closed and len(self._waiting) < self._size:
                self._tell()
            else:
                self._counts["dropped"] += 1
                self._lost.append(event)
                del self._lost[1:-1]
                return False
        self._waiting.append(event)
        self._moved.set()
        return True

    def _tell(self) -> None:
        """Put word of what was lost where it would have been."""
        last = self._lost[-1]
        self._lost.clear()
        detail = f"{self._counts['dropped']} events so far found the queue full"
        self._waiting.append(
            StatusEvent(ts_event_ns=last.ts_event_ns, condition="dropped", detail=detail)
        )

    def close(self, error: BaseException | None = None) -> None:
        """End the feed once all that waits is read; with an error, the reader gets it then."""
        self._closed, self._error = True, error
        self._moved.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Begin; see ``Feed``."""
        try:
            while True:
                while self._waiting:
                    event = self._waiting.popleft()
                    self._moved.set()
                    yield count(self._counts, event)
                if self._lost:
                    self._tell()
                    continue
                if self._closed:
                    if self._error is not None:
                        raise self._error
                    return
                self._moved.clear()
                await self._moved.wait()
        finally:
            self._closed = True
            self._moved.set()


class Buffered:
    """A feed that reads another ahead, so that a reader's pause does not hold it up.

    Parameters
    ----------
    feed : Feed
    size : int
        How many events may wait.
    when_full : {"wait", "drop"}
        ``wait`` holds the feed up: right for a replay. ``drop`` lets what finds no room go, counted
        and told: right for a live feed, which would be cut off by its vendor otherwise.
    """

    def __init__(self, feed: Feed, size: int = 1024, *, when_full: WhenFull = "wait") -> None:
        if when_full not in _WHEN_FULL:
            message = f"when_full is {when_full!r}; expected one of {', '.join(_WHEN_FULL)}"
            raise ConfigError(message)
        self._feed, self._when_full = feed, when_full
        self._channel = Channel(feed.about, size)

    @property
    def about(self) -> About:
        """See ``Feed``."""
        return self._feed.about

    @property
    def counts(self) -> dict[str, int]:
        """What was read, by kind, and how many were dropped."""
        return self._channel.counts

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Begin; see ``Feed``."""
        pump = asyncio.ensure_future(self._pump())
        events = aiter(self._channel)
        try:
            async for event in events:
                yield event
        finally:
            await end(pump)
            await close(events)

    async def _pump(self) -> None:
        """Move events over until there are no more; an error reaches the reader in its turn."""
        events = aiter(self._feed)
        try:
            async for event in events:
                if self._when_full == "wait":
                    if not await self._channel.put(event):
                        return
                elif not self._channel.push(event):
                    # A reader that could read gets its turn before the next is dropped as well.
                    await asyncio.sleep(0)
            self._channel.close()
        except Exception as error:  # noqa: BLE001 - raised again, in the reader
            self._channel.close(error)
        finally:
            await close(events)
