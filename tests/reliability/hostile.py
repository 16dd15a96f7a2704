"""What reads bytes from outside, fed with bad frames: gateway, client, venue, and the two seams.

Each target takes one stream of frames as one peer would send it, and raises ``Broken`` where
anything but the closing of that peer's connection comes of it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, Protocol, cast

from neural_trader.core.errors import GatewayError
from neural_trader.execution import ClientSession, Gateway, Grant, Limits, Listing, hash_token
from neural_trader.execution import messages as m
from neural_trader.execution.checkpoint import take_image
from neural_trader.execution.framing import (
    FRAME_BYTES_MAX,
    REPLY_BYTES_MAX,
    FrameReader,
    frame,
    pack,
)
from neural_trader.execution.journal import MemoryJournal
from neural_trader.execution.venues.paper import PaperVenue, SyntheticMarket
from tests.reliability.mutations import Mutator

START: Final = 1_700_000_000_000_000_000
LISTINGS: Final = {"KO": Listing("KO"), "PEP": Listing("PEP", "0.001")}
# Nothing is held back: whatever passes must be survived, and not only be denied.
OPEN: Final = Limits(
    order_qty_max=0,
    order_notional_max=0,
    position_qty_max=0,
    gross_max=0,
    net_max=0,
    open_orders_max=500,
    orders_per_second=0,
    collar_bps=0,
    is_self_crossing_allowed=True,
)
_FILL: Final = m.OrderFilled(m.order_id(1, 1), 1, "KO", 10, 5_000, 50_000, 0, 1)


class Broken(Exception):  # noqa: N818 - what it says of whatever was attacked
    """Something else came of bad bytes than the end of their connection."""


class Target(Protocol):
    """Something that reads bytes; it lives for some thousand frames."""

    mutator: Mutator
    counts: Counter[str]

    def attack(self, frames: int) -> None:
        """Be sent so many frames on one connection."""
        ...

    def check(self) -> None:
        """Look whether all is as it should be."""
        ...

    def finish(self) -> None:
        """Look once more, at the end of a life, at what takes long to look at."""
        ...


def _payloads(*messages: Any) -> list[bytes]:
    return [m.encode(message) for message in messages]


class GatewayTarget:
    """A gateway's sessions in all states, beside an account that wants nothing but to trade."""

    REQUESTS: Final = _payloads(
        m.Login(m.VERSION, "trade", 5, 1),
        m.Login(m.VERSION, "read", 6, 0),
        m.Submit(1, "KO", 10, 1, 0, 5_000),
        m.Submit(2, "PEP", -10, 0, 2),
        m.Submit(3, "KO", 10, 3, 1, 5_500, 5_450, reduce_only=True),
        m.Cancel(4, 1),
        m.Replace(5, 1, 20, 5_010),
        m.Switch(6, on=False),
        m.Ask("orders"),
        m.Ask("positions"),
        m.Ping(),
    )

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.now = START
        self.mutator = Mutator(rng, self.REQUESTS, FRAME_BYTES_MAX)
        self.counts: Counter[str] = Counter()
        self.journal = MemoryJournal()
        grants = [
            Grant(account="main", scope="trade", sha256=hash_token("trade")),
            Grant(account="main", scope="read", sha256=hash_token("read")),
            Grant(account="quiet", scope="trade", sha256=hash_token("quiet")),
        ]
        self.gateway = Gateway(self.journal, grants)
        accounts = {"main": 10_000_000, "quiet": 10_000_000}
        self.gateway.start(
            self.now,
            listings=LISTINGS.values(),
            accounts=accounts,
            limits=dict.fromkeys(accounts, OPEN),
        )
        self.venue = PaperVenue(SyntheticMarket(LISTINGS, seed=1))
        self.venue_reader = FrameReader()
        self.gateway.venue.connected(self.now)
        self.quiet_events: list[Any] = []
        self.quiet = ClientSession("quiet", 9, on_reply=_ignore, on_event=self.quiet_events.append)
        self.quiet_session = self.gateway.open_session("quiet", self.now)
        self.quiet.connected()
        self.attacker: Any = None
        self.turn()
        self.quiet_turn()

    def turn(self) -> None:
        """End a turn: the journal, then the venue, then the clients."""
        gateway = self.gateway
        gateway.commit()
        for session in tuple(gateway.sessions):
            gateway.catch_up(session)
        while gateway.venue.outbox:
            data = b"".join(gateway.venue.outbox)
            gateway.venue.outbox.clear()
            for payload in self.venue_reader.feed(data):
                answers = self.venue.on_message(m.decode_to_venue(payload), self.now)
                trouble = gateway.venue.receive(b"".join(map(pack, answers)), self.now)
                if trouble:
                    raise Broken(trouble)
            gateway.commit()
        for session in gateway.dirty:
            data = b"".join(session.outbox)
            session.outbox.clear()
            session.answered_bytes = 0
            if session is self.quiet_session:
                self.quiet.receive(data)
            else:
                for payload in FrameReader(REPLY_BYTES_MAX).feed(data):
                    m.decode_to_client(payload)
        gateway.dirty.clear()

    def quiet_turn(self) -> None:
        """Carry what the bystander has to say."""
        data = b"".join(self.quiet.outbox)
        self.quiet.outbox.clear()
        self.gateway.receive(self.quiet_session, data, self.now)
        self.turn()

    def attack(self, frames: int) -> None:
        """Connect, log in or not, and send."""
        rng = self.rng
        self.now += rng.choice((1_000, 1_000_000, 100_000_000))
        self.attacker = session = self.gateway.open_session("attacker", self.now)
        token = rng.choice(("trade", "trade", "read", ""))
        if token:
            login = m.Login(m.VERSION, token, 5, rng.choice((0, 1)))
            self.gateway.receive(session, pack(login), self.now)
            if rng.random() < 0.5:
                self.turn()
        is_honest_no = rng.random() < 0.7
        for _ in range(frames):
            data = self.mutator.frame()
            if is_honest_no and rng.random() < 0.3:
                data += pack(self.next_order())
            for piece in self.mutator.pieces(data):
                self.gateway.receive(session, piece, self.now)
            if len(session.reader.rest) > FRAME_BYTES_MAX + 4:
                message = f"{len(session.reader.rest)} bytes of an unfinished frame are kept"
                raise Broken(message)
            if session.closing:
                self.counts[f"closed: {session.closing}"] += 1
                break
            if rng.random() < 0.3:
                self.turn()
        self.turn()
        self.gateway.close_session(session)
        prices = b"".join(map(pack, self.venue.advance(self.now)))
        self.gateway.venue.receive(prices, self.now)
        self.gateway.on_time(self.now)
        self.turn()

    def next_order(self) -> m.Submit:
        """Return an order that is well formed, and may be absurd."""
        rng = self.rng
        account = self.gateway.core.accounts[1]
        edges = (1, 100, 5_000, m.QTY_MAX)
        kind = rng.randrange(4)
        limit = rng.choice((1, 5_000, 6_000, m.PRICE_MAX)) if kind & 1 else 0
        trigger = rng.choice((1, 5_500, m.PRICE_MAX)) if kind & 2 else 0
        qty = rng.choice((1, -1)) * rng.choice(edges)
        self.counts["well formed"] += 1
        symbol = rng.choice(("KO", "PEP"))
        return m.Submit(account.last_no + 1, symbol, qty, kind, rng.randrange(4), limit, trigger)

    def check(self) -> None:
        """Nobody else noticed anything."""
        gateway = self.gateway
        live = [session for sessions in gateway._live.values() for session in sessions]
        if gateway.is_halted or {*gateway.sessions, *live} != {self.quiet_session}:
            message = (
                f"halted: {gateway.is_halted}, {len(gateway.sessions)} sessions, {len(live)} live"
            )
            raise Broken(message)
        before = len(self.quiet_events)
        self.quiet.submit("KO", 1, limit=5_600, tif=2)
        self.quiet_turn()
        told = [type(event).__name__ for event in self.quiet_events[before:]]
        if told != ["Accepted", "Filled"] or self.quiet_session.closing:
            message = f"another account's order came to {told}"
            raise Broken(message)
        for what in ("orders", "positions"):
            self.quiet.ask(what)
        self.quiet_turn()
        orders, positions = (cast("Any", answer.message) for answer in self.quiet.answers)
        self.quiet.answers.clear()
        self.counts["quiet orders"] += 1
        held = sum(event.qty for event in self.quiet_events if isinstance(event, m.Filled))
        if orders.orders or [one.qty for one in positions.positions] != [held]:
            message = f"another account has {orders} and {positions}, and bought {held}"
            raise Broken(message)

    def finish(self) -> None:
        """Hold the whole state to the journal."""
        self.check()
        _hold_to_journal(self.gateway)


