"""Backtesting: replays history to a strategy and keeps what happened."""

from importlib import import_module
from typing import TYPE_CHECKING

from neural_trader.backtesting.engine import backtest
from neural_trader.backtesting.intents import Intents, TargetWeights
from neural_trader.backtesting.lookahead import Lookahead, check_lookahead
from neural_trader.backtesting.result import Result, load_result
from neural_trader.backtesting.round_trips import RoundTrip
from neural_trader.backtesting.summary import Summary, compute_buy_and_hold
from neural_trader.backtesting.sweeps import SweepResult, make_core, read_grid_text, sweep
from neural_trader.backtesting.window import Range

if TYPE_CHECKING:
    from neural_trader.backtesting.stepping import Shown, Steps

__all__ = [
    "Intents",
    "Lookahead",
    "Range",
    "Result",
    "RoundTrip",
    "Shown",
    "Steps",
    "Summary",
    "SweepResult",
    "TargetWeights",
    "backtest",
    "check_lookahead",
    "compute_buy_and_hold",
    "load_result",
    "make_core",
    "read_grid_text",
    "sweep",
]


def __getattr__(name: str) -> object:
    """Import what runs a strategy step by step when it is first used: a backtest does not."""
    if name not in ("Shown", "Steps"):
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module("neural_trader.backtesting.stepping"), name)
    globals()[name] = value
    return value
