"""A seeded world in which client, gateway, venue, networks and journal live without sockets.

Bytes travel in pieces, with delays; connections break and lose what was on its way; the gateway
dies between two turns or in the midst of one; the venue says a fill twice. One seed is one history.
"""

from collections import Counter, deque
from random import Random
from typing import TYPE_CHECKING, Any

from neural_trader.core.errors import GatewayError
from neural_trader.execution import messages as m
from neural_trader.execution.client import ClientSession
from neural_trader.execution.framing import FrameReader, pack
from neural_trader.execution.gateway import Gateway
from neural_trader.execution.journal import MemoryJournal
from neural_trader.execution.limits import Limits
from neural_trader.execution.listing import Listing
from neural_trader.execution.tokens import Grant, hash_token
from neural_trader.execution.venues.paper import PaperVenue, SyntheticMarket, SyntheticShape

if TYPE_CHECKING:
    from neural_trader.execution.sessions import Session

START = 1_700_000_000_000_000_000
LISTINGS = {"KO": Listing("KO"), "PEP": Listing("PEP", "0.001")}
LIMITS = Limits(
    order_qty_max=400,
    position_qty_max=1_500,
    open_orders_max=40,
    orders_per_second=0,
    collar_bps=200,
    order_notional_max=0,
    gross_max=0,
    net_max=0,
)
CASH = 10_000_000


class Link:
    """One direction of a connection: pieces of bytes on their way, in order."""

    def __init__(self) -> None:
        self.pieces: deque[bytes] = deque()

    def send(self, data: bytes, rng: Random) -> None:
        """Cut into pieces, as networks do."""
        while data:
            size = rng.choice((1, 7, 64, 4096))
            self.pieces.append(data[:size])
            data = data[size:]


