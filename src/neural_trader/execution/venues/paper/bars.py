"""The market of bars: recorded bars, one after the other, with the fill rules of a backtest.

An order that comes in after bar *t* works from the symbol's next bar on, and is filled by the rules
of ``core.matching`` in the order of ``docs/semantics.md``, "Orders". Prices and money are floats
until a fill is booked: its ``value`` is the exact price times the quantity, rounded to minor units,
and its ``price`` the nearest tick.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from neural_trader.core.costs import Costs
from neural_trader.core.errors import ConfigError, DataError
from neural_trader.core.instruments import Instrument, grid_value
from neural_trader.core.matching import (
    FillRules,
    Matching,
    Prices,
    fill_at_open,
    fill_of_limit,
    fill_of_stop,
    is_triggered,
)
from neural_trader.core.sessions import DAY_NS, session_date
from neural_trader.execution.listing import Listing
from neural_trader.execution.messages import Quote, owner_of
from neural_trader.execution.venues.paper.market import DAY, FOK, IOC, NO_SESSION, Desk, PaperOrder

if TYPE_CHECKING:
    from neural_trader.core.bars import Bars


class PaperBar(NamedTuple):
    """A bar of a symbol, stamped at its close; volume is NaN where it is not known."""

    ts: int
    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: float = math.nan


class _Row(NamedTuple):
    """A bar, the day it belongs to, and whether the day and the symbol end with it."""

    bar: PaperBar
    session: int
    ends_session: bool
    ends_symbol: bool


class _Units:
    """The units of a symbol as the float rules need them."""

    __slots__ = ("listing", "lot", "lots", "rules", "tick")

    def __init__(self, listing: Listing, costs: Costs, matching: Matching) -> None:
        self.listing = listing
        self.tick, self.lot = float(listing.tick_size), float(listing.lot_size)
        self.lots = Instrument(tick_size=self.tick, lot_size=self.lot)
        self.rules = FillRules(costs, matching, self.tick)

    def price(self, ticks: int) -> float | None:
        """Return a price as a backtest has it; 0 is none."""
        return grid_value(ticks, self.tick) if ticks else None


class BarMarket:
    """A replay of bars.

    Parameters
    ----------
    listings : mapping of str to Listing
        The symbols that can be traded, in the order in which they are matched.
    bars : iterable of PaperBar
        In any order; at most one for each symbol and stamp.
    costs : Costs, optional
    matching : Matching, optional

    Raises
    ------
    ConfigError
        A share of volumes is asked for that are not known.
    DataError
        There is no bar, a bar of a symbol that is not listed, or two with one stamp.
    """

    is_replay = True

    def __init__(
        self,
        listings: Mapping[str, Listing],
        bars: Iterable[PaperBar],
        *,
        costs: Costs | None = None,
        matching: Matching | None = None,
    ) -> None:
        costs, matching = costs or Costs(), matching or Matching()
        self.time = 0
        self.is_over = False
        self._costs, self._share = costs, matching.volume_share
        self.listings = listings
        self._units = {name: _Units(one, costs, matching) for name, one in listings.items()}
        self._working: dict[str, dict[int, PaperOrder]] = {name: {} for name in listings}
        self._slices = _slices(bars, list(listings), needs_volume=self._share is not None)
        self._steps = 0
        self._ended: set[str] = set(listings) - {row.bar.symbol for s in self._slices for row in s}
        self._quotes: dict[str, Quote] = {}
        # Of each account: the month, and what it traded in it.
        self._traded: dict[int, tuple[int, float]] = {}
        self._available = math.inf

    def refusal(self, symbol: str) -> str:
        """Return why no order can be made in a symbol, or an empty text."""
        if symbol not in self._units:
            return "unknown_symbol"
        return "market_closed" if symbol in self._ended else ""

    def enter(self, order: PaperOrder, desk: Desk) -> None:  # noqa: ARG002 - nothing fills at once
        """Take an order; it works from the symbol's next bar on."""
        order.step = self._steps
        self._working[order.symbol][order.id] = order

    def change(self, order: PaperOrder, desk: Desk) -> None:  # noqa: ARG002 - as above
        """Let the new terms work from the symbol's next bar on; the order keeps its place."""
        order.step = self._steps

    def leave(self, order: PaperOrder) -> None:
        """Let an order go."""
        self._working[order.symbol].pop(order.id, None)

    def quotes(self) -> list[Quote]:
        """Return the last close of every symbol."""
        return list(self._quotes.values())

    def step(self, ts: int, desk: Desk) -> None:  # noqa: ARG002 - the bars have their own time
        """Play the next time slice: match all of its bars, then tell their closes."""
        if self.is_over:
            return
        rows = self._slices[self._steps]
        self._steps += 1
        self.time = rows[0].bar.ts
        self.is_over = self._steps == len(self._slices)
        for row in rows:
            self._match(row, desk)
        for row in rows:
            symbol = row.bar.symbol
            close = self._units[symbol].listing.nearest_ticks(row.bar.close)
            quote = Quote(symbol, close, close, 0, 0, self.time)
            self._quotes[symbol] = quote
            desk.quote(quote)

    # --------------------------------------------------------------------------------- matching
    def _match(self, row: _Row, desk: Desk) -> None:
        """Fill what a bar fills, in the order of the rules; then expire what ends with it."""
        bar = row.bar
        working, units = self._working[bar.symbol], self._units[bar.symbol]
        self._available = math.inf
        if self._share is not None:
            lots = units.lots.whole_lots(self._share * bar.volume) / units.lot
            self._available = math.floor(lots + 0.5)
        orders = list(working.values())
        for order in orders:
            if order.session == NO_SESSION:
                order.session = row.session
        for order in orders:
            self._at_the_open(order, row, desk)
            if order.tif >= IOC and order.is_open:
                desk.cancel(order, "fill_or_kill" if order.tif == FOK else "immediate_or_cancel")
        for order in orders:
            if order.is_open and order.sleeps:
                self._during_stop(order, row, desk)
        for order in orders:
            if order.is_open and order.limit and order.step < self._steps and not order.sleeps:
                self._during_limit(order, row, desk)
        self._expire(orders, row, desk)
        for order in orders:
            if not order.is_open:
                del working[order.id]

    def _expire(self, orders: list[PaperOrder], row: _Row, desk: Desk) -> None:
        """End the orders whose day, or whose symbol, ends with this bar."""
        if row.ends_symbol:
            self._ended.add(row.bar.symbol)
        for order in orders:
            ends = row.ends_symbol or (order.tif == DAY and row.ends_session)
            if ends and order.is_open:
                desk.expire(order)

    def _at_the_open(self, order: PaperOrder, row: _Row, desk: Desk) -> None:
        """Fill what the first price of the bar fills."""
        units, first, buying = self._units[order.symbol], row.bar.open, order.qty > 0
        if order.sleeps:
            trigger = units.price(order.trigger) or 0.0
            if not is_triggered(trigger, first, buying=buying):
                return
            order.is_triggered = True
        prices = fill_at_open(first, units.price(order.limit), units.rules, buying=buying)
        self._execute(order, row, prices, desk)

    def _during_stop(self, order: PaperOrder, row: _Row, desk: Desk) -> None:
        """Fill a stop whose trigger lies within the bar."""
        units, bar, buying = self._units[order.symbol], row.bar, order.qty > 0
        trigger = units.price(order.trigger) or 0.0
        if not is_triggered(trigger, bar.high if buying else bar.low, buying=buying):
            return
        order.is_triggered = True
        limit = units.price(order.limit)
        prices = fill_of_stop(trigger, limit, bar.close, units.rules, buying=buying)
        if prices is None:
            # It works as a plain limit from the next bar on: this bar's extreme may lie before it.
            order.step = self._steps
        self._execute(order, row, prices, desk)

    def _during_limit(self, order: PaperOrder, row: _Row, desk: Desk) -> None:
        """Fill a limit that the bar trades through."""
        units, bar = self._units[order.symbol], row.bar
        limit = units.price(order.limit) or 0.0
        prices = fill_of_limit(bar.low, bar.high, limit, units.rules, buying=order.qty > 0)
        self._execute(order, row, prices, desk)

    def _execute(self, order: PaperOrder, row: _Row, prices: Prices | None, desk: Desk) -> None:
        """Fill at (reference, price) what the volume allows."""
        if prices is None:
            return
        rest = order.qty - order.filled
        lots = abs(rest)
        if lots > self._available:
            if order.tif == FOK or self._available == 0:
                return
            lots = int(self._available)
        self._available -= lots
        units = self._units[order.symbol]
        qty, price = grid_value(lots, units.lot), prices[1]
        value = qty * price
        listing = units.listing
        desk.fill(
            order,
            lots if rest > 0 else -lots,
            listing.nearest_ticks(price),
            value=listing.nearest_minor(value),
            fee=listing.nearest_minor(self._fee(order, row, qty, value)),
        )

    def _fee(self, order: PaperOrder, row: _Row, qty: float, value: float) -> float:
        """Charge a fill, and count what the account traded in the month."""
        account, _ = owner_of(order.id)
        date = session_date(row.bar.ts)
        month = 12 * date.year + date.month
        before, traded = self._traded.get(account, (month, 0.0))
        if before != month:
            traded = 0.0
        order.fee_due += self._costs.rate_after(traded) * value + self._costs.fee_per_share * qty
        self._traded[account] = (month, traded + value)
        due = max(order.fee_due, self._costs.fee_minimum)
        fee, order.fee_paid = due - order.fee_paid, due
        return fee


