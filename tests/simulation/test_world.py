"""After whatever happened, and once all is connected again: nothing lost, nothing twice."""

import msgspec
import pytest

from neural_trader.execution import messages as m
from neural_trader.execution.gateway import Gateway
from tests.simulation.world import CASH, World

SEEDS = range(300)


def state_of(gateway: Gateway) -> bytes:
    """Return everything that a journal must bring back, as bytes."""
    core = gateway.core
    accounts = [
        (
            account.number,
            account.name,
            account.seq,
            account.last_no,
            account.is_killed,
            account.day,
            account.day_equity,
            account.book.cash,
            [
                (symbol, h.qty, h.cost, h.realized, h.fees, h.buys, h.sells)
                for symbol, h in sorted(account.book.holdings.items())
                if not h.is_flat or h.fees or h.realized
            ],
            [
                [getattr(order, name) for name in order.__slots__]
                for order in (*account.open.values(), *account.ended.values())
            ],
            [(no, *reply) for no, reply in account.replies.items()],
            account.index,
            sorted(account.requests),
        )
        for account in core.accounts.values()
    ]
    return msgspec.msgpack.encode((core.epoch, core.last_fill_id, core.orphans, accounts))


def run(seed: int, steps: int = 400) -> World:
    """Let a world go its way, and heal it."""
    world = World(seed)
    for _ in range(steps):
        world.act()
    world.heal()
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_happens_twice(seed: int) -> None:
    world = run(seed)
    core = world.gateway.core
    account = core.accounts[1]
    fills = [event for event in world.events if isinstance(event, m.Filled)]
    told = {fill.fill_id: (m.order_id(1, fill.no), fill.qty, fill.value) for fill in fills}
    theirs = {fill.fill_id: (fill.id, fill.qty, fill.value) for fill in world.venue._fills}
    assert len(told) == len(fills), "a fill was told twice"
    assert told == theirs
    assert core.orphans == 0
    # Positions and cash are the sums of the fills.
    cash = CASH
    held: dict[str, int] = {}
    for fill in fills:
        held[fill.symbol] = held.get(fill.symbol, 0) + fill.qty
        cash -= (fill.value if fill.qty > 0 else -fill.value) + fill.fee
    assert account.book.cash == cash
    assert {s: h.qty for s, h in account.book.holdings.items() if h.qty} == {
        s: q for s, q in held.items() if q
    }
    # Every request was answered once, and nobody is in doubt.
    assert {len(answers) for answers in world.replies.values()} <= {1}
    assert not world.client._pending
    assert not [order for order in account.open.values() if order.status == "unknown"]
    assert not account.requests
    # What is open is open at the venue too, and counts as such.
    for symbol, holding in account.book.holdings.items():
        rest = [o.qty - o.filled for o in account.open.values() if o.symbol == symbol]
        assert holding.buys == sum(q for q in rest if q > 0)
        assert holding.sells == -sum(q for q in rest if q < 0)
        assert (
            account.book.opening
            + sum(h.realized - h.fees - h.cost for h in account.book.holdings.values())
            == account.book.cash
        )
    open_there = {identity for identity, order in world.venue._orders.items() if order.is_open}
    assert {m.order_id(1, no) for no in account.open} == open_there
    # A denied order never reached the venue, and no order reached it twice.
    denied = {m.order_id(1, e.no) for e in world.events if isinstance(e, m.Denied)}
    assert not denied & set(world.at_venue)
    assert set(world.at_venue.values()) <= {1}
    # The stream has no gap.
    assert [event.seq for event in world.events] == list(range(1, account.seq))


@pytest.mark.parametrize("seed", range(25))
def test_a_journal_gives_the_same_state_byte_for_byte(seed: int) -> None:
    world = run(seed)
    again = Gateway(world.journal)
    assert state_of(again) == state_of(world.gateway)


def test_a_seed_is_one_history() -> None:
    one, two = run(11), run(11)
    assert one.happened == two.happened
    assert one.events == two.events
    assert state_of(one.gateway) == state_of(two.gateway)


def test_every_fault_happens() -> None:
    total = sum((run(seed).happened for seed in range(12)), start=type(World(0).happened)())
    named = ("crash", "crash_in_turn", "cut_client", "cut_venue", "fill_twice", "silence")
    assert {name: total[name] > 0 for name in named} == dict.fromkeys(named, True)
