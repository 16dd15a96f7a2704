"""The client without sockets: numbers, repeats, resumes."""

from decimal import Decimal
from typing import Any

import pytest

from neural_trader.core import ConfigError, GatewayError
from neural_trader.execution import ClientSession
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, frame, pack

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
