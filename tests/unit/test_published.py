"""The figures that the project publishes, by each of the ways in which a user may ask for them."""

import pytest

import neural_trader as nt

Figures = tuple[int, int, float]

COSTS = nt.Costs(fee_bps=5, slippage_bps=5)
PAIR = nt.Pairs("KO", "PEP", lookback=60, entry=2.0, exit=0.5, gross=20_000)
CROSS = nt.SmaCross("KO", fast=20, slow=50, gross=20_000)
# Trades, fills and final equity of 2021 alone and of all bars.
PUBLISHED: dict[str, tuple[nt.Pairs | nt.SmaCross, Figures, Figures]] = {
    "pairs": (PAIR, (2, 8, 99_486.6097), (105, 420, 94_125.7814)),
    "sma-cross": (CROSS, (3, 5, 102_130.9316), (101, 201, 126_637.3307)),
}


def figures(result: nt.Result) -> Figures:
    return result.trades, result.fill_count, round(result.final_equity, 4)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_all_bars(kind: str) -> None:
    strategy, _, known = PUBLISHED[kind]
    assert figures(nt.backtest(strategy, nt.load("sp500-closes"), costs=COSTS)) == known


@pytest.mark.parametrize("kind", PUBLISHED)
def test_one_year_with_the_warm_up_inside(kind: str) -> None:
    strategy, known, _ = PUBLISHED[kind]
    bars = nt.load("sp500-closes")
    result = nt.backtest(
        strategy, bars, costs=COSTS, start="2021-01-01", end="2021-12-31", warmup="inside"
    )
    assert figures(result) == known


@pytest.mark.parametrize("kind", PUBLISHED)
def test_one_year_is_all_that_was_loaded(kind: str) -> None:
    strategy, known, _ = PUBLISHED[kind]
    symbols = list(strategy.symbols)
    bars = nt.load("sp500-closes", symbols=symbols, start="2021-01-01", end="2021-12-31")
    assert figures(nt.backtest(strategy, bars, costs=COSTS)) == known
