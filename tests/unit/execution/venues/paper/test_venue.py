from typing import Any

import pytest

from neural_trader.core import ConfigError
from neural_trader.core.orders import KINDS, TIMES_IN_FORCE
from neural_trader.execution import messages as m
from neural_trader.execution.venues.paper import (
    PaperConfig,
    PaperVenue,
    SyntheticMarket,
    SyntheticShape,
)
from neural_trader.execution.venues.paper.market import DAY, FOK, IOC, LIMITED, STOPPED
from tests.paper_desk import NOW, Paper, brief, identity, listings, only

SHAPE = SyntheticShape(start=1_000, spread=2, levels=3, level_lots=10)


def paper(**config: Any) -> Paper:
    return Paper(SyntheticMarket(listings("A"), shape=SHAPE), **config)


def login(epoch: int = 1, last_fill_id: int = 0, **more: Any) -> m.VenueLogin:
    return m.VenueLogin(
        more.get("version", m.VERSION), more.get("gateway", "test"), epoch, last_fill_id
    )


def refusal(answers: list[m.FromVenue]) -> str:
    (refused,) = answers
    assert isinstance(refused, m.VenueRefused)
    return refused.code


def test_the_numbers_of_kinds_and_times_in_force_are_those_of_core() -> None:
    assert [TIMES_IN_FORCE[one] for one in (DAY, IOC, FOK)] == ["DAY", "IOC", "FOK"]
    for number, kind in enumerate(KINDS):
        assert bool(number & LIMITED) == ("limit" in kind)
        assert (number >= STOPPED) == ("stop" in kind)


# ------------------------------------------------------------------------------------- the login
def test_a_login_is_answered_with_fills_and_quotes() -> None:
    desk = paper()
    assert [type(one) for one in desk.told] == [m.VenueWelcome, m.Quote]
    desk.order(25)
    desk.order(-5)
    welcome, *rest = desk.venue.login(login(1, 2), desk.now)
    units = tuple(one.sizes for one in desk.venue.market.listings.values())
    assert welcome == m.VenueWelcome(m.VERSION, "paper", units)
    assert rest[:-1] == desk.fills()[2:]
    assert isinstance(rest[-1], m.Quote)


def test_a_lower_epoch_is_refused_and_a_higher_one_takes_over() -> None:
    desk = paper()
    assert isinstance(desk.venue.login(login(5), desk.now)[0], m.VenueWelcome)
    assert refusal(desk.venue.login(login(4), desk.now)) == "old_epoch"
    assert isinstance(desk.venue.login(login(5), desk.now)[0], m.VenueWelcome)
    assert desk.venue.epoch == 5


def test_another_version_or_gateway_is_refused() -> None:
    desk = paper()
    assert refusal(desk.venue.login(login(version=99), NOW)) == "version"
    assert refusal(desk.venue.login(login(9, gateway="other"), NOW)) == "other_gateway"
    assert desk.venue.epoch == 1


def test_nothing_is_worked_before_a_login() -> None:
    venue = PaperVenue(SyntheticMarket(listings("A")))
    order = m.NewOrder(identity(1), "A", 5, 0, 0, 0, 0)
    assert refusal(venue.on_message(order, NOW)) == "no_login"
    answers = venue.on_message(login(), NOW)
    assert isinstance(answers[0], m.VenueWelcome)
    assert venue.on_message(m.QueryOrder(identity(1)), NOW) == [
        m.OrderStatus(identity(1), "not_found", 0, 0, 0, 0, (), NOW)
    ]


def test_only_so_many_fills_are_kept_for_a_login() -> None:
    desk = paper(fills_kept=3)
    for _ in range(5):
        desk.order(1)
    fills = only(desk.venue.login(login(), NOW), m.OrderFilled)
    assert [fill.fill_id for fill in fills] == [3, 4, 5]
    assert [fill.fill_id for fill in desk.status(1).fills] == [1]


def test_a_new_venue_numbers_its_fills_after_those_that_the_gateway_knows() -> None:
    desk = paper()
    desk.venue.login(login(2, 700), NOW)
    desk.order(1)
    assert [fill.fill_id for fill in desk.fills()] == [701]


