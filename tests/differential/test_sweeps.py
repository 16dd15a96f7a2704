"""Every trial of a sweep is the backtest of its parameters, on any number of workers."""

import functools
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import Block
from tests.own_strategies import Trend

BARS = nt.load("sp500-closes", symbols=["KO", "PEP"])
COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
PAIRS = functools.partial(nt.Pairs, "KO", "PEP")
GRID: dict[str, list[Any]] = {
    "lookback": [3, 20, 61],
    "entry": [0.4, 1.0, 2.75],
    "exit": [-0.5, 0.1, 0.9],
}
PUBLISHED: dict[str, Any] = {
    "lookback": range(20, 111, 10),
    "entry": [1.25 + 0.25 * k for k in range(10)],
    "exit": [round(0.1 * k, 1) for k in range(1, 11)],
}


def assert_is_the_backtest(found: dict[str, Any], run: nt.Result) -> None:
    assert found["trades"] == run.trades
    assert found["fills"] == run.fill_count
    assert found["final_equity"] == run.final_equity
    assert found["total_return"] == run.metrics["total_return"]
    assert found["peak_leverage"] == run.outcome.peak_leverage
    # Sums over the same returns in another order.
    assert found["max_drawdown"] == pytest.approx(run.metrics["max_drawdown"], rel=1e-12, abs=1e-15)
    sharpe = run.metrics["sharpe"]
    if np.isnan(sharpe):
        assert found["sharpe"] is None
    else:
        assert found["sharpe"] == pytest.approx(sharpe, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("gross", [20_000, "35%", 2.5])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"start": "2019-06-03", "end": "2021-03-31"},
        {"start": "2020-01-02", "warmup": "inside", "capital": 5_000.0},
    ],
)
def test_a_trial_of_pairs(gross: float | str, asked: dict[str, Any]) -> None:
    rules: dict[str, Any] = {"costs": COSTS, "max_leverage": 1e9} | asked
    make = functools.partial(PAIRS, gross=gross)
    swept = nt.sweep(make, BARS, GRID, workers=1, **rules)
    for place in range(27):
        parameters = swept.parameters(place)
        if parameters["exit"] >= parameters["entry"]:
            assert any(refused.place == place for refused in swept.not_run)
            continue
        run = nt.backtest(make(**parameters), BARS, **rules)
        assert_is_the_backtest(swept.trial(place), run)
        assert swept.is_ruined[place] == run.outcome.is_ruined


@pytest.mark.parametrize("gross", [20_000, "90%", 9.5])
def test_a_trial_of_averages(gross: float | str) -> None:
    make = functools.partial(nt.SmaCross, "KO", gross=gross)
    grid = {"fast": [1, 20, 60], "slow": [50, 200, 9000]}
    swept = nt.sweep(make, BARS, grid, costs=COSTS, workers=2, max_leverage=1e9)
    for place in range(9):
        parameters = swept.parameters(place)
        if parameters["fast"] < parameters["slow"]:
            run = nt.backtest(make(**parameters), BARS, costs=COSTS, max_leverage=1e9)
            assert_is_the_backtest(swept.trial(place), run)


def test_ruin_ends_a_trial_where_it_ends_the_backtest() -> None:
    make = functools.partial(nt.SmaCross, "KO", gross=60_000_000.0)
    rules: dict[str, Any] = {"capital": 1_000_000.0, "max_leverage": 1e9, "costs": COSTS}
    swept = nt.sweep(make, BARS, {"fast": [2, 3, 5, 8]}, **rules)
    assert swept.is_ruined.any()
    for place in range(4):
        run = nt.backtest(make(**swept.parameters(place)), BARS, **rules)
        assert run.outcome.is_ruined == swept.is_ruined[place]
        assert swept.trial(place)["final_equity"] == run.final_equity
        assert swept.trial(place)["fills"] == run.fill_count
        assert swept.trial(place)["trades"] == run.trades
    assert not any(swept.is_ruined[place] for place in swept.ranking)


