"""The state of a gateway as bytes: what the records up to one place of the journal come to.

A checkpoint stands for the records before it, so that they need not be kept and a start need not
read them. It holds everything that replay would bring back and nothing else: the same records give
the same bytes, and a gateway that begins with a checkpoint is, to the byte, the one that has read
all of them.
"""

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from neural_trader.core.errors import JournalError
from neural_trader.execution.accounts import Account, Request
from neural_trader.execution.ledger import Book
from neural_trader.execution.limits import Bounds, Limits
from neural_trader.execution.listing import Listing
from neural_trader.execution.orders import LiveOrder

if TYPE_CHECKING:
    from neural_trader.execution.core import Core

VERSION: Final = 1
_ORDER: Final = tuple(LiveOrder.__slots__)
_REQUEST: Final = tuple(Request.__slots__)
_HOLDING: Final = ("qty", "cost", "realized", "fees", "buys", "sells")


class AccountImage(msgspec.Struct, array_like=True, frozen=True):
    """An account; orders and requests are the values of their slots, in the order of the names."""

    number: int
    name: str
    opening: int
    cash: int
    is_killed: bool
    killed_no: int
    seq: int
    last_no: int
    forgotten_no: int
    day: int
    day_equity: int
    limits: dict[str, str]
    holdings: list[tuple[str, int, int, int, int, int, int]]
    open: list[list[Any]]
    ended: list[list[Any]]
    requests: list[list[Any]]
    replies: list[tuple[int, int, bytes]]
    rate: tuple[int, int, int]
    """Written by earlier versions, and read by none: an estimate instead of ``passed``."""
    recent: list[tuple[tuple[str, int, int, int, int], int]]
    passed: list[int] = []


class Image(msgspec.Struct, array_like=True, frozen=True):
    """A whole gateway, as the records before number ``next_seq`` leave it."""

    version: int
    next_seq: int
    epoch: int
    last_fill_id: int
    orphans: int
    orphan_ids: list[int]
    listings: list[tuple[str, str, str, str]]
    accounts: list[AccountImage]
    born: int = 0


def take_image(core: "Core", next_seq: int) -> bytes:
    """Return the state of a core that has applied the records before number ``next_seq``."""
    image = Image(
        VERSION,
        next_seq,
        core.epoch,
        core.last_fill_id,
        core.orphans,
        list(core.orphan_ids),
        [listing.sizes for listing in core.listings.values()],
        [
            _account_image(account, core.limits_of(account.number))
            for account in core.accounts.values()
        ],
        core.born,
    )
    return msgspec.msgpack.encode(image)


def read_image(data: bytes) -> Image:
    """Return what ``take_image`` gave.

    Raises
    ------
    JournalError
        The bytes are no checkpoint, or another version wrote them.
    """
    try:
        image = msgspec.msgpack.decode(data, type=Image)
    except msgspec.DecodeError as error:
        message = f"a checkpoint is whole, but cannot be understood: {error}"
        raise JournalError(message) from error
    if image.version != VERSION:
        message = (
            f"a checkpoint has version {image.version}, and this program reads version {VERSION}: "
            "use the neural-trader that wrote it"
        )
        raise JournalError(message)
    return image


def restore_image(core: "Core", data: bytes) -> None:
    """Bring a new core to where another one was.

    Raises
    ------
    JournalError
        As for ``read_image``.
    """
    image = read_image(data)
    core.epoch = image.epoch
    core.born = image.born
    core.last_fill_id = image.last_fill_id
    core.orphans = image.orphans
    core.orphan_ids.extend(image.orphan_ids)
    for sizes in image.listings:
        core.add_listing(Listing(*sizes))
    for one in image.accounts:
        account = _restore_account(core, one)
        # Whoever wants an earlier event is told that it is no longer kept.
        account.index.append((account.seq, image.next_seq))
        account.first_seq = account.seq


def _account_image(account: Account, limits: Limits) -> AccountImage:
    book = account.book
    return AccountImage(
        account.number,
        account.name,
        book.opening,
        book.cash,
        account.is_killed,
        account.killed_no,
        account.seq,
        account.last_no,
        account.forgotten_no,
        account.day,
        account.day_equity,
        limits.as_text(),
        [
            (symbol, *(getattr(holding, name) for name in _HOLDING))
            for symbol, holding in book.holdings.items()
        ],
        [[getattr(order, name) for name in _ORDER] for order in account.open.values()],
        [[getattr(order, name) for name in _ORDER] for order in account.ended.values()],
        [[getattr(wish, name) for name in _REQUEST] for wish in account.requests.values()],
        [(no, *account.replies[no]) for no in account.replied],
        (0, 0, 0),
        list(account.recent.items()),
        list(account.rate.passed),
    )


def _restore_account(core: "Core", image: AccountImage) -> Account:
    limits = Limits.from_text(image.limits)
    book = Book(image.opening, core.scale)
    book.cash = image.cash
    account = Account(image.number, image.name, book, Bounds(limits, core.listings, core.scale))
    for symbol, *values in image.holdings:
        holding = book.holding(core.listings[symbol], 0)
        for name, value in zip(_HOLDING, values, strict=True):
            setattr(holding, name, value)
        book.revalue(holding)
    account.is_killed = image.is_killed
    account.killed_no = image.killed_no
    account.seq = image.seq
    account.last_no = image.last_no
    account.forgotten_no = image.forgotten_no
    account.day = image.day
    account.day_equity = image.day_equity
    account.open = {order.no: order for order in map(restore_order, image.open)}
    account.ended = {order.no: order for order in map(restore_order, image.ended)}
    account.ended_nos = deque(account.ended)
    account.requests = {wish.no: wish for wish in map(_request, image.requests)}
    account.replies = {no: (client, reply) for no, client, reply in image.replies}
    account.replied = deque(account.replies)
    account.rate.passed.extend(image.passed)
    account.recent = dict(image.recent)
    core.add_account(account, limits)
    return account


def restore_order(values: list[Any]) -> LiveOrder:
    """Return an order of an image."""
    order = LiveOrder(0, 0, 0, "")
    for name, value in zip(_ORDER, values, strict=True):
        setattr(order, name, value)
    order.fill_ids = tuple(order.fill_ids)
    return order


def _request(values: list[Any]) -> Request:
    wish = Request(0, 0, 0, 0)
    for name, value in zip(_REQUEST, values, strict=True):
        setattr(wish, name, value)
    return wish
