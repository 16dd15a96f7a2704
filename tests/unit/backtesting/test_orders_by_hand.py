"""Every kind of order, worked by hand: the rules of docs/semantics.md, one small case each.

Each case runs in the compiled engine and in the plain-Python reference.
"""

from typing import Any, ClassVar

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.reference_events import run_events
from neural_trader.core import Block
from neural_trader.core.sessions import last_ns, session_day

DAY = session_day("2024-01-01", option="start")
Bar = tuple[float, float, float, float]
Found = list[tuple[int, float, float]]
START: Bar = (100, 100, 100, 100)


def make(bars: list[Bar], volume: list[float] | None = None, per_day: int = 1) -> nt.Bars:
    """Return bars of one symbol: open, high, low, close; ``per_day`` of them a session."""
    columns = np.array(bars, dtype=np.float64).T[:, None, :]
    fields = dict(zip(("open", "high", "low", "close"), columns, strict=True))
    if volume is not None:
        fields["volume"] = np.array([volume], dtype=np.float64)
    stamps = [last_ns(DAY + k // per_day) - (per_day - 1 - k % per_day) for k in range(len(bars))]
    fields = {name: np.ascontiguousarray(values) for name, values in fields.items()}
    return nt.Bars((Block(("A",), np.array(stamps, dtype=np.int64), fields),), name="made")


class Plays(nt.Strategy):
    """Does at each bar what a table says, and keeps its orders."""

    def __init__(self, table: dict[int, Any]) -> None:
        self.table = table

    def on_start(self, ctx: nt.Context) -> None:
        del ctx
        self.bar = -1
        self.orders: list[Any] = []

    def on_bar(self, ctx: nt.Context) -> None:
        self.bar += 1
        act = self.table.get(self.bar)
        if act is not None:
            act(ctx, self.orders)


def order(qty: float, **terms: Any) -> Any:
    return lambda ctx, orders: orders.append(ctx.order("A", qty, **terms))


def play(
    table: dict[int, Any], bars: nt.Bars, **rules: Any
) -> tuple[Found, list[str], dict[str, int]]:
    """Return fills (bar, quantity, price), the orders' statuses and what was counted, of both."""
    strategy = Plays(table)
    run = nt.backtest(strategy, bars, max_leverage=1e9, **rules)
    fills = [
        (int(bar), float(qty), float(price))
        for bar, qty, price in zip(
            run.outcome.where[0], run.outcome.fills[0], run.outcome.fills[2], strict=True
        )
    ]
    statuses = [each.status for each in strategy.orders]
    other = Plays(table)
    reference = run_events(other, bars, **rules)
    assert fills == [(fill.bar, fill.qty, fill.price) for fill in reference.fills]
    assert statuses == [each.status for each in other.orders]
    np.testing.assert_array_equal(run.equity, np.array(reference.equity))
    return fills, statuses, run.skipped


@pytest.mark.parametrize(
    ("qty", "terms", "bar", "price"),
    [
        # market: the open, whatever the bar does
        (10, {}, (101, 105, 95, 99), 101),
        (-10, {}, (101, 105, 95, 99), 101),
        # limit: through the open fills there; through the bar fills at the limit; a touch does not
        (10, {"limit": 98}, (97, 99, 96, 98), 97),
        (10, {"limit": 98}, (99, 99, 97, 98), 98),
        (10, {"limit": 98}, (99, 99, 98, 99), None),
        (-10, {"limit": 102}, (103, 104, 101, 102), 103),
        (-10, {"limit": 102}, (101, 103, 100, 101), 102),
        (-10, {"limit": 102}, (101, 102, 100, 101), None),
        # stop: a gap fills at the open; reached within the bar it fills at the stop
        (10, {"stop": 102}, (104, 105, 103, 104), 104),
        (10, {"stop": 102}, (101, 102, 100, 101), 102),
        (10, {"stop": 102}, (101, 101.9, 100, 101), None),
        (-10, {"stop": 98}, (96, 97, 95, 96), 96),
        (-10, {"stop": 98}, (99, 100, 98, 99), 98),
        # stop-limit: triggered within its limit it fills at the stop
        (10, {"stop": 102, "limit": 103}, (101, 104, 100, 101), 102),
        # a gap beyond the limit: the bar comes back within, and only its close can tell
        (10, {"stop": 102, "limit": 103}, (105, 106, 101, 104), 103),
        (10, {"stop": 102, "limit": 101}, (101.5, 103, 101.2, 102.5), None),
        (10, {"stop": 102, "limit": 101}, (101.5, 103, 100, 100.5), 101),
        (-10, {"stop": 98, "limit": 99}, (98.5, 99.5, 97, 98), None),
        (-10, {"stop": 98, "limit": 99}, (98.5, 100, 97, 99.5), 99),
    ],
)
def test_what_one_bar_fills(
    qty: float, terms: dict[str, float], bar: Bar, price: float | None
) -> None:
    fills, statuses, _ = play({0: order(qty, **terms)}, make([START, bar]))
    assert fills == ([] if price is None else [(1, qty, price)])
    assert statuses == ["accepted" if price is None else "filled"]


def test_a_stop_limit_slips_to_its_limit_at_worst() -> None:
    costs = nt.Costs(slippage_bps=200)
    bars = make([START, (101, 106, 100, 101)])
    fills, _, _ = play({0: order(10, stop=102, limit=103)}, bars, costs=costs)
    assert fills == [(1, 10, 103)]
    fills, _, _ = play({0: order(10, stop=102, limit=105)}, bars, costs=costs)
    assert fills == [(1, 10, 102 * 1.02)]


def test_a_stop_limit_that_did_not_fill_rests_as_a_limit_from_the_next_bar_on() -> None:
    bars = make([START, (101.5, 103, 101.2, 102.5), (102, 102, 100.5, 101.5)])
    fills, statuses, _ = play({0: order(10, stop=102, limit=101)}, bars)
    assert fills == [(2, 10, 101)]
    assert statuses == ["filled"]


@pytest.mark.parametrize(("way", "filled"), [("through", False), ("touch", True)])
def test_a_touched_limit(way: Any, filled: bool) -> None:
    rules = {"matching": nt.Matching(limit_fills=way)}
    fills, _, _ = play({0: order(10, limit=98)}, make([START, (99, 99, 98, 99)]), **rules)
    assert fills == ([(1, 10, 98)] if filled else [])


@pytest.mark.parametrize(("low", "filled"), [(97.99, True), (97.995, False)])
def test_through_is_a_tick_beyond(low: float, filled: bool) -> None:
    rules = {"instruments": nt.Instrument(tick_size=0.01)}
    bars = make([START, (99, 99, low, 99)])
    fills, _, _ = play({0: order(10, limit=98)}, bars, **rules)
    assert fills == ([(1, 10, 98)] if filled else [])


@pytest.mark.parametrize(
    ("qty", "terms", "name", "price"),
    [
        (10, {"limit": 98.07}, "limit", 98.05),
        (-10, {"limit": 101.93}, "limit", 101.95),
        (10, {"stop": 101.93}, "stop", 101.95),
        (-10, {"stop": 98.07}, "stop", 98.05),
    ],
)
def test_prices_go_onto_the_grid_away_from_the_market(
    qty: float, terms: dict[str, float], name: str, price: float
) -> None:
    strategy = Plays({0: order(qty, **terms)})
    nt.backtest(strategy, make([START, START]), instruments=nt.Instrument(tick_size=0.05))
    assert getattr(strategy.orders[0], name) == pytest.approx(price, abs=1e-12)


class TestTimeInForce:
    BARS = make([START, (99, 99, 98.5, 99), (99, 99, 97, 98), START], per_day=1)

    def test_a_day_order_ends_with_the_session_that_could_fill_it(self) -> None:
        fills, statuses, _ = play({0: order(10, limit=98, tif="DAY")}, self.BARS)
        assert (fills, statuses) == ([], ["expired"])

    def test_a_day_order_works_all_bars_of_its_session(self) -> None:
        bars = make([START, START, (99, 99, 98.5, 99), (99, 99, 97, 98)], per_day=2)
        # Made at the last bar of a day, it works the two bars of the next.
        fills, statuses, _ = play({1: order(10, limit=98, tif="DAY")}, bars)
        assert (fills, statuses) == ([(3, 10, 98)], ["filled"])

    def test_gtc_works_on(self) -> None:
        fills, statuses, _ = play({0: order(10, limit=98)}, self.BARS)
        assert (fills, statuses) == ([(2, 10, 98)], ["filled"])

    @pytest.mark.parametrize("tif", ["IOC", "FOK"])
    def test_at_the_next_open_or_not_at_all(self, tif: str) -> None:
        bars = make([START, (99, 99, 97, 98), (97, 97, 96, 97)])
        fills, statuses, _ = play({0: order(10, limit=98, tif=tif)}, bars)
        assert (fills, statuses) == ([], ["canceled"])
        fills, statuses, _ = play({1: order(10, limit=98, tif=tif)}, bars)
        assert (fills, statuses) == ([(2, 10, 97)], ["filled"])


class TestVolume:
    RULES: ClassVar[dict[str, Any]] = {"matching": nt.Matching(volume_share=0.1)}
    BARS = make([START] * 4, volume=[1000, 100, 55, 1000])

    def test_the_rest_waits_in_whole_lots(self) -> None:
        fills, statuses, _ = play({0: order(17)}, self.BARS, **self.RULES)
        assert fills == [(1, 10, 100), (2, 5, 100), (3, 2, 100)]
        assert statuses == ["filled"]

    def test_ioc_takes_what_there_is_and_fok_nothing_less_than_all(self) -> None:
        fills, statuses, _ = play({0: order(17, tif="IOC")}, self.BARS, **self.RULES)
        assert (fills, statuses) == ([(1, 10, 100)], ["canceled"])
        fills, statuses, _ = play({0: order(17, tif="FOK")}, self.BARS, **self.RULES)
        assert (fills, statuses) == ([], ["canceled"])
        fills, statuses, _ = play({0: order(10, tif="FOK")}, self.BARS, **self.RULES)
        assert (fills, statuses) == ([(1, 10, 100)], ["filled"])

    def test_all_orders_of_a_symbol_share_it_in_their_order(self) -> None:
        both = {0: lambda ctx, orders: orders.extend([ctx.order("A", 7), ctx.order("A", 7)])}
        fills, statuses, _ = play(both, self.BARS, **self.RULES)
        assert fills == [(1, 7, 100), (1, 3, 100), (2, 4, 100)]
        assert statuses == ["filled", "filled"]

    def test_a_minimum_is_that_of_the_order_not_of_its_parts(self) -> None:
        costs = nt.Costs(fee_per_share=0.5, fee_minimum=6)
        run = nt.backtest(Plays({0: order(17)}), self.BARS, costs=costs, **self.RULES)
        # 10 shares owe 5, so the minimum; 15 owe 7.5, 17 owe 8.5: each pays what goes beyond.
        assert run.outcome.fills[3].tolist() == [6.0, 1.5, 1.0]


class TestChanges:
    BARS = make([START, (99, 99, 98.5, 99), (99, 99, 97, 98), (98, 98, 95, 96)])

    def test_a_canceled_order_never_fills(self) -> None:
        table = {0: order(10, limit=98), 1: lambda ctx, orders: ctx.cancel(orders[0])}
        fills, statuses, _ = play(table, self.BARS)
        assert (fills, statuses) == ([], ["canceled"])

    def test_a_cancel_that_comes_too_late_says_so(self) -> None:
        said: list[bool] = []
        table = {0: order(10), 1: lambda ctx, orders: said.append(ctx.cancel(orders[0]))}
        _, statuses, _ = play(table, self.BARS)
        assert (statuses, said) == (["filled"], [False, False])

    def test_new_terms_work_from_the_next_bar_on(self) -> None:
        table = {
            0: order(10, limit=98),
            1: lambda ctx, orders: ctx.replace(orders[0], qty=25, limit=96),
        }
        fills, statuses, _ = play(table, self.BARS)
        assert (fills, statuses) == ([(3, 25, 96)], ["filled"])

    def test_a_target_cancels_what_an_earlier_one_left_open(self) -> None:
        rules: dict[str, Any] = {"matching": nt.Matching(volume_share=0.1)}
        bars = make([START] * 4, volume=[100, 100, 100, 100])
        table = {
            0: lambda ctx, orders: orders.append(ctx.target_qty("A", 50)),
            1: lambda ctx, orders: orders.append(ctx.target_qty("A", 12)),
        }
        fills, statuses, _ = play(table, bars, **rules)
        assert fills == [(1, 10, 100), (2, 2, 100)]
        assert statuses == ["canceled", "filled"]

    def test_a_stop_and_a_limit_in_one_bar_are_counted_and_the_stop_comes_first(self) -> None:
        table = {
            0: lambda ctx, orders: orders.extend(
                [ctx.order("A", -10, limit=103), ctx.order("A", -10, stop=97)]
            )
        }
        fills, _, counted = play(table, make([START, (100, 105, 95, 100)]))
        assert fills == [(1, -10, 97), (1, -10, 103)]
        assert counted["ambiguous_bars"] == 1


def test_fees_by_tier_of_the_month() -> None:
    tiers = ((0, 100), (1_000, 10))
    table = {k: order(10) for k in range(40)}
    run = nt.backtest(Plays(table), make([START] * 41), costs=nt.Costs(fee_tiers=tiers))
    fees = run.outcome.fills[3]
    # A fill is charged before it counts: the first of a month at 1 %, then at 0.1 %.
    months = run.window.ts_close_ns[run.outcome.where[0]].astype("datetime64[ns]")
    firsts = np.diff(months.astype("datetime64[M]").astype(int), prepend=-1) != 0
    np.testing.assert_allclose(fees, np.where(firsts, 10.0, 1.0))
    assert firsts.sum() == 2


def test_a_half_spread_is_money_a_share_and_spares_limits() -> None:
    costs = nt.Costs(half_spread=0.25)
    bars = make([START, (99, 99, 97, 98), START])
    table = {0: order(10, limit=98), 1: order(-10)}
    fills, _, _ = play(table, bars, costs=costs)
    assert fills == [(1, 10, 98), (2, -10, 99.75)]


@pytest.mark.parametrize(
    ("make_it", "told"),
    [
        (lambda: nt.Costs(fee_bps=-1), "fee_bps"),
        (lambda: nt.Costs(fee_bps=5, fee_tiers=((0, 1),)), "same cost"),
        (lambda: nt.Costs(slippage_bps=5, half_spread=0.1), "same cost"),
        (lambda: nt.Costs(fee_tiers=((5, 1),)), "the first at 0"),
        (lambda: nt.Costs(fee_tiers=((0, 1), (0, 2))), "rising"),
        (lambda: nt.Costs(fee_minimum=float("nan")), "fee_minimum"),
        (lambda: nt.Matching(limit_fills="never"), "through"),  # type: ignore[arg-type]
        (lambda: nt.Matching(volume_share=0), "volume_share"),
        (lambda: nt.Matching(volume_share=1.5), "volume_share"),
        (lambda: nt.Instrument(tick_size=-0.01), "tick_size"),
        (lambda: nt.Instrument(lot_size=-1), "lot_size"),
        (lambda: nt.Intents({"date": ["2024-01-02"], "symbol": ["A"]}), "target_weight"),
        (lambda: nt.Intents({"symbol": ["A"], "qty": [1]}), "times"),
        (lambda: nt.TargetWeights({"date": ["2024-01-02"]}), "no symbol"),
        (lambda: nt.TargetWeights({"date": ["2024-01-02"] * 2, "A": [1, 0]}), "two rows"),
    ],
)
def test_rules_that_are_refused(make_it: Any, told: str) -> None:
    with pytest.raises(nt.NeuralTraderError, match=told):
        make_it()


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"symbol": "B", "qty": 1}, "unknown symbol 'B'"),
        ({"symbol": "A", "qty": 0}, "other than 0"),
        ({"symbol": "A", "qty": 0.5}, "lots of 1"),
        ({"symbol": "A", "qty": 1, "limit": -5}, "price above 0"),
        ({"symbol": "A", "qty": 1, "tif": "GTD"}, "expected one of"),
    ],
)
def test_orders_that_make_no_sense(terms: dict[str, Any], told: str) -> None:
    table = {0: lambda ctx, _: ctx.order(terms.pop("symbol"), terms.pop("qty"), **terms)}
    with pytest.raises(nt.NeuralTraderError, match=told):
        nt.backtest(Plays(table), make([START, START]))


@pytest.mark.parametrize("what", ["trailing", "bracket", "take_profit"])
def test_what_is_not_there_yet_is_an_error(what: str) -> None:
    table = {0: lambda ctx, _: ctx.order("A", 1, **{what: 1.0})}
    with pytest.raises(TypeError, match=what):
        nt.backtest(Plays(table), make([START, START]))
