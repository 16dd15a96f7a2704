"""Bars made of trades and of smaller bars: which trade is in which bar, and what is late."""

from typing import Any

import pytest

import neural_trader as nt
from neural_trader.core.sessions import last_ns
from neural_trader.data import feeds
from tests.unit.data.feeds.ticking import NOON, SECOND, about, at, bars_of, beat, take_all, trade

ENDED = feeds.StatusEvent(ts_event_ns=NOON, condition="ended")


def minutes(**more: Any) -> feeds.Aggregator:
    """Return bars of a minute in the making, the last of which is sent as it is."""
    return feeds.Aggregator(about(), "1Min", **({"incomplete": "keep"} | more))


def values(bar: feeds.BarEvent) -> tuple[float | None, ...]:
    return bar.open, bar.high, bar.low, bar.close, bar.volume


def test_a_bar_holds_its_close_and_not_its_open() -> None:
    taker = minutes()
    bars = take_all(taker, [trade(0, 1), trade(0.5, 2), trade(60, 4), trade(60.1, 8), ENDED])
    assert [at(bar) for bar in bars] == [0, 60, 120]
    assert values(bars[1]) == (2, 4, 2, 4, 2)


def test_a_bar_without_a_later_trade_closes_with_the_heartbeat_that_passes_it() -> None:
    taker = minutes(lateness_ns=5 * SECOND)
    assert take_all(taker, [trade(10), beat(64.9)]) == []
    assert [at(bar) for bar in take_all(taker, [beat(65)])] == [60]


def test_silence_closes_nothing() -> None:
    taker = minutes()
    assert take_all(taker, [trade(10), trade(59.9), trade(60)]) == []
    taker.stop()
    assert taker.counts["unfinished"] == 3


def test_a_last_bar_whose_end_did_not_come_is_not_sent() -> None:
    taker = minutes(incomplete="drop")
    assert [at(bar) for bar in take_all(taker, [trade(10), trade(61), ENDED])] == [60]
    assert taker.counts["unfinished"] == 1
    # A trade at the very end is the end.
    taker = minutes(incomplete="drop")
    assert [at(bar) for bar in take_all(taker, [trade(10), trade(60), ENDED])] == [60]
    assert taker.counts["unfinished"] == 0


def test_the_last_date_of_a_series_is_a_day_that_is_over() -> None:
    taker = feeds.Aggregator(about(fields=("close",)), "1Day")
    days = [
        feeds.BarEvent(symbol="A", ts_close_ns=last_ns(day), close=1.0) for day in (19_000, 19_001)
    ]
    assert [bar.ts_close_ns for bar in take_all(taker, [*days, ENDED])] == [
        day.ts_close_ns for day in days
    ]


def test_a_gap_has_no_bars() -> None:
    bars = take_all(minutes(), [trade(1), trade(600.5), ENDED])
    assert [at(bar) for bar in bars] == [60, 660]


def test_symbols_close_together_in_the_order_of_the_feed() -> None:
    taker = feeds.Aggregator(about("B", "A"), "1Min", incomplete="keep")
    events: list[feeds.Event] = [
        trade(1, symbol="A"),
        trade(2, symbol="B"),
        trade(61, symbol="A"),
        ENDED,
    ]
    sent = [each for event in events for each in taker.take(event)]
    names = [getattr(each, "symbol", "beat") for each in sent if each is not ENDED]
    assert names == ["B", "A", "beat", "A", "beat"]


def test_trades_come_in_the_order_of_time_then_of_their_ids() -> None:
    taker = minutes(lateness_ns=10 * SECOND)
    events = [trade(5, 3, id="10"), trade(5, 2, id="9"), trade(9, 7, id="11"), trade(4, 1, id="8")]
    (bar,) = take_all(taker, [*events, ENDED])
    assert values(bar) == (1, 7, 1, 7, 4)
    taker = minutes()
    (bar,) = take_all(taker, [trade(5, 3, id=10), trade(5, 2, id=9), ENDED])
    assert (bar.open, bar.close) == (2, 3)


def test_what_is_as_late_as_allowed_is_in_its_place() -> None:
    taker = minutes(lateness_ns=5 * SECOND)
    (first, _) = take_all(taker, [trade(1, 1), trade(64, 9), trade(59, 2), ENDED])
    assert values(first) == (1, 2, 1, 2, 2)
    assert taker.counts["late"] == 0


def test_what_is_later_is_dropped_and_counted() -> None:
    taker = minutes(lateness_ns=5 * SECOND)
    (first, _) = take_all(taker, [trade(1, 1), trade(64.1, 9), trade(59, 2), ENDED])
    assert values(first) == (1, 1, 1, 1, 1)
    assert (taker.counts["late"], taker.counts["late_dropped"], taker.counts["taken"]) == (1, 1, 2)


