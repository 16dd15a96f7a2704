"""The network while it learns; needs PyTorch."""

import sys
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from neural_trader.core import ConfigError
from neural_trader.forecast import NHiTSConfig
from neural_trader.forecast.forward import Forward
from neural_trader.forecast.model import Model, choose_device, import_torch, lines

torch = pytest.importorskip("torch", reason="training needs PyTorch: make neural-test")

CONFIG = NHiTSConfig(horizon=5, lookback=30, width=24, pools=(7, 4, 1), knots_every=(8, 2, 1))


def trained(config: NHiTSConfig, seed: int = 1) -> Model:
    """Return a network whose every weight is somewhere."""
    model, rng = Model(config, np.random.default_rng(seed), "cpu"), np.random.default_rng(seed + 1)
    model.flat += torch.tensor(rng.normal(0.0, 0.1, len(model.flat)), dtype=torch.float32)
    return model


def test_an_untrained_network_is_naive() -> None:
    model = Model(CONFIG, np.random.default_rng(1), "cpu")
    inputs = torch.randn(9, CONFIG.lookback, generator=torch.Generator().manual_seed(1))
    found = model.forward(inputs).detach().numpy()
    assert np.array_equal(found[:, :, 1], np.zeros((9, CONFIG.horizon)))
    assert (found[:, :, 0] < 0.0).all()
    assert (found[:, :, 2] > 0.0).all()


def test_quantiles_cannot_cross() -> None:
    config = replace(CONFIG, levels=(0.05, 0.25, 0.5, 0.75, 0.95))
    inputs = 10.0 * torch.randn(500, CONFIG.lookback, generator=torch.Generator().manual_seed(2))
    found = trained(config).forward(inputs).detach().numpy()
    assert found.shape == (500, CONFIG.horizon, 5)
    assert (np.diff(found, axis=2) >= 0.0).all()
    assert np.abs(found[:, :, 2]).max() > 0.1


@pytest.mark.parametrize("count", [1, 2, 20, 500])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("levels", [(0.5,), (0.1, 0.5, 0.9)])
def test_the_folded_network_is_the_one_that_learned(
    count: int, pooling: Any, levels: tuple[float, ...]
) -> None:
    config = replace(CONFIG, pooling=pooling, levels=levels)
    model = trained(config)
    inputs = np.random.default_rng(3).normal(size=(count, CONFIG.lookback)).astype(np.float32)
    with torch.no_grad():
        wanted = model.forward(torch.from_numpy(inputs)).numpy()
    network = model.fold()
    assert network.heads == ("plain" if len(levels) == 1 else "monotone")
    raw = Forward(network)(inputs)
    middle = len(levels) // 2
    # In units of the normalization, which is about 0.02 of a logarithm of prices.
    assert np.abs(raw[:, :, middle] - wanted[:, :, middle]).max() < 2e-5
    if len(levels) > 1:
        above = raw[:, :, 1] + np.logaddexp(0.0, raw[:, :, 2])
        below = raw[:, :, 1] - np.logaddexp(0.0, raw[:, :, 0])
        assert np.abs(above - wanted[:, :, 2]).max() < 2e-5
        assert np.abs(below - wanted[:, :, 0]).max() < 2e-5


def test_lines_between_knots_are_those_of_interp() -> None:
    for length, every in ((10, 3), (96, 24), (5, 2), (7, 1), (4, 4), (3, 9)):
        matrix = lines(length, every)
        knots = -(-length // every)
        assert matrix.shape == (knots, length)
        assert matrix.sum(axis=0) == pytest.approx(np.ones(length))
        if knots > 1:
            values = np.random.default_rng(length).normal(size=knots)
            at = np.linspace(0.0, knots - 1.0, length)
            assert values @ matrix == pytest.approx(np.interp(at, np.arange(knots), values))
    assert np.array_equal(lines(6, 1), np.eye(6))


def test_devices_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="device is 'tpu'; expected auto, cpu or cuda"):
        choose_device(torch, "tpu")
    assert choose_device(torch, "cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(torch, "auto") == "cpu"
    with pytest.raises(ConfigError, match="finds no GPU here"):
        choose_device(torch, "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device(torch, "auto") == "cuda"


def test_where_torch_is_missing_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"neural-trader\[forecast\]"):
        import_torch()
