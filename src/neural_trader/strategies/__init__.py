"""Strategies: bars in, sparse intents out. They decide; they fill nothing."""

from typing import Final

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
