"""The compiled engine and the reference agree on all 190 pairs of the sample, to the bit."""

from itertools import combinations

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting.window import Range, Warmup
from tests.agreement import assert_agrees, run_both
from tests.interpreted import interpreted_kernels

BARS = nt.load("sp500-closes")
OHLCV = nt.load("us-ohlcv")
PAIRS = list(combinations(BARS.symbols, 2))
ALL = Range(None, None, "before", None)
COSTS = nt.Costs(fee_bps=5, slippage_bps=5)


def random_pairs(y: str, x: str, rng: np.random.Generator) -> nt.Pairs:
    """Draw parameters: short lookbacks, exits of 0 and below, money and shares of equity."""
    entry = float(rng.choice(np.array([0.5, 1.0, 2.0, rng.uniform(0.2, 3.5)])))
    leave = float(
        rng.choice(np.array([0.0, -entry, entry * 0.25, rng.uniform(-3.0, entry * 0.999)]))
    )
    return nt.Pairs(
        y,
        x,
        lookback=int(rng.choice(np.array([3, 4, 5, 20, 60, rng.integers(3, 200)]))),
        entry=entry,
        exit=leave,
        gross=float(rng.choice([20_000.0, 50.0, 0.3, 1.0, 5.0])),
    )


def random_range(rng: np.random.Generator) -> Range:
    """Draw a range, mostly all bars."""
    if rng.random() < 0.5:
        return ALL
    year = int(rng.integers(1990, 2020))
    warmup: Warmup = "before" if rng.random() < 0.5 else "inside"
    return Range(f"{year}-03-05", f"{year + int(rng.integers(1, 3))}-07-01", warmup, None)


@pytest.mark.parametrize(("y", "x"), PAIRS)
def test_pairs_as_published(y: str, x: str) -> None:
    result, run = run_both(nt.Pairs(y, x), BARS, ALL, costs=COSTS)
    assert_agrees(result, run)


@pytest.mark.parametrize("index", range(len(PAIRS)))
def test_pairs_with_random_parameters(index: int) -> None:
    rng = np.random.default_rng(index)
    costs = nt.Costs(fee_bps=float(rng.uniform(0, 50)), slippage_bps=float(rng.uniform(0, 50)))
    strategy, asked = random_pairs(*PAIRS[index], rng), random_range(rng)
    result, run = run_both(strategy, BARS, asked, costs=costs, capital=float(rng.uniform(5e3, 1e6)))
    assert_agrees(result, run)


@pytest.mark.parametrize("index", range(len(PAIRS)))
def test_interpreted_kernels(index: int) -> None:
    rng = np.random.default_rng(10_000 + index)
    year = int(rng.integers(1990, 2020))
    asked = Range(f"{year}-01-01", f"{year + 2}-12-31", "inside", None)
    strategy = random_pairs(*PAIRS[index], rng)
    with interpreted_kernels():
        result, run = run_both(strategy, BARS, asked, costs=COSTS)
    assert_agrees(result, run)


@pytest.mark.parametrize("symbol", BARS.symbols)
def test_sma_cross(symbol: str) -> None:
    rng = np.random.default_rng(len(symbol) + ord(symbol[0]))
    fast = int(rng.integers(1, 40))
    for strategy in (
        nt.SmaCross(symbol),
        nt.SmaCross(symbol, fast=fast, slow=fast + int(rng.integers(1, 100)), gross=0.9),
        nt.SmaCross(symbol, fast=1, slow=2, gross=60.0),
    ):
        result, run = run_both(strategy, BARS, random_range(rng), costs=COSTS)
        assert_agrees(result, run)
        with interpreted_kernels():
            result, run = run_both(strategy, BARS, ALL, costs=COSTS)
        assert_agrees(result, run)


@pytest.mark.parametrize("fill_at", ["open", "close", None])
def test_fills_at_opens(fill_at: str | None) -> None:
    asked = Range("2001-01-01", "2012-12-31", "before", fill_at)  # type: ignore[arg-type]
    for strategy in (
        nt.Pairs("AAPL", "MSFT", lookback=20, exit=0.0),
        nt.Pairs("IBM", "MSFT", lookback=40, gross=0.5),
        nt.SmaCross("AAPL", gross=0.5),
    ):
        result, run = run_both(strategy, OHLCV, asked, costs=COSTS)
        assert_agrees(result, run)
        assert result.window.fill_at == (fill_at or "open")
        assert result.fill_count > 4


def test_ruin_ends_the_run_alike() -> None:
    """At nine times equity most pairs of this sample lose everything within a few years."""
    ruined = 0
    for index in range(0, len(PAIRS), 10):
        strategy = nt.Pairs(*PAIRS[index], lookback=10, entry=1.0, exit=-1.0, gross=9.0)
        result, run = run_both(strategy, BARS, ALL, costs=COSTS)
        assert_agrees(result, run)
        ruined += run.is_ruined
    assert ruined >= 3


def test_the_cases_differ() -> None:
    """Guard of the guards: a comparison that could not fail would pass this too."""
    result, _ = run_both(nt.Pairs("KO", "PEP"), BARS, ALL, costs=COSTS)
    _, other = run_both(nt.Pairs("KO", "PEP", exit=0.3), BARS, ALL, costs=COSTS)
    with pytest.raises(AssertionError):
        assert_agrees(result, other)


@pytest.mark.parametrize(
    "costs",
    [
        nt.Costs(fee_per_share=0.01, fee_minimum=2.0, half_spread=0.02),
        nt.Costs(fee_tiers=((0, 10), (15_000, 2)), slippage_bps=3, fee_minimum=1.0),
    ],
)
@pytest.mark.parametrize("gross", [20_000, "30%"])
def test_a_cost_of_an_order_is_the_reference_s_and_changes_the_result(
    costs: nt.Costs, gross: float | str
) -> None:
    # Costs by the share are refused on prices whose shares are not those that were traded.
    raw = nt.Bars(BARS.blocks, name="raw")
    result, run = run_both(nt.Pairs("KO", "PEP", gross=gross), raw, ALL, costs=costs)
    assert_agrees(result, run)
    assert (result.outcome.fills[3] >= costs.fee_minimum).all()
    free = nt.backtest(nt.Pairs("KO", "PEP", gross=gross), BARS)
    assert result.final_equity < free.final_equity


@pytest.mark.parametrize("costs", [nt.Costs(fee_per_share=0.01), nt.Costs(half_spread=0.01)])
def test_costs_of_a_share_need_the_shares_of_the_day(costs: nt.Costs) -> None:
    with pytest.raises(nt.ConfigError, match="total-return"):
        nt.backtest(nt.Pairs("KO", "PEP"), BARS, costs=costs)
