"""Networks of neuralforecast, frozen with its own forecasts: ours are the same, without it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.forecast import (
    Forecaster,
    export_onnx,
    from_neuralforecast,
    load,
    save_artefact,
)
from neural_trader.forecast.forward import Forward
from neural_trader.forecast.importing import interpolation
from neural_trader.forecast.scaling import scaling_terms

FROZEN = Path(__file__).parent / "neuralforecast"
NAMES = sorted(path.stem for path in FROZEN.glob("*.npz"))


class NHITS:
    """What our import looks at: hyperparameters, the loss, the weights."""

    def __init__(self, settings: dict[str, Any], weights: dict[str, Any]) -> None:
        self.hparams = settings
        kind = type(settings.pop("loss"), (), {"outputsize_multiplier": 1})
        self.loss = kind()
        quantiles = settings.pop("quantiles")
        if len(quantiles) > 1:
            self.loss.quantiles = np.array(quantiles, np.float32)
            self.loss.outputsize_multiplier = len(quantiles)
        self.quantiles = quantiles
        self._weights = weights

    def state_dict(self) -> dict[str, Any]:
        return self._weights


def frozen(name: str = "standard", **changes: Any) -> tuple[NHITS, Any, Any]:
    """Return a frozen network, its windows and its own forecasts."""
    with np.load(FROZEN / f"{name}.npz") as archive:
        held = {key: archive[key] for key in archive.files}
    settings = json.loads(held.pop("settings").tobytes()) | changes
    windows, wanted = held.pop("windows"), held.pop("wanted")
    return NHITS(settings, held), windows, wanted


def test_there_are_frozen_networks() -> None:
    assert NAMES == ["average", "cubic", "odd", "quantiles", "standard"]


@pytest.mark.parametrize("engine", ["compiled", "numpy", "onnx"])
@pytest.mark.parametrize("name", NAMES)
def test_an_imported_network_serves_the_same_numbers(name: str, engine: str) -> None:
    model, windows, wanted = frozen(name)
    artefact = from_neuralforecast(model)
    if engine == "onnx":
        pytest.importorskip("onnxruntime")
        if artefact.normalization.kind == "robust":
            pytest.skip("ONNX has no median")
    middle = wanted[:, :, model.quantiles.index(0.5)]
    ours = Forecaster(artefact, engine=engine)
    assert np.abs(ours.forecast_many(windows).forecast - middle).max() <= 1e-6
    one = np.array([ours.forecast(window).forecast for window in windows])
    assert np.abs(one - middle).max() <= 1e-6


def test_every_quantile_has_its_own_head() -> None:
    model, windows, wanted = frozen("quantiles")
    artefact = from_neuralforecast(model)
    assert artefact.network.levels == (0.05, 0.1, 0.5, 0.9, 0.95)
    shift, unit, base = scaling_terms(windows, artefact.normalization)
    scaled = ((windows - shift[:, None]) / unit[:, None]).astype(np.float32)
    heads = base[:, None, None] + Forward(artefact.network)(scaled) * unit[:, None, None]
    assert np.abs(heads - wanted[:, :, np.argsort(model.quantiles)]).max() <= 1e-6


def test_it_survives_the_disk_and_says_what_it_is(tmp_path: Path) -> None:
    model, windows, wanted = frozen("odd")
    artefact = from_neuralforecast(model, series=["KO", "PEP"])
    ours = load(save_artefact(artefact, tmp_path / "model"))
    found = ours.forecast(windows[0], symbol="PEP")
    assert np.abs(found.forecast - wanted[0, :, 0]).max() <= 1e-6
    assert (found.source, found.lower, found.level) == ("nhits", None, None)
    assert found.verdict.startswith("Not evaluated")
    assert found.provenance["data"] == "imported from neuralforecast"
    with pytest.raises(DataError, match="did you mean KO"):
        ours.forecast(windows[0], symbol="KOO")
    assert export_onnx(artefact, tmp_path / "model.onnx").stat().st_size > 1_000


def test_a_whole_library_object_with_one_network() -> None:
    model, windows, wanted = frozen()

    class NeuralForecast:
        models = (model,)
        local_scaler_type: str | None = None

    library = NeuralForecast()
    found = Forecaster(from_neuralforecast(library)).forecast_many(windows).forecast
    assert np.abs(found - wanted[:, :, 0]).max() <= 1e-6
    library.local_scaler_type = "standard"
    with pytest.raises(ConfigError, match="local_scaler_type is 'standard'"):
        from_neuralforecast(library)
    library.models = (model, model)  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="NHITS, NHITS"):
        from_neuralforecast(library)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scaler_type": "invariant"}, "scaler_type is 'invariant'"),
        ({"scaler_type": "revin"}, "scaler_type is 'revin'"),
        ({"activation": "Tanh"}, "activation is 'Tanh'"),
        ({"pooling_mode": "LPPool1d"}, "pooling_mode is 'LPPool1d'"),
        ({"interpolation_mode": "spline"}, "interpolation_mode is 'spline'"),
        ({"loss": "DistributionLoss"}, "loss is DistributionLoss"),
        ({"loss": "IQLoss"}, "loss is IQLoss"),
        ({"futr_exog_list": ["month"]}, r"futr_exog_list is \['month'\]"),
        ({"hist_exog_list": ["volume"]}, "hist_exog_list"),
        ({"stat_exog_list": ["sector"]}, "stat_exog_list"),
        ({"cat_exog_list": ["sector"]}, "cat_exog_list"),
        ({"exclude_insample_y": True}, "exclude_insample_y"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigError, match=f"cannot be served exactly.*{reason}"):
        from_neuralforecast(frozen(**changes)[0])


@pytest.mark.parametrize("given", [None, 3, "model.ckpt", object()])
def test_something_else_is_no_network(given: Any) -> None:
    with pytest.raises(ConfigError, match="expected a trained NHITS"):
        from_neuralforecast(given)


def test_weights_that_do_not_fit_are_refused() -> None:
    model, _, _ = frozen()
    del model.hparams["h"]
    with pytest.raises(ConfigError, match="no hyperparameter h"):
        from_neuralforecast(model)
    model, _, _ = frozen()
    model.state_dict().pop("blocks.0.layers.0.bias")
    with pytest.raises(DataError, match="not a linear layer"):
        from_neuralforecast(model)
    model, _, _ = frozen(n_blocks=[1, 1, 2])
    with pytest.raises(DataError, match="3 blocks; the settings say 4"):
        from_neuralforecast(model)
    model, _, _ = frozen(h=6)
    with pytest.raises(DataError, match="knots"):
        from_neuralforecast(model)
    model, _, _ = frozen(input_size=32)
    with pytest.raises(DataError, match="expected"):
        from_neuralforecast(model)
    model, _, _ = frozen()
    model.state_dict()["blocks.1.layers.0.bias"][3] = np.nan
    with pytest.raises(DataError, match="not finite"):
        from_neuralforecast(model)


def test_interpolation_by_hand() -> None:
    # Two knots at 1/4 and 3/4 of four steps at 1/8, 3/8, 5/8, 7/8.
    np.testing.assert_allclose(
        interpolation(2, 4, "linear"), [[1, 0.75, 0.25, 0], [0, 0.25, 0.75, 1]], atol=1e-15
    )
    assert interpolation(2, 4, "nearest").tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    for mode in ("linear", "nearest", "cubic"):
        for knots, horizon in ((1, 5), (2, 5), (5, 5), (3, 24)):
            np.testing.assert_allclose(interpolation(knots, horizon, mode).sum(axis=0), 1.0)
    np.testing.assert_allclose(interpolation(5, 5, "cubic"), np.eye(5), atol=1e-15)
