from typing import Any

import pytest

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import DAY_NS
from neural_trader.execution import messages as m
from neural_trader.execution.venues.paper import BarMarket, PaperBar, read_bars
from tests.made_bars import make_bars
from tests.paper_desk import Paper, brief, listings, only

DAY_END = DAY_NS - 1


def bar(day: int, open_: float, low: float, high: float, close: float, **more: Any) -> PaperBar:
    hour = more.get("hour", 24)
    ts = day * DAY_NS + hour * DAY_NS // 24 - 1
    return PaperBar(ts, more.get("symbol", "A"), open_, high, low, close, more.get("volume", 1e9))


FLAT = [bar(day, 50.0, 50.0, 50.0, 50.0) for day in range(1, 6)]


def paper(*bars: PaperBar, costs: nt.Costs | None = None, **more: Any) -> Paper:
    names = dict.fromkeys(one.symbol for one in bars)
    market = BarMarket(listings(*names), bars, costs=costs, matching=more.get("matching"))
    return Paper(market)


def test_an_order_fills_at_the_open_of_the_next_bar() -> None:
    desk = paper(FLAT[0], bar(2, 51.0, 50.0, 52.0, 51.5), costs=nt.Costs(slippage_bps=10))
    desk.step()
    assert brief(desk.order(10)) == []
    (fill,) = only(desk.step(), m.OrderFilled)
    # 51 x 1.001 = 51.051 lies between two ticks: the value is exact, the price is not.
    assert (fill.qty, fill.price, fill.value, fill.fee) == (10, 5105, 51_051, 0)
    assert fill.ts == FLAT[1].ts


def test_the_close_is_the_quote_after_the_fills() -> None:
    desk = paper(FLAT[0], bar(2, 51.0, 50.0, 52.0, 51.504))
    assert desk.told[1:] == []
    desk.order(1)
    desk.now += 1
    fill, quote = desk.venue.advance(desk.now)
    assert isinstance(fill, m.OrderFilled)
    assert quote == m.Quote("A", 5000, 5000, 0, 0, FLAT[0].ts)
    desk.step()
    assert desk.venue.market.quotes() == [m.Quote("A", 5150, 5150, 0, 0, FLAT[1].ts)]


@pytest.mark.parametrize(
    ("order", "price"),
    [
        ((10, "limit", {"limit": 4900}), 4900),
        ((10, "limit", {"limit": 5300}), 5100),
        ((10, "limit", {"limit": 4800}), None),
        ((-10, "limit", {"limit": 5300}), 5300),
        ((-10, "limit", {"limit": 5400}), None),
        ((10, "stop", {"trigger": 5200}), 5200),
        ((10, "stop", {"trigger": 5000}), 5100),
        ((-10, "stop", {"trigger": 4900}), 4900),
        ((10, "stop", {"trigger": 5500}), None),
        ((10, "stop_limit", {"trigger": 5200, "limit": 5250}), 5200),
        # It wakes above its limit, and the bar closes above it: it waits.
        ((10, "stop_limit", {"trigger": 5300, "limit": 5100}), None),
    ],
)
def test_limits_and_stops(order: tuple[int, str, dict[str, int]], price: int | None) -> None:
    desk = paper(bar(2, 51.0, 48.0, 54.0, 52.0), bar(3, 52.0, 52.0, 52.0, 52.0))
    qty, kind, terms = order
    desk.order(qty, kind, limit=terms.get("limit", 0), trigger=terms.get("trigger", 0))
    assert brief(desk.step()) == ([] if price is None else [(qty, price)])


def test_a_stop_limit_that_had_to_wait_is_a_limit_from_the_next_bar_on() -> None:
    desk = paper(bar(1, 51.0, 50.5, 54.0, 52.0), bar(2, 52.0, 50.9, 52.0, 51.5), *FLAT[3:])
    desk.order(5, "stop_limit", trigger=5300, limit=5100)
    assert brief(desk.step()) == []
    assert brief(desk.step()) == [(5, 5100)]


def test_a_share_of_the_volume_fills_in_parts() -> None:
    bars = [bar(day, 50.0, 50.0, 50.0, 50.0, volume=40.0) for day in (1, 2, 3)]
    desk = paper(*bars, matching=nt.Matching(volume_share=0.1))
    desk.order(6)
    desk.order(-1)
    assert brief(desk.step()) == [(4, 5000)]
    assert desk.status(1).status == "partially_filled"
    assert brief(desk.step()) == [(2, 5000), (-1, 5000)]


