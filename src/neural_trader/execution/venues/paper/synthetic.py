"""The synthetic market: a seeded walk of whole ticks, with a spread and several levels a side.

Every level holds the same number of lots, and what an order takes is there again for the next one:
the depth never runs out, and nobody moves the price. It is the market of benchmarks and of first
steps; what it costs to match an order stays near nothing.
"""

from collections.abc import Mapping

from neural_trader.core.costs import Costs
from neural_trader.core.matching import Matching
from neural_trader.execution.listing import Listing
from neural_trader.execution.venues.paper.config import SyntheticShape
from neural_trader.execution.venues.paper.draws import Draws
from neural_trader.execution.venues.paper.market import FOK, Desk, PaperOrder
from neural_trader.execution.venues.paper.quoted import QuotedMarket, Touch


class SyntheticMarket(QuotedMarket):
    """A made-up market that never closes.

    Parameters
    ----------
    listings : mapping of str to Listing
    seed : int
        Of the walk; every symbol has one of its own.
    shape : SyntheticShape, optional
    costs, matching
        As for ``QuotedMarket``.

    Notes
    -----
    At a step a bid moves by -1, 0 or +1 tick, each as likely; where it would leave no room for the
    levels below it, it moves up instead. ``ask = bid + spread``.
    """

    def __init__(
        self,
        listings: Mapping[str, Listing],
        *,
        seed: int = 1,
        shape: SyntheticShape | None = None,
        costs: Costs | None = None,
        matching: Matching | None = None,
    ) -> None:
        super().__init__(listings, costs=costs, matching=matching)
        self._shape = shape = shape or SyntheticShape()
        self._level_lots = shape.level_lots
        first = Draws(seed)
        self._draws = {name: Draws(first.next()) for name in listings}
        for touch in self._touches.values():
            self._put(touch, shape.start)

    def _put(self, touch: Touch, bid: int) -> None:
        touch.bid, touch.ask = bid, bid + self._shape.spread
        touch.bid_qty = touch.ask_qty = self._level_lots

    def step(self, ts: int, desk: Desk) -> None:
        """Move every symbol by a step, and fill what that fills."""
        self._open_session(ts, desk)
        for symbol, touch in self._touches.items():
            move = (self._draws[symbol].next() >> 33) % 3 - 1
            if not move and not touch.working:
                continue
            bid = touch.bid + move
            self._put(touch, bid if bid > self._shape.levels else touch.bid + 1)
            if move:
                desk.quote(touch.quote(ts))
            if touch.working:
                self._work_all(touch, desk)

    def _take(self, order: PaperOrder, touch: Touch, desk: Desk) -> None:
        """Walk the levels, from the best on."""
        rest, limit, size = order.qty - order.filled, order.limit, self._level_lots
        if rest > 0:
            price, way = touch.ask, 1
        else:
            price, way, rest = touch.bid, -1, -rest
        levels = self._shape.levels
        if limit:
            within = (limit - price) * way + 1
            levels = levels if levels < within else within
        if order.tif == FOK and rest > levels * size:
            return
        while levels > 0 and rest:
            lots = rest if rest < size else size
            self._book(order, touch, desk, lots=lots, price=price)
            rest -= lots
            price += way
            levels -= 1

    def _lots_for(self, rest: int, touch: Touch) -> int:  # noqa: ARG002 - the market moved past it
        """Return the whole rest."""
        return abs(rest)
