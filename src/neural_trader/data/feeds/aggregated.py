"""A feed of bars made of another feed's trades or smaller bars."""

from collections.abc import AsyncIterator

from neural_trader.core.bars import FIELDS
from neural_trader.data.feeds.aggregation import Aggregator, Incomplete, OnLate
from neural_trader.data.feeds.clock import Clock
from neural_trader.data.feeds.counting import count, new_counts
from neural_trader.data.feeds.events import Event
from neural_trader.data.feeds.hours import Session, read_session
from neural_trader.data.feeds.protocol import About, Feed
from neural_trader.data.feeds.replay import read_seconds
from neural_trader.data.feeds.waiting import events_or_times


class Aggregated:
    """Bars of a chosen length or size, made of the trades or bars of a feed.

    Parameters
    ----------
    feed : Feed
    to : str
        ``5Min``, ``1Hour``, ``1Day``; for trades also ``tick:N``, ``volume:N``, ``dollar:N``.
    lateness_s : float
        How many seconds later than a later event an event may arrive and still be in its place.
    on_late : {"drop", "error", "amend"}
        What happens to what is later than that.
    amend_s : float
        How long after its end a bar can be amended.
    session : Session, tuple or str, optional
        Bars begin at its open: ``Hours`` or their (open, close, zone) on every day, since markets
        open on Sunday evening, too; ``Exchange`` or its code.
    incomplete : {"drop", "keep"}
        What becomes of the last bar, where the feed is over before its end.
    clock : Clock, optional
        For a live feed: closes a bar at its end and the allowance, though nothing comes. Without it
        the feed's own events and heartbeats tell the time.

    Raises
    ------
    ConfigError
        See ``Aggregator``.
    DataError
        A late event, where ``on_late`` is ``error``.

    Timing
    ------
    A bar is sent when all up to its end has come, as far as the allowance reaches: the allowance
    later than its close. Events of the feed's last time wait for a later one, or for a heartbeat.
    """

    def __init__(  # noqa: PLR0913 - what is made, and every policy of it
        self,
        feed: Feed,
        to: str,
        *,
        lateness_s: float = 0.0,
        on_late: OnLate = "drop",
        amend_s: float = 3600.0,
        session: Session | tuple[str, str, str] | str | None = None,
        incomplete: Incomplete = "drop",
        clock: Clock | None = None,
    ) -> None:
        self._feed, self._clock = feed, clock
        self._aggregator = Aggregator(
            feed.about,
            to,
            lateness_ns=read_seconds("lateness_s", lateness_s),
            on_late=on_late,
            amend_ns=read_seconds("amend_s", amend_s),
            session=read_session(session, weekends=True),
            incomplete=incomplete,
        )
        self._counts = new_counts()

    @property
    def about(self) -> About:
        """What the bars have: those of trades all fields, those of bars what these have."""
        about = self._feed.about
        return about._replace(
            fields={symbol: names or FIELDS for symbol, names in about.fields.items()}
        )

    @property
    def counts(self) -> dict[str, int]:
        """What was sent, and what became of what came: see ``feeds.COUNTS``."""
        return self._counts | self._aggregator.counts

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Begin; see ``Feed``."""
        aggregator, clock = self._aggregator, self._clock
        events = events_or_times(aiter(self._feed), clock, lambda: aggregator.due_ns)
        try:
            async for event in events:
                if event is not None:
                    sent = aggregator.take(event)
                else:
                    sent = [] if clock is None else aggregator.tick(clock.now_ns())
                for each in sent:
                    yield count(self._counts, each)
        finally:
            aggregator.stop()
            await events.aclose()