def test_the_published_sweep() -> None:
    swept = nt.sweep(functools.partial(PAIRS, gross=20_000), BARS, PUBLISHED, costs=COSTS)
    summary = swept.summary
    assert (summary["trials"], summary["trades"], summary["fills"]) == (1000, 96_128, 384_080)
    assert summary["mean_final_equity"] == pytest.approx(91_340.8629, abs=5e-5)
    for place in (0, 333, 999):
        run = nt.backtest(PAIRS(**swept.parameters(place)), BARS, costs=COSTS)
        assert_is_the_backtest(swept.trial(place), run)


@pytest.mark.parametrize(
    ("make", "grid", "engine"),
    [
        (PAIRS, GRID, "threads"),
        (PAIRS, {"lookback": [20, 61], "entry": [1.0]}, "processes"),
        (Trend, {"window": [1, 20, 50], "weight": [0.3, 1.0]}, "processes"),
    ],
)
def test_any_number_of_workers_finds_the_same_to_the_bit(
    make: Any, grid: dict[str, Any], engine: Any
) -> None:
    one = nt.sweep(make, BARS, grid, costs=COSTS, workers=1, engine=engine)
    three = nt.sweep(make, BARS, grid, costs=COSTS, workers=3, engine=engine)
    for name, values in one.figures.items():
        np.testing.assert_array_equal(values, three.figures[name])
    assert one.summary == three.summary
    assert one.not_run == three.not_run


def test_processes_find_what_threads_find() -> None:
    grid = {"window": [1, 20, 50]}
    turn = nt.sweep(Trend, BARS, grid, costs=COSTS, engine="threads")
    apart = nt.sweep(Trend, BARS, grid, costs=COSTS, engine="processes", workers=2)
    assert turn.summary == apart.summary
    assert [refused.place for refused in turn.not_run] == [0]
    for place in (1, 2):
        run = nt.backtest(Trend(**turn.parameters(place)), BARS, costs=COSTS)
        assert_is_the_backtest(turn.trial(place), run)


@pytest.mark.parametrize("costs", [nt.Costs(fee_per_share=0.01, fee_minimum=1), nt.Costs()])
def test_costs_of_an_order_reach_every_trial(costs: nt.Costs) -> None:
    raw = nt.Bars(BARS.blocks, name="raw")
    swept = nt.sweep(PAIRS, raw, {"lookback": [20, 60]}, costs=costs)
    for place in range(2):
        run = nt.backtest(PAIRS(**swept.parameters(place)), raw, costs=costs)
        assert_is_the_backtest(swept.trial(place), run)


@pytest.mark.parametrize("gross", [20_000, "50%"])
def test_a_trial_on_intraday_bars_has_returns_from_session_to_session(gross: float | str) -> None:
    daily = BARS.blocks[0]
    days, hours = 120, np.arange(6) * 3_600_000_000_000
    first = daily.ts_close_ns[:days, None] // 86_400_000_000_000 * 86_400_000_000_000
    stamps = (first + 50_000_000_000_000 + hours).ravel()
    fields = {"close": np.ascontiguousarray(daily.fields["close"][:, : len(stamps)])}
    bars = nt.Bars((Block(daily.symbols, stamps, fields),), name="hours")
    make = functools.partial(PAIRS, gross=gross)
    grid: dict[str, Any] = {"lookback": [5, 20, 700], "entry": [1.0, 2.0]}
    for start in (None, "1990-03-01"):
        rules: dict[str, Any] = {"costs": COSTS, "max_leverage": 1e9, "start": start}
        swept = nt.sweep(make, bars, grid, **rules)
        assert max(swept.figures["trades"]) > 5
        for place in range(6):
            run = nt.backtest(make(**swept.parameters(place)), bars, **rules)
            assert_is_the_backtest(swept.trial(place), run)
