"""The column cache: what a file held, as memory-mapped columns, found again by its bytes.

A second load of the same file neither parses it nor imports Polars. The cache is a convenience and
never an authority: an entry that is missing, foreign, cut, flipped or of another version counts
for nothing, and the source is read again.

::

    <folder>/v1/<key>.bars     an entry; the key digests names and bytes of the source's files
    <folder>/v1/<key>.checked  which very file of that name has passed its checksums; its own time
                               of modification is that of the last use
    <folder>/v1/<path>.known   the key of a path when it was last read, and its files' stamps
    <folder>/v1/*.tmp          an entry or record that is being written

The form of an entry stands in ``entries.py``. Columns are held to their checksums when they are
read, until all of an entry have been: then a note of the very file that was checked (its inode,
size and times, the time of change among them) lies beside it, and as long as the file is that one,
its columns are mapped without being read. The head is checked at every read.

Entries are written under a temporary name and moved into place, and never changed afterwards:
processes may read, write and evict at the same time, and a mapped entry stays readable after it is
evicted.

This module alone of its room reads the environment, for where the cache lies: a library call from
a notebook has no front door that could pass it in, and where a copy is kept changes no result.
"""

import json
import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from neural_trader.data.entries import ROOM, VERSION, DamagedError, Mapped, decode, encode, seal
from neural_trader.data.selection import Content

LIMIT_BYTES: Final = 2 << 30
RECORDS_MAX: Final = 4096
# A file that changed so shortly before it was indexed may have changed again within one tick of
# the file system's clock.
_RACY_NS: Final = 2_000_000_000
# A writer needs seconds; a temporary file this much older than the newest entry has lost its own.
_LEFTOVER_NS: Final = 3_600_000_000_000
# An entry is changed by nobody but by accident: a clock's tick on the systems we run on is enough.
_TICK_NS: Final = 20_000_000


class FileStamp(NamedTuple):
    """What tells a file apart from its earlier self without reading it."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


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

    return key_of_digests(
        name, [(path.name, hashlib.sha256(data).hexdigest()) for path, data in files]
    )


def key_of_digests(name: str, digests: Sequence[tuple[str, str]]) -> str:
    """Return the key of a source by the names of its files and the SHA-256 of their bytes."""
    import hashlib

    return hashlib.sha256(json.dumps([VERSION, name, digests]).encode()).hexdigest()


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
        self.folder = folder / f"v{VERSION}"
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
                stamp = _identity(os.fstat(file.fileno()))
                mapped = Mapped(file.fileno(), 0, access=mmap.ACCESS_READ)
            mapped.path, mapped.inode = path, (stamp[0], stamp[1])
            is_checked = self._is_checked(path, stamp)
            content = decode(mapped, key, symbols, is_checked=is_checked)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn("the column cache cannot be read (%s); reading the source", error)
            return None
        except (DamagedError, ValueError, KeyError, TypeError) as error:
            self.damaged += 1
            self._warn("the cache entry %s is damaged (%s); rebuilding it", path, error)
            return None
        whole = symbols is None or set(symbols) >= set(content.symbols)
        noted = is_checked or (whole and self._note_checked(path, stamp))
        with suppress(OSError):
            # The time of the last use, for eviction. The entry's own may not move: it tells whether
            # the file is the one that was checked.
            os.utime(path.with_suffix(".checked") if noted else path)
        return content

    def write(self, key: str, content: Content) -> None:
        """Keep a content; a failure costs a warning and nothing else."""
        self._write(self._entry(key), encode(content, key))
        self._evict(self._entry(key))

    def draft(self, size: int) -> "Draft | None":
        """Return a new file of the cache, mapped for writing; None where there is no room for it.

        Parameters
        ----------
        size : int
            Bytes of its columns.
        """
        import tempfile

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(".tmp", "draft.", self.folder)
            try:
                # Room is taken now: a full disk would end the process at a write through the map.
                _reserve(handle, ROOM + size)
                return Draft(Path(temporary), Mapped(handle, ROOM + size))
            except BaseException:
                Path(temporary).unlink()
                raise
            finally:
                os.close(handle)
        except OSError as error:
            self._warn("the column cache cannot be written (%s); going on without", error)
            return None

    def publish(self, draft: "Draft", key: str, content: Content) -> None:
        """Make a draft, in which the columns of a content lie, its entry; or write one anew."""
        path = self._entry(key)
        if not seal(draft.mapped, content, key):
            draft.drop()
            self.write(key, content)
            return
        try:
            # Crash: before this line the old entry or none is there, after it the new one.
            draft.path.replace(path)
            stat = path.stat()
            draft.mapped.path, draft.mapped.inode = path, (stat.st_dev, stat.st_ino)
        except OSError as error:
            draft.drop()
            self._warn("the column cache cannot be written (%s); going on without", error)
        self._evict(path)

    def _is_checked(self, path: Path, stamp: list[int]) -> bool:
        try:
            found: object = json.loads(path.with_suffix(".checked").read_bytes())
        except (OSError, ValueError):
            return False
        return found == stamp

    def _note_checked(self, path: Path, stamp: list[int]) -> bool:
        """Note that a file has passed all its checksums, unless it may have changed since."""
        import tempfile

        note = path.with_suffix(".checked")
        with suppress(OSError):
            handle, temporary = tempfile.mkstemp(".tmp", f"{path.stem[:16]}.", self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(stamp).encode())
                file.flush()
                now_ns = os.fstat(file.fileno()).st_mtime_ns
            # A clock of whole seconds cannot tell one change from the next.
            is_fine = now_ns % 1_000_000_000 or stamp[-1] % 1_000_000_000
            if is_fine and now_ns - max(stamp[-2:]) > _TICK_NS:
                Path(temporary).replace(note)
                return True
            Path(temporary).unlink()
        return False

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
        used_ns = {path.stem: stat.st_mtime_ns for stat, path in found if path.suffix == ".checked"}
        entries = {path.stem for _, path in found if path.suffix == ".bars"}
        aged = [
            (max(stat.st_mtime_ns, used_ns.get(path.stem, 0)), stat.st_size, path)
            for stat, path in found
        ]
        aged.sort(key=lambda each: (each[0], each[2]), reverse=True)
        kept_bytes = records = 0
        for time_ns, size, path in aged:
            if path.suffix == ".tmp":
                dead = newest_ns - time_ns > _LEFTOVER_NS
            elif path.suffix == ".known":
                records += 1
                dead = records > RECORDS_MAX
            elif path.suffix == ".checked":
                dead = path.stem not in entries
            elif path.suffix == ".bars":
                kept_bytes += size
                dead = kept_bytes > self.limit_bytes and path != newest
                kept_bytes -= size if dead else 0
            else:
                dead = False
            if dead:
                for gone in (path, path.with_suffix(".checked")):
                    with suppress(OSError):
                        gone.unlink()

    def _warn(self, message: str, *values: object) -> None:
        """Log one warning; the first cause of a load explains the others."""
        if not self._warned:
            import logging

            self._warned = True
            logging.getLogger(__name__).warning(message, *values)


class Draft(NamedTuple):
    """A file of the cache that is being filled, and its columns mapped for writing."""

    path: Path
    mapped: Mapped

    def drop(self) -> None:
        """Delete the file; what is mapped stays as it is."""
        with suppress(OSError):
            self.path.unlink()


def _identity(stat: os.stat_result) -> list[int]:
    """Return what tells a file of the cache apart from its earlier self; its times stand last."""
    return [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def _reserve(handle: int, size: int) -> None:
    """Give a file its size, and its blocks where the system can."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.truncate(handle, size)
