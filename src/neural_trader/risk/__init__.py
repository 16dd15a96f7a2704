"""Risk: warns of what positions can lose."""

from neural_trader.risk.book import Book, Options
from neural_trader.risk.model import Model
from neural_trader.risk.simulation import Plan, Simulation, simulate

__all__ = ["Book", "Model", "Options", "Plan", "Simulation", "simulate"]
