"""The form of a cache entry: a fixed head, JSON that says where columns lie, then the columns.

The head has a magic, the version, the length of the JSON, the size of the file, and the CRC-32 of
these and of the JSON; the JSON has a CRC-32 for each column of a symbol. Columns start at multiples
of 64 bytes. An entry is made of parts in memory (:func:`encode`), or in a mapped file that the
columns were written into one after the other (:func:`seal`).
"""

import json
import mmap
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader.core import Block, Dividend, Split
from neural_trader.core.bars import Floats, Stamps
from neural_trader.data.selection import Content

# To be raised whenever the entry's form changes, or a file would be read into other bars.
VERSION: Final = 1
_MAGIC: Final = b"NTBARS\r\n"
# Magic, version, length of the JSON, size of the file; then the CRC-32 of these and of the JSON.
_HEAD: Final = struct.Struct("<8sIIQ")
_CRC: Final = struct.Struct("<I")
_ALIGN: Final = 64
ROOM: Final = 1 << 16
"""Bytes before the columns of an entry whose JSON is written last."""


class DamagedError(Exception):
    """An entry is not what its key, sizes or checksums say."""


class Mapped(mmap.mmap):
    """A mapped file that knows its path and which file it is, by device and inode.

    None: it has no path that stays.
    """

    path: Path | None = None
    inode: tuple[int, int] = (0, 0)


class Place(NamedTuple):
    """Where a column lies on disk: a file, by path, device and inode, and the byte it starts at."""

    path: Path
    inode: tuple[int, int]
    offset: int


def place_of(values: np.ndarray[Any, Any]) -> Place | None:
    """Return where an array lies in the column cache; None where it is an array in memory."""
    mapped = _mapped_under(values)
    if mapped is None or mapped.path is None or not values.flags.c_contiguous:
        return None
    return Place(mapped.path, mapped.inode, _offset_in(mapped, values))


def _mapped_under(values: np.ndarray[Any, Any]) -> Mapped | None:
    root: object = values
    while isinstance(root, np.ndarray):
        root = root.base
    root = getattr(root, "obj", root)
    return root if isinstance(root, Mapped) else None


def _offset_in(mapped: Mapped, values: np.ndarray[Any, Any]) -> int:
    return int(values.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data)


def require(sound: bool, reason: str) -> None:
    """Refuse an entry that is not sound."""
    if not sound:
        raise DamagedError(reason)


def encode(content: Content, key: str) -> list[Any]:
    """Return the parts of an entry."""
    parts: list[Any] = []
    offset = 0

    def place(values: Floats | Stamps) -> int:
        nonlocal offset
        at = offset
        padding = -values.nbytes % _ALIGN
        parts.extend((values, bytes(padding)))
        offset += values.nbytes + padding
        return at

    text = _text(content, key, place)
    start = _HEAD.size + _CRC.size + len(text)
    padding = -start % _ALIGN
    return [*_sealed(text, start + padding + offset), bytes(padding), *parts]


def seal(mapped: Mapped, content: Content, key: str) -> bool:
    """Make an entry of a mapped file in which the columns of a content lie, from ``ROOM`` on.

    Returns
    -------
    bool
        False: a column lies elsewhere, or the JSON has no room; the file is no entry then.
    """

    def place(values: Floats | Stamps) -> int:
        inside = _mapped_under(values) is mapped and values.flags.c_contiguous
        require(inside, "a column lies elsewhere")
        return _offset_in(mapped, values) - ROOM

    try:
        text = _text(content, key, place)
    except DamagedError:
        return False
    start = _HEAD.size + _CRC.size
    if len(text) > ROOM - start:
        return False
    # Spaces after JSON are JSON: they fill the room.
    head = b"".join(_sealed(text.ljust(ROOM - start), len(mapped)))
    mapped[: len(head)] = head
    return True


def _text(content: Content, key: str, place: Callable[[Floats | Stamps], int]) -> bytes:
    """Return the JSON of an entry whose columns ``place`` finds a place for."""
    blocks = [
        {
            "symbols": block.symbols,
            "bars": len(block.ts_close_ns),
            "stamps": [place(block.ts_close_ns), zlib.crc32(block.ts_close_ns.data)],
            "fields": {
                name: [place(values), [zlib.crc32(row.data) for row in values]]
                for name, values in block.fields.items()
            },
        }
        for block in content.blocks
    ]
    layout = {
        "key": key,
        "symbols": content.symbols,
        "basis": content.basis,
        "faults": content.faults,
        "splits": content.splits,
        "labels": content.labels,
        "dividends": dict(content.dividends),
        "blocks": blocks,
    }
    return json.dumps(layout).encode()