def test_what_is_later_is_an_error_where_that_is_wanted() -> None:
    taker = minutes(on_late="error")
    take_all(taker, [trade(1), trade(30)])
    with pytest.raises(nt.DataError, match=r"a trade of A at \d+ came 29 s after the allowance"):
        taker.take(trade(1, 5))


def test_what_is_later_amends_the_bar_that_was_sent() -> None:
    taker = minutes(on_late="amend", amend_ns=120 * SECOND)
    bars = take_all(taker, [trade(10, 5), trade(70, 6), trade(5, 4), trade(59, 7), trade(130, 6)])
    assert [(at(bar), values(bar), bar.amends) for bar in bars[:3]] == [
        (60, (5, 5, 5, 5, 1), False),
        (60, (4, 5, 4, 5, 2), True),
        (60, (4, 7, 4, 7, 3), True),
    ]
    assert taker.counts["amended"] == 2
    # A bar that is still open takes it in silently; one that is forgotten does not take it.
    (last,) = take_all(taker, [trade(125, 1), trade(200, 6), trade(58, 1)])
    assert values(last) == (1, 6, 1, 6, 2)
    assert taker.counts["late_dropped"] == 1


def test_a_late_trade_can_make_a_bar_that_was_none() -> None:
    taker = minutes(on_late="amend")
    (bar,) = take_all(taker, [trade(130), trade(70, 3)])
    assert (at(bar), bar.close, bar.amends) == (120, 3, True)


def test_duplicates_are_counted_and_not_doubled() -> None:
    taker = minutes(lateness_ns=SECOND)
    same = trade(1, 5, id=7)
    bare = trade(2, 5)
    (bar,) = take_all(taker, [same, same, bare, trade(2, 5), trade(2, 6), ENDED])
    assert bar.volume == 3
    assert taker.counts["duplicates"] == 2


def test_a_repetition_that_is_late_is_a_duplicate_as_long_as_its_bar_can_be_amended() -> None:
    taker = minutes(on_late="amend", amend_ns=600 * SECOND)
    bars = take_all(taker, [trade(1, id=1), trade(120, id=2), trade(1, id=1)])
    assert [bar.amends for bar in bars] == [False]
    assert (taker.counts["duplicates"], taker.counts["late"]) == (1, 0)


def test_ids_are_forgotten_with_their_time() -> None:
    taker = minutes(lateness_ns=SECOND)
    for number in range(5_000):
        taker.take(trade(number, id=number))
    assert len(taker._buffer._seen) < 10


def test_small_bars_make_larger_ones() -> None:
    fields = ("open", "high", "low", "close", "volume")
    small = [
        feeds.BarEvent(
            symbol="A",
            ts_close_ns=NOON + 60 * number * SECOND,
            open=number,
            high=number + 0.5,
            low=number - 0.5,
            close=number + 0.25,
            volume=10.0,
        )
        for number in range(1, 11)
    ]
    taker = feeds.Aggregator(about(fields=fields), "5Min")
    bars = take_all(taker, [*small, small[9], ENDED])
    assert [at(bar) for bar in bars] == [300, 600]
    assert values(bars[0]) == (1, 5.5, 0.5, 5.25, 50)
    assert taker.counts["duplicates"] == 1


def test_bars_of_closes_alone_make_bars_of_closes_alone() -> None:
    taker = feeds.Aggregator(about(fields=("close",)), "5Min", incomplete="keep")
    bars = [
        feeds.BarEvent(symbol="A", ts_close_ns=NOON + 60 * SECOND * number, close=float(number))
        for number in (1, 2)
    ]
    assert values(*take_all(taker, [*bars, ENDED])) == (None, None, None, 2.0, None)


def test_a_day_keeps_its_date() -> None:
    taker = feeds.Aggregator(about(), "1Day", incomplete="keep")
    (bar,) = take_all(taker, [trade(0), ENDED])
    assert (bar.ts_close_ns + 1) % (86_400 * SECOND) == 0
    # Midnight closes the day before it.
    taker = feeds.Aggregator(about(), "1Day", incomplete="keep")
    first, second = take_all(taker, [trade(12 * 3600), trade(12 * 3600 + 1), ENDED])
    assert second.ts_close_ns - first.ts_close_ns == 86_400 * SECOND


def test_intervals_begin_at_midnight() -> None:
    """Seven hours do not divide a day: its last bar ends with it."""
    hours = [trade(3600 * hour) for hour in (-11, -5, 2, 9, 11.5, 12.5)]
    bars = take_all(feeds.Aggregator(about(), "7Hour", incomplete="keep"), [*hours, ENDED])
    assert [at(bar) / 3600 for bar in bars] == [-5, 2, 9, 12, 19]