def _hold_to_journal(gateway: Gateway) -> None:
    """The journal gives the same state again."""
    copy = MemoryJournal()
    for _, payload in gateway.journal.read(1, 1 << 30):
        copy.append(payload)
    copy.commit()
    last = copy.next_seq
    if take_image(Gateway(copy).core, last) != take_image(gateway.core, last):
        message = "the journal does not come to the state that the gateway has"
        raise Broken(message)


class ClientTarget:
    """A client whose gateway speaks nonsense."""

    ANSWERS: Final = _payloads(
        m.Welcome(m.VERSION, 1, "main", True, 1, 1, 0, (("KO", "0.01", "1", "0.01"),)),
        m.Refused("bad_question", "no", 0, 0),
        m.Refused("number_taken", "no", 1, 7),
        m.Accepted(1, 1, START, 1, 5, 1, "KO", 10, 1, 0, 5_000, 0),
        m.Filled(1, 2, START, 1, 1, "KO", 10, 5_000, 50_000, 0, 10, START),
        m.Canceled(1, 2, START, 1, 2, 5, "requested"),
        m.Replaced(1, 2, START, 1, 3, 5, 20, 5_000, 0),
        m.Denied(1, 1, START, 1, 5, "KO", 10, 1, 0, 5_000, 0, "position", 10, 5, 5_000),
        m.RequestDenied(1, 1, START, 2, 5, 1, "filled"),
        m.Unknown(1, 2, START, 1, 5),
        m.KillSwitched(1, 1, START, 4, 5, on=True),
        m.Orders(1, (m.OpenOrder(1, "KO", 10, 0, 1, 0, 5_000, 0, "accepted"),)),
        m.Positions(1, 100, False, (m.Position("KO", 10, 50_000, 0, 0, 5_000),)),
        m.Ping(),
        m.Pong(),
    )
    WELCOME: Final = frame(ANSWERS[0])

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.mutator = Mutator(rng, self.ANSWERS, REPLY_BYTES_MAX)
        self.counts: Counter[str] = Counter()

    def attack(self, frames: int) -> None:
        """Come back to a gateway that is bad from the welcome on, or from then on."""
        client = ClientSession("trade", 5, on_reply=_ignore)
        client.connected()
        if self.rng.random() < 0.8:
            client.receive(self.WELCOME)
            client.submit("KO", 10, limit=5_000)
            client.cancel(1)
        for _ in range(frames):
            try:
                for piece in self.mutator.pieces(self.mutator.frame()):
                    client.receive(piece)
            except GatewayError:
                self.counts["closed: GatewayError"] += 1
                break
            self.counts["taken"] += 1
        client.refusals.clear()
        self._come_back(client)

    def _come_back(self, client: ClientSession) -> None:
        """What an honest gateway says on the next connection is taken."""
        client.connected()
        client.receive(self.WELCOME)
        if not client.is_ready or client.refusals:
            message = f"no way back: ready {client.is_ready}, refusals {client.refusals}"
            raise Broken(message)

    def check(self) -> None:
        """Every attack looks by itself."""

    def finish(self) -> None:
        """Likewise."""


