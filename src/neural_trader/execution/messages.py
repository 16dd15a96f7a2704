"""Every message of the order path: what travels on the wire and what stands in the journal.

A message is a MessagePack array whose first element, an integer, says which one it is; the others
are its fields, in the order below (``docs/wire.md``). Prices are in ticks, quantities in lots,
signed, a purchase positive; money is in minor units; times are nanoseconds UTC. 0 stands for "no
limit" and "no trigger", since a price is positive. ``kind`` and ``tif`` are the places of the words
in ``core.orders.KINDS`` and ``TIMES_IN_FORCE``.

The journal's records of an account's events are, byte for byte, what its clients are sent: the
stream can be replayed from the journal, and a repeated request gets the identical reply.
"""

from typing import Annotated, Final

import msgspec

VERSION: Final = 1
"""The version of the wire and of the journal's records."""

PRICE_MAX: Final = 1 << 40
QTY_MAX: Final = 1 << 40
NO_MAX: Final = (1 << 40) - 1
MONEY_MAX: Final = 1 << 56
"""The most that one order or fill may be worth: sums of many of them still fit into 64 bits."""

Price = Annotated[int, msgspec.Meta(ge=0, le=PRICE_MAX)]
Qty = Annotated[int, msgspec.Meta(ge=-QTY_MAX, le=QTY_MAX)]
No = Annotated[int, msgspec.Meta(ge=1, le=NO_MAX)]
LastNo = Annotated[int, msgspec.Meta(ge=0, le=NO_MAX)]
Seq = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
Money = Annotated[int, msgspec.Meta(ge=-MONEY_MAX, le=MONEY_MAX)]
Id = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
Word = Annotated[str, msgspec.Meta(max_length=64)]
Symbol = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Text = Annotated[str, msgspec.Meta(max_length=512)]
Kind = Annotated[int, msgspec.Meta(ge=0, le=3)]
Tif = Annotated[int, msgspec.Meta(ge=0, le=3)]


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of all messages: an array, and nothing that is not known."""


def order_id(account: int, no: int) -> int:
    """Return the id under which a venue knows an order: the same after every restart."""
    return account << 40 | no


def owner_of(identity: int) -> tuple[int, int]:
    """Return account and client order number of an id."""
    return identity >> 40, identity & NO_MAX


# ------------------------------------------------------------------ what a client asks the gateway
class Login(Message, frozen=True, tag=1):
    """The first frame of a connection.

    ``client`` names who numbers the requests: the same before and after a reconnect, different for
    two programs that share an account. ``next_seq`` is the first event of the account's stream that
    the client has not seen; 0 starts with what happens from now on.
    """

    version: int
    token: Text
    client: Annotated[int, msgspec.Meta(ge=1, lt=1 << 62)]
    next_seq: Seq = 0


class Submit(Message, frozen=True, tag=2):
    """An order. ``no`` is higher than any number that the account has used before."""

    no: No
    symbol: Symbol
    qty: Qty
    kind: Kind = 0
    tif: Tif = 0
    limit: Price = 0
    trigger: Price = 0
    reduce_only: bool = False


class Cancel(Message, frozen=True, tag=3):
    """A wish to cancel the order numbered ``order``."""

    no: No
    order: No


class Replace(Message, frozen=True, tag=4):
    """A wish to change an order; 0 leaves a field as it is. ``qty`` is the new total."""

    no: No
    order: No
    qty: Qty = 0
    limit: Price = 0
    trigger: Price = 0


class Switch(Message, frozen=True, tag=5):
    """Turn the account's kill switch on or off."""

    no: No
    on: bool


class Ask(Message, frozen=True, tag=6):
    """A question about the account: ``orders`` (the open ones) or ``positions``."""

    what: Word


class Ping(Message, frozen=True, tag=7):
    """A sign of life; the other side answers with a ``Pong``."""


# --------------------------------------------------------------- what the gateway tells one session
class Welcome(Message, frozen=True, tag=20):
    """The answer to a ``Login``.

    ``seq`` is the number of the account's next event; ``last_no`` the highest request number that
    the account has used; ``instruments`` holds ``(symbol, tick_size, lot_size, minor_unit)``.
    """

    version: int
    account: int
    name: str
    may_trade: bool
    epoch: int
    seq: Seq
    last_no: LastNo
    instruments: tuple[tuple[str, str, str, str], ...]


class Refused(Message, frozen=True, tag=21):
    """A frame that was not taken: nothing of it happened, and it is not in the journal.

    ``no`` is the number of the request, or 0; ``last_no`` the highest number used so far.
    """

    code: str
    message: str
    no: int = 0
    last_no: LastNo = 0


class Pong(Message, frozen=True, tag=22):
    """The answer to a ``Ping``."""


class OpenOrder(Message, frozen=True, tag=23):
    """An open order, in answer to a question."""

    no: int
    symbol: str
    qty: int
    filled: int
    kind: Kind
    tif: Tif
    limit: int
    trigger: int
    status: str


