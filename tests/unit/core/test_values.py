"""Session dates, costs and plain numbers."""

import datetime as dt
import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core.numbers import plain_number
from neural_trader.core.sessions import DAY_NS, first_ns, last_ns, session_date, session_day


class TestSessions:
    @pytest.mark.parametrize(
        ("value", "day"),
        [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2024-02-29", 19_782),
            (dt.date(2024, 2, 29), 19_782),
            (dt.datetime(2024, 2, 29, 23, 59), 19_782),  # noqa: DTZ001 - naive on purpose
            (dt.datetime(2024, 2, 29, 23, 59, tzinfo=dt.UTC), 19_782),
        ],
    )
    def test_a_date_is_its_day(self, value: str | dt.date, day: int) -> None:
        assert session_day(value, option="start") == day

    @pytest.mark.parametrize(
        "value", ["", "soon", "2023-02-29", "2024-2-9", "2024", "31.12.2024", 20240101, None, 1.5]
    )
    def test_what_is_no_date_is_named(self, value: Any) -> None:
        expected = f"^end is {re.escape(repr(value))}; expected a session date as YYYY-MM-DD$"
        with pytest.raises(nt.ConfigError, match=expected):
            session_day(value, option="end")

    @pytest.mark.parametrize("day", [-719_162, -1, 0, 1, 19_782, 100_000])
    def test_a_day_has_its_nanoseconds(self, day: int) -> None:
        assert last_ns(day) - first_ns(day) == DAY_NS - 1
        assert last_ns(day) + 1 == first_ns(day + 1)
        date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        assert session_date(first_ns(day)) == session_date(last_ns(day)) == date
        assert session_day(date, option="start") == day

    def test_a_numpy_stamp_has_a_date(self) -> None:
        stamp: Any = np.int64(last_ns(19_782))
        assert session_date(stamp) == dt.date(2024, 2, 29)


class TestCosts:
    def test_none_by_default(self) -> None:
        assert (nt.Costs().fee_rate, nt.Costs().slippage_rate) == (0.0, 0.0)

    def test_basis_points_are_ten_thousandths(self) -> None:
        costs = nt.Costs(fee_bps=5, slippage_bps=2.5)
        assert (costs.fee_rate, costs.slippage_rate) == (0.0005, 0.00025)

    @pytest.mark.parametrize("name", ["fee_bps", "slippage_bps"])
    @pytest.mark.parametrize(
        "value",
        [-0.001, -1, 10_000, 1e9, math.nan, math.inf, -math.inf, "5", None, True, 10**400, 1j],
    )
    def test_what_is_out_of_range_is_named(self, name: str, value: Any) -> None:
        with pytest.raises(nt.ConfigError, match=f"^{name} is {re.escape(repr(value))}; expected"):
            nt.Costs(**{name: value})

    @pytest.mark.parametrize("value", [5, np.int64(5), np.float32(5), Fraction(5), 5.0])
    def test_numbers_of_other_kinds_are_kept_in_their_plain_form(self, value: Any) -> None:
        costs = nt.Costs(fee_bps=value, slippage_bps=value)
        assert costs == nt.Costs(fee_bps=5.0, slippage_bps=5.0)
        assert type(costs.fee_bps) is type(costs.slippage_bps) is float

    def test_the_edges_are_in_range(self) -> None:
        assert nt.Costs(fee_bps=9_999.999, slippage_bps=0).fee_rate < 1.0

    def test_a_misspelt_cost_is_refused(self) -> None:
        with pytest.raises(TypeError, match="fee"):
            nt.Costs(fee=5)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), (1.5, 1.5), (np.float32(0.5), 0.5), (np.uint8(7), 7.0), (Fraction(1, 4), 0.25)],
)
def test_numbers_become_plain(value: Any, number: float) -> None:
    found = plain_number(value)
    assert type(found) is float
    assert found == number


@pytest.mark.parametrize(
    "value", ["1", True, np.True_, None, 1j, 10**400, -(10**400), [1], np.ones(1), Decimal(1)]
)
def test_what_is_no_number_is_nan(value: Any) -> None:
    assert math.isnan(plain_number(value))


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_stays(value: float) -> None:
    assert plain_number(value) == value
