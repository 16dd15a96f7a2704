"""Strategies: bars in, sparse intents out. They decide; they fill nothing."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from neural_trader.strategies.context import (
    DENIALS,
    Context,
    Denial,
    Indicator,
    Order,
    Terms,
)
from neural_trader.strategies.files import StrategyFile, check_parameters
from neural_trader.strategies.pairs import Pairs
from neural_trader.strategies.protocol import STATE_SIZE, CompiledStrategy, IntentBuffer, Legs
from neural_trader.strategies.sizing import Gross, read_gross
from neural_trader.strategies.sma_cross import SmaCross
from neural_trader.strategies.strategy import Strategy

if TYPE_CHECKING:
    from neural_trader.strategies.forecasting import ForecastStrategy

STRATEGIES: Final[dict[str, type[Pairs] | type[SmaCross]]] = {
    Pairs.kind: Pairs,
    SmaCross.kind: SmaCross,
}
"""The strategies that the command line and saved results know by name."""

__all__ = [
    "DENIALS",
    "STATE_SIZE",
    "STRATEGIES",
    "CompiledStrategy",
    "Context",
    "Denial",
    "ForecastStrategy",
    "Gross",
    "Indicator",
    "IntentBuffer",
    "Legs",
    "Order",
    "Pairs",
    "SmaCross",
    "Strategy",
    "StrategyFile",
    "Terms",
    "check_parameters",
    "read_gross",
]


def __getattr__(name: str) -> object:
    """Import the strategy of forecasts when it is first used: no other one needs a network."""
    if name != "ForecastStrategy":
        message = f"module 'neural_trader.strategies' has no attribute {name!r}"
        raise AttributeError(message)
    value: object = import_module("neural_trader.strategies.forecasting").ForecastStrategy
    globals()[name] = value
    return value
