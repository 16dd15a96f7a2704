"""Splits and dividends: dated tables of them, and prices adjusted for them."""

from neural_trader.data.actions.adjusting import (
    ADJUSTMENTS,
    DIRECTIONS,
    Adjust,
    Adjustment,
    Direction,
    adjusted,
    adjusted_content,
    crossed,
)
from neural_trader.data.actions.known import Actions, merged
from neural_trader.data.actions.tables import load_actions

__all__ = [
    "ADJUSTMENTS",
    "DIRECTIONS",
    "Actions",
    "Adjust",
    "Adjustment",
    "Direction",
    "adjusted",
    "adjusted_content",
    "crossed",
    "load_actions",
    "merged",
]
