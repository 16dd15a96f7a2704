"""Where limits begin and end: each of these once let something pass, or held nothing back."""

from decimal import Decimal

import pytest

from neural_trader.execution import Limits, Listing
from neural_trader.execution import messages as m
from neural_trader.execution.limits import Bounds
from tests.unit.execution.desk import Desk
from tests.unit.execution.test_limits import denial, desk_with, passes

SECOND = 1_000_000_000


def hold(desk: Desk, lots: int, price: int = 5_420, symbol: str = "KO") -> None:
    """Let the account buy, or sell, and be filled."""
    order = desk.submit(symbol, lots)
    assert passes(order)
    desk.accept(order.no)
    desk.fill(order.no, desk.gateway.core.last_fill_id + 1, symbol, lots, price)


# ------------------------------------------------------------------------ less than the smallest
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("order_qty_max", "order_qty"),
        ("position_qty_max", "position"),
        ("order_notional_max", "order_notional"),
        ("gross_max", "gross_exposure"),
        ("net_max", "net_exposure"),
    ],
)
def test_a_limit_below_the_smallest_unit_lets_nothing_pass(name: str, reason: str) -> None:
    for amount in ("0.004", "1e-30"):
        desk = desk_with(**{name: amount})
        told, found, allowed = denial(desk.submit("KO", 1))
        assert (told, allowed) == (reason, 0)
        assert found > 0
    for off in (0, "0", "0.00"):
        assert passes(desk_with(**{name: off}).submit("KO", 1))


def test_the_smallest_loss_of_the_day_stops_what_does_not_reduce() -> None:
    desk = desk_with(daily_loss_max="0.004")
    hold(desk, 1)
    assert passes(desk.submit("KO", 1, limit=5_400))
    desk.say(m.Quote("KO", 5_419, 5_419, 1, 1, 0))
    assert denial(desk.submit("KO", 1)) == ("daily_loss", 1, 1)
    assert passes(desk_with(daily_loss_max=0).submit("KO", 1))


def test_a_limit_is_cut_down_to_whole_units_and_never_rounded_up() -> None:
    listings = {"XX": Listing("XX", "0.01", "0.3")}
    almost = "0." + 40 * "9"
    limits = Limits(order_qty_max=almost, position_qty_max="1e30", gross_max=almost)
    bounds = Bounds(limits, listings, 1)
    assert bounds.lots["XX"][0] == 3
    assert bounds.lots["XX"][1] == int(Decimal(1 << 62) / Decimal("0.3"))
    assert bounds.gross == 99
