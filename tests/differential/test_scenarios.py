"""The compiled scenarios are held to plain Python: the same bits."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from neural_trader._kernels import factors, revaluation, scenarios, sobol
from neural_trader.risk import Plan, simulate
from neural_trader.risk.scenarios import reference, vectors
from neural_trader.risk.scenarios.drawing import layers
from neural_trader.risk.scenarios.factors import factor_of
from neural_trader.risk.scenarios.options import holdings_of
from tests.interpreted import load_interpreted, with_memoryviews
from tests.unit.risk.books import some_book, some_options


def viewed(value: Any) -> Any:
    """Return an argument as an interpreted kernel takes it: arrays, also in tuples, as views."""
    if isinstance(value, tuple):
        return tuple(viewed(part) for part in value)
    views: Any = memoryview
    return views(value) if isinstance(value, np.ndarray) else value


def both(name: str, compiled: Any, function: str, *arguments: Any) -> list[Any]:
    """Call a kernel compiled and interpreted on copies; return what both left in their arrays."""
    found = []
    forms: tuple[tuple[Any, Any], ...] = (
        (compiled, lambda x: x),
        (load_interpreted(name), viewed),
    )
    for kernel, view in forms:
        own = [
            argument.copy() if isinstance(argument, np.ndarray) else argument
            for argument in arguments
        ]
        answer = getattr(kernel, function)(*(view(argument) for argument in own))
        found.append((answer, [a.tobytes() for a in own if isinstance(a, np.ndarray)]))
    return found


@given(st.integers(0, 2**64 - 1), st.integers(0, 10**12), st.integers(0, 400))
@settings(deadline=None, max_examples=300)
def test_a_word_and_its_normal_are_the_law(seed: int, scenario: int, column: int) -> None:
    stream = scenarios.stream_of(seed)
    assert stream == reference.stream_of(seed)
    out = np.empty((1, 1), np.uint64)
    scenarios.words(stream, np.array([scenario]), column, out)
    assert int(out[0, 0]) == reference.word(stream, scenario, column)


@pytest.mark.parametrize("degrees", [math.inf, 2.5, 5.0])
def test_draws_are_the_law(degrees: float) -> None:
    """Enough of them that wedges and second attempts come."""
    count, steps, n = 400, 2, 30
    normals, stretches = np.empty((count, steps, n)), np.empty((count, steps))
    stream = scenarios.stream_of(3)
    scenarios.draw(stream, np.arange(count), degrees, layers(), normals, stretches)
    for i in range(count):
        for h in range(steps):
            begin = h * (n + 1)
            wanted = [reference.normal(reference.word(stream, i, begin + j)) for j in range(n)]
            assert normals[i, h].tolist() == wanted
            word = reference.word(stream, i, begin + n)
            assert stretches[i, h] == reference.stretch(word, degrees)


def test_normals_beyond_the_layers_are_the_law() -> None:
    count, n = 20_000, 30
    normals = np.empty((count, 1, n))
    stream = scenarios.stream_of(4)
    scenarios.draw(stream, np.arange(count), math.inf, layers(), normals, np.empty((count, 1)))
    rare = np.argwhere(np.abs(normals[:, 0]) > 3.7)
    assert (np.abs(normals) > reference.TAIL).sum() > 10
    for i, j in rare:
        word = reference.word(stream, int(i), int(j))
        assert normals[i, 0, j] == reference.normal(word)


def test_scenarios_interpreted_and_compiled_agree_to_the_bit() -> None:
    stream = scenarios.stream_of(8)
    tables = layers()
    terms = np.array([0.1, 4.0, 3.0])
    loads = np.linspace(-1.0, 2.0, 7)
    a, b = both("scenarios", scenarios, "linear", stream, 5, loads, terms, tables, np.empty(300))
    assert a == b
    assert a[0] > 0
    ids = np.array([9, 2, 2**40])
    outs = np.empty((3, 2, 5)), np.empty((3, 2))
    a, b = both("scenarios", scenarios, "draw", stream, ids, 3.0, tables, *outs)
    assert a == b
    normals = np.random.default_rng(1).normal(size=(40, 1, 7))
    stretches = np.linspace(0.5, 4.0, 40).reshape(40, 1)
    a, b = both("scenarios", scenarios, "project", normals, stretches, loads, terms, np.empty(40))
    assert a == b


def test_the_fused_loop_is_the_draws_times_the_loads() -> None:
    stream = scenarios.stream_of(8)
    loads = np.linspace(-1.0, 2.0, 7)
    terms = np.array([0.1, 4.0, np.inf])
    fused, apart = np.empty(500), np.empty(500)
    normals, stretches = np.empty((500, 1, 7)), np.empty((500, 1))
    scenarios.linear(stream, 0, loads, terms, layers(), fused)
    scenarios.draw(stream, np.arange(500), 4.0, layers(), normals, stretches)
    scenarios.project(normals, stretches, loads, terms, apart)
    assert (fused == apart).all()


def test_revaluation_interpreted_and_compiled_agree_to_the_bit() -> None:
    book, model = some_book(5)
    options = some_options(book, 12)
    options.years[3] = 0.01
    holdings = holdings_of(book._replace(options=options), 6)
    assert holdings.options[3, 0] == 0.0, "it has expired"
    factor = factor_of(model.covariance)
    rng = np.random.default_rng(5)
    # Moves so great that prices reach zero, and logarithms their long way.
    normals, stretches = rng.normal(size=(70, 2, 5)) * 30.0, rng.uniform(0.5, 2.0, (70, 2))
    market = model.mean, factor.matrix, factor.widths
    scratch = tuple(np.empty((5, revaluation.LANES)) for _ in range(4))
    arguments = normals, stretches, market, holdings.arrays, scratch
    for kernel in (revaluation, vectors.choose()):
        outs = np.empty(70), np.empty((70, 5))
        a, b = both("revaluation", kernel, "revalue", *arguments, *outs)
        assert a == b


@pytest.mark.skipif(not vectors.has_avx2(), reason="this processor has no AVX2")
def test_wide_vectors_are_used_where_they_are_there() -> None:
    assert vectors.revaluation.__name__ == "neural_trader._kernels.avx2.revaluation"
    assert vectors.revaluation is not revaluation


def test_factors_interpreted_and_compiled_agree_to_the_bit() -> None:
    rng = np.random.default_rng(6)
    mixed = rng.normal(size=(9, 6))
    matrix = np.corrcoef(mixed)
    scratch = np.empty(9), np.empty(9, np.uint8)
    outs = np.empty((9, 9)), np.empty(9, np.int64)
    a, b = both("factors", factors, "pivoted", matrix, 1e-14, scratch, *outs)
    assert a == b
    assert a[0][0] == 5


def test_sobol_interpreted_and_compiled_agree_to_the_bit() -> None:
    rng = np.random.default_rng(7)
    numbers = np.zeros((4, sobol.NUMBERS), np.uint16)
    numbers[:, :4] = [[1, 1, 0, 0], [3, 1, 0, 0], [7, 1, 3, 0], [11, 1, 3, 1]]
    a, b = both("sobol", sobol, "expand", numbers, np.empty((6, 4), np.uint32))
    assert a == b
    plain = np.empty((6, 4), np.uint32)
    sobol.expand(numbers, plain)
    columns = rng.integers(0, 2**64, (4, 7), np.uint64)
    outs = np.empty((6, 4), np.uint32), np.empty(4, np.uint32)
    a, b = both("sobol", sobol, "scramble", plain, columns, *outs)
    assert a == b
    directions, shifts = np.empty((2, 6, 4), np.uint32), np.zeros((2, 4), np.uint32)
    for place in range(2):
        sobol.scramble(plain, columns + np.uint64(place), directions[place], shifts[place])
    ids = np.concatenate([np.arange(80), [3, 99, 64]])
    outs2 = np.empty(4, np.int32), np.empty((83, 4))
    signed = directions.view(np.int32), shifts.view(np.int32)
    a, b = both("sobol", sobol, "fill", *signed, 50, ids, *outs2)
    assert a == b


def test_own_logarithm_exponential_and_inverse_are_right() -> None:
    x = np.concatenate([np.geomspace(2.0**-53, 1e6, 2_000), 1.0 + np.linspace(-1e-6, 1e-6, 99)])
    own = np.array([reference.log(float(value)) for value in x])
    assert own == pytest.approx(np.log(x), rel=4e-16, abs=1e-300)
    y = np.linspace(-8.2, 0.0, 1_001)
    assert [reference.exp(float(value)) for value in y] == pytest.approx(np.exp(y), rel=1e-9)
    identity = np.uint32(1) << np.arange(31, -1, -1, dtype=np.uint32)
    directions = identity.reshape(1, 32, 1)
    ids = np.concatenate([np.arange(2_000), 2**32 - 1 - np.arange(2_000)])
    ids = np.concatenate([ids, np.linspace(0, 2**32 - 1, 9_999).astype(np.int64)])
    out, middle = np.empty((len(ids), 1)), np.full((1, 1), -(2**31), np.int32)
    signed = directions.view(np.int32)
    sobol.fill(signed, middle, 2**32, ids, np.empty(1, np.int32), out)
    digits = np.zeros(len(ids), np.int64)
    for bit in range(32):
        digits ^= np.where((ids ^ (ids >> 1)) >> bit & 1, 1 << (31 - bit), 0)
    p = (digits + 0.5) * 2.0**-32
    wanted = np.where(p < 0.5, special.ndtri(p), -special.ndtri(1.0 - p))
    assert out[:, 0] == pytest.approx(wanted, rel=1.2e-9, abs=0)
    assert stats.norm.cdf(out[:, 0]) == pytest.approx(p, rel=1e-7)


@pytest.mark.parametrize("plan", [Plan(), Plan(horizon=3), Plan(draws="sobol", horizon=2)])
@pytest.mark.parametrize("degrees", [math.inf, 4.0])
@pytest.mark.parametrize("options", [0, 6])
def test_threads_and_chunks_change_no_bit(plan: Plan, degrees: float, options: int) -> None:
    book, model = some_book(12)
    if options:
        book = book._replace(options=some_options(book, options))
    model = model._replace(degrees=degrees)
    runs = [
        simulate(
            book,
            model,
            confidence=0.95,
            simulations=4_800,
            seed=5,
            plan=plan._replace(threads=threads, keep_losses=True),
        )
        for threads in (1, 2, 3, 7)
    ]
    first = runs[0]
    assert first.losses is not None
    for other in runs[1:]:
        assert other.losses is not None
        assert other.losses.tobytes() == first.losses.tobytes()
        assert other[:4] == first[:4]
        assert other.component_es.tobytes() == first.component_es.tobytes()
    if plan.draws == "pseudo":
        part = simulate(
            book,
            model,
            confidence=0.95,
            simulations=1_000,
            seed=5,
            plan=plan._replace(keep_losses=True),
        )
        assert part.losses is not None
        assert (part.losses == first.losses[:1_000]).all(), "fewer scenarios are the first ones"


def test_the_interpreted_form_takes_memoryviews() -> None:
    call = with_memoryviews(load_interpreted("scenarios").words)
    out = np.empty((2, 3), np.uint64)
    call(scenarios.stream_of(1), np.arange(2), 4, out)
    again = np.empty((2, 3), np.uint64)
    scenarios.words(scenarios.stream_of(1), np.arange(2), 4, again)
    assert (out == again).all()
