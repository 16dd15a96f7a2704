"""Files, frames and bundled samples become validated bars; a column cache makes it fast."""

from neural_trader.data.load import load
from neural_trader.data.samples import Sample, samples

__all__ = ["Sample", "load", "samples"]
