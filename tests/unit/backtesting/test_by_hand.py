"""Small backtests whose every number was worked out by hand, from the text of the semantics."""

import datetime as dt

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import Block, Split
from neural_trader.core.sessions import last_ns, session_day

MONDAY = session_day("2024-01-01", option="start")
CLOSES = [10.0, 10.0, 11.0, 12.0, 11.0, 9.0, 8.0, 9.0]
OPENS = [10.0, 10.5, 10.5, 11.5, 12.5, 10.0, 8.5, 8.0]


def bars_of(closes: list[float], opens: list[float] | None = None, **more: object) -> nt.Bars:
    stamps = np.array([last_ns(MONDAY + day) for day in range(len(closes))], dtype=np.int64)
    fields = {"close": np.array([closes])}
    if opens is not None:
        fields["open"] = np.array([opens])
    return nt.Bars((Block(("A",), stamps, fields),), name="made", **more)  # type: ignore[arg-type]


# fast 1, slow 2: long while the close is above the mean of the last two, so above the one before.
# Closes 10 10 11 12 11 9 8 9: first above at bar 2, no longer at bar 4, above again at bar 7.
CROSS = nt.SmaCross("A", fast=1, slow=2, gross=1_000.0)


def test_next_close_with_costs() -> None:
    run = nt.backtest(
        CROSS, bars_of(CLOSES), capital=10_000, costs=nt.Costs(fee_bps=100, slippage_bps=50)
    )
    # Bar 2: floor(1000 / 11) = 90 shares, bought at the close of bar 3: 12 * 1.005 = 12.06,
    # fee 1 % of 90 * 12.06 = 10.854; cash 10,000 - 1,085.40 - 10.854 = 8,903.746.
    # Bar 4: sold at the close of bar 5: 9 * 0.995 = 8.955, fee 8.0595; cash 9,701.6365.
    # Bar 7 is the last: its decision to buy never fills.
    assert run.outcome.where.tolist() == [[3, 5], [0, 0]]
    qty, reference, price, fee, cash = run.outcome.fills
    assert qty.tolist() == [90.0, -90.0]
    assert reference.tolist() == [12.0, 9.0]
    assert price.tolist() == pytest.approx([12.06, 8.955], rel=1e-15)
    assert fee.tolist() == pytest.approx([10.854, 8.0595], rel=1e-15)
    assert cash.tolist() == pytest.approx([8_903.746, 9_701.6365], rel=1e-15)
    assert run.equity.tolist() == pytest.approx(
        [10_000, 10_000, 10_000, 9_983.746, 9_893.746, 9_701.6365, 9_701.6365, 9_701.6365]
    )
    assert (run.trades, run.fill_count) == (1, 2)
    assert run.skipped["decided_on_the_last_bar"] == 1
    (trip,) = run.trips
    assert trip.gross_pnl == pytest.approx(90 * (9 - 12))
    assert trip.fees == pytest.approx(18.9135)
    assert trip.slippage == pytest.approx(90 * 0.06 + 90 * 0.045)
    assert trip.pnl == pytest.approx(9_701.6365 - 10_000)
    assert trip.pnl_entry == pytest.approx(9_983.746 - 10_000)


def test_next_open_where_there_are_opens() -> None:
    run = nt.backtest(CROSS, bars_of(CLOSES, OPENS), capital=10_000)
    assert run.window.fill_at == "open"
    assert run.outcome.fills[1].tolist() == [11.5, 10.0]
    # Bought at the open of bar 3, marked at its close: 90 * (12 - 11.5).
    assert run.equity[3] == 10_045.0
    closes = nt.backtest(CROSS, bars_of(CLOSES, OPENS), capital=10_000, fill_at="close")
    assert closes.outcome.fills[1].tolist() == [12.0, 9.0]


def test_asking_for_opens_that_are_not_there() -> None:
    with pytest.raises(nt.DataError, match="made has no open prices"):
        nt.backtest(CROSS, bars_of(CLOSES), fill_at="open")


def test_a_share_of_equity_is_taken_at_the_decision() -> None:
    strategy = nt.SmaCross("A", fast=1, slow=2, gross="50%")
    prices = [10.0, 10.0, 11.0, 12.0, 11.0, 9.0, 10.0, 10.0]
    run = nt.backtest(strategy, bars_of(prices), capital=1_000)
    # Bar 2: floor(500 / 11) = 45 at 12; sold at 9: equity 1,000 - 135 = 865.
    # Bar 6: floor(432.5 / 10) = 43 at 10.
    assert run.outcome.fills[0].tolist() == [45.0, -45.0, 43.0]
    assert run.final_equity == 865.0


