"""The day that ``journal-v1`` holds: ``python -m tests.golden.write_journal_v1 FOLDER`` trades it.

A gateway and a venue that says what this page says, at times that it says: no clock and no chance.
The frozen journal is what this wrote with version 1 of the format; a later gateway may record the
same day in other words, and then this page is the start of the next one to be frozen.
"""

import sys
from pathlib import Path

from neural_trader.execution import Limits
from neural_trader.execution import messages as m
from neural_trader.execution.journal import FileJournal
from tests.unit.execution.desk import Desk

SEGMENT_BYTES = 4096
SECOND_NS = 1_000_000_000
BATCH = 3


def trade() -> list[bytes]:
    """Return the records of a day on which everything happens once."""
    desk = Desk(Limits(order_qty_max=1_000, orders_per_second=0))
    fill_and_deny(desk)
    change(desk)
    end_without_fills(desk)
    lose_sight(desk)
    fill_an_orphan(desk)
    for number in range(12):
        order = desk.submit("PEP", 1 + number, limit=168_000 + number)
        desk.accept(order.no, 20 + number)
        cancel(desk, order.no)
    start_next_day(desk)
    return [payload for _, payload in desk.journal.read(1, 1 << 30)]


def identity(no: int) -> int:
    """Return the venue's id of an order."""
    return m.order_id(1, no)


def cancel(desk: Desk, no: int) -> None:
    desk.client.cancel(no)
    desk.pass_on()
    desk.say(m.OrderCanceled(identity(no), desk.account.last_no, "requested", desk.now))


def fill_and_deny(desk: Desk) -> None:
    desk.submit("KO", 100, limit=5_420)
    desk.accept(1)
    desk.fill(1, 1, "KO", 60, 5_420)
    desk.fill(1, 2, "KO", 40, 5_419)
    desk.submit("KO", 2_000)


def change(desk: Desk) -> None:
    desk.submit("PEP", -50, limit=171_000)
    desk.accept(3, 2)
    desk.client.replace(3, lots=-80, limit=170_500)
    desk.pass_on()
    desk.say(m.OrderReplaced(identity(3), 4, -80, 170_500, 0, desk.now))
    desk.client.replace(3, lots=-20)
    desk.pass_on()
    desk.say(m.ChangeRejected(identity(3), 5, "drawn", desk.now))
    desk.fill(3, 3, "PEP", -30, 170_500)
    cancel(desk, 3)


def end_without_fills(desk: Desk) -> None:
    desk.submit("KO", 10, limit=5_300, tif=1)
    desk.accept(7, 3)
    desk.say(m.OrderExpired(identity(7), desk.now))
    desk.submit("KO", 10, limit=5_301)
    desk.say(m.OrderRejected(identity(8), "drawn", desk.now))


def lose_sight(desk: Desk) -> None:
    """Let the venue be silent about an order until it is unknown, and then speak."""
    desk.submit("KO", 15, limit=5_302)
    for _ in range(3):
        pass_time(desk, SECOND_NS)
    desk.say(m.OrderStatus(identity(9), "accepted", 4, 15, 5_302, 0, (), desk.now))


def pass_time(desk: Desk, nanoseconds: int) -> None:
    desk.now += nanoseconds
    desk.session.last_heard = desk.now
    desk.gateway.on_time(desk.now)
    desk.turn()


def fill_an_orphan(desk: Desk) -> None:
    """Let the venue fill what nobody ordered: the account is stopped, and its owner goes on."""
    desk.submit("KO", 5, trigger=5_500)
    desk.accept(10, 5)
    desk.say(m.OrderFilled(identity(77), 9, "KO", 5, 5_400, 27_000, 0, desk.now))
    pass_time(desk, 0)
    desk.say(
        m.OrderCanceled(identity(9), 0, "requested", desk.now),
        m.OrderCanceled(identity(10), 0, "requested", desk.now),
    )
    desk.client.switch(on=False)
    desk.pass_on()


def start_next_day(desk: Desk) -> None:
    desk.now += 86_400 * SECOND_NS
    desk.say(m.Quote("KO", 5_419, 5_421, 10, 10, 0), m.Quote("PEP", 170_000, 170_000, 1, 1, 0))
    pass_time(desk, 0)
    desk.start()
    desk.gateway.reload_limits({"main": Limits(order_qty_max=500)}, desk.now)
    desk.turn()


def write(folder: Path, payloads: list[bytes]) -> None:
    """Write records in batches of three; the file ends with the last one."""
    with FileJournal.open(
        folder, durability="process-safe", segment_bytes=SEGMENT_BYTES
    ) as journal:
        for number, payload in enumerate(payloads, 1):
            journal.append(payload)
            if number % BATCH == 0:
                journal.commit()
        journal.commit()


if __name__ == "__main__":
    write(Path(sys.argv[1]), trade())
