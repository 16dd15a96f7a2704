"""Paper trading: when a slice is whole, what is left out and counted, what is refused."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

import neural_trader as nt
from neural_trader import trading
from neural_trader.core import Split
from neural_trader.core.sessions import last_ns
from neural_trader.data import feeds
from tests.made_bars import MONDAY, make_bars

ABOUT = feeds.About("made", {"A": ("open", "close"), "B": ("open", "close")})


def bar(symbol: str, day: int, price: float = 10.0, **more: Any) -> feeds.BarEvent:
    values = {"open": price, "close": price} | more
    return feeds.BarEvent(symbol=symbol, ts_close_ns=last_ns(MONDAY + day), **values)


class Watching(nt.Strategy):
    """Notes every slice; buys one of A at the first."""

    def on_start(self, ctx: Any) -> None:
        self.seen: list[tuple[int, str]] = []

    def on_bar(self, ctx: Any) -> None:
        fresh = "".join(symbol for symbol in ctx.symbols if ctx.has_bar(symbol))
        self.seen.append((ctx.ts_close_ns // 86_400_000_000_000 - MONDAY, fresh))
        if len(self.seen) == 1:
            ctx.order("A", 1)


def play(*events: Any, about: feeds.About = ABOUT, **more: Any) -> tuple[Watching, trading.Paper]:
    strategy = Watching()
    paper = trading.Paper(strategy, about, **more)
    take(paper, events)
    return strategy, paper


def take(paper: trading.Paper, events: Iterable[Any]) -> None:
    for event in events:
        paper.take(event)


def test_a_slice_is_whole_when_all_have_come_or_the_time_has_passed() -> None:
    strategy, paper = play(bar("A", 0))
    assert strategy.seen == []
    paper.take(bar("B", 0))
    assert strategy.seen == [(0, "AB")]
    paper.take(bar("A", 1))
    paper.take(feeds.Heartbeat(ts_event_ns=last_ns(MONDAY + 1) - 1))
    assert len(strategy.seen) == 1
    paper.take(feeds.Heartbeat(ts_event_ns=last_ns(MONDAY + 1)))
    assert strategy.seen[1:] == [(1, "A")]
    paper.take(bar("B", 2))
    paper.take(bar("A", 3))
    assert strategy.seen[2:] == [(2, "B")]
    paper.result()
    assert strategy.seen[3:] == [(3, "A")]


def test_what_comes_too_late_or_twice_is_counted_and_changes_nothing() -> None:
    days = [bar(symbol, day) for day in range(3) for symbol in "AB"]
    odd = [bar("A", 1, 99), bar("A", 2, 99), bar("A", 1, 99, amends=True)]
    twice = [bar("A", 3), bar("A", 3, 99), bar("B", 1, 99), bar("B", 3)]
    quote = feeds.QuoteEvent(symbol="A", ts_event_ns=1, bid=1, ask=2)
    stale = feeds.StatusEvent(ts_event_ns=1, condition="stale", symbol="A")
    _, paper = play(*days, *odd, quote, stale, *twice)
    assert paper.counts == {
        "slices": 4,
        "bars": 8,
        "late": 3,
        "duplicates": 1,
        "amendments": 1,
        "not_traded": 1,
        "stale": 1,
        "fills": 1,
    }
    assert set(paper.result().bars["A"].close.tolist()) == {10.0}


def test_progress_is_told_at_fills_and_after_slices() -> None:
    told: list[trading.Progress] = []
    days = [bar(symbol, day, 10.0 + day) for day in range(2) for symbol in "AB"]
    _, paper = play(*days, on_progress=told.append, costs=nt.Costs(fee_minimum=1))
    assert [each.fill is not None for each in told] == [False, True, False]
    assert told[0].equity == told[1].equity == 100_000.0
    assert told[1].fill is not None
    assert (told[1].fill.symbol, told[1].fill.price, told[1].cash) == ("A", 11.0, 99_988.0)
    assert told[2].equity == paper.equity == 99_999.0


def test_the_result_ends_the_run() -> None:
    _, paper = play(bar("A", 0), bar("B", 0))
    assert paper.result() is paper.result()
    with pytest.raises(nt.ConfigError, match="the run has its result"):
        paper.take(bar("A", 1))


def test_too_much_leverage_ends_it_at_once() -> None:
    class Greedy(nt.Strategy):
        def on_bar(self, ctx: Any) -> None:
            ctx.target_weight("A", 3.0)

    days = [bar(symbol, day) for day in range(50) for symbol in "AB"]
    paper = trading.Paper(Greedy(), ABOUT)
    with pytest.raises(nt.RunRefused, match=r"reached 3 x equity on 2024-01-02; the limit is 2 x"):
        take(paper, days)
    assert paper.counts["slices"] == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (bar("Z", 0), "a bar of 'Z' came"),
        (bar("A", 0, open=None), "has open None; the feed says that its bars have open, close"),
        (bar("A", 0, volume=5.0), "has volume 5.0; the feed says"),
        (bar("A", 0, float("nan")), "has open nan"),
        (bar("A", 0, float("inf")), "has open inf"),
        (bar("A", 0, 0.0), "expected a finite number above 0"),
    ],
)
def test_a_bar_that_is_not_what_the_feed_says_is_an_error(event: Any, message: str) -> None:
    with pytest.raises(nt.DataError, match=message):
        play(event)


def test_a_high_that_is_not_the_highest_is_an_error() -> None:
    about = feeds.About("made", {"A": ("open", "high", "low", "close")})
    with pytest.raises(nt.DataError, match="expected the high to be the highest"):
        play(bar("A", 0, high=9.0, low=9.0), about=about)
    play(bar("A", 0, high=10.0, low=10.0), about=about)


def test_raw_prices_across_a_split_are_an_error_when_they_cross_it() -> None:
    about = ABOUT._replace(splits=(Split("A", MONDAY + 2, 2.0),))
    days = [bar(symbol, day) for day in range(3) for symbol in "AB"]
    _, paper = play(*days[:4], about=about)
    with pytest.raises(nt.DataError, match="cross the 2-for-1 split"):
        take(paper, days[4:])


class Plans:
    """Decides on all bars at once."""

    def plan(self, bars: Any) -> Any:
        raise AssertionError


@pytest.mark.parametrize(
    ("strategy", "more", "message"),
    [
        (Plans(), {}, "Plans decides on all bars at once"),
        (nt.TargetWeights({"date": ["2024-01-02"], "A": [1.0]}), {}, "decides on all bars at once"),
        (nt.Strategy, {}, "strategy is <class"),
        (5, {}, "strategy is 5"),
        (Watching(), {"costs": 5}, "costs is 5"),
        (Watching(), {"capital": 0}, "capital is 0"),
        (Watching(), {"warmup": "after"}, "warmup is 'after'"),
        (Watching(), {"fill_at": "high"}, "fill_at is 'high'"),
        (Watching(), {"start": "soon"}, "start is 'soon'"),
        (Watching(), {"matching": nt.Matching(volume_share=0.1)}, "has no volume"),
        (nt.SmaCross("A"), {"matching": nt.Matching()}, "trades whole shares at the market"),
    ],
)
def test_what_cannot_be_run_is_refused_before_a_bar_has_come(
    strategy: Any, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        trading.Paper(strategy, ABOUT, **more)


def test_ticks_and_unknown_symbols_are_refused() -> None:
    with pytest.raises(nt.ConfigError, match="make bars of its trades"):
        trading.Paper(Watching(), feeds.About("ticks", {"A": ()}))
    with pytest.raises(nt.DataError, match="unknown symbol 'Z' in made"):
        trading.Paper(nt.SmaCross("Z"), ABOUT)
    with pytest.raises(nt.DataError, match="has no open prices"):
        trading.Paper(Watching(), feeds.About("closes", {"A": ("close",)}), fill_at="open")
    with pytest.raises(nt.ConfigError, match="expected the about of a feed"):
        trading.Paper(Watching(), "made")  # type: ignore[arg-type]


def test_no_bar_is_no_result() -> None:
    with pytest.raises(nt.DataError, match="no bar has come"):
        play()[1].result()
    with pytest.raises(nt.DataError, match="no bar from 2030-01-01"):
        play(bar("A", 0), bar("B", 0), start="2030-01-01")[1].result()
    pair = trading.Paper(nt.Pairs("A", "B"), ABOUT)
    pair.take(bar("A", 0))
    with pytest.raises(nt.DataError, match="no bar of B has come"):
        pair.result()


def test_run_is_refused_inside_a_loop_and_what_is_no_feed_is_named() -> None:
    bars = make_bars({"A": [1.0, 2.0]})

    async def inside() -> None:
        with pytest.raises(nt.ConfigError, match=r"await run_async"):
            trading.run(Watching(), feeds.Replay(bars, speed=0))
        result = await trading.run_async(Watching(), feeds.Replay(bars, speed=0))
        assert len(result.equity) == 2

    asyncio.run(inside())
    with pytest.raises(nt.ConfigError, match="feed is a Bars"):
        trading.run(Watching(), bars)  # type: ignore[arg-type]


def test_an_error_of_the_strategy_names_its_bar_and_closes_the_feed() -> None:
    class Fails(nt.Strategy):
        def on_bar(self, ctx: Any) -> None:
            raise ZeroDivisionError

    replay = feeds.Replay(make_bars({"A": [1.0] * 9}), speed=0)
    with pytest.raises(ZeroDivisionError) as caught:
        trading.run(Fails(), replay)
    assert caught.value.__notes__ == ["in the strategy, at the bar of 2024-01-01"]
    assert replay.counts["bars"] == 1


def test_trades_become_bars_become_fills() -> None:
    """From ticks to a result: an allowance for lateness, five-minute bars, a pair of fills."""
    second = 1_000_000_000
    noon = last_ns(MONDAY) + 1 + 12 * 3600 * second
    ticks = [
        feeds.TradeEvent(symbol="A", ts_event_ns=noon + at * second, price=10 + at / 900, size=1)
        for at in (10, 290, 280, 310, 600, 605, 900, 1000)
    ]
    feed = feeds.Aggregated(feeds.Replay(ticks, speed=0), "5Min", lateness_s=15, incomplete="keep")
    result = trading.run(Watching(), feed)
    assert feed.counts["late"] == 0
    assert len(result.equity) == 4
    assert result.fills["price"].to_list() == [10 + 310 / 900]
