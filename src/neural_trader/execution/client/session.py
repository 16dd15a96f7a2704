"""A client without sockets: requests become bytes, and bytes become orders and fills.

It numbers its requests, remembers those without an answer, and knows which event of the account's
stream comes next. After a reconnect it asks for the stream from there, and repeats the requests
without an answer under their old numbers: the gateway does nothing twice.
"""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from neural_trader.core.errors import ConfigError, GatewayError, OrderOutcomeUnknown
from neural_trader.core.orders import KINDS, TIMES_IN_FORCE
from neural_trader.execution import messages as m
from neural_trader.execution.framing import REPLY_BYTES_MAX, FrameReader, pack
from neural_trader.execution.listing import Listing
from neural_trader.execution.orders import OPEN, Status

_PASSING: Final = frozenset({"silent", "too_many", "full"})
"""Refusals of a connection that say nothing against the next one."""
_STATUS_AFTER: Final[dict[type, Status]] = {
    m.Denied: "denied",
    m.Rejected: "rejected",
    m.Canceled: "canceled",
    m.Expired: "expired",
    m.Unknown: "unknown",
}
Price = str | int | Decimal


class Answer(NamedTuple):
    """What was asked for; ``orders`` are those of it that follow what comes later."""

    message: m.Orders | m.Positions
    orders: "list[SentOrder]"


class LiveFill(NamedTuple):
    """One execution, as its account's clients are told of it.

    ``qty`` is signed; ``value`` is what the fill cost or brought without ``fee``, both positive;
    ``price`` is rounded to the tick; ``seq`` numbers the account's events.
    """

    seq: int
    ts_ns: int
    order_no: int
    fill_id: int
    symbol: str
    qty: Decimal
    price: Decimal
    value: Decimal
    fee: Decimal


class LivePosition(NamedTuple):
    """What an account holds of an instrument; ``mark`` is None where there is no price."""

    symbol: str
    qty: Decimal
    avg_price: Decimal | None
    realized_pnl: Decimal
    unrealized_pnl: Decimal | None
    fees: Decimal
    mark: Decimal | None


class SentOrder:
    """An order as its client knows it; its state moves while events come in.

    Attributes
    ----------
    no : int
        The client order number: what ``cancel`` and ``replace`` take, also as text.
    symbol, kind, tif : str
    qty, filled_qty : Decimal
        Signed.
    limit, stop : Decimal or None
    status : str
        See ``docs/gateway.md``; "denied" and "rejected" say why in ``reason``.
    reason : str
    found, allowed : int
        The figures of a denial: lots, minor units, basis points or a count.
    """

    __slots__ = (
        "_limit",
        "_lots",
        "_lots_filled",
        "_trigger",
        "allowed",
        "found",
        "kind",
        "listing",
        "no",
        "reason",
        "status",
        "symbol",
        "tif",
    )

    def __init__(self, listing: Listing, no: int, terms: tuple[int, int, int, int, int]) -> None:
        self.listing = listing
        self.symbol = listing.symbol
        self.no = no
        self._lots, kind, tif, self._limit, self._trigger = terms
        self.kind = KINDS[kind]
        self.tif = TIMES_IN_FORCE[tif]
        self._lots_filled = 0
        self.status: Status = "new"
        self.reason = ""
        self.found = 0
        self.allowed = 0

    @property
    def qty(self) -> Decimal:
        """The whole quantity."""
        return self.listing.qty(self._lots)

    @property
    def filled_qty(self) -> Decimal:
        """What has been filled."""
        return self.listing.qty(self._lots_filled)

    @property
    def limit(self) -> Decimal | None:
        """The limit price."""
        return self.listing.price(self._limit) if self._limit else None

    @property
    def stop(self) -> Decimal | None:
        """The trigger price."""
        return self.listing.price(self._trigger) if self._trigger else None

    @property
    def is_open(self) -> bool:
        """Whether it may still be filled."""
        return self.status in OPEN or self.status == "new"

    def __repr__(self) -> str:
        """Say it in a line."""
        price = "".join(
            f" {word} {value}"
            for word, value in (("limit", self.limit), ("stop", self.stop))
            if value
        )
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"<order {self.no}: {self.qty:+} {self.symbol}{price} {self.tif}, {self.status}{why}, "
            f"filled {self.filled_qty}>"
        )

    def resume(self, item: m.OpenOrder) -> None:
        """Take over the state that the gateway tells of it."""
        self._lots_filled = item.filled
        self.status = item.status  # type: ignore[assignment]

    def on_event(self, event: Any) -> None:  # noqa: ANN401 - one of many events
        """Follow an event of the order."""
        kind = type(event)
        if kind is m.Accepted:
            if self.status in ("new", "submitted", "unknown"):
                self.status = "accepted"
        elif kind is m.Filled:
            self._lots_filled = event.filled
            if self.is_open or event.filled == self._lots:
                self.status = self._working()
        elif kind is m.Replaced:
            self._lots, self._limit, self._trigger = event.qty, event.limit, event.trigger
            self.status = self._working()
        else:
            self.status = _STATUS_AFTER[kind]
            self.reason = getattr(event, "reason", "")
            self.found = getattr(event, "found", 0)
            self.allowed = getattr(event, "allowed", 0)

    def _working(self) -> Status:
        if self._lots_filled == self._lots:
            return "filled"
        return "partially_filled" if self._lots_filled else "accepted"


