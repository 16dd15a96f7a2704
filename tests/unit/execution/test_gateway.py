"""What the gateway answers, remembers, refuses and survives."""

from typing import Any

import pytest

from neural_trader.core import ConfigError, JournalError
from neural_trader.execution import Gateway, Limits, Listing
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, frame, pack
from neural_trader.execution.journal import MemoryJournal
from tests.unit.execution.desk import GRANTS, LISTINGS, START, TOKENS, Desk


def raw_answers(desk: Desk, session: Any, *requests: Any) -> list[Any]:
    """Send requests on a session and return what comes back, decoded."""
    return raw_bytes(desk, session, b"".join(map(pack, requests)))


def raw_bytes(desk: Desk, session: Any, data: bytes) -> list[Any]:
    found: list[bytes] = []

    class Link:
        def receive(self, data: bytes) -> None:
            found.append(data)

    session.link = Link()
    desk.gateway.receive(session, data, desk.now)
    desk.turn()
    return [m.decode_to_client(p) for p in FrameReader(1 << 24).feed(b"".join(found))]


def fresh(desk: Desk) -> Any:
    return desk.gateway.open_session("raw", desk.now)


class TestStates:
    def test_new_submitted_accepted_partially_filled_filled(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100, limit=5_420)
        live = desk.account.open[order.no]
        assert (order.status, live.status) == ("new", "submitted")
        desk.accept(order.no)
        assert (order.status, live.status) == ("accepted", "accepted")
        desk.fill(order.no, 1, "KO", 40, 5_420)
        assert (order.status, live.status) == ("partially_filled", "partially_filled")
        desk.fill(order.no, 2, "KO", 60, 5_420)
        assert (order.status, live.status) == ("filled", "filled")
        assert desk.account.book.cash == 10_000_000 - 542_000

    def test_a_fill_before_the_answer_implies_it(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.fill(order.no, 1, "KO", 100, 5_421)
        desk.accept(order.no)
        assert [type(event) for event in desk.events] == [m.Accepted, m.Filled]
        assert order.status == "filled"

    def test_a_fill_that_comes_twice_is_booked_once(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        for _ in range(2):
            desk.fill(order.no, 1, "KO", 60, 5_421)
        assert desk.account.book.holdings["KO"].qty == 60
        assert desk.gateway.venue.duplicates == 1

    def test_a_fill_after_the_cancel_moved_money_all_the_same(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.accept(order.no)
        desk.say(m.OrderCanceled(m.order_id(1, order.no), 0, "user", 0))
        assert desk.account.book.holdings["KO"].buys == 0
        desk.fill(order.no, 1, "KO", 100, 5_421)
        holding = desk.account.book.holdings["KO"]
        assert (holding.qty, holding.buys) == (100, 0)
        assert desk.account.ended[order.no].status == "filled"

    def test_a_fill_beyond_the_quantity_is_kept_and_stops_the_account(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.fill(order.no, 1, "KO", 101, 5_421)
        assert desk.account.book.holdings["KO"].qty == 0
        assert desk.gateway.core.orphans == 1
        assert desk.account.is_killed

    def test_a_rejection_frees_what_was_open(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.say(m.OrderRejected(m.order_id(1, order.no), "closed", 0))
        assert (order.status, order.reason) == ("rejected", "closed")
        assert desk.account.book.holdings["KO"].buys == 0

    def test_no_answer_in_time_is_unknown_and_never_rejected(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.now += 1_000_000_001
        desk.gateway.on_time(desk.now)
        desk.turn()
        assert order.status == "unknown"
        assert desk.last_asked() == m.QueryOrder(m.order_id(1, order.no))
        assert desk.account.book.holdings["KO"].buys == 100
        desk.accept(order.no)
        assert order.status == "accepted"

    def test_an_unknown_order_leaves_that_state_on_evidence(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.now += 1_000_000_001
        desk.gateway.on_time(desk.now)
        desk.turn()
        identity = m.order_id(1, order.no)
        desk.say(m.OrderStatus(identity, "forgotten", 0, 0, 0, 0, (), 0))
        assert order.status == "unknown"
        desk.now += 1_000_000_001
        desk.gateway.on_time(desk.now)
        desk.turn()
        fill = m.OrderFilled(identity, 9, "KO", 30, 5_420, 162_600, 0, 0)
        desk.say(m.OrderStatus(identity, "partially_filled", 3, 100, 0, 0, (fill,), 0))
        assert (order.status, int(order.filled_qty)) == ("partially_filled", 30)

    def test_cancel_and_fill_race(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100, limit=5_400)
        desk.accept(order.no)
        no = desk.client.cancel(order.no)
        desk.pass_on()
        desk.fill(order.no, 1, "KO", 100, 5_400)
        desk.say(m.ChangeRejected(m.order_id(1, order.no), no, "filled", 0))
        assert order.status == "filled"
        denied = [event for event in desk.events if isinstance(event, m.RequestDenied)]
        assert [(event.no, event.reason) for event in denied] == [(no, "filled")]

    def test_while_a_larger_quantity_is_asked_for_the_larger_counts(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100, limit=5_400)
        desk.accept(order.no)
        no = desk.client.replace(order.no, lots=150)
        desk.pass_on()
        holding = desk.account.book.holdings["KO"]
        assert holding.buys == 150
        desk.say(m.OrderReplaced(m.order_id(1, order.no), no, 150, 5_400, 0, 0))
        assert (holding.buys, int(order.qty)) == (150, 150)
        second = desk.client.replace(order.no, lots=300)
        desk.pass_on()
        desk.say(m.ChangeRejected(m.order_id(1, order.no), second, "too_late", 0))
        assert holding.buys == 150

    def test_a_replace_is_held_to_the_limits(self) -> None:
        desk = Desk(Limits(order_qty_max=120))
        order = desk.submit("KO", 100, limit=5_400)
        desk.accept(order.no)
        desk.client.replace(order.no, lots=121)
        desk.pass_on()
        event = desk.events[-1]
        assert (event.reason, event.found, event.allowed) == ("order_qty", 121, 120)
        assert list(desk.account.open) == [order.no]


class TestRepeats:
    def test_a_resend_gets_the_identical_reply_and_makes_no_second_order(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.accept(order.no)
        asked = len(desk.asked)
        (reply,) = desk.account.replies[order.no][1:]
        session = fresh(desk)
        request = m.Submit(order.no, "KO", 100)
        answers = raw_answers(desk, session, m.Login(1, TOKENS["trade"], 7), request)
        assert m.encode(answers[1]) == reply
        assert len(desk.asked) == asked

    def test_a_resend_of_what_waits_gets_its_reply_when_it_comes(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        raw_session = fresh(desk)
        answers = raw_answers(
            desk, raw_session, m.Login(1, TOKENS["trade"], 7), m.Submit(order.no, "KO", 100)
        )
        assert [type(answer) for answer in answers] == [m.Welcome]

    def test_a_number_of_another_client_is_refused_and_changed(self) -> None:
        desk = Desk()
        second, session, _ = desk.log_in("trade", client=8)
        first = desk.submit("KO", 100)
        theirs = second.submit("PEP", 1)
        assert theirs.no == first.no
        desk.pass_on(second, session)
        desk.pass_on(second, session)
        assert theirs.no == first.no + 1
        assert desk.account.open[theirs.no].symbol == "PEP"

    def test_beyond_the_horizon_the_reply_is_an_error_not_a_second_order(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("neural_trader.execution.accounts.REPLIES_MAX", 2)
        monkeypatch.setattr("neural_trader.execution.accounts.ENDED_MAX", 2)
        desk = Desk()
        for _ in range(5):
            order = desk.submit("KO", 1)
            desk.say(m.OrderRejected(m.order_id(1, order.no), "closed", 0))
        assert len(desk.account.replies) == len(desk.account.ended) == 2
        asked = len(desk.asked)
        login = m.Login(1, TOKENS["trade"], 7)
        answers = raw_answers(desk, fresh(desk), login, m.Submit(1, "KO", 1))
        assert (answers[1].code, answers[1].last_no) == ("number_used", 5)
        assert len(desk.asked) == asked


class TestSessions:
    def test_the_stream_is_replayed_from_the_first_event_not_seen(self) -> None:
        desk = Desk()
        for fill_id in range(1, 4):
            order = desk.submit("KO", 1)
            desk.accept(order.no)
            desk.fill(order.no, fill_id, "KO", 1, 5_420)
        _, _, events = desk.log_in("read", client=9, next_seq=3)
        assert events == desk.events[2:]
        # And it goes on, live.
        desk.submit("KO", 0)
        assert events[-1] == desk.events[-1]

    def test_a_stream_that_fell_behind_goes_on_without_a_gap(self) -> None:
        desk = Desk()
        client, session, events = desk.log_in("read", client=9)
        desk.gateway.fall_behind(session)
        order = desk.submit("KO", 1)
        desk.accept(order.no)
        desk.turn()
        assert events == desk.events
        assert session.is_live
        assert client.next_seq == desk.account.seq

    def test_an_event_that_has_not_happened_cannot_be_asked_for(self) -> None:
        desk = Desk()
        (answer,) = raw_answers(desk, fresh(desk), m.Login(1, TOKENS["trade"], 7, 99))
        assert answer.code == "bad_seq"

    @pytest.mark.parametrize(
        ("request_", "code"),
        [
            (m.Login(1, "wrong", 7), "bad_token"),
            (m.Login(2, TOKENS["trade"], 7), "version"),
            (m.Submit(1, "KO", 1), "no_login"),
            (m.Ping(), "no_login"),
        ],
    )
    def test_who_does_not_log_in_is_refused_and_cut_off(self, request_: Any, code: str) -> None:
        desk = Desk()
        session = fresh(desk)
        (answer,) = raw_answers(desk, session, request_)
        assert (answer.code, session.closing) == (code, code)
        assert raw_answers(desk, session, m.Login(1, TOKENS["trade"], 7)) == []

    @pytest.mark.parametrize(
        "request_", [m.Submit(1, "KO", 1), m.Cancel(1, 1), m.Replace(1, 1), m.Switch(1, on=True)]
    )
    def test_a_token_that_reads_does_not_trade(self, request_: Any) -> None:
        desk = Desk()
        answers = raw_answers(desk, fresh(desk), m.Login(1, TOKENS["read"], 5), request_)
        assert answers[1].code == "read_only"
        assert not desk.account.open

    def test_another_account_s_order_is_unknown(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 1)
        desk.accept(order.no)
        login, cancel = m.Login(1, TOKENS["other"], 5), m.Cancel(9, order.no)
        answers = raw_answers(desk, fresh(desk), login, cancel)
        assert (answers[1].reason, answers[1].account) == ("unknown_order", 2)
        assert desk.account.open[order.no].status == "accepted"

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"\xff\xff\xff\xff", "frame_too_long"),
            (b"GET / HTTP/1.1\r\n\r\n", "frame_too_long"),
            (frame(b"\xc1garbage"), "bad_frame"),
            (frame(m.encode(["x"])), "bad_frame"),
            (frame(m.encode([2, -5, "KO", 1])), "bad_frame"),
            (frame(m.encode([2, 1, "KO", 1 << 60])), "bad_frame"),
            (frame(b""), "bad_frame"),
        ],
    )
    def test_garbage_is_refused_and_others_are_untouched(self, data: bytes, code: str) -> None:
        desk = Desk()
        session = fresh(desk)
        (answer,) = raw_bytes(desk, session, data)
        assert (answer.code, session.closing) == (code, code)
        desk.submit("KO", 1)
        assert len(desk.account.open) == 1

    def test_too_many_requests_close_the_connection(self) -> None:
        desk = Desk()
        desk.gateway._requests_max = 10
        session = fresh(desk)
        login = m.Login(1, TOKENS["trade"], 7)
        answers = raw_answers(desk, session, login, *[m.Ping()] * 10)
        assert answers[-1].code == "too_many"

    def test_who_says_nothing_is_cut_off(self) -> None:
        desk = Desk()
        nobody = fresh(desk)
        nobody.link = desk.client
        desk.now += 5_000_000_001
        desk.gateway.on_time(desk.now)
        assert nobody.closing == "no_login"
        assert not desk.session.closing
        desk.now += 30_000_000_000
        desk.gateway.on_time(desk.now)
        assert desk.session.closing == "silent"

    def test_questions_are_answered(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100, limit=5_400)
        desk.accept(order.no)
        desk.fill(order.no, 1, "KO", 40, 5_400)
        login = m.Login(1, TOKENS["read"], 5)
        answers = raw_answers(
            desk, fresh(desk), login, m.Ask("orders"), m.Ask("positions"), m.Ask("weather")
        )
        assert answers[1].orders == (
            m.OpenOrder(order.no, "KO", 100, 40, 1, 0, 5_400, 0, "partially_filled"),
        )
        assert answers[2].positions == (m.Position("KO", 40, 216_000, 0, 0, 5_420),)
        assert answers[2].cash == 10_000_000 - 216_000
        assert answers[3].code == "bad_question"


class TestVenue:
    def test_nothing_new_goes_out_before_every_open_order_is_accounted_for(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.accept(order.no)
        desk.gateway.venue.disconnected()
        assert desk.submit("KO", 1).reason == "venue_down"
        desk.gateway.venue.connected(desk.now)
        desk.turn()
        desk.say(m.VenueWelcome(1, "test"))
        assert desk.last_asked() == m.QueryOrder(m.order_id(1, order.no))
        assert desk.submit("KO", 1).reason == "recovering"
        desk.say(m.OrderStatus(m.order_id(1, order.no), "accepted", 1, 100, 0, 0, (), 0))
        assert desk.submit("KO", 1).status == "new"

    def test_an_order_that_never_arrived_is_rejected_and_not_sent_again(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        sent = [message for message in desk.asked if isinstance(message, m.NewOrder)]
        desk.gateway.venue.disconnected()
        desk.gateway.venue.connected(desk.now)
        desk.turn()
        desk.say(m.VenueWelcome(1, "test"))
        desk.say(m.OrderStatus(m.order_id(1, order.no), "not_found", 0, 0, 0, 0, (), 0))
        assert (order.status, order.reason) == ("rejected", "never_reached_venue")
        assert [message for message in desk.asked if isinstance(message, m.NewOrder)] == sent

    def test_a_venue_that_refuses_or_speaks_garbage_is_left(self) -> None:
        desk = Desk()
        link = desk.gateway.venue
        assert "old_epoch" in link.receive(pack(m.VenueRefused("old_epoch", "x")), START)
        link.connected(START)
        assert "no message" in link.receive(frame(b"\xc1"), START)


class TestJournal:
    def test_a_failed_commit_halts_and_nothing_leaves(self) -> None:
        desk = Desk()
        desk.journal.fail_commit(desk.journal.commits + 1)
        desk.client.submit("KO", 1)
        data = b"".join(desk.client.outbox)
        desk.gateway.receive(desk.session, data, desk.now)
        with pytest.raises(JournalError):
            desk.gateway.commit()
        assert desk.gateway.is_halted
        assert desk.gateway.venue.outbox == []
        assert desk.gateway.dirty == []

    def test_a_restart_goes_on_where_the_journal_ends(self) -> None:
        desk = Desk()
        order = desk.submit("KO", 100)
        desk.accept(order.no)
        desk.fill(order.no, 1, "KO", 40, 5_420)
        book, seq = desk.account.book.cash, desk.account.seq
        desk.journal = desk.journal.crash()
        desk.start()
        assert (desk.account.book.cash, desk.account.seq) == (book, seq)
        assert desk.account.open[order.no].filled == 40
        assert desk.gateway.core.epoch == 2
        # Ids are the same as before, and numbers are not used again.
        assert desk.asked[-1] == m.QueryOrder(m.order_id(1, order.no))
        assert desk.account.last_no == order.no

    def test_units_that_the_journal_knows_cannot_change(self) -> None:
        desk = Desk()
        gateway = Gateway(desk.journal.crash(), GRANTS)
        with pytest.raises(ConfigError, match="units cannot change"):
            gateway.start(START, listings=[Listing("KO", "0.05")], accounts={}, limits={})

    def test_a_day_opens_at_its_equity(self) -> None:
        journal = MemoryJournal()
        gateway = Gateway(journal, GRANTS)
        gateway.start(START, listings=LISTINGS, accounts={"main": 7}, limits={"main": Limits()})
        gateway.venue.state = "up"
        gateway.on_time(START)
        gateway.on_time(START + 1)
        gateway.on_time(START + 86_400_000_000_000)
        gateway.commit()
        records = [m.decode_record(payload) for _, payload in journal.read(1, 1 << 20)]
        days = [record for record in records if isinstance(record, m.DayOpened)]
        assert [(day.ts - START, day.equity) for day in days] == [(0, 7), (86_400_000_000_000, 7)]
