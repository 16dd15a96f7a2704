"""Files, frames and bundled samples become validated bars; a column cache makes it fast."""

from neural_trader.data.bundled import Sample, samples
from neural_trader.data.loading import load

__all__ = ["Sample", "load", "samples"]
