"""What went wrong in other systems, played here: each report of theirs is one scenario."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from neural_trader.execution import messages as m
from tests.simulation.world import World

SECOND = 1_000_000_000
MAIN = 1


class Stage(World):
    """A world in which nothing happens but what a scenario says."""

    def __init__(self) -> None:
        super().__init__(3)
        self.events: list[Any] = []
        self.new_orders: list[m.NewOrder] = []
        tell, order = self.watch.on_event, self.watch.on_order

        def on_event(account: int, event: Any) -> None:
            tell(account, event)
            if event not in self.events:
                self.events.append(event)

        def on_order(message: m.NewOrder) -> None:
            order(message)
            self.new_orders.append(message)

        self.watch.on_event = on_event  # type: ignore[method-assign]
        self.watch.on_order = on_order  # type: ignore[method-assign]
        self.trader = self.clients[0]

    def settle(self) -> None:
        """Connect whoever is not, and let everything arrive that can."""
        if self.gateway is None:
            self._start_gateway()
        self._heal_on()

    def wait(self, seconds: float) -> None:
        """Let time pass, in which what can arrive arrives."""
        end = self.now + int(seconds * SECOND)
        while self.now < end:
            self.settle()

    def submit(self, lots: int, limit: int = 0, tif: int = 0) -> int:
        """Send an order for KO; return its number."""
        order = self.trader.session.submit("KO", lots, limit=limit, tif=tif)
        self.trader.flush(self.rng)
        return order.no

    def told(self, kind: type) -> list[Any]:
        """Return the events of a kind that clients were told, each once."""
        return [event for event in self.events if type(event) is kind]

    def held(self) -> int:
        """Return the position in KO."""
        holding = self.running.core.accounts[MAIN].book.holdings.get("KO")
        return 0 if holding is None else holding.qty


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.rng.seed(Random(1).random())
    with stage.disk.installed():
        stage.settle()
        yield stage
        stage.heal()


def test_nautilus_4152_a_venue_that_times_out_has_not_rejected(stage: Stage) -> None:
    stage.venue.silent_until = stage.now + 3 * SECOND
    no = stage.submit(100)
    stage.wait(2)
    assert [event.no for event in stage.told(m.Unknown)] == [no]
    assert not stage.told(m.Rejected)
    stage.wait(4)
    assert not stage.told(m.Rejected)
    assert stage.held() == 100


def test_nautilus_4215_an_order_is_not_sent_again_after_its_accept_arrived(stage: Stage) -> None:
    no = stage.submit(100, limit=4_960)
    stage.venue.silent_until = stage.now + 3 * SECOND // 2
    stage.wait(4)
    stage.cut_venue()
    stage.wait(4)
    assert [message.id for message in stage.new_orders] == [m.order_id(MAIN, no)]
    assert [event.no for event in stage.told(m.Accepted)] == [no]
    assert stage.venue.open_orders == {m.order_id(MAIN, no)}


def test_nautilus_4736_a_restart_books_no_fill_of_its_own(stage: Stage) -> None:
    stage.submit(100)
    stage.settle()
    fills = stage.told(m.Filled)
    assert stage.held() == 100
    for _ in range(3):
        stage.gateway_killed()
        stage.wait(2)
        assert stage.held() == 100
    assert stage.told(m.Filled) == fills
    assert set(stage.watch.fills) == {fill.fill_id for fill in fills}


def test_nautilus_5000_working_orders_are_there_after_a_kill(stage: Stage) -> None:
    numbers = [stage.submit(10, limit=4_960 + at) for at in range(5)]
    stage.settle()
    stage.gateway_killed()
    stage.settle()
    assert sorted(stage.running.core.accounts[MAIN].open) == numbers
    stage.trader.session.cancel(numbers[0])
    stage.trader.flush(stage.rng)
    stage.wait(1)
    assert [event.no for event in stage.told(m.Canceled)] == numbers[:1]
    assert stage.venue.open_orders == {m.order_id(MAIN, no) for no in numbers[1:]}


def test_nautilus_4970_a_fill_is_neither_lost_nor_doubled_by_a_lost_connection(
    stage: Stage,
) -> None:
    stage.submit(100, limit=5_050)
    # The venue fills it, and the connection breaks before a byte of that arrives.
    stage.venue.silent_until = stage.now + 60 * SECOND
    while stage.trader.connection is not None and stage.trader.connection.up:
        stage._deliver_up(stage.trader.connection)
    while stage.venue.inbox:
        stage.venue.take(stage.now)
    assert stage.venue.paper._fills
    assert stage.held() == 0
    stage.cut_venue()
    stage.venue.heal()
    for _ in range(3):
        stage.wait(1)
        assert stage.held() == 100
        stage.cut_venue()
    assert sum(fill.qty for fill in stage.told(m.Filled)) == 100


def test_nautilus_3878_fills_have_the_same_ids_after_every_restart(stage: Stage) -> None:
    stage.submit(100)
    stage.submit(-50)
    stage.settle()
    before = [(fill.fill_id, fill.seq, m.encode(fill)) for fill in stage.told(m.Filled)]
    for _ in range(3):
        stage.gateway_killed()
        stage.trader.begin(1)
        heard: list[Any] = []
        stage.trader.session._on_event = heard.append
        stage.wait(1)
        again = [one for one in heard if type(one) is m.Filled]
        assert [(fill.fill_id, fill.seq, m.encode(fill)) for fill in again] == before


def test_lean_ib_242_no_order_gets_the_number_of_an_earlier_one(stage: Stage) -> None:
    numbers = []
    for _ in range(4):
        numbers.append(stage.submit(10, limit=4_960))
        stage.settle()
        stage.gateway_killed()
        stage.client_killed()
        stage.trader.begin(1)
        stage.settle()
    assert numbers == sorted(set(numbers))
    identities = [message.id for message in stage.new_orders]
    assert identities == [m.order_id(MAIN, no) for no in numbers]


def test_ccxt_2599_a_timeout_and_another_try_make_one_order(stage: Stage) -> None:
    no = stage.submit(100)
    # The request arrives, and its answer does not: the client comes back and asks again.
    connection = stage.trader.connection
    assert connection is not None
    while connection.up:
        stage._deliver_up(connection)
    connection.is_heard = False
    connection.down.clear()
    stage._lose(connection)
    stage.wait(2)
    assert [message.id for message in stage.new_orders] == [m.order_id(MAIN, no)]
    assert stage.held() == 100
    assert stage.trader.replies[no] == 1
