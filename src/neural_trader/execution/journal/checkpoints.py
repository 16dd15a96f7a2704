"""Checkpoints in a journal's folder: what stands for records that are no longer kept.

``0000000000012345.checkpoint`` holds the state that the records before 12345 come to, which is the
first record of a segment. A journal begins at its newest checkpoint; older files are leftovers.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import Final, NamedTuple

from neural_trader.core.errors import JournalError
from neural_trader.execution.journal import disk

SUFFIX: Final = ".checkpoint"
MAGIC: Final = b"NTCHKP\x01\n"
HEADER: Final = struct.Struct("<8sQIII")
"""Magic, number of the first record that is kept, checksum of the one before, length, checksum."""


class Checkpoint(NamedTuple):
    """What stands for the records before number ``seq``; ``chain`` is the last one's checksum."""

    seq: int
    chain: int
    data: bytes


def checkpoint_name(seq: int) -> str:
    """Return the name of the file that stands for the records before a number."""
    return f"{seq:016d}{SUFFIX}"


def checkpoint_seq(name: str) -> int:
    """Return the number in a checkpoint's name, or 0 where it is another file's."""
    digits = name.removesuffix(SUFFIX)
    is_one = name != digits and len(digits) == 16 and digits.isascii() and digits.isdigit()
    return int(digits) if is_one else 0


def read_checkpoint(folder: Path, seq: int) -> Checkpoint:
    """Return the checkpoint before a record.

    Raises
    ------
    JournalError
        It is damaged, or cannot be read.
    """
    path = folder / checkpoint_name(seq)
    try:
        found = path.read_bytes()
    except OSError as error:
        message = f"the checkpoint {path} cannot be read: {error.strerror or error}"
        raise JournalError(message) from error
    head, data = found[: HEADER.size], found[HEADER.size :]
    if len(head) == HEADER.size:
        magic, number, chain, length, crc = HEADER.unpack(head)
        checked = head[: HEADER.size - 4] + data
        if (magic, number, length) == (MAGIC, seq, len(data)) and zlib.crc32(checked) == crc:
            return Checkpoint(seq, chain, data)
    message = (
        f"the checkpoint {path} is damaged: it is not what was written. Nothing was changed; put "
        "the file back from a copy, since the records that it stands for are no longer kept"
    )
    raise JournalError(message)


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, flushed, whole or not at all.

    Raises
    ------
    OSError
        What the system says.
    """
    path = folder / checkpoint_name(checkpoint.seq)
    head = HEADER.pack(MAGIC, checkpoint.seq, checkpoint.chain, len(checkpoint.data), 0)[:-4]
    crc = zlib.crc32(head + checkpoint.data)
    temporary = path.with_name(f".{path.name}.part")
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, disk.FILE_MODE)
    try:
        data = head + crc.to_bytes(4, "little") + checkpoint.data
        disk.write(fd, data, 0, is_flushed=False)
        os.fsync(fd)
    finally:
        os.close(fd)
    # Crash: before this line the journal begins where it did, and after it at the checkpoint.
    temporary.replace(path)
    disk.flush_folder(folder)
