"""Queues: bounded, and nothing is lost without a word."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.data import feeds
from tests.unit.data.feeds.ticking import about, collect, read, settle, trade


def prices(events: list[Any]) -> list[float]:
    return [event.price for event in events if isinstance(event, feeds.TradeEvent)]


def test_a_full_queue_holds_a_replay_up_and_loses_nothing() -> None:
    replay = feeds.Replay([trade(number, number + 1) for number in range(50)], speed=0)
    queued = feeds.Buffered(replay, 4)

    async def play() -> list[Any]:
        seen: list[Any] = []
        async for event in queued:
            await settle()
            # The one that waits for room, those in the queue, and the one in hand.
            assert replay.counts["trades"] <= len(seen) + 6
            seen.append(event)
        return seen

    assert prices(asyncio.run(play())) == [float(number + 1) for number in range(50)]
    assert queued.counts["dropped"] == 0


def test_what_a_live_source_could_not_hand_over_is_counted_and_told_in_its_place() -> None:
    channel = feeds.Channel(about(), size=2)
    assert [channel.push(trade(number, number + 1)) for number in range(4)] == [
        True,
        True,
        False,
        False,
    ]

    async def play() -> list[Any]:
        events = aiter(channel)
        seen = [await anext(events), await anext(events)]
        assert channel.push(trade(9, 10))
        channel.close()
        return seen + [event async for event in events]

    seen = asyncio.run(play())
    assert prices(seen) == [1, 2, 10]
    (lost,) = [event for event in seen if isinstance(event, feeds.StatusEvent)]
    assert seen.index(lost) == 2
    assert (lost.condition, lost.detail) == ("dropped", "2 events so far found the queue full")
    assert channel.counts["dropped"] == 2


def test_every_event_is_read_or_dropped() -> None:
    replay = feeds.Replay([trade(number) for number in range(500)], speed=0)
    queued = feeds.Buffered(replay, 5, when_full="drop")

    async def play() -> int:
        number = 0
        async for event in queued:
            number += isinstance(event, feeds.TradeEvent)
            if number % 50 == 0:
                await settle()
        return number

    taken = asyncio.run(play())
    others = replay.counts["heartbeats"] + replay.counts["statuses"]
    missed = queued.counts["dropped"]
    assert missed > 0
    seen_others = queued.counts["heartbeats"]
    assert 500 + others - missed <= taken + seen_others + queued.counts["statuses"]
    assert taken + missed <= 500 + others


def test_losses_at_the_very_end_are_told() -> None:
    channel = feeds.Channel(about(), size=1)
    channel.push(trade(0))
    channel.push(trade(1))
    channel.close()
    assert [type(event).__name__ for event in read(channel)] == ["TradeEvent", "StatusEvent"]
    assert channel.push(trade(2)) is False


class Broken:
    """A feed that fails after its first event."""

    about = about()
    closed = False

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def __aiter__(self) -> AsyncIterator[feeds.Event]:
        try:
            yield trade(0, 5)
            message = "the line is down"
            raise nt.GatewayError(message)
        finally:
            self.closed = True


def test_an_error_reaches_the_reader_after_what_came_before_it() -> None:
    async def play() -> list[Any]:
        seen: list[Any] = []
        with pytest.raises(nt.GatewayError, match="the line is down"):
            await collect(feeds.Buffered(Broken()), seen)
        return seen

    assert prices(asyncio.run(play())) == [5]


def test_a_reader_that_leaves_ends_the_feed_behind_the_queue() -> None:
    broken = Broken()

    async def play() -> int:
        events = aiter(feeds.Buffered(broken, 1))
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
        await settle()
        return len(asyncio.all_tasks())

    assert asyncio.run(play()) == 1
    assert broken.closed


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(nt.ConfigError, match="size is"):
        feeds.Channel(about(), size)
    with pytest.raises(nt.ConfigError, match="when_full is 'block'"):
        feeds.Buffered(feeds.Replay([trade(0)]), when_full="block")  # type: ignore[arg-type]
