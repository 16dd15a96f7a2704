from typing import Any

import pytest

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import DAY_NS
from neural_trader.execution import messages as m
from neural_trader.execution.venues.paper import Tick, TickMarket, read_ticks
from tests.paper_desk import Paper, brief, listings

NEVER = Tick(10 * DAY_NS, "A", 1, 2, 1, 1)


def quote(ts: int, bid: int, ask: int, bid_qty: int = 100, ask_qty: int = 100) -> Tick:
    return Tick(ts, "A", bid, ask, bid_qty, ask_qty)


def printed(ts: int, price: int, qty: int = 100) -> Tick:
    return Tick(ts, "A", price=price, qty=qty)


def paper(*ticks: Tick, **more: Any) -> Paper:
    """Return a venue that has played the first tick."""
    desk = Paper(TickMarket(listings("A"), [*ticks, NEVER], **more))
    desk.step()
    return desk


def test_a_marketable_order_fills_at_the_quote_at_once() -> None:
    desk = paper(quote(1, 100, 102))
    accepted, fill = desk.order(10)
    assert isinstance(accepted, m.OrderAccepted)
    assert isinstance(fill, m.OrderFilled)
    assert (fill.qty, fill.price, fill.value, fill.ts) == (10, 102, 1020, 1)
    assert brief(desk.order(-10)) == [(-10, 100)]
    assert brief(desk.order(10, "limit", limit=103)) == [(10, 102)]


def test_what_the_size_does_not_give_waits_for_the_next_quote() -> None:
    desk = paper(quote(1, 100, 102, ask_qty=30), quote(2, 100, 104, ask_qty=50))
    assert brief(desk.order(10)) == [(10, 102)]
    assert brief(desk.order(50)) == [(20, 102)]
    assert brief(desk.order(10)) == []
    assert brief(desk.step()) == [(30, 104), (10, 104)]


def test_a_marketable_limit_never_pays_more_than_its_limit() -> None:
    desk = paper(quote(1, 100, 102, ask_qty=30), quote(2, 100, 104), quote(3, 100, 102))
    assert brief(desk.order(50, "limit", limit=103)) == [(30, 102)]
    assert brief(desk.step()) == []
    # It came to rest when the ask went away: now the quote comes to it.
    assert brief(desk.step()) == [(20, 103)]


@pytest.mark.parametrize(
    ("limit_fills", "ask", "filled"),
    [("through", 101, False), ("through", 100, True), ("touch", 101, True), ("touch", 102, False)],
)
def test_a_resting_limit_fills_when_a_quote_trades_through_it(
    limit_fills: Any, ask: int, filled: bool
) -> None:
    matching = nt.Matching(limit_fills=limit_fills)
    desk = paper(quote(1, 99, 103), quote(2, 99, ask, ask_qty=7), matching=matching)
    assert brief(desk.order(10, "limit", limit=101)) == []
    assert brief(desk.step()) == ([(7, 101)] if filled else [])


@pytest.mark.parametrize(("price", "lots"), [(101, []), (100, [5, 3]), (105, [])])
def test_a_resting_limit_fills_when_a_print_trades_through_it(price: int, lots: list[int]) -> None:
    desk = paper(quote(1, 99, 103), printed(2, price, 8))
    desk.order(5, "limit", limit=101)
    desk.order(5, "limit", limit=101)
    assert [qty for qty, _ in brief(desk.step())] == lots


@pytest.mark.parametrize("tick", [quote(2, 100, 105), printed(2, 105)])
def test_a_stop_wakes_at_a_quote_or_a_print(tick: Tick) -> None:
    desk = paper(quote(1, 100, 102), tick)
    assert brief(desk.order(5, "stop", trigger=104)) == []
    assert brief(desk.step()) == [(5, 105 if tick.ask else 102)]


def test_a_stop_limit_is_a_limit_once_awake() -> None:
    desk = paper(quote(1, 100, 102), quote(2, 100, 105), quote(3, 100, 102))
    desk.order(5, "stop_limit", trigger=104, limit=103)
    assert brief(desk.step()) == []
    assert brief(desk.step()) == [(5, 103)]


def test_a_stop_beyond_the_quote_fills_at_once() -> None:
    desk = paper(quote(1, 100, 102))
    assert brief(desk.order(-5, "stop", trigger=101)) == [(-5, 100)]


