"""Headline metrics against figures worked out with plain Python."""

import math
import statistics as st
from itertools import pairwise

import numpy as np
import pytest

from neural_trader.core.sessions import DAY_NS, last_ns
from neural_trader.portfolio import (
    METRICS,
    OLDER_NAMES,
    compute_calendar_returns,
    compute_drawdown,
    compute_metrics,
    compute_periods_per_year,
    measure,
)

RNG = np.random.default_rng(3)
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
EQUITY = [100.0, 102.0, 99.0, 99.0, 105.0, 103.0]


def stamps_of(days: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([last_ns(day) for day in days], dtype=np.int64)


WEEKDAYS = stamps_of([19_723, 19_724, 19_725, 19_726, 19_729, 19_730])  # 2024-01-01 and after


def test_figures_by_hand() -> None:
    found = compute_metrics(np.array(EQUITY), WEEKDAYS, capital=100.0)
    returns = [b / a - 1 for a, b in pairwise(EQUITY)]
    values = found.values
    assert values["total_return"] == pytest.approx(0.03)
    years = 7 / 365.25
    assert values["cagr"] == pytest.approx(1.03 ** (1 / years) - 1)
    assert found.conventions["periods_per_year"] == "252"
    assert values["ann_volatility"] == pytest.approx(st.stdev(returns) * math.sqrt(252))
    assert values["sharpe"] == pytest.approx(st.mean(returns) / st.stdev(returns) * math.sqrt(252))
    downside = math.sqrt(sum(min(r, 0) ** 2 for r in returns) / len(returns))
    assert values["sortino"] == pytest.approx(st.mean(returns) / downside * math.sqrt(252))
    assert values["max_drawdown"] == pytest.approx(3 / 102)
    assert values["max_drawdown_bars"] == 2
    assert values["calmar"] == pytest.approx(values["cagr"] / values["max_drawdown"])
    assert values["period_hit_rate"] == pytest.approx(2 / 5)
    assert values["period_best"] == pytest.approx(max(returns))
    assert values["period_worst"] == pytest.approx(min(returns))
    assert found.undefined == {"lo_sharpe": "the autocorrelations leave no variance"}


@pytest.mark.parametrize("days", [1, 3])
def test_the_whole_list_is_that_of_measure(days: int) -> None:
    """One source: what a backtest says is what ``measure`` says of its returns."""
    equity: Floats = 100.0 * np.multiply.accumulate(1.0 + RNG.normal(0.0004, 0.01, 400))
    equity[0] = 100.0
    held: Floats = 50.0 * np.multiply.accumulate(1.0 + RNG.normal(0.0004, 0.01, 400))
    stamps = stamps_of([days * day for day in range(400)])
    found = compute_metrics(equity, stamps, capital=100.0, risk_free=0.02, benchmark=held)
    by_itself = measure(
        equity[1:] / equity[:-1] - 1.0,
        ts_close_ns=stamps[1:],
        start_ns=int(stamps[0]),
        risk_free=0.02,
        benchmark=held[1:] / held[:-1] - 1.0,
    ).of("0")
    assert set(METRICS) - set(found.values) == {"turnover"}
    for name in set(METRICS) - {"turnover"}:
        assert found.values[name] == pytest.approx(by_itself[name], rel=1e-12, nan_ok=True), name
    for older, name in OLDER_NAMES.items():
        assert found.values[older] == found.values[name]


def test_an_account_that_lost_everything_has_its_fall_and_no_ratio() -> None:
    found = compute_metrics(np.array([100.0, 120.0, -6.0]), WEEKDAYS[:3], capital=100.0)
    assert found.values["max_drawdown"] == pytest.approx(126 / 120)
    assert found.values["total_return"] == pytest.approx(-1.06)
    assert set(found.undefined) == {name for name, v in found.values.items() if math.isnan(v)}
    assert found.undefined["sharpe"] == "equity fell to zero or below"


def test_growth_and_drawdowns_of_minutes_are_those_of_every_bar() -> None:
    equity = np.array([100.0, 80.0, 101.0, 99.0, 60.0, 104.0, 103.0, 110.0, 111.0])
    stamps = np.array(
        [(day * 24 + hour) * (DAY_NS // 24) for day in range(3) for hour in (9, 12, 20)]
    )
    found = compute_metrics(equity, stamps, capital=100.0)
    assert found.values["max_drawdown"] == pytest.approx(41 / 101)
    assert found.values["drawdown_duration"] == 2
    assert found.values["calmar"] == pytest.approx(found.values["cagr"] / (41 / 101))
    assert found.values["worst"] == pytest.approx(104 / 101 - 1)


def test_the_risk_free_rate_is_turned_into_one_a_period() -> None:
    found = compute_metrics(np.array(EQUITY), WEEKDAYS, capital=100.0, risk_free=0.05)
    returns = [b / a - 1 - (1.05 ** (1 / 252) - 1) for a, b in pairwise(EQUITY)]
    expected = st.mean(returns) / st.stdev(returns) * math.sqrt(252)
    assert found.values["sharpe"] == pytest.approx(expected)


def test_the_peak_of_a_drawdown_includes_the_capital() -> None:
    assert compute_drawdown(np.array([90.0, 95.0]), 100.0).tolist() == pytest.approx([0.1, 0.05])
    assert compute_drawdown(np.array([110.0, 99.0]), 100.0).tolist() == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize(
    ("days_apart", "periods"), [(1.45, 252), (1, 365), (7, 52), (30.4, 12), (91.3, 4), (365.25, 1)]
)
def test_periods_a_year_are_snapped(days_apart: float, periods: int) -> None:
    stamps = (np.arange(60) * days_apart * DAY_NS).astype(np.int64)
    assert compute_periods_per_year(stamps) == periods


def test_intraday_bars_are_reduced_to_sessions() -> None:
    hours = np.array([day * 24 + hour for day in range(40) for hour in (14, 16, 20)])
    stamps = (hours * DAY_NS // 24).astype(np.int64)
    equity = 100.0 + np.cumsum(np.sin(np.arange(120)))
    found = compute_metrics(equity, stamps, capital=100.0)
    daily = compute_metrics(equity[2::3], stamps[2::3], capital=100.0)
    assert found.values["sharpe"] == daily.values["sharpe"]
    assert found.conventions["periods_per_year"] == "365"
    assert "last equity of every UTC day" in found.conventions["returns"]


@pytest.mark.parametrize(
    ("equity", "name", "reason"),
    [
        ([100.0], "sharpe", "fewer than two returns"),
        ([100.0, 100.0, 100.0], "sharpe", "returns do not vary"),
        ([100.0, 101.0, 103.0], "sortino", "no return below the acceptable one"),
        ([100.0, 101.0, 103.0], "calmar", "no drawdown"),
        ([100.0, 50.0, -1.0], "cagr", "equity fell to zero or below"),
    ],
)
def test_what_is_undefined_is_nan_with_its_reason(
    equity: list[float], name: str, reason: str
) -> None:
    found = compute_metrics(np.array(equity), WEEKDAYS[: len(equity)], capital=100.0)
    assert math.isnan(found.values[name])
    assert found.undefined[name] == reason


def test_constant_growth_has_no_sharpe() -> None:
    """Equal returns differ in their last bits; other packages print a Sharpe ratio of 1e16."""
    equity = np.array([100.0 * 1.001**bar for bar in range(1, 200)])
    stamps = stamps_of(list(range(199)))
    found = compute_metrics(equity, stamps, capital=100.0)
    assert math.isnan(found.values["sharpe"])
    assert found.values["ann_volatility"] == 0.0


def test_calendar_returns_chain_to_the_total() -> None:
    days = list(range(19_723 - 40, 19_723 + 60))
    equity = 100.0 + np.cumsum(np.cos(np.arange(100)))
    years = compute_calendar_returns(equity, stamps_of(days), capital=100.0)
    assert [year.year for year in years] == [2023, 2024]
    months = [m for year in years for m in year.months if not math.isnan(m)]
    assert math.prod(1 + m for m in months) == pytest.approx(equity[-1] / 100.0)
    assert math.prod(1 + year.total for year in years) == pytest.approx(equity[-1] / 100.0)
    assert math.isnan(years[0].months[0])
