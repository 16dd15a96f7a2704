"""Silence of symbols and of feeds: told once, taken back, and never counted at night."""

import asyncio
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.data import feeds
from tests.unit.data.feeds.ticking import (
    NOON,
    SECOND,
    about,
    at,
    beat,
    collect,
    read,
    settle,
    trade,
)


def told(events: Any) -> list[tuple[str, str | None, float]]:
    return [
        (event.condition, event.symbol, at(event))
        for event in events
        if isinstance(event, feeds.StatusEvent) and event.condition in ("stale", "fresh")
    ]


def watch(events: list[Any], **more: Any) -> list[tuple[str, str | None, float]]:
    return told(read(feeds.Watched(feeds.Replay(events, speed=0), 60, **more)))


def test_a_stall_and_its_end_are_told_once() -> None:
    events = [trade(0), *(beat(second) for second in range(10, 200, 10)), trade(205), trade(206)]
    assert watch(events) == [("stale", "A", 70), ("fresh", "A", 205)]


def test_silence_of_the_limit_is_not_longer_than_the_limit() -> None:
    assert watch([trade(0), beat(60)]) == []
    assert watch([trade(0), beat(60.001)]) == [("stale", "A", 60.001)]


def test_each_symbol_for_itself_and_one_that_never_comes_too() -> None:
    replay = feeds.Replay([trade(0), trade(1, symbol="B"), trade(50), trade(100)], speed=0)
    watched = feeds.Watched(replay, 60)
    assert told(read(watched)) == [("stale", "B", 100)]
    assert watched.stale == ("B",)
    assert watched.counts["stale"] == 1
    silent = feeds.Staleness(("A", "NEVER"), 60 * SECOND)
    said = [each for event in (trade(0), trade(59), trade(61)) for each in silent.take(event)]
    assert told(said) == [("stale", "NEVER", 61)]


def test_a_late_event_does_not_make_its_symbol_fresh() -> None:
    silent = feeds.Staleness(("A",), 60 * SECOND)
    said = [each for event in (trade(0), beat(100), trade(10)) for each in silent.take(event)]
    assert told(said) == [("stale", "A", 100)]


def test_a_symbol_that_has_ended_is_not_stale() -> None:
    ended = feeds.StatusEvent(ts_event_ns=NOON + 1, condition="ended", symbol="A")
    assert watch([trade(0), ended, beat(1000)]) == []


def test_the_night_is_no_silence() -> None:
    """Closed from 13:00 to the next day's 11:00: from then on silence counts again."""
    hours = feeds.Hours("11:00", "13:00", "UTC")
    hour = 3600
    nights = [beat(hour * number) for number in range(2, 23)]
    morning = [beat(23 * hour + 60), beat(23 * hour + 61)]
    assert watch([trade(hour - 10), *nights, *morning], session=hours) == [
        ("stale", "A", 23 * hour + 61)
    ]
    assert watch([trade(hour - 10), *nights], session=None)[0][0] == "stale"


def test_a_feed_that_sends_nothing_at_all_is_stale_by_the_clock() -> None:
    clock = feeds.SimulatedClock(NOON, by_hand=True)
    channel = feeds.Channel(about())
    watched = feeds.Watched(channel, 60, clock=clock)

    async def play() -> list[Any]:
        seen: list[Any] = []
        reader = asyncio.create_task(collect(watched, seen))
        await settle()
        channel.push(trade(0))
        await settle()
        for _ in range(13):
            clock.advance(10)
            await settle()
        channel.push(trade(130))
        channel.close()
        await reader
        return seen

    seen = asyncio.run(play())
    # Looked at just after the limit: the clock moves in tens of seconds here.
    assert told(seen) == [
        ("stale", None, 70),
        ("stale", "A", 70),
        ("fresh", None, 130),
        ("fresh", "A", 130),
    ]
    assert [event.price for event in seen if isinstance(event, feeds.TradeEvent)] == [10, 10]


def test_at_night_the_clock_tells_of_no_silence() -> None:
    clock = feeds.SimulatedClock(NOON, by_hand=True)
    channel = feeds.Channel(about())
    watched = feeds.Watched(channel, 60, clock=clock, session=feeds.Hours("11:00", "12:00", "UTC"))

    async def play() -> list[Any]:
        seen: list[Any] = []
        reader = asyncio.create_task(collect(watched, seen))
        await settle()
        for _ in range(20):
            clock.advance(61)
            await settle()
        channel.close()
        await reader
        return seen

    assert asyncio.run(play()) == []


@pytest.mark.parametrize("limit", [0, -1, float("nan"), "soon"])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(nt.ConfigError, match="limit_s is"):
        feeds.Watched(feeds.Replay([trade(0)]), limit)