class ClientSession:
    """The state of one client.

    Parameters
    ----------
    token : str
    client : int
        Who numbers the requests; the same for all connections of this client.
    on_reply : callable of (number, event)
        Called with the first event that answers a request.
    on_event : callable of (event,), optional
        Called with every event of the account, in order, once.

    Attributes
    ----------
    welcome : Welcome or None
        What the gateway said at the last login.
    next_seq : int
        The next event of the account.
    outbox : list of bytes
        Frames to be sent; the caller empties it.
    """

    def __init__(
        self,
        token: str,
        client: int,
        *,
        on_reply: Callable[[int, Any], None],
        on_event: Callable[[Any], None] | None = None,
    ) -> None:
        self.token = token
        self.client = client
        self.welcome: m.Welcome | None = None
        self.next_seq = 0
        self.next_no = 1
        self.listings: dict[str, Listing] = {}
        self.orders: dict[int, SentOrder] = {}
        self.outbox: list[bytes] = []
        self.answers: deque[Answer] = deque()
        self.refusals: deque[m.Refused] = deque()
        self.is_ready = False
        self._pending: dict[int, Any] = {}
        # Requests that have gone out, and those of which only the stream can say what they became.
        self._out: set[int] = set()
        self._doubtful: dict[int, m.Refused] = {}
        self._on_reply = on_reply
        self._on_event = on_event
        self._reader = FrameReader(REPLY_BYTES_MAX)

    # ------------------------------------------------------------------------------- connection
    def connected(self) -> None:
        """Log in on a new connection, from the event that has not been seen."""
        self._reader = FrameReader(REPLY_BYTES_MAX)
        self.is_ready = False
        self.outbox = [pack(m.Login(m.VERSION, self.token, self.client, self.next_seq))]

    def receive(self, data: bytes) -> None:
        """Take bytes from the gateway.

        Raises
        ------
        GatewayError
            The gateway refused the client, or does not speak its language; the connection has to
            be closed.
        """
        for payload in self._reader.feed(data):
            try:
                message: Any = m.decode_to_client(payload)
            except ValueError as error:
                text = f"the gateway sent what is no message: {error}"
                raise GatewayError(text) from error
            kind = type(message)
            if kind is m.Filled or kind is m.Accepted:
                self._on_stream(message)
            elif kind is m.Welcome:
                self._on_welcome(message)
            elif kind is m.Refused:
                self._on_refused(message)
            elif kind is m.Orders:
                # Now, since what ends one of them may come with the next frame.
                self._check_listed(*(item.symbol for item in message.orders))
                orders = [self.order_of(item) for item in message.orders]
                self.answers.append(Answer(message, orders))
            elif kind is m.Positions:
                self._check_listed(*(item.symbol for item in message.positions))
                self.answers.append(Answer(message, []))
            elif kind is m.Ping:
                self.outbox.append(pack(m.Pong()))
            elif kind is not m.Pong:
                self._on_stream(message)
        if self._reader.too_long:
            text = f"the gateway announced a frame of {self._reader.too_long:,} bytes"
            raise GatewayError(text)

    def _check_listed(self, *symbols: str) -> None:
        """Ask for a new login where an instrument was listed since the last one.

        It tells the units, and what came comes again: an event by its number, an answer since the
        question is repeated.
        """
        for symbol in symbols:
            if symbol not in self.listings:
                message = f"{symbol} has been listed since this client logged in"
                raise GatewayError(message)

    def _on_welcome(self, welcome: m.Welcome) -> None:
        try:
            self.listings = {sizes[0]: Listing(*sizes) for sizes in welcome.instruments}
        except ConfigError as error:
            message = f"the gateway lists what cannot be counted in: {error}"
            raise GatewayError(message) from error
        self.welcome = welcome
        if self.next_seq == 0:
            self.next_seq = welcome.seq
        self.next_no = max(self.next_no, welcome.last_no + 1)
        self.is_ready = True
        # What is without an answer goes out again under its number: at most one of the two counts.
        self.outbox.extend(pack(request) for request in self._pending.values())
        self._out.update(self._pending)
        self._settle_doubts()

    def _on_refused(self, refused: m.Refused) -> None:
        request = self._pending.get(refused.no)
        if request is not None and refused.code == "number_taken":
            # Another program trades the account and took the number: nothing of ours happened.
            self._forget(refused.no)
            self.next_no = max(self.next_no, refused.last_no + 1)
            self._renumber(request)
        elif request is not None and refused.code == "number_used":
            # It may have been carried out long ago: the stream, up to the present, may still tell.
            self._doubtful[refused.no] = refused
            self._settle_doubts()
        elif request is not None:
            self._forget(refused.no)
            self.orders.pop(refused.no, None)
            self._on_reply(refused.no, refused)
        elif refused.code == "bad_question":
            self.refusals.append(refused)
        elif refused.no == 0 and refused.code not in _PASSING:
            message = f"the gateway refused the client ({refused.code}): {refused.message}"
            raise GatewayError(message, refused.code)

    def _settle_doubts(self) -> None:
        """End the requests of which the stream has not told anything, and will not any more."""
        if self.welcome is None or self.next_seq < self.welcome.seq:
            return
        doubtful, self._doubtful = self._doubtful, {}
        for no, refused in doubtful.items():
            if self._forget(no) is not None:
                order = self.orders.get(no)
                if order is not None and order.status == "new":
                    order.status = "unknown"
                self._on_reply(no, refused)

    def _forget(self, no: int) -> Any:  # noqa: ANN401 - one of four requests
        self._out.discard(no)
        return self._pending.pop(no, None)

    def give_up(self, no: int) -> bool:
        """Wait no longer for the answer to a request, and never send it again.

        Returns
        -------
        bool
            Whether it may have reached the gateway: then its order goes on following the stream. If
            not, nothing of it happened, and nothing will.
        """
        is_out = no in self._out
        self._forget(no)
        self._doubtful.pop(no, None)
        if not is_out:
            self.orders.pop(no, None)
        return is_out

    def _renumber(self, request: Any) -> None:  # noqa: ANN401 - one of four requests
        no = self.next_no
        self.next_no += 1
        fields = [getattr(request, name) for name in request.__struct_fields__[1:]]
        again = type(request)(no, *fields)
        order = self.orders.pop(request.no, None)
        if order is not None:
            order.no = no
            self.orders[no] = order
        self._on_reply(request.no, again)
        self._pending[no] = again
        self._out.add(no)
        self.outbox.append(pack(again))

    def _on_stream(self, event: Any) -> None:  # noqa: ANN401 - one of many events
        if event.seq > self.next_seq:
            message = f"event {event.seq} came where {self.next_seq} was next"
            raise GatewayError(message)
        if event.seq < self.next_seq:
            # The identical reply to a request that was repeated.
            self._answer(event)
            return
        kind = type(event)
        if kind is m.Filled and event.symbol not in self.listings:
            self._check_listed(event.symbol)
        self.next_seq = event.seq + 1
        # A denied wish is no event of the order that it was about, nor is the kill switch of any;
        # and a number that another client took first is not that of our order.
        if kind is not m.RequestDenied and kind is not m.KillSwitched:
            order = self.orders.get(event.no)
            if order is not None and (
                event.no not in self._pending or getattr(event, "client", 0) == self.client
            ):
                order.on_event(event)
                if not order.is_open:
                    del self.orders[event.no]
        if self._pending:
            self._answer(event)
            if self._doubtful:
                self._settle_doubts()
        if self._on_event is not None:
            self._on_event(event)

    def _answer(self, event: Any) -> None:  # noqa: ANN401 - one of many events
        """Take the request that an event answers from those without an answer."""
        kind = type(event)
        if kind is m.Filled or kind is m.Expired or event.client != self.client:
            return
        no = event.request if kind is m.Canceled or kind is m.Replaced else event.no
        if self._forget(no) is not None:
            self._doubtful.pop(no, None)
            self._on_reply(no, event)

    # ---------------------------------------------------------------------------------- requests
    def listing(self, symbol: str) -> Listing:
        """Return an instrument of the gateway.

        Raises
        ------
        ConfigError
            The gateway does not list it.
        """
        found = self.listings.get(symbol)
        if found is None:
            known = ", ".join(sorted(self.listings)) or "none"
            message = f"the gateway does not list {symbol!r}; it lists {known}"
            raise ConfigError(message)
        return found

    def submit(
        self,
        symbol: str,
        lots: int,
        *,
        limit: int = 0,
        trigger: int = 0,
        tif: int = 0,
        reduce_only: bool = False,
    ) -> SentOrder:
        """Put an order into the outbox: signed lots, prices in ticks, 0 for none."""
        _check_terms(lots, limit, trigger)
        no = self.next_no
        self.next_no = no + 1
        kind = (1 if limit else 0) + (2 if trigger else 0)
        request = m.Submit(no, symbol, lots, kind, tif, limit, trigger, reduce_only)
        order = SentOrder(self.listings[symbol], no, (lots, kind, tif, limit, trigger))
        self.orders[no] = order
        self._send(no, request)
        return order

    def cancel(self, order_no: int) -> int:
        """Put a wish to cancel into the outbox; returns its number."""
        _check_order_no(order_no)
        no = self.next_no
        self.next_no = no + 1
        self._send(no, m.Cancel(no, order_no))
        return no

    def replace(self, order_no: int, *, lots: int = 0, limit: int = 0, trigger: int = 0) -> int:
        """Put a wish to change an order into the outbox; returns its number."""
        _check_order_no(order_no)
        _check_terms(lots, limit, trigger)
        no = self.next_no
        self.next_no = no + 1
        self._send(no, m.Replace(no, order_no, lots, limit, trigger))
        return no

    def switch(self, *, on: bool) -> int:
        """Put a turn of the kill switch into the outbox; returns its number."""
        no = self.next_no
        self.next_no = no + 1
        self._send(no, m.Switch(no, on))
        return no

    def ask(self, what: str) -> None:
        """Put a question into the outbox; its answer comes into ``answers``."""
        self.outbox.append(pack(m.Ask(what)))

    def ping(self) -> None:
        """Put a sign of life into the outbox."""
        self.outbox.append(pack(m.Ping()))

    def _send(self, no: int, request: m.Submit | m.Cancel | m.Replace | m.Switch) -> None:
        self._pending[no] = request
        if self.is_ready:
            self._out.add(no)
            self.outbox.append(pack(request))

    def fill_of(self, event: m.Filled) -> LiveFill:
        """Return a fill in units and money."""
        listing = self.listings[event.symbol]
        return LiveFill(
            event.seq,
            event.ts,
            event.no,
            event.fill_id,
            event.symbol,
            listing.qty(event.qty),
            listing.price(event.price),
            listing.money(event.value),
            listing.money(event.fee),
        )

    def position_of(self, position: m.Position) -> LivePosition:
        """Return a position in units and money."""
        listing = self.listings[position.symbol]
        average = unrealized = mark = None
        if position.qty:
            average = listing.money(position.cost) / listing.qty(position.qty)
        if position.mark:
            mark = listing.price(position.mark)
            value = listing.value(position.mark, position.qty)
            unrealized = listing.money(value - position.cost)
        return LivePosition(
            position.symbol,
            listing.qty(position.qty),
            average,
            listing.money(position.realized),
            unrealized,
            listing.money(position.fees),
            mark,
        )

    def order_of(self, item: m.OpenOrder) -> SentOrder:
        """Return an open order that this client may not have sent itself."""
        order = self.orders.get(item.no)
        if order is None:
            terms = (item.qty, item.kind, item.tif, item.limit, item.trigger)
            order = SentOrder(self.listing(item.symbol), item.no, terms)
            order.resume(item)
            self.orders[item.no] = order
        return order


