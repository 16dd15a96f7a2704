"""Which bar a trade or a small bar belongs to, and what bars are made of."""

from typing import Final, NamedTuple

from neural_trader.core import ConfigError
from neural_trader.core.numbers import plain_number
from neural_trader.core.sessions import DAY_NS, first_ns, last_ns
from neural_trader.data.feeds.events import BarEvent
from neural_trader.data.feeds.hours import Session
from neural_trader.data.feeds.reordering import Key
from neural_trader.data.frequencies import Frequency, read_frequency

_MEASURES: Final = ("tick", "volume", "dollar")


class Size(NamedTuple):
    """A bar that closes with the trade that reaches a size: of trades, shares or money."""

    measure: str
    size: float


class Interval(NamedTuple):
    """The end of a bar's interval, and the stamp that the bar gets."""

    end_ns: int
    stamp_ns: int


def read_bar_rule(text: str) -> Frequency | Size:
    """Read what bars are wanted: ``5Min``, ``1Day``, ``tick:100``, ``volume:5000``, ``dollar:1e6``.

    Raises
    ------
    ConfigError
        The text is neither a frequency nor a size above 0.
    """
    measure, colon, size = text.strip().casefold().partition(":")
    if not colon:
        return read_frequency(text)
    try:
        number = float(size)
    except ValueError:
        number = plain_number(size)
    if measure not in _MEASURES or not 0.0 < number < float("inf"):
        message = f"bars are wanted by {text!r}; expected 5Min, 1Day, tick:100, volume:5000 or "
        message += "dollar:1e6, with a size above 0"
        raise ConfigError(message)
    if measure == "tick" and number != int(number):
        message = f"bars are wanted by {text!r}; expected a whole number of trades"
        raise ConfigError(message)
    return Size(measure, number)


def interval_of(ts_ns: int, frequency: Frequency, session: Session | None) -> Interval | None:
    """Return the interval (open, close] of a time; None where the session does not hold it.

    Intervals begin at midnight UTC, or at the session's open; the last of a day or session ends
    with it. The first of a session holds the open itself. A bar of a UTC day keeps its date: it is
    stamped with the last nanosecond of it. That of a session is stamped at the session's close.
    """
    if session is None:
        day = (ts_ns - 1) // DAY_NS
        begin, last = first_ns(day), first_ns(day + 1)
    else:
        span = session.span(ts_ns)
        if span is None:
            return None
        begin, last = span
    if frequency.daily:
        return Interval(last, last if session else last_ns((last - 1) // DAY_NS))
    steps = max(-(-(ts_ns - begin) // frequency.length_ns), 1)
    end = min(begin + steps * frequency.length_ns, last)
    return Interval(end, end)


Part = tuple[float | None, float | None, float | None, float, float | None]
"""What is put into a bar: open, high, low, close and volume of a small bar, or of a trade."""


class Bucket:
    """A bar in the making. What is put in has a key: its time, and its place among equals."""

    __slots__ = ("close", "first", "high", "last", "low", "open", "parts", "value", "volume")

    def __init__(self, key: Key, part: Part) -> None:
        self.open, self.high, self.low, self.close, self.volume = part
        self.first = self.last = key
        self.parts, self.value = 1, 0.0

    def add(self, key: Key, part: Part) -> None:
        """Put one more in; it may be earlier than what is in."""
        open_, high, low, close, volume = part
        if key < self.first:
            self.first, self.open = key, open_
        if key >= self.last:
            self.last, self.close = key, close
        self.high = None if self.high is None or high is None else max(self.high, high)
        self.low = None if self.low is None or low is None else min(self.low, low)
        self.volume = None if self.volume is None or volume is None else self.volume + volume
        self.parts += 1

    def event(self, symbol: str, stamp_ns: int, *, amends: bool = False) -> BarEvent:
        """Return it as a bar."""
        return BarEvent(
            symbol=symbol,
            ts_close_ns=stamp_ns,
            close=self.close,
            open=self.open,
            high=self.high,
            low=self.low,
            volume=self.volume,
            amends=amends,
        )
