"""What PyTorch learned is what is served: the same log prices by every engine, at any batch."""

from typing import Any

import numpy as np
import pytest

from neural_trader.forecast import Forecaster, NHiTSConfig
from neural_trader.forecast.model import Model
from tests.made_forecasts import made_artefact, made_prices

torch = pytest.importorskip("torch", reason="training needs PyTorch: make neural-test")

SCALE = 0.02


def learned(**options: Any) -> Model:
    """Return a network whose every weight is somewhere."""
    model = Model(NHiTSConfig(horizon=5, lookback=60, **options), np.random.default_rng(1), "cpu")
    rng = np.random.default_rng(2)
    model.flat += torch.tensor(rng.normal(0.0, 0.1, len(model.flat)), dtype=torch.float32)
    return model


@pytest.mark.parametrize("rows", [1, 2, 20, 500])
@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("engine", ["compiled", "numpy", "onnx"])
def test_every_engine_serves_what_torch_computes(engine: str, pooling: str, rows: int) -> None:
    if engine == "onnx":
        pytest.importorskip("onnxruntime")
    model, windows = learned(pooling=pooling), made_prices(rows)
    x = np.log(windows)
    inputs = ((x - x[:, -1:]) / SCALE).astype(np.float32)
    with torch.no_grad():
        heads = model.forward(torch.from_numpy(inputs)).numpy().astype(np.float64)
    wanted = x[:, -1:, None] + SCALE * heads
    artefact = made_artefact(model.fold())
    ours = Forecaster(artefact, engine=engine)
    found = np.log(ours.forecast_many(windows, ["KO"] * rows).forecast)
    assert np.abs(found - wanted[:, :, 1]).max() <= 1e-6
    one = np.log(ours.forecast(windows[-1], symbol="KO").forecast)
    assert np.abs(one - wanted[-1, :, 1]).max() <= 1e-6
    assert np.abs(np.log(ours.quantiles(windows)) - wanted).max() <= 1e-6
