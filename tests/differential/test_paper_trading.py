"""Paper trading over a replay leaves the backtest on the same bars, field by field."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neural_trader as nt
from neural_trader import trading
from neural_trader.core import Bars
from neural_trader.data import feeds
from tests.differential.test_events import COSTS, INSTRUMENTS, MATCHINGS, Scripted, market

FEES = nt.Costs(fee_bps=5, slippage_bps=5)


def assert_same(paper: nt.Result, back: nt.Result) -> None:
    """Fail unless two results agree in every array, figure, table and word."""
    for name in paper.outcome._fields:
        ours, theirs = getattr(paper.outcome, name), getattr(back.outcome, name)
        if isinstance(ours, np.ndarray):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
        else:
            assert ours == theirs, name
    assert paper.config == back.config
    assert paper.provenance == back.provenance
    assert paper.notes == back.notes
    assert str(paper.metrics) == str(back.metrics)
    assert paper.trips == back.trips
    np.testing.assert_array_equal(paper.ts_close_ns, back.ts_close_ns)
    np.testing.assert_array_equal(paper.window.close, back.window.close)


def run_both(strategy: Any, bars: Bars, **arguments: Any) -> nt.Result:
    again = copy.deepcopy(strategy)
    back = nt.backtest(strategy, bars, **arguments)
    seen = getattr(strategy, "seen", None)
    paper = trading.run(again, feeds.Replay(bars, speed=0), **arguments)
    assert getattr(again, "seen", None) == seen
    assert_same(paper, back)
    return paper


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    costs=st.sampled_from(COSTS),
    matching=st.sampled_from(MATCHINGS),
    instruments=st.sampled_from(INSTRUMENTS),
    start=st.sampled_from((None, "2019-05-01")),
    warmup=st.sampled_from(("before", "inside")),
)
def test_scripted_strategies(
    seed: int, *, costs: Any, matching: Any, instruments: Any, start: str | None, warmup: str
) -> None:
    """Random orders on two calendars, with a symbol that ends early."""
    run_both(
        Scripted(seed),
        market(seed),
        costs=costs,
        matching=matching,
        instruments=instruments,
        capital=30_000.0,
        max_leverage=1e9,
        start=start,
        warmup=warmup,
    )


@pytest.mark.parametrize("seed", range(5))
def test_closes_alone_and_fills_at_the_close(seed: int) -> None:
    run_both(Scripted(seed), market(seed, closes_only=True), costs=COSTS[1], max_leverage=1e9)
    run_both(Scripted(seed), market(seed), fill_at="close", max_leverage=1e9)


@pytest.mark.parametrize(
    ("strategy", "arguments"),
    [
        (nt.Pairs("KO", "PEP"), {"costs": FEES}),
        (nt.Pairs("KO", "PEP", gross="50%"), {"start": "2020-01-02"}),
        (nt.Pairs("KO", "PEP"), {"start": "2019-01-02", "warmup": "inside"}),
        (nt.SmaCross("KO", gross="90%"), {"costs": FEES}),
        (nt.SmaCross("PEP"), {"costs": nt.Costs(fee_minimum=1, fee_tiers=((0, 10), (20_000, 2)))}),
        (nt.library.EmaCross(), {"costs": FEES}),
        (nt.library.BollingerReversion(), {"start": "2019-06-03"}),
        (nt.library.PairsBook([("KO", "PEP")]), {"costs": FEES}),
        (nt.library.Rebalance(), {}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_real_closes(strategy: Any, arguments: dict[str, Any]) -> None:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], start="2018-01-01")
    assert run_both(strategy, bars, **arguments).fill_count > 0


@pytest.mark.parametrize(
    "strategy",
    [nt.library.DonchianBreakout(), nt.library.TimeSeriesMomentum(), nt.SmaCross("IBM")],
    ids=lambda value: type(value).__name__,
)
def test_real_bars_with_opens_and_volume(strategy: Any) -> None:
    assert run_both(strategy, nt.load("us-ohlcv", start="2008-01-01"), costs=FEES).fill_count > 0


def test_a_pair_across_two_calendars() -> None:
    run_both(nt.Pairs("A", "C", lookback=5, entry=0.5, exit=0.1), market(1), max_leverage=1e9)


class Reckless(nt.Strategy):
    """Is short of far more than it has."""

    symbols: tuple[str, ...] = ("B", "A")

    def on_bar(self, ctx: Any) -> None:
        ctx.target_weight("A", -40.0)


def test_ruin_ends_both_at_the_same_bar() -> None:
    bars = market(5)
    back = nt.backtest(Reckless(), bars, max_leverage=1e9)
    paper = trading.run(Reckless(), feeds.Replay(bars, speed=0), max_leverage=1e9)
    assert back.outcome.is_ruined
    assert paper.outcome.is_ruined
    assert paper.equity.tolist() == back.equity.tolist()
    assert paper.outcome.fills.tolist() == back.outcome.fills.tolist()
    assert str(paper.metrics) == str(back.metrics)
    # What came after the ruin was never read.
    assert len(paper.bars) == paper.window.first + len(paper.equity)


def test_a_symbol_that_never_came_is_left_out_and_told() -> None:
    """Ruin comes before the first bar of C, which the strategy would have traded."""

    class All(Reckless):
        symbols = ("C", "B", "A")

    bars = market(5)
    paper = trading.run(All(), feeds.Replay(bars, speed=0), max_leverage=1e9)
    assert paper.symbols == ("B", "A")
    assert "no bar of C came: it is left out" in paper.notes
    back = nt.backtest(Reckless(), bars, max_leverage=1e9)
    assert paper.equity.tolist() == back.equity.tolist()
    assert paper.outcome.where.tolist() == back.outcome.where.tolist()
    assert paper.fills["symbol"].to_list() == back.fills["symbol"].to_list()


def test_the_same_at_any_speed_and_through_a_queue() -> None:
    bars = nt.load("us-ohlcv", start="2011-01-01")
    back = nt.backtest(nt.library.EmaCross(), bars, costs=FEES)
    clock = feeds.SimulatedClock()
    replay = feeds.Replay(bars, speed=3600, clock=clock, heartbeat_s=6 * 3600)
    queued = feeds.Buffered(feeds.Watched(replay, 5 * 86_400), size=3)
    assert_same(trading.run(nt.library.EmaCross(), queued, costs=FEES), back)
    span = int(back.window.ts_close_ns[-1] - back.window.ts_close_ns[0])
    assert clock.now_ns() == pytest.approx(span / 3600, abs=1)
