"""Small bars for tests: symbols, closes and what else a test needs, a bar a day."""

from collections.abc import Mapping, Sequence

import numpy as np

import neural_trader as nt
from neural_trader.core import Block, Split
from neural_trader.core.sessions import last_ns, session_day

MONDAY = session_day("2024-01-01", option="start")

Columns = Mapping[str, Sequence[float]]


def make_block(closes: Columns, opens: Columns | None = None, *, days: Sequence[int] = ()) -> Block:
    """Return a block whose bars close on days counted from Monday, 2024-01-01."""
    length = len(next(iter(closes.values())))
    stamps = np.array([last_ns(MONDAY + day) for day in days or range(length)], dtype=np.int64)
    fields = {"close": np.array([closes[symbol] for symbol in closes], dtype=np.float64)}
    if opens is not None:
        fields["open"] = np.array([opens[symbol] for symbol in closes], dtype=np.float64)
    return Block(tuple(closes), stamps, fields)


def make_bars(
    closes: Columns, opens: Columns | None = None, *, splits: tuple[Split, ...] = ()
) -> nt.Bars:
    """Return bars of one block, named "made"."""
    return nt.Bars((make_block(closes, opens),), name="made", splits=splits)
