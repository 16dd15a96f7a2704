"""Forecast: predicts the next values of a series, and says how far that can be trusted.

Names are imported from their modules when they are first used: serving a forecast must not pay for
what training and judging it take.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_trader.forecast.artefact import Artefact, Offsets, Provenance, check_output
    from neural_trader.forecast.artefact import load as load_artefact
    from neural_trader.forecast.artefact import save as save_artefact
    from neural_trader.forecast.baselines import Baseline
    from neural_trader.forecast.config import EvaluationConfig, NHiTSConfig
    from neural_trader.forecast.features import first_unseen_ns, forecast_column
    from neural_trader.forecast.importing import from_neuralforecast
    from neural_trader.forecast.network import Block, Dense, Network
    from neural_trader.forecast.normalization import Normalization
    from neural_trader.forecast.onnx_graph import export_onnx
    from neural_trader.forecast.serving import Batch, Forecast, Forecaster, load
    from neural_trader.forecast.training import evaluate, train
    from neural_trader.forecast.trials import count_trials, record_trial
    from neural_trader.forecast.windows import Panel, panel_from, panel_of

__all__ = [
    "Artefact",
    "Baseline",
    "Batch",
    "Block",
    "Dense",
    "EvaluationConfig",
    "Forecast",
    "Forecaster",
    "NHiTSConfig",
    "Network",
    "Normalization",
    "Offsets",
    "Panel",
    "Provenance",
    "check_output",
    "count_trials",
    "evaluate",
    "export_onnx",
    "first_unseen_ns",
    "forecast_column",
    "from_neuralforecast",
    "load",
    "load_artefact",
    "panel_from",
    "panel_of",
    "record_trial",
    "save_artefact",
    "train",
]

_MODULES = {
    "artefact": ("Artefact", "Offsets", "Provenance", "check_output"),
    "baselines": ("Baseline",),
    "config": ("EvaluationConfig", "NHiTSConfig"),
    "features": ("first_unseen_ns", "forecast_column"),
    "importing": ("from_neuralforecast",),
    "network": ("Block", "Dense", "Network"),
    "normalization": ("Normalization",),
    "onnx_graph": ("export_onnx",),
    "serving": ("Batch", "Forecast", "Forecaster", "load"),
    "training": ("evaluate", "train"),
    "trials": ("count_trials", "record_trial"),
    "windows": ("Panel", "panel_from", "panel_of"),
}
_HOMES = {name: (module, name) for module, names in _MODULES.items() for name in names} | {
    "load_artefact": ("artefact", "load"),
    "save_artefact": ("artefact", "save"),
}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first used."""
    if name not in _HOMES:
        message = f"module 'neural_trader.forecast' has no attribute {name!r}"
        raise AttributeError(message)
    module, own = _HOMES[name]
    value: object = getattr(import_module(f"neural_trader.forecast.{module}"), own)
    globals()[name] = value
    return value
