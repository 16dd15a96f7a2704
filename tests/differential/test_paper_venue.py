"""The same random orders in a backtest's book and at the paper venue fill alike, field by field."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neural_trader as nt
from neural_trader.backtesting.reference_book import Bar, BookFill, ReferenceBook
from neural_trader.core.orders import KINDS, TIMES_IN_FORCE
from neural_trader.core.sessions import DAY_NS, session_date
from neural_trader.execution import messages as m
from neural_trader.execution.listing import Listing
from neural_trader.execution.venues.paper import BarMarket, PaperBar
from tests.paper_desk import ACCOUNT, Paper, identity, listings, only

SYMBOLS = ("A", "B")
COSTS = [
    nt.Costs(),
    nt.Costs(fee_bps=5, slippage_bps=7),
    nt.Costs(fee_per_share=0.013, fee_minimum=1, half_spread=0.017),
    nt.Costs(fee_tiers=((0, 10), (20_000, 2)), slippage_bps=3),
]
UNITS = [("0.01", "1"), ("0.05", "10"), ("0.01", "0.001")]
STEPS = 40


class Both:
    """A backtest's book and a paper venue, with the same orders and the same bars."""

    def __init__(
        self, seed: int, costs: nt.Costs, matching: nt.Matching, units: tuple[str, str]
    ) -> None:
        self.draw = np.random.default_rng(seed)
        self.listings = listings(*SYMBOLS, tick_size=units[0], lot_size=units[1])
        self.tick, self.lot = float(units[0]), float(units[1])
        instrument = nt.Instrument(tick_size=self.tick, lot_size=self.lot)
        self.book = ReferenceBook(0.0, costs, matching, (instrument,) * 2, lambda _: None)
        self.bars = [self.slice(step) for step in range(STEPS)]
        flat = [bar for bars in self.bars for bar in bars]
        self.paper = Paper(BarMarket(self.listings, flat, costs=costs, matching=matching))
        self.now = 0

    def slice(self, step: int) -> list[PaperBar]:
        """Draw the bars of a time; now and then a symbol has none."""
        draw, found = self.draw, []
        here = [leg for leg in range(2) if draw.random() < 0.8] or [0]
        if step == STEPS - 1:
            here = [0, 1]
        for leg in here:
            first, last = draw.uniform(48.0, 52.0, 2)
            if draw.random() < 0.5:
                first, last = round(first, 1), round(last, 1)
            low = min(first, last) - abs(draw.normal(0, 0.7))
            high = max(first, last) + abs(draw.normal(0, 0.7))
            ts = (18_600 + step // 2) * DAY_NS + (step % 2 + 1) * DAY_NS // 2 - 1
            open_, top, bottom, close = (float(price) for price in (first, high, low, last))
            volume = float(draw.integers(0, 400))
            found.append(PaperBar(ts, SYMBOLS[leg], open_, top, bottom, close, volume))
        return found

    def place(self) -> None:
        draw = self.draw
        leg, kind = int(draw.integers(2)), KINDS[draw.integers(4)]
        lots = int(draw.integers(1, 60)) * (1 if draw.integers(2) else -1)
        ticks = [int(price / self.tick) for price in draw.uniform(47.0, 53.0, 2)]
        limit = ticks[0] if "limit" in kind else 0
        trigger = ticks[1] if "stop" in kind else 0
        tif = TIMES_IN_FORCE[draw.integers(4)]
        self.book.place(
            leg,
            lots * self.lot,
            limit=self.price(limit),
            stop=self.price(trigger),
            tif=tif,
            now=self.now,
        )
        self.paper.order(lots, kind, tif, symbol=SYMBOLS[leg], limit=limit, trigger=trigger)

    def price(self, ticks: int) -> float | None:
        return float(self.listings["A"].price(ticks)) if ticks else None

    def change(self) -> None:
        """Cancel or replace an order that is open in the book."""
        orders = [order for order in self.book.orders if order.is_open]
        if not orders:
            return
        order = orders[self.draw.integers(len(orders))]
        if self.draw.random() < 0.4:
            order.status = "canceled"
            self.paper.cancel(order.id + 1)
            return
        way = 1 if order.qty > 0 else -1
        filled = round(order.filled / self.lot)
        lots = filled + way * int(self.draw.integers(1, 40))
        ticks = int(self.draw.uniform(47.0, 53.0) / self.tick)
        limit = ticks if order.limit is not None else 0
        trigger = ticks if order.stop is not None else 0
        qty = self.book.instruments[0].on_grid(lots * self.lot)
        terms = {"limit": self.price(limit), "stop": self.price(trigger)}
        self.book.replace(order.id, qty, limit=terms["limit"], stop=terms["stop"], now=self.now)
        self.paper.replace(order.id + 1, lots, limit, trigger)

    def step(self) -> None:
        bars = self.bars[self.now]
        self.now += 1
        for bar in bars:
            leg, session = SYMBOLS.index(bar.symbol), bar.ts // DAY_NS
            date = session_date(bar.ts)
            prices = (bar.open, bar.high, bar.low, bar.close)
            month = date.year * 12 + date.month
            self.book.match(leg, Bar(*prices, bar.volume, session, month), self.now)
        self.paper.step()

    def run(self) -> None:
        while self.now < STEPS:
            for _ in range(self.draw.integers(0, 3)):
                self.place()
            if self.draw.random() < 0.4:
                self.change()
            self.step()


def as_told(fill: BookFill, listing: Listing) -> tuple[Any, ...]:
    """Return a fill of the book in the units of the venue."""
    lots = round(fill.qty / float(listing.lot_size))
    value = listing.nearest_minor(abs(fill.qty) * fill.price)
    price, fee = listing.nearest_ticks(fill.price), listing.nearest_minor(fill.fee)
    return identity(fill.order_id + 1), SYMBOLS[fill.leg], lots, price, value, fee


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    costs=st.sampled_from(COSTS),
    limit_fills=st.sampled_from(["through", "touch"]),
    share=st.sampled_from([None, 0.1]),
    units=st.sampled_from(UNITS),
)
def test_orders_fill_as_in_a_backtest(
    seed: int, costs: nt.Costs, limit_fills: Any, share: float | None, units: tuple[str, str]
) -> None:
    matching = nt.Matching(limit_fills=limit_fills, volume_share=share)
    both = Both(seed, costs, matching, units)
    both.run()
    told = [
        (fill.id, fill.symbol, fill.qty, fill.price, fill.value, fill.fee)
        for fill in both.paper.fills()
    ]
    assert told == [as_told(fill, both.listings["A"]) for fill in both.book.fills]
    cash = sum(-fill.fee - (fill.value if fill.qty > 0 else -fill.value)
               for fill in both.paper.fills())  # fmt: skip
    # A value and a fee are rounded once each, to the nearest.
    assert abs(cash - both.book.cash * 100) <= len(told) + 1e-3
    for order in both.book.orders:
        status = both.paper.status(order.id + 1)
        assert sum(fill.qty for fill in status.fills) == round(order.filled / both.lot)
        if order.status in ("filled", "canceled"):
            assert status.status in (order.status, "expired")


