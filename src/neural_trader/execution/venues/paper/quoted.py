"""What markets with a bid and an ask have in common: whole numbers, fills at once, resting limits.

An order that is marketable takes what stands on the other side, at those prices. A limit that is
not rests, and fills at its limit once the market trades through it. A stop to buy wakes up when the
ask, or a print, is at or above its trigger; one to sell when the bid, or a print, is at or below.
Orders of a symbol are worked in the order in which they came.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from neural_trader.core.costs import Costs
from neural_trader.core.errors import ConfigError
from neural_trader.core.matching import Matching
from neural_trader.core.sessions import DAY_NS
from neural_trader.execution.listing import Listing
from neural_trader.execution.messages import Quote
from neural_trader.execution.venues.paper.market import (
    DAY,
    FOK,
    IOC,
    NO_SESSION,
    STOPPED,
    Desk,
    PaperOrder,
)

_BPS: Final = 10_000


class Touch:
    """The two best prices of a symbol, what is left at them, and the orders that wait.

    A price is 0 where nobody quotes; ``tick_value`` is the minor units that a tick of a lot is
    worth, or 0 where that is no whole number.
    """

    __slots__ = ("ask", "ask_qty", "bid", "bid_qty", "listing", "tick_value", "working")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.tick_value = listing.weight(1) if listing.denominator == 1 else 0
        self.bid = self.ask = self.bid_qty = self.ask_qty = 0
        self.working: dict[int, PaperOrder] = {}

    def quote(self, ts: int) -> Quote:
        """Return the prices as a message."""
        return Quote(self.listing.symbol, self.bid, self.ask, self.bid_qty, self.ask_qty, ts)


class QuotedMarket:
    """Orders against a bid and an ask; those who inherit move the prices and say what is there.

    Parameters
    ----------
    listings : mapping of str to Listing
    costs : Costs, optional
        A fee by value alone: the spread is in the quotes.
    matching : Matching, optional

    Raises
    ------
    ConfigError
        Slippage, another kind of fee, or a share of volumes.
    """

    is_replay = False

    def __init__(
        self,
        listings: Mapping[str, Listing],
        *,
        costs: Costs | None = None,
        matching: Matching | None = None,
    ) -> None:
        costs, matching = costs or Costs(), matching or Matching()
        if not costs.is_by_rate or costs.slippage_bps:
            message = (
                f"costs are {costs}; a market with quotes takes fee_bps alone, because slippage "
                "is its spread and its sizes"
            )
            raise ConfigError(message)
        if matching.volume_share is not None:
            message = f"volume_share is {matching.volume_share!r}; only bars have volumes to share"
            raise ConfigError(message)
        self.time = 0
        self.is_over = False
        rate = Fraction(repr(costs.fee_bps)) / _BPS
        self._fee_numerator, self._fee_denominator = rate.numerator, rate.denominator
        # By so much a price must be better than a limit for the limit to be filled.
        self._beyond = 1 if matching.limit_fills == "through" else 0
        self.listings = listings
        self._touches = {name: Touch(one) for name, one in listings.items()}
        self._session = NO_SESSION

    def refusal(self, symbol: str) -> str:
        """Return why no order can be made in a symbol, or an empty text."""
        if symbol not in self._touches:
            return "unknown_symbol"
        return "market_closed" if self.is_over else ""

    def quotes(self) -> list[Quote]:
        """Return the prices of every symbol that has some."""
        return [one.quote(self.time) for one in self._touches.values() if one.bid or one.ask]

    def enter(self, order: PaperOrder, desk: Desk) -> None:
        """Fill what is marketable; the rest waits, or is canceled, as its time in force says."""
        touch = self._touches[order.symbol]
        order.session = self._session
        if order.kind < STOPPED:
            self._take(order, touch, desk)
            if order.filled == order.qty:
                return
            order.is_resting = not _is_marketable(order, touch)
        else:
            self._work(order, touch, desk)
        if order.tif >= IOC and order.is_open:
            desk.cancel(order, "fill_or_kill" if order.tif == FOK else "immediate_or_cancel")
        if order.is_open:
            touch.working[order.id] = order

    def change(self, order: PaperOrder, desk: Desk) -> None:
        """Work an order at once under its new terms; it keeps its place."""
        touch = self._touches[order.symbol]
        order.is_resting = False
        self._work(order, touch, desk)
        if not order.is_open:
            touch.working.pop(order.id, None)

    def leave(self, order: PaperOrder) -> None:
        """Let an order go."""
        self._touches[order.symbol].working.pop(order.id, None)

    def step(self, ts: int, desk: Desk) -> None:
        """Move the prices."""
        raise NotImplementedError

    # ------------------------------------------------------------------------- for who inherits
    def _take(self, order: PaperOrder, touch: Touch, desk: Desk) -> None:
        """Fill what stands on the other side within the limit; a FOK order whole or not at all."""
        raise NotImplementedError

    def _lots_for(self, rest: int, touch: Touch) -> int:
        """Return, and use up, what a resting order of so many signed lots gets from a quote."""
        raise NotImplementedError

    def _work(self, order: PaperOrder, touch: Touch, desk: Desk) -> None:
        """Fill what the present quote fills of an order."""
        buying = order.qty > 0
        price = touch.ask if buying else touch.bid
        if order.sleeps:
            if not price or not _wakes(order, price):
                return
            order.is_triggered = True
        if order.limit and order.is_resting:
            if price and self._is_through(order, price):
                lots = self._lots_for(order.qty - order.filled, touch)
                if lots:
                    self._book(order, touch, desk, lots=lots, price=order.limit)
            return
        self._take(order, touch, desk)
        order.is_resting = not _is_marketable(order, touch)

    def _is_through(self, order: PaperOrder, price: int) -> bool:
        """Whether a price means that a resting limit was filled."""
        beyond = order.limit - price if order.qty > 0 else price - order.limit
        return beyond >= self._beyond

    def _work_all(self, touch: Touch, desk: Desk) -> None:
        """Work every order of a symbol at its new quote."""
        working = touch.working
        for order in list(working.values()):
            self._work(order, touch, desk)
            if not order.is_open:
                del working[order.id]

    def _book(self, order: PaperOrder, touch: Touch, desk: Desk, *, lots: int, price: int) -> None:
        """Tell the desk of a fill of so many lots, a number above 0."""
        value = price * lots * touch.tick_value or touch.listing.value(price, lots)
        fee = self._fee_numerator and self._fee(value)
        desk.fill(order, lots if order.qty > 0 else -lots, price, value=value, fee=fee)

    def _fee(self, value: int) -> int:
        """Return the fee on a value, halves to the even minor unit."""
        whole, rest = divmod(value * self._fee_numerator, self._fee_denominator)
        twice = 2 * rest
        return whole + (
            twice > self._fee_denominator or (twice == self._fee_denominator and whole & 1)
        )

    def _open_session(self, ts: int, desk: Desk) -> None:
        """Expire the DAY orders of an earlier day, once a new one has begun."""
        session = ts // DAY_NS
        if session == self._session:
            return
        self._session = session
        for touch in self._touches.values():
            for order in list(touch.working.values()):
                if order.session == NO_SESSION:
                    order.session = session
                elif order.tif == DAY and order.session != session:
                    desk.expire(order)
                    del touch.working[order.id]

    def _close(self, desk: Desk) -> None:
        """Expire what is open when nothing will trade any more."""
        for touch in self._touches.values():
            for order in list(touch.working.values()):
                desk.expire(order)
            touch.working.clear()


def _is_marketable(order: PaperOrder, touch: Touch) -> bool:
    """Whether an order could trade at the present quote, had there been enough."""
    if not order.limit:
        return True
    if order.qty > 0:
        return 0 < touch.ask <= order.limit
    return touch.bid >= order.limit


def _wakes(order: PaperOrder, price: int) -> bool:
    """Whether a price triggers a stop."""
    return price >= order.trigger if order.qty > 0 else price <= order.trigger