def test_what_happens_without_a_gateway_is_told_later() -> None:
    desk = paper()
    desk.order(5, "limit", limit=1000)
    desk.venue.on_disconnect()
    while not desk.venue.market.quotes()[0].ask < 1000:
        assert desk.step() == []
    back = desk.venue.login(login(2, 0), desk.now)
    assert brief(back) == [(5, 1000)]
    assert desk.status(1).status == "filled"


# ------------------------------------------------------------------------------------ new orders
def test_a_known_order_is_answered_as_before_and_never_filled_again() -> None:
    desk = paper()
    first, fill = desk.order(5)
    desk.now += 77
    assert desk.say(m.NewOrder(identity(1), "A", 5, 0, 0, 0, 0)) == [first]
    assert desk.say(m.NewOrder(identity(1), "A", 9, 0, 0, 0, 0)) == [first]
    assert desk.status(1).fills == (fill,)
    (rejected,) = desk.order(5, symbol="NONE")
    desk.now += 77
    assert desk.say(m.NewOrder(identity(2), "NONE", 5, 0, 0, 0, 0)) == [rejected]


@pytest.mark.parametrize(
    ("qty", "kind", "limit", "trigger", "reason"),
    [
        (0, 0, 0, 0, "bad_terms"),
        (1, 0, 5, 0, "bad_terms"),
        (1, 0, 0, 5, "bad_terms"),
        (1, 1, 0, 0, "bad_terms"),
        (1, 1, 5, 5, "bad_terms"),
        (1, 2, 0, 0, "bad_terms"),
        (1, 2, 5, 5, "bad_terms"),
        (1, 3, 5, 0, "bad_terms"),
    ],
)
def test_terms_that_do_not_go_together_are_rejected(
    qty: int, kind: int, limit: int, trigger: int, reason: str
) -> None:
    desk = paper()
    (rejected,) = desk.say(m.NewOrder(identity(1), "A", qty, kind, 0, limit, trigger))
    assert rejected == m.OrderRejected(identity(1), reason, NOW)
    assert desk.status(1).status == "rejected"


def test_an_unknown_symbol_is_rejected() -> None:
    (rejected,) = paper().order(1, symbol="NONE")
    assert isinstance(rejected, m.OrderRejected)
    assert rejected.reason == "unknown_symbol"


def test_a_share_of_orders_is_rejected_by_draw() -> None:
    def rejected(seed: int) -> list[int]:
        desk = paper(reject_rate=0.3, seed=seed)
        for _ in range(1_000):
            desk.order(1)
        assert {one.reason for one in only(desk.told, m.OrderRejected)} == {"drawn"}
        return [one.id for one in only(desk.told, m.OrderRejected)]

    first = rejected(1)
    assert 250 < len(first) < 350
    assert first == rejected(1) != rejected(2)


def test_an_order_that_was_forgotten_is_never_worked_again() -> None:
    desk = paper(orders_kept=3)
    for _ in range(5):
        desk.order(1)
    assert [desk.status(no).status for no in range(1, 7)] == [
        "forgotten", "forgotten", "filled", "filled", "filled", "not_found",
    ]  # fmt: skip
    (status,) = desk.say(m.NewOrder(identity(2), "A", 1, 0, 0, 0, 0))
    assert isinstance(status, m.OrderStatus)
    assert status.status == "forgotten"
    assert len(desk.fills()) == 5
    (denied,) = desk.cancel(2)
    assert isinstance(denied, m.ChangeRejected)
    assert denied.reason == "forgotten"
    assert isinstance(
        desk.say(m.NewOrder(identity(1, account=2), "A", 1, 0, 0, 0, 0))[1], m.OrderFilled
    )


# --------------------------------------------------------------------------------------- changes
def test_a_cancel_ends_an_order() -> None:
    desk = paper()
    desk.order(5, "limit", limit=900)
    assert desk.cancel(1) == [m.OrderCanceled(identity(1), 1_001, "requested", NOW)]
    assert desk.cancel(1) == [m.ChangeRejected(identity(1), 1_001, "canceled", NOW)]
    assert desk.status(1).status == "canceled"