def read_bars(bars: "Bars", symbols: Iterable[str]) -> list[PaperBar]:
    """Return the bars of some symbols one by one; closes alone are all four prices.

    Raises
    ------
    DataError
        A symbol is not among those loaded.
    """
    found = []
    for symbol in symbols:
        one = bars[symbol]
        closes = one.close.tolist()
        columns = [
            closes if column is None else column.tolist()
            for column in (one.open, one.high, one.low)
        ]
        volumes = [math.nan] * len(closes) if one.volume is None else one.volume.tolist()
        stamps = one.ts_close_ns.tolist()
        found += [
            PaperBar(ts, symbol, *prices)
            for ts, *prices in zip(stamps, *columns, closes, volumes, strict=True)
        ]
    return found


def _slices(
    bars: Iterable[PaperBar], symbols: list[str], *, needs_volume: bool
) -> list[list[_Row]]:
    """Group bars by their stamps, each group in the order of the symbols."""
    place = {symbol: i for i, symbol in enumerate(symbols)}
    given = list(bars)
    for bar in given:
        if bar.symbol not in place:
            message = f"a bar of {bar.symbol} is not of a listed symbol: {', '.join(symbols)}"
            raise DataError(message)
        if needs_volume and not bar.volume >= 0.0:
            message = f"volume_share needs volumes, and a bar of {bar.symbol} has none"
            raise ConfigError(message)
    if not given:
        message = "there is no bar to replay; expected at least one"
        raise DataError(message)
    rows: list[_Row] = []
    following: dict[str, PaperBar] = {}
    for bar in sorted(given, key=lambda bar: (bar.ts, place[bar.symbol]), reverse=True):
        later = following.get(bar.symbol)
        if later is not None and later.ts == bar.ts:
            message = f"there are two bars of {bar.symbol} with the stamp {bar.ts}"
            raise DataError(message)
        session = bar.ts // DAY_NS
        ends = later is None or later.ts // DAY_NS != session
        rows.append(_Row(bar, session, ends, later is None))
        following[bar.symbol] = bar
    slices: list[list[_Row]] = []
    for row in reversed(rows):
        if not slices or slices[-1][0].bar.ts != row.bar.ts:
            slices.append([])
        slices[-1].append(row)
    return slices
