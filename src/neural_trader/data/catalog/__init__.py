"""A folder of validated series by frequency and symbol: safe to write, append to and share."""

from neural_trader.data.catalog.actions import KnownActions
from neural_trader.data.catalog.checks import check_origin
from neural_trader.data.catalog.exporting import export_bars
from neural_trader.data.catalog.files import time_text
from neural_trader.data.catalog.gaps import Gaps, find_gaps
from neural_trader.data.catalog.merging import OnConflict
from neural_trader.data.catalog.names import file_name, symbol_of
from neural_trader.data.catalog.provenance import Origin, Provenance, uncovered
from neural_trader.data.catalog.store import Catalog, Check, Entry, Written

__all__ = [
    "Catalog",
    "Check",
    "Entry",
    "Gaps",
    "KnownActions",
    "OnConflict",
    "Origin",
    "Provenance",
    "Written",
    "check_origin",
    "export_bars",
    "file_name",
    "find_gaps",
    "symbol_of",
    "time_text",
    "uncovered",
]
