"""The gateway's clock: the time of day that never goes back."""

import time
from collections.abc import Callable
from typing import Final

_JUMP_NS: Final = 1_000_000_000


class Clock:
    """Nanoseconds since the epoch, UTC, counted on by the monotonic clock.

    Someone who sets the machine's time back must not make a mark fresh again, open a day twice or
    stop every timeout: the count goes on. Where the machine's time is ahead by more than a second
    (it was set forward, or the machine slept), ``follow`` goes along.

    Parameters
    ----------
    wall, steady : callable, optional
        The time of day and the monotonic time in nanoseconds; the machine's by default.
    """

    __slots__ = ("_ahead", "_steady", "_wall")

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._ahead = wall() - steady()

    def now(self) -> int:
        """Return the time."""
        return self._steady() + self._ahead

    def follow(self) -> None:
        """Go along with a machine whose time has jumped forward; to be called now and then."""
        ahead = self._wall() - self._steady()
        if ahead > self._ahead + _JUMP_NS:
            self._ahead = ahead