def test_a_change_that_comes_too_late_says_why() -> None:
    desk = paper()
    desk.step()
    desk.order(5)
    desk.order(5, "limit", "DAY", limit=900)
    desk.step(86_400_000_000_000)
    for no, reason in ((1, "filled"), (2, "expired"), (9, "not_found")):
        for answer in (*desk.cancel(no), *desk.replace(no, 9)):
            assert isinstance(answer, m.ChangeRejected)
            assert answer.reason == reason


def test_a_replace_brings_new_terms() -> None:
    desk = paper()
    desk.order(50, "limit", limit=1002)
    (replaced,) = desk.replace(1, 20, limit=900)
    assert replaced == m.OrderReplaced(identity(1), 2_001, 20, 900, 0, NOW)
    status = desk.status(1)
    assert (status.status, status.qty, status.limit) == ("partially_filled", 20, 900)
    assert brief(desk.replace(1, 25, limit=1002)) == [(10, 1002)]


@pytest.mark.parametrize("qty", [10, 5, 0])
def test_a_replace_to_what_is_filled_ends_the_order(qty: int) -> None:
    desk = paper()
    desk.order(50, "limit", limit=1002)
    assert desk.replace(1, qty, limit=1002) == [
        m.OrderCanceled(identity(1), 2_001, "replaced", NOW)
    ]
    assert [fill.qty for fill in desk.status(1).fills] == [10]


@pytest.mark.parametrize(("qty", "limit", "trigger"), [(-5, 900, 0), (5, 0, 0), (5, 900, 900)])
def test_a_replace_with_bad_terms_changes_nothing(qty: int, limit: int, trigger: int) -> None:
    desk = paper()
    desk.order(5, "limit", limit=900)
    (denied,) = desk.replace(1, qty, limit, trigger)
    assert isinstance(denied, m.ChangeRejected)
    assert denied.reason == "bad_terms"
    assert desk.status(1).limit == 900


# --------------------------------------------------------------------------------------- latency
def test_with_a_latency_answers_wait() -> None:
    desk = paper(latency_ns=500)
    assert desk.venue.next_due is None
    assert desk.order(5) == []
    assert desk.venue.next_due == NOW + 500
    assert desk.venue.on_time(NOW + 499) == []
    accepted, fill = desk.venue.on_time(NOW + 500)
    assert accepted == m.OrderAccepted(identity(1), 1, NOW + 500)
    assert brief([fill]) == [(5, 1002)]
    assert desk.venue.next_due is None
    assert desk.say(m.Ping()) == [m.Pong()]


def test_a_fill_may_overtake_a_cancel_on_its_way() -> None:
    desk = paper(latency_ns=500)
    desk.order(5)
    desk.cancel(1)
    told = desk.venue.on_time(NOW + 500)
    assert [type(one) for one in told] == [m.OrderAccepted, m.OrderFilled, m.ChangeRejected]


def test_nothing_of_an_earlier_connection_is_worked_after_a_login() -> None:
    desk = paper(latency_ns=500)
    desk.order(5)
    desk.venue.login(login(2), NOW + 10)
    assert desk.venue.on_time(NOW + 1_000) == []
    desk.say(m.QueryOrder(identity(1)))
    (status,) = only(desk.venue.on_time(NOW + 1_000), m.OrderStatus)
    assert status.status == "not_found"


def test_the_market_moves_after_what_was_due_before() -> None:
    desk = paper(latency_ns=500)
    desk.order(5)
    accepted, *_ = desk.venue.advance(NOW + 10_000)
    assert accepted == m.OrderAccepted(identity(1), 1, NOW + 500)


@pytest.mark.parametrize(
    "config",
    [
        {"latency_ns": -1},
        {"latency_ns": 10**12},
        {"reject_rate": 1.5},
        {"fills_kept": 0},
        {"orders_kept": 0},
    ],
)
def test_a_config_outside_its_range_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        PaperConfig(**config)
