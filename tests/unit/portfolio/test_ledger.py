"""A ledger in exact money: by hand, and what it refuses."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from neural_trader.core.errors import ConfigError
from neural_trader.portfolio import Ledger


def test_the_example_of_the_docs() -> None:
    ledger = Ledger("100000", unit="0.01")
    ledger.fill("KO", 100, "54.20", fee="1.00")
    ledger.fill("KO", -150, "55.00", fee="1.00")
    ledger.mark("KO", "54.00")
    line = ledger.position("KO")
    assert line.qty == -50
    assert line.average_price == Decimal("55.00")
    assert (line.cost, line.value) == (Decimal("-2750.00"), Decimal("-2700.00"))
    assert (line.realized_pnl, line.unrealized_pnl) == (Decimal("80.00"), Decimal("50.00"))
    assert line.fees == 2
    totals = ledger.totals
    assert totals.cash == Decimal("102828.00")
    assert totals.equity == Decimal("100128.00")
    assert (totals.gross_exposure, totals.net_exposure) == (Decimal(2700), Decimal(-2700))


def test_a_long_and_a_short_are_gross_together_and_net_of_each_other() -> None:
    ledger = Ledger(0)
    ledger.fill("KO", 10, 50)
    ledger.fill("PEP", -2, 180)
    assert [int(total) for total in ledger.totals[:4]] == [-140, 0, 860, 140]
    assert [line.symbol for line in ledger.positions] == ["KO", "PEP"]


def test_cents_that_do_not_divide_are_left_to_the_last_close() -> None:
    ledger = Ledger(0)
    ledger.fill("KO", 3, "0.3333")
    assert ledger.position("KO").cost == Decimal("1.00")
    costs = []
    for _ in range(3):
        ledger.fill("KO", -1, "0.40")
        costs.append(ledger.position("KO").cost)
    assert costs == [Decimal("0.67"), Decimal("0.33"), Decimal(0)]
    assert ledger.position("KO").realized_pnl == Decimal("0.20")
    assert ledger.position("KO").average_price is None


def test_halves_of_a_unit_go_to_the_even_one() -> None:
    ledger = Ledger(0)
    for price in ("0.005", "0.015", "0.025"):
        ledger.fill("KO", 1, price)
    assert ledger.totals.cash == Decimal("-0.04")


def test_a_float_is_the_decimal_that_it_is_written_as() -> None:
    ledger = Ledger(0, unit="0.0000000001")
    ledger.fill("KO", np.float64(0.1), 0.3, fee=1e-10)
    ledger.fill("KO", 0.2, 0.3)
    assert ledger.position("KO").qty == Decimal("0.3")
    assert ledger.position("KO").cost == Decimal("0.09")


def test_money_of_any_size_is_exact() -> None:
    ledger = Ledger("1e25", unit="1e-9")
    for _ in range(10):
        ledger.fill("KO", "123456789012345678", "98765.432198765")
        ledger.fill("KO", "-0.000000001", "98765.432198765")
    totals = ledger.totals
    won = Fraction(totals.realized_pnl) + Fraction(totals.unrealized_pnl)
    assert Fraction(totals.equity) == 10**25 + won


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ledger("x"), "cash is 'x'; expected a finite number"),
        (lambda: Ledger(float("nan")), "cash is nan"),
        (lambda: Ledger(True), "cash is True"),
        (lambda: Ledger("0.001"), "cash is '0.001'; expected a whole multiple of the unit, 0.01"),
        (lambda: Ledger(0, unit=0), "unit is 0; expected a decimal above 0"),
        (lambda: Ledger(0, unit="1e-99"), "unit is '1e-99'; expected at most 30 digits"),
        (lambda: Ledger(0).fill("KO", 0, 1), "qty is 0; expected a signed quantity"),
        (lambda: Ledger(0).fill("KO", float("inf"), 1), "qty is inf"),
        (lambda: Ledger(0).fill("KO", 1, -1), "price is -1; expected a price not below 0"),
        (lambda: Ledger(0).fill("KO", 1, "a"), "price is 'a'"),
        (lambda: Ledger(0).fill("KO", 1, 1, fee="1 EUR"), "fee is '1 EUR'"),
        (lambda: Ledger(0).fill("", 1, 1), "symbol is ''"),
        (lambda: Ledger(0).mark("KO", -1), "price is -1"),
        (lambda: Ledger(0).position("KO"), "no position in 'KO'; the ledger holds none"),
    ],
)
def test_what_cannot_be_booked_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()


def test_a_refused_fill_leaves_nothing_behind() -> None:
    ledger = Ledger(100)
    with pytest.raises(ConfigError):
        ledger.fill("KO", 1, 1, fee="x")
    assert ledger.symbols == ()
    assert ledger.totals.cash == 100
