"""Files, frames and bundled samples become validated bars; a column cache makes it fast."""

from importlib import import_module
from typing import TYPE_CHECKING

from neural_trader.data.actions import Actions, load_actions
from neural_trader.data.bundled import Sample, samples
from neural_trader.data.entries import Place, place_of
from neural_trader.data.loading import load, settle
from neural_trader.data.quotes import load_quotes
from neural_trader.data.returns import Returns, load_returns, returns_of
from neural_trader.data.schedules import Schedule, read_schedule

if TYPE_CHECKING:
    from neural_trader.data.scanning import scan

__all__ = [
    "Actions",
    "Place",
    "Returns",
    "Sample",
    "Schedule",
    "load",
    "load_actions",
    "load_quotes",
    "load_returns",
    "place_of",
    "read_schedule",
    "returns_of",
    "samples",
    "scan",
    "settle",
]


def __getattr__(name: str) -> object:
    """Import ``scan`` when it is first used: a warm load has no need of what parses files."""
    if name != "scan":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = import_module("neural_trader.data.scanning").scan
    globals()[name] = value
    return value
