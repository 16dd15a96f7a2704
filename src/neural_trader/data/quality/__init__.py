"""Looks through data for what a person should know before trading on it, and changes nothing."""

from neural_trader.data.quality.checking import check_quality
from neural_trader.data.quality.findings import KINDS, SEVERITIES, Finding, Quality

__all__ = ["KINDS", "SEVERITIES", "Finding", "Quality", "check_quality"]
