"""The reference order book: the rules of ``docs/semantics.md``, "Orders", in plain Python.

This module is the law, and ``core.matching`` holds its rules of single fills, which paper trading
shares. ``neural_trader._kernels.book`` must agree with them on every fill, field by field and to
the bit. One symbol's bar comes in as plain numbers; orders, cash and quantities are
kept here, and nothing else is known: no bar of the future is ever inside.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from neural_trader.core import Costs, Instrument, Matching
from neural_trader.core.matching import (
    FillRules,
    fill_at_open,
    fill_of_limit,
    fill_of_stop,
    is_triggered,
    slipped,
)


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
    rules: list[FillRules] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin flat."""
        self.qty = [0.0] * len(self.instruments)
        self.working = [[] for _ in self.instruments]
        self.rules = [
            FillRules(self.costs, self.matching, instrument.tick_size)
            for instrument in self.instruments
        ]

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
            if not is_triggered(order.stop, bar.open, buying=buying):
                return
            order.is_triggered = True
        prices = fill_at_open(bar.open, order.limit, self.rules[order.leg], buying=buying)
        if prices is not None:
            self._execute(order, bar, now, prices)

    def _during_stop(self, order: ReferenceOrder, bar: Bar, now: int) -> bool:
        """Fill a stop whose trigger lies within the bar; return whether it filled."""
        stop, buying = order.stop, order.qty > 0.0
        if stop is None or order.is_triggered:
            return False
        if not is_triggered(stop, bar.high if buying else bar.low, buying=buying):
            return False
        order.is_triggered = True
        rules = self.rules[order.leg]
        prices = fill_of_stop(stop, order.limit, bar.close, rules, buying=buying)
        if prices is not None:
            return self._execute(order, bar, now, prices)
        # It works as a plain limit from the next bar on: this bar's extreme may lie before it.
        order.placed = now
        return False

    def _during_limit(self, order: ReferenceOrder, bar: Bar, now: int) -> bool:
        """Fill a limit that the bar trades through; return whether it filled."""
        limit = order.limit
        if limit is None or (order.stop is not None and not order.is_triggered):
            return False
        rules, buying = self.rules[order.leg], order.qty > 0.0
        prices = fill_of_limit(bar.low, bar.high, limit, rules, buying=buying)
        return prices is not None and self._execute(order, bar, now, prices)

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
        return self.costs.rate_after(self.traded)

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
        price = slipped(bar.close, self.costs, buying=held < 0.0)
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
