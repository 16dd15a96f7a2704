"""The words and rules of a market that every other room speaks: bars, costs, dates, errors.

Names are imported from their modules when they are first used: the command line needs errors and
the version at every start, but NumPy, which the bars are made of, only when something runs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_trader.core.bars import (
        BASES,
        FIELDS,
        Bars,
        Basis,
        Block,
        Dividend,
        Split,
        unknown_symbol,
    )
    from neural_trader.core.costs import Costs
    from neural_trader.core.errors import (
        BenchError,
        ConfigError,
        DataError,
        GatewayError,
        JournalError,
        NeuralTraderError,
        OrderOutcomeUnknown,
        RunRefused,
        SawTheFuture,
        StrategyError,
    )
    from neural_trader.core.instruments import Instrument, read_instruments, steps_per_unit
    from neural_trader.core.matching import Matching
    from neural_trader.core.orders import Fill

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
    "Dividend",
    "Fill",
    "GatewayError",
    "Instrument",
    "JournalError",
    "Matching",
    "NeuralTraderError",
    "OrderOutcomeUnknown",
    "RunRefused",
    "SawTheFuture",
    "Split",
    "StrategyError",
    "read_instruments",
    "steps_per_unit",
    "unknown_symbol",
]

_MODULES = {
    "bars": (
        "BASES",
        "FIELDS",
        "Bars",
        "Basis",
        "Block",
        "Dividend",
        "Split",
        "unknown_symbol",
    ),
    "costs": ("Costs",),
    "errors": (
        "BenchError",
        "ConfigError",
        "DataError",
        "GatewayError",
        "JournalError",
        "NeuralTraderError",
        "OrderOutcomeUnknown",
        "RunRefused",
        "SawTheFuture",
        "StrategyError",
    ),
    "instruments": ("Instrument", "read_instruments", "steps_per_unit"),
    "matching": ("Matching",),
    "orders": ("Fill",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first used."""
    if name not in _HOMES:
        message = f"module 'neural_trader.core' has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"neural_trader.core.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
