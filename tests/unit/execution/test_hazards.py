"""What a day brings that nobody ordered: each of these once went wrong."""

from typing import Any

import pytest

from neural_trader.core.errors import InvariantViolation, JournalError
from neural_trader.execution import Gateway, Limits
from neural_trader.execution import messages as m
from neural_trader.execution.accounts import REPLIES_MAX, REQUESTS_MAX
from neural_trader.execution.checkpoint import restore_image, take_image
from neural_trader.execution.core import Core
from neural_trader.execution.framing import FrameReader, pack
from tests.unit.execution.desk import GRANTS, START, Desk

SECOND = 1_000_000_000


def told(desk: Desk) -> list[Any]:
    """Return what the gateway has sent to the client since the last look, without taking it."""
    reader = FrameReader()
    found = [
        m.decode_to_client(payload) for data in desk.session.outbox for payload in reader.feed(data)
    ]
    desk.session.outbox.clear()
    return found


def repeat(desk: Desk, request: Any) -> list[Any]:
    """Send a request as it is, and return what comes back."""
    desk.session.outbox.clear()
    desk.gateway.receive(desk.session, pack(request), desk.now)
    desk.gateway.commit()
    return told(desk)


def kinds(desk: Desk) -> list[str]:
    return [type(message).__name__ for message in desk.asked]


def wait(desk: Desk, seconds: int = 2) -> None:
    """Let time pass."""
    for _ in range(20 * seconds):
        desk.now += SECOND // 20
        desk.session.last_heard = desk.now
        desk.gateway.on_time(desk.now)
        desk.turn()


def come_up(desk: Desk) -> None:
    desk.gateway.venue.connected(desk.now)
    desk.turn()
    desk.say(m.VenueWelcome(m.VERSION, "test"), m.Quote("KO", 5_419, 5_421, 1, 1, 0))


def still_open(desk: Desk, no: int = 1) -> None:
    """Let the venue say that it still works an order."""
    identity = m.order_id(1, no)
    desk.say(m.OrderStatus(identity, "accepted", no, 100, 5_400, 0, (), desk.now))


# ------------------------------------------------------------------------------- the kill switch
def test_a_switch_turned_on_without_a_venue_cancels_when_there_is_one() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    desk.gateway.venue.disconnected()
    desk.client.switch(on=True)
    desk.pass_on()
    desk.asked.clear()
    come_up(desk)
    still_open(desk)
    wait(desk, 1)
    assert "CancelOrder" in kinds(desk)
    desk.say(m.OrderCanceled(m.order_id(1, 1), 0, "requested", 0))
    assert not desk.account.open


def test_the_cancels_of_a_switch_survive_a_crash() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    desk.client.switch(on=True)
    desk.pass_on()
    desk.asked.clear()
    desk.journal = desk.journal.crash()
    desk.start()
    still_open(desk)
    wait(desk, 1)
    assert "CancelOrder" in kinds(desk)


def test_a_cancel_without_an_answer_is_sent_again_once_a_timeout() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    desk.client.switch(on=True)
    desk.pass_on()
    desk.asked.clear()
    wait(desk, 5)
    assert kinds(desk).count("CancelOrder") == 5


def test_a_fill_that_fits_no_order_stops_the_account_and_cancels_what_is_open() -> None:
    desk = Desk()
    for no in (1, 2):
        desk.submit("KO", 100, limit=5_400 - no)
        desk.accept(no)
    desk.asked.clear()
    desk.say(m.OrderFilled(m.order_id(1, 99), 7, "KO", 5, 5_400, 27_000, 0, 0))
    wait(desk, 1)
    assert desk.account.is_killed
    assert kinds(desk)[:2] == ["CancelOrder", "CancelOrder"]


def test_what_passes_under_the_switch_is_not_canceled_by_it() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_421)
    desk.accept(1)
    desk.fill(1, 1, "KO", 100, 5_421)
    desk.client.switch(on=True)
    desk.pass_on()
    order = desk.client.submit("KO", -50, limit=5_430)
    desk.pass_on()
    desk.accept(order.no)
    desk.asked.clear()
    wait(desk, 3)
    assert list(desk.account.open) == [order.no]
    assert "CancelOrder" not in kinds(desk)


# ------------------------------------------------------------------------------------- exposure
def test_two_changes_on_their_way_count_what_the_later_one_adds() -> None:
    desk = Desk(Limits(position_qty_max=1_000))
    desk.submit("KO", 1_000, limit=5_400)
    desk.accept(1)
    desk.client.replace(1, lots=1)
    desk.client.replace(1, lots=1_000)
    desk.pass_on()
    holding = desk.account.book.holdings["KO"]
    first = next(message for message in desk.asked if isinstance(message, m.ReplaceOrder))
    desk.say(m.OrderReplaced(m.order_id(1, 1), first.request, 1, 5_400, 0, 0))
    assert holding.buys == 1_000
    denied = desk.client.submit("KO", 999, limit=5_400)
    desk.pass_on()
    assert denied.status == "denied"
    desk.say(m.OrderReplaced(m.order_id(1, 1), first.request + 1, 1_000, 5_400, 0, 0))
    assert holding.buys == 1_000
    assert not desk.account.requests


