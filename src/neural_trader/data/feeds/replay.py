"""A replay: what was recorded, sent again at a chosen speed."""

import asyncio
import datetime as dt
import math
from collections.abc import AsyncIterator, Sequence

from neural_trader.core import ConfigError
from neural_trader.core.numbers import plain_number
from neural_trader.data.actions import Adjust
from neural_trader.data.feeds.clock import Clock, SimulatedClock, WallClock
from neural_trader.data.feeds.counting import count, new_counts
from neural_trader.data.feeds.events import Event, Heartbeat, StatusEvent
from neural_trader.data.feeds.protocol import About
from neural_trader.data.feeds.sources import Kind, Selection, open_source
from neural_trader.data.feeds.waiting import end

# How many moments are sent at full speed before other tasks, and Ctrl-C, get their turn.
_TURN = 64


class Replay:
    """A feed of anything that is recorded.

    Parameters
    ----------
    source : str, Path, Bars or list of events
        A sample, a file or folder of bars, a file of trades or quotes, a folder of a catalog, bars
        in memory, or events in the order of their arrival.
    symbols : str or sequence of str, optional
        Which of them; all by default.
    start, end : str or date, optional
        Inclusive session dates, for names and paths of bars.
    speed : float
        1 plays it as it was, 60 a minute a second; 0 (the default) or infinity as fast as its
        reader reads.
    clock : Clock, optional
        What the pace is kept by; the machine's clock by default. A :class:`SimulatedClock` that is
        not moved by hand is moved on by the replay, so that nothing waits.
    heartbeat_s : float, optional
        Send a heartbeat for every so many seconds of the recording's own time in which nothing
        came, gaps and nights included. None: only where all bars of a time are sent, and at the
        end.
    kind : {"bars", "ticks"}, optional
        What a file holds, where its columns do not say.
    adjust : {"splits", "total-return", "none"}
        As in :func:`neural_trader.load`.

    Raises
    ------
    ConfigError, DataError
        A speed below 0, a source that is none; see ``nt.load``.

    Timing
    ------
    The pace is kept from the first event on. A slow reader slows a replay: the next event is made
    when it is asked for, none is lost, and the replay catches up as far as its reader lets it.

    Examples
    --------
    >>> import asyncio
    >>> async def closes():
    ...     days = {"start": "2021-01-04", "end": "2021-01-05"}
    ...     feed = Replay("sp500-closes", symbols="KO", speed=0, **days)
    ...     return [event.close async for event in feed if hasattr(event, "close")]
    >>> [round(close, 2) for close in asyncio.run(closes())]
    [47.08, 46.56]
    """

    def __init__(  # noqa: PLR0913 - what is played, and how
        self,
        source: object,
        *,
        symbols: str | Sequence[str] | None = None,
        start: str | dt.date | None = None,
        end: str | dt.date | None = None,
        speed: float = 0.0,
        clock: Clock | None = None,
        heartbeat_s: float | None = None,
        kind: Kind | None = None,
        adjust: Adjust = "splits",
    ) -> None:
        self.speed = read_speed(speed)
        self._beat_ns = None if heartbeat_s is None else read_seconds("heartbeat_s", heartbeat_s)
        if self._beat_ns == 0:
            message = f"heartbeat_s is {heartbeat_s!r}; expected a number of seconds above 0"
            raise ConfigError(message)
        self._recording = open_source(source, Selection(symbols, start, end, adjust, kind))
        self._clock: Clock = clock or WallClock()
        self._counts = new_counts()
        self._begun = False
        self._stopped = False
        self._origin: tuple[int, int] | None = None
        self._paused_ns: int | None = None
        self._changed = asyncio.Event()

    @property
    def about(self) -> About:
        """See ``Feed``."""
        return self._recording.about

    @property
    def counts(self) -> dict[str, int]:
        """How many events of each kind were sent."""
        return dict(self._counts)

    @property
    def is_paused(self) -> bool:
        """Whether it stands still until ``resume``."""
        return self._paused_ns is not None

    def pause(self) -> None:
        """Send nothing more until ``resume``; what is being sent is sent."""
        if self._paused_ns is None:
            self._paused_ns = self._clock.now_ns()
            self._changed.set()

    def resume(self) -> None:
        """Go on; the time of the pause is not caught up."""
        if self._paused_ns is not None:
            if self._origin is not None:
                ts_ns, at_ns = self._origin
                self._origin = ts_ns, at_ns + self._clock.now_ns() - self._paused_ns
            self._paused_ns = None
            self._changed.set()

    def stop(self) -> None:
        """End the feed after the event that is being sent, paused or not."""
        self._stopped = True
        self._changed.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        """Begin; once only."""
        if self._begun:
            message = "the replay has been read; make a new one to play it again"
            raise ConfigError(message)
        self._begun = True
        return self._play()

    async def _play(self) -> AsyncIterator[Event]:
        counts, reached = self._counts, None
        last: Event | None = None
        for number, (ts_ns, events) in enumerate(self._recording.moments):
            if reached is not None and self._beat_ns is not None:
                for beat in range(reached + self._beat_ns, ts_ns, self._beat_ns):
                    if not await self._pace(beat):
                        return
                    yield count(counts, Heartbeat(ts_event_ns=beat))
            # What arrives late is sent when it arrived: with the latest before it.
            reached = ts_ns if reached is None else max(reached, ts_ns)
            if not await self._pace(reached):
                return
            if number % _TURN == 0:
                await asyncio.sleep(0)
            for event in events:
                if self._stopped:
                    return
                last = event
                yield count(counts, event)
        if reached is not None and not self._stopped:
            if not isinstance(last, Heartbeat) or last.ts_event_ns < reached:
                yield count(counts, Heartbeat(ts_event_ns=reached))
            detail = "the recording is over"
            yield count(counts, StatusEvent(ts_event_ns=reached, condition="ended", detail=detail))

    async def _pace(self, ts_ns: int) -> bool:
        """Wait for the moment of an event; return whether it is still wanted."""
        while not self._stopped:
            self._changed.clear()
            if self.is_paused:
                await self._changed.wait()
                continue
            if math.isinf(self.speed):
                return True
            if self._origin is None:
                self._origin = ts_ns, self._clock.now_ns()
            first_ns, begun_ns = self._origin
            due = begun_ns + int((ts_ns - first_ns) / self.speed)
            if due <= self._clock.now_ns():
                return True
            if isinstance(self._clock, SimulatedClock) and not self._clock.by_hand:
                self._clock.advance_to(due)
                await asyncio.sleep(0)
                continue
            await self._sleep(due)
        return False

    async def _sleep(self, due: int) -> None:
        """Sleep until a time, or until somebody pauses, resumes or stops."""
        tasks = [
            asyncio.ensure_future(self._clock.sleep_until(due)),
            asyncio.ensure_future(self._changed.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                await end(task)


def read_speed(speed: object) -> float:
    """Return a speed; infinity is as fast as it goes.

    Raises
    ------
    ConfigError
        It is below 0 or no number.
    """
    number = plain_number(speed)
    if not number >= 0.0:
        message = f"speed is {speed!r}; expected 1 for as it was, 60 for a minute a second, 0 for "
        message += "as fast as it goes"
        raise ConfigError(message)
    return number or math.inf


def read_seconds(name: str, seconds: object) -> int:
    """Return seconds as nanoseconds.

    Raises
    ------
    ConfigError
        They are below 0 or not finite.
    """
    number = plain_number(seconds)
    if not 0.0 <= number < math.inf:
        message = f"{name} is {seconds!r}; expected a finite number of seconds, 0 or more"
        raise ConfigError(message)
    return round(number * 1e9)
