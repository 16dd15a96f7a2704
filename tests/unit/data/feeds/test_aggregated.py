"""A feed of bars made of another: by the feed's time, or by a clock where nothing comes."""

import asyncio
from contextlib import aclosing

import pytest

import neural_trader as nt
from neural_trader.data import feeds
from tests.unit.data.feeds.ticking import NOON, about, at, bars_of, collect, read, settle, trade


def test_it_says_what_its_bars_have() -> None:
    ticks = feeds.Aggregated(feeds.Replay([trade(0)], speed=0), "1Min")
    assert ticks.about.fields == {"A": ("open", "high", "low", "close", "volume")}
    closes = feeds.Aggregated(feeds.Replay("sp500-closes", symbols="KO", speed=0), "1Day")
    assert closes.about.fields == {"KO": ("close",)}


def test_a_clock_closes_a_bar_after_which_nothing_comes() -> None:
    clock = feeds.SimulatedClock(NOON, by_hand=True)
    channel = feeds.Channel(about())
    feed = feeds.Aggregated(channel, "1Min", lateness_s=5, clock=clock)

    async def play() -> list[tuple[float, float]]:
        sent: list[feeds.Event] = []
        seen: list[tuple[float, float]] = []
        reader = asyncio.create_task(collect(feed, sent))
        channel.push(trade(10))
        for step in range(13):
            clock.advance(5)
            await settle()
            seen += [(at(bar), 5.0 * (step + 1)) for bar in bars_of(sent)]
            sent.clear()
        channel.push(trade(70))
        await settle()
        channel.close()
        await reader
        return seen + [(at(bar), 70.0) for bar in bars_of(sent)]

    # The bar of 60 closes at 65 and not before; that of 120 is never closed, so never sent.
    assert asyncio.run(play()) == [(60, 65)]
    assert feed.counts["unfinished"] == 1
    assert feed.counts["bars"] == 1


def test_a_feed_that_stops_sends_no_unfinished_bar_and_one_that_is_over_does() -> None:
    replay = feeds.Replay([trade(0.5), trade(10)], speed=0)
    feed = feeds.Aggregated(replay, "1Min", incomplete="keep")

    replay.stop()
    assert read(feed) == []
    replay = feeds.Replay([trade(0.5), trade(10)], speed=0)
    whole = feeds.Aggregated(replay, "1Min", incomplete="keep")
    assert [at(bar) for bar in bars_of(read(whole))] == [60]
    assert whole.counts["unfinished"] == 0


@pytest.mark.parametrize("leaves", ["cancels", "breaks"])
def test_a_reader_that_leaves_a_chain_of_feeds_leaves_nothing_running(leaves: str) -> None:
    clock = feeds.SimulatedClock(NOON, by_hand=True)
    channel = feeds.Channel(about())
    watched = feeds.Watched(feeds.Buffered(channel), 60, clock=clock)
    chain = feeds.Aggregated(watched, "1Min", clock=clock)

    async def play() -> int:
        sent: list[feeds.Event] = []
        channel.push(trade(10))
        if leaves == "cancels":
            reader = asyncio.create_task(collect(chain, sent))
            await settle()
            clock.advance(60)
            await settle()
            assert len(bars_of(sent)) == 1
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            assert reader.cancelled()
        else:
            channel.push(trade(61))
            async with aclosing(aiter(chain)) as events:  # type: ignore[type-var]
                async for _ in events:
                    break
        await settle()
        assert channel.push(trade(70)) is False
        return len(asyncio.all_tasks())

    assert asyncio.run(play()) == 1


@pytest.mark.parametrize("name", ["lateness_s", "amend_s"])
def test_seconds_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(nt.ConfigError, match=f"{name} is -1"):
        feeds.Aggregated(feeds.Replay([trade(0)]), "1Min", **{name: -1})  # type: ignore[arg-type]