def _sealed(text: bytes, size: int) -> tuple[bytes, bytes, bytes]:
    """Return head, checksum and JSON of an entry of a size."""
    head = _HEAD.pack(_MAGIC, VERSION, len(text), size)
    return head, _CRC.pack(zlib.crc32(text, zlib.crc32(head))), text


def decode(
    mapped: Mapped, key: str, symbols: Sequence[str] | None, *, is_checked: bool = False
) -> Content:
    """Check the head of an entry and read the columns of some symbols.

    Parameters
    ----------
    mapped : Mapped
        The whole file.
    key : str
        Whose entry it must be.
    symbols : sequence of str or None
        Which columns, in which order; None: all.
    is_checked : bool
        Whether the columns have been held to their checksums before, and are not again.

    Raises
    ------
    DamagedError
        It is cut, changed or foreign.
    """
    require(len(mapped) >= _HEAD.size + _CRC.size, "it is cut")
    head = mapped[: _HEAD.size]
    magic, version, length, size = _HEAD.unpack(head)
    require(magic == _MAGIC and version == VERSION, "it is no entry of this version")
    require(size == len(mapped), "it is cut or has a tail")
    start = _HEAD.size + _CRC.size
    text = mapped[start : start + length]
    crc = _CRC.unpack(mapped[_HEAD.size : start])[0]
    require(crc == zlib.crc32(text, zlib.crc32(head)), "its head fails the checksum")
    layout = json.loads(text)
    require(layout["key"] == key, "it belongs to another source")
    base = start + length + (-(start + length)) % _ALIGN
    check = _trust if is_checked else _check
    blocks = tuple(_blocks(mapped, base, layout["blocks"], symbols=symbols, check=check))
    # An entry from before files had any of these has none.
    splits = tuple(Split(*each) for each in layout.get("splits", ()))
    labels = tuple(layout.get("labels", ()))
    dividends = {
        symbol: tuple(Dividend(*each) for each in paid)
        for symbol, paid in layout.get("dividends", {}).items()
    }
    held, basis = tuple(layout["symbols"]), layout["basis"]
    return Content(held, blocks, basis, layout["faults"], splits, labels, dividends)


Check = Callable[[Floats | Stamps, int, str], None]


def _check(values: Floats | Stamps, crc: int, what: str) -> None:
    require(zlib.crc32(values.data) == crc, f"{what} fails the checksum")


def _trust(values: Floats | Stamps, crc: int, what: str) -> None:
    """Take a column as it is: this very file was checked, and has not changed since."""


def _blocks(
    mapped: Mapped,
    base: int,
    layouts: Sequence[Any],
    *,
    symbols: Sequence[str] | None,
    check: Check,
) -> Iterator[Block]:
    """Yield the blocks that hold wanted symbols, with those symbols alone, in the wanted order."""
    for layout in layouts:
        held, bars = layout["symbols"], layout["bars"]
        rows = [held.index(each) for each in (held if symbols is None else symbols) if each in held]
        if not rows:
            continue
        at, crc = layout["stamps"]
        stamps = np.frombuffer(mapped, np.int64, bars, base + at)
        check(stamps, crc, "the column of stamps")
        fields = {}
        for name, (at, crcs) in layout["fields"].items():
            values = np.frombuffer(mapped, np.float64, bars * len(held), base + at)
            taken = take_rows(values.reshape(len(held), bars), rows)
            for row, own in zip(rows, taken, strict=True):
                check(own, crcs[row], "a column")
            fields[name] = taken
        yield Block(tuple(held[row] for row in rows), stamps, fields)


def take_rows(values: Floats, rows: Sequence[int]) -> Floats:
    """Return some rows of a column, read-only: rows that follow each other without a copy."""
    first = rows[0]
    follow = list(rows) == list(range(first, first + len(rows)))
    taken = values[first : first + len(rows)] if follow else values[rows]
    taken.flags.writeable = False
    return taken
