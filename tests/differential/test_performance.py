"""The compiled pass over returns is held to plain Python: the same bits, on whatever comes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader._kernels import performance as kernel
from neural_trader._kernels import relative
from neural_trader.portfolio import METRICS, measure
from neural_trader.portfolio.reference import NAMES, Terms
from neural_trader.portfolio.reference import measure as by_the_law
from tests.interpreted import load_interpreted, with_memoryviews

RETURNS = st.one_of(
    st.floats(-0.2, 0.2),
    st.sampled_from([0.0, 0.01, -0.01, 0.01, -0.5, 1.0, -1.0, 1e-15]),
)


def same(found: dict[str, float], wanted: dict[str, float]) -> None:
    differ = {
        name: (found[name], wanted[name])
        for name in wanted
        if found[name] != wanted[name]
        and not (math.isnan(found[name]) and math.isnan(wanted[name]))
    }
    assert differ == {}


def law(x: Any, terms: Terms, benchmark: Any = None) -> dict[str, float]:
    b = None if benchmark is None else [float(v) for v in benchmark]
    return by_the_law([float(v) for v in x], terms, b)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_the_kernel_is_the_law(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 60))
    x = np.array(data.draw(st.lists(RETURNS, min_size=n, max_size=n)))
    b = np.array(data.draw(st.lists(RETURNS, min_size=n, max_size=n)))
    periods = data.draw(st.sampled_from([252, 12, 4, 1]))
    terms = Terms(
        periods,
        n / periods,
        data.draw(st.sampled_from([0.0, 0.03, -0.01])),
        data.draw(st.sampled_from([0.0, 0.005])),
        data.draw(st.sampled_from([0.95, 0.99, 0.5, 0.9])),
    )
    found = measure(
        x,
        benchmark=b,
        periods=periods,
        risk_free=terms.risk_free,
        mar=terms.mar,
        confidence=terms.confidence,
    )
    same(found.of("0"), law(x, terms, b))


@pytest.mark.parametrize("length", [252, 2_520])
def test_the_kernel_is_the_law_on_long_series(length: int) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_t(4, (length, 6)) * 0.01
    b = x.mean(axis=1)
    found = measure(x, benchmark=b, risk_free=0.02)
    for column in range(6):
        wanted = law(x[:, column], Terms(252, length / 252, 0.02), b)
        same(found.of(str(column)), wanted)


def test_interpreted_and_compiled_agree_to_the_bit() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(0.0, 0.02, (3, 90))
    spans = np.array([[0, 10, 5], [90, 90, 6]], np.int64)
    years = np.array([0.4, 0.3, 0.01])
    terms = np.array([252.0, 0.0, 0.0, 0.0, 0.95])
    outs = []
    interpreted = [
        with_memoryviews(load_interpreted(name).measure) for name in ("performance", "relative")
    ]
    for own, against in ((kernel.measure, relative.measure), interpreted):
        out = np.zeros(3 * kernel.COLUMNS)
        own(rows.reshape(-1), spans, years, terms, np.zeros(278), out)
        against(rows.reshape(-1), spans, rows[0].copy(), terms, out)
        outs.append(out.tobytes())
    assert outs[0] == outs[1]


def test_the_kernel_refuses_what_does_not_fit() -> None:
    good = (
        np.zeros(20),
        np.array([[0, 0], [10, 10]]),
        np.ones(2),
        np.zeros(5),
        np.zeros(38),
        np.zeros(2 * kernel.COLUMNS),
    )
    kernel.measure(*good)
    for place, bad in (
        (0, np.zeros(21)),
        (1, np.zeros((2, 3), np.int64)),
        (1, np.array([[0, 0], [10, 11]])),
        (1, np.array([[0, 9], [10, 8]])),
        (3, np.zeros(4)),
        (4, np.zeros(37)),
        (5, np.zeros(10)),
    ):
        arguments: list[Any] = list(good)
        arguments[place] = bad
        with pytest.raises(ValueError, match=r"expected|must|has|lie"):
            kernel.measure(*arguments)


def test_the_kernel_of_benchmarks_refuses_what_does_not_fit() -> None:
    out = np.zeros(2 * kernel.COLUMNS)
    good = (np.zeros(20), np.array([[0, 0], [10, 10]]), np.zeros(10), np.zeros(5), out)
    relative.measure(*good)
    for place, bad in (
        (0, np.zeros(21)),
        (1, np.array([[0, 9], [10, 8]])),
        (2, np.zeros(9)),
        (3, np.zeros(4)),
        (4, np.zeros(10)),
    ):
        arguments: list[Any] = list(good)
        arguments[place] = bad
        with pytest.raises(ValueError, match=r"expected|lie"):
            relative.measure(*arguments)


def test_every_column_has_its_name() -> None:
    assert (*NAMES, "turnover") == METRICS
    assert len(NAMES) == len(set(NAMES)) == kernel.COLUMNS == relative.COLUMNS
