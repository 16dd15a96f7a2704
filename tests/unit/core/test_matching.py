import pytest

from neural_trader.core import Costs, Matching
from neural_trader.core.matching import (
    FillRules,
    fill_at_open,
    fill_of_limit,
    fill_of_stop,
    is_through,
    is_triggered,
    slipped,
)

PLAIN = FillRules(Costs(slippage_bps=100), Matching(), 0.01)
TOUCH = FillRules(Costs(), Matching(limit_fills="touch"), 0.01)


@pytest.mark.parametrize(
    ("costs", "buying", "price"),
    [
        (Costs(), True, 50.0),
        (Costs(slippage_bps=100), True, 50.5),
        (Costs(slippage_bps=100), False, 49.5),
        (Costs(half_spread=0.25), True, 50.25),
        (Costs(half_spread=0.25), False, 49.75),
        (Costs(half_spread=60), False, 0.0),
    ],
)
def test_slippage_moves_the_price_against_the_trader(
    costs: Costs, buying: bool, price: float
) -> None:
    assert slipped(50.0, costs, buying=buying) == price


@pytest.mark.parametrize(
    ("price", "through", "touched"),
    [(49.98, True, True), (49.99, True, True), (49.995, False, True), (50.0, False, True),
     (50.01, False, False)],
)  # fmt: skip
def test_a_limit_to_buy_is_through_a_tick_below(price: float, through: bool, touched: bool) -> None:
    assert is_through(price, 50.0, PLAIN, buying=True) is through
    assert is_through(price, 50.0, TOUCH, buying=True) is touched
    assert is_through(100.0 - price, 50.0, PLAIN, buying=False) is through


def test_without_a_tick_any_amount_beyond_is_through() -> None:
    rules = FillRules(Costs(), Matching(), 0.0)
    assert is_through(49.999999, 50.0, rules, buying=True)
    assert not is_through(50.0, 50.0, rules, buying=True)


def test_a_stop_wakes_at_its_trigger_and_beyond() -> None:
    assert is_triggered(50.0, 50.0, buying=True)
    assert is_triggered(50.0, 51.0, buying=True)
    assert not is_triggered(50.0, 49.0, buying=True)
    assert is_triggered(50.0, 49.0, buying=False)


def test_the_open_fills_a_market_order_slipped_and_a_limit_as_it_is() -> None:
    assert fill_at_open(50.0, None, PLAIN, buying=True) == (50.0, 50.5)
    assert fill_at_open(50.0, 51.0, PLAIN, buying=True) == (50.0, 50.0)
    assert fill_at_open(50.0, 50.0, PLAIN, buying=True) is None


@pytest.mark.parametrize(
    ("limit", "close", "prices"),
    [
        (None, 50.0, (50.0, 50.5)),
        (51.0, 50.0, (50.0, 50.5)),
        (50.2, 50.0, (50.0, 50.2)),  # The slipped stop is worse than the limit.
        (49.0, 48.0, (49.0, 49.0)),  # The price had passed the limit, and came back to stay.
        (49.0, 49.0, None),
    ],
)
def test_a_stop_to_buy_within_the_bar(
    limit: float | None, close: float, prices: tuple[float, float] | None
) -> None:
    assert fill_of_stop(50.0, limit, close, PLAIN, buying=True) == prices


def test_a_limit_fills_at_its_price_in_a_bar_that_trades_through_it() -> None:
    assert fill_of_limit(49.0, 51.0, 49.5, PLAIN, buying=True) == (49.5, 49.5)
    assert fill_of_limit(49.5, 51.0, 49.5, PLAIN, buying=True) is None
    assert fill_of_limit(49.0, 51.0, 50.5, PLAIN, buying=False) == (50.5, 50.5)


@pytest.mark.parametrize(
    ("traded", "rate"), [(0.0, 0.001), (999.9, 0.001), (1_000.0, 0.0005), (1e9, 0.0002)]
)
def test_a_tier_counts_from_its_value_on(traded: float, rate: float) -> None:
    costs = Costs(fee_tiers=((0, 10), (1_000, 5), (5_000, 2)))
    assert costs.rate_after(traded) == rate
    assert Costs(fee_bps=5).rate_after(traded) == 0.0005
