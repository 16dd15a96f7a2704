"""Each limit denies with its own reason and figures, and lets through what only reduces."""

from typing import Any

import pytest

from neural_trader.core import ConfigError
from neural_trader.execution import Limits
from neural_trader.execution import messages as m
from neural_trader.execution.framing import pack
from neural_trader.execution.limits import Rate
from tests.unit.execution.desk import START, Desk

OFF: dict[str, Any] = {
    "order_qty_max": 0,
    "order_notional_max": 0,
    "position_qty_max": 0,
    "gross_max": 0,
    "net_max": 0,
    "open_orders_max": 0,
    "orders_per_second": 0,
    "collar_bps": 0,
    "mark_age_ms_max": 0,
}


def desk_with(**limits: Any) -> Desk:
    return Desk(Limits(**(OFF | limits)))


def denial(order: Any) -> tuple[str, int, int]:
    assert order.status == "denied", order
    return order.reason, order.found, order.allowed


def passes(order: Any) -> bool:
    return bool(order.status == "new")


def test_a_denied_order_never_reaches_the_venue() -> None:
    desk = desk_with(order_qty_max=100)
    before = len(desk.asked)
    assert denial(desk.submit("KO", 101)) == ("order_qty", 101, 100)
    assert len(desk.asked) == before
    assert passes(desk.submit("KO", 100))
    assert isinstance(desk.last_asked(), m.NewOrder)


def test_an_unknown_symbol_is_denied() -> None:
    desk = desk_with()
    desk.client.listings["XX"] = desk.client.listings["KO"]
    assert denial(desk.submit("XX", 1))[0] == "unknown_symbol"


def test_without_a_mark_there_is_no_reference() -> None:
    desk = Desk(Limits(**OFF), marks=False)
    assert denial(desk.submit("KO", 1)) == ("no_reference", 0, 0)


def test_a_stale_mark_is_none() -> None:
    desk = desk_with(mark_age_ms_max=1_000)
    desk.now += 1_000_000_000
    assert passes(desk.submit("KO", 1))
    desk.now += 1
    assert denial(desk.submit("KO", 1)) == ("no_reference", 1_000, 1_000)
    desk.now += 999_999
    assert denial(desk.submit("KO", 1)) == ("no_reference", 1_001, 1_000)


def test_the_mark_is_written_into_the_record() -> None:
    desk = desk_with()
    desk.submit("KO", 1)
    records = [m.decode_record(payload) for _, payload in desk.journal.read(1, 1 << 20)]
    (submitted,) = [record for record in records if isinstance(record, m.Submitted)]
    assert submitted.mark == 5_420


def test_notional_counts_the_dearest_price() -> None:
    desk = desk_with(order_notional_max=5_420)
    assert passes(desk.submit("KO", 100))
    assert denial(desk.submit("KO", 101)) == ("order_notional", 547_420, 542_000)
    # A purchase pays its limit at most; a sale at a higher limit is worth that.
    assert passes(desk.submit("KO", 101, limit=5_300))
    assert denial(desk.submit("KO", -100, limit=5_421))[0] == "order_notional"


def test_position_counts_open_orders_of_the_same_side() -> None:
    desk = desk_with(position_qty_max=100)
    assert passes(desk.submit("KO", 60, limit=5_400))
    assert denial(desk.submit("KO", 41)) == ("position", 101, 100)
    # The other side is worst-cased on its own: the open purchase may never fill.
    assert passes(desk.submit("KO", -100, limit=5_500))
    assert denial(desk.submit("KO", -1, limit=5_500)) == ("position", 101, 100)


def test_gross_and_net_exposure_count_every_instrument() -> None:
    desk = desk_with(gross_max=10_840, net_max=0)
    assert passes(desk.submit("KO", 100))
    assert denial(desk.submit("PEP", -32)) == ("gross_exposure", 1_086_000, 1_084_000)
    assert passes(desk.submit("PEP", -31))
    netted = desk_with(net_max=5_420)
    assert passes(netted.submit("KO", 100))
    assert denial(netted.submit("PEP", 1)) == ("net_exposure", 559_000, 542_000)
    assert passes(netted.submit("PEP", -31))


def test_open_orders_are_counted() -> None:
    desk = desk_with(open_orders_max=2)
    first = desk.submit("KO", 1, limit=5_000)
    desk.submit("KO", 1, limit=5_001)
    assert denial(desk.submit("KO", 1)) == ("open_orders", 3, 2)
    desk.accept(first.no)
    desk.say(m.OrderCanceled(m.order_id(1, first.no), 0, "x", 0))
    assert passes(desk.submit("KO", 1))


@pytest.mark.parametrize(("limit", "found"), [(5_529, 201), (5_311, 201)])
def test_a_limit_far_from_the_mark_is_caught_by_the_collar(limit: int, found: int) -> None:
    desk = desk_with(collar_bps=200)
    assert denial(desk.submit("KO", 1, limit=limit)) == ("price_collar", found, 200)
    assert passes(desk.submit("KO", 1, limit=5_528))


def test_the_rate_is_that_of_the_last_second() -> None:
    desk = desk_with(orders_per_second=3)
    for _ in range(3):
        assert passes(desk.submit("KO", 1))
    assert denial(desk.submit("KO", 1)) == ("order_rate", 4, 3)
    desk.now += 2_000_000_000
    assert passes(desk.submit("KO", 1))


