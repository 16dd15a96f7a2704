"""Units are exact, and refuse what is not whole."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.core import ConfigError
from neural_trader.execution import Listing


def test_a_tick_of_a_lot_is_worth_what_the_sizes_say() -> None:
    assert Listing("KO").value(5_420, 100) == 542_000
    assert Listing("PEP", "0.001").value(172_345, 10) == 172_345 * 10 // 10
    assert Listing("BTC", "0.5", "0.001").value(3, 7) == 1  # 1.5 x 0.007 = 0.0105


@pytest.mark.parametrize(("ticks", "minor"), [(5, 0), (15, 2), (25, 2), (35, 4), (-15, -2)])
def test_halves_go_to_the_even_minor_unit(ticks: int, minor: int) -> None:
    assert Listing("X", "0.001").value(ticks, 1) == minor


@given(
    st.integers(1, 10**7),
    st.integers(-(10**6), 10**6),
    st.sampled_from(["0.01", "0.001", "0.0001", "0.05", "0.125"]),
)
def test_value_is_the_decimal_product_rounded_half_even(ticks: int, lots: int, tick: str) -> None:
    listing = Listing("X", tick)
    exact = ticks * Decimal(tick) * lots / Decimal("0.01")
    assert listing.value(ticks, lots) == int(exact.to_integral_value("ROUND_HALF_EVEN"))
    assert listing.worst_value(ticks, lots) == int(abs(exact).to_integral_value("ROUND_CEILING"))


@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_the_price_of_a_value_is_the_price_again(ticks: int, lots: int) -> None:
    listing = Listing("X", "0.01")
    assert listing.ticks_of(listing.value(ticks, lots), lots) == ticks


def test_text_becomes_steps_and_steps_become_text() -> None:
    listing = Listing("KO", "0.05", "0.1")
    assert listing.read_price("54.20") == 1_084
    assert listing.read_qty("-1.5") == -15
    assert listing.read_qty(+100) == 1_000
    assert (listing.price(1_084), listing.qty(-15)) == (Decimal("54.20"), Decimal("-1.5"))
    assert listing.money(12_345) == Decimal("123.45")


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("54.21", "no whole number of steps of 0.05; the nearest are 54.20 and 54.25"),
        (54.2, "is the float 54.2; give decimal text"),
        ("0", "expected a decimal above 0"),
        ("-1", "expected a decimal above 0"),
        ("abc", "expected a decimal above 0"),
        ("NaN", "expected a decimal above 0"),
    ],
)
def test_a_price_off_the_grid_is_an_error_that_helps(price: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Listing("KO", "0.05").read_price(price)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", ["0", "-0.01", "x", "inf", ""])
def test_a_size_that_makes_no_grid_is_refused(size: str) -> None:
    with pytest.raises(ConfigError, match="expected decimal text above 0"):
        Listing("KO", size)


def test_research_prices_come_in_by_one_door() -> None:
    listing = Listing("KO", "0.001")
    assert listing.nearest_ticks(12.3455) == 12_346  # 12345.5 goes to the even tick
    assert listing.nearest_minor(0.125) == 12
