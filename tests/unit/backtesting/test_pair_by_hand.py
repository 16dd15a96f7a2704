"""A pair whose hedge ratios are simple fractions, followed to the last cent.

With a lookback of 4 the first z-score is that of bar 6. Exact arithmetic on these closes gives

    bar            6        7        8        9        10       11
    hedge ratio    1/3      1/2      4/3      1        11/43
    z-score       +1.4183  -1.0541  +0.6197  -1.3786  +0.6054  +0.8856
"""

from typing import Any

import pytest

import neural_trader as nt
from tests.made_bars import make_bars

CLOSES = {
    "Y": [24.0, 19, 24, 20, 18, 22, 23, 20, 22, 18, 21, 23],
    "X": [10.0, 11, 11, 8, 11, 11, 11, 9, 8, 8, 12, 9],
}
PAIR = nt.Pairs("Y", "X", lookback=4, entry=1.2, exit=0.0, gross=810.0)


def run(**costs: Any) -> nt.Result:
    return nt.backtest(PAIR, make_bars(CLOSES), capital=10_000, costs=nt.Costs(**costs))


def test_signals() -> None:
    signals = run().signals
    known = [signals["hedge_ratio"][bar] for bar in (6, 7, 9, 10)]
    assert known == pytest.approx([1 / 3, 1 / 2, 1.0, 11 / 43], rel=1e-14)
    expected = [1.4183, -1.0541, 0.6197, -1.3786, 0.6054, 0.8856]
    assert signals["z_score"][6:].tolist() == pytest.approx(expected, abs=5e-5)


def test_fills_cash_and_equity() -> None:
    result = run(fee_bps=50, slippage_bps=100)
    # Bar 6 shorts the spread: floor(810 / (23 + 11 / 3)) = 30 of Y and 30 / 3 = 10 of X.
    # Bar 9 buys it: floor(810 / (18 + 8)) = 31 of each.
    assert result.outcome.where.tolist() == [[7, 7, 8, 8, 10, 10, 11, 11], [0, 1] * 4]
    qty, reference, price, fee, cash = (row.tolist() for row in result.outcome.fills)
    assert qty == [-30, 10, 30, -10, 31, -31, -31, 31]
    assert reference == [20, 9, 22, 8, 21, 12, 23, 9]
    assert price == pytest.approx([19.8, 9.09, 22.22, 7.92, 21.21, 11.88, 22.77, 9.09])
    assert fee == pytest.approx(
        [2.97, 0.4545, 3.333, 0.396, 3.28755, 1.8414, 3.52935, 1.40895], rel=1e-13
    )
    after = {
        1: 10_000 + 594 - 2.97 - 90.9 - 0.4545,
        3: 10_499.6755 - 666.6 - 3.333 + 79.2 - 0.396,
        5: 9_908.5465 - 657.51 - 3.28755 + 368.28 - 1.8414,
        7: 9_614.18755 + 705.87 - 3.52935 - 281.79 - 1.40895,
    }
    assert [cash[i] for i in after] == pytest.approx(list(after.values()), rel=1e-14)
    # Marked at the close: bar 7 at -30 x 20 + 10 x 9, bar 10 at 31 x 21 - 31 x 12.
    assert result.equity.tolist() == pytest.approx(
        [10_000.0] * 7 + [9_989.6755, 9_908.5465, 9_908.5465, 9_893.18755, 10_033.32925], rel=1e-14
    )
    assert (result.trades, result.fill_count) == (2, 8)
    assert result.skipped == {
        "hedge_ratio_not_positive": 0,
        "leg_of_zero_shares": 0,
        "decided_on_the_last_bar": 0,
    }
    assert result.outcome.peak_leverage == pytest.approx((31 * 21 + 31 * 12) / 9_893.18755)


def test_round_trips() -> None:
    first, second = run(fee_bps=50, slippage_bps=100).trips
    assert first[:5] == (7, 8, False, -1, (-30.0, 10.0))
    assert second[:5] == (10, 11, False, 1, (31.0, -31.0))
    # At reference prices: -30 x (22 - 20) + 10 x (8 - 9), and 31 x 2 - 31 x -3.
    assert first.gross_pnl == pytest.approx(-70.0)
    assert second.gross_pnl == pytest.approx(155.0)
    assert first.slippage == pytest.approx(0.01 * (30 * 20 + 10 * 9 + 30 * 22 + 10 * 8))
    assert first.fees == pytest.approx(2.97 + 0.4545 + 3.333 + 0.396)
    assert first.pnl == pytest.approx(9_908.5465 - 10_000)
    assert first.pnl_entry == pytest.approx(9_989.6755 - 10_000)
    assert second.pnl == pytest.approx(10_033.32925 - 9_908.5465)


