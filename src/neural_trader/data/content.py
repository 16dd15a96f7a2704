"""Tables become the content of a source: every sound series grouped by calendar, and the faults.

A fault in one symbol does not stand in the way of the others: it is kept with its message, and
raised when that symbol is asked for.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from neural_trader.core import FIELDS, Block, DataError
from neural_trader.core.bars import Floats, Stamps
from neural_trader.data.layouts import Reading, Series, read_table
from neural_trader.data.selection import Content, frozen
from neural_trader.data.tables import Table
from neural_trader.data.validate import find_fault

Member = tuple[str, Stamps, Mapping[str, Floats]]
"""A symbol, its stamps, and its fields, each of shape (T,)."""


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
    sound = [
        (each.symbol, each.stamps, each.fields) for each in series if each.symbol not in faults
    ]
    splits = tuple(split for table in tables for split in table.splits)
    labels = tuple(sorted({label for table in tables for label in table.labels}))
    dividends = {
        table.symbol: table.dividends
        for table in tables
        if table.symbol is not None and table.dividends is not None
    }
    basis = readings[0].basis
    return Content(tuple(homes), group(sound), basis, faults, splits, labels, dividends)


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


def group(members: Sequence[Member]) -> tuple[Block, ...]:
    """Stack the symbols that share stamps and fields into blocks, in order of first appearance."""
    groups: dict[tuple[bytes, tuple[str, ...]], list[Member]] = {}
    for member in members:
        _, stamps, fields = member
        names = tuple(name for name in FIELDS if name in fields)
        groups.setdefault((stamps.tobytes(), names), []).append(member)
    blocks = []
    for (_, names), same in groups.items():
        columns = {name: np.stack([fields[name] for _, _, fields in same]) for name in names}
        symbols = tuple(symbol for symbol, _, _ in same)
        blocks.append(frozen(Block(symbols, np.ascontiguousarray(same[0][1]), columns)))
    return tuple(blocks)
