"""Clocks: the simulated one stands still until it is moved; the machine's never wakes too soon."""

import asyncio

import pytest

import neural_trader as nt
from neural_trader.data import feeds
from tests.unit.data.feeds.ticking import SECOND, settle


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = feeds.SimulatedClock(by_hand=True)
    woken: list[int] = []

    async def sleep(until: int) -> None:
        await clock.sleep_until(until)
        woken.append(until)

    async def play() -> None:
        tasks = [asyncio.create_task(sleep(until)) for until in (30, 10, 20)]
        await settle()
        clock.advance_to(25)
        await settle()
        assert woken == [10, 20]
        clock.advance_to(30)
        await asyncio.gather(*tasks)
        assert woken == [10, 20, 30]
        await clock.sleep_until(5)

    asyncio.run(play())


def test_it_does_not_go_back() -> None:
    clock = feeds.SimulatedClock(10)
    clock.advance(1)
    assert clock.now_ns() == 10 + SECOND
    with pytest.raises(nt.ConfigError, match="cannot go back to 5"):
        clock.advance_to(5)


def test_the_machines_time_may_be_set_back_without_the_clock_following() -> None:
    wall = iter([1_000 * SECOND, 5 * SECOND])
    steady = iter([7 * SECOND, 8 * SECOND])
    clock = feeds.WallClock(lambda: next(wall), lambda: next(steady))
    assert clock.now_ns() == 1_001 * SECOND


def test_nobody_is_woken_before_the_time_has_come() -> None:
    """A timer of the loop that wakes early sleeps again."""
    steady = iter([0, 0, 5, 5, 10])
    clock = feeds.WallClock(lambda: 0, lambda: next(steady))
    asyncio.run(clock.sleep_until(10))
    assert next(steady, None) is None
