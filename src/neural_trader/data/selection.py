"""What a source holds, and the choice of symbols and days from it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from neural_trader.core import (
    Basis,
    Block,
    ConfigError,
    DataError,
    Dividend,
    Split,
    unknown_symbol,
)
from neural_trader.core.sessions import first_ns, last_ns, session_date


class Content(NamedTuple):
    """What a source holds.

    ``symbols`` are all of them in the order of the source, the faulty ones too; ``blocks`` hold
    the sound ones, or those of them that were asked for; ``faults`` maps a symbol to its message.
    ``splits`` are those that raw prices are not adjusted for, ``labels`` what every result must
    say. ``dividends`` has the symbols whose cash dividends are known, with none where none was
    paid. The files of a catalog know all three.
    """

    symbols: tuple[str, ...]
    blocks: tuple[Block, ...]
    basis: Basis
    faults: Mapping[str, str]
    splits: tuple[Split, ...] = ()
    labels: tuple[str, ...] = ()
    dividends: Mapping[str, tuple[Dividend, ...]] = MappingProxyType({})


class Span(NamedTuple):
    """An inclusive range of session days since 1970; None is open."""

    first: int | None
    last: int | None


def frozen(block: Block) -> Block:
    """Make the arrays of a block read-only."""
    block.ts_close_ns.flags.writeable = False
    for values in block.fields.values():
        values.flags.writeable = False
    return block


def select(
    name: str, content: Content, symbols: Sequence[str] | None, span: Span
) -> tuple[Block, ...]:
    """Return the blocks of some symbols, in their order, over a range of session days.

    Raises
    ------
    DataError
        A symbol is unknown or faulty, or has no bar in the range.
    """
    wanted = content.symbols if symbols is None else symbols
    if len(content.faults) or not content.blocks:
        _check_faults(content, wanted)
    homes = {symbol: block for block in content.blocks for symbol in block.symbols}
    groups: dict[int, list[str]] = {}
    for symbol in wanted:
        if symbol not in homes:
            raise DataError(unknown_symbol(symbol, content.symbols, where=name))
        groups.setdefault(id(homes[symbol]), []).append(symbol)
    return merged_blocks(
        [_cut(name, homes[members[0]], members, span) for members in groups.values()]
    )


def _check_faults(content: Content, wanted: Sequence[str]) -> None:
    faulty = [symbol for symbol in wanted if symbol in content.faults]
    if faulty:
        rest = f". Symbols with faults: {len(faulty)}" if len(faulty) > 1 else ""
        raise DataError(content.faults[faulty[0]] + rest)


def _cut(name: str, block: Block, symbols: Sequence[str], span: Span) -> Block:
    stamps = block.ts_close_ns
    low = 0 if span.first is None else int(np.searchsorted(stamps, first_ns(span.first), "left"))
    high = len(stamps)
    if span.last is not None:
        high = int(np.searchsorted(stamps, last_ns(span.last), "right"))
    if low >= high:
        message = (
            f"{name}: {', '.join(symbols)} has no bar {_words(span)}; its bars reach from "
            f"{session_date(stamps[0])} to {session_date(stamps[-1])}. Change the range"
        )
        raise DataError(message)
    return frozen(block.cut([block.row_of[symbol] for symbol in symbols], low, high))


def _words(span: Span) -> str:
    if span.first is None:
        return f"up to {session_date(first_ns(span.last or 0))}"
    if span.last is None:
        return f"from {session_date(first_ns(span.first))} on"
    return f"from {session_date(first_ns(span.first))} to {session_date(first_ns(span.last))}"


def merged_blocks(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Join blocks that share a calendar within the range: equal data give equal blocks."""
    if len(blocks) == 1:
        return tuple(blocks)
    groups: dict[tuple[bytes, tuple[str, ...]], list[Block]] = {}
    for block in blocks:
        key = (block.ts_close_ns.tobytes(), tuple(block.fields))
        groups.setdefault(key, []).append(block)
    return tuple(
        members[0] if len(members) == 1 else _joined(members) for members in groups.values()
    )


def _joined(blocks: Sequence[Block]) -> Block:
    symbols = tuple(symbol for block in blocks for symbol in block.symbols)
    fields = {
        name: np.concatenate([block.fields[name] for block in blocks]) for name in blocks[0].fields
    }
    return frozen(Block(symbols, blocks[0].ts_close_ns, fields))


def read_span(start: int | None, end: int | None) -> Span:
    """Return the range between two session days.

    Raises
    ------
    ConfigError
        The start lies after the end.
    """
    if start is not None and end is not None and start > end:
        message = (
            f"start {session_date(first_ns(start))} lies after end {session_date(first_ns(end))}; "
            "expected start <= end. Swap them"
        )
        raise ConfigError(message)
    return Span(start, end)