def test_an_entry_of_no_share_is_skipped_bar_by_bar() -> None:
    run = nt.backtest(nt.SmaCross("A", fast=1, slow=2, gross=11.5), bars_of(CLOSES))
    # Above at bar 2 (11 <= 11.5: one share), and at bar 7 again.
    assert run.outcome.fills[0].tolist() == [1.0, -1.0]
    run = nt.backtest(nt.SmaCross("A", fast=1, slow=2, gross=10.5), bars_of(CLOSES))
    # Bars 2 and 3 are too dear; bar 7 is not, and is the last.
    assert run.fill_count == 0
    assert run.skipped == {"leg_of_zero_shares": 2, "decided_on_the_last_bar": 1}


@pytest.mark.parametrize(("warmup", "first_fill"), [("before", 3), ("inside", None)])
def test_warm_up_before_or_inside(warmup: str, first_fill: int | None) -> None:
    run = nt.backtest(
        CROSS,
        bars_of(CLOSES),
        start=dt.date(2024, 1, 4),
        end="2024-01-05",
        warmup=warmup,  # type: ignore[arg-type]
    )
    # The fourth is bar 3, above already: with the bars before it, it decides; alone it cannot.
    assert len(run.equity) == 2
    assert run.provenance["first_bar"] == "2024-01-04"
    assert run.provenance["last_bar"] == "2024-01-05"
    if first_fill is None:
        assert run.fill_count == 0
    else:
        assert run.window.ts_close_ns[run.outcome.where[0, 0]] == last_ns(MONDAY + 4)


def test_too_much_leverage_is_refused_and_may_be_allowed() -> None:
    strategy = nt.SmaCross("A", fast=1, slow=2, gross=2_500.0)
    # 227 shares at 12; at 11 they are worth 2,497 and the account 1,000 - 227 = 773.
    with pytest.raises(nt.RunRefused, match=r"3\.23 x equity on 2024-01-05; the limit is 2 x"):
        nt.backtest(strategy, bars_of(CLOSES), capital=1_000)
    run = nt.backtest(strategy, bars_of(CLOSES), capital=1_000, max_leverage=5)
    assert run.outcome.peak_leverage == 2_497 / 773


def test_ruin_ends_the_run() -> None:
    strategy = nt.SmaCross("A", fast=1, slow=2, gross=5_000.0)
    prices = [10.0, 10.0, 11.0, 12.0, 13.0, 9.0, 20.0, 30.0]
    run = nt.backtest(strategy, bars_of(prices), capital=1_000, max_leverage=10)
    # 454 shares at 12: at 9 the account is worth 1,000 - 454 * 3 < 0, and that is the end.
    assert run.equity.tolist() == [1_000, 1_000, 1_000, 1_000, 1_454, -362]
    assert run.outcome.is_ruined
    assert run.fill_count == 1
    assert any("the run ended on 2024-01-06" in note for note in run.notes)


def test_an_open_position_is_marked_not_closed() -> None:
    run = nt.backtest(CROSS, bars_of(CLOSES[:5]), capital=10_000)
    assert run.fill_count == 1
    assert run.final_equity == 10_000 + 90 * (11 - 12)
    assert run.trips[-1].is_open
    assert any("a position is open at the end" in note for note in run.notes)


def test_raw_prices_that_cross_a_split_are_refused() -> None:
    split = Split("A", MONDAY + 4, 2.0)
    with pytest.raises(nt.DataError, match="2-for-1 split of 2024-01-05"):
        nt.backtest(CROSS, bars_of(CLOSES, splits=(split,)))
    after = nt.backtest(
        CROSS, bars_of(CLOSES, splits=(split,)), start="2024-01-05", warmup="inside"
    )
    assert len(after.equity) == 4


