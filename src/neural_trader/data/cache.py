"""The column cache: what a file held, as memory-mapped columns, found again by its bytes.

A second load of the same file neither parses it nor imports Polars. The cache is a convenience and
never an authority: an entry that is missing, foreign, cut, flipped or of another version counts
for nothing, and the source is read again.

::

    <folder>/v1/<key>.bars     an entry; the key digests names and bytes of the source's files
    <folder>/v1/<path>.known   the key of a path when it was last read, and its files' stamps
    <folder>/v1/*.tmp          an entry or record that is being written

An entry is a fixed head (magic, version, sizes, CRC-32), JSON that says where each column lies and
its CRC-32, then the columns, aligned to 64 bytes. Only columns that are read are checked.

Entries are written under a temporary name and moved into place, and never changed afterwards:
processes may read, write and evict at the same time, and a mapped entry stays readable after it is
evicted.

This module alone of its room reads the environment, for where the cache lies: a library call from
a notebook has no front door that could pass it in, and where a copy is kept changes no result.
"""

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader.core import Block, Dividend, Split
from neural_trader.core.bars import Floats, Stamps
from neural_trader.data.selection import Content

LIMIT_BYTES: Final = 2 << 30
RECORDS_MAX: Final = 4096
# To be raised whenever the entry's form changes, or a file would be read into other bars.
_VERSION: Final = 1
_MAGIC: Final = b"NTBARS\r\n"
# Magic, version, length of the JSON, size of the file; then the CRC-32 of these and of the JSON.
_HEAD: Final = struct.Struct("<8sIIQ")
_CRC: Final = struct.Struct("<I")
_ALIGN: Final = 64
# A file that changed so shortly before it was indexed may have changed again within one tick of
# the file system's clock.
_RACY_NS: Final = 2_000_000_000
# A writer needs seconds; a temporary file this much older than the newest entry has lost its own.
_LEFTOVER_NS: Final = 3_600_000_000_000