@pytest.mark.parametrize("seed", range(3))
def test_a_strategy_s_market_orders_cost_what_its_backtest_says(seed: int) -> None:
    """A whole backtest through the public door, its orders sent to the venue bar by bar."""
    draw = np.random.default_rng(seed)
    bars_of_orders, lots = draw.choice(200, 30, replace=False), draw.integers(1, 40, 30)
    signs = draw.choice([-1, 1], 30)
    wanted = dict(zip(bars_of_orders.tolist(), (lots * signs).tolist(), strict=True))

    class Planned(nt.Strategy):
        def on_start(self, ctx: Any) -> None:
            self.bar = -1

        def on_bar(self, ctx: Any) -> None:
            self.bar += 1
            if self.bar in wanted:
                ctx.order("KO", wanted[self.bar])

    bars = nt.load("sp500-closes", symbols=["KO"], start="2021-01-01", end="2021-12-31")
    costs = nt.Costs(fee_bps=5, slippage_bps=5)
    result = nt.backtest(Planned(), bars, capital=100_000, costs=costs)
    closes = bars["KO"].close.tolist()
    rows = [
        PaperBar(int(ts), "KO", close, close, close, close)
        for ts, close in zip(bars["KO"].ts_close_ns, closes, strict=True)
    ]
    paper = Paper(BarMarket(listings("KO"), rows, costs=costs))
    for bar in range(len(rows)):
        paper.step()
        if bar in wanted and bar < len(rows) - 1:
            paper.order(wanted[bar], symbol="KO")
    fills = only(paper.told, m.OrderFilled)
    assert len(fills) == len(result.fills)
    assert all(m.owner_of(fill.id)[0] == ACCOUNT for fill in fills)
    for fill, row in zip(fills, result.fills.iter_rows(named=True), strict=True):
        assert fill.qty == row["qty"]
        assert abs(fill.value - abs(row["qty"]) * row["price"] * 100) <= 0.5 + 1e-6
        assert abs(fill.fee - row["fee"] * 100) <= 0.5 + 1e-6
