"""The client without sockets: numbers, repeats, resumes."""

import ssl
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.core import ConfigError, GatewayError
from neural_trader.execution import ClientSession
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, frame, pack

TOKEN = "t" * 64
WELCOME = m.Welcome(1, 1, "main", True, 1, 5, 3, (("KO", "0.01", "1", "0.01"),))


def make() -> tuple[ClientSession, dict[int, list[Any]], list[Any]]:
    replies: dict[int, list[Any]] = {}
    events: list[Any] = []
    session = ClientSession(
        "t",
        7,
        on_reply=lambda no, event: replies.setdefault(no, []).append(event),
        on_event=events.append,
    )
    session.connected()
    session.receive(pack(WELCOME))
    session.outbox.clear()
    return session, replies, events


def sent(session: ClientSession) -> list[Any]:
    found = [m.decode_request(p) for p in FrameReader().feed(b"".join(session.outbox))]
    session.outbox.clear()
    return found


def accepted(seq: int, no: int, client: int = 7) -> m.Accepted:
    return m.Accepted(1, seq, 0, no, client, 1, "KO", 100, 1, 0, 5_420, 0)


def filled(seq: int, no: int, fill_id: int, qty: int, total: int) -> m.Filled:
    return m.Filled(1, seq, 0, no, fill_id, "KO", qty, 5_420, 5_420 * qty, 3, total, 0)


def test_numbers_go_on_where_the_account_is() -> None:
    session, _, _ = make()
    order = session.submit("KO", 100, limit=5_420, trigger=5_400)
    assert order.no == 4
    assert (order.kind, order.limit, order.stop) == ("stop_limit", Decimal("54.20"), Decimal(54))
    assert sent(session) == [m.Submit(4, "KO", 100, 3, 0, 5_420, 5_400, False)]


def test_an_order_follows_its_events() -> None:
    session, replies, events = make()
    order = session.submit("KO", 100)
    session.receive(pack(accepted(5, 4)) + pack(filled(6, 4, 1, 40, 40)))
    assert (order.status, order.filled_qty) == ("partially_filled", Decimal(40))
    session.receive(pack(filled(7, 4, 2, 60, 100)))
    assert order.status == "filled"
    assert [type(event) for event in replies[4]] == [m.Accepted]
    assert len(events) == 3
    assert session.orders == {}


def test_what_was_not_answered_goes_out_again_under_its_number() -> None:
    session, replies, _ = make()
    session.submit("KO", 100)
    cancel = session.cancel(2)
    session.receive(pack(accepted(5, 4)))
    sent(session)
    session.connected()
    assert sent(session) == [m.Login(1, "t", 7, 6)]
    late = session.submit("KO", 5)
    session.receive(pack(WELCOME))
    assert sent(session) == [m.Cancel(cancel, 2), m.Submit(late.no, "KO", 5)]
    assert list(replies) == [4]


def test_an_event_that_comes_again_is_no_second_event() -> None:
    session, replies, events = make()
    session.submit("KO", 100)
    session.receive(pack(accepted(5, 4)) * 2)
    assert len(events) == len(replies[4]) == 1


def test_the_reply_to_a_repeat_answers_it_though_its_event_was_seen() -> None:
    session, replies, events = make()
    session.submit("KO", 100)
    session.next_seq = 6
    session.receive(pack(accepted(5, 4)))
    assert [type(event) for event in replies[4]] == [m.Accepted]
    assert events == []


def test_a_gap_is_an_error() -> None:
    session, _, _ = make()
    with pytest.raises(GatewayError, match="event 6 came where 5 was next"):
        session.receive(pack(accepted(6, 4)))


def test_another_client_s_order_of_our_number_is_not_ours() -> None:
    session, replies, events = make()
    order = session.submit("KO", 100)
    sent(session)
    session.receive(pack(accepted(5, 4, client=8)))
    assert (order.no, int(order.filled_qty), len(replies)) == (4, 0, 0)
    session.receive(pack(m.Refused("number_taken", "", 4, 4)))
    assert order.no == 5
    assert sent(session) == [m.Submit(5, "KO", 100)]
    session.receive(pack(accepted(6, 5)))
    assert order.status == "accepted"
    assert len(events) == 2


