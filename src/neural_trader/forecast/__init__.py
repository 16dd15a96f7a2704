"""Forecast: predicts the next values of a series, and says how far that can be trusted."""

from neural_trader.forecast.artefact import Artefact, Offsets, Provenance
from neural_trader.forecast.artefact import load as load_artefact
from neural_trader.forecast.artefact import save as save_artefact
from neural_trader.forecast.baselines import Baseline
from neural_trader.forecast.config import NHiTSConfig
from neural_trader.forecast.network import Block, Dense, Network
from neural_trader.forecast.normalization import Normalization

__all__ = [
    "Artefact",
    "Baseline",
    "Block",
    "Dense",
    "NHiTSConfig",
    "Network",
    "Normalization",
    "Offsets",
    "Provenance",
    "load_artefact",
    "save_artefact",
]
