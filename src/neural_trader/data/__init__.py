"""Files, frames and bundled samples become validated bars; a column cache makes it fast."""

from neural_trader.data.bundled import Sample, samples
from neural_trader.data.loading import load
from neural_trader.data.schedules import Schedule, read_schedule

__all__ = ["Sample", "Schedule", "load", "read_schedule", "samples"]