def test_the_loss_of_the_day_stops_what_does_not_reduce() -> None:
    desk = desk_with(daily_loss_max=100)
    order = desk.submit("KO", 100)
    desk.accept(order.no)
    desk.fill(order.no, 1, "KO", 100, 5_420)
    desk.say(m.Quote("KO", 5_320, 5_320, 1, 1, 0))
    assert denial(desk.submit("KO", 1)) == ("daily_loss", 10_000, 10_000)
    assert passes(desk.submit("KO", -100))


def test_the_same_order_within_the_window_is_a_duplicate() -> None:
    desk = desk_with(duplicate_window_ms=500)
    assert passes(desk.submit("KO", 10, limit=5_400))
    desk.now += 100_000_000
    assert denial(desk.submit("KO", 10, limit=5_400)) == ("duplicate", 100, 500)
    assert passes(desk.submit("KO", 10, limit=5_401))
    desk.now += 400_000_000
    assert passes(desk.submit("KO", 10, limit=5_400))


@pytest.mark.parametrize("lots", [1, -1])
def test_an_order_of_one_lot_meets_what_it_could_trade_with_and_nothing_else(lots: int) -> None:
    desk = desk_with()
    desk.submit("KO", -10 * lots, limit=5_420)
    beyond = desk.submit("KO", lots, limit=5_420 - lots)
    assert passes(beyond)
    assert denial(desk.submit("KO", lots, limit=5_420)) == ("self_crossing", 5_420, 5_420)


def test_an_order_may_not_meet_one_of_its_own_account() -> None:
    desk = desk_with()
    assert passes(desk.submit("KO", 10, limit=5_400))
    assert denial(desk.submit("KO", -10, limit=5_400)) == ("self_crossing", 5_400, 5_400)
    assert denial(desk.submit("KO", -10)) == ("self_crossing", 0, 5_400)
    assert passes(desk.submit("KO", -10, limit=5_401))
    allowed = desk_with(is_self_crossing_allowed=True)
    allowed.submit("KO", 10, limit=5_400)
    assert passes(allowed.submit("KO", -10))


def test_the_kill_switch_cancels_what_is_open_and_lets_reduce_only_through() -> None:
    desk = desk_with()
    held = desk.submit("KO", 100)
    desk.accept(held.no)
    desk.fill(held.no, 1, "KO", 100, 5_420)
    waiting = desk.submit("PEP", 5, limit=169_000)
    desk.accept(waiting.no)
    desk.client.switch(on=True)
    desk.pass_on()
    assert desk.last_asked() == m.CancelOrder(m.order_id(1, waiting.no), 0)
    assert denial(desk.submit("KO", 1))[0] == "kill_switch"
    assert denial(desk.submit("KO", -101))[0] == "kill_switch"
    assert passes(desk.submit("KO", -60))
    # Together with the open one it would go through zero.
    assert denial(desk.submit("KO", -41))[0] == "kill_switch"
    desk.client.switch(on=False)
    desk.pass_on()
    assert passes(desk.submit("PEP", 5))


def test_a_reduce_only_order_that_would_open_is_denied() -> None:
    desk = desk_with()
    assert denial(desk.submit("KO", -10, reduce_only=True))[0] == "not_reducing"


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"kind": 0, "limit": 5}, "bad_limit"),
        ({"kind": 1}, "bad_limit"),
        ({"kind": 2}, "bad_trigger"),
        ({"kind": 1, "limit": 5, "trigger": 5}, "bad_trigger"),
        ({"qty": 0}, "bad_quantity"),
    ],
)
def test_terms_that_make_no_order_are_denied(terms: dict[str, int], reason: str) -> None:
    desk = desk_with()
    order = m.Submit(**({"no": 1, "symbol": "KO", "qty": 1} | terms))  # type: ignore[arg-type]
    desk.client.outbox.append(pack(order))
    desk.pass_on()
    assert desk.events[-1].reason == reason


def test_new_limits_count_at_once_and_stand_in_the_journal() -> None:
    desk = desk_with()
    assert (
        desk.gateway.reload_limits({"main": Limits(**(OFF | {"order_qty_max": 5}))}, desk.now) == 1
    )
    desk.turn()
    assert denial(desk.submit("KO", 6)) == ("order_qty", 6, 5)
    desk.journal = desk.journal.crash()
    desk.limits = Limits(**(OFF | {"order_qty_max": 5}))
    assert desk.gateway.reload_limits({"main": desk.limits}, desk.now) == 0
    desk.start()
    assert desk.gateway.core.limits_of(1) == Limits.from_text(desk.limits.as_text())


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"gross_max": "-1"}, "gross_max is '-1'; expected"),
        ({"order_qty_max": "many"}, "order_qty_max is 'many'"),
        ({"open_orders_max": -1}, "open_orders_max is -1"),
    ],
)
def test_a_limit_that_is_none_is_refused(limits: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Limits(**limits)


class TestRate:
    def test_it_never_counts_less_than_the_running_second_holds(self) -> None:
        rate = Rate()
        for at in range(10):
            rate.add(START + at)
        assert rate.count(START + 10) == 10

    def test_the_second_before_fades(self) -> None:
        rate = Rate()
        start = START // 1_000_000_000 * 1_000_000_000
        rate.add(start, 100)
        assert rate.count(start + 1_500_000_000) == 50
        assert rate.count(start + 2_000_000_000) == 0