def test_wishes_that_wait_are_bounded() -> None:
    desk = Desk(Limits(orders_per_second=0))
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    for _ in range(REQUESTS_MAX + 1):
        desk.client.replace(1, lots=50)
    desk.pass_on()
    assert len(desk.account.requests) <= REQUESTS_MAX
    assert isinstance(desk.events[-1], m.RequestDenied)


# ------------------------------------------------------------------------------- repeated requests
def test_a_number_that_was_skipped_is_taken_and_one_that_is_forgotten_is_used() -> None:
    desk = Desk(Limits(order_qty_max=1, orders_per_second=0))
    desk.client.next_no = 5
    desk.submit("KO", 2)
    (skipped,) = repeat(desk, m.Submit(3, "KO", 2, 0, 0))
    assert (skipped.code, skipped.no) == ("number_taken", 3)
    for _ in range(REPLIES_MAX):
        desk.client.submit("KO", 2)
    desk.pass_on()
    (gone,) = repeat(desk, m.Submit(5, "KO", 2, 0, 0))
    assert (gone.code, gone.no) == ("number_used", 5)


def test_an_open_order_whose_reply_is_forgotten_is_not_answered_with_silence() -> None:
    desk = Desk(Limits(orders_per_second=0))
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    for _ in range(REPLIES_MAX + 1):
        desk.client.cancel(999)
    desk.pass_on()
    (answer,) = repeat(desk, m.Submit(1, "KO", 100, 1, 0, 5_400))
    assert (answer.code, answer.no) == ("number_used", 1)


def test_a_repeat_is_not_answered_before_the_stream_has_come_there() -> None:
    desk = Desk(Limits(order_qty_max=1))
    for _ in range(3):
        desk.submit("KO", 2)
    desk.gateway.close_session(desk.session)
    session = desk.gateway.open_session("back", desk.now)
    desk.session = session
    desk.gateway.receive(session, pack(m.Login(m.VERSION, "t" * 64, 7, 2)), desk.now)
    desk.gateway.receive(session, pack(m.Submit(3, "KO", 2, 0, 0)), desk.now)
    desk.gateway.receive(session, pack(m.Submit(1, "KO", 2, 0, 0)), desk.now)
    desk.gateway.commit()
    while desk.gateway.catch_up(session):
        pass
    events = [event for event in told(desk) if isinstance(event, m.Denied)]
    # The first was told before: it is answered at once. The third comes in its place.
    assert [event.no for event in events] == [1, 2, 3]


def test_a_number_far_away_is_refused_and_locks_nobody_out() -> None:
    desk = Desk()
    for request in (m.Cancel(m.NO_MAX, 1), m.Submit(m.NO_MAX, "KO", 1), m.Switch(m.NO_MAX, True)):
        (answer,) = repeat(desk, request)
        assert (answer.code, desk.session.closing) == ("number_too_high", "")
    desk.client.switch(on=True)
    desk.pass_on()
    assert desk.account.is_killed


# --------------------------------------------------------------------------- what the venue says
def test_an_acceptance_without_a_number_is_an_acceptance() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.say(m.OrderAccepted(m.order_id(1, 1), 0, 0), m.OrderCanceled(m.order_id(1, 1), 0, "x", 0))
    assert desk.account.ended[1].status == "canceled"
    assert Gateway(desk.journal).core.accounts[1].ended[1].status == "canceled"


def test_a_fill_of_no_order_that_is_told_again_is_recorded_once() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    for _ in range(3):
        desk.say(m.OrderFilled(m.order_id(1, 1), 1, "KO", 150, 5_400, 810_000, 0, 0))
    assert (desk.gateway.core.orphans, desk.gateway.venue.duplicates) == (1, 2)


def test_a_change_to_nothing_is_not_a_fill() -> None:
    desk = Desk()
    desk.submit("KO", -100, limit=5_430)
    desk.accept(1)
    desk.say(m.OrderReplaced(m.order_id(1, 1), 0, 0, 5_430, 0, 0))
    assert (desk.account.open[1].status, desk.account.open[1].qty) == ("accepted", -100)


def test_an_answer_about_another_order_answers_no_wish() -> None:
    desk = Desk()
    for no in (1, 2):
        desk.submit("KO", 100, limit=5_400 - no)
        desk.accept(no)
    no = desk.client.cancel(1)
    desk.pass_on()
    desk.say(m.ChangeRejected(m.order_id(1, 2), no, "filled", 0))
    assert no in desk.account.requests
    desk.say(m.ChangeRejected(m.order_id(1, 1), no, "filled", 0))
    assert not desk.account.requests


