"""Sweeps: one strategy, many parameters; every trial is counted and may be kept in a ledger."""

from neural_trader.backtesting.sweeps.grid import read_grid_text
from neural_trader.backtesting.sweeps.result import SweepResult
from neural_trader.backtesting.sweeps.sweep import make_core, sweep

__all__ = ["SweepResult", "make_core", "read_grid_text", "sweep"]
