"""A gateway that talks to a paper venue in memory, and remembers what it was told."""

from typing import Any, TypeVar

from neural_trader.core.orders import KINDS, TIMES_IN_FORCE
from neural_trader.core.sessions import DAY_NS
from neural_trader.execution import messages as m
from neural_trader.execution.listing import Listing
from neural_trader.execution.venues.paper import Market, PaperConfig, PaperVenue, make_listings

NOW = 18_000 * DAY_NS
ACCOUNT = 1
T = TypeVar("T")


class Paper:
    """A venue, logged in to; orders are numbered from 1."""

    def __init__(self, market: Market, **config: Any) -> None:
        self.venue = PaperVenue(market, PaperConfig(**config))
        self.now = NOW
        self.told: list[m.FromVenue] = []
        self.no = 0
        self.hear(self.venue.login(m.VenueLogin(m.VERSION, "test", 1, 0), self.now))

    def hear(self, messages: list[m.FromVenue]) -> list[m.FromVenue]:
        self.told += messages
        return messages

    def say(self, message: m.ToVenue) -> list[m.FromVenue]:
        return self.hear(self.venue.on_message(message, self.now))

    def order(
        self,
        qty: int,
        kind: str = "market",
        tif: str = "GTC",
        *,
        symbol: str = "A",
        limit: int = 0,
        trigger: int = 0,
    ) -> list[m.FromVenue]:
        """Send an order, and return what comes back at once."""
        self.no += 1
        return self.say(
            m.NewOrder(
                identity(self.no),
                symbol,
                qty,
                KINDS.index(kind),
                TIMES_IN_FORCE.index(tif),
                limit,
                trigger,
            )
        )

    def cancel(self, no: int) -> list[m.FromVenue]:
        return self.say(m.CancelOrder(identity(no), 1_000 + no))

    def replace(self, no: int, qty: int, limit: int = 0, trigger: int = 0) -> list[m.FromVenue]:
        return self.say(m.ReplaceOrder(identity(no), 2_000 + no, qty, limit, trigger))

    def status(self, no: int) -> m.OrderStatus:
        (status,) = self.say(m.QueryOrder(identity(no)))
        assert isinstance(status, m.OrderStatus)
        return status

    def step(self, ns: int = 1_000_000_000) -> list[m.FromVenue]:
        """Move the market, and return what it did beside quotes."""
        self.now += ns
        said = self.hear(self.venue.advance(self.now))
        return [one for one in said if not isinstance(one, m.Quote)]

    def fills(self, no: int = 0) -> list[m.OrderFilled]:
        """Return the fills told so far, of one order or of all."""
        return [one for one in only(self.told, m.OrderFilled) if no in (0, m.owner_of(one.id)[1])]


def identity(no: int, account: int = ACCOUNT) -> int:
    return m.order_id(account, no)


def only(told: list[m.FromVenue], kind: type[T]) -> list[T]:
    """Return the messages of one kind."""
    return [one for one in told if isinstance(one, kind)]


def listings(*symbols: str, **units: str) -> dict[str, Listing]:
    return make_listings(symbols or ("A",), **units)


def brief(fills: list[Any]) -> list[tuple[int, int]]:
    """Return (lots, price) of fills."""
    return [(fill.qty, fill.price) for fill in fills if isinstance(fill, m.OrderFilled)]
