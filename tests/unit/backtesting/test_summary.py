"""The figures of a result, against what they claim to mean."""

import math

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting import compute_buy_and_hold
from neural_trader.backtesting.round_trips import compute_round_trips
from tests.made_bars import make_bars
from tests.reported import CASES, run_case

FAST = [name for name in CASES if name != "long"]


@pytest.mark.parametrize("name", FAST)
def test_the_pnl_of_round_trips_is_their_cash_flow(name: str) -> None:
    """Found from fills and closes alone, it is what equity says."""
    run = run_case(name)
    where, (qty, reference, price, fee, _) = run.outcome.where, run.outcome.fills
    closes = run.window.close[list(run.window.rows)]
    for trip in run.trips:
        inside = (where[0] >= trip.entry_bar) & (where[0] <= trip.exit_bar)
        held = [float(qty[inside & (where[1] == leg)].sum()) for leg in range(len(closes))]
        assert any(held) == trip.is_open
        left = sum(units * closes[leg, trip.exit_bar] for leg, units in enumerate(held))
        flow = -float((qty * price + fee)[inside].sum()) + left
        assert trip.pnl == pytest.approx(flow, abs=1e-6)
        gross = -float((qty * reference)[inside].sum()) + left
        assert trip.gross_pnl == pytest.approx(gross, abs=1e-6)
        assert trip.pnl == pytest.approx(trip.gross_pnl - trip.fees - trip.slippage, abs=1e-6)
    total = math.fsum(trip.pnl for trip in run.trips)
    assert total == pytest.approx(run.final_equity - run.config.capital, abs=1e-6)


@pytest.mark.parametrize("name", FAST)
def test_round_trips_follow_each_other(name: str) -> None:
    run = run_case(name)
    bars = [bar for trip in run.trips for bar in (trip.entry_bar, trip.exit_bar)]
    assert bars == sorted(bars)
    assert not any(trip.is_open for trip in run.trips[:-1]), "only the last can be open"
    assert {trip.side for trip in run.trips} <= {-1, 1}


@pytest.mark.parametrize(
    "strategy", [nt.Pairs("JNJ", "PFE"), nt.SmaCross("KO"), nt.Pairs("HD", "LLY")]
)
def test_at_the_break_even_cost_nothing_is_left(strategy: nt.Pairs | nt.SmaCross) -> None:
    bars = nt.load("sp500-closes", end="2007-12-31")
    free = nt.backtest(strategy, bars)
    bps = free.metrics["break_even_cost_bps"]
    assert free.metrics["gross_pnl"] == free.metrics["net_pnl"]
    assert bps > 0.1, "a case that made money"
    charged = nt.backtest(strategy, bars, costs=nt.Costs(fee_bps=bps))
    assert charged.fill_count == free.fill_count
    assert charged.metrics["net_pnl"] == pytest.approx(0.0, abs=1e-6)
    slipped = nt.backtest(strategy, bars, costs=nt.Costs(slippage_bps=bps))
    assert slipped.metrics["net_pnl"] == pytest.approx(0.0, abs=1e-6)
    assert slipped.metrics["break_even_cost_bps"] == pytest.approx(bps)


@pytest.mark.parametrize("name", FAST)
def test_every_undefined_figure_has_its_reason(name: str) -> None:
    summary = run_case(name).summary
    assert {key for key, value in summary.metrics.items() if math.isnan(value)} == set(
        summary.undefined
    )
    assert all(math.isfinite(v) or math.isnan(v) for v in summary.metrics.values())
    assert all(summary.undefined.values())


def test_a_run_without_a_trade() -> None:
    summary = run_case("no trade").summary
    assert summary.metrics["net_pnl"] == summary.metrics["traded_value"] == 0.0
    assert summary.metrics["trade_count"] == summary.metrics["turnover"] == 0.0
    assert summary.undefined["break_even_cost_bps"] == "nothing was traded"
    assert summary.undefined["trade_hit_rate"] == "no closed trade"
    assert summary.undefined["sharpe"] == "returns do not vary"


def test_a_run_of_one_bar() -> None:
    summary = run_case("one bar").summary
    assert summary.undefined["turnover"] == "the run has one bar"
    assert summary.undefined["cagr"] == "fewer than two returns"


