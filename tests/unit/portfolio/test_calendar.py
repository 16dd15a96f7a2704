"""Months and years of returns."""

import math

import numpy as np
import pytest

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.core.sessions import last_ns
from neural_trader.portfolio import calendar_of_returns


def days(first: int, count: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array([last_ns(day) for day in range(first, first + count)], dtype=np.int64)


def test_months_and_years_compound_to_the_whole() -> None:
    x = np.random.default_rng(4).normal(0, 0.01, 500)
    years = calendar_of_returns(x, days(18_300, 500))
    months = [month for year in years for month in year.months if not math.isnan(month)]
    assert np.prod(1.0 + np.array(months)) == pytest.approx(np.prod(1.0 + x))
    assert math.prod(1.0 + year.total for year in years) == pytest.approx(np.prod(1.0 + x))


def test_a_monthly_return_stands_in_its_month() -> None:
    ends = np.array([last_ns(day) for day in (18_292, 18_321, 18_382)])  # Jan 31, Feb 29, Apr 30
    (year,) = calendar_of_returns(np.array([0.01, 0.02, -0.03]), ends)
    assert year.year == 2020
    assert year.months[:2] == pytest.approx([0.01, 0.02])
    assert math.isnan(year.months[2])
    assert year.months[3] == pytest.approx(-0.03)


def test_nothing_and_ends_without_returns() -> None:
    assert calendar_of_returns(np.empty(0), np.empty(0, np.int64)) == []
    x = np.array([math.nan, 0.1, math.nan])
    (year,) = calendar_of_returns(x, days(18_262, 3))
    assert year.total == pytest.approx(0.1)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="ts_close_ns has shape"):
        calendar_of_returns(np.zeros(3), days(18_262, 2))
    with pytest.raises(DataError, match="has nan at row 1"):
        calendar_of_returns(np.array([0.1, math.nan, 0.1]), days(18_262, 3))
