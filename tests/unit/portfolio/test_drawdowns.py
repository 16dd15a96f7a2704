"""The drawdowns that are found are those that the metrics are made of."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.portfolio import Drawdown, find_drawdowns, measure

RETURN = st.one_of(st.floats(-0.3, 0.3), st.sampled_from([0.0, 0.01, -0.01, -0.9]))


def rounded(x: "np.ndarray[tuple[int], np.dtype[np.float64]]", **given: int) -> list[Drawdown]:
    return [one._replace(depth=round(one.depth, 12)) for one in find_drawdowns(x, **given)]


def test_by_hand() -> None:
    x = np.array([0.1, -0.1, 0.2, -0.05, -0.05, 0.01, 0.2, -0.01])
    deepest, second, third = rounded(x)
    assert second == Drawdown(3, 4, 6, round(1 - 0.95**2, 12), 3, 2)
    assert deepest == Drawdown(1, 1, 2, 0.1, 1, 1)
    assert third == Drawdown(7, 7, None, 0.01, 1, None)
    assert rounded(x, top=1) == [deepest]


@given(st.lists(RETURN, min_size=1, max_size=60))
@settings(deadline=None)
def test_the_metrics_are_made_of_them(returns: list[float]) -> None:
    x = np.array(returns)
    found, figures = find_drawdowns(x), measure(x).of("0")
    depths = [one.depth for one in found]
    assert depths == sorted(depths, reverse=True)
    assert figures["max_drawdown"] == max(depths, default=0.0)
    mean = sum(depths) / len(depths) if depths else 0.0
    assert figures["average_drawdown"] == pytest.approx(mean, rel=1e-12)
    assert figures["drawdown_duration"] == max((one.length for one in found), default=0)
    # Rows under water belong to one drawdown each.
    rows = [row for one in found for row in range(one.start, one.start + one.length)]
    assert len(rows) == len(set(rows))
    if found:
        recovery = found[0].recovery
        assert figures["recovery"] == pytest.approx(
            math.nan if recovery is None else recovery, nan_ok=True
        )
        for one in found:
            assert one.start <= one.trough < one.start + one.length
            assert one.end is None or (one.end == one.start + one.length)


def test_rows_are_those_of_the_series_as_it_came() -> None:
    x = np.array([math.nan, math.nan, 0.1, -0.1, 0.2, math.nan])
    assert rounded(x) == [Drawdown(3, 3, 4, 0.1, 1, 1)]


@pytest.mark.parametrize("x", [np.empty(0), np.zeros(5), np.full(5, 0.01), np.full(3, math.nan)])
def test_no_fall_no_drawdown(x: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
    assert find_drawdowns(x) == []


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="top is 0"):
        find_drawdowns(np.zeros(3), top=0)
    with pytest.raises(ConfigError, match=r"shape \(3, 2\)"):
        find_drawdowns(np.zeros((3, 2)))
    with pytest.raises(DataError, match="has nan at row 1"):
        find_drawdowns(np.array([0.1, math.nan, 0.1]))
