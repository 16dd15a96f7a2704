"""Fuzzed order flows: the compiled book and the reference book, side by side, order by order."""

import math
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from neural_trader.backtesting.events import Account, make_book
from neural_trader.backtesting.reference_book import Bar, BookFill, ReferenceBook
from neural_trader.core import Costs, Instrument, Matching
from neural_trader.core.orders import STATUSES, TIMES_IN_FORCE

LEGS = 2
TICKS = st.integers(80, 120)

costs = st.one_of(
    st.just(Costs()),
    st.builds(Costs, fee_bps=st.sampled_from([0, 5]), slippage_bps=st.sampled_from([0, 7])),
    st.builds(
        Costs,
        fee_per_share=st.sampled_from([0.0, 0.005]),
        fee_minimum=st.sampled_from([0.0, 1.0]),
        half_spread=st.sampled_from([0.0, 0.01]),
        fee_tiers=st.sampled_from([(), ((0, 10), (5_000, 4), (20_000, 1))]),
    ),
)
instruments = st.sampled_from(
    [
        Instrument(),
        Instrument(tick_size=0.01),
        Instrument(tick_size=0.5, lot_size=10),
        Instrument(lot_size=0.001),
        Instrument(tick_size=0.25, lot_size=0),
    ]
)
matchings = st.builds(
    Matching,
    limit_fills=st.sampled_from(["through", "touch"]),
    volume_share=st.sampled_from([None, 0.1, 1.0]),
)
prices = st.one_of(st.none(), TICKS.map(float), st.floats(80, 120))


