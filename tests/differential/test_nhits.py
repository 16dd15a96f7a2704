"""A network computed in four ways gives one answer: plainly, in NumPy, compiled, interpreted."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader._kernels import nhits as kernel
from neural_trader.forecast.forward import Forward
from neural_trader.forecast.network import Network
from neural_trader.forecast.packing import middle_alone, pack
from tests.interpreted import load_interpreted, with_memoryviews
from tests.made_forecasts import made_network

Arrays = np.ndarray[Any, np.dtype[Any]]
TOLERANCE = 2e-6
"""Of float32 sums of a few hundred terms, relative to the largest head."""


def plainly(network: Network, windows: Arrays) -> Arrays:
    """Compute raw heads in float64, one group and one layer after the other."""
    count = network.horizon * len(network.levels)
    found = []
    for window in windows.astype(np.float64):
        rest = window[::-1].copy() if network.newest_first else window.copy()
        heads = np.zeros(count)
        for block in network.blocks:
            groups = [rest[at : at + block.pool] for at in range(0, len(rest), block.pool)]
            x = np.array([g.max() if block.pooling == "max" else g.mean() for g in groups])
            for layer in block.hidden:
                x = np.maximum(x @ layer.weight.astype(np.float64) + layer.bias, 0.0)
            rest = rest - (x @ block.backcast.weight.astype(np.float64) + block.backcast.bias)
            heads = heads + x @ block.forecast.weight.astype(np.float64) + block.forecast.bias
        found.append(heads)
    return np.array(found)


def compiled(network: Network, windows: Arrays, forward: Any = kernel.forward) -> Arrays:
    packed = pack(network)
    out = np.empty(len(windows) * network.horizon * len(network.levels), np.float32)
    scratch = np.full(packed.scratch_size, np.nan, np.float32)
    forward(*packed, np.ascontiguousarray(windows).reshape(-1), scratch, out)
    return out.reshape(len(windows), -1)


def as_any(function: Any) -> Any:
    """Return a function for calls with lists of arguments."""
    return function


def near(found: Arrays, wanted: Arrays) -> None:
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= TOLERANCE * max(1.0, float(np.abs(wanted).max()))


NETWORKS = {
    "max": made_network(),
    "average": made_network(pooling="average"),
    "one head, newest first": made_network(levels=(0.5,), newest_first=True),
    "odd": made_network(lookback=61, horizon=7, width=33, depth=1, pools=(7, 2, 1, 61)),
    "odd average, newest first": made_network(
        lookback=13, width=5, depth=3, pools=(5, 3), pooling="average", newest_first=True
    ),
    "wide": made_network(width=512, levels=(0.5,)),
    "smallest": made_network(lookback=2, horizon=1, width=1, depth=1, pools=(1,), levels=(0.5,)),
}


@pytest.mark.parametrize("rows", [1, 2, 20, 300])
@pytest.mark.parametrize("name", NETWORKS)
def test_numpy_and_the_kernel_compute_what_the_network_says(name: str, rows: int) -> None:
    network = NETWORKS[name]
    windows = np.random.default_rng(rows).standard_normal((rows, network.lookback))
    wanted = plainly(network, windows.astype(np.float32))
    forward = Forward(network)
    in_numpy = forward(windows.astype(np.float32))
    assert in_numpy.shape == (rows, network.horizon, len(network.levels))
    near(in_numpy.reshape(rows, -1), wanted)
    near(compiled(network, windows.astype(np.float32)), wanted)
    # Nothing of a window stays behind in a buffer.
    np.testing.assert_array_equal(forward(windows.astype(np.float32)), in_numpy)


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_on_networks_of_any_shape(data: st.DataObject) -> None:
    lookback = data.draw(st.integers(2, 40))
    network = made_network(
        lookback=lookback,
        horizon=data.draw(st.integers(1, 9)),
        width=data.draw(st.integers(1, 20)),
        depth=data.draw(st.integers(1, 4)),
        pools=tuple(data.draw(st.lists(st.integers(1, lookback), min_size=1, max_size=4))),
        pooling=data.draw(st.sampled_from(["max", "average"])),
        levels=data.draw(st.sampled_from([(0.5,), (0.1, 0.5, 0.9), (0.05, 0.2, 0.5, 0.8, 0.95)])),
        newest_first=data.draw(st.booleans()),
        seed=data.draw(st.integers(0, 1_000)),
    )
    rows = data.draw(st.integers(1, 4))
    windows = np.random.default_rng(rows).standard_normal((rows, lookback)).astype(np.float32)
    wanted = plainly(network, windows)
    near(Forward(network)(windows).reshape(rows, -1), wanted)
    near(compiled(network, windows), wanted)
    middle = wanted.reshape(rows, network.horizon, -1)[:, :, len(network.levels) // 2]
    near(compiled(middle_alone(network), windows), middle)


@pytest.mark.parametrize("name", ["odd", "odd average, newest first", "smallest"])
def test_interpreted_is_compiled_as_far_as_float32_goes(name: str) -> None:
    network = NETWORKS[name]
    windows = np.random.default_rng(1).standard_normal((2, network.lookback)).astype(np.float32)
    interpreted = with_memoryviews(load_interpreted("nhits").forward)
    near(compiled(network, windows, interpreted), compiled(network, windows))


@pytest.mark.parametrize("mode", [kernel.GIVEN, kernel.LEVEL, kernel.LOG])
def test_a_whole_forecast_interpreted_and_compiled(mode: int) -> None:
    network = middle_alone(made_network(lookback=12, horizon=3, width=6, pools=(5, 1)))
    values = 50.0 * np.exp(np.cumsum(0.02 * np.random.default_rng(5).standard_normal(12)))
    found = []
    for forecast in (kernel.forecast, with_memoryviews(load_interpreted("nhits").forecast)):
        packed, out = pack(network), np.empty(9)
        scratch = np.empty(packed.scratch_size, np.float32)
        offsets, terms = np.array([-1.0, -2, -3, 1, 2, 3]), (mode, 40.0, 0.5, 45.0, 0.94)
        assert forecast(*packed, values, offsets, terms, scratch, np.empty(12), out) == 0
        found.append(out)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    assert (found[0][3:6] < found[0][:3]).all()
    assert (found[0][:3] < found[0][6:]).all()


def test_the_kernel_refuses_what_does_not_fit() -> None:
    network = middle_alone(made_network())
    packed, forecast, forward = pack(network), as_any(kernel.forecast), as_any(kernel.forward)
    size = packed.scratch_size
    terms = (kernel.LOG, 0.0, 0.02, 0.0, 0.94)
    good: list[Any] = [*packed, np.arange(1.0, 61), np.zeros(10), terms]
    good += [np.zeros(size, np.float32), np.zeros(60), np.zeros(15)]
    assert forecast(*good) == 0
    for place, bad in (
        (2, np.zeros(61)),
        (2, np.zeros(59)),
        (3, np.zeros(9)),
        (5, np.zeros(size - 1, np.float32)),
        (6, np.zeros(59)),
        (7, np.zeros(14)),
    ):
        with pytest.raises(ValueError, match=r"expected|must"):
            forecast(*good[:place], bad, *good[place + 1 :])
    windows: list[Any] = [*packed, np.zeros(120, np.float32), np.zeros(size, np.float32)]
    forward(*windows, np.zeros(10, np.float32))
    with pytest.raises(ValueError, match="expected"):
        forward(*windows, np.zeros(11, np.float32))
    with pytest.raises(ValueError, match="expected"):
        forward(*windows, np.zeros(5, np.float32))
    with pytest.raises(ValueError, match="must"):
        forward(*windows[:3], np.zeros(60, np.float32), np.zeros(10, np.float32))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({3: np.nan}, kernel.NOT_FINITE),
        ({0: np.inf}, kernel.NOT_FINITE),
        ({59: -np.inf}, kernel.NOT_FINITE),
        ({7: 0.0}, kernel.NOT_POSITIVE),
        ({7: -1.0}, kernel.NOT_POSITIVE),
    ],
)
def test_the_kernel_says_what_is_the_matter(change: dict[int, float], wanted: int) -> None:
    packed = pack(middle_alone(made_network()))
    values, out = np.arange(1.0, 61), np.full(15, -7.0)
    for place, value in change.items():
        values[place] = value
    work: Any = (np.zeros(packed.scratch_size, np.float32), np.zeros(60), out)
    terms = (kernel.LOG, 0.0, 0.02, 0.0, 0.94)
    assert kernel.forecast(*packed, values, np.zeros(10), terms, *work) == wanted
    assert kernel.forecast(*packed, np.ones(60), np.zeros(10), terms, *work) == kernel.CONSTANT
    assert (out == -7.0).all()