class Position(Message, frozen=True, tag=24):
    """What an account holds of an instrument, in answer to a question.

    ``cost`` is what the position cost without fees (average price times quantity, signed),
    ``mark`` the price that it is valued at, or 0 where there is none.
    """

    symbol: str
    qty: int
    cost: int
    realized: int
    fees: int
    mark: int


class Orders(Message, frozen=True, tag=25):
    """The open orders of an account after its event ``seq - 1``."""

    seq: int
    orders: tuple[OpenOrder, ...]


class Positions(Message, frozen=True, tag=26):
    """Cash and positions of an account after its event ``seq - 1``."""

    seq: int
    cash: int
    is_killed: bool
    positions: tuple[Position, ...]


# -------------------------------------------- events of an account: in the journal and the stream
class Denied(Message, frozen=True, tag=31):
    """The gateway's own limits did not let an order pass; the venue has never heard of it."""

    account: int
    seq: int
    ts: int
    no: int
    client: int
    symbol: str
    qty: int
    kind: int
    tif: int
    limit: int
    trigger: int
    reason: str
    found: int
    allowed: int
    mark: int


class Accepted(Message, frozen=True, tag=32):
    """The venue has taken an order; ``venue_id`` is -1 where it only said so by what it did."""

    account: int
    seq: int
    ts: int
    no: int
    client: int
    venue_id: int
    symbol: str
    qty: int
    kind: int
    tif: int
    limit: int
    trigger: int


class Rejected(Message, frozen=True, tag=33):
    """The venue has not taken an order."""

    account: int
    seq: int
    ts: int
    no: int
    client: int
    reason: str


class Filled(Message, frozen=True, tag=34):
    """One execution; ``filled`` is the order's total after it, ``venue_ts`` the venue's time.

    Cash moves by ``value`` (what the venue charged, positive) and ``fee``; ``price`` is value per
    unit in whole ticks, for people.
    """

    account: int
    seq: int
    ts: int
    no: int
    fill_id: int
    symbol: str
    qty: int
    price: int
    value: int
    fee: int
    filled: int
    venue_ts: int


class Canceled(Message, frozen=True, tag=35):
    """An order ended without being filled whole; ``request`` is ``client``'s wish for it, or 0."""

    account: int
    seq: int
    ts: int
    no: int
    request: int
    client: int
    reason: str


class Expired(Message, frozen=True, tag=36):
    """An order's time in force has ended."""

    account: int
    seq: int
    ts: int
    no: int


class Replaced(Message, frozen=True, tag=37):
    """An order has these terms; ``request`` is ``client``'s wish, or 0 where the venue says so."""

    account: int
    seq: int
    ts: int
    no: int
    request: int
    client: int
    qty: int
    limit: int
    trigger: int


class RequestDenied(Message, frozen=True, tag=38):
    """A wish (cancel, replace) came to nothing; the order is as it was."""

    account: int
    seq: int
    ts: int
    no: int
    client: int
    order: int
    reason: str
    found: int = 0
    allowed: int = 0


class Unknown(Message, frozen=True, tag=39):
    """The venue did not answer in time: the order may work or not, until the venue says."""

    account: int
    seq: int
    ts: int
    no: int
    client: int


class KillSwitched(Message, frozen=True, tag=40):
    """The kill switch was turned; ``no`` is the request, or 0 where the operator did it."""

    account: int
    seq: int
    ts: int
    no: int
    client: int
    on: bool


# ------------------------------------------------------------------ records of the journal alone
class Submitted(Message, frozen=True, tag=50):
    """An order has passed the limits and goes to the venue; ``mark`` is the price they used."""

    account: int
    ts: int
    no: int
    client: int
    symbol: str
    qty: int
    kind: int
    tif: int
    limit: int
    trigger: int
    reduce_only: bool
    mark: int


class CancelRequested(Message, frozen=True, tag=51):
    """A cancel goes to the venue; ``no`` is 0 where the gateway itself asks (kill switch)."""

    account: int
    ts: int
    no: int
    client: int
    order: int


class ReplaceRequested(Message, frozen=True, tag=52):
    """A change of an order goes to the venue."""

    account: int
    ts: int
    no: int
    client: int
    order: int
    qty: int
    limit: int
    trigger: int
    mark: int


class Started(Message, frozen=True, tag=53):
    """A gateway began to write; every start has a higher ``epoch``."""

    ts: int
    epoch: int
    version: int


class AccountOpened(Message, frozen=True, tag=54):
    """An account exists from here on."""

    account: int
    ts: int
    name: str
    cash: int


class Listed(Message, frozen=True, tag=55):
    """An instrument can be traded from here on, with these units."""

    ts: int
    symbol: str
    tick_size: str
    lot_size: str
    minor_unit: str


class LimitsLoaded(Message, frozen=True, tag=56):
    """An account's limits from here on, by name."""

    account: int
    ts: int
    limits: dict[str, str]


