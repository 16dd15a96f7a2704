"""Whatever a venue says, and in whatever order: money is conserved and the journal tells all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.execution import Gateway, Limits
from neural_trader.execution import messages as m
from neural_trader.execution.checkpoint import take_image
from tests.unit.execution.desk import LISTINGS, Desk

NOS = st.integers(1, 6)
LOTS = st.integers(-3, 3).map(lambda n: 100 * n)
PRICES = st.integers(5_300, 5_500)
STATUSES = st.sampled_from(
    [
        "not_found",
        "forgotten",
        "rejected",
        "accepted",
        "partially_filled",
        "filled",
        "canceled",
        "expired",
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), LOTS, st.integers(0, 5_500), st.booleans()),
        st.tuples(st.just("cancel"), NOS),
        st.tuples(st.just("replace"), NOS, LOTS, PRICES),
        st.tuples(st.just("switch"), st.booleans()),
        st.tuples(st.just("accepted"), NOS),
        st.tuples(st.just("rejected"), NOS),
        st.tuples(st.just("canceled"), NOS, NOS),
        st.tuples(st.just("expired"), NOS),
        st.tuples(st.just("replaced"), NOS, NOS, LOTS, PRICES),
        st.tuples(st.just("change_rejected"), NOS, NOS),
        st.tuples(st.just("filled"), NOS, st.integers(1, 8), LOTS, PRICES),
        st.tuples(st.just("status"), NOS, STATUSES, LOTS, st.integers(1, 8), LOTS),
        st.tuples(st.just("quote"), PRICES),
        st.tuples(st.just("time"), st.sampled_from([10**6, 2 * 10**9])),
        st.tuples(st.just("reconnect")),
        st.tuples(st.just("restart")),
    ),
    min_size=20,
    max_size=80,
)


def fill_of(no: int, fill_id: int, lots: int, price: int) -> m.OrderFilled:
    value = LISTINGS[0].value(price, abs(lots))
    return m.OrderFilled(m.order_id(1, no), fill_id, "KO", lots, price, value, 1, 0)


def play(desk: Desk, step: Any) -> None:  # noqa: C901, PLR0912 - one branch a kind
    """Let one thing happen."""
    kind, *rest = step
    identity = m.order_id(1, rest[0]) if rest else 0
    if kind == "submit":
        lots, limit, by_stop = rest
        desk.submit("KO", lots, limit=limit if limit > 5_300 else 0, trigger=5_420 * by_stop)
    elif kind == "cancel":
        desk.client.cancel(rest[0])
        desk.pass_on()
    elif kind == "replace":
        desk.client.replace(rest[0], lots=rest[1], limit=rest[2])
        desk.pass_on()
    elif kind == "switch":
        desk.client.switch(on=rest[0])
        desk.pass_on()
    elif kind == "accepted":
        desk.say(m.OrderAccepted(identity, 1, 0))
    elif kind == "rejected":
        desk.say(m.OrderRejected(identity, "x", 0))
    elif kind == "canceled":
        desk.say(m.OrderCanceled(identity, rest[1], "x", 0))
    elif kind == "expired":
        desk.say(m.OrderExpired(identity, 0))
    elif kind == "replaced":
        desk.say(m.OrderReplaced(identity, rest[1], rest[2], rest[3], 0, 0))
    elif kind == "change_rejected":
        desk.say(m.ChangeRejected(identity, rest[1], "x", 0))
    elif kind == "filled":
        if rest[2]:
            desk.say(fill_of(rest[0], rest[1], rest[2], rest[3]))
    elif kind == "status":
        fills = (fill_of(rest[0], rest[3], rest[4], 5_400),) if rest[4] else ()
        desk.say(m.OrderStatus(identity, rest[1], 2, rest[2], 0, 0, fills, 0))
    elif kind == "quote":
        desk.say(m.Quote("KO", rest[0], rest[0], 1, 1, 0))
    elif kind == "time":
        desk.now += rest[0]
        desk.gateway.on_time(desk.now)
        desk.turn()
    elif kind == "reconnect":
        desk.gateway.venue.disconnected()
        desk.gateway.venue.connected(desk.now)
        desk.turn()
        desk.say(m.VenueWelcome(1, "test"))
    else:
        restart(desk)


def restart(desk: Desk) -> None:
    """Kill the gateway, and bring client and venue back."""
    desk.journal = desk.journal.crash()
    before = desk.client
    desk.start()
    session = desk.gateway.open_session("again", desk.now)
    session.link = before
    desk.session = session
    before.connected()
    desk.pass_on()
    desk.say(m.Quote("KO", 5_419, 5_421, 1, 1, 0))


def check(desk: Desk) -> None:
    """Hold the state to its invariants."""
    account = desk.account
    records = [m.decode_record(payload) for _, payload in desk.journal.read(1, 1 << 30)]
    booked = [r for r in records if isinstance(r, m.Filled)]
    book = account.book
    assert book.cash == book.opening + sum(
        h.realized - h.fees - h.cost for h in book.holdings.values()
    )
    for symbol, holding in book.holdings.items():
        assert holding.qty == sum(fill.qty for fill in booked if fill.symbol == symbol)
        rest = [o.qty - o.filled for o in account.open.values() if o.symbol == symbol]
        rest += [wish.extra for wish in account.requests.values() if wish.symbol == symbol]
        assert holding.buys == sum(lots for lots in rest if lots > 0)
        assert holding.sells == -sum(lots for lots in rest if lots < 0)
    for order in (*account.open.values(), *account.ended.values()):
        assert abs(order.filled) <= abs(order.qty)
        assert order.filled == sum(f.qty for f in booked if f.no == order.no)
        assert len(set(order.fill_ids)) == len(order.fill_ids)
    assert {wish.order for wish in account.requests.values()} <= set(account.open)
    denied = {m.order_id(1, r.no) for r in records if isinstance(r, m.Denied)}
    orders = [message.id for message in desk.asked if isinstance(message, m.NewOrder)]
    assert not denied & set(orders)
    assert len(set(orders)) == len(orders)
    assert [e.seq for e in records if isinstance(e, m.Event) and e.account == 1] == list(
        range(1, account.seq)
    )


@pytest.mark.slow
@settings(max_examples=300)
@given(STEPS)
def test_whatever_a_venue_says_the_books_hold(steps: list[Any]) -> None:
    desk = Desk(Limits(orders_per_second=0, is_self_crossing_allowed=True, collar_bps=0))
    for step in steps:
        play(desk, step)
        check(desk)
    again = Gateway(desk.journal.crash())
    last = again.journal.next_seq
    assert take_image(again.core, last) == take_image(desk.gateway.core, last)
