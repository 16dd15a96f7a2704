"""A gateway with one client and a venue that says what a test wants it to say."""

from typing import Any

from neural_trader.execution import ClientSession, Gateway, Grant, Limits, Listing, hash_token
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, pack
from neural_trader.execution.journal import MemoryJournal

START = 1_700_000_000_000_000_000
TOKENS = {"trade": "t" * 64, "read": "r" * 64, "other": "o" * 64}
GRANTS = (
    Grant(account="main", scope="trade", sha256=hash_token(TOKENS["trade"])),
    Grant(account="main", scope="read", sha256=hash_token(TOKENS["read"])),
    Grant(account="other", scope="trade", sha256=hash_token(TOKENS["other"])),
)
LISTINGS = (Listing("KO"), Listing("PEP", "0.001"))


class Desk:
    """Everything in one hand; ``asked`` is what the gateway has told the venue."""

    def __init__(self, limits: Limits | None = None, *, marks: bool = True) -> None:
        self.listings: tuple[Listing, ...] = LISTINGS
        self.limits = limits or Limits()
        self.now = START
        self.journal = MemoryJournal()
        self.asked: list[Any] = []
        self.venue_reader = FrameReader()
        self.start()
        self.client, self.session, self.events = self.log_in("trade")
        if marks:
            self.say(
                m.Quote("KO", 5_419, 5_421, 10, 10, 0), m.Quote("PEP", 170_000, 170_000, 1, 1, 0)
            )

    def start(self) -> None:
        """Start a gateway on the journal, and connect it to the venue."""
        self.gateway = Gateway(self.journal, GRANTS)
        self.gateway.start(
            self.now,
            listings=self.listings,
            accounts={"main": 10_000_000, "other": 5_000_000},
            limits={"main": self.limits, "other": self.limits},
        )
        self.gateway.venue.connected(self.now)
        self.turn()
        self.say(m.VenueWelcome(m.VERSION, "test"))

    @property
    def account(self) -> Any:
        """The account of the client."""
        return self.gateway.core.accounts[1]

    def log_in(self, scope: str, client: int = 7, next_seq: int = 0) -> tuple[Any, Any, list[Any]]:
        """Connect a client; returns it, its session at the gateway, and its events."""
        events: list[Any] = []
        client_session = ClientSession(
            TOKENS[scope], client, on_reply=lambda *_: None, on_event=events.append
        )
        client_session.next_seq = next_seq
        session = self.gateway.open_session(scope, self.now)
        session.link = client_session
        client_session.connected()
        self.pass_on(client_session, session)
        return client_session, session, events

    def pass_on(self, client: Any = None, session: Any = None) -> None:
        """Carry what a client has to say to the gateway, and what that makes back."""
        client, session = client or self.client, session or self.session
        data = b"".join(client.outbox)
        client.outbox.clear()
        self.gateway.receive(session, data, self.now)
        self.turn()

    def turn(self) -> None:
        """Commit, and let go."""
        gateway = self.gateway
        gateway.commit()
        for session in tuple(gateway.sessions):
            while session.account is not None and gateway.catch_up(session):
                pass
        for payload in self.venue_reader.feed(b"".join(gateway.venue.outbox)):
            self.asked.append(m.decode_to_venue(payload))
        gateway.venue.outbox.clear()
        for session in gateway.dirty:
            data = b"".join(session.outbox)
            session.outbox.clear()
            link: Any = session.link
            link.receive(data)
        gateway.dirty.clear()

    def say(self, *messages: Any) -> None:
        """Let the venue say something."""
        data = b"".join(map(pack, messages))
        assert self.gateway.venue.receive(data, self.now) == ""
        self.turn()

    def submit(self, symbol: str, lots: int, **terms: Any) -> Any:
        """Send an order, and return it as its client knows it."""
        order = self.client.submit(symbol, lots, **terms)
        self.pass_on()
        return order

    def accept(self, no: int, venue_id: int = 1) -> None:
        """Let the venue accept an order of the client."""
        self.say(m.OrderAccepted(m.order_id(1, no), venue_id, self.now))

    def fill(self, no: int, fill_id: int, symbol: str, lots: int, price: int) -> None:
        """Let the venue fill an order."""
        value = next(item for item in LISTINGS if item.symbol == symbol).value(price, abs(lots))
        self.say(m.OrderFilled(m.order_id(1, no), fill_id, symbol, lots, price, value, 0, self.now))

    def last_asked(self) -> Any:
        """Return the last thing that the venue was told."""
        return self.asked[-1]