class VenueLinkTarget:
    """A gateway whose venue speaks nonsense."""

    ANSWERS: Final = _payloads(
        m.VenueWelcome(m.VERSION, "test"),
        m.VenueRefused("old_epoch", "no"),
        m.OrderAccepted(m.order_id(1, 1), 1, 1),
        m.OrderRejected(m.order_id(1, 1), "drawn", 1),
        _FILL,
        m.OrderCanceled(m.order_id(1, 1), 0, "requested", 1),
        m.OrderExpired(m.order_id(1, 1), 1),
        m.OrderReplaced(m.order_id(1, 1), 2, 20, 5_000, 0, 1),
        m.ChangeRejected(m.order_id(1, 1), 2, "filled", 1),
        m.OrderStatus(m.order_id(1, 1), "filled", 1, 10, 5_000, 0, (_FILL,), 1),
        m.OrderStatus(m.order_id(1, 1), "not_found", 0, 0, 0, 0, (), 1),
        m.Quote("KO", 5_000, 5_001, 10, 10, 1),
        m.Ping(),
        m.Pong(),
    )

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.now = START
        self.mutator = Mutator(rng, self.ANSWERS, REPLY_BYTES_MAX)
        self.counts: Counter[str] = Counter()

    def attack(self, frames: int) -> None:
        """Let a gateway with some orders listen to a bad venue."""
        journal = MemoryJournal()
        grants = [Grant(account="main", scope="trade", sha256=hash_token("trade"))]
        gateway = Gateway(journal, grants)
        gateway.start(
            self.now,
            listings=LISTINGS.values(),
            accounts={"main": 10_000_000},
            limits={"main": OPEN},
        )
        session = gateway.open_session("client", self.now)
        link = gateway.venue
        link.connected(self.now)
        good = [m.VenueWelcome(m.VERSION, "test"), m.Quote("KO", 5_000, 5_001, 10, 10, 1)]
        link.receive(b"".join(map(pack, good)), self.now)
        orders = [m.Submit(no, "KO", 10, 1, 0, 5_000) for no in range(1, 4)]
        wishes = [m.Login(m.VERSION, "trade", 5, 1), *orders, m.Replace(4, 1, 20), m.Cancel(5, 2)]
        gateway.receive(session, b"".join(map(pack, wishes)), self.now)
        for _ in range(frames):
            self.now += self.rng.choice((1_000, 2_000_000_000))
            trouble = ""
            for piece in self.mutator.pieces(self.mutator.frame()):
                trouble = trouble or link.receive(piece, self.now)
            if trouble:
                self.counts["closed: venue"] += 1
                link.disconnected()
                link.connected(self.now)
            else:
                self.counts["taken"] += 1
            gateway.on_time(self.now)
            gateway.receive(session, pack(m.Ask("positions")) + pack(m.Ask("orders")), self.now)
            gateway.commit()
            self._clear(gateway)
        self._hold(gateway, journal)

    def _clear(self, gateway: Gateway) -> None:
        gateway.venue.outbox.clear()
        for session in gateway.dirty:
            session.outbox.clear()
            session.answered_bytes = 0
        gateway.dirty.clear()

    def _hold(self, gateway: Gateway, journal: MemoryJournal) -> None:
        records = [m.decode_record(payload) for _, payload in journal.read(1, 1 << 30)]
        fills = [record for record in records if isinstance(record, m.Filled)]
        held = gateway.core.accounts[1].book.holdings
        bought = sum(fill.qty for fill in fills)
        if "KO" in held and held["KO"].qty != bought:
            message = f"{held['KO'].qty} lots are held, and the fills come to {bought}"
            raise Broken(message)
        if len({(fill.no, fill.fill_id) for fill in fills}) != len(fills):
            message = "a fill was booked twice"
            raise Broken(message)
        _hold_to_journal(gateway)

    def check(self) -> None:
        """Every attack looks by itself."""

    def finish(self) -> None:
        """Likewise."""