class World:
    """Everything, and the dice."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now = START
        self.happened: Counter[str] = Counter()
        shape = SyntheticShape(start=5_000, level_lots=150, levels=3)
        self.venue = PaperVenue(SyntheticMarket(LISTINGS, seed=seed, shape=shape))
        self.at_venue: Counter[int] = Counter()
        self.journal = MemoryJournal()
        self.replies: dict[int, list[Any]] = {}
        self.events: list[Any] = []
        self.client = ClientSession(
            "secret",
            7,
            on_reply=lambda no, event: self.replies.setdefault(no, []).append(event),
            on_event=self.events.append,
        )
        self.client.next_seq = 1
        self.up, self.down = Link(), Link()
        self.to_venue, self.from_venue = Link(), Link()
        self.venue_reader = FrameReader()
        self.session: Session | None = None
        self.venue_is_linked = False
        self.start_gateway()

    # -------------------------------------------------------------------------------- the gateway
    def start_gateway(self) -> None:
        """Start a gateway on whatever the journal holds."""
        grants = [Grant(account="main", scope="trade", sha256=hash_token("secret"))]
        self.gateway = Gateway(self.journal, grants)
        self.gateway.start(
            self.now,
            listings=LISTINGS.values(),
            accounts={"main": CASH},
            limits={"main": LIMITS},
        )

    def crash_gateway(self) -> None:
        """Kill the gateway: what it had not committed is gone, and so are its connections."""
        self.journal = self.journal.crash()
        self.cut_client()
        self.cut_venue()
        self.start_gateway()

    def end_turn(self) -> None:
        """Commit, then let go what waits."""
        self.gateway.commit()
        for session in self.gateway.dirty:
            self.down.send(b"".join(session.outbox), self.rng)
            session.outbox.clear()
        self.gateway.dirty.clear()
        if self.venue_is_linked:
            self.to_venue.send(b"".join(self.gateway.venue.outbox), self.rng)
        self.gateway.venue.outbox.clear()
        if self.session is not None and self.session.account is not None:
            self.gateway.catch_up(self.session)
            for session in self.gateway.dirty:
                self.down.send(b"".join(session.outbox), self.rng)
                session.outbox.clear()
            self.gateway.dirty.clear()

    # ---------------------------------------------------------------------------------- connections
    def link_client(self) -> None:
        """Connect the client."""
        self.session = self.gateway.open_session("client", self.now)
        self.client.connected()
        self.flush_client()

    def cut_client(self) -> None:
        """Break the client's connection, and what was on its way."""
        if self.session is not None:
            self.gateway.close_session(self.session)
        self.session = None
        self.client.is_ready = False
        self.up, self.down = Link(), Link()

    def link_venue(self) -> None:
        """Connect gateway and venue."""
        self.venue_is_linked = True
        self.venue_reader = FrameReader()
        self.gateway.venue.connected(self.now)
        self.end_turn()

    def cut_venue(self) -> None:
        """Break the venue's connection, and what was on its way."""
        self.venue_is_linked = False
        self.to_venue, self.from_venue = Link(), Link()
        self.gateway.venue.disconnected()
        self.venue.on_disconnect()

    def flush_client(self) -> None:
        """Send what the client has to say."""
        if self.session is not None:
            self.up.send(b"".join(self.client.outbox), self.rng)
        self.client.outbox.clear()

    # --------------------------------------------------------------------------------- deliveries
    def deliver(self, name: str) -> bool:
        """Deliver the next piece on a link; return whether there was one."""
        link: Link = getattr(self, name)
        if not link.pieces:
            return False
        data = link.pieces.popleft()
        self.happened[name] += 1
        if name == "up" and self.session is not None:
            self.gateway.receive(self.session, data, self.now)
            if self.rng.random() < 0.02:
                # Crash: after the decision, before the commit.
                self.happened["crash_in_turn"] += 1
                self.crash_gateway()
                return True
            self.end_turn()
        elif name == "down":
            try:
                self.client.receive(data)
            except GatewayError:
                self.cut_client()
            self.flush_client()
        elif name == "from_venue":
            assert self.gateway.venue.receive(data, self.now) == ""
            if self.rng.random() < 0.02:
                self.happened["crash_in_turn"] += 1
                self.crash_gateway()
                return True
            self.end_turn()
        elif name == "to_venue":
            for payload in self.venue_reader.feed(data):
                self.answer(m.decode_to_venue(payload))
        return True

    def answer(self, message: Any) -> None:
        """Let the venue work a message."""
        if isinstance(message, m.VenueLogin):
            self.say(self.venue.login(message, self.now))
            return
        if isinstance(message, m.NewOrder):
            self.at_venue[message.id] += 1
        self.say(self.venue.on_message(message, self.now))

    def say(self, messages: list[Any]) -> None:
        """Send what the venue says; a fill may be said twice."""
        if not self.venue_is_linked:
            return
        for message in messages:
            self.from_venue.send(pack(message), self.rng)
            if isinstance(message, m.OrderFilled) and self.rng.random() < 0.1:
                self.happened["fill_twice"] += 1
                self.from_venue.send(pack(message), self.rng)

    # ------------------------------------------------------------------------------------- actions
    def act(self) -> None:
        """Let one thing happen."""
        rng = self.rng
        self.now += rng.choice((10_000, 1_000_000, 30_000_000))
        name = rng.choices(
            ("deliver", "order", "wish", "market", "cut_client", "cut_venue", "crash", "silence"),
            (60, 12, 6, 4, 0.6, 0.6, 0.3, 0.5),
        )[0]
        if name == "deliver":
            self.deliver(rng.choice(("up", "down", "to_venue", "from_venue")))
        elif name == "order":
            self.order()
        elif name == "wish":
            self.wish()
        elif name == "market":
            self.say(self.venue.advance(self.now))
        else:
            self.happened[name] += 1
            if name == "cut_client":
                self.cut_client()
            elif name == "cut_venue":
                self.cut_venue()
            elif name == "crash":
                self.crash_gateway()
            else:
                self.now += 1_500_000_000
        if self.session is None and rng.random() < 0.3:
            self.link_client()
        if not self.venue_is_linked and rng.random() < 0.3:
            self.link_venue()
        self.gateway.on_time(self.now)
        self.end_turn()

    def order(self) -> None:
        """Let the client send an order, or try."""
        rng = self.rng
        if self.client.welcome is None:
            return
        symbol = rng.choice(("KO", "PEP"))
        lots = rng.choice((-1, 1)) * rng.choice((10, 100, 200, 500))
        limit = rng.choice((0, 4_950, 4_990, 5_001, 5_010, 5_050, 9_000))
        trigger = rng.choice((0, 0, 0, 5_005, 4_995))
        self.client.submit(symbol, lots, limit=limit, trigger=trigger, tif=rng.randrange(4))
        self.happened["order"] += 1
        self.flush_client()

    def wish(self) -> None:
        """Let the client cancel, replace or turn the kill switch."""
        rng = self.rng
        if self.client.welcome is None:
            return
        dice = rng.random()
        if dice < 0.05:
            self.client.switch(on=True)
        elif dice < 0.15:
            self.client.switch(on=False)
        elif self.client.orders:
            no = rng.choice(list(self.client.orders))
            if dice < 0.6:
                self.client.cancel(no)
            else:
                qty = self.client.orders[no].qty
                sign = 1 if qty > 0 else -1
                self.client.replace(
                    no, lots=sign * rng.choice((0, 50, 150)), limit=rng.choice((0, 4_980, 5_020))
                )
        self.happened["wish"] += 1
        self.flush_client()

    # ------------------------------------------------------------------------------------- healing
    def heal(self) -> None:
        """Let everything arrive and everything be answered."""
        for _ in range(60):
            if self.session is None:
                self.link_client()
            if not self.venue_is_linked:
                self.link_venue()
            moved = True
            while moved:
                moved = any(self.deliver(name) for name in ("up", "to_venue", "from_venue", "down"))
            self.now += 300_000_000
            self.gateway.on_time(self.now)
            self.end_turn()