def test_a_quote_beyond_all_prices_is_ignored() -> None:
    desk = Desk()
    desk.say(m.Quote("KO", 1 << 60, 1 << 60, 1, 1, 0))
    assert desk.gateway.core.marks["KO"][0] == 5_420


def test_a_venue_with_other_units_is_not_traded_at() -> None:
    desk = Desk()
    desk.gateway.venue.disconnected()
    desk.gateway.venue.connected(desk.now)
    units = (("KO", "0.01", "1", "0.01"), ("PEP", "0.01", "1", "0.01"), ("XX", "1", "1", "1"))
    welcome = m.VenueWelcome(m.VERSION, "test", units)
    said = desk.gateway.venue.receive(pack(welcome), desk.now)
    assert "PEP has tick, lot and minor unit 0.01, 1, 0.01 at the venue and 0.001" in said
    assert desk.gateway.venue.state != "up"
    desk.turn()
    assert desk.submit("PEP", 1).reason == "venue_down"


def test_an_order_that_the_venue_has_forgotten_is_unknown_until_somebody_cancels_it() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.journal = desk.journal.crash()
    desk.start()
    desk.client, desk.session, desk.events = desk.log_in("trade", client=7, next_seq=1)
    desk.say(m.OrderStatus(m.order_id(1, 1), "forgotten", 0, 0, 0, 0, (), desk.now))
    assert desk.account.open[1].status == "unknown"
    no = desk.client.cancel(1)
    desk.pass_on()
    desk.say(m.ChangeRejected(m.order_id(1, 1), no, "forgotten", 0))
    assert desk.account.ended[1].status == "canceled"
    assert (desk.events[-1].request, desk.events[-1].reason) == (no, "forgotten")


def test_an_event_that_cannot_be_applied_is_not_written() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    last = desk.journal.next_seq
    desk.gateway.record(m.Replaced(1, 1, 0, 1, 0, 0, 100, 5_400, 0))
    desk.account.open[1].status = "denied"
    with pytest.raises(InvariantViolation):
        desk.gateway.record(m.Unknown(1, 2, 0, 1, 7))
    assert desk.gateway.is_halted
    with pytest.raises(JournalError, match="has halted"):
        desk.gateway.commit()
    assert desk.journal.crash().next_seq == last
    assert Gateway(desk.journal.crash(), GRANTS).core.accounts[1].open[1].status == "submitted"


def test_gateways_on_two_journals_have_two_names_at_the_venue() -> None:
    """Their orders have the same numbers: each would get the answers of the other."""
    desk, other = Desk(), Desk()
    other.gateway.core.born += 1
    desk.journal = desk.journal.crash()
    desk.now += SECOND
    desk.start()
    first, again = (one for one in desk.asked if isinstance(one, m.VenueLogin))
    assert (again.gateway, again.epoch) == (first.gateway, 2)
    restored = Core()
    restore_image(restored, take_image(desk.gateway.core, desk.journal.next_seq))
    assert restored.born == desk.gateway.core.born == START
    other.gateway.venue.connected(other.now)
    other.turn()
    assert other.last_asked().gateway != again.gateway


def test_absurd_numbers_are_denied_where_every_limit_is_off() -> None:
    """A figure beyond 64 bits cannot be written down: the gateway halted on one client's order."""
    limits = Limits(
        order_qty_max=0, order_notional_max=0, position_qty_max=0, gross_max=0, net_max=0,
        collar_bps=0,
    )  # fmt: skip
    desk = Desk(limits)
    order = desk.submit("KO", m.QTY_MAX, limit=m.PRICE_MAX)
    assert (order.status, order.reason) == ("denied", "order_notional")
    assert (order.found, order.allowed) == ((1 << 63) - 1, m.MONEY_MAX)
    # What one order may just have, many may not.
    orders = [desk.submit("KO", m.QTY_MAX // 2, limit=5_421) for _ in range(600)]
    reasons = {order.reason for order in orders if order.status == "denied"}
    assert reasons == {"gross_exposure"}
    desk.client.ask("positions")
    desk.pass_on()
    assert not desk.gateway.is_halted


def test_a_denial_leaves_nothing_behind_that_replay_would_not_bring_back() -> None:
    desk = Desk(Limits(order_qty_max=10))
    assert desk.submit("KO", 11).status == "denied"
    before = take_image(desk.gateway.core, desk.journal.next_seq)
    again = Gateway(desk.journal.crash(), GRANTS)
    assert take_image(again.core, again.journal.next_seq) == before


@pytest.mark.parametrize("value", [m.MONEY_MAX + 1, -m.MONEY_MAX - 1])
def test_a_venue_that_tells_absurd_money_is_not_listened_to(value: int) -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    fill = m.OrderFilled(m.order_id(1, 1), 1, "KO", 100, 5_400, value, 0, 0)
    trouble = desk.gateway.venue.receive(pack(fill), desk.now)
    assert "the venue sent what is no message" in trouble
    assert desk.account.open[1].filled == 0
