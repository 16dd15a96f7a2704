"""Plain CSV files become columns in one pass over their bytes, without a detour through text.

Plain is what programs write: one line a record, no quotes, days or ISO times of one offset, decimal
numbers, no empty cell that a bar would need. What is read here is what
:func:`~neural_trader.data.content.read_content` makes of the same files, to the bit. Whatever is
out of the ordinary, a faulty cell among it, is left to that one way: it reads the bytes anew and
knows what to say.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from neural_trader._kernels import plain_csv as kernel
from neural_trader.core import Basis, DataError
from neural_trader.core.bars import Floats, Stamps
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.content import Member, group
from neural_trader.data.layouts import by_code, read_names
from neural_trader.data.paths import CSV
from neural_trader.data.readers import header_of
from neural_trader.data.selection import Content
from neural_trader.data.tables import CsvText
from neural_trader.data.times import DATES, read_offset
from neural_trader.data.validate import are_sound, is_positive

_OFFSET: Final = re.compile(rb"(Z|z|[+-]\d{2}:?\d{2}|[+-]\d{2})?")
_MARK: Final = b"\xef\xbb\xbf"


class _Odd(Exception):  # noqa: N818 - no error: what is odd is read in another way
    """The files hold something that is not read here."""


def read_plain(files: Sequence[tuple[Path, bytes]]) -> Content | None:
    """Read CSV files whose bytes are at hand; None: they hold something out of the ordinary."""
    if any(path.suffix.lower() not in CSV for path, _ in files):
        return None
    try:
        texts = [_read(path, data) for path, data in files]
    except _Odd:
        return None
    members = [member for text in texts for member in text.members]
    symbols = tuple(symbol for symbol, _, _ in members)
    if len(set(symbols)) < len(symbols) or len({(text.clock, text.basis) for text in texts}) > 1:
        return None
    return Content(symbols, group(members), texts[0].basis, {})


class _Text(NamedTuple):
    """What one file holds."""

    members: list[Member]
    clock: str
    basis: Basis


def _read(path: Path, data: bytes) -> _Text:
    data = data.removeprefix(_MARK)
    if not data.isascii() or b'"' in data or data[:1] in {b"\r", b"\n", b""}:
        raise _Odd
    if not data.endswith(b"\n"):
        data += b"\n"
    text = CsvText(data)
    begin = data.index(b"\n") + 1
    if b"\r" in data[:begin].removesuffix(b"\r\n"):
        raise _Odd
    try:
        header = header_of(text, data, path.name)
        names = read_names(path.name, header)
    except DataError:
        raise _Odd from None
    # Numbers come in the order of the header.
    asked = names.fields.values() if "close" in names.fields else names.others
    numbers = [name for name in header if name in asked]
    kinds = np.full(len(header), kernel.SKIPPED, np.int64)
    kinds[[header.index(name) for name in numbers]] = kernel.NUMBER
    kinds[header.index(names.time)] = kernel.TIME
    if names.symbol is not None:
        kinds[header.index(names.symbol)] = kernel.SYMBOL
    rows = data.count(b"\n", begin)
    stamps, codes = np.empty((2, rows), np.int64)
    values = np.empty((len(numbers), rows))
    marks = np.zeros(kernel.MARKS, np.int64)
    known: dict[bytes, int] = {}
    separator = ord(text.separator)
    read = kernel.parse(data, begin, separator, kinds, stamps, codes, values, known, marks)
    if read != rows or not rows:
        raise _Odd
    clock = _set_clock(stamps, data[marks[1] : marks[2]], is_dated=not marks[3])
    if "close" not in names.fields:
        members = _wide(numbers, stamps, values)
    else:
        fields = {field: values[numbers.index(name)] for field, name in names.fields.items()}
        labels = (path.stem,) if names.symbol is None else tuple(each.decode() for each in known)
        members = _long(labels, codes, stamps, fields)
    return _Text(members, clock, names.basis)


def _set_clock(stamps: Stamps, offset: bytes, *, is_dated: bool) -> str:
    """Bring stamps to UTC, those of dates to the end of their day; return their clock."""
    if not _OFFSET.fullmatch(offset):
        raise _Odd
    if is_dated:
        stamps += DAY_NS - 1
        return DATES
    clock, ahead = read_offset(offset.decode())
    stamps -= ahead
    return clock


def _wide(names: Sequence[str], stamps: Stamps, values: Floats) -> list[Member]:
    is_named = all(name.strip() for name in names)
    if not (is_named and is_positive(values, is_volume=False) and _is_rising(stamps)):
        raise _Odd
    return [
        (name.strip(), stamps, {"close": column})
        for name, column in zip(names, values, strict=True)
    ]


def _long(
    labels: Sequence[str], codes: Stamps, stamps: Stamps, fields: Mapping[str, Floats]
) -> list[Member]:
    """Split rows by symbol, in the order in which the symbols first stand."""
    if not are_sound(fields):
        raise _Odd
    if len(labels) == 1:
        if not _is_rising(stamps):
            raise _Odd
        return [(labels[0], stamps, fields)]
    order, edges = by_code(codes, len(labels))
    stamps = stamps[order]
    if not _is_rising(stamps, but=edges[1:-1]):
        raise _Odd
    sorted_fields = {name: values[order] for name, values in fields.items()}
    return [
        (
            label,
            stamps[edges[code] : edges[code + 1]],
            {name: x[edges[code] : edges[code + 1]] for name, x in sorted_fields.items()},
        )
        for code, label in enumerate(labels)
    ]


def _is_rising(stamps: Stamps, *, but: Stamps | None = None) -> bool:
    """Return whether stamps rise strictly, but for the positions where another symbol begins."""
    rises = stamps[1:] > stamps[:-1]
    if but is not None:
        rises[but - 1] = True
    return bool(rises.all())
