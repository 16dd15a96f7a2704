"""Import trained networks of neuralforecast, and compare what they forecast with what we serve.

    make peers ARGS=neuralforecast
    PYTHONPATH=src .venv-peers/neuralforecast/bin/python benchmarks/rivals/neural/parity.py

Every case is a small NHITS that neuralforecast trains for some steps on log prices made up from a
seed; then its own ``predict`` is compared with our engines on the same windows. Prints one JSON
line a case; exit code 1 where one is further apart than 1e-6. ``--write FOLDER`` freezes some of
the networks with their forecasts, for the test that needs neither torch nor neuralforecast.
"""

import argparse
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

TOLERANCE = 1e-6
LENGTH, SERIES = 400, 20
CASES = {
    "identity": {},
    "standard": {"scaler_type": "standard"},
    "robust": {"scaler_type": "robust"},
    "minmax": {"scaler_type": "minmax"},
    "minmax1": {"scaler_type": "minmax1"},
    "odd": {"input_size": 31, "h": 7, "scaler_type": "standard", "n_pool_kernel_size": [3, 2, 1]},
    "average": {"input_size": 25, "pooling_mode": "AvgPool1d", "scaler_type": "robust"},
    "nearest": {"interpolation_mode": "nearest", "h": 12, "n_freq_downsample": [6, 3, 1]},
    "cubic": {"interpolation_mode": "cubic", "h": 12, "n_freq_downsample": [6, 3, 1]},
    "deep": {"mlp_units": [[24, 16], [16, 20], [20, 12]], "scaler_type": "standard"},
    "blocks": {"n_blocks": [2, 1, 2], "scaler_type": "standard", "dropout_prob_theta": 0.2},
    "one block": {
        "stack_types": ["identity"],
        "n_blocks": [1],
        "n_pool_kernel_size": [1],
        "n_freq_downsample": [1],
    },
    "quantiles": {"loss": ("MQLoss", {"level": [80, 90]}), "scaler_type": "standard"},
    "one quantile": {"loss": ("QuantileLoss", {"q": 0.25}), "scaler_type": "minmax"},
    "huber": {"loss": ("HuberLoss", {}), "scaler_type": "robust"},
}
REFUSED = {
    "invariant scaler": {"scaler_type": "invariant"},
    "revin scaler": {"scaler_type": "revin"},
    "tanh": {"activation": "Tanh"},
    "distribution": {"loss": ("DistributionLoss", {"distribution": "Normal"})},
    "mixture": {"loss": ("GMM", {})},
    "any quantile": {"loss": ("IQLoss", {})},
    "exogenous": {"futr_exog_list": ["month"]},
}
FROZEN = ("standard", "odd", "quantiles", "average", "cubic")


def main():
    """Compare every case, and return the exit code."""
    parser = argparse.ArgumentParser(description="Compare imported networks with their makers.")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="Freeze some of the cases.")
    folder = parser.parse_args().write
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import neuralforecast
    import torch

    torch.set_num_threads(1)
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, settings in CASES.items():
            model, windows, wanted = trained(settings, Path(scratch))
            apart = compare(model, windows, wanted)
            failed += max(apart.values()) > TOLERANCE
            print(json.dumps({"case": name, "apart": apart}), flush=True)
            if folder and name in FROZEN:
                freeze(folder / f"{name}.npz", model, windows, wanted)
        for name, settings in REFUSED.items():
            reason = refusal(settings, Path(scratch))
            failed += not reason
            print(json.dumps({"refused": name, "reason": reason}), flush=True)
    versions = {"neuralforecast": neuralforecast.__version__, "torch": torch.__version__}
    print(json.dumps({"failed": failed, "tolerance": TOLERANCE, **versions}))
    return 1 if failed else 0


def made(settings, scratch):
    """Return an NHITS that is not trained yet."""
    from neuralforecast.losses import pytorch as losses
    from neuralforecast.models import NHITS

    given = {"h": 5, "input_size": 30, "mlp_units": 2 * [[16, 16]], "max_steps": 20} | settings
    if "loss" in given:
        name, arguments = given["loss"]
        given["loss"] = getattr(losses, name)(**arguments)
    return NHITS(
        **given,
        windows_batch_size=64,
        random_seed=7,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        default_root_dir=str(scratch),
    )


