"""The kernel of bars from trades, compiled and interpreted, against plain Python, to the bit."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from neural_trader._kernels import trades as kernel
from neural_trader.core.bars import Floats, Ints
from neural_trader.data.aggregation.reference import plain_bars
from tests.interpreted import load_interpreted, with_memoryviews

INTERPRETED = load_interpreted("trades")
KINDS = ("time", "tick", "volume", "dollar")


@st.composite
def drawn(draw: st.DrawFn) -> tuple[Ints, Floats, Floats]:
    count = draw(st.integers(1, 60))
    steps = draw(st.lists(st.sampled_from([0, 0, 0, 1, 5]), min_size=count, max_size=count))
    prices = draw(st.lists(st.floats(0.01, 1e6, allow_nan=False), min_size=count, max_size=count))
    sizes = draw(
        st.lists(
            st.sampled_from([0.0, 1.0, 100.0, 0.1]) | st.floats(0.0, 1e4),
            min_size=count,
            max_size=count,
        )
    )
    return np.cumsum(steps, dtype=np.int64), np.array(prices), np.array(sizes)


@given(drawn(), st.sampled_from(KINDS), st.sampled_from([1.0, 2.0, 7.0, 0.3, 1e3, 1e5, 1e12]))
@settings(max_examples=200)
def test_the_kernel_is_the_reference(
    trades: tuple[Ints, Floats, Floats], kind: str, limit: float
) -> None:
    codes, prices, sizes = trades
    expected = plain_bars(kind, limit, codes.tolist(), prices=prices.tolist(), sizes=sizes.tolist())
    number = KINDS.index(kind)
    for home in (kernel, INTERPRETED):
        build, count = home.build_bars, home.count_bars
        if home is INTERPRETED:
            build, count = with_memoryviews(build), with_memoryviews(count)
        last = np.full(len(expected) + 1, -1, np.int64)
        out = np.full((5, len(expected) + 1), np.nan)
        complete = build(number, limit, codes, prices, sizes, last, out)
        assert complete == sum(each.is_complete for each in expected)
        assert complete == count(number, limit, codes, prices, sizes, last[:0], out[:, :0].copy())
        assert last[: len(expected)].tolist() == [each.last for each in expected]
        plain = np.array([each[1:6] for each in expected], np.float64).T
        assert out[:, : len(expected)].tobytes() == np.ascontiguousarray(plain).tobytes()


def test_arguments_that_do_not_fit_are_refused() -> None:
    codes, prices = np.zeros(3, np.int64), np.ones(3)
    last, out = np.empty(4, np.int64), np.empty((5, 4))
    with pytest.raises(ValueError, match="kind is 4"):
        kernel.build_bars(4, 1.0, codes, prices, prices, last, out)
    with pytest.raises(ValueError, match="size must be as long as price"):
        kernel.build_bars(1, 1.0, codes, prices, prices[:2], last, out)
    with pytest.raises(ValueError, match="codes must be as long as price"):
        kernel.count_bars(0, 1.0, codes[:2], prices, prices, last, out)
    with pytest.raises(ValueError, match="out must be 5 x more than 3"):
        kernel.build_bars(1, 1.0, codes, prices, prices, last[:3], out[:, :3].copy())
