"""The reference order book: the rules of ``docs/semantics.md``, "Orders", in plain Python.

This module is the law. ``neural_trader._kernels.book`` must agree with it on every fill, field by
field and to the bit. One symbol's bar comes in as plain numbers; orders, cash and quantities are
kept here, and nothing else is known: no bar of the future is ever inside.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from neural_trader.core import Costs, Instrument, Matching

# A limit price that was computed may miss its tick by a rounding: so much of a tick is enough.
_TICK_SLACK = 1.0 - 1e-6


class Bar(NamedTuple):
    """One bar of one symbol; ``session`` numbers days, ``month`` numbers months."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    session: int
    month: int


class BookFill(NamedTuple):
    """One execution: time slice, symbol, order, and what it did."""

    bar: int
    leg: int
    order_id: int
    qty: float
    reference_price: float
    price: float
    fee: float
    cash: float


@dataclass
class ReferenceOrder:
    """An order; ``placed`` is the time slice after which its present terms work."""

    id: int
    leg: int
    qty: float
    limit: float | None
    stop: float | None
    tif: str
    placed: int
    status: str = "accepted"
    filled: float = 0.0
    is_triggered: bool = False
    session: int | None = None
    fee_due: float = 0.0
    fee_paid: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in ("accepted", "partially_filled")


