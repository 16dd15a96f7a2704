"""What nothing else noticed when it was broken on purpose (``make mutants``)."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from neural_trader.execution import Gateway, Limits
from neural_trader.execution import messages as m
from neural_trader.execution.client.session import account_of
from neural_trader.execution.framing import UNREAD, head_of, pack
from neural_trader.execution.journal import MemoryJournal
from neural_trader.execution.limits import Rate
from tests.unit.execution.desk import GRANTS, LISTINGS, START, TOKENS, Desk

SECOND = 1_000_000_000


# --------------------------------------------------------------------------- what the venue says
def test_a_fill_that_is_told_late_is_booked_behind_a_newer_one() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_420)
    desk.submit("PEP", 1, limit=170_000)
    for no in (1, 2):
        desk.accept(no, no)
    desk.fill(2, 9, "PEP", 1, 170_000)
    desk.fill(1, 8, "KO", 30, 5_420)
    late = m.OrderFilled(m.order_id(1, 1), 7, "KO", 20, 5_420, 108_400, 0, 0)
    desk.gateway.venue.disconnected()
    desk.gateway.venue.connected(desk.now)
    desk.turn()
    desk.say(
        m.VenueWelcome(m.VERSION, "test"),
        m.OrderStatus(m.order_id(1, 1), "partially_filled", 1, 100, 5_420, 0, (late,), 0),
    )
    assert desk.account.open[1].filled == 50
    assert desk.gateway.venue.duplicates == 0


def test_more_than_the_order_was_for_means_that_the_change_was_granted() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_420)
    desk.accept(1)
    # The wish of another order, and one for too little, are not what explains it.
    desk.submit("PEP", 1, limit=170_000)
    desk.accept(2, 2)
    desk.client.replace(2, lots=500)
    desk.client.replace(1, lots=110)
    no = desk.client.replace(1, lots=150)
    desk.pass_on()
    desk.fill(1, 1, "KO", 120, 5_420)
    order = desk.account.open[1]
    assert (order.qty, order.filled, order.status) == (150, 120, "partially_filled")
    assert (desk.gateway.core.orphans, desk.account.is_killed) == (0, False)
    replaced = [event for event in desk.events if isinstance(event, m.Replaced)]
    assert [(event.no, event.request) for event in replaced] == [(1, no)]


@pytest.mark.parametrize("identity", [m.order_id(1, 1), m.order_id(1, 77), m.order_id(9, 1)])
def test_what_a_venue_says_of_an_order_that_is_over_or_unknown_changes_nothing(
    identity: int,
) -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_420)
    desk.accept(1)
    desk.fill(1, 1, "KO", 100, 5_420)
    said = len(desk.events)
    desk.say(
        m.OrderAccepted(identity, 5, 0),
        m.OrderRejected(identity, "closed", 0),
        m.OrderCanceled(identity, 0, "user", 0),
        m.OrderExpired(identity, 0),
        m.OrderReplaced(identity, 0, 50, 5_420, 0, 0),
        m.ChangeRejected(identity, 0, "late", 0),
        m.OrderStatus(identity, "expired", 1, 100, 5_420, 0, (), 0),
    )
    assert len(desk.events) == said
    assert desk.account.ended[1].status == "filled"


def test_an_order_that_expires_answers_those_who_wished_something_of_it() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    no = desk.client.cancel(1)
    desk.pass_on()
    desk.say(m.OrderExpired(m.order_id(1, 1), 0))
    denied = desk.events[-1]
    assert (denied.no, denied.order, denied.reason) == (no, 1, "expired")
    assert not desk.account.requests


@pytest.mark.parametrize(
    ("bid", "ask", "mark"), [(5_500, 0, 5_500), (0, 5_300, 5_300), (5_500, 5_300, 5_400)]
)
def test_a_quote_of_one_side_is_a_mark_as_well(bid: int, ask: int, mark: int) -> None:
    desk = Desk()
    desk.say(m.Quote("KO", bid, ask, 1, 1, 0))
    assert desk.gateway.core.marks["KO"] == (mark, START)
    desk.say(m.Quote("KO", 0, 0, 0, 0, 0))
    assert desk.gateway.core.marks["KO"] == (mark, START)


def test_recovery_ends_with_the_last_answer_and_not_with_the_first() -> None:
    desk = Desk()
    for no in (1, 2):
        desk.submit("KO", 100, limit=5_400 - no)
        desk.accept(no, no)
    venue = desk.gateway.venue
    venue.disconnected()
    venue.connected(desk.now)
    desk.turn()
    desk.say(m.VenueWelcome(m.VERSION, "test"))
    for no in (1, 2):
        assert venue.state == "recovering"
        assert desk.submit("KO", 1).reason == "recovering"
        identity = m.order_id(1, no)
        desk.say(m.OrderStatus(identity, "accepted", no, 100, 5_400 - no, 0, (), 0))
    assert venue.state == "up"
    assert desk.submit("KO", 1).status == "new"


def test_how_long_an_acceptance_took_counts_from_the_order() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.now += 5_000_000
    desk.accept(1)
    assert desk.gateway.venue.answers_ns == [5_000_000]


# ---------------------------------------------------------------------------------------- the start
def test_a_start_is_written_down_before_anything_else_happens() -> None:
    journal = MemoryJournal()
    gateway = Gateway(journal, GRANTS)
    gateway.start(START, listings=LISTINGS, accounts={"main": 7}, limits={"main": Limits()})
    kept = Gateway(journal.crash()).core
    assert (kept.epoch, [account.name for account in kept.accounts.values()]) == (1, ["main"])


def test_a_start_can_wait_for_the_first_turn() -> None:
    journal = MemoryJournal()
    gateway = Gateway(journal, GRANTS)
    gateway.start(START, listings=LISTINGS, accounts={}, limits={}, is_committed=False)
    assert journal.commits == 0
    gateway.commit()
    assert Gateway(journal.crash()).core.epoch == 1


def test_a_restart_opens_what_is_new_and_nothing_a_second_time() -> None:
    desk = Desk()
    desk.journal = desk.journal.crash()
    desk.start()
    core = desk.gateway.core
    assert {number: one.name for number, one in core.accounts.items()} == {1: "main", 2: "other"}
    kinds = [type(m.decode_record(payload)) for _, payload in desk.journal.read(1, 1 << 20)]
    known = (m.Started, m.Listed, m.AccountOpened, m.LimitsLoaded)
    assert [kinds.count(kind) for kind in known] == [2, 2, 2, 0]
    desk.journal = desk.journal.crash()
    again = Gateway(desk.journal, GRANTS)
    again.start(START, listings=(), accounts={"new": 5, "main": 1}, limits={})
    assert [(one.number, one.name, one.book.cash) for one in again.core.accounts.values()] == [
        (1, "main", 10_000_000),
        (2, "other", 5_000_000),
        (3, "new", 5),
    ]


# --------------------------------------------------------------------------------------- sessions
def test_a_client_that_is_being_caught_up_is_not_thrown_back() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    session = desk.gateway.open_session("back", desk.now)
    desk.gateway.receive(session, pack(m.Login(m.VERSION, TOKENS["read"], 9, 1)), desk.now)
    session.journal_seq = place = desk.journal.next_seq - 1
    desk.gateway.fall_behind(session)
    assert (session.is_live, session.journal_seq) == (False, place)


def test_an_order_of_another_client_comes_as_far_as_it_is() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_420)
    desk.accept(1)
    desk.fill(1, 1, "KO", 40, 5_420)
    client, session, _ = desk.log_in("read", client=9)
    client.ask("orders")
    client.ask("positions")
    desk.pass_on(client, session)
    (order,) = client.answers.popleft().orders
    assert (order.status, order.filled_qty, order.limit) == (
        "partially_filled",
        Decimal(40),
        Decimal("54.20"),
    )
    told = account_of(client, client.answers.popleft().message)
    assert (told["name"], told["cash"], told["equity"]) == (
        "main",
        Decimal(100_000 - 2_168),
        Decimal(100_000),
    )


def test_a_token_that_is_taken_away_ends_its_sessions_and_no_others() -> None:
    desk = Desk()
    _, reading, _ = desk.log_in("read", client=9)
    _, other, _ = desk.log_in("other", client=9)
    nobody = desk.gateway.open_session("nobody", desk.now)
    desk.gateway.renew_grants(grant for grant in GRANTS if grant.scope == "trade")
    closing = [one.closing for one in (desk.session, reading, other, nobody)]
    assert closing == ["", "revoked", "", ""]


def test_refusals_are_logged_until_they_are_too_many(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    caplog.set_level(logging.DEBUG, logger="neural_trader.gateway")
    for _ in range(22):
        desk.gateway.receive(desk.session, pack(m.Ask("weather")), desk.now)
    told = [record.levelname for record in caplog.records if "bad_question" in record.message]
    assert told == ["WARNING"] * 20 + ["DEBUG"] * 2


@pytest.mark.parametrize("wish", ["cancel", "replace", "switch"])
def test_a_wish_is_answered_under_the_number_that_was_given(wish: str) -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    client: Any = desk.client
    uses = {
        "cancel": lambda: client.cancel(1),
        "replace": lambda: client.replace(1, lots=50),
        "switch": lambda: client.switch(on=True),
    }
    no = uses[wish]()
    assert (no, list(client._pending)) == (2, [2])


# ------------------------------------------------------------------------------------------- limits
def test_a_rate_fades_over_two_seconds_and_forgets_what_was_before() -> None:
    rate = Rate()
    for _ in range(10):
        rate.add(START)
    assert rate.count(START + SECOND + SECOND // 4) == 7
    rate.add(START + SECOND + SECOND // 4)
    assert rate.count(START + SECOND + SECOND // 2) == 6
    # A second in which nothing passed lies between: nothing of it counts any more.
    rate.add(START + 3 * SECOND)
    assert rate.count(START + 3 * SECOND) == 1


def test_a_purchase_counts_once_in_the_gross_exposure() -> None:
    desk = Desk(Limits(gross_max=10_840, net_max=0, orders_per_second=0))
    desk.submit("KO", 100)
    desk.accept(1)
    desk.fill(1, 1, "KO", 100, 5_421)
    assert desk.submit("KO", 100).status == "new"
    over = desk.submit("KO", 1)
    assert (over.reason, over.found, over.allowed) == ("gross_exposure", 1_089_420, 1_084_000)


def test_a_change_to_less_frees_nothing_before_it_is_granted() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    no = desk.client.replace(1, lots=40)
    desk.pass_on()
    holding = desk.account.book.holdings["KO"]
    assert (holding.buys, holding.sells) == (100, 0)
    desk.say(m.OrderReplaced(m.order_id(1, 1), no, 40, 5_400, 0, 0))
    assert (holding.buys, holding.sells) == (40, 0)


def test_two_market_orders_that_could_meet_have_no_price_to_tell() -> None:
    desk = Desk()
    desk.submit("KO", 100)
    desk.submit("PEP", 1, limit=170_000)
    desk.accept(2, 2)
    desk.client.replace(2, lots=2)
    desk.pass_on()
    found = [desk.submit(symbol, -1) for symbol in ("KO", "PEP")]
    assert [(one.reason, one.found, one.allowed) for one in found] == [
        ("self_crossing", 0, 1),
        ("self_crossing", 0, 170_000),
    ]


def test_the_memory_of_recent_orders_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neural_trader.execution.limits._DUPLICATES_MAX", 4)
    desk = Desk(Limits(duplicate_window_ms=500))
    for lots in range(1, 9):
        desk.submit("KO", lots)
        assert len(desk.account.recent) <= 4
    # The last ones are those that are kept.
    assert desk.submit("KO", 8).reason == "duplicate"


@pytest.mark.parametrize(
    ("number", "seen"), [(1, 1), (127, 127), (128, UNREAD), (255, UNREAD), (70_000, UNREAD)]
)
def test_a_record_s_account_is_read_off_or_left_to_the_decoder(number: int, seen: int) -> None:
    tag = m.Unknown.__struct_config__.tag
    assert head_of(m.encode(m.Unknown(number, 1, START, 1, 7))) == (tag, seen)
