"""Longer bars from shorter ones, and bars from trades: one clock, anchored to sessions."""

from neural_trader.data.aggregation.resampling import resample
from neural_trader.data.aggregation.trades import bars_from_trades

__all__ = ["bars_from_trades", "resample"]