class VenueTarget:
    """The paper venue, whose gateway speaks nonsense."""

    REQUESTS: Final = _payloads(
        m.VenueLogin(m.VERSION, "test", 1, 0),
        m.NewOrder(m.order_id(1, 1), "KO", 10, 1, 0, 5_000, 0),
        m.NewOrder(m.order_id(1, 2), "PEP", -10, 0, 2, 0, 0),
        m.NewOrder(m.order_id(1, 3), "KO", 10, 3, 1, 5_500, 5_450),
        m.CancelOrder(m.order_id(1, 1), 4),
        m.ReplaceOrder(m.order_id(1, 1), 5, 20, 5_010, 0),
        m.QueryOrder(m.order_id(1, 1)),
        m.Ping(),
        m.Pong(),
    )

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.mutator = Mutator(rng, self.REQUESTS, FRAME_BYTES_MAX)
        self.counts: Counter[str] = Counter()
        self.now = START
        self.venue = PaperVenue(SyntheticMarket(LISTINGS, seed=1))

    def attack(self, frames: int) -> None:
        """Log in, and send until the venue hangs up."""
        self.now += 1_000_000
        reader = FrameReader()
        self.venue.login(m.VenueLogin(m.VERSION, "test", self.venue.epoch + 1, 0), self.now)
        for _ in range(frames):
            for piece in self.mutator.pieces(self.mutator.frame()):
                if not self._take(reader, piece):
                    self.venue.on_disconnect()
                    return
            for answer in self.venue.advance(self.now):
                pack(answer)

    def _take(self, reader: FrameReader, piece: bytes) -> bool:
        for payload in reader.feed(piece):
            try:
                message = m.decode_to_venue(payload)
            except ValueError:
                self.counts["closed: bad_message"] += 1
                return False
            self.counts["taken"] += 1
            for answer in self.venue.on_message(message, self.now):
                pack(answer)
        return not reader.too_long

    def check(self) -> None:
        """An honest order is still filled."""
        login = m.VenueLogin(m.VERSION, self.venue._gateway, self.venue.epoch, 0)
        self.venue.login(login, self.now)
        identity = m.order_id(99, 1 + self.counts["honest orders"])
        self.counts["honest orders"] += 1
        order = m.NewOrder(identity, "KO", 1, 0, 2, 0, 0)
        told = [type(answer).__name__ for answer in self.venue.on_message(order, self.now)]
        if told != ["OrderAccepted", "OrderFilled"]:
            message = f"an honest order came to {told}"
            raise Broken(message)

    def finish(self) -> None:
        """Look a last time."""
        self.check()