@pytest.mark.parametrize("name", FAST)
def test_trade_figures_by_their_definitions(name: str) -> None:
    run = run_case(name)
    closed = [trip.pnl for trip in run.trips if not trip.is_open]
    won, lost = [p for p in closed if p > 0], [-p for p in closed if p < 0]
    metrics = run.metrics
    assert metrics["trade_count"] == len(run.trips) == run.trades
    assert metrics["trade_closed"] == len(closed)
    if closed:
        assert metrics["trade_hit_rate"] == len(won) / len(closed)
        assert metrics["trade_expectancy"] == pytest.approx(math.fsum(closed) / len(closed))
    if won and lost:
        assert metrics["trade_profit_factor"] == pytest.approx(math.fsum(won) / math.fsum(lost))
        payoff = (math.fsum(won) / len(won)) / (math.fsum(lost) / len(lost))
        assert metrics["trade_payoff"] == pytest.approx(payoff)


def test_buy_and_hold_splits_capital_evenly() -> None:
    bars = make_bars({"A": [1.0, 2, 4, 5], "B": [9.0, 10, 5, 20]})
    run = nt.backtest(nt.Pairs("A", "B", lookback=3), bars, start="2024-01-02", capital=1_000)
    line = compute_buy_and_hold(run.window, 3, 1_000)
    assert line.tolist() == pytest.approx([1_000, 500 * 2 + 250, 500 * 2.5 + 1_000])
    assert run.metrics["buy_and_hold_return"] == pytest.approx(1.25)


def test_fills_are_cut_where_all_legs_are_flat() -> None:
    # +2 and -3 from bar 1 to bar 3; -1 of the first leg from bar 4 on, still held at bar 5.
    where = np.array([[1, 1, 3, 3, 4], [0, 1, 0, 1, 0]])
    fills = np.array(
        [
            [2.0, -3.0, -2.0, 3.0, -1.0],
            [10.0, 5.0, 11.0, 5.0, 6.0],
            [10.5, 5.0, 11.0, 5.5, 6.0],
            [0.1, 0.2, 0.3, 0.4, 0.5],
            [0.0, 0.0, 0.0, 0.0, 0.0],
        ]
    )
    equity = np.array([100.0, 98.0, 99.0, 97.5, 97.0, 95.0])
    closed, still = compute_round_trips(where, fills, 2, first=0, equity=equity)
    assert closed[:5] == (1, 3, False, 1, (2.0, -3.0))
    # Slippage 2 x 0.5 and 3 x 0.5, fees 1; equity fell by 2.5, of which 2 on the bar of entry.
    assert closed[5:] == pytest.approx((-2.5 + 1.0 + 2.5, 1.0, 2.5, -2.5, -2.0))
    assert still[:5] == (4, 5, True, -1, (-1.0, 0.0))
    assert still[5:] == pytest.approx((-2.5 + 0.5, 0.5, 0.0, -2.5, -0.5))


def test_no_fills_no_round_trips() -> None:
    nothing = np.empty((2, 0), dtype=np.int64)
    assert compute_round_trips(nothing, np.empty((5, 0)), 2, first=0, equity=np.ones(3)) == []


def test_the_notes_say_what_a_reader_must_know() -> None:
    survivors = run_case("pairs").notes
    assert any(note.startswith("survivors:") for note in survivors)
    assert any(note.startswith("research prices") for note in survivors)
    assert any("(the data have closes only)" in note for note in survivors)
    assert any("position is open at the end" in n for n in run_case("pairs, open at the end").notes)
    assert any("the run ended on" in note for note in run_case("ruined").notes)
    assert any("at the open of bar t + 1" in note for note in run_case("at opens").notes)
    assert any("no decision was possible" in note for note in run_case("no trade").notes)


def test_peak_leverage_is_that_of_the_worst_close() -> None:
    run = run_case("pairs")
    held = np.zeros((2, len(run.equity)))
    for bar, leg, units in zip(*run.outcome.where.tolist(), run.outcome.fills[0], strict=True):
        held[leg, bar:] += units
    gross = np.abs(held * run.window.close[list(run.window.rows)]).sum(axis=0)
    assert run.metrics["peak_leverage"] == pytest.approx(float((gross / run.equity).max()))
    assert run.metrics["time_in_market"] == pytest.approx(float((gross > 0).mean()))
