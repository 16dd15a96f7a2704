"""The programs that trade through the gateway, and the connections between."""

from collections import Counter, deque
from random import Random
from typing import TYPE_CHECKING, Any, Final

from neural_trader.execution.client import ClientSession
from neural_trader.execution.tokens import Grant, hash_token
from tests.simulation.watch import Watch, hold

if TYPE_CHECKING:
    from neural_trader.execution.sessions import Session

# Who is there, with what token: two programs trade one account, one only reads it.
_READER: Final = 9
CLIENTS: Final = ((1, "trade", 7), (1, "trade", 8), (1, "read", _READER), (2, "other", 7))
GRANTS: Final = (
    Grant(account="main", scope="trade", sha256=hash_token("trade")),
    Grant(account="main", scope="read", sha256=hash_token("read")),
    Grant(account="other", scope="trade", sha256=hash_token("other")),
)


def send(pieces: deque[bytes], data: bytes, rng: Random) -> None:
    """Put bytes on their way, in the pieces in which a network may deliver them."""
    while data:
        size = rng.choice((1, 13, 4096, 4096))
        pieces.append(data[:size])
        data = data[size:]


class Connection:
    """Two directions of bytes in pieces, in order; either end may not know that it is gone."""

    def __init__(self) -> None:
        self.up: deque[bytes] = deque()
        self.down: deque[bytes] = deque()
        self.session: Session | None = None
        self.is_heard = True


class Client:
    """A program that trades or reads, which may die and be started again."""

    def __init__(self, watch: Watch, account: int, token: str, number: int) -> None:
        self.account = account
        self.token = token
        self.number = number
        self._watch = watch
        self.connection: Connection | None = None
        self.sent: deque[bytes] = deque(maxlen=20)
        self.begin(1)

    @property
    def may_trade(self) -> bool:
        """Whether its token lets it trade."""
        return self.number != _READER

    def begin(self, next_seq: int) -> None:
        """Start the program; it knows nothing, and reads from an event on (0: what comes)."""
        self.replies: Counter[int] = Counter()
        self.heard = 0
        self.session = ClientSession(
            self.token, self.number, on_reply=self._on_reply, on_event=self._on_event
        )
        self.session.next_seq = next_seq

    def _on_reply(self, no: int, _reply: object) -> None:
        self.replies[no] += 1
        hold("a request is answered once", kept=self.replies[no] == 1, detail=(self.number, no))

    def _on_event(self, event: Any) -> None:
        hold(
            "a client hears every event, in order",
            kept=not self.heard or event.seq == self.heard + 1,
            detail=(self.number, event, self.heard),
        )
        self.heard = event.seq
        self._watch.on_event(self.account, event)

    def order(self, rng: Random) -> bool:
        """Send an order, or try; return whether one went out."""
        if self.session.welcome is None or not self.may_trade:
            return False
        lots = rng.choice((-1, 1)) * rng.choice((10, 50, 100, 200, 500))
        self.session.submit(
            rng.choice(("KO", "PEP")),
            lots,
            limit=rng.choice((0, 4_950, 4_980, 4_990, 5_001, 5_010, 5_050, 9_000)),
            trigger=rng.choice((0, 0, 0, 5_005, 4_995)),
            tif=rng.randrange(4),
            reduce_only=rng.random() < 0.1,
        )
        self.flush(rng)
        return True

    def wish(self, rng: Random) -> None:
        """Wish to cancel or change an order, or ask a question."""
        session = self.session
        if session.welcome is None:
            return
        if not self.may_trade or rng.random() < 0.1:
            if session.is_ready:
                session.ask(rng.choice(("orders", "positions")))
        elif session.orders:
            no = rng.choice(list(session.orders))
            if rng.random() < 0.5:
                session.cancel(no)
            else:
                sign = 1 if session.orders[no].qty > 0 else -1
                limit = rng.choice((0, 4_980, 5_020))
                session.replace(no, lots=sign * rng.choice((0, 50, 150)), limit=limit)
        self.flush(rng)

    def flush(self, rng: Random) -> None:
        """Send what there is to say."""
        session = self.session
        if self.connection is not None:
            for data in session.outbox:
                send(self.connection.up, data, rng)
                if session.is_ready:
                    self.sent.append(data)
        session.outbox.clear()

    def lose(self) -> None:
        """Notice that the connection is gone."""
        self.connection = None
        self.session.is_ready = False
        self.session.outbox.clear()
        self.sent.clear()
