"""Silence: a symbol, or a whole feed, that has said nothing for too long."""

from neural_trader.data.feeds.events import BarEvent, Event, QuoteEvent, StatusEvent, TradeEvent
from neural_trader.data.feeds.hours import Session


class Staleness:
    """Watches the times of events; it has no clock of its own.

    Parameters
    ----------
    symbols : tuple of str
    limit_ns : int
        Silence longer than this is stale.
    session : Session, optional
        Silence counts within its hours alone: from its open on, and never outside.
    """

    def __init__(
        self, symbols: tuple[str, ...], limit_ns: int, session: Session | None = None
    ) -> None:
        self._limit, self._session = limit_ns, session
        self._last: dict[str, int | None] = dict.fromkeys(symbols)
        self._stale: set[str] = set()
        self._ended: set[str] = set()
        self._now: int | None = None
        self._due: int | None = None
        self.counts = {"stale": 0, "fresh": 0}

    @property
    def stale(self) -> tuple[str, ...]:
        """The symbols that are stale now."""
        return tuple(symbol for symbol in self._last if symbol in self._stale)

    def take(self, event: Event) -> list[StatusEvent]:
        """Take an event; return what is said of symbols because of it, before the event."""
        said = self.tick(event.ts_event_ns)
        if isinstance(event, StatusEvent):
            if event.condition == "ended" and event.symbol is not None:
                self._ended.add(event.symbol)
            return said
        if not isinstance(event, (BarEvent, TradeEvent, QuoteEvent)):
            return said
        symbol = event.symbol
        last = self._last.get(symbol)
        if last is None or event.ts_event_ns > last:
            self._last[symbol] = event.ts_event_ns
        # An event that is old itself does not make its symbol fresh.
        if symbol in self._stale and self._silence(symbol) <= self._limit:
            self._stale.discard(symbol)
            said.append(self._say("fresh", symbol, "it is back"))
        return said

    def tick(self, now_ns: int) -> list[StatusEvent]:
        """Learn that a time has come; return what is said of symbols because of it."""
        if self._now is None:
            # A symbol that never comes is silent from the beginning.
            self._last = dict.fromkeys(self._last, now_ns)
        elif now_ns <= self._now:
            return []
        self._now = now_ns
        if self._due is not None and now_ns <= self._due:
            return []
        said = []
        for symbol in self._last:
            if symbol in self._stale or symbol in self._ended:
                continue
            silence = self._silence(symbol)
            if silence > self._limit:
                self._stale.add(symbol)
                said.append(self._say("stale", symbol, f"silent for {silence / 1e9:g} s"))
        watched = [
            last for symbol, last in self._last.items() if symbol not in self._stale | self._ended
        ]
        # Events only move a symbol's last time on: nobody can be stale before this.
        self._due = (
            min((last for last in watched if last is not None), default=now_ns) + self._limit
        )
        return said

    def _silence(self, symbol: str) -> int:
        """Return for how long nothing has come, of the hours in which something might have."""
        now, last = self._now or 0, self._last[symbol] or 0
        if self._session is None:
            return now - last
        span = self._session.span(now)
        return 0 if span is None else now - max(last, span[0])

    def _say(self, condition: str, symbol: str, detail: str) -> StatusEvent:
        self.counts[condition] += 1
        return StatusEvent(
            ts_event_ns=self._now or 0,
            condition="stale" if condition == "stale" else "fresh",
            symbol=symbol,
            detail=detail,
        )
