"""The splits and dividends that a file of the catalog knows, in its provenance."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from neural_trader.core import DataError, Dividend, Split
from neural_trader.data.actions import Actions, adjusted, merged
from neural_trader.data.catalog.files import block_of, from_bytes, provenance_of, to_bytes
from neural_trader.data.catalog.provenance import KnownDividend, KnownSplit, Provenance


class KnownActions(NamedTuple):
    """What one file knows, and how many of it are new.

    ``dividends`` is None where nobody has told about them.
    """

    symbol: str
    frequency: str
    splits: tuple[Split, ...]
    dividends: tuple[Dividend, ...] | None
    added: int


def known_of(provenance: Provenance, added: int = 0) -> KnownActions:
    """Return the actions that a provenance knows."""
    return KnownActions(
        provenance.symbol,
        provenance.frequency,
        provenance.known_splits,
        provenance.known_dividends,
        added,
    )


def with_actions(
    path: Path, data: bytes, table: Actions, *, complete: bool, replace_all: bool
) -> tuple[bytes | None, KnownActions]:
    """Return a file that knows a table, and what it knows then.

    ``complete`` says that the table has all dividends of the symbol: none means that none was paid.

    The bytes are None where nothing changes.

    Raises
    ------
    DataError
        The file is damaged, its prices are not raw, an action is there with another value, or a
        dividend is not below the close before it.
    """
    columns, provenance = from_bytes(path, data)
    symbol = provenance.symbol
    if provenance.origin.basis != "raw":
        message = (
            f"{symbol} ({provenance.frequency}) holds {provenance.origin.basis} prices; corporate "
            "actions are for raw ones. Fetch or import raw prices"
        )
        raise DataError(message)
    before = Actions(provenance.known_splits, provenance.known_dividends or ())
    new = table.of((symbol,))
    after = new if replace_all else merged(before, new)
    # What nobody could load later is refused now.
    adjusted(block_of(symbol, columns), after)
    told = complete or bool(after.dividends) or provenance.dividends is not None
    fresh = msgspec.structs.replace(
        provenance,
        splits=tuple(KnownSplit(each.date, each.ratio) for each in after.splits),
        dividends=tuple(
            KnownDividend(each.date, each.amount, each.currency, each.special)
            for each in after.dividends
        )
        if told
        else None,
    )
    added = len({*after.splits, *after.dividends} - {*before.splits, *before.dividends})
    data_now = None if fresh == provenance else to_bytes(columns, fresh)[0]
    return data_now, known_of(fresh, added)


def kept_beside(fresh: Provenance, paths: Sequence[Path]) -> Provenance:
    """Return a new provenance with the actions that other files of its symbol know.

    A series of another frequency, or one that takes the place of what is there, is one of the same
    shares. Prices that are not raw know their actions themselves.
    """
    if fresh.origin.basis != "raw":
        return fresh
    for path in paths:
        # A file that is replaced because it is damaged has nothing to tell.
        with suppress(DataError, OSError):
            other = provenance_of(path)
            if other.symbol == fresh.symbol and other.origin.basis == "raw":
                known = {each.date: each for each in (*other.splits, *fresh.splits)}
                dividends = fresh.dividends if other.dividends is None else other.dividends
                fresh = msgspec.structs.replace(
                    fresh,
                    splits=tuple(known[day] for day in sorted(known)),
                    dividends=dividends,
                )
    return fresh
