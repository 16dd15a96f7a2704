"""A feed that says when a symbol, or the feed itself, has fallen silent, and when it is back."""

from collections.abc import AsyncIterator

from neural_trader.core import ConfigError
from neural_trader.data.feeds.clock import Clock
from neural_trader.data.feeds.counting import count, new_counts
from neural_trader.data.feeds.events import Event, StatusEvent
from neural_trader.data.feeds.hours import Session, read_session
from neural_trader.data.feeds.protocol import About, Feed
from neural_trader.data.feeds.replay import read_seconds
from neural_trader.data.feeds.staleness import Staleness
from neural_trader.data.feeds.waiting import events_or_times


class Watched:
    """The events of a feed, with ``stale`` and ``fresh`` among them.

    Parameters
    ----------
    feed : Feed
    limit_s : float
        Silence longer than so many seconds is stale, above 0.
    session : Session, tuple or str, optional
        ``Hours`` or their (open, close, zone) from Monday to Friday; ``Exchange`` or its code.
        Outside of its hours nothing is stale.
    clock : Clock, optional
        For a live feed: a feed that sends nothing at all, not even heartbeats, is stale by this
        clock, and so are its symbols. Without it the times of the feed's events and heartbeats
        tell how long a symbol was silent.

    Raises
    ------
    ConfigError
        A limit that is none.

    Timing
    ------
    Silence of a symbol is measured from its last bar, trade or quote; heartbeats move the time on,
    so a symbol is found silent at the first event after the limit, or by the clock.
    """

    def __init__(
        self,
        feed: Feed,
        limit_s: float,
        *,
        session: Session | tuple[str, str, str] | str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._limit = read_seconds("limit_s", limit_s)
        if self._limit == 0:
            message = f"limit_s is {limit_s!r}; expected a number of seconds above 0"
            raise ConfigError(message)
        self._feed, self._clock = feed, clock
        self._session = read_session(session, weekends=False)
        self._symbols = Staleness(feed.about.symbols, self._limit, self._session)
        self._counts = new_counts()
        self._heard_ns: int | None = None
        self._looked_ns = 0
        self._is_stale = False

    @property
    def about(self) -> About:
        """See ``Feed``."""
        return self._feed.about

    @property
    def counts(self) -> dict[str, int]:
        """What was sent, and how often something fell silent and came back."""
        return self._counts | self._symbols.counts

    @property
    def stale(self) -> tuple[str, ...]:
        """The symbols that are stale now."""
        return self._symbols.stale

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Begin; see ``Feed``."""
        if self._clock is not None:
            self._heard_ns = self._clock.now_ns()
        events = events_or_times(aiter(self._feed), self._clock, self._due)
        try:
            async for event in events:
                for said in self._silent() if event is None else self._heard(event):
                    yield count(self._counts, said)
                if event is not None:
                    yield count(self._counts, event)
        finally:
            await events.aclose()

    def _due(self) -> int | None:
        """When to look: a moment after the limit, and then again after as long."""
        if self._heard_ns is None:
            return None
        return max(self._heard_ns, self._looked_ns) + self._limit + 1

    def _silent(self) -> list[StatusEvent]:
        """Return what is said where the clock has come to the limit and nothing was heard."""
        if self._clock is None or self._heard_ns is None:
            return []
        now = self._looked_ns = self._clock.now_ns()
        heard = self._heard_ns
        if self._session is not None:
            span = self._session.span(now)
            if span is None:
                return []
            heard = max(heard, span[0])
        said: list[StatusEvent] = []
        if not self._is_stale and now - heard > self._limit:
            self._is_stale = True
            said.append(
                StatusEvent(
                    ts_event_ns=now,
                    condition="stale",
                    detail=f"the feed was silent for {(now - heard) / 1e9:g} s",
                )
            )
            self._symbols.counts["stale"] += 1
        return said + self._symbols.tick(now)

    def _heard(self, event: Event) -> list[StatusEvent]:
        said: list[StatusEvent] = []
        if self._clock is not None:
            self._heard_ns = self._clock.now_ns()
            if self._is_stale:
                self._is_stale = False
                self._symbols.counts["fresh"] += 1
                said.append(
                    StatusEvent(
                        ts_event_ns=self._heard_ns, condition="fresh", detail="the feed is back"
                    )
                )
        return said + self._symbols.take(event)
