"""Indicators: one definition each, taken a bar at a time or over whole columns.

An indicator is an object: ``update`` takes one bar and returns the main value, which stays readable
as ``value``, and so do its other outputs, by name. ``batch`` takes whole columns and returns what
``update`` would have returned at every bar, to the bit, and leaves the object as it was.

Timing: a value at bar t reads bars up to and including t. Missing: NaN before the first defined
bar; docs/indicators.md says for each what a NaN among its inputs does.
"""

from neural_trader.strategies.indicators.averages import ATR, EMA, MACD, RSI, VWAP
from neural_trader.strategies.indicators.cache import CacheStats, IndicatorCache
from neural_trader.strategies.indicators.windows import (
    OLS,
    SMA,
    Bollinger,
    Correlation,
    Donchian,
    Max,
    Min,
    Std,
    ZScore,
)

__all__ = [
    "ATR",
    "EMA",
    "MACD",
    "OLS",
    "RSI",
    "SMA",
    "VWAP",
    "Bollinger",
    "CacheStats",
    "Correlation",
    "Donchian",
    "IndicatorCache",
    "Max",
    "Min",
    "Std",
    "ZScore",
]