@pytest.mark.parametrize(
    "data", [frame(b"\xc1"), b"\xff\xff\xff\xff", pack(m.Refused("bad_token", "no"))]
)
def test_what_ends_a_connection_is_an_error(data: bytes) -> None:
    session, _, _ = make()
    with pytest.raises(GatewayError):
        session.receive(data)


def test_an_instrument_that_is_not_listed_is_an_error() -> None:
    session, _, _ = make()
    with pytest.raises(ConfigError, match="does not list 'XX'; it lists KO"):
        session.listing("XX")


def test_positions_come_in_money() -> None:
    session, _, _ = make()
    position = session.position_of(m.Position("KO", -50, -271_000, 1_200, 34, 5_400))
    assert position.avg_price == Decimal("54.20")
    assert position.unrealized_pnl == Decimal("10.00")
    assert (position.realized_pnl, position.fees) == (Decimal("12.00"), Decimal("0.34"))
    flat = session.position_of(m.Position("KO", 0, 0, 1, 0, 0))
    assert (flat.avg_price, flat.unrealized_pnl, flat.mark) == (None, None, None)


# ------------------------------------------------------------------------- what nobody waits for
def linked() -> tuple[ClientSession, list[tuple[int, Any]]]:
    """Return a session that has been let in at event 1, and its replies."""
    replies: list[tuple[int, Any]] = []
    session = ClientSession("t", 7, on_reply=lambda no, event: replies.append((no, event)))
    session.connected()
    let_in(session, seq=1, last_no=0)
    session.outbox.clear()
    return session, replies


def let_in(
    session: ClientSession, *, seq: int = 1, last_no: int = 0, symbols: tuple[str, ...] = ("KO",)
) -> None:
    units = tuple((symbol, "0.01", "1", "0.01") for symbol in symbols)
    session.receive(pack(m.Welcome(m.VERSION, 1, "main", True, 1, seq, last_no, units)))


def test_a_request_that_never_went_out_is_gone_when_it_is_given_up() -> None:
    session, _ = linked()
    session.is_ready = False
    order = session.submit("KO", 1)
    assert session.give_up(order.no) is False
    session.connected()
    let_in(session, seq=1, last_no=0)
    assert len(session.outbox) == 1


def test_a_request_that_went_out_is_not_sent_again_and_follows_the_stream() -> None:
    session, replies = linked()
    order = session.submit("KO", 1)
    assert session.give_up(order.no) is True
    session.connected()
    let_in(session, seq=1, last_no=1)
    assert len(session.outbox) == 1
    session.receive(pack(m.Accepted(1, 1, 0, order.no, 7, 1, "KO", 1, 0, 0, 0, 0)))
    assert (order.status, replies) == ("accepted", [])


def test_a_number_that_was_used_waits_for_the_stream_and_is_never_renumbered() -> None:
    session, replies = linked()
    first, second = session.submit("KO", 1), session.submit("KO", 2)
    session.connected()
    let_in(session, seq=2, last_no=9)
    session.outbox.clear()
    for order in (first, second):
        session.receive(pack(m.Refused("number_used", "long ago", order.no, 9)))
    assert (replies, session.outbox) == ([], [])
    # The stream up to the login answers one of them; of the other nobody knows.
    session.receive(pack(m.Accepted(1, 1, 0, first.no, 7, 1, "KO", 1, 0, 0, 0, 0)))
    assert [(no, type(event)) for no, event in replies] == [
        (first.no, m.Accepted),
        (second.no, m.Refused),
    ]
    assert (first.status, second.status) == ("accepted", "unknown")
    session.receive(pack(m.Refused("number_used", "again", second.no, 9)))
    assert session.outbox == []


