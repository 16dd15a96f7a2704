"""Replays: what they send, at which pace, and how they pause, stop and end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from neural_trader.data import feeds
from tests.made_bars import make_bars, make_block
from tests.unit.data.feeds.ticking import NOON, SECOND, at, bars_of, collect, read, settle, trade


def test_bars_come_slice_by_slice_and_a_heartbeat_says_that_a_slice_is_whole() -> None:
    bars = make_bars({"A": [1.0, 2.0], "B": [3.0, 4.0]})
    events = read(feeds.Replay(bars, speed=0))
    told = [getattr(event, "close", type(event).__name__) for event in events]
    assert told == [1.0, 3.0, "Heartbeat", 2.0, 4.0, "Heartbeat", "StatusEvent"]
    assert isinstance(events[-1], feeds.StatusEvent)
    assert (events[-1].condition, events[-1].symbol) == ("ended", None)


def test_a_bar_has_the_fields_of_its_data_and_no_others() -> None:
    bars = nt.load("us-ohlcv", symbols="AAPL", start="2013-02-28")
    replay = feeds.Replay("us-ohlcv", symbols="AAPL", start="2013-02-28", speed=0)
    assert replay.about.fields == {"AAPL": ("open", "high", "low", "close", "volume")}
    assert (replay.about.basis, replay.about.labels) == (bars.basis, bars.labels)
    sent = bars_of(read(replay))
    assert [bar.volume for bar in sent] == bars["AAPL"].volume.tolist()  # type: ignore[union-attr]
    bare = feeds.Replay("sp500-closes", symbols="KO", end="1990-01-03", speed=0)
    assert [bar.open for bar in bars_of(read(bare))] == [None, None]


def test_a_series_that_ends_a_week_early_is_said_to_have_ended() -> None:
    early = make_block({"A": [1.0, 1.0]}, days=(0, 1))
    late = make_block({"B": [1.0] * 3}, days=(0, 1, 9))
    events = read(feeds.Replay(nt.Bars((early, late), name="made"), speed=0))
    told = [(e.condition, e.symbol) for e in events if isinstance(e, feeds.StatusEvent)]
    assert told == [("ended", "A"), ("ended", None)]
    near = make_block({"B": [1.0] * 3}, days=(0, 1, 8))
    events = read(feeds.Replay(nt.Bars((early, near), name="made"), speed=0))
    assert [e.symbol for e in events if isinstance(e, feeds.StatusEvent)] == [None]


@pytest.mark.parametrize("speed", [1, 60, 0.5])
def test_the_pace_is_the_recordings_own_divided_by_the_speed(speed: float) -> None:
    clock = feeds.SimulatedClock(5 * SECOND)
    replay = feeds.Replay([trade(0), trade(6), trade(36)], speed=speed, clock=clock)

    async def play() -> list[float]:
        return [
            (clock.now_ns() - 5 * SECOND) / SECOND
            async for event in replay
            if isinstance(event, feeds.TradeEvent)
        ]

    assert asyncio.run(play()) == pytest.approx([0, 6 / speed, 36 / speed])


def test_no_event_comes_before_its_time_on_a_clock_moved_by_hand() -> None:
    clock = feeds.SimulatedClock(by_hand=True)
    replay = feeds.Replay([trade(0), trade(10)], speed=2, clock=clock)

    async def play() -> None:
        sent: list[feeds.Event] = []
        reader = asyncio.create_task(collect(replay, sent))
        await settle()
        assert [at(event) for event in sent] == [0]
        clock.advance(4.999)
        await settle()
        assert [at(event) for event in sent] == [0]
        clock.advance(0.001)
        await settle()
        assert [at(event) for event in sent] == [0, 10, 10, 10]
        await reader

    asyncio.run(play())


def test_a_pause_is_not_caught_up_and_a_stop_ends_it() -> None:
    clock = feeds.SimulatedClock(by_hand=True)
    replay = feeds.Replay([trade(0), trade(10), trade(20), trade(30)], speed=1, clock=clock)

    async def play() -> None:
        sent: list[feeds.Event] = []
        reader = asyncio.create_task(collect(replay, sent))
        await settle()
        replay.pause()
        assert replay.is_paused
        clock.advance(100)
        await settle()
        assert [at(event) for event in sent] == [0]
        replay.resume()
        clock.advance(9)
        await settle()
        assert [at(event) for event in sent] == [0]
        clock.advance(1)
        await settle()
        assert [at(event) for event in sent] == [0, 10]
        replay.pause()
        replay.stop()
        await reader
        # A feed that was stopped does not say that its recording is over.
        assert [at(event) for event in sent] == [0, 10]

    asyncio.run(play())
    assert replay.counts["trades"] == 2


def test_a_slow_reader_slows_it_and_loses_nothing() -> None:
    clock = feeds.SimulatedClock(by_hand=True)
    replay = feeds.Replay([trade(number) for number in range(5)], speed=1, clock=clock)

    async def play() -> list[float]:
        seen = []
        async for event in replay:
            clock.advance(60)
            seen.append(at(event))
        return seen

    assert asyncio.run(play())[:5] == [0, 1, 2, 3, 4]


def test_cancellation_leaves_nothing_running() -> None:
    replay = feeds.Replay([trade(0), trade(1e6)], speed=1, clock=feeds.SimulatedClock(by_hand=True))

    async def play() -> int:
        reader = asyncio.create_task(collect(replay, []))
        await settle()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await settle()
        return len(asyncio.all_tasks())

    assert asyncio.run(play()) == 1


def test_heartbeats_fill_the_gaps_of_the_recording() -> None:
    replay = feeds.Replay([trade(0), trade(3.5)], speed=0, heartbeat_s=1)
    beats = [at(event) for event in read(replay) if isinstance(event, feeds.Heartbeat)]
    assert beats == [1, 2, 3, 3.5]


def test_what_is_late_in_a_recording_arrives_late_again() -> None:
    clock = feeds.SimulatedClock()
    replay = feeds.Replay([trade(0), trade(10), trade(2)], speed=1, clock=clock)
    assert [at(event) for event in read(replay)] == [0, 10, 2, 10, 10]
    assert clock.now_ns() == 10 * SECOND


def test_it_is_read_once() -> None:
    replay = feeds.Replay([trade(0)], speed=0)
    read(replay)
    with pytest.raises(nt.ConfigError, match="make a new one"):
        read(replay)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"speed": -1}, "speed is -1"),
        ({"speed": float("nan")}, "speed is nan"),
        ({"speed": "fast"}, "speed is 'fast'"),
        ({"heartbeat_s": 0}, "heartbeat_s is 0"),
        ({"heartbeat_s": float("inf")}, "heartbeat_s is inf"),
        ({"kind": "books"}, "kind is 'books'"),
        ({"start": "2020-01-01"}, "start and end are for names and paths"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        feeds.Replay(make_bars({"A": [1.0]}), **more)


def test_a_list_without_events_or_with_something_else_is_refused() -> None:
    with pytest.raises(nt.DataError, match="holds no event"):
        feeds.Replay([])
    with pytest.raises(nt.ConfigError, match="item 1 is 5"):
        feeds.Replay([trade(0), 5])
    with pytest.raises(nt.DataError, match="unknown symbol 'Z'"):
        feeds.Replay([trade(0)], symbols="Z")
    with pytest.raises(nt.DataError, match="unknown symbol 'Z'"):
        feeds.Replay(make_bars({"A": [1.0]}), symbols=["Z"])


def test_symbols_are_chosen() -> None:
    bars = make_bars({"A": [1.0], "B": [2.0]})
    assert [bar.symbol for bar in bars_of(read(feeds.Replay(bars, symbols="B", speed=0)))] == ["B"]
    ticks = [trade(0, symbol="A"), trade(1, symbol="B")]
    replay = feeds.Replay(ticks, symbols=["B"], speed=0)
    assert replay.about.symbols == ("B",)
    assert replay.about.fields["B"] == ()
    assert sum(isinstance(event, feeds.TradeEvent) for event in read(replay)) == 1


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_file_of_trades_keeps_its_order_and_numbers_its_rows(tmp_path: Path) -> None:
    path = write(
        tmp_path / "trades.csv",
        "time,symbol,price,size\n"
        "2024-01-02T12:00:01Z,A,10,5\n2024-01-02T12:00:00Z,B,20,1\n2024-01-02T12:00:01Z,A,11,0\n",
    )
    events = read(feeds.Replay(path, speed=0))
    ticks = [event for event in events if isinstance(event, feeds.TradeEvent)]
    assert [(at(t), t.symbol, t.price, t.size, t.id) for t in ticks] == [
        (1, "A", 10, 5, 0),
        (0, "B", 20, 1, 1),
        (1, "A", 11, 0, 2),
    ]


def test_symbols_that_stand_one_after_the_other_are_merged_by_time(tmp_path: Path) -> None:
    rows = [f"2024-01-02T12:00:{second:02d}Z,{name},10,1" for name in "AB" for second in (1, 3, 2)]
    path = write(tmp_path / "trades.csv", "\n".join(["time,symbol,price,size", *rows]) + "\n")
    events = read(feeds.Replay(path, speed=0))
    ticks = [(e.symbol, at(e)) for e in events if isinstance(e, feeds.TradeEvent)]
    assert ticks == [("A", 1), ("B", 1), ("A", 3), ("A", 2), ("B", 3), ("B", 2)]


def test_a_file_without_symbols_is_named_by_itself_and_ids_are_read(tmp_path: Path) -> None:
    text = "timestamp,price,qty,trade_id\n1704196800,10,5,x9\n1704196801,10,5,x10\n"
    replay = feeds.Replay(write(tmp_path / "BTC.csv", text), speed=0)
    assert replay.about.symbols == ("BTC",)
    assert [e.id for e in read(replay) if isinstance(e, feeds.TradeEvent)] == ["x9", "x10"]


def test_a_file_of_quotes(tmp_path: Path) -> None:
    text = "time,symbol,bid,ask,bid_size\n2024-01-02T12:00:00Z,A,10,11,3\n"
    quote, *_ = read(feeds.Replay(write(tmp_path / "quotes.csv", text), speed=0))
    assert quote == feeds.QuoteEvent(symbol="A", ts_event_ns=NOON, bid=10, ask=11, bid_size=3)


def test_a_file_of_bars_and_a_file_that_does_not_say(tmp_path: Path) -> None:
    bars = write(tmp_path / "bars.csv", "date,close\n2024-01-02,10\n2024-01-03,11\n")
    assert [bar.close for bar in bars_of(read(feeds.Replay(bars, speed=0)))] == [10, 11]
    # A price and a volume may be a close and its volume, or a trade.
    text = "time,price,volume\n2024-01-02T12:00:00Z,10,5\n2024-01-02T12:00:00Z,10,5\n"
    ticks = write(tmp_path / "ticks.csv", text)
    assert feeds.Replay(ticks, kind="ticks", speed=0).about.fields == {"ticks": ()}
    with pytest.raises(nt.DataError, match=r"If the rows are trades, say so: kind='ticks'"):
        feeds.Replay(ticks, speed=0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2024-01-02T12:00:00Z,A,0,1", r"column 'price' is '?0'?.*above 0"),
        ("2024-01-02T12:00:00Z,A,nan,1", "column 'price'"),
        ("2024-01-02T12:00:00Z,A,1,-1", "column 'size'.*of 0 or more"),
        ("2024-01-02T12:00:00Z,,1,1", "there is no symbol"),
        ("noon,A,1,1", "no time"),
    ],
)
def test_a_tick_that_is_none_is_named_with_its_row(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path / "trades.csv", f"time,symbol,price,size\n{row}\n")
    with pytest.raises(nt.DataError, match=message):
        feeds.Replay(path)


def test_a_sample_has_no_ticks_and_ticks_have_no_range(tmp_path: Path) -> None:
    with pytest.raises(nt.ConfigError, match="holds bars"):
        feeds.Replay("us-ohlcv", kind="ticks")
    path = write(tmp_path / "t.csv", "time,symbol,price,size\n2024-01-02T12:00:00Z,A,1,1\n")
    with pytest.raises(nt.ConfigError, match="a file of ticks is replayed whole"):
        feeds.Replay(path, start="2024-01-01")


def test_an_event_and_its_line() -> None:
    for event in (
        trade(1, id="x"),
        feeds.Heartbeat(ts_event_ns=5),
        *read(feeds.Replay([trade(0)])),
    ):
        assert feeds.event_of(feeds.to_line(event)) == event
