"""What a device is asked for is what comes, or an error; torch draws what the kernels draw."""

import importlib.util
import math
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neural_trader._kernels import scenarios as kernel
from neural_trader.core.errors import ConfigError
from neural_trader.risk import Plan, simulate
from neural_trader.risk.scenarios import device as module
from neural_trader.risk.scenarios.drawing import Pseudo, layers
from neural_trader.risk.scenarios.factors import factor_of
from neural_trader.risk.scenarios.options import holdings_of
from neural_trader.risk.scenarios.running import Run, limit_of, run_losses, value_far
from tests.unit.risk.books import some_book, some_options

HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="torch is not installed here")
REQUEST: dict[str, Any] = {"confidence": 0.95, "simulations": 400, "seed": 1}


def has_cuda() -> bool:
    if not HAS_TORCH:
        return False
    import torch

    return bool(torch.cuda.is_available())


needs_cuda = pytest.mark.skipif(not has_cuda(), reason="there is no CUDA device here")


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)


def with_torch_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: False), __version__="2.13.0+cpu"
    )
    monkeypatch.setattr(importlib.util, "find_spec", str)
    monkeypatch.setitem(sys.modules, "torch", torch)


@pytest.mark.parametrize(
    ("lack", "message"),
    [
        (without_torch, r"torch is not installed: pip install 'neural-trader\[cuda\]'"),
        (with_torch_without_cuda, r"torch 2\.13\.0\+cpu finds no CUDA device here"),
    ],
)
def test_cuda_that_is_not_there_is_an_error_that_says_what_to_do(
    lack: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lack(monkeypatch)
    book, model = some_book(3)
    with pytest.raises(ConfigError, match=message):
        simulate(book, model, **REQUEST, plan=Plan(device="cuda"))


@pytest.mark.parametrize("lack", [without_torch, with_torch_without_cuda])
def test_auto_takes_the_processor_where_there_is_nothing_else(
    lack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lack(monkeypatch)
    book, model = some_book(3)
    found = simulate(book, model, **REQUEST, plan=Plan(device="auto"))
    assert found.device == "cpu"
    assert found[:4] == simulate(book, model, **REQUEST)[:4]


def test_sobol_points_are_not_made_on_cuda() -> None:
    book, model = some_book(3)
    with pytest.raises(ConfigError, match="made on the cpu"):
        simulate(book, model, **REQUEST, plan=Plan(device="cuda", draws="sobol"))
    found = simulate(book, model, **REQUEST, plan=Plan(device="auto", draws="sobol"))
    assert found.device == "cpu"


def run_of(horizon: int, degrees: float, options: int, scale: float = 1.0) -> Run:
    book, model = some_book(7)
    model = model._replace(covariance=model.covariance * scale, degrees=degrees)
    book = book._replace(options=some_options(book, options))
    return Run(
        source=Pseudo(kernel.stream_of(9), degrees),
        steps=horizon,
        mean=model.mean,
        factor=factor_of(model.covariance),
        holdings=holdings_of(book, horizon),
        limit=limit_of(model.mean, model.covariance),
        threads=1,
    )


@needs_torch
def test_torch_draws_the_same_normals() -> None:
    count, steps, n = 30_000, 2, 20
    normals, stretches = np.empty((count, steps, n)), np.empty((count, steps))
    source = Pseudo(kernel.stream_of(2**63 + 5), math.inf)
    kernel.draw(source.stream, np.arange(count), math.inf, layers(), normals, stretches)
    found = module.draw_on(source, 0, count, steps=steps, n=n, device="cpu")
    assert np.abs(normals).max() > 4.5, "some come from the tail"
    assert np.abs(found - normals).max() < 1e-12
    later = module.draw_on(source, 29_990, count, steps=steps, n=n, device="cpu")
    assert (later == found[29_990:]).all()


@needs_torch
@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("degrees", [math.inf, 3.0])
@pytest.mark.parametrize("options", [0, 9])
def test_torch_makes_the_same_losses(horizon: int, degrees: float, options: int) -> None:
    run = run_of(horizon, degrees, options)
    own = run_losses(run, 5_000)
    found = value_far(run, module.run_losses_on(run, 5_000, "cpu"))
    assert found == pytest.approx(own, rel=1e-9, abs=1e-9 * np.abs(own).max())


@needs_torch
def test_torch_leaves_to_the_kernels_what_could_fall_below_zero() -> None:
    run = run_of(1, 2.2, 0, scale=10.0)
    assert run.is_linear
    found = module.run_losses_on(run, 5_000, "cpu")
    assert np.isnan(found).any()
    assert value_far(run, found) == pytest.approx(run_losses(run, 5_000), rel=1e-9)


@needs_cuda
def test_cuda_makes_the_same_losses() -> None:
    run = run_of(2, 4.0, 5)
    own = run_losses(run, 20_000)
    found = module.run_losses_on(run, 20_000, "cuda")
    assert found == pytest.approx(own, rel=1e-6, abs=1e-6 * np.abs(own).max())
