"""The journal: an append-only log of everything that a gateway must not forget.

Exports and projections are modules of their own, which a gateway does not import.
"""

from neural_trader.execution.journal.disk import Durability
from neural_trader.execution.journal.file import SEGMENT_BYTES, FileJournal
from neural_trader.execution.journal.memory import MemoryJournal
from neural_trader.execution.journal.protocol import Journal
from neural_trader.execution.journal.reading import Summary, Tail, verify, walk
from neural_trader.execution.journal.records import describe

__all__ = [
    "SEGMENT_BYTES",
    "Durability",
    "FileJournal",
    "Journal",
    "MemoryJournal",
    "Summary",
    "Tail",
    "describe",
    "verify",
    "walk",
]
