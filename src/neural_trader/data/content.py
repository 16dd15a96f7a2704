"""The content of a source: every sound series, grouped by calendar, and the faults of the others.

A fault in one symbol does not stand in the way of the others: it is kept with its message, and
raised when that symbol is asked for.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from neural_trader.core import (
    FIELDS,
    Basis,
    Block,
    ConfigError,
    DataError,
    unknown_symbol,
)
from neural_trader.core.sessions import first_ns, last_ns, session_date
from neural_trader.data.layouts import Reading, Series, read_table
from neural_trader.data.tables import Table
from neural_trader.data.validate import find_fault


class Content(NamedTuple):
    """What a source holds.

    ``symbols`` are all of them in the order of the source, the faulty ones too; ``blocks`` hold
    the sound ones, or those of them that were asked for; ``faults`` maps a symbol to its message.
    """

    symbols: tuple[str, ...]
    blocks: tuple[Block, ...]
    basis: Basis
    faults: Mapping[str, str]


class Span(NamedTuple):
    """An inclusive range of session days since 1970; None is open."""

    first: int | None
    last: int | None


def read_content(name: str, tables: Sequence[Table]) -> Content:
    """Read the tables of a source.

    Raises
    ------
    DataError
        A table cannot be read, or two of them disagree on symbols, basis or time zone.
    """
    readings = [read_table(table) for table in tables]
    _check_agreement(name, tables, readings)
    series = [each for reading in readings for each in reading.series]
    homes: dict[str, Series] = {}
    for each in series:
        other = homes.setdefault(each.symbol, each)
        if other is not each:
            message = (
                f"symbol {each.symbol!r} stands in {other.table.name} and in {each.table.name}; "
                "expected one home. Rename or drop one"
            )
            raise DataError(message)
    faults = {each.symbol: str(fault) for each in series if (fault := find_fault(each))}
    sound = [each for each in series if each.symbol not in faults]
    return Content(tuple(homes), _group(sound), readings[0].basis, faults)


def _check_agreement(name: str, tables: Sequence[Table], readings: Sequence[Reading]) -> None:
    for table, reading in zip(tables, readings, strict=True):
        if reading.clock != readings[0].clock:
            message = (
                f"{name} mixes time zones: {tables[0].name} has {readings[0].clock}, {table.name} "
                f"has {reading.clock}. Bring all files to one"
            )
            raise DataError(message)
        if reading.basis != readings[0].basis:
            message = (
                f"{name} mixes price bases: {tables[0].name} is {readings[0].basis}, {table.name} "
                f"is {reading.basis}. Load them apart"
            )
            raise DataError(message)


def _group(series: Sequence[Series]) -> tuple[Block, ...]:
    """Stack the series that share stamps and fields into blocks, in order of first appearance."""
    groups: dict[tuple[bytes, tuple[str, ...]], list[Series]] = {}
    for each in series:
        fields = tuple(name for name in FIELDS if name in each.fields)
        groups.setdefault((each.stamps.tobytes(), fields), []).append(each)
    blocks = []
    for (_, fields), members in groups.items():
        columns = {name: np.stack([each.fields[name] for each in members]) for name in fields}
        symbols = tuple(each.symbol for each in members)
        blocks.append(_frozen(Block(symbols, np.ascontiguousarray(members[0].stamps), columns)))
    return tuple(blocks)


def _frozen(block: Block) -> Block:
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
    return _merged([_cut(name, homes[members[0]], members, span) for members in groups.values()])


def _check_faults(content: Content, wanted: Sequence[str]) -> None:
    faulty = [symbol for symbol in wanted if symbol in content.faults]
    if faulty:
        rest = f". {len(faulty) - 1} more symbols have faults" if len(faulty) > 1 else ""
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
    return _frozen(block.cut([block.row_of[symbol] for symbol in symbols], low, high))


def _words(span: Span) -> str:
    if span.first is None:
        return f"up to {session_date(first_ns(span.last or 0))}"
    if span.last is None:
        return f"from {session_date(first_ns(span.first))} on"
    return f"from {session_date(first_ns(span.first))} to {session_date(first_ns(span.last))}"


def _merged(blocks: Sequence[Block]) -> tuple[Block, ...]:
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
    return _frozen(Block(symbols, blocks[0].ts_close_ns, fields))


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
