"""Whole event runs and frames: the compiled loop equals the plain-Python walk, field by field."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import neural_trader as nt
from neural_trader.backtesting.reference_events import run_events
from neural_trader.backtesting.window import Range
from neural_trader.core import Bars, Block
from neural_trader.core.orders import TIMES_IN_FORCE
from neural_trader.core.sessions import DAY_NS, session_date

WAYS = ("qty", "target_qty", "target_notional", "target_weight")
COSTS = [
    nt.Costs(),
    nt.Costs(fee_bps=5, slippage_bps=5),
    nt.Costs(fee_per_share=0.01, fee_minimum=1, half_spread=0.02),
    nt.Costs(fee_tiers=((0, 10), (20_000, 2)), slippage_bps=3),
]
MATCHINGS = [nt.Matching(), nt.Matching(limit_fills="touch"), nt.Matching(volume_share=0.2)]
INSTRUMENTS = [None, nt.Instrument(tick_size=0.05, lot_size=5), nt.Instrument(lot_size=0.01)]


class Scripted(nt.Strategy):
    """Plays random actions, the same for every engine that shows it the same bars."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_start(self, ctx: Any) -> None:
        self.draw = np.random.default_rng(self.seed)
        self.seen: list[Any] = []
        self.orders: list[Any] = []

    def look(self, ctx: Any) -> None:
        self.seen.append((ctx.ts_close_ns, ctx.cash, ctx.equity, ctx.positions))
        self.seen.append([(o.id, o.status, o.filled_qty, o.limit, o.stop) for o in ctx.open_orders])
        for symbol in ctx.symbols:
            bars = ctx.bars(symbol)
            self.seen.append((ctx.has_bar(symbol), len(bars.close), bars.close[-3:].tolist()))
            self.seen.append(bars.high[-2:].tolist() if bars.high is not None else None)

    def on_bar(self, ctx: Any) -> None:
        self.look(ctx)
        for _ in range(self.draw.integers(0, 3)):
            self.act(ctx)

    def act(self, ctx: Any) -> None:
        draw = self.draw
        symbol = ctx.symbols[draw.integers(len(ctx.symbols))]
        price = ctx.close(symbol)
        lot = ctx.instruments[0].lot_size
        qty = float(draw.integers(1, 30)) * lot * (1 if draw.integers(2) else -1)
        near = {
            name: float(price * draw.uniform(0.97, 1.03)) if draw.integers(2) else None
            for name in ("limit", "stop")
        }
        action = draw.integers(6)
        if action == 0 and self.orders:
            ctx.cancel(self.orders[draw.integers(len(self.orders))])
        elif action == 1 and self.orders:
            order = self.orders[draw.integers(len(self.orders))]
            ctx.replace(
                order,
                qty=order.filled_qty + math.copysign(lot * 7, order.qty),
                limit=99.0 if order.limit is not None else None,
            )
        elif action == 2:
            ctx.target_weight(symbol, float(draw.uniform(-0.5, 0.8)))
        elif action == 3:
            ctx.target_notional(symbol, float(draw.uniform(-2e4, 3e4)))
        elif action == 4:
            ctx.target_qty(symbol, qty)
        elif not math.isnan(price):
            tif = TIMES_IN_FORCE[draw.integers(4)]
            self.orders.append(ctx.order(symbol, qty, **near, tif=tif))

    def on_fill(self, ctx: Any, fill: Any) -> None:
        self.seen.append(tuple(fill))
        self.look(ctx)
        if self.draw.integers(4) == 0:
            self.act(ctx)

    def on_stop(self, ctx: Any) -> None:
        self.seen.append(ctx.order(ctx.symbols[0], 5).reason)


def market(seed: int, *, closes_only: bool = False) -> Bars:
    """Make two calendars: two symbols a day with a gap, and one that starts late and ends early."""
    draw = np.random.default_rng(seed)

    def block(symbols: tuple[str, ...], days: np.ndarray) -> Block:
        shape = (len(symbols), len(days))
        close = 100.0 * np.exp(np.cumsum(draw.normal(0, 0.02, shape), axis=1))
        open_ = close * np.exp(draw.normal(0, 0.01, shape))
        wide = np.abs(draw.normal(0, 0.01, (2, *shape)))
        fields = {"close": close}
        if not closes_only:
            high, low = np.maximum(open_, close), np.minimum(open_, close)
            fields |= {"open": open_, "high": high * (1 + wide[0]), "low": low * (1 - wide[1])}
            fields["volume"] = draw.integers(0, 300, shape).astype(float)
        fields = {name: np.round(values, 2) for name, values in fields.items()}
        return Block(symbols, days * DAY_NS + DAY_NS - 1, fields)

    every = np.arange(18_000, 18_000 + 60)
    some = every[5:40][draw.random(35) < 0.7]
    return Bars((block(("A", "B"), np.delete(every, [7, 30])), block(("C",), some)), name="made")


