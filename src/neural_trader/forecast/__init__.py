"""Forecast: predicts the next values of a series, and says how far that can be trusted."""

from neural_trader.forecast.artefact import Artefact, Offsets, Provenance
from neural_trader.forecast.artefact import load as load_artefact
from neural_trader.forecast.artefact import save as save_artefact
from neural_trader.forecast.baselines import Baseline
from neural_trader.forecast.config import NHiTSConfig
from neural_trader.forecast.importing import from_neuralforecast
from neural_trader.forecast.network import Block, Dense, Network
from neural_trader.forecast.normalization import Normalization
from neural_trader.forecast.onnx_graph import export_onnx
from neural_trader.forecast.serving import Batch, Forecast, Forecaster, load

__all__ = [
    "Artefact",
    "Baseline",
    "Batch",
    "Block",
    "Dense",
    "Forecast",
    "Forecaster",
    "NHiTSConfig",
    "Network",
    "Normalization",
    "Offsets",
    "Provenance",
    "export_onnx",
    "from_neuralforecast",
    "load",
    "load_artefact",
    "save_artefact",
]