def trained(settings, scratch, *, whole=False):
    """Return a trained NHITS, windows (B, L), and its own forecasts of them (B, H, Q).

    ``whole``: the library's object that holds it comes first.
    """
    import pandas as pd
    from neuralforecast import NeuralForecast

    rng = np.random.default_rng(5)
    prices = 4.0 + np.cumsum(0.012 * rng.standard_normal((SERIES, LENGTH)), axis=1)
    # What the library sees is float32: both sides are given the same numbers.
    prices = prices.astype(np.float32).astype(np.float64)
    days = pd.bdate_range("2020-01-01", periods=LENGTH)
    frame = pd.concat(
        pd.DataFrame({"unique_id": f"s{row:02}", "ds": days, "y": prices[row]})
        for row in range(SERIES)
    )
    model = made(settings, scratch)
    library = NeuralForecast(models=[model], freq="B")
    library.fit(frame)
    found = library.predict()
    columns = [name for name in found.columns if name not in ("unique_id", "ds")]
    rows = [group[columns].to_numpy(np.float64) for _, group in found.groupby("unique_id")]
    found = (library.models[0], prices[:, -model.input_size :], np.stack(rows))
    return (library, *found) if whole else found


def compare(model, windows, wanted):
    """Return how far our engines are from its own forecasts, at most."""
    from neural_trader.forecast import Forecaster, from_neuralforecast

    artefact = from_neuralforecast(model)
    middle = middle_of(model, wanted)
    apart = {}
    for engine in ("compiled", "numpy", "onnx"):
        if engine == "onnx" and artefact.normalization.kind == "robust":
            continue
        ours = Forecaster(artefact, engine=engine)
        many = ours.forecast_many(windows).forecast
        one = np.array([ours.forecast(window).forecast for window in windows])
        apart[engine] = float(max(np.abs(many - middle).max(), np.abs(one - middle).max()))
    heads = all_heads(artefact, windows)
    order = np.argsort(quantiles_of(model), kind="stable")
    apart["all heads"] = float(np.abs(heads - wanted[:, :, order]).max())
    return apart


def quantiles_of(model):
    """Return the levels of its heads in its own order."""
    quantiles = getattr(model.loss, "quantiles", None)
    return [0.5] if quantiles is None else [float(level) for level in quantiles]


def middle_of(model, wanted):
    """Return its forecasts of the level nearest to the median."""
    levels = np.array(quantiles_of(model))
    return wanted[:, :, int(np.argmin(np.abs(levels - 0.5)))]


def all_heads(artefact, windows):
    """Return every quantile that we would serve, (B, H, Q)."""
    from neural_trader.forecast.forward import Forward
    from neural_trader.forecast.scaling import scaling_terms

    shift, unit, base = scaling_terms(windows, artefact.normalization)
    scaled = ((windows - shift[:, None]) / unit[:, None]).astype(np.float32)
    return base[:, None, None] + Forward(artefact.network)(scaled) * unit[:, None, None]


def refusal(settings, scratch):
    """Return the reason for which a network is refused, or nothing if it is not."""
    from neural_trader.core import ConfigError
    from neural_trader.forecast import from_neuralforecast

    try:
        from_neuralforecast(made(settings, scratch))
    except ConfigError as error:
        return str(error)
    return ""


def freeze(path, model, windows, wanted):
    """Write weights, settings, windows and the library's own forecasts."""
    import neuralforecast

    keys = (
        "h", "input_size", "n_blocks", "mlp_units", "n_pool_kernel_size", "n_freq_downsample",
        "pooling_mode", "interpolation_mode", "activation", "scaler_type", "max_steps",
    )  # fmt: skip
    settings = {key: model.hparams[key] for key in keys}
    settings["loss"] = type(model.loss).__name__
    settings["quantiles"] = quantiles_of(model)
    settings["made_by"] = f"neuralforecast {neuralforecast.__version__}"
    weights = {
        name: tensor.detach().numpy()
        for name, tensor in model.state_dict().items()
        if name.startswith("blocks.")
    }
    text = np.frombuffer(json.dumps(settings).encode(), np.uint8)
    np.savez_compressed(path, settings=text, windows=windows, wanted=wanted, **weights)


if __name__ == "__main__":
    sys.exit(main())