def test_ioc_takes_what_there_is_and_fok_all_or_nothing() -> None:
    desk = paper(quote(1, 100, 102, ask_qty=30))
    *_, canceled = desk.order(31, tif="FOK")
    assert isinstance(canceled, m.OrderCanceled)
    assert brief(desk.told) == []
    _, fill, canceled = desk.order(50, tif="IOC")
    assert brief([fill]) == [(30, 102)]
    assert isinstance(canceled, m.OrderCanceled)
    assert canceled.reason == "immediate_or_cancel"
    *_, canceled = desk.order(5, "stop", "IOC", trigger=200)
    assert isinstance(canceled, m.OrderCanceled)


def test_a_day_order_ends_with_the_day_and_all_with_the_data() -> None:
    desk = paper(quote(1, 100, 102), quote(2, 100, 102), quote(DAY_NS + 1, 90, 91))
    desk.order(5, "limit", "DAY", limit=95)
    desk.order(5, "limit", limit=80)
    assert desk.step() == []
    expired, *more = desk.step()
    assert isinstance(expired, m.OrderExpired)
    assert more == []
    # At the last tick the ask is far below the other order.
    assert brief(desk.step()) == [(1, 80)]
    assert desk.status(2).status == "expired"
    (rejected,) = desk.order(1)
    assert isinstance(rejected, m.OrderRejected)
    assert rejected.reason == "market_closed"


def test_a_replaced_order_is_worked_at_once() -> None:
    desk = paper(quote(1, 100, 102))
    desk.order(5, "limit", limit=90)
    replaced, *fills = desk.replace(1, 8, limit=102)
    assert isinstance(replaced, m.OrderReplaced)
    assert brief(fills) == [(8, 102)]


def test_one_side_may_be_missing() -> None:
    desk = paper(quote(1, 100, 0, ask_qty=0), quote(2, 100, 102))
    assert brief(desk.order(5)) == []
    assert brief(desk.order(5, "limit", limit=105)) == []
    assert [qty for qty, _ in brief(desk.step())] == [5, 5]


def test_the_fee_is_rounded_to_the_even_minor_unit() -> None:
    desk = paper(quote(1, 100, 125), costs=nt.Costs(fee_bps=100))
    desk.order(2)
    desk.order(6)
    assert [fill.fee for fill in desk.fills()] == [2, 8]  # Of 2.5 and of 7.5.


def test_rows_of_a_file_become_ticks() -> None:
    rows: list[tuple[int, str, tuple[float | None, ...]]] = [
        (1, "A", (1.004, 1.02, 5.0, None, None, None)),
        (2, "B", (1.0, 1.1, None, None, None, None)),
        (3, "A", (None, None, None, None, 1.01, 0.3)),
    ]
    ticks = read_ticks(rows, listings("A", lot_size="0.1"))
    assert [tick[:6] for tick in ticks] == [
        (1, "A", 100, 102, 50, m.QTY_MAX), (3, "A", 0, 0, m.QTY_MAX, m.QTY_MAX),
    ]  # fmt: skip
    assert ticks[1][6:] == (101, 3)


@pytest.mark.parametrize(
    ("ticks", "words"),
    [
        ([], "no tick"),
        ([quote(2, 1, 2), quote(1, 1, 2)], "sort by time"),
        ([quote(1, 3, 2)], "above its ask"),
        ([quote(1, 3, 4, -1)], "negative"),
        ([Tick(1, "B", 1, 2, 1, 1)], "not of a listed symbol"),
    ],
)
def test_what_cannot_be_replayed_is_refused(ticks: list[Tick], words: str) -> None:
    with pytest.raises(DataError, match=words):
        TickMarket(listings("A"), ticks)


@pytest.mark.parametrize(
    ("costs", "matching", "words"),
    [
        (nt.Costs(slippage_bps=1), nt.Matching(), "fee_bps alone"),
        (nt.Costs(fee_minimum=1), nt.Matching(), "fee_bps alone"),
        (nt.Costs(), nt.Matching(volume_share=0.1), "only bars"),
    ],
)
def test_costs_that_are_in_the_quotes_are_refused(
    costs: nt.Costs, matching: nt.Matching, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        TickMarket(listings("A"), [NEVER], costs=costs, matching=matching)