class FileStamp(NamedTuple):
    """What tells a file apart from its earlier self without reading it."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


class _DamagedError(Exception):
    """An entry is not what its key, sizes or checksums say."""


def cache_folder() -> Path | None:
    """Return where the cache lies.

    ``$NEURAL_TRADER_CACHE``, else ``$XDG_CACHE_HOME/neural-trader``, else
    ``~/.cache/neural-trader``; None where the user has no home, as in some containers.
    """
    named = os.environ.get("NEURAL_TRADER_CACHE")  # noqa: TID251 - see the module's docstring
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME", "")  # noqa: TID251 - see the module's docstring
    # The base directory specification has relative paths ignored.
    if base.startswith("/"):
        return Path(base) / "neural-trader"
    try:
        return Path("~/.cache/neural-trader").expanduser()
    except RuntimeError:
        return None


def stamp_of(path: Path) -> FileStamp:
    """Return the stamp of a file, following links."""
    stat = path.stat()
    return FileStamp(
        path.name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev
    )


def key_of(name: str, files: Sequence[tuple[Path, bytes]]) -> str:
    """Return the key of a source: a digest of its name, its files' names and their bytes.

    Names count because they name symbols, and because messages show them.
    """
    import hashlib

    digests = [(path.name, hashlib.sha256(data).hexdigest()) for path, data in files]
    return hashlib.sha256(json.dumps([_VERSION, name, digests]).encode()).hexdigest()


class ColumnCache:
    """A folder of entries.

    Parameters
    ----------
    folder : Path
        Made when the first entry is written.
    limit_bytes : int
        Most bytes that the entries take together; the least recently used go first.

    Attributes
    ----------
    damaged : int
        Entries found damaged, and ignored, by this object.
    """

    def __init__(self, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder = folder / f"v{_VERSION}"
        self.limit_bytes = limit_bytes
        self.damaged = 0
        self._warned = False

    def known_key(self, source: Path, stamps: Sequence[FileStamp]) -> str | None:
        """Return the key that a source had when it was read, if its files are unchanged since."""
        try:
            with self._record(source).open("rb") as file:
                written_ns = os.fstat(file.fileno()).st_mtime_ns
                record = json.loads(file.read())
            key, path, files = record["key"], record["path"], record["files"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if path != str(source) or files != [list(stamp) for stamp in stamps]:
            return None
        newest = max(max(stamp.mtime_ns, stamp.ctime_ns) for stamp in stamps)
        return str(key) if newest < written_ns - _RACY_NS else None

    def remember(self, source: Path, stamps: Sequence[FileStamp], key: str) -> None:
        """Note which key the files of a source have."""
        record = {"path": str(source), "files": stamps, "key": key}
        self._write(self._record(source), [json.dumps(record).encode()])

    def read(self, key: str, symbols: Sequence[str] | None) -> Content | None:
        """Return the content of an entry, with the blocks of some symbols or of all.

        A block that is wanted whole is mapped, not copied. Symbols that the entry does not have
        are left out.

        Returns
        -------
        Content or None
            None: there is no sound entry.
        """
        path = self._entry(key)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                _require(size >= _HEAD.size + _CRC.size, "it is cut")
                mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
            content = _decode(mapped, key, symbols)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn("the column cache cannot be read (%s); reading the source", error)
            return None
        except (_DamagedError, ValueError, KeyError, TypeError) as error:
            self.damaged += 1
            self._warn("the cache entry %s is damaged (%s); rebuilding it", path, error)
            return None
        with suppress(OSError):
            # The time of the last use, for eviction.
            os.utime(path)
        return content

    def write(self, key: str, content: Content) -> None:
        """Keep a content; a failure costs a warning and nothing else."""
        self._write(self._entry(key), _encode(content, key))
        self._evict(self._entry(key))

    def _entry(self, key: str) -> Path:
        return self.folder / f"{key}.bars"

    def _record(self, source: Path) -> Path:
        import hashlib

        return self.folder / f"{hashlib.sha256(os.fsencode(source)).hexdigest()[:40]}.known"

    def _write(self, path: Path, parts: Sequence[Any]) -> None:
        """Write a file whole or not at all."""
        import tempfile

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(".tmp", f"{path.stem[:16]}.", self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.writelines(parts)
                # Crash: before this line the old entry or none is there, after it the new one.
                Path(temporary).replace(path)
            except BaseException:
                with suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            self._warn("the column cache cannot be written (%s); going on without", error)

    def _evict(self, newest: Path) -> None:
        """Delete what was used longest ago beyond the limit, and leftovers of dead writers."""
        try:
            newest_ns = newest.stat().st_mtime_ns
            found = [(path.stat(), path) for path in self.folder.iterdir()]
        except OSError:
            # Another process evicts at the same time: it does the work.
            return
        found.sort(key=lambda each: (each[0].st_mtime_ns, each[1]), reverse=True)
        kept_bytes = records = 0
        for stat, path in found:
            if path.suffix == ".tmp":
                dead = newest_ns - stat.st_mtime_ns > _LEFTOVER_NS
            elif path.suffix == ".known":
                records += 1
                dead = records > RECORDS_MAX
            elif path.suffix == ".bars":
                kept_bytes += stat.st_size
                dead = kept_bytes > self.limit_bytes and path != newest
                kept_bytes -= stat.st_size if dead else 0
            else:
                dead = False
            if dead:
                with suppress(OSError):
                    path.unlink()

    def _warn(self, message: str, *values: object) -> None:
        """Log one warning; the first cause of a load explains the others."""
        if not self._warned:
            import logging

            self._warned = True
            logging.getLogger(__name__).warning(message, *values)


def _require(sound: bool, reason: str) -> None:
    """Refuse an entry that is not sound."""
    if not sound:
        raise _DamagedError(reason)


def _encode(content: Content, key: str) -> list[Any]:
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
    text = json.dumps(layout).encode()
    start = _HEAD.size + _CRC.size + len(text)
    padding = -start % _ALIGN
    head = _HEAD.pack(_MAGIC, _VERSION, len(text), start + padding + offset)
    crc = _CRC.pack(zlib.crc32(text, zlib.crc32(head)))
    return [head, crc, text, bytes(padding), *parts]


def _decode(mapped: mmap.mmap, key: str, symbols: Sequence[str] | None) -> Content:
    """Check the head of an entry and read the columns of some symbols."""
    head = mapped[: _HEAD.size]
    magic, version, length, size = _HEAD.unpack(head)
    _require(magic == _MAGIC and version == _VERSION, "it is no entry of this version")
    _require(size == len(mapped), "it is cut or has a tail")
    start = _HEAD.size + _CRC.size
    text = mapped[start : start + length]
    crc = _CRC.unpack(mapped[_HEAD.size : start])[0]
    _require(crc == zlib.crc32(text, zlib.crc32(head)), "its head fails the checksum")
    layout = json.loads(text)
    _require(layout["key"] == key, "it belongs to another source")
    base = start + length + (-(start + length)) % _ALIGN
    blocks = tuple(_blocks(mapped, base, layout["blocks"], symbols))
    # An entry from before files had any of these has none.
    splits = tuple(Split(*each) for each in layout.get("splits", ()))
    labels = tuple(layout.get("labels", ()))
    dividends = {
        symbol: tuple(Dividend(*each) for each in paid)
        for symbol, paid in layout.get("dividends", {}).items()
    }
    held, basis = tuple(layout["symbols"]), layout["basis"]
    return Content(held, blocks, basis, layout["faults"], splits, labels, dividends)


def _blocks(
    mapped: mmap.mmap, base: int, layouts: Sequence[Any], symbols: Sequence[str] | None
) -> Iterator[Block]:
    """Yield the blocks that hold wanted symbols, with those symbols alone, in the wanted order."""
    for layout in layouts:
        held, bars = layout["symbols"], layout["bars"]
        rows = [held.index(each) for each in (held if symbols is None else symbols) if each in held]
        if not rows:
            continue
        at, crc = layout["stamps"]
        stamps = np.frombuffer(mapped, np.int64, bars, base + at)
        _require(zlib.crc32(stamps.data) == crc, "its stamps fail the checksum")
        fields = {}
        for name, (at, crcs) in layout["fields"].items():
            values = np.frombuffer(mapped, np.float64, bars * len(held), base + at)
            fields[name] = _rows(values.reshape(len(held), bars), rows, crcs)
        yield Block(tuple(held[row] for row in rows), stamps, fields)


def _rows(values: Floats, rows: Sequence[int], crcs: Sequence[int]) -> Floats:
    """Return some rows of a column, checked: all of them without a copy."""
    if rows != list(range(len(values))):
        values = values[rows]
    for at, row in enumerate(rows):
        _require(zlib.crc32(values[at].data) == crcs[row], "a column fails the checksum")
    values.flags.writeable = False
    return values
