"""The compiled pass over returns is held to plain Python: the same bits, on whatever comes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader._kernels import performance as kernel
from neural_trader._kernels import relative
from neural_trader.portfolio import COMMON, METRICS, measure
from neural_trader.portfolio.reference import NAMES, OWN, Terms
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


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_the_kernel_is_the_law_beyond_what_a_float_holds(data: st.DataObject) -> None:
    values = st.sampled_from([1e308, -1e308, 1e200, 1e-300, -5.0, -1.0, -0.02, 0.0, 0.01])
    x = data.draw(st.lists(values, min_size=1, max_size=40))
    wanted = law(x, Terms(252, len(x) / 252))
    same(measure(np.array(x)).of("0"), {name: wanted[name] for name in OWN})


@pytest.mark.parametrize("length", [252, 2_520])
def test_the_kernel_is_the_law_on_long_series(length: int) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_t(4, (length, 6)) * 0.01
    b = x.mean(axis=1)
    found = measure(x, benchmark=b, risk_free=0.02)
    for column in range(6):
        wanted = law(x[:, column], Terms(252, length / 252, 0.02), b)
        same(found.of(str(column)), wanted)


def scratch(periods: int) -> Any:
    return np.full(kernel.SCRATCH_LANES * periods + kernel.SCRATCH_MORE, np.nan)


@pytest.mark.parametrize("parts", [0, 1, 2, 4, 8, 16, 31])
def test_interpreted_and_compiled_agree_to_the_bit(parts: int) -> None:
    rng = np.random.default_rng(4)
    table = rng.normal(0.0, 0.02, (60, 9))
    table[:, 2] = 0.01
    # A group that begins and ends together, one that does not, and a last one that is not full.
    spans = np.array([[0, 0, 0, 0, 10, 5, 0, 7, 0], [60, 60, 60, 60, 60, 6, 60, 7, 60]], np.int64)
    years = np.linspace(0.01, 0.4, 9)
    terms = np.array([252.0, 0.01, 0.01 / 252, 0.001, 0.95])
    outs = []
    interpreted = [
        with_memoryviews(load_interpreted(name).measure) for name in ("performance", "relative")
    ]
    for own, against in ((kernel.measure, relative.measure), interpreted):
        out = np.zeros(9 * kernel.COLUMNS)
        own(table, spans, years, terms, parts, scratch(60), out)
        against(table, spans, table[:, 1].copy(), terms, parts, scratch(60), out)
        outs.append(out.tobytes())
    assert outs[0] == outs[1]


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_neighbors_change_nothing(data: st.DataObject) -> None:
    """Whatever stands beside a series, whenever it begins, in any layout: the same bits."""
    count, n = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 30))
    values = data.draw(st.lists(RETURNS, min_size=count * n, max_size=count * n))
    table = np.array(values).reshape(n, count)
    for column in range(count):
        table[: data.draw(st.integers(0, n)), column] = np.nan
        table[n - data.draw(st.integers(0, n)) :, column] = np.nan
    benchmark = np.array(data.draw(st.lists(RETURNS, min_size=n, max_size=n)))
    together = measure(table, benchmark=benchmark)
    by_columns = measure(np.asfortranarray(table), benchmark=benchmark)
    backwards = measure(table[:, ::-1], benchmark=benchmark)
    assert together.table.tobytes() == by_columns.table.tobytes()
    assert together.table.tobytes() == np.ascontiguousarray(backwards.table[::-1]).tobytes()
    for column in range(count):
        alone = measure(table[:, column], benchmark=benchmark)
        assert alone.table.tobytes() == together.table[column].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_alone_is_what_it_is_among_others(name: str) -> None:
    rng = np.random.default_rng(5)
    table = rng.standard_t(4, (130, 6)) * 0.01
    among = measure(table, benchmark=table.mean(axis=1))
    alone = measure(table, benchmark=table.mean(axis=1), metrics=[name])
    assert alone.metrics == (name,)
    assert alone.column(name).tobytes() == among.column(name).tobytes()
    assert alone.of("3") == {name: among.of("3")[name]}


def test_the_kernel_refuses_what_does_not_fit() -> None:
    good = (
        np.zeros((10, 2)),
        np.array([[0, 0], [10, 10]]),
        np.ones(2),
        np.zeros(5),
        31,
        scratch(10),
        np.zeros(2 * kernel.COLUMNS),
    )
    kernel.measure(*good)
    for place, bad in (
        (0, np.zeros((9, 2))),
        (0, np.zeros((10, 3))),
        (1, np.zeros((2, 3), np.int64)),
        (1, np.array([[0, 0], [10, 11]])),
        (1, np.array([[0, 9], [10, 8]])),
        (2, np.ones(3)),
        (3, np.zeros(4)),
        (5, scratch(10)[1:]),
        (6, np.zeros(10)),
    ):
        arguments: list[Any] = list(good)
        arguments[place] = bad
        with pytest.raises(ValueError, match=r"expected|must|has|lie"):
            kernel.measure(*arguments)


def test_the_kernel_of_benchmarks_refuses_what_does_not_fit() -> None:
    out, room = np.zeros(2 * kernel.COLUMNS), scratch(10)
    spans = np.array([[0, 0], [10, 10]])
    good = (np.zeros((10, 2)), spans, np.zeros(10), np.zeros(5), 31, room, out)
    relative.measure(*good)
    for place, bad in (
        (0, np.zeros((11, 2))),
        (0, np.zeros((10, 3))),
        (1, np.array([[0, 9], [10, 8]])),
        (2, np.zeros(9)),
        (3, np.zeros(4)),
        (5, room[:200]),
        (6, np.zeros(10)),
    ):
        arguments: list[Any] = list(good)
        arguments[place] = bad
        with pytest.raises(ValueError, match=r"expected|lie"):
            relative.measure(*arguments)


def test_every_column_has_its_name() -> None:
    assert (*NAMES, "turnover") == METRICS
    assert len(NAMES) == len(set(NAMES)) == kernel.COLUMNS == relative.COLUMNS
    assert len(COMMON) == len(set(COMMON) & set(NAMES)) == 27
