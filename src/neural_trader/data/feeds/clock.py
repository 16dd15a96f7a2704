"""The time that a feed goes by: the machine's, or one that a test moves by hand.

Nothing in the feeds reads a clock but through :class:`Clock`, so that a day is replayed in
milliseconds, and no test sleeps.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

from neural_trader.core import ConfigError


class Clock(Protocol):
    """Nanoseconds UTC that never go back, and a way to wait for them."""

    def now_ns(self) -> int:
        """Return the time."""
        ...

    async def sleep_until(self, ts_ns: int) -> None:
        """Return when the time has come; at once, after a turn of the loop, where it is past."""
        ...


class WallClock:
    """The machine's time of day, counted on by its monotonic clock.

    Someone who sets the machine's time must not make a feed stale or close a bar too soon.

    Parameters
    ----------
    wall, steady : callable, optional
        The time of day and the monotonic time in nanoseconds; the machine's by default.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._steady = steady
        self._ahead = wall() - steady()

    def now_ns(self) -> int:
        """Return the time."""
        return self._steady() + self._ahead

    async def sleep_until(self, ts_ns: int) -> None:
        """Sleep; see ``Clock``."""
        await asyncio.sleep(max(ts_ns - self.now_ns(), 0) / 1e9)
        # The loop's timers may wake a little early: nobody is told a time that has not come.
        if self.now_ns() < ts_ns:
            await self.sleep_until(ts_ns)


class SimulatedClock:
    """A time that stands still until somebody moves it.

    Parameters
    ----------
    now_ns : int
        Where it begins.
    by_hand : bool
        Whether only its owner moves it. Else a :class:`Replay` that waits moves it on to where it
        wants to be, and plays at any speed without a real wait.
    """

    def __init__(self, now_ns: int = 0, *, by_hand: bool = False) -> None:
        self.by_hand = by_hand
        self._now = now_ns
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now_ns(self) -> int:
        """Return the time."""
        return self._now

    def advance_to(self, ts_ns: int) -> None:
        """Move on to a time, waking those who wait for one up to it, in the order of their times.

        Raises
        ------
        ConfigError
            The time lies before now.
        """
        if ts_ns < self._now:
            message = f"the clock stands at {self._now} and cannot go back to {ts_ns}"
            raise ConfigError(message)
        self._now = ts_ns
        while self._waiting and self._waiting[0][0] <= ts_ns:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)

    def advance(self, seconds: float) -> None:
        """Move on by some seconds."""
        self.advance_to(self._now + round(seconds * 1e9))

    async def sleep_until(self, ts_ns: int) -> None:
        """Wait until somebody has moved the clock there; see ``Clock``."""
        if ts_ns <= self._now:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (ts_ns, next(self._numbers), future))
        await future
