"""Strategies driven by the present: paper trading on a feed."""

from neural_trader.trading.paper import Paper, Progress
from neural_trader.trading.running import run, run_async

__all__ = ["Paper", "Progress", "run", "run_async"]
