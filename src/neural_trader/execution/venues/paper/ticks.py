"""The market of ticks: recorded quotes and prints, one after the other.

A marketable order fills at the quote, against what is left of its size until the next quote of the
symbol. A resting limit fills at its limit when a later quote or print trades through it, against
the size of that quote or print.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from neural_trader.core.costs import Costs
from neural_trader.core.errors import DataError
from neural_trader.core.matching import Matching
from neural_trader.execution.listing import Listing
from neural_trader.execution.messages import QTY_MAX
from neural_trader.execution.venues.paper.market import FOK, Desk, PaperOrder
from neural_trader.execution.venues.paper.quoted import QuotedMarket, Touch


class Tick(NamedTuple):
    """A quote of a symbol, a print, or both: the print comes first. A price of 0 is none."""

    ts: int
    symbol: str
    bid: int = 0
    ask: int = 0
    bid_qty: int = 0
    ask_qty: int = 0
    price: int = 0
    qty: int = 0


class TickMarket(QuotedMarket):
    """A replay of quotes and prints; a step plays all that have one stamp.

    Parameters
    ----------
    listings : mapping of str to Listing
    ticks : iterable of Tick
        Stamps never fall.
    costs, matching
        As for ``QuotedMarket``.

    Raises
    ------
    DataError
        There is no tick, a stamp falls, a symbol is not listed, a bid lies above its ask, or a
        number is negative.
    """

    is_replay = True

    def __init__(
        self,
        listings: Mapping[str, Listing],
        ticks: Iterable[Tick],
        *,
        costs: Costs | None = None,
        matching: Matching | None = None,
    ) -> None:
        super().__init__(listings, costs=costs, matching=matching)
        self._ticks = list(ticks)
        self._at = 0
        _check(self._ticks, listings)

    def step(self, ts: int, desk: Desk) -> None:  # noqa: ARG002 - the ticks have their own time
        """Play what has the next stamp."""
        ticks = self._ticks
        if self.is_over:
            return
        now = ticks[self._at].ts
        self.time = now
        self._open_session(now, desk)
        while self._at < len(ticks) and ticks[self._at].ts == now:
            tick = ticks[self._at]
            self._at += 1
            touch = self._touches[tick.symbol]
            if tick.price:
                self._print(tick, touch, desk)
            if tick.bid or tick.ask:
                touch.bid, touch.ask = tick.bid, tick.ask
                touch.bid_qty, touch.ask_qty = tick.bid_qty, tick.ask_qty
                desk.quote(touch.quote(now))
                self._work_all(touch, desk)
        if self._at == len(ticks):
            self.is_over = True
            self._close(desk)

    def _print(self, tick: Tick, touch: Touch, desk: Desk) -> None:
        """Wake stops, and fill the resting limits that a print trades through."""
        left, price = tick.qty, tick.price
        for order in list(touch.working.values()):
            if order.sleeps:
                if price >= order.trigger if order.qty > 0 else price <= order.trigger:
                    order.is_triggered = True
                    self._work(order, touch, desk)
            elif order.limit and order.is_resting and left and self._is_through(order, price):
                lots = min(left, abs(order.qty - order.filled))
                left -= lots
                self._book(order, touch, desk, lots=lots, price=order.limit)
            if not order.is_open:
                del touch.working[order.id]

    def _take(self, order: PaperOrder, touch: Touch, desk: Desk) -> None:
        """Fill against what is left of the quote."""
        rest, limit = order.qty - order.filled, order.limit
        price, size = (touch.ask, touch.ask_qty) if rest > 0 else (touch.bid, touch.bid_qty)
        lots = min(abs(rest), size)
        if not price or not lots or (order.tif == FOK and lots < abs(rest)):
            return
        if limit and (price > limit if rest > 0 else price < limit):
            return
        self._use(touch, lots, buying=rest > 0)
        self._book(order, touch, desk, lots=lots, price=price)

    def _lots_for(self, rest: int, touch: Touch) -> int:
        """Return, and use up, what is left of the quote."""
        lots = min(abs(rest), touch.ask_qty if rest > 0 else touch.bid_qty)
        self._use(touch, lots, buying=rest > 0)
        return lots

    @staticmethod
    def _use(touch: Touch, lots: int, *, buying: bool) -> None:
        if buying:
            touch.ask_qty -= lots
        else:
            touch.bid_qty -= lots


def _check(ticks: list[Tick], listings: Mapping[str, Listing]) -> None:
    """Refuse ticks that make no market."""
    if not ticks:
        message = "there is no tick to replay; expected at least one"
        raise DataError(message)
    last = ticks[0].ts
    for number, tick in enumerate(ticks, start=1):
        where = f"tick {number:,} ({tick.symbol})"
        if tick.symbol not in listings:
            message = f"{where} is not of a listed symbol: {', '.join(listings)}"
            raise DataError(message)
        if tick.ts < last:
            message = f"{where} has the stamp {tick.ts}, before the {last} above it; sort by time"
            raise DataError(message)
        if tick.bid > tick.ask > 0:
            message = f"{where} has a bid of {tick.bid} ticks above its ask of {tick.ask}"
            raise DataError(message)
        if min(tick[2:]) < 0:
            message = f"{where} has a negative price or size"
            raise DataError(message)
        last = tick.ts


def read_ticks(
    rows: Iterable[tuple[int, str, tuple[float | None, ...]]], listings: Mapping[str, Listing]
) -> list[Tick]:
    """Return rows of a file as ticks; prices go to the nearest tick, sizes to whole lots.

    Parameters
    ----------
    rows : iterable of (stamp in ns, symbol, values)
        Values are bid, ask, bid size, ask size, and the price and size of a print; None is
        missing. A quote without a size has any.
    listings : mapping of str to Listing
        Rows of other symbols are left out.
    """
    found = []
    for ts, symbol, (bid, ask, bid_size, ask_size, price, size) in rows:
        listing = listings.get(symbol)
        if listing is None:
            continue
        lot = float(listing.lot_size)
        bid_lots, ask_lots, lots = (
            QTY_MAX if one is None else int(one / lot + 1e-9) for one in (bid_size, ask_size, size)
        )
        bid_ticks, ask_ticks, ticks = (
            listing.nearest_ticks(one) if one else 0 for one in (bid, ask, price)
        )
        found.append(Tick(ts, symbol, bid_ticks, ask_ticks, bid_lots, ask_lots, ticks, lots))
    return found