def test_a_symbol_that_was_listed_later_is_learned_before_its_fill_counts() -> None:
    session, _ = linked()
    with pytest.raises(GatewayError, match="PEP has been listed since"):
        session.receive(pack(m.Filled(1, 1, 0, 5, 1, "PEP", 1, 100, 100, 0, 1, 0)))
    assert session.next_seq == 1


@pytest.mark.parametrize(
    "answer",
    [
        m.Orders(1, (m.OpenOrder(1, "PEP", 10, 0, 1, 0, 5_000, 0, "accepted"),)),
        m.Positions(1, 100, False, (m.Position("PEP", 10, 50_000, 0, 0, 5_000),)),
    ],
)
def test_an_answer_about_a_symbol_that_was_listed_later_is_asked_for_again(answer: Any) -> None:
    session, _ = linked()
    with pytest.raises(GatewayError, match="PEP has been listed since"):
        session.receive(pack(answer))
    assert not session.answers
    let_in(session, symbols=("KO", "PEP"))
    session.receive(pack(answer))
    assert session.answers[0].message == answer


@pytest.mark.parametrize(
    "nonsense",
    [
        m.Welcome(1, 1, "main", True, 1, 5, 3, (("KO", "0.0x", "1", "0.01"),)),
        m.Welcome(1, 1, "main", True, 1, 5, (1 << 64) - 1, ()),
        m.Welcome(1, 1, "main", True, 1, (1 << 64) - 1, 3, ()),
        m.Refused("number_taken", "no", 1, (1 << 64) - 1),
        m.Orders(1, (m.OpenOrder(1, "KO", 10, 0, 4, 0, 5_000, 0, "accepted"),)),
        m.Orders(1, (m.OpenOrder(1, "KO", 10, 0, 1, 4, 5_000, 0, "accepted"),)),
    ],
)
def test_what_no_gateway_would_say_costs_the_connection_and_nothing_else(nonsense: Any) -> None:
    session, _ = linked()
    order = session.submit("KO", 1)
    session.connected()
    with pytest.raises(GatewayError):
        session.receive(pack(nonsense))
    session.connected()
    let_in(session)
    assert sent(session)[1:] == [m.Submit(order.no, "KO", 1)]


@pytest.mark.parametrize("lots", [1 << 41, -(1 << 41)])
def test_terms_that_no_frame_can_carry_are_refused_here(lots: int) -> None:
    session, _ = linked()
    uses: tuple[partial[Any], ...] = (
        partial(session.submit, "KO", lots),
        partial(session.submit, "KO", 1, limit=abs(lots)),
        partial(session.replace, 1, lots=lots),
        partial(session.cancel, lots),
    )
    for use in uses:
        with pytest.raises(ConfigError):
            use()
    assert (session.outbox, session._pending) == ([], {})


@pytest.mark.parametrize("code", ["silent", "too_many", "full"])
def test_refusals_that_pass_are_no_errors(code: str) -> None:
    session, _ = linked()
    session.receive(pack(m.Refused(code, "come back", 0, 0)))
    with pytest.raises(GatewayError) as caught:
        session.receive(pack(m.Refused("bad_token", "never", 0, 0)))
    assert caught.value.code == "bad_token"


def test_an_order_that_is_listed_hears_of_its_end_in_the_same_read() -> None:
    session, _ = linked()
    listed = m.Orders(1, (m.OpenOrder(3, "KO", 5, 0, 1, 0, 100, 0, "accepted"),))
    session.receive(pack(listed) + pack(m.Canceled(1, 1, 0, 3, 0, 0, "requested")))
    (order,) = session.answers[0].orders
    assert order.status == "canceled"


@pytest.mark.parametrize("address", ["192.0.2.1:7701", "gateway.example:7701"])
def test_a_token_does_not_travel_in_the_clear(address: str) -> None:
    for kind in (nt.Client, nt.BlockingClient):
        with pytest.raises(ConfigError, match="in the clear"):
            kind(address, token=TOKEN)
        kind(address, token=TOKEN, tls=ssl.create_default_context())
        kind("localhost:7701", token=TOKEN)