class DayOpened(Message, frozen=True, tag=57):
    """A day of an account began at this equity."""

    account: int
    ts: int
    equity: int


class OrphanFilled(Message, frozen=True, tag=58):
    """A fill that belongs to no order in memory: it moved no ledger, and a person must look."""

    account: int
    ts: int
    no: int
    fill_id: int
    symbol: str
    qty: int
    price: int
    value: int
    fee: int


# ----------------------------------------------------------------- what the gateway tells the venue
class VenueLogin(Message, frozen=True, tag=60):
    """The gateway's first frame; fills above ``last_fill_id`` come first in what follows."""

    version: int
    gateway: Word
    epoch: Id
    last_fill_id: Id


class NewOrder(Message, frozen=True, tag=61):
    """An order under our id; a venue that knows the id already does nothing."""

    id: Id
    symbol: str
    qty: Qty
    kind: Kind
    tif: Tif
    limit: Price
    trigger: Price


class CancelOrder(Message, frozen=True, tag=62):
    """Cancel; ``request`` comes back in the answer."""

    id: Id
    request: int


class ReplaceOrder(Message, frozen=True, tag=63):
    """New terms of an order, all of them; ``qty`` is the total."""

    id: Id
    request: int
    qty: Qty
    limit: Price
    trigger: Price


class QueryOrder(Message, frozen=True, tag=64):
    """Ask what became of an order."""

    id: Id


# ----------------------------------------------------------------- what the venue tells the gateway
class VenueWelcome(Message, frozen=True, tag=70):
    """The venue knows the gateway; nothing of an earlier connection will be worked on any more.

    ``instruments`` are symbol, tick, lot and minor unit of what it lists; none is not said.
    """

    version: int
    venue: str
    instruments: tuple[tuple[str, str, str, str], ...] = ()


class VenueRefused(Message, frozen=True, tag=71):
    """The venue does not speak with this gateway; ``code`` says why."""

    code: str
    message: str


class OrderAccepted(Message, frozen=True, tag=72):
    """The order is in the venue's book."""

    id: Id
    venue_id: Id
    ts: int


class OrderRejected(Message, frozen=True, tag=73):
    """The order is not taken."""

    id: Id
    reason: str
    ts: int


class OrderFilled(Message, frozen=True, tag=74):
    """One execution; see ``Filled``."""

    id: Id
    fill_id: Id
    symbol: str
    qty: Qty
    price: Price
    value: Money
    fee: Money
    ts: int


class OrderCanceled(Message, frozen=True, tag=75):
    """The rest of the order is gone."""

    id: Id
    request: int
    reason: str
    ts: int


class OrderExpired(Message, frozen=True, tag=76):
    """The order's time is over."""

    id: Id
    ts: int


class OrderReplaced(Message, frozen=True, tag=77):
    """The order has these terms now."""

    id: Id
    request: int
    qty: Qty
    limit: Price
    trigger: Price
    ts: int


class ChangeRejected(Message, frozen=True, tag=78):
    """A cancel or a replace came too late, or for an order that is not there."""

    id: Id
    request: int
    reason: str
    ts: int


class OrderStatus(Message, frozen=True, tag=79):
    """What the venue knows of an order; ``status`` is ``not_found`` or a word of an order's state.

    ``fills`` holds all of its executions, so that none can be missed or counted twice.
    """

    id: Id
    status: str
    venue_id: int
    qty: Qty
    limit: Price
    trigger: Price
    fills: tuple[OrderFilled, ...]
    ts: int


class Quote(Message, frozen=True, tag=80):
    """The best prices of an instrument; a bar's close is both of them."""

    symbol: str
    bid: int
    ask: int
    bid_qty: int
    ask_qty: int
    ts: int


ClientRequest = Login | Submit | Cancel | Replace | Switch | Ask | Ping
Event = (
    Denied
    | Accepted
    | Rejected
    | Filled
    | Canceled
    | Expired
    | Replaced
    | RequestDenied
    | Unknown
    | KillSwitched
)
ToClient = Event | Welcome | Refused | Pong | Ping | Orders | Positions
Record = (
    Event
    | Submitted
    | CancelRequested
    | ReplaceRequested
    | Started
    | AccountOpened
    | Listed
    | LimitsLoaded
    | DayOpened
    | OrphanFilled
)
ToVenue = VenueLogin | NewOrder | CancelOrder | ReplaceOrder | QueryOrder | Ping | Pong
FromVenue = (
    VenueWelcome
    | VenueRefused
    | OrderAccepted
    | OrderRejected
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderReplaced
    | ChangeRejected
    | OrderStatus
    | Quote
    | Ping
    | Pong
)

encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(ClientRequest).decode
decode_to_client = msgspec.msgpack.Decoder(ToClient).decode
decode_record = msgspec.msgpack.Decoder(Record).decode
decode_to_venue = msgspec.msgpack.Decoder(ToVenue).decode
decode_from_venue = msgspec.msgpack.Decoder(FromVenue).decode
