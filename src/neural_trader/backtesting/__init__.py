"""Backtesting: replays history to a strategy and keeps what happened."""

from neural_trader.backtesting.engine import backtest
from neural_trader.backtesting.intents import Intents, TargetWeights
from neural_trader.backtesting.result import Result, load_result
from neural_trader.backtesting.round_trips import RoundTrip
from neural_trader.backtesting.summary import Summary, compute_buy_and_hold

__all__ = [
    "Intents",
    "Result",
    "RoundTrip",
    "Summary",
    "TargetWeights",
    "backtest",
    "compute_buy_and_hold",
    "load_result",
]
