"""Rebalancing by an optimizer: from trailing windows alone, with costs, and what takes no part."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import Block
from neural_trader.portfolio.optimizers import METHODS, Views, estimate_moments, optimize
from tests.made_bars import make_bars, make_block

Rebalance = nt.library.Rebalance
SYMBOLS = ["KO", "PEP", "WMT", "XOM"]
BARS = nt.load("sp500-closes", symbols=SYMBOLS)
COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
MARKET = Views(dict.fromkeys(SYMBOLS, 1.0))


def walk(seed: int, length: int, drift: float = 0.001) -> list[float]:
    steps = np.random.default_rng(seed).normal(drift, 0.01, length)
    prices: list[float] = (50.0 * np.exp(steps.cumsum())).tolist()
    return prices


def held_by(run: nt.Result) -> dict[str, float]:
    """Return the quantities held at the end."""
    found = dict.fromkeys(run.symbols, 0.0)
    for leg, qty in zip(run.outcome.where[1].tolist(), run.outcome.fills[0].tolist(), strict=True):
        found[run.symbols[leg]] += qty
    return found


def first_fills(run: nt.Result) -> tuple[int, dict[str, float]]:
    """Return the first bar with fills, and the quantities of that bar."""
    bar = int(run.outcome.where[0].min())
    mine = run.outcome.where[0] == bar
    legs, qty = run.outcome.where[1][mine].tolist(), run.outcome.fills[0][mine].tolist()
    return bar, {run.symbols[leg]: size for leg, size in zip(legs, qty, strict=True)}


@pytest.mark.parametrize("method", METHODS)
def test_it_holds_the_weights_of_the_window_that_ends_now(method: str) -> None:
    views = {"views": MARKET} if method == "black-litterman" else {}
    rule = Rebalance(method, lookback_bars=120, covariance="oas", max_weight=0.5, **views)  # type: ignore[arg-type]
    run = nt.backtest(rule, BARS, capital=1e6, end="1991-12-31")
    bar, bought = first_fills(run)
    # 121 closes up to bar 120; the order fills at bar 121.
    assert bar == 121
    closes = np.stack([BARS[symbol].close[:121] for symbol in SYMBOLS], axis=1)
    moments = estimate_moments(
        closes[1:] / closes[:-1] - 1.0,
        series=SYMBOLS,
        covariance="oas",
        ts_close_ns=BARS["KO"].ts_close_ns[1:121],
    )
    constraints = nt.library.Rebalance("min-variance", max_weight=0.5)._options.constraints
    wanted = optimize(moments, method, constraints=constraints, **views).as_dict()  # type: ignore[arg-type]
    for leg, symbol in enumerate(SYMBOLS):
        assert bought.get(symbol, 0.0) == np.floor(wanted[symbol] * 1e6 / closes[-1, leg])


def test_it_trades_at_the_first_bar_of_a_month() -> None:
    run = nt.backtest(Rebalance("risk-parity", lookback_bars=60), BARS, end="1991-12-31")
    stamps = run.ts_close_ns[np.unique(run.outcome.where[0]) - 1]
    months = stamps.astype("datetime64[ns]").astype("datetime64[M]")
    before = run.ts_close_ns[np.unique(run.outcome.where[0]) - 2]
    assert len(set(months.tolist())) == len(months) > 15
    decided_in_a_new_month = before.astype("datetime64[ns]").astype("datetime64[M]") < months
    assert decided_in_a_new_month[1:].all()


def test_costs_are_charged_and_turnover_is_counted() -> None:
    free = nt.backtest(Rebalance("hrp", "week", 60), BARS, end="1995-12-31")
    paid = nt.backtest(Rebalance("hrp", "week", 60), BARS, end="1995-12-31", costs=COSTS)
    assert paid.metrics["fees"] > 0.0
    assert paid.final_equity < free.final_equity
    rare = nt.backtest(Rebalance("hrp", "quarter", 60), BARS, end="1995-12-31", costs=COSTS)
    assert 0.0 < rare.metrics["turnover"] < paid.metrics["turnover"]


def test_cash_where_nothing_is_expected_to_earn() -> None:
    bars = make_bars({"A": walk(1, 120, -0.01), "B": walk(2, 120, -0.01)})
    run = nt.backtest(Rebalance("max-sharpe", lookback_bars=40), bars)
    assert run.fill_count == 0
    assert run.final_equity == run.config.capital


def test_cash_again_when_prices_turn() -> None:
    up, down = walk(1, 100, 0.01), walk(2, 140, -0.02)
    turned = up + [up[-1] * price / down[0] for price in down]
    bars = make_bars({"A": turned, "B": walk(3, 240, -0.01)})
    run = nt.backtest(Rebalance("max-sharpe", "week", 40), bars)
    assert run.fill_count > 1
    assert held_by(run) == {"A": 0.0, "B": 0.0}


def test_what_does_not_move_takes_no_part() -> None:
    bars = make_bars({"A": walk(1, 100), "STILL": [10.0] * 100, "B": walk(2, 100)})
    run = nt.backtest(Rebalance("risk-parity", lookback_bars=40), bars)
    held = held_by(run)
    assert held["STILL"] == 0.0
    assert held["A"] > 0.0
    assert held["B"] > 0.0


def test_one_that_stops_moving_is_sold() -> None:
    stops = walk(1, 60) + [walk(1, 60)[-1]] * 120
    run = nt.backtest(
        Rebalance("risk-parity", "week", 40), make_bars({"A": stops, "B": walk(2, 180)})
    )
    assert first_fills(run)[1]["A"] > 0.0
    assert held_by(run)["A"] == 0.0


def mixed(*blocks: Block) -> nt.Bars:
    return nt.Bars(blocks, name="made")


def test_a_late_symbol_joins_when_it_has_bars_enough() -> None:
    late = make_block({"LATE": walk(2, 80)}, days=range(60, 140))
    bars = mixed(make_block({"A": walk(1, 140), "B": walk(3, 140)}), late)
    run = nt.backtest(Rebalance("risk-parity", "week", 40), bars)
    assert "LATE" not in first_fills(run)[1]
    bought = run.outcome.where[0][run.outcome.where[1] == run.symbols.index("LATE")]
    # 41 closes of its own at bar 100; at the first bar of a week from there on, and a bar later.
    assert 101 <= bought.min() <= 108
    assert held_by(run)["LATE"] > 0.0


def test_one_that_has_ended_is_left_alone_and_not_waited_for() -> None:
    ends = make_block({"ENDS": walk(2, 70)}, days=range(70))
    bars = mixed(make_block({"A": walk(1, 160), "B": walk(3, 160)}), ends)
    run = nt.backtest(Rebalance("risk-parity", "week", 40), bars)
    ended = run.outcome.where[0][run.outcome.where[1] == run.symbols.index("ENDS")]
    others = run.outcome.where[0][run.outcome.where[1] != run.symbols.index("ENDS")]
    assert ended.max() <= 80
    assert others.max() > 140


def test_other_calendars_are_weighed_on_their_common_bars() -> None:
    weekdays = [day for day in range(200) if day % 7 < 5]
    bars = mixed(
        make_block({"COIN": walk(1, 200)}),
        make_block({"A": walk(2, len(weekdays)), "B": walk(3, len(weekdays))}, days=weekdays),
    )
    run = nt.backtest(Rebalance("risk-parity", "month", 40), bars)
    # Never at a weekend, when two of three have no bar.
    coins = run.outcome.where[0][run.outcome.where[1] == run.symbols.index("COIN")]
    assert {symbol for symbol, qty in held_by(run).items() if qty > 0.0} == {"COIN", "A", "B"}
    assert run.metrics["peak_leverage"] < 1.1
    assert all((bar - 1) % 7 < 5 for bar in coins.tolist())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "best"}, "method is 'best'; expected one of min-variance"),
        ({"covariance": "best"}, "covariance is 'best'; expected one of sample"),
        ({"every": "year"}, "every is 'year'; expected day, week, month or quarter"),
        ({"lookback_bars": 1}, "lookback_bars is 1"),
        ({"method": "black-litterman"}, "needs views"),
        ({"views": MARKET}, "no other method takes them"),
        ({"size": "10% volatility"}, "sized in money or as a share"),
        ({"size": "10 shares"}, "sized in money or as a share"),
        ({"max_weight": float("nan")}, "max_weight is nan"),
        ({"groups": "nowhere.toml"}, "cannot read nowhere.toml"),
        ({"method": "black-litterman", "views": "nowhere.toml"}, "cannot read nowhere.toml"),
    ],
)
def test_bad_parameters_are_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(nt.ConfigError, match=said):
        Rebalance(**options)


def test_what_the_optimizer_refuses_is_told_with_the_day() -> None:
    with pytest.raises(nt.ConfigError, match=r"1990-03-\d\d, min-variance of 4 symbols: the upper"):
        nt.backtest(Rebalance(lookback_bars=50, max_weight=0.1), BARS)
    with pytest.raises(nt.DataError, match=r"of 4 symbols: .* singular"):
        nt.backtest(Rebalance(lookback_bars=3, covariance="sample"), BARS)


def test_groups_and_views_from_files(tmp_path: Path) -> None:
    groups, views = tmp_path / "groups.toml", tmp_path / "views.toml"
    groups.write_text('[groups.drinks]\nsymbols = ["KO", "PEP"]\nmax = 0.2\n')
    views.write_text("[market_weights]\nKO = 1\nPEP = 2\nWMT = 3\nXOM = 4\n")
    rule = Rebalance("min-variance", lookback_bars=60, groups=groups)
    run = nt.backtest(rule, BARS, end="1990-06-30", capital=1e6)
    closes = {symbol: float(BARS[symbol].close[120]) for symbol in SYMBOLS}
    _, bought = first_fills(run)
    value = sum(bought.get(symbol, 0.0) * closes[symbol] for symbol in ("KO", "PEP"))
    assert 0.1e6 < value < 0.25e6
    market = Rebalance("black-litterman", lookback_bars=60, views=views)
    run = nt.backtest(market, BARS, end="1990-06-30", capital=1e6)
    bar, bought = first_fills(run)
    for part, symbol in enumerate(SYMBOLS, 1):
        assert bought[symbol] * BARS[symbol].close[bar - 1] == pytest.approx(part * 1e5, rel=1e-3)


def test_a_group_waits_for_who_is_late_and_refuses_who_is_unknown(tmp_path: Path) -> None:
    groups = tmp_path / "groups.toml"
    groups.write_text('[groups.young]\nsymbols = ["LATE", "B"]\nmax = 0.3\n')
    late = make_block({"LATE": walk(2, 80)}, days=range(60, 140))
    bars = mixed(make_block({"A": walk(1, 140), "B": walk(3, 140)}), late)
    run = nt.backtest(Rebalance("min-variance", "week", 40, groups=groups), bars, capital=1e6)
    held = held_by(run)
    worth = {symbol: held[symbol] * bars[symbol].close[-1] for symbol in held}
    assert worth["LATE"] > 0.0
    assert worth["LATE"] + worth["B"] == pytest.approx(0.3 * run.final_equity, rel=0.1)
    with pytest.raises(nt.ConfigError, match="unknown symbol 'LATE' in the run, named by group"):
        nt.backtest(Rebalance(groups=groups, symbols="A,B"), bars)


def test_a_run_can_be_saved(tmp_path: Path) -> None:
    rule = Rebalance("black-litterman", lookback_bars=60, views=MARKET)
    run = nt.backtest(rule, BARS, end="1990-12-31")
    again = nt.load_result(run.save(tmp_path / "run.ntr"))
    assert again.final_equity == run.final_equity
    assert run.provenance["config"]["strategy"]
