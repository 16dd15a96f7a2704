"""The seal of a file: checksums that are looked at before a Parquet reader sees a byte.

A reader that follows a damaged length may end the whole process instead of raising an error. So the
file's metadata hold the CRC-32 of its body and of its footer (see ``docs/adr``, 3), in text of
fixed width that is filled in after the file is made. The footer's is counted with its own text at
zero. Either can be checked without the other: a list reads footers alone.
"""

import re
import zlib
from pathlib import Path
from typing import Final

from neural_trader.core import DataError

KEY: Final = "neural_trader.seal"
OPEN: Final = "body:00000000,tail:00000000"
"""What the metadata hold until the file is sealed."""

_SEAL: Final = re.compile(rb"body:([0-9a-f]{8}),tail:([0-9a-f]{8})")
_END: Final = b"PAR1"
# The length of the footer, and the magic, in the last eight bytes.
_TRAILER_BYTES: Final = 8
_PART_BYTES: Final = 1 << 20


def sealed(data: bytes) -> bytes:
    """Return a Parquet file whose metadata hold ``OPEN`` with its checksums filled in."""
    start = len(data) - _TRAILER_BYTES - int.from_bytes(data[-8:-4], "little")
    body, tail = data[:start], data[start:]
    seal = f"body:{zlib.crc32(body):08x},tail:{zlib.crc32(tail):08x}"
    return body + tail.replace(OPEN.encode(), seal.encode(), 1)


def check_whole(data: bytes, name: str) -> None:
    """Hold a file to its seal.

    Raises
    ------
    DataError
        It is cut, changed, or was never sealed.
    """
    start = _footer_start(data[-_TRAILER_BYTES:], len(data), name)
    body_crc = _check_tail(data[start:], name)
    if zlib.crc32(data[:start]) != body_crc:
        raise _damaged(name, "its bars fail their checksum")


def check_file(path: Path) -> None:
    """Hold a file to its seal without holding it in memory.

    Raises
    ------
    DataError
        It is cut, changed, or was never sealed.
    """
    tail = checked_tail(path)
    wanted = _check_tail(tail, path.name)
    left, found = path.stat().st_size - len(tail), 0
    with path.open("rb") as file:
        while part := file.read(min(left, _PART_BYTES)):
            found, left = zlib.crc32(part, found), left - len(part)
    if found != wanted:
        raise _damaged(path.name, "its bars fail their checksum")


def checked_tail(path: Path) -> bytes:
    """Read the footer of a file, held to its seal; the body is not read.

    Raises
    ------
    DataError
        It is cut, changed, or was never sealed.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _TRAILER_BYTES, 0))
        start = _footer_start(file.read(), size, path.name)
        file.seek(start)
        tail = file.read()
    _check_tail(tail, path.name)
    return tail


def _footer_start(trailer: bytes, size: int, name: str) -> int:
    start = size - _TRAILER_BYTES - int.from_bytes(trailer[:4], "little")
    if len(trailer) < _TRAILER_BYTES or trailer[4:] != _END or start < len(_END):
        raise _damaged(name, f"it is not a readable Parquet file, or a cut one of {size} bytes")
    return start


def _check_tail(tail: bytes, name: str) -> int:
    """Check the checksum of a footer, and return the body's."""
    if KEY.encode() not in tail:
        message = (
            f"{name} is no file of a catalog, or a damaged one: it has no provenance. Bring it in "
            "with: neural-trader market-data import"
        )
        raise DataError(message)
    found = _SEAL.search(tail)
    if found is None:
        raise _damaged(name, "its seal is broken")
    unsealed = tail[: found.start()] + OPEN.encode() + tail[found.end() :]
    if zlib.crc32(unsealed) != int(found[2], 16):
        raise _damaged(name, "its footer fails its checksum")
    return int(found[1], 16)


def _damaged(name: str, reason: str) -> DataError:
    return DataError(f"{name} is damaged: {reason}. Fetch or import it again")