@pytest.mark.parametrize(
    ("to", "stamps"), [("tick:2", [2, 4]), ("volume:3", [3, 5]), ("dollar:30", [3, 5])]
)
def test_the_trade_that_reaches_the_size_closes_the_bar(to: str, stamps: list[float]) -> None:
    trades = [trade(1, 10), trade(2, 10), trade(3, 10), trade(4, 10), trade(5, 10, 9)]
    taker = feeds.Aggregator(about(), to)
    bars = take_all(taker, [*trades, ENDED])
    assert [at(bar) for bar in bars] == stamps
    if to == "volume:3":
        assert [bar.volume for bar in bars] == [3, 10]
    assert taker.counts["unfinished"] == (1 if to == "tick:2" else 0)


def test_bars_by_size_that_close_at_one_stamp_are_a_nanosecond_apart() -> None:
    taker = feeds.Aggregator(about(), "tick:1")
    bars = take_all(taker, [trade(1, id=number) for number in range(3)] + [ENDED])
    assert [bar.ts_close_ns - bars[0].ts_close_ns for bar in bars] == [0, 1, 2]


def test_what_is_no_trade_is_counted() -> None:
    taker = minutes()
    quote = feeds.QuoteEvent(symbol="A", ts_event_ns=NOON, bid=1, ask=2)
    bad = [trade(1, float("nan")), trade(1, 0.0), trade(1, 5, -1), trade(1, float("inf"))]
    assert take_all(taker, [quote, *bad, ENDED]) == []
    assert (taker.counts["unusable"], taker.counts["of_other_kind"]) == (4, 1)


def test_a_symbol_that_ends_is_told_after_its_last_bar() -> None:
    taker = feeds.Aggregator(about("A", "B"), "1Min")
    ended = feeds.StatusEvent(ts_event_ns=trade(10).ts_event_ns, condition="ended", symbol="A")
    assert bars_of(taker.take(trade(10))) == []
    assert taker.take(ended) == []
    sent = taker.take(trade(61, symbol="B"))
    assert [type(each) for each in sent] == [feeds.BarEvent, feeds.Heartbeat, feeds.StatusEvent]


def test_a_session_anchors_its_bars_and_leaves_out_what_lies_outside() -> None:
    hours = feeds.Hours("14:30", "15:45", "UTC")
    taker = feeds.Aggregator(about(), "30Min", session=hours, incomplete="keep")
    times = (100, 150, 151, 180, 181, 225, 226)
    bars = take_all(taker, [*(trade(60 * minute) for minute in times), ENDED])
    # The first holds the open itself; the last ends with the session.
    assert [(at(bar) / 60, bar.volume) for bar in bars] == [(180, 3), (210, 1), (225, 1)]
    assert taker.counts["outside_session"] == 2
    taker = feeds.Aggregator(about(), "1Day", session=hours, incomplete="keep")
    (day,) = take_all(taker, [*(trade(60 * minute) for minute in times), ENDED])
    assert (at(day) / 60, day.volume) == (225, 5)


def test_bars_follow_the_session_into_summer_time() -> None:
    """New York moved its clocks on 2024-03-10: the first half hour ends an hour earlier in UTC."""
    hour = 3600
    friday, monday = 66 * 24 * hour, 69 * 24 * hour
    trades = [trade(day + 3 * hour - 60, id=day) for day in (friday, monday)]
    taker = feeds.Aggregator(about(), "30Min", session=feeds.Hours(), incomplete="keep")
    before, after = take_all(taker, [*trades, ENDED])
    assert [at(before) - friday, at(after) - monday] == [3 * hour, 3 * hour]
    taker = feeds.Aggregator(about(), "2Hour", session=feeds.Hours(), incomplete="keep")
    before, after = take_all(taker, [*trades, ENDED])
    assert [at(before) - friday, at(after) - monday] == [4.5 * hour, 3.5 * hour]


@pytest.mark.parametrize(
    ("to", "more", "message"),
    [
        ("5Mon", {}, "frequency is '5Mon'"),
        ("tick:0", {}, "with a size above 0"),
        ("tick:1.5", {}, "whole number of trades"),
        ("tick:x", {}, "with a size above 0"),
        ("range:5", {}, "expected 5Min"),
        ("1Min", {"incomplete": "send"}, "incomplete is 'send'"),
        ("1Min", {"on_late": "keep"}, "on_late is 'keep'"),
        ("tick:5", {"on_late": "amend"}, "cannot be amended"),
        ("tick:5", {"session": feeds.Hours()}, "have no session"),
    ],
)
def test_what_cannot_be_is_refused(to: str, more: dict[str, object], message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        feeds.Aggregator(about(), to, **more)  # type: ignore[arg-type]


def test_bars_by_size_are_not_made_of_bars() -> None:
    with pytest.raises(nt.ConfigError, match="are made of trades"):
        feeds.Aggregator(about(fields=("close",)), "volume:5")


def test_a_symbol_that_the_feed_does_not_have_is_an_error() -> None:
    with pytest.raises(nt.DataError, match="'Z' came on the feed made"):
        minutes().take(trade(1, symbol="Z"))
