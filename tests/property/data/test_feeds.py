"""Bars from a stream are the bars of a pass over all data, whatever the order of arrival."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.data import feeds
from tests.unit.data.feeds.ticking import NOON, SECOND, about, bars_of, trade

ENDED = feeds.StatusEvent(ts_event_ns=NOON, condition="ended")

# Whole seconds: most trades share a stamp with another.
TICKS = st.lists(
    st.tuples(
        st.integers(0, 400), st.integers(1, 500), st.integers(0, 9), st.sampled_from(("A", "B"))
    ),
    min_size=1,
    max_size=60,
)


def trades_of(rows: list[tuple[int, int, int, str]]) -> list[feeds.TradeEvent]:
    """Return trades in the order of time, numbered."""
    return [
        trade(second, cents / 100, float(size), id=number, symbol=symbol)
        for number, (second, cents, size, symbol) in enumerate(sorted(rows, key=lambda row: row[0]))
    ]


def batch(trades: list[feeds.TradeEvent], seconds: int) -> list[tuple[Any, ...]]:
    """Make bars of all trades at once, in the plainest way."""
    groups: dict[tuple[int, str], list[feeds.TradeEvent]] = {}
    for each in trades:
        length = seconds * SECOND
        end = -(-each.ts_event_ns // length) * length
        groups.setdefault((end, each.symbol), []).append(each)
    return [
        (
            symbol,
            end,
            parts[0].price,
            max(part.price for part in parts),
            min(part.price for part in parts),
            parts[-1].price,
            math.fsum(part.size for part in parts),
        )
        for (end, symbol), parts in sorted(groups.items())
    ]


def stream(events: list[Any], to: str, lateness: float) -> tuple[list[Any], dict[str, int]]:
    """Return the bars of a stream as rows, and the counts."""
    taker = feeds.Aggregator(
        about("A", "B"), to, lateness_ns=round(lateness * SECOND), incomplete="keep"
    )
    bars = bars_of(each for event in [*events, ENDED] for each in taker.take(event))
    rows = [(b.symbol, b.ts_close_ns, b.open, b.high, b.low, b.close, b.volume) for b in bars]
    return rows, taker.counts


def shuffled(trades: list[feeds.TradeEvent], delays: list[float]) -> list[feeds.TradeEvent]:
    """Return trades in the order of their arrival, each its own delay after it happened."""
    arrivals = [
        (each.ts_event_ns / SECOND + delays[place % len(delays)], place)
        for place, each in enumerate(trades)
    ]
    return [trades[place] for _, place in sorted(arrivals)]


@settings(max_examples=200, deadline=None)
@given(
    rows=TICKS,
    delays=st.lists(st.floats(0, 30), min_size=1, max_size=20),
    minutes=st.sampled_from((1, 2, 5)),
)
def test_any_order_within_the_allowance_gives_the_bars_of_the_batch(
    rows: list[tuple[int, int, int, str]], delays: list[float], minutes: int
) -> None:
    trades = trades_of(rows)
    made, counts = stream(shuffled(trades, delays), f"{minutes}Min", 30)
    assert made == batch(trades, 60 * minutes)
    assert (counts["late"], counts["taken"]) == (0, len(trades))


@settings(max_examples=100, deadline=None)
@given(rows=TICKS, delays=st.lists(st.floats(0, 30), min_size=1, max_size=20))
def test_bars_by_size_do_not_depend_on_the_order_of_arrival(
    rows: list[tuple[int, int, int, str]], delays: list[float]
) -> None:
    trades = trades_of(rows)
    for to in ("tick:3", "volume:10", "dollar:20"):
        assert stream(shuffled(trades, delays), to, 30)[0] == stream(trades, to, 0)[0]


@settings(max_examples=100, deadline=None)
@given(rows=TICKS, delays=st.lists(st.floats(0, 120), min_size=1, max_size=20))
def test_every_trade_is_taken_or_counted(
    rows: list[tuple[int, int, int, str]], delays: list[float]
) -> None:
    trades = trades_of(rows)
    events = shuffled(trades, delays)
    repeated = [each for event in events for each in (event, event)]
    made, counts = stream(repeated, "1Min", 5)
    known = counts["taken"] + counts["late_dropped"] + counts["duplicates"]
    assert known == len(repeated)
    assert counts["duplicates"] + counts["late"] >= len(trades)
    if not counts["late"]:
        assert made == batch(trades, 60)


@settings(max_examples=100, deadline=None)
@given(rows=TICKS, delays=st.lists(st.floats(0, 300), min_size=1, max_size=20))
def test_amended_bars_come_to_what_the_batch_says(
    rows: list[tuple[int, int, int, str]], delays: list[float]
) -> None:
    """The last word on every bar is right, however late a trade came."""
    trades = trades_of(rows)
    taker = feeds.Aggregator(about("A", "B"), "1Min", on_late="amend", incomplete="keep")
    events: list[feeds.Event] = [*shuffled(trades, delays), ENDED]
    last: dict[tuple[str, int], Any] = {}
    for bar in bars_of(each for event in events for each in taker.take(event)):
        known = (bar.symbol, bar.ts_close_ns) in last
        assert bar.amends or not known
        last[bar.symbol, bar.ts_close_ns] = bar
    made = [
        (b.symbol, b.ts_close_ns, b.open, b.high, b.low, b.close, b.volume) for b in last.values()
    ]
    assert sorted(made) == sorted(batch(trades, 60))


@settings(max_examples=100, deadline=None)
@given(rows=TICKS)
def test_small_bars_make_the_large_bars_of_their_trades(
    rows: list[tuple[int, int, int, str]],
) -> None:
    trades = trades_of(rows)
    feed = feeds.Aggregator(about("A", "B"), "1Min", incomplete="keep")
    events: list[feeds.Event] = [*trades, ENDED]
    small = [each for event in events for each in feed.take(event)]
    fields = ("open", "high", "low", "close", "volume")
    large = feeds.Aggregator(about("A", "B", fields=fields), "5Min", incomplete="keep")
    bars = bars_of(each for event in small for each in large.take(event))
    made = [(b.symbol, b.ts_close_ns, b.open, b.high, b.low, b.close, b.volume) for b in bars]
    assert made == batch(trades, 300)


@settings(max_examples=100, deadline=None)
@given(rows=TICKS, delays=st.lists(st.floats(0, 30), min_size=1, max_size=20))
def test_heartbeats_tell_the_truth(
    rows: list[tuple[int, int, int, str]], delays: list[float]
) -> None:
    """No bar is sent at or before a time that was said to be over, and heartbeats only rise."""
    taker = feeds.Aggregator(about("A", "B"), "1Min", lateness_ns=30 * SECOND)
    over = -1
    events: list[feeds.Event] = [*shuffled(trades_of(rows), delays), ENDED]
    for event in events:
        for each in taker.take(event):
            if isinstance(each, feeds.Heartbeat):
                assert each.ts_event_ns > over
                over = each.ts_event_ns
            elif isinstance(each, feeds.BarEvent):
                assert each.ts_close_ns > over
