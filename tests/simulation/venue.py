"""The venue and the connection to it: silent, slow, forgetful, and saying things twice or late."""

from collections import Counter, deque
from random import Random
from typing import Any, Final

from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, pack
from neural_trader.execution.listing import Listing
from neural_trader.execution.venues.paper import PaperVenue, SyntheticMarket, SyntheticShape
from tests.simulation.clients import send
from tests.simulation.watch import Watch, hold

LISTINGS: Final = {"KO": Listing("KO"), "PEP": Listing("PEP", "0.001")}
_SHAPE: Final = SyntheticShape(start=5_000, level_lots=150, levels=3)


class Venue:
    """The paper venue at the far end of a bad line.

    Attributes
    ----------
    is_linked : bool
        Whether gateway and venue are connected.
    inbox, outbox : deque of bytes
        What is on its way to the venue, and from it.
    silent_until, stalled_until, late_until : int
        Until then nothing comes from it, nothing arrives at it, and fills are held back.
    """

    def __init__(self, seed: int, rng: Random, happened: Counter[str], watch: Watch) -> None:
        self._seed = seed
        self._rng = rng
        self._happened = happened
        self._watch = watch
        self.is_linked = False
        self.inbox: deque[bytes] = deque()
        self.outbox: deque[bytes] = deque()
        self.silent_until = self.stalled_until = self.late_until = 0
        self._late: list[m.OrderFilled] = []
        self._reader = FrameReader()
        self.paper = self._new()

    def _new(self) -> PaperVenue:
        return PaperVenue(SyntheticMarket(LISTINGS, seed=self._seed, shape=_SHAPE))

    @property
    def open_orders(self) -> set[int]:
        """The ids of the orders that it works."""
        return {identity for identity, one in self.paper._orders.items() if one.is_open}

    def link(self) -> None:
        """Begin with a new connection."""
        self.is_linked = True
        self._reader = FrameReader()

    def cut(self) -> None:
        """Break the connection, and what was on its way."""
        if self.is_linked and self._reader.rest:
            self._happened["partial_frame"] += 1
        self.is_linked = False
        self.inbox.clear()
        self.outbox.clear()
        self._late.clear()
        self.paper.on_disconnect()

    def heal(self) -> None:
        """Be silent, slow and late no more."""
        self.silent_until = self.stalled_until = self.late_until = 0

    def forget_all(self) -> None:
        """Be another venue, to which nobody has been: what was not told has not happened."""
        self.paper = self._new()
        booked = self._watch.fills
        fills = self._watch.venue_fills.items()
        self._watch.venue_fills = {no: fill for no, fill in fills if no in booked}

    def meet_old_epoch(self, now: int) -> None:
        """Be told by a gateway on an old copy of the journal that it is the one."""
        paper = self.paper
        login = m.VenueLogin(m.VERSION, paper._gateway, paper.epoch - 1, 0)
        answers = [type(answer).__name__ for answer in paper.login(login, now)]
        hold("an old epoch is refused", kept=answers == ["VenueRefused"], detail=answers)

    def advance(self, now: int) -> None:
        """Let prices move."""
        self._say(self.paper.advance(now), now)

    def take(self, now: int) -> None:
        """Take the next piece of what is on its way, and answer."""
        if not self.inbox or now < self.stalled_until:
            return
        for payload in self._reader.feed(self.inbox.popleft()):
            message: Any = m.decode_to_venue(payload)
            if type(message) is m.NewOrder:
                self._watch.on_order(message)
            self._say(self.paper.on_message(message, now), now)

    def give(self, now: int) -> bytes:
        """Return the next piece of what the venue has said, if any arrives now."""
        return self.outbox.popleft() if self.outbox and now >= self.silent_until else b""

    def has_more(self, now: int) -> bool:
        """Return whether anything that is on its way can arrive."""
        is_heard = now >= self.silent_until
        return bool((self.inbox and now >= self.stalled_until) or (self.outbox and is_heard))

    def _say(self, said: list[Any], now: int) -> None:
        """Send what the venue says: a fill twice, before its order was accepted, or late."""
        rng = self._rng
        for fill in self.paper._fills:
            self._watch.venue_fills.setdefault(fill.fill_id, fill)
        is_filled_at_once = [type(one) for one in said[:2]] == [m.OrderAccepted, m.OrderFilled]
        if is_filled_at_once and rng.random() < 0.1:
            self._happened["fill_before_accept"] += 1
            said = [said[1], said[0], *said[2:]]
        for message in said:
            is_fill = type(message) is m.OrderFilled
            if is_fill and (now < self.late_until or self._late):
                self._late.append(message)
                continue
            if type(message) is m.OrderStatus:
                # What a status tells has been told before: fills come in the order of their ids.
                self.tell_late()
            self._tell(message)
            if is_fill and rng.random() < 0.1:
                self._happened["fill_doubled"] += 1
                self._tell(message)
        if now >= self.late_until:
            self.tell_late()

    def tell_late(self) -> None:
        """Tell the fills that were held back."""
        late, self._late = self._late, []
        for fill in late:
            self._tell(fill)

    def _tell(self, message: Any) -> None:
        if self.is_linked:
            send(self.outbox, pack(message), self._rng)
