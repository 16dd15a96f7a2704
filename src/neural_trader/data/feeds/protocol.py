"""What a feed is: a description, and events one after the other."""

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple, Protocol

from neural_trader.core import Basis, Split
from neural_trader.data.feeds.events import Event


class About(NamedTuple):
    """What a feed brings.

    Attributes
    ----------
    name : str
        For provenance and messages.
    fields : mapping of symbol to tuple of str
        Every symbol of the feed, in its order, and the fields that each of its bars has; empty for
        a symbol that has ticks.
    basis, labels, splits
        As :class:`neural_trader.Bars` has them.
    """

    name: str
    fields: Mapping[str, tuple[str, ...]]
    basis: Basis = "raw"
    labels: tuple[str, ...] = ()
    splits: tuple[Split, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in the order of the feed."""
        return tuple(self.fields)


class Feed(Protocol):
    """A source of events; read once, by one reader, with ``async for``.

    Every event is sent or counted: ``counts`` says by name how many of each kind, and what was
    late, doubled or dropped, at any time. Closing the iterator (a ``break``, an error, a
    cancellation) ends the feed and leaves nothing running.
    """

    @property
    def about(self) -> About:
        """What the feed brings; known before its first event."""
        ...

    @property
    def counts(self) -> dict[str, int]:
        """What has happened so far, by name."""
        ...

    def __aiter__(self) -> AsyncIterator[Event]:
        """Begin."""
        ...
