"""Where limits begin and end: each of these once let something pass, or held nothing back."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core import ConfigError
from neural_trader.execution import Gateway, Limits, Listing
from neural_trader.execution import messages as m
from neural_trader.execution.checkpoint import restore_image, take_image
from neural_trader.execution.core import Core
from neural_trader.execution.journal import MemoryJournal
from neural_trader.execution.ledger import Book
from neural_trader.execution.limits import PER_SECOND_MAX, Bounds, Denial, OrderRate
from tests.unit.execution.desk import LISTINGS, START, Desk
from tests.unit.execution.test_hazards import repeat
from tests.unit.execution.test_limits import OFF, denial, desk_with, passes

SECOND = 1_000_000_000


def hold(desk: Desk, lots: int, price: int = 5_420, symbol: str = "KO") -> None:
    """Let the account buy, or sell, and be filled."""
    order = desk.submit(symbol, lots)
    assert passes(order)
    desk.accept(order.no)
    desk.fill(order.no, desk.gateway.core.last_fill_id + 1, symbol, lots, price)


# ------------------------------------------------------------------------ less than the smallest
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("order_qty_max", "order_qty"),
        ("position_qty_max", "position"),
        ("order_notional_max", "order_notional"),
        ("gross_max", "gross_exposure"),
        ("net_max", "net_exposure"),
    ],
)
def test_a_limit_below_the_smallest_unit_lets_nothing_pass(name: str, reason: str) -> None:
    for amount in ("0.004", "1e-30"):
        desk = desk_with(**{name: amount})
        told, found, allowed = denial(desk.submit("KO", 1))
        assert (told, allowed) == (reason, 0)
        assert found > 0
    for off in (0, "0", "0.00"):
        assert passes(desk_with(**{name: off}).submit("KO", 1))


def test_the_smallest_loss_of_the_day_stops_what_does_not_reduce() -> None:
    desk = desk_with(daily_loss_max="0.004")
    hold(desk, 1)
    assert passes(desk.submit("KO", 1, limit=5_400))
    desk.say(m.Quote("KO", 5_419, 5_419, 1, 1, 0))
    assert denial(desk.submit("KO", 1)) == ("daily_loss", 1, 1)
    assert passes(desk_with(daily_loss_max=0).submit("KO", 1))


def test_a_limit_is_cut_down_to_whole_units_and_never_rounded_up() -> None:
    listings = {"XX": Listing("XX", "0.01", "0.3")}
    almost = "0." + 40 * "9"
    limits = Limits(order_qty_max=almost, position_qty_max="1e30", gross_max=almost)
    bounds = Bounds(limits, listings, 1)
    assert bounds.lots["XX"][0] == 3
    assert bounds.lots["XX"][1] == int(Decimal(1 << 62) / Decimal("0.3"))
    assert bounds.gross == 99


# ---------------------------------------------------------------------------- what has no price
def start_again(desk: Desk) -> None:
    """Kill the gateway, and let one start that knows no price yet."""
    desk.journal = desk.journal.crash()
    desk.start()
    desk.client, desk.session, desk.events = desk.log_in("trade")


@pytest.mark.parametrize("is_filled", [True, False], ids=["held", "open"])
@pytest.mark.parametrize("is_restored", [False, True], ids=["replayed", "restored"])
def test_what_has_no_price_yet_is_not_taken_for_nothing(
    *, is_filled: bool, is_restored: bool
) -> None:
    desk = desk_with(gross_max=10_840, is_self_crossing_allowed=True)
    hold(desk, -10, 170_000, "PEP")
    if is_filled:
        hold(desk, 150)
    else:
        desk.submit("KO", 150, limit=5_420)
        desk.accept(desk.account.last_no)
    if is_restored:
        # The day stands in the checkpoint as opened: it does not ask for prices again.
        before = desk.journal.crash()
        image = take_image(desk.gateway.core, before.next_seq)
        desk.journal = MemoryJournal((), before.next_seq, image)
    start_again(desk)
    if not is_filled:
        status = m.OrderStatus(m.order_id(1, 2), "accepted", 1, 150, 5_420, 0, (), desk.now)
        desk.say(status)
    desk.say(m.Quote("PEP", 170_000, 170_000, 1, 1, 0))
    assert denial(desk.submit("PEP", -20)) == ("no_reference", 0, 0)
    # What brings a position nearer to 0 needs no sums.
    assert passes(desk.submit("PEP", 10))
    desk.say(m.Quote("KO", 5_419, 5_421, 1, 1, 0))
    assert desk.account.book.blind == 0
    assert denial(desk.submit("PEP", -20))[0] == "gross_exposure"


def test_the_books_count_of_what_has_no_price_is_that_of_its_holdings() -> None:
    book = Book(0, 1)
    one, two = (book.holding(Listing(symbol), 0) for symbol in ("A", "B"))
    steps: list[tuple[Any, ...]] = [
        (book.open, one, 5),
        (book.open, two, -3),
        (book.fill, one, 2, 200, 0),
        (book.close, one, 3),
        (book.close, two, -3),
        (book.open, two, 7),
        (book.open, one, -2),
        (book.fill, one, -2, 200, 0),
    ]
    for what, *rest in steps:
        what(*rest)
        assert book.blind == sum(not one.is_flat for one in book.holdings.values())
    for holding in (one, two):
        holding.mark = 7
        book.revalue(holding)
    assert book.blind == 0


def test_a_change_needs_the_day_to_be_open_as_an_order_does() -> None:
    desk = desk_with()
    hold(desk, 10)
    desk.submit("PEP", 5, limit=169_000)
    desk.accept(2)
    desk.now += 86_400 * SECOND
    start_again(desk)
    desk.say(m.OrderStatus(m.order_id(1, 2), "accepted", 1, 5, 169_000, 0, (), desk.now))
    desk.say(m.Quote("PEP", 170_000, 170_000, 1, 1, 0))
    desk.client.replace(2, lots=6)
    desk.pass_on()
    assert (type(desk.events[-1]), desk.events[-1].reason) == (m.RequestDenied, "no_reference")
    desk.say(m.Quote("KO", 5_419, 5_421, 1, 1, 0))
    desk.client.replace(2, lots=6)
    desk.pass_on()
    assert desk.account.day == desk.now // (86_400 * SECOND)
    assert desk.last_asked() == m.ReplaceOrder(m.order_id(1, 2), 4, 6, 169_000, 0)


def test_a_change_on_a_new_day_is_held_to_the_loss_of_that_day() -> None:
    """It was held to the day before, whose losses are over."""
    desk = desk_with(daily_loss_max=100)
    hold(desk, 100)
    desk.submit("PEP", 5, limit=169_000)
    desk.accept(2)
    desk.say(m.Quote("KO", 5_320, 5_320, 1, 1, 0))
    desk.now += 86_400 * SECOND
    desk.client.replace(2, lots=6)
    desk.pass_on()
    assert isinstance(desk.last_asked(), m.ReplaceOrder)


# ------------------------------------------------------------------- what is no longer traded
def test_an_instrument_that_left_the_configuration_can_only_be_reduced() -> None:
    desk = desk_with()
    hold(desk, 10)
    desk.submit("KO", 5, limit=5_400)
    desk.accept(2)
    desk.listings = tuple(one for one in desk.listings if one.symbol != "KO")
    start_again(desk)
    desk.say(m.OrderStatus(m.order_id(1, 2), "accepted", 1, 5, 5_400, 0, (), desk.now))
    quotes = m.Quote("KO", 5_419, 5_421, 1, 1, 0), m.Quote("PEP", 170_000, 170_000, 1, 1, 0)
    desk.say(*quotes)
    assert denial(desk.submit("KO", 1))[0] == "not_tradable"
    assert denial(desk.submit("KO", -11))[0] == "not_tradable"
    other = desk.submit("PEP", 1)
    assert passes(other)
    desk.say(m.OrderRejected(m.order_id(1, other.no), "x", 0))
    desk.client.replace(2, lots=6)
    desk.pass_on()
    assert (type(desk.events[-1]), desk.events[-1].reason) == (m.RequestDenied, "not_tradable")
    no = desk.client.cancel(2)
    desk.pass_on()
    assert desk.last_asked() == m.CancelOrder(m.order_id(1, 2), no)
    desk.say(m.OrderCanceled(m.order_id(1, 2), no, "requested", 0))
    order = desk.submit("KO", -10)
    desk.accept(order.no)
    desk.fill(order.no, 2, "KO", -10, 5_420)
    assert desk.account.book.holdings["KO"].qty == 0
    # Back in the configuration it is what it was, and no record says that it was away.
    desk.listings = LISTINGS
    start_again(desk)
    desk.say(*quotes)
    assert passes(desk.submit("KO", 1))
    assert take_image(Gateway(desk.journal.crash()).core, 0) == take_image(desk.gateway.core, 0)


# ------------------------------------------------------------------------ how often, and how fast
def test_changes_of_orders_count_as_orders() -> None:
    desk = desk_with(orders_per_second=3)
    desk.submit("KO", 10, limit=5_400)
    desk.accept(1)
    for lots in (11, 12):
        desk.client.replace(1, lots=lots)
    desk.pass_on()
    desk.client.replace(1, lots=13)
    desk.pass_on()
    told = desk.events[-1]
    assert (type(told), told.reason, told.found) == (m.RequestDenied, "order_rate", 4)
    assert denial(desk.submit("KO", 1, limit=5_400)) == ("order_rate", 4, 3)
    assert take_image(Gateway(desk.journal.crash()).core, 0) == take_image(desk.gateway.core, 0)


def cancels(desk: Desk) -> list[int]:
    return [one.request for one in desk.asked if isinstance(one, m.CancelOrder)]


def test_an_order_is_canceled_once_and_again_only_after_a_silence() -> None:
    desk = desk_with()
    desk.submit("KO", 10, limit=5_400)
    desk.accept(1)
    first = desk.client.cancel(1)
    second = desk.client.cancel(1)
    desk.pass_on()
    assert cancels(desk) == [first]
    told = desk.events[-1]
    assert (type(told), told.no, told.reason) == (m.RequestDenied, second, "pending")
    # The same requests once more: the first still waits, the second has its answer.
    assert repeat(desk, m.Cancel(first, 1)) == []
    assert repeat(desk, m.Cancel(second, 1)) == [told]
    assert cancels(desk) == [first]
    # No answer within the timeout: it may have been lost.
    desk.now += SECOND
    third = desk.client.cancel(1)
    desk.pass_on()
    assert cancels(desk) == [first, third]
    desk.say(m.OrderCanceled(m.order_id(1, 1), first, "requested", 0))
    assert not desk.account.requests


def test_the_kill_switch_and_a_client_cancel_the_same_order() -> None:
    desk = desk_with()
    desk.submit("KO", 10, limit=5_400)
    desk.accept(1)
    no = desk.client.cancel(1)
    desk.client.switch(on=True)
    desk.pass_on()
    assert cancels(desk) == [no, 0]


def test_a_cancel_that_the_venue_refused_may_be_asked_again() -> None:
    desk = desk_with()
    desk.submit("KO", 10, limit=5_400)
    desk.accept(1)
    first = desk.client.cancel(1)
    desk.pass_on()
    desk.say(m.ChangeRejected(m.order_id(1, 1), first, "busy", 0))
    second = desk.client.cancel(1)
    desk.pass_on()
    assert cancels(desk) == [first, second]


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 5),
    st.lists(
        st.sampled_from([0, 1, SECOND // 4, SECOND // 2 - 1, SECOND - 1, SECOND]), max_size=60
    ),
)
def test_no_second_holds_more_orders_than_it_may_and_none_is_denied_too_early(
    allowed: int, pauses: list[int]
) -> None:
    rate = OrderRate(allowed)
    passed: list[int] = []
    now = START
    for pause in pauses:
        now += pause
        within = sum(now - SECOND < ts for ts in passed)
        assert rate.is_full(now) == (within >= allowed)
        if not rate.is_full(now):
            rate.add(now)
            passed.append(now)
    assert len(rate.passed) <= allowed


def test_a_burst_at_the_end_of_a_second_and_one_at_the_next_do_not_both_pass() -> None:
    desk = desk_with(orders_per_second=10)
    desk.now = START // SECOND * SECOND + SECOND - 1
    desk.say(m.Quote("KO", 5_419, 5_421, 1, 1, 0))
    assert all(passes(desk.submit("KO", 1)) for _ in range(10))
    # Half a second on, half of them seemed to be gone.
    desk.now += SECOND // 2
    assert denial(desk.submit("KO", 1)) == ("order_rate", 11, 10)
    desk.now += SECOND // 2 - 1
    assert denial(desk.submit("KO", 1)) == ("order_rate", 11, 10)
    desk.now += 1
    assert passes(desk.submit("KO", 1))


def test_new_limits_count_what_has_passed() -> None:
    desk = desk_with(orders_per_second=4)
    for _ in range(4):
        desk.submit("KO", 1)
    for allowed, is_passed in ((5, True), (2, False), (0, True), (1, True), (1, False)):
        limits = Limits(**(OFF | {"orders_per_second": allowed}))
        desk.gateway.reload_limits({"main": limits}, desk.now)
        assert passes(desk.submit("KO", 1)) is is_passed
    again = Gateway(desk.journal.crash()).core
    assert take_image(again, 1) == take_image(desk.gateway.core, 1)
    restored = Core()
    restore_image(restored, take_image(desk.gateway.core, 1))
    assert restored.accounts[1].rate.passed == desk.account.rate.passed
    assert restored.accounts[1].rate.is_full(desk.now)
    assert Bounds(Limits(orders_per_second=1 << 40), {}, 1).per_second == PER_SECOND_MAX


def test_a_clock_that_was_set_back_does_not_stop_trading() -> None:
    rate = OrderRate(2)
    for _ in range(2):
        rate.add(START)
    assert rate.is_full(START - SECOND + 1)
    assert not rate.is_full(START - SECOND)


def test_a_checkpoint_of_an_earlier_version_is_read() -> None:
    """Its accounts end one field earlier, and hold another count of what passed."""
    desk = desk_with(orders_per_second=2)
    desk.submit("KO", 1)
    image = msgspec.msgpack.decode(take_image(desk.gateway.core, 5))
    for account in image[7]:
        account.pop()
        account[-2] = [START // SECOND, 1, 0]
    restored = Core()
    restore_image(restored, msgspec.msgpack.encode(image))
    assert list(restored.accounts[1].rate.passed) == []
    assert restored.accounts[1].open[1].qty == 1


# ------------------------------------------------------------------------------- self-crossing
@pytest.mark.parametrize("is_sale", [False, True], ids=["purchase", "sale"])
@pytest.mark.parametrize(
    ("first", "second", "is_met"),
    [
        # Prices as offsets from the mark, of a purchase and then a sale; for the reverse mirrored.
        ({"limit": -10}, {"limit": -9}, False),
        ({"limit": -10}, {"limit": -10}, True),
        ({"limit": -10}, {}, True),
        # Stops that will be market orders, in either order of coming.
        ({"limit": -10}, {"trigger": -5}, True),
        ({"trigger": 5}, {"limit": 10}, True),
        ({"limit": -10}, {"trigger": -20}, True),
        ({"trigger": 20}, {"limit": 1}, True),
        ({"trigger": 5}, {"trigger": -5}, True),
        # Stops that will have a limit meet what that meets.
        ({"limit": -10}, {"trigger": -5, "limit": -9}, False),
        ({"limit": -10}, {"trigger": -5, "limit": -12}, True),
        ({"trigger": 5, "limit": 6}, {"limit": 7}, False),
        ({"trigger": 5, "limit": 8}, {"limit": 7}, True),
    ],
)
def test_stops_are_taken_for_what_they_will_be(
    first: dict[str, int], second: dict[str, int], *, is_met: bool, is_sale: bool
) -> None:
    desk = desk_with()
    sign = -1 if is_sale else 1
    terms = [{name: 5_420 + sign * away for name, away in one.items()} for one in (first, second)]
    assert passes(desk.submit("KO", sign * 10, **terms[0]))
    order = desk.submit("KO", -sign * 10, **terms[1])
    assert (order.status == "denied") is is_met
    assert order.reason == ("self_crossing" if is_met else "")
    assert passes(desk.submit("PEP", -sign * 10))


def test_a_change_on_its_way_counts_with_both_its_prices() -> None:
    desk = desk_with()
    desk.submit("KO", 10, limit=5_400)
    desk.accept(1)
    wish = desk.client.replace(1, limit=5_410)
    desk.pass_on()
    assert denial(desk.submit("KO", -10, limit=5_405)) == ("self_crossing", 5_405, 5_410)
    assert passes(desk.submit("KO", -10, limit=5_411))
    desk.say(m.OrderReplaced(m.order_id(1, 1), wish, 10, 5_410, 0, 0))
    down = desk.client.replace(1, limit=5_390)
    desk.pass_on()
    assert denial(desk.submit("KO", -10, limit=5_405)) == ("self_crossing", 5_405, 5_410)
    desk.say(m.OrderReplaced(m.order_id(1, 1), down, 10, 5_390, 0, 0))
    assert passes(desk.submit("KO", -10, limit=5_405))


def test_a_change_may_not_go_to_where_another_change_will_be() -> None:
    desk = desk_with()
    desk.submit("KO", 10, limit=5_400)
    desk.submit("KO", -10, limit=5_440)
    for no in (1, 2):
        desk.accept(no)
    desk.client.replace(1, limit=5_420)
    desk.client.replace(2, limit=5_420)
    desk.pass_on()
    told = desk.events[-1]
    assert (type(told), told.reason, told.allowed) == (m.RequestDenied, "self_crossing", 5_420)


# ---------------------------------------------------------------------------------- new limits
def test_limits_of_an_account_that_is_not_there_change_nothing() -> None:
    desk = desk_with()
    before = desk.journal.next_seq
    new = Limits(order_qty_max=5)
    with pytest.raises(
        ConfigError, match="there is no account 'new'; the accounts are main, other"
    ):
        desk.gateway.reload_limits({"main": new, "new": new, "other": new}, desk.now)
    assert desk.journal.next_seq == before
    assert passes(desk.submit("KO", 6))
    assert desk.gateway.reload_limits({"main": new, "other": new}, desk.now) == 2
    assert desk.gateway.reload_limits({"main": new, "other": new}, desk.now) == 0


# --------------------------------------------------------------------------------------- figures
@pytest.mark.parametrize("sign", [1, -1])
def test_a_figure_beyond_64_bits_on_either_side_can_be_written_down(sign: int) -> None:
    desk = desk_with()
    order = m.Submit(9, "KO", 1)
    denied = desk.gateway.core.deny(
        desk.account, order, 7, desk.now, Denial("x", sign << 70, sign << 80)
    )
    told = m.decode_record(m.encode(denied))
    assert told == denied
    assert denied.found == denied.allowed == ((1 << 63) - 1 if sign > 0 else -(1 << 63))


# ------------------------------------------------------------------------------- marks in time
def test_a_mark_is_as_old_as_its_arrival_whatever_time_the_venue_writes_on_it() -> None:
    desk = Desk(Limits(**(OFF | {"mark_age_ms_max": 1_000})), marks=False)
    desk.say(m.Quote("KO", 5_420, 5_420, 1, 1, desk.now + 3_600 * SECOND))
    assert desk.gateway.core.marks["KO"] == (5_420, desk.now)
    desk.now += SECOND
    assert passes(desk.submit("KO", 1))
    desk.now += SECOND
    assert denial(desk.submit("KO", 1)) == ("no_reference", 2_000, 1_000)


def test_a_mark_that_was_taken_over_from_a_clock_ahead_is_not_fresh_for_ever() -> None:
    desk = desk_with(mark_age_ms_max=1_000)
    core = desk.gateway.core
    core.mark("KO", 5_420, desk.now + 3_600 * SECOND)
    assert denial(desk.submit("KO", 1)) == ("no_reference", -3_600_000, 1_000)
    # A little ahead is what two clocks of one machine may be.
    core.mark("KO", 5_420, desk.now + SECOND // 2)
    assert passes(desk.submit("KO", 1))


def test_a_switch_turned_on_once_more_cancels_what_has_passed_under_it() -> None:
    """So that it is a record of its own, and answered as any other."""
    desk = desk_with()
    hold(desk, 100)
    desk.client.switch(on=True)
    desk.pass_on()
    order = desk.submit("KO", -50, limit=5_430)
    desk.accept(order.no)
    assert cancels(desk) == []
    again = desk.client.switch(on=True)
    desk.pass_on()
    assert cancels(desk) == [0]
    told = desk.events[-1]
    assert repeat(desk, m.Switch(again, True)) == [told]