def assert_equal(strategy: nt.Strategy, bars: Bars, **arguments: Any) -> nt.Result:
    result = nt.backtest(strategy, bars, max_leverage=1e9, **arguments)
    compiled_saw = getattr(strategy, "seen", None)
    asked = {name: arguments.get(name) for name in ("start", "end")}
    reference = run_events(
        strategy,
        bars,
        capital=arguments.get("capital", 100_000.0),
        costs=arguments.get("costs", nt.Costs()),
        matching=arguments.get("matching") or nt.Matching(),
        instruments=arguments.get("instruments"),
        asked=Range(asked["start"], asked["end"], arguments.get("warmup", "before"), None),
    )
    assert getattr(strategy, "seen", None) == compiled_saw
    assert result.equity.tolist() == reference.equity
    fills = result.outcome
    told = [tuple(row) for row in zip(*fills.where.tolist(), *fills.fills.tolist(), strict=True)]
    assert told == [tuple(fill) for fill in reference.fills]
    assert result.skipped == reference.counts
    assert result.outcome.is_ruined == reference.is_ruined
    assert result.outcome.peak_leverage == reference.peak_leverage
    assert result.outcome.peak_bar == reference.peak_bar
    return result


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    costs=st.sampled_from(COSTS),
    matching=st.sampled_from(MATCHINGS),
    instruments=st.sampled_from(INSTRUMENTS),
    warm=st.booleans(),
)
def test_scripted_strategies(
    seed: int, costs: nt.Costs, matching: nt.Matching, instruments: Any, warm: bool
) -> None:
    arguments: dict[str, Any] = {"start": "2019-05-01"} if warm else {}
    assert_equal(
        Scripted(seed),
        market(seed),
        costs=costs,
        matching=matching,
        instruments=instruments,
        capital=30_000.0,
        **arguments,
    )


@pytest.mark.parametrize("seed", range(10))
def test_closes_alone(seed: int) -> None:
    assert_equal(Scripted(seed), market(seed, closes_only=True), costs=COSTS[1])


def test_ruin_ends_a_run() -> None:
    class Reckless(nt.Strategy):
        def on_bar(self, ctx: Any) -> None:
            ctx.target_weight("A", -40.0)

    result = assert_equal(Reckless(), market(5))
    assert result.outcome.is_ruined
    assert len(result.equity) < 60


class Played(nt.Strategy):
    """Makes the intents of a frame by hand, row by row."""

    def __init__(self, rows: list[dict[str, Any]], symbols: tuple[str, ...]) -> None:
        self.rows = rows
        self.symbols = symbols

    def on_bar(self, ctx: Any) -> None:
        for row in self.rows:
            if row["date"] == ctx.date:
                if "qty" in row:
                    terms = {name: row.get(name) for name in ("limit", "stop")}
                    ctx.order(row["symbol"], row["qty"], **terms, tif=row.get("tif") or "GTC")
                else:
                    way = next(name for name in WAYS if name in row)
                    getattr(ctx, way)(row["symbol"], row[way])


@settings(max_examples=80, deadline=None)
@example(seed=681274, way="qty", costs=COSTS[0], matching=MATCHINGS[0])
@given(
    seed=st.integers(0, 2**32),
    way=st.sampled_from(WAYS),
    costs=st.sampled_from(COSTS),
    matching=st.sampled_from(MATCHINGS),
)
def test_a_frame_of_intents_is_the_strategy_that_plays_it(
    seed: int, way: str, costs: nt.Costs, matching: nt.Matching
) -> None:
    bars = market(seed)
    draw = np.random.default_rng(seed)
    days = np.unique(np.concatenate([block.ts_close_ns for block in bars.blocks]))
    scale = {"qty": 20, "target_qty": 40, "target_notional": 9_000, "target_weight": 0.5}[way]
    rows: list[dict[str, Any]] = []
    for place, stamp in enumerate(np.sort(draw.choice(days, 25))):
        size = float(draw.normal(0, scale))
        # Every symbol comes up, or a day on which only the missing one trades would be no slice.
        symbol = "ABC"[place if place < 3 else draw.integers(3)]
        row: dict[str, Any] = {"date": date_of(stamp), "symbol": symbol}
        row[way] = (round(size) or 1.0) if way == "qty" else size
        if way == "qty":
            row["limit"] = float(draw.uniform(90, 110)) if draw.integers(2) else None
            row["stop"] = float(draw.uniform(90, 110)) if draw.integers(2) else None
            row["tif"] = TIMES_IN_FORCE[draw.integers(4)] if draw.integers(2) else None
        rows.append(row)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    intents = nt.Intents(columns)
    arguments: dict[str, Any] = {
        "costs": costs,
        "matching": matching,
        "capital": 20_000.0,
        "max_leverage": 1e9,
    }
    framed = nt.backtest(intents, bars, **arguments)
    played = nt.backtest(Played(rows, intents.symbols), bars, **arguments)
    assert framed.equity.tolist() == played.equity.tolist()
    assert framed.outcome.where.tolist() == played.outcome.where.tolist()
    assert framed.outcome.fills.tolist() == played.outcome.fills.tolist()
    assert framed.outcome.skipped == played.outcome.skipped
    assert framed.outcome.peak_leverage == played.outcome.peak_leverage


def test_weights_are_targets_in_the_order_of_their_columns() -> None:
    bars = market(3)
    dates = ["2019-04-20", "2019-05-02", "2019-05-20"]
    weights: dict[str, list[Any]] = {"B": [0.4, None, 0.0], "A": [-0.3, 0.5, 0.2]}
    framed = nt.backtest(nt.TargetWeights({"date": dates} | weights), bars)
    rows = [
        {"date": date, "symbol": symbol, "target_weight": weights[symbol][row]}
        for row, date in enumerate(dates)
        for symbol in ("B", "A")
        if weights[symbol][row] is not None
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    same = nt.backtest(nt.Intents(columns), bars)
    assert framed.equity.tolist() == same.equity.tolist()
    assert framed.fill_count == 5


def date_of(stamp: int) -> Any:
    return session_date(int(stamp))