class DecoderTarget:
    """The five decoders and the cutting of frames, each by itself."""

    DECODERS: Final[Sequence[Callable[[bytes], Any]]] = (
        m.decode_request,
        m.decode_to_client,
        m.decode_record,
        m.decode_to_venue,
        m.decode_from_venue,
    )

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        samples = (
            *GatewayTarget.REQUESTS,
            *ClientTarget.ANSWERS,
            *VenueLinkTarget.ANSWERS,
            *VenueTarget.REQUESTS,
        )
        self.mutator = Mutator(rng, samples, FRAME_BYTES_MAX)
        self.counts: Counter[str] = Counter()

    def attack(self, frames: int) -> None:
        """Decode; cut the same bytes whole and in pieces."""
        data = b"".join(self.mutator.frame() for _ in range(frames))
        whole = FrameReader()
        payloads = whole.feed(data)
        apart = FrameReader()
        found = [one for piece in self.mutator.pieces(data) for one in apart.feed(piece)]
        if (found, apart.rest, apart.too_long) != (payloads, whole.rest, whole.too_long):
            message = f"bytes were cut in two ways: {data.hex()}"
            raise Broken(message)
        for payload in payloads:
            for decode in self.DECODERS:
                try:
                    message = decode(payload)
                except ValueError:
                    self.counts["closed: ValueError"] += 1
                    continue
                self.counts["taken"] += 1
                if decode(m.encode(message)) != message and "nan" not in repr(message):
                    text = f"{message} does not come back as it was"
                    raise Broken(text)

    def check(self) -> None:
        """Nothing is kept."""

    def finish(self) -> None:
        """Likewise."""


TARGETS: Final[dict[str, Callable[[Random], Target]]] = {
    "decoders": DecoderTarget,
    "gateway": GatewayTarget,
    "client": ClientTarget,
    "venue link": VenueLinkTarget,
    "venue": VenueTarget,
}


def _ignore(_no: int, _event: object) -> None:
    """Take no notice of a reply."""
