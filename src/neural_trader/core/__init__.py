"""The words and rules of a market that every other room speaks: bars, costs, dates, errors."""

from neural_trader.core.bars import BASES, FIELDS, Bars, Basis, Block, Split, unknown_symbol
from neural_trader.core.costs import Costs
from neural_trader.core.errors import (
    BenchError,
    ConfigError,
    DataError,
    InvariantViolation,
    NeuralTraderError,
    RunRefused,
)

__all__ = [
    "BASES",
    "FIELDS",
    "Bars",
    "Basis",
    "BenchError",
    "Block",
    "ConfigError",
    "Costs",
    "DataError",
    "InvariantViolation",
    "NeuralTraderError",
    "RunRefused",
    "Split",
    "unknown_symbol",
]