@dataclass
class ReferenceBook:
    """Orders, cash and quantities of one account."""

    cash: float
    costs: Costs
    matching: Matching
    instruments: tuple[Instrument, ...]
    on_fill: Callable[[BookFill], None]
    qty: list[float] = field(default_factory=list)
    orders: list[ReferenceOrder] = field(default_factory=list)
    working: list[list[ReferenceOrder]] = field(default_factory=list)
    fills: list[BookFill] = field(default_factory=list)
    ambiguous_bars: int = 0
    month: int = -1
    traded: float = 0.0
    available: float = math.inf

    def __post_init__(self) -> None:
        """Begin flat."""
        self.qty = [0.0] * len(self.instruments)
        self.working = [[] for _ in self.instruments]

    # ---------------------------------------------------------------------------------- orders
    def place(
        self,
        leg: int,
        qty: float,
        *,
        limit: float | None,
        stop: float | None,
        tif: str,
        now: int,
    ) -> ReferenceOrder:
        """Take an order that is known to be sound; it works from the bar after ``now``."""
        instrument, buying = self.instruments[leg], qty > 0.0
        if limit is not None:
            limit = instrument.passive_price(limit, down=buying)
        if stop is not None:
            stop = instrument.passive_price(stop, down=not buying)
        order = ReferenceOrder(len(self.orders), leg, qty, limit, stop, tif, now)
        self.orders.append(order)
        self.working[leg].append(order)
        return order

    def replace(
        self, order_id: int, qty: float, *, limit: float | None, stop: float | None, now: int
    ) -> None:
        """Change an open order; it keeps its place and works anew from the bar after ``now``."""
        order = self.orders[order_id]
        instrument, buying = self.instruments[order.leg], qty > 0.0
        order.qty, order.placed = qty, now
        if limit is not None:
            order.limit = instrument.passive_price(limit, down=buying)
        if stop is not None:
            order.stop = instrument.passive_price(stop, down=not buying)

    # --------------------------------------------------------------------------------- matching
    def match(self, leg: int, bar: Bar, now: int) -> None:
        """Fill what one bar of one symbol fills: at the open, then stops, then limits."""
        share = self.matching.volume_share
        lots = self.instruments[leg]
        self.available = math.inf if share is None else lots.whole_lots(share * bar.volume)
        orders = [order for order in self.working[leg] if order.placed < now]
        for order in orders:
            if order.session is None:
                order.session = bar.session
            elif order.tif == "DAY" and order.is_open and bar.session != order.session:
                order.status = "expired"
        for order in orders:
            if order.is_open and order.placed < now:
                self._at_the_open(order, bar, now)
                if order.is_open and order.tif in ("IOC", "FOK"):
                    order.status = "canceled"
        stopped = limited = False
        for order in orders:
            if order.is_open and order.placed < now and order.stop is not None:
                stopped |= self._during_stop(order, bar, now)
        for order in orders:
            if order.is_open and order.placed < now and order.limit is not None:
                limited |= self._during_limit(order, bar, now)
        # Which of the two came first within the bar is not known; the stop is taken to have.
        self.ambiguous_bars += stopped and limited
        self.working[leg] = [order for order in self.working[leg] if order.is_open]

    def _at_the_open(self, order: ReferenceOrder, bar: Bar, now: int) -> None:
        """Fill what the first price of the bar fills."""
        buying = order.qty > 0.0
        if order.stop is not None and not order.is_triggered:
            if not (bar.open >= order.stop if buying else bar.open <= order.stop):
                return
            order.is_triggered = True
        if order.limit is None:
            self._execute(order, bar, now, (bar.open, self._slipped(bar.open, buying=buying)))
        elif self._is_through(order, bar.open):
            self._execute(order, bar, now, (bar.open, bar.open))

    def _during_stop(self, order: ReferenceOrder, bar: Bar, now: int) -> bool:
        """Fill a stop whose trigger lies within the bar; return whether it filled."""
        stop, buying = order.stop, order.qty > 0.0
        if stop is None or order.is_triggered:
            return False
        if not (bar.high >= stop if buying else bar.low <= stop):
            return False
        order.is_triggered = True
        price = self._slipped(stop, buying=buying)
        limit = order.limit
        if limit is None:
            return self._execute(order, bar, now, (stop, price))
        if stop <= limit if buying else stop >= limit:
            price = min(price, limit) if buying else max(price, limit)
            return self._execute(order, bar, now, (stop, price))
        # The price had passed the limit when the order woke up. That it came back within the bar is
        # certain only if the bar closed beyond the limit.
        if self._is_through(order, bar.close):
            return self._execute(order, bar, now, (limit, limit))
        # It works as a plain limit from the next bar on: this bar's extreme may lie before it.
        order.placed = now
        return False

    def _during_limit(self, order: ReferenceOrder, bar: Bar, now: int) -> bool:
        """Fill a limit that the bar trades through; return whether it filled."""
        limit = order.limit
        if limit is None or (order.stop is not None and not order.is_triggered):
            return False
        if not self._is_through(order, bar.low if order.qty > 0.0 else bar.high):
            return False
        return self._execute(order, bar, now, (limit, limit))

    def _is_through(self, order: ReferenceOrder, price: float) -> bool:
        """Whether a trade at this price means that the limit was filled."""
        if order.limit is None:
            return False
        beyond = order.limit - price if order.qty > 0.0 else price - order.limit
        if self.matching.limit_fills == "touch":
            return beyond >= 0.0
        tick = self.instruments[order.leg].tick_size
        return beyond > 0.0 and beyond >= tick * _TICK_SLACK

    def _slipped(self, reference: float, *, buying: bool) -> float:
        """Return a price moved against the trader."""
        rate, half = self.costs.slippage_rate, self.costs.half_spread
        if buying:
            return reference * (1.0 + rate) + half
        return max(reference * (1.0 - rate) - half, 0.0)

    def _execute(
        self, order: ReferenceOrder, bar: Bar, now: int, prices: tuple[float, float]
    ) -> bool:
        """Fill at (reference, price) what the volume allows; return whether anything filled."""
        reference, price = prices
        lots = self.instruments[order.leg]
        rest = lots.on_grid(order.qty - order.filled)
        units = abs(rest)
        if units > self.available:
            if order.tif == "FOK" or self.available == 0.0:
                return False
            units = self.available
        self.available -= units
        whole = units == abs(rest)
        qty = rest if whole else math.copysign(units, rest)
        order.filled = order.qty if whole else lots.on_grid(order.filled + qty)
        order.status = "filled" if whole else "partially_filled"
        value = units * price
        order.fee_due += self._rate(bar.month) * value + self.costs.fee_per_share * units
        self.traded += value
        due = max(order.fee_due, self.costs.fee_minimum)
        fee, order.fee_paid = due - order.fee_paid, due
        self.cash = self.cash - qty * price - fee
        self.qty[order.leg] = lots.on_grid(self.qty[order.leg] + qty)
        fill = BookFill(now, order.leg, order.id, qty, reference, price, fee, self.cash)
        self.fills.append(fill)
        self.on_fill(fill)
        return True

    def _rate(self, month: int) -> float:
        """Return the fee rate that the month's trading so far has come to."""
        if month != self.month:
            self.month, self.traded = month, 0.0
        rate = self.costs.fee_rate
        for value, tier in self.costs.tier_rates:
            if self.traded >= value:
                rate = tier
        return rate

    # --------------------------------------------------------------------------------- the end
    def close_out(self, leg: int, bar: Bar, now: int) -> None:
        """Close a symbol whose prices have ended at its last close, and expire its orders."""
        for order in self.working[leg]:
            if order.is_open:
                order.status = "expired"
        self.working[leg] = []
        held = self.qty[leg]
        if held == 0.0:
            return
        self.available = math.inf
        order = self.place(leg, -held, limit=None, stop=None, tif="GTC", now=now - 1)
        price = self._slipped(bar.close, buying=held < 0.0)
        self._execute(order, bar, now, (bar.close, price))
        self.working[leg] = [order for order in self.working[leg] if order.is_open]

    def value(self, closes: list[float]) -> tuple[float, float]:
        """Return equity and gross exposure at these closes; a symbol that is not held adds none."""
        equity, gross = self.cash, 0.0
        for qty, close in zip(self.qty, closes, strict=True):
            if qty != 0.0:
                equity += qty * close
                gross += abs(qty * close)
        return equity, gross
