"""Random orders in each market: nothing is filled twice, too much, or after the end."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neural_trader as nt
from neural_trader.core.sessions import DAY_NS
from neural_trader.execution import messages as m
from neural_trader.execution.listing import Listing
from neural_trader.execution.venues.paper import (
    BarMarket,
    Market,
    PaperBar,
    SyntheticMarket,
    SyntheticShape,
    Tick,
    TickMarket,
)
from neural_trader.execution.venues.paper.draws import Draws
from tests.paper_desk import Paper, identity, listings, only

FINAL = {"filled", "canceled", "expired", "rejected"}
STEPS = 60
KINDS = ("market", "limit", "stop", "stop_limit")
TIFS = ("GTC", "DAY", "IOC", "FOK")
LISTINGS = listings("A", "B", tick_size="0.05", minor_unit="0.01")


def make(kind: str, seed: int, costs: nt.Costs, limit_fills: Any) -> Market:
    """Return a market whose prices stay near 100 ticks."""
    draws, matching = Draws(seed), nt.Matching(limit_fills=limit_fills)

    def near(width: int) -> int:
        return 100 + draws.next() % (2 * width + 1) - width

    if kind == "synthetic":
        shape = SyntheticShape(start=100, spread=2, levels=3, level_lots=7)
        return SyntheticMarket(LISTINGS, seed=seed, shape=shape, costs=costs, matching=matching)
    stamps = [(100 + step // 7) * DAY_NS + step % 7 for step in range(STEPS)]
    if kind == "ticks":
        ticks = []
        for ts in stamps:
            for symbol in LISTINGS:
                bid, sizes = near(8), (draws.next() % 20, draws.next() % 20)
                ticks.append(Tick(ts, symbol, bid, bid + draws.next() % 3, *sizes))
                if draws.next() % 2:
                    ticks.append(Tick(ts, symbol, price=near(8), qty=draws.next() % 9))
        return TickMarket(LISTINGS, ticks, costs=costs, matching=matching)
    bars = []
    for ts in stamps:
        for symbol in LISTINGS:
            first, last, low, high = (near(8) * 0.05 for _ in range(4))
            low, high = min(first, last, low), max(first, last, high)
            bars.append(PaperBar(ts, symbol, first, high, low, last, float(draws.next() % 90)))
    share = nt.Matching(limit_fills=limit_fills, volume_share=0.2)
    return BarMarket(LISTINGS, bars, costs=costs, matching=share)


class Flow:
    """Random requests, and what must hold after each step."""

    def __init__(self, market: Market, seed: int, config: dict[str, Any]) -> None:
        self.desk = Paper(market, **config)
        self.draws = Draws(seed + 1)
        self.qty: dict[int, int] = {}
        self.ended: dict[int, tuple[str, int]] = {}

    def pick(self, count: int) -> int:
        return self.draws.next() % count

    def act(self) -> None:
        desk, what = self.desk, self.pick(10)
        no = 1 + self.pick(desk.no) if desk.no else 0
        price = 90 + self.pick(21)
        if what < 6 or not no:
            kind, lots = KINDS[self.pick(4)], (1 + self.pick(40)) * (1 if self.pick(2) else -1)
            limit = price if "limit" in kind else 0
            trigger = 90 + self.pick(21) if "stop" in kind else 0
            symbol = ("A", "B", "NONE")[
                min(self.pick(20), 2) if self.pick(9) == 0 else self.pick(2)
            ]
            desk.order(lots, kind, TIFS[self.pick(4)], symbol=symbol, limit=limit, trigger=trigger)
        elif what == 6:
            desk.cancel(no)
        elif what == 7:
            status = self.now(no)
            limit, trigger = (price if one else 0 for one in (status.limit, status.trigger))
            desk.replace(no, (1 + self.pick(40)) * (1 if status.qty > 0 else -1), limit, trigger)
        elif what == 8:
            desk.say(m.NewOrder(identity(no), "A", 7, 0, 0, 0, 0))
        else:
            last = desk.fills()[-1].fill_id if desk.fills() and self.pick(2) else 0
            again = desk.venue.login(m.VenueLogin(m.VERSION, "test", 1, last), desk.now)
            fills = only(again, m.OrderFilled)
            assert fills == [one for one in desk.fills() if one.fill_id > last]

    def now(self, no: int) -> m.OrderStatus:
        return self.desk.venue._status(identity(no))

    def check(self) -> None:
        fills = self.desk.fills()
        assert [fill.fill_id for fill in fills] == list(range(1, len(fills) + 1))
        by_order: dict[int, list[m.OrderFilled]] = {}
        for fill in fills:
            by_order.setdefault(fill.id, []).append(fill)
        for no in range(1, self.desk.no + 1):
            status = self.now(no)
            told = by_order.get(identity(no), [])
            assert list(status.fills) == told
            filled = sum(fill.qty for fill in told)
            assert abs(filled) <= abs(status.qty)
            assert all(fill.qty * status.qty > 0 for fill in told)
            assert (filled == status.qty) == (status.status == "filled")
            if no in self.ended:
                assert self.ended[no] == (status.status, filled)
            elif status.status in FINAL:
                self.ended[no] = (status.status, filled)

    def check_ends(self) -> None:
        """Each order that has ended was told so, once."""
        ends = [
            one.id for one in self.desk.told if isinstance(one, (m.OrderCanceled, m.OrderExpired))
        ]
        assert len(ends) == len(set(ends))
        words = {no: word for no, (word, _) in self.ended.items()}
        assert set(ends) == {identity(no) for no, word in words.items()
                             if word in ("canceled", "expired")}  # fmt: skip


def is_money_right(fill: m.OrderFilled, listing: Listing, kind: str, fee_bps: float) -> bool:
    exact = listing.value(fill.price, abs(fill.qty))
    # A bar's slippage leaves the grid of ticks by at most half of one.
    off = listing.value(1, abs(fill.qty)) / 2 + 1 if kind == "bars" else 0
    return abs(fill.value - exact) <= off and abs(fill.fee - fill.value * fee_bps / 1e4) <= 1


@pytest.mark.parametrize("kind", ["bars", "ticks", "synthetic"])
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    fee_bps=st.sampled_from([0.0, 5.0, 12.5]),
    limit_fills=st.sampled_from(["through", "touch"]),
    latency_ns=st.sampled_from([0, 0, 1_500_000_000]),
    reject_rate=st.sampled_from([0.0, 0.1]),
)
def test_orders_end_once_and_never_fill_beyond_their_quantity(
    kind: str, seed: int, fee_bps: float, limit_fills: Any, latency_ns: int, reject_rate: float
) -> None:
    costs = nt.Costs(fee_bps=fee_bps, slippage_bps=7 if kind == "bars" else 0)
    config = {"reject_rate": reject_rate, "seed": seed}
    flow = Flow(make(kind, seed, costs, limit_fills), seed, config)
    if latency_ns:
        flow = Flow(make(kind, seed, costs, limit_fills), seed, config | {"latency_ns": latency_ns})
        # A login forgets what is on its way: whose answer then never comes is not asked for here.
        flow.pick = lambda count: flow.draws.next() % (9 if count == 10 else count)  # type: ignore[method-assign]
    for _ in range(STEPS):
        for _ in range(flow.pick(4)):
            flow.act()
        flow.desk.step()
        if not latency_ns:
            flow.check()
    flow.desk.now += latency_ns
    flow.desk.hear(flow.desk.venue.on_time(flow.desk.now))
    flow.check()
    flow.check_ends()
    for fill in flow.desk.fills():
        assert is_money_right(fill, LISTINGS[fill.symbol], kind, fee_bps)


@pytest.mark.parametrize("kind", ["bars", "ticks", "synthetic"])
@given(seed=st.integers(0, 2**40))
@settings(max_examples=10, deadline=None)
def test_the_same_requests_give_the_same_bytes(kind: str, seed: int) -> None:
    told = []
    for _ in range(2):
        flow = Flow(make(kind, seed, nt.Costs(fee_bps=5), "through"), seed, {"reject_rate": 0.1})
        for _ in range(STEPS):
            flow.act()
            flow.desk.step()
        told.append([m.encode(one) for one in flow.desk.told])
    assert told[0] == told[1]
    assert told[0]
