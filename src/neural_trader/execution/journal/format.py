"""The bytes of a journal: what a segment and a record look like, and how they are checked.

``docs/journal.md`` is the same in words. A record's checksum covers its number, its place in its
batch, the checksum of the record before and the payload: records form a chain, and each can be
checked alone.
"""

import struct
import zlib
from typing import Final, NamedTuple

VERSION: Final = 1
"""The version of the format: part of every segment's first eight bytes."""
MAGIC: Final = b"NTJRNL" + bytes([VERSION]) + b"\n"
PAYLOAD_MAX: Final = 1 << 20
"""Bytes that a record can hold."""

SEGMENT: Final = struct.Struct("<8sQII")
"""Header of a segment: magic, number of its first record, checksum of the record before, own."""
RECORD: Final = struct.Struct("<IIIIQ")
"""Header of a record: length, checksum, checksum before, place in the batch, number."""
RECORD_START: Final = struct.Struct("<II")
RECORD_REST: Final = struct.Struct("<IIQ")
"""The two parts of a record's header: what stands before the checksummed bytes, and the rest."""

# No segment holds as many records: what looks like a higher number is something else.
_NUMBERS_MAX: Final = 1 << 32
_WINDOW: Final = 1 << 16
_NUMBER: Final = struct.Struct("<Q")
_NUMBER_AT: Final = RECORD.size - _NUMBER.size


class Mark(NamedTuple):
    """What the next record must be.

    ``seq`` is its number, ``chain`` the checksum of the record before, and ``place`` its place if
    it continues the batch; a record at place 0 begins a new one.
    """

    seq: int
    chain: int
    place: int


START: Final = Mark(1, 0, 0)
"""Where every journal begins."""


def segment_name(seq: int) -> str:
    """Return the name of the file whose first record has this number."""
    return f"{seq:016d}.log"


def segment_header(mark: Mark) -> bytes:
    """Return the first bytes of a segment that goes on at ``mark``."""
    checked = SEGMENT.pack(MAGIC, mark.seq, mark.chain, 0)[:-4]
    return checked + zlib.crc32(checked).to_bytes(4, "little")


def read_segment_header(data: bytes) -> Mark | None:
    """Return where a segment begins, or None where its header is not whole."""
    if len(data) < SEGMENT.size:
        return None
    magic, seq, chain, crc = SEGMENT.unpack_from(data)
    if magic != MAGIC or zlib.crc32(data[: SEGMENT.size - 4]) != crc:
        return None
    return Mark(seq, chain, 0)


def scan(data: bytes, mark: Mark, found: list[tuple[int, bytes]] | None = None) -> tuple[int, Mark]:
    """Check records from the start of ``data`` until one is not good, or not all there.

    Parameters
    ----------
    data : bytes
        Begins with a record.
    mark : Mark
        What the first record must be.
    found : list of (int, bytes), optional
        Takes the numbers and payloads of the good records.

    Returns
    -------
    int
        The bytes that good records take.
    Mark
        What the record after them must be.
    """
    seq, chain, place = mark
    at = 0
    size = len(data)
    last = size - RECORD.size
    unpack = RECORD.unpack_from
    crc32 = zlib.crc32
    while at < last:
        length, crc, before, where, number = unpack(data, at)
        end = at + RECORD.size + length
        if (
            number != seq
            or before != chain
            or not 0 < length <= PAYLOAD_MAX
            # A length that lies could still let the checksum hold, if the bytes end here.
            or end > size
            or (where and where != place)
            or crc32(data[at + RECORD_START.size : end]) != crc
        ):
            break
        if found is not None:
            found.append((seq, data[at + RECORD.size : end]))
        chain = crc
        place = where + 1
        seq += 1
        at = end
    return at, Mark(seq, chain, place)


def record_bytes(data: bytes, at: int = 0) -> int:
    """Return how long the record at ``at`` says it is, or 0 where that is impossible."""
    if len(data) < at + RECORD.size:
        return 0
    length: int = RECORD.unpack_from(data, at)[0]
    return RECORD.size + length if 0 < length <= PAYLOAD_MAX else 0


def peek(data: bytes) -> Mark:
    """Return what the record at the start of ``data`` says that it is."""
    _, _, chain, place, seq = RECORD.unpack_from(data)
    return Mark(seq, chain, place)


def finds_batch_after(data: bytes, seq: int) -> bool:
    """Return whether a good record whose batch began after number ``seq`` stands in ``data``.

    It may stand at any byte, and the zeros at the end of the last one may be missing. Cost: some
    50 ns a byte, in windows, so that a record that is near is found soon.
    """
    high = seq + _NUMBERS_MAX
    for start in range(0, len(data), _WINDOW):
        # Eight readings, a byte apart, see the number of every record that begins in the window.
        for shift in range(_NUMBER.size):
            begin = start + shift + _NUMBER_AT
            end = min(len(data), begin + _WINDOW)
            end -= (end - begin) % _NUMBER.size
            numbers = _NUMBER.iter_unpack(memoryview(data)[begin:end]) if end > begin else ()
            for step, (number,) in enumerate(numbers):
                if seq < number <= high and _is_later(data, start + shift + step * 8, seq):
                    return True
    return False


def _is_later(data: bytes, at: int, seq: int) -> bool:
    """Return whether a good record stands at ``at`` whose batch began after ``seq``."""
    _, crc, _, place, number = RECORD.unpack_from(data, at)
    size = record_bytes(data, at)
    if not size or number - place <= seq:
        return False
    # A payload may end with zeros, and whoever reads a segment leaves out the zeros at its end.
    checked = data[at + RECORD_START.size : at + size].ljust(size - RECORD_START.size, b"\0")
    return bool(zlib.crc32(checked) == crc)


def is_segment(name: str) -> bool:
    """Return whether a file's name is that of a segment."""
    return len(name) == 20 and name.endswith(".log") and name[:16].isascii() and name[:16].isdigit()
