"""Forecast: predicts the next values of a series, and says how far that can be trusted."""

from neural_trader.forecast.network import Block, Dense, Network

__all__ = ["Block", "Dense", "Network"]