def test_a_pair_by_hand() -> None:
    # y jumps at bar 4 while x moves evenly: with lookback 3 the spread is far from its mean there.
    y = [10.0, 10.2, 10.1, 10.3, 12.0, 10.4, 10.3, 10.5, 10.4, 10.6]
    x = [20.0, 20.3, 20.2, 20.5, 20.6, 20.4, 20.7, 20.6, 20.9, 20.8]
    stamps = np.array([last_ns(MONDAY + day) for day in range(len(y))], dtype=np.int64)
    bars = nt.Bars((Block(("Y", "X"), stamps, {"close": np.array([y, x])}),), name="made")
    strategy = nt.Pairs("Y", "X", lookback=3, entry=1.0, exit=0.0, gross=1_000.0)
    run = nt.backtest(strategy, bars)
    ratio, z = run.signals["hedge_ratio"], run.signals["z_score"]
    window_y, window_x = np.array(y[2:5]), np.array(x[2:5])
    assert ratio[4] == pytest.approx(np.polyfit(window_x, window_y, 1)[0], rel=1e-9)
    spread = np.array([y[t] - ratio[t] * x[t] for t in (2, 3, 4)])
    assert z[4] == pytest.approx((spread[-1] - spread.mean()) / spread.std(ddof=1), rel=1e-9)
    first = run.trips[0]
    decided = first.entry_bar - 1
    side = -1 if z[decided] > 0 else 1
    n = int(1_000 / (y[decided] + ratio[decided] * x[decided]))
    assert first.quantities == (side * n, -side * int(ratio[decided] * n + 0.5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capital": 0}, "capital is 0; expected a number above 0"),
        ({"capital": float("nan")}, "capital is nan"),
        ({"max_leverage": -1}, "max_leverage is -1"),
        ({"costs": 5}, "costs is 5; expected nt.Costs"),
        ({"warmup": "never"}, "warmup is 'never'; expected 'before' or 'inside'"),
        ({"fill_at": "noon"}, "fill_at is 'noon'; expected 'open' or 'close'"),
        ({"start": "soon"}, "start is 'soon'; expected a session date"),
        ({"start": "2024-01-05", "end": "2024-01-02"}, "is after end"),
    ],
)
def test_a_bad_argument_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(nt.ConfigError, match=message):
        nt.backtest(CROSS, bars_of(CLOSES), **arguments)  # type: ignore[arg-type]


def test_what_is_no_bars_or_no_strategy() -> None:
    with pytest.raises(nt.ConfigError, match="bars is a dict; expected Bars"):
        nt.backtest(CROSS, {"A": CLOSES})  # type: ignore[arg-type]
    with pytest.raises(nt.ConfigError, match=r"expected nt\.Pairs"):
        nt.backtest("pairs", bars_of(CLOSES))  # type: ignore[arg-type]
    with pytest.raises(nt.DataError, match="unknown symbol 'B' in made"):
        nt.backtest(nt.SmaCross("B"), bars_of(CLOSES))


def test_an_empty_range_says_what_there_is() -> None:
    with pytest.raises(nt.DataError, match="the data run from 2024-01-01 to 2024-01-08"):
        nt.backtest(CROSS, bars_of(CLOSES), start="2025-01-01")


@pytest.mark.parametrize("bars", [1, 2])
def test_a_run_of_one_or_two_bars(bars: int) -> None:
    run = nt.backtest(CROSS, bars_of(CLOSES[:bars]))
    assert run.equity.tolist() == [100_000.0] * bars
    assert run.trades == 0
    assert run.summary.undefined["sharpe"] == "fewer than two returns"
    assert len(run.fills) == len(run.round_trips) == 0


def test_an_entry_that_no_z_score_can_reach_is_noted() -> None:
    """Among three values a z-score is at most 2 / sqrt(3) = 1.155."""
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    out_of_reach = nt.backtest(nt.Pairs("KO", "PEP", lookback=3, entry=1.2), bars)
    assert out_of_reach.trades == 0
    assert any("cannot exceed 1.155, and entry is 1.2" in note for note in out_of_reach.notes)
    within = nt.backtest(nt.Pairs("KO", "PEP", lookback=3, entry=1.15), bars)
    assert within.trades > 0
    assert not any("cannot exceed" in note for note in within.notes)


def test_a_run_without_costs_says_so() -> None:
    assert any("no costs" in note for note in nt.backtest(CROSS, bars_of(CLOSES)).notes)
    paid = nt.backtest(CROSS, bars_of(CLOSES), costs=nt.Costs(fee_bps=1))
    assert not any("no costs" in note for note in paid.notes)