class OrderFlow(RuleBasedStateMachine):
    @initialize(costs=costs, matching=matchings, traded=st.tuples(instruments, instruments))
    def begin(
        self, costs: Costs, matching: Matching, traded: tuple[Instrument, Instrument]
    ) -> None:
        self.instruments = traded
        self.reference = ReferenceBook(10_000.0, costs, matching, traded, self.on_reference_fill)
        account = Account(10_000.0, costs, matching, traded)
        self.book, self.ledger, _ = make_book(account, LEGS)
        self.book.listen(self.on_fill)
        self.now = 0
        self.session = 0
        self.told: list[tuple[Any, ...]] = []
        self.reference_told: list[tuple[Any, ...]] = []
        self.ended: dict[int, float] = {}
        # What a listener does at its next fill: cancel an order, or place one.
        self.on_next: tuple[str, int] | None = None
        self.reference_on_next: tuple[str, int] | None = None

    def on_reference_fill(self, fill: BookFill) -> None:
        self.reference_told.append(tuple(fill))
        todo, self.reference_on_next = self.reference_on_next, None
        if todo and todo[0] == "cancel" and todo[1] < len(self.reference.orders):
            order = self.reference.orders[todo[1]]
            order.status = "canceled" if order.is_open else order.status
        elif todo and todo[0] == "place":
            self.reference.place(todo[1], 10.0, limit=100.0, stop=None, tif="GTC", now=self.now)

    def on_fill(self, number: int) -> None:
        self.told.append(self.book.fill(number))
        todo, self.on_next = self.on_next, None
        if todo and todo[0] == "cancel" and todo[1] < self.book.counts()[0]:
            self.book.cancel(todo[1])
        elif todo and todo[0] == "place":
            self.book.place(todo[1], 10.0, 100.0, math.nan, 0, self.now)

    @rule(
        leg=st.integers(0, LEGS - 1),
        lots=st.integers(-50, 50).filter(bool),
        limit=prices,
        stop=prices,
        tif=st.sampled_from(TIMES_IN_FORCE),
    )
    def place(self, leg: int, lots: int, limit: float | None, stop: float | None, tif: str) -> None:
        qty = self.instruments[leg].on_grid(lots * (self.instruments[leg].lot_size or 0.3))
        order = self.reference.place(leg, qty, limit=limit, stop=stop, tif=tif, now=self.now)
        number = self.book.place(
            leg, qty, _nan(limit), _nan(stop), TIMES_IN_FORCE.index(tif), self.now
        )
        assert number == order.id

    @precondition(lambda self: self.reference.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.reference.orders) - 1))
        order = self.reference.orders[number]
        assert self.book.cancel(number) == order.is_open
        order.status = "canceled" if order.is_open else order.status

    @precondition(lambda self: any(order.is_open for order in self.reference.orders))
    @rule(data=st.data(), more=st.integers(1, 30), price=TICKS)
    def replace(self, data: st.DataObject, more: int, price: int) -> None:
        order = data.draw(st.sampled_from([o for o in self.reference.orders if o.is_open]))
        lots = self.instruments[order.leg]
        qty = lots.on_grid(order.filled + math.copysign(more * (lots.lot_size or 0.3), order.qty))
        limit = float(price) if order.limit is not None else None
        stop = float(price) if order.stop is not None and price % 2 else None
        self.reference.replace(order.id, qty, limit=limit, stop=stop, now=self.now)
        self.book.replace(order.id, qty, _nan(limit), _nan(stop), self.now)

    @rule(what=st.sampled_from(["cancel", "place"]), number=st.integers(0, 20))
    def at_the_next_fill(self, what: str, number: int) -> None:
        todo = (what, number if what == "cancel" else number % LEGS)
        self.on_next = self.reference_on_next = todo

    @rule(
        leg=st.integers(0, LEGS - 1),
        ticks=st.lists(TICKS, min_size=4, max_size=4),
        noise=st.sampled_from([0.0, 0.0, 0.013]),
        volume=st.sampled_from([0.0, 35.0, 900.0]),
        new_session=st.booleans(),
    )
    def bar(
        self, leg: int, ticks: list[int], noise: float, volume: float, new_session: bool
    ) -> None:
        self.now += 1
        self.session += new_session
        first, second, low, high = (tick + noise for tick in ticks)
        low, high = min(low, high, first, second), max(low, high, first, second)
        values = (first, high, low, second, volume)
        month = self.session // 3
        self.reference.match(leg, Bar(*values, self.session, month), self.now)
        self.book.match(leg, values, (self.session, month), self.now)

    @rule(leg=st.integers(0, LEGS - 1), price=TICKS)
    def series_ends(self, leg: int, price: int) -> None:
        self.now += 1
        bar = Bar(*(4 * (float(price),)), 0.0, self.session, 0)
        self.reference.close_out(leg, bar, self.now)
        self.book.close_out(leg, float(price), 0, self.now)
        assert self.ledger[1 + leg] == 0.0

    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "book"):
            return
        reference = self.reference
        assert self.told == self.reference_told
        assert self.ledger.tolist() == [reference.cash, *reference.qty]
        assert self.book.counts() == (len(reference.orders), reference.ambiguous_bars)
        for order in reference.orders:
            qty, filled, limit, stop, leg, tif, status = self.book.order(order.id)
            assert (qty, filled, leg) == (order.qty, order.filled, order.leg)
            assert _none(limit) == order.limit
            assert _none(stop) == order.stop
            assert TIMES_IN_FORCE[tif] == order.tif
            assert STATUSES[status] == order.status

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        if not hasattr(self, "book"):
            return
        cash = 10_000.0
        held = [0.0] * LEGS
        filled: dict[int, float] = {}
        for _, leg, order_id, qty, reference, price, fee, after in self.told:
            cash = cash - qty * price - fee
            assert cash == after
            assert fee >= 0.0
            assert price >= reference if qty > 0.0 else price <= reference
            held[leg] += qty
            filled[order_id] = filled.get(order_id, 0.0) + qty
        np.testing.assert_allclose(self.ledger[1:], held, rtol=1e-12, atol=1e-9)
        for order_id, qty in filled.items():
            order = self.reference.orders[order_id]
            assert abs(qty) <= abs(order.qty) * (1 + 1e-12)
            assert qty * order.qty > 0.0
        for order in self.reference.orders:
            if not order.is_open:
                assert filled.get(order.id, 0.0) == self.ended.setdefault(
                    order.id, filled.get(order.id, 0.0)
                )


def _nan(price: float | None) -> float:
    return math.nan if price is None else price


def _none(price: float) -> float | None:
    return None if math.isnan(price) else price


TestOrderFlow = OrderFlow.TestCase
TestOrderFlow.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
