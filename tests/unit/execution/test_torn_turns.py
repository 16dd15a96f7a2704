"""A turn that was only written in part, since the gateway died in the midst of it."""

from typing import Any

from neural_trader.execution import messages as m
from neural_trader.execution.journal import MemoryJournal
from tests.unit.execution.desk import Desk


def payloads_of(desk: Desk) -> list[bytes]:
    return [payload for _, payload in desk.journal.read(1, 1 << 30)]


def restart_after(desk: Desk, kind: type) -> list[Any]:
    """Let all be lost after the first record of a kind; return what the next start writes."""
    payloads = payloads_of(desk)
    kept = next(at for at, data in enumerate(payloads) if type(m.decode_record(data)) is kind)
    desk.journal = MemoryJournal(tuple(payloads[: kept + 1]))
    desk.start()
    return [m.decode_record(data) for data in payloads_of(desk)[kept + 1 :]]


def test_wishes_whose_order_ended_in_the_last_record_are_answered() -> None:
    desk = Desk()
    desk.submit("KO", 100, limit=5_400)
    desk.accept(1)
    desk.client.replace(1, lots=200)
    desk.client.replace(1, lots=300)
    desk.pass_on()
    desk.fill(1, 1, "KO", 100, 5_400)
    written = restart_after(desk, m.Filled)
    answers = [record for record in written if isinstance(record, m.RequestDenied)]
    assert [(answer.no, answer.order, answer.reason) for answer in answers] == [
        (2, 1, "filled"),
        (3, 1, "filled"),
    ]
    assert not desk.account.requests


def test_a_fill_that_fits_no_order_stops_the_account_before_it_is_kept() -> None:
    desk = Desk()
    desk.fill(9, 1, "KO", 100, 5_400)
    assert [type(m.decode_record(data)) for data in payloads_of(desk)[-2:]] == [
        m.KillSwitched,
        m.OrphanFilled,
    ]
    restart_after(desk, m.KillSwitched)
    # The venue tells it again, since it is not among those that were seen.
    desk.fill(9, 1, "KO", 100, 5_400)
    assert desk.gateway.core.orphans == 1
    assert desk.account.is_killed