def test_without_costs() -> None:
    result = run()
    assert result.outcome.fills[3].tolist() == [0.0] * 8
    assert result.outcome.fills[2].tolist() == result.outcome.fills[1].tolist()
    assert result.equity.tolist() == [10_000] * 7 + [10_000, 9_930, 9_930, 9_930, 10_085]


def test_figures() -> None:
    result = run(fee_bps=50, slippage_bps=100)
    metrics = result.metrics
    traded = 30 * 42 + 10 * 17 + 31 * 44 + 31 * 21
    assert metrics["traded_value"] == traded
    assert metrics["gross_pnl"] == pytest.approx(85.0)
    assert metrics["net_pnl"] == pytest.approx(33.32925)
    assert metrics["slippage"] == pytest.approx(0.01 * traded)
    assert metrics["fees"] == pytest.approx(17.22075)
    assert metrics["break_even_cost_bps"] == pytest.approx(85 / traded * 1e4)
    years = 11 / 365.25
    assert metrics["turnover"] == pytest.approx(traded / result.equity.mean() / years)
    assert metrics["time_in_market"] == pytest.approx(2 / 12)
    assert metrics["buy_and_hold_return"] == pytest.approx((23 / 24 + 9 / 10) / 2 - 1)
    # The first converged from +1.42 to -1.05 and lost, before and after costs.
    assert metrics["trade_converged_but_lost"] == 1.0
    assert metrics["trade_converged_but_lost_gross"] == 1.0
    won, lost = 10_033.32925 - 9_908.5465, 10_000 - 9_908.5465
    assert metrics["trade_hit_rate"] == 0.5
    assert metrics["trade_profit_factor"] == pytest.approx(won / lost)
    assert metrics["trade_payoff"] == pytest.approx(won / lost)
    assert metrics["trade_expectancy"] == pytest.approx((won - lost) / 2)
    assert metrics["trade_bars_mean"] == 1.0


def test_costs_that_turn_a_convergence_into_a_loss() -> None:
    dear = run(slippage_bps=1_000)
    # 155 of gross profit in the second round trip, less 10 % of 31 x (21 + 12 + 23 + 9) = 2,015.
    assert [trip.pnl < 0 for trip in dear.trips] == [True, True]
    assert dear.metrics["trade_converged_but_lost"] == 2.0
    assert dear.metrics["trade_converged_but_lost_gross"] == 1.0


def test_the_round_trip_table_has_signals_at_the_decisions() -> None:
    table = run().to_polars("round_trips")
    z = run().signals["z_score"]
    assert table["z_score_entry"].to_list() == [z[6], z[9]]
    assert table["z_score_exit"].to_list() == [z[7], z[10]]
    assert table["side"].to_list() == ["short", "long"]
    assert table["qty_Y"].to_list() == [-30, 31]
    assert table["qty_X"].to_list() == [10, -31]
    fills = run().to_polars("fills")
    assert fills["symbol"].to_list() == ["Y", "X"] * 4
    assert fills["side"].to_list() == ["sell", "buy", "buy", "sell", "buy", "sell", "sell", "buy"]
    assert (fills["time"] - fills["decision_time"]).dt.total_days().to_list() == [1] * 8


def test_a_decision_on_the_last_bar_never_fills() -> None:
    cut = {symbol: closes[:10] for symbol, closes in CLOSES.items()}
    result = nt.backtest(PAIR, make_bars(cut), capital=10_000)
    assert (result.trades, result.fill_count, result.final_equity) == (1, 4, 9_930.0)
    assert result.skipped["decided_on_the_last_bar"] == 2


def test_a_share_of_equity_is_that_of_the_decision_bar() -> None:
    pair = nt.Pairs("Y", "X", lookback=4, entry=1.2, exit=0.0, gross="8.1%")
    result = nt.backtest(pair, make_bars(CLOSES), capital=10_000, costs=nt.Costs(slippage_bps=500))
    # After the first round trip 10,000 - 70 - 5 % of 1,430 = 9,858.5; 8.1 % of it buys
    # floor(798.54 / 26) = 30 of each.
    assert result.equity[9] == pytest.approx(9_858.5)
    assert result.outcome.fills[0].tolist() == [-30, 10, 30, -10, 30, -30, -30, 30]