def test_ioc_and_fok_see_one_open() -> None:
    bars = [bar(day, 50.0, 50.0, 50.0, 50.0, volume=40.0) for day in (1, 2, 3)]
    desk = paper(*bars, matching=nt.Matching(volume_share=0.1))
    desk.order(6, tif="FOK")
    desk.order(6, tif="IOC")
    desk.order(-1, "limit", "IOC", limit=6000)
    assert brief(desk.step()) == [(4, 5000)]
    reasons = [one.reason for one in only(desk.told, m.OrderCanceled)]
    assert reasons == ["fill_or_kill", "immediate_or_cancel", "immediate_or_cancel"]
    assert [desk.status(no).status for no in (1, 2, 3)] == ["canceled"] * 3


def test_a_day_order_ends_with_the_first_session_that_could_fill_it() -> None:
    desk = paper(
        bar(1, 50, 50, 50, 50, hour=12), bar(1, 50, 50, 50, 50, hour=20),
        bar(2, 50, 50, 50, 50, hour=12), bar(2, 50, 50, 50, 50, hour=20), bar(3, 50, 50, 50, 50),
    )  # fmt: skip
    desk.order(1, "limit", "DAY", limit=4000)
    assert desk.step() == []
    assert [type(one) for one in desk.step()] == [m.OrderExpired]
    desk.order(1, "limit", "DAY", limit=4000)
    assert desk.step() == []
    assert [type(one) for one in desk.step()] == [m.OrderExpired]


def test_a_symbol_that_ends_expires_its_orders_and_takes_no_more() -> None:
    desk = paper(FLAT[0], bar(1, 20, 20, 20, 20, symbol="B"), FLAT[1])
    desk.order(5, "limit", limit=100, symbol="B")
    assert [type(one) for one in desk.step()] == [m.OrderExpired]
    (rejected,) = desk.order(5, symbol="B")
    assert isinstance(rejected, m.OrderRejected)
    assert rejected.reason == "market_closed"
    assert desk.order(5)[0] == m.OrderAccepted(1 << 40 | 3, 2, FLAT[0].ts)
    desk.step()
    assert desk.venue.market.is_over
    assert desk.step() == []


def test_fees_are_those_of_the_costs() -> None:
    costs = nt.Costs(fee_per_share=0.01, fee_minimum=1.0, fee_tiers=((0, 10), (600, 0)))
    desk = paper(*FLAT, costs=costs)
    desk.order(10)
    desk.step()
    desk.order(10)
    desk.step()
    desk.order(500)
    desk.step()
    # 0.50 and 0.10 are below the minimum, twice; then the free tier, and 5.00 by the share.
    assert [fill.fee for fill in desk.fills()] == [100, 100, 500]


def test_a_replaced_order_works_from_the_next_bar_on() -> None:
    desk = paper(*FLAT)
    desk.order(5, "limit", limit=4000)
    desk.step()
    (replaced,) = desk.replace(1, 8, limit=6000)
    assert isinstance(replaced, m.OrderReplaced)
    assert brief(desk.step()) == [(8, 5000)]


def test_bars_of_core_are_read_whole() -> None:
    bars = make_bars({"A": [50.0, 51.0], "B": [20.0, 21.0]})
    rows = read_bars(bars, ("B", "A"))
    assert [(row.symbol, row.open, row.low, row.close) for row in rows] == [
        ("B", 20.0, 20.0, 20.0), ("B", 21.0, 21.0, 21.0),
        ("A", 50.0, 50.0, 50.0), ("A", 51.0, 51.0, 51.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bars", "matching", "error", "words"),
    [
        ([], None, DataError, "no bar"),
        ([FLAT[0], FLAT[0]], None, DataError, "two bars of A"),
        ([FLAT[0]._replace(symbol="B")], None, DataError, "not of a listed symbol"),
        ([FLAT[0]._replace(volume=float("nan"))], nt.Matching(volume_share=0.1), ConfigError,
         "needs volumes"),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_is_refused(
    bars: list[PaperBar], matching: nt.Matching | None, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        BarMarket(listings("A"), bars, matching=matching)
