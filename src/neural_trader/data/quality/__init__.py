"""Looks through data for what a person should know before trading on it, and changes nothing."""

from neural_trader.data.quality.checking import check_quality
from neural_trader.data.quality.findings import COLUMNS, KINDS, SEVERITIES, Finding, Quality
from neural_trader.data.quality.moves import FAR, usual_moves

__all__ = [
    "COLUMNS",
    "FAR",
    "KINDS",
    "SEVERITIES",
    "Finding",
    "Quality",
    "check_quality",
    "usual_moves",
]
