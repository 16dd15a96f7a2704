"""Risk: warns of what positions can lose."""

from neural_trader.risk.book import Book, Options
from neural_trader.risk.model import Model

__all__ = ["Book", "Model", "Options"]