def account_of(session: ClientSession, answer: m.Positions) -> dict[str, Any]:
    """Return an account's name, cash, equity, kill switch and next event.

    Equity is None while something that is held has no price.
    """
    unit = next(iter(session.listings.values()))
    cash = unit.money(answer.cash)
    held = [session.position_of(item) for item in answer.positions]
    worth = [item.qty * item.mark for item in held if item.mark is not None]
    is_marked = all(item.mark is not None or not item.qty for item in held)
    return {
        "name": session.welcome.name if session.welcome is not None else "",
        "cash": cash,
        "equity": cash + sum(worth) if is_marked else None,
        "is_killed": answer.is_killed,
        "next_seq": answer.seq,
    }


def outcome_unknown(no: int, why: str) -> str:
    """Return what to say of a request that may have been carried out."""
    return (
        f"request {no}: {why}; it may have been carried out or not: ask for open orders and fills "
        "before you repeat it"
    )


def refusal_of(no: int, refused: m.Refused) -> GatewayError:
    """Return the error of a request that was refused."""
    if refused.code == "number_used":
        return OrderOutcomeUnknown(outcome_unknown(no, refused.message), refused.code)
    return GatewayError(f"the gateway refused ({refused.code}): {refused.message}", refused.code)


def _check_terms(lots: int, *prices: int) -> None:
    """Refuse terms that no frame can carry: one of them would cost the whole connection."""
    if abs(lots) > m.QTY_MAX:
        message = f"the quantity is {lots:,} lots; an order is for {m.QTY_MAX:,} at most"
        raise ConfigError(message)
    for price in prices:
        if not 0 <= price <= m.PRICE_MAX:
            message = f"a price is {price:,} ticks; expected {m.PRICE_MAX:,} at most"
            raise ConfigError(message)


def _check_order_no(no: int) -> None:
    if not 0 < no <= m.NO_MAX:
        message = f"the order's number is {no}; expected one of an order, 1 to {m.NO_MAX}"
        raise ConfigError(message)
