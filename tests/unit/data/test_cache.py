"""The column cache: right or rebuilt, whatever happens to its files."""

import errno
import logging
import mmap
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from neural_trader.core import Bars, Block
from neural_trader.data import cache as module
from neural_trader.data import load, loading
from neural_trader.data.cache import ColumnCache, FileStamp, cache_folder, key_of, stamp_of
from neural_trader.data.selection import Content

Write = Callable[..., Path]
TEXT = "date,KO,PEP\n2021-01-04,1,2\n2021-01-05,3,4\n"
KEY = "ab" * 32


def content() -> Content:
    stamps = np.array([1, 2, 3], dtype=np.int64)
    first = Block(("KO", "PEP"), stamps, {"close": np.arange(1.0, 7.0).reshape(2, 3)})
    second = Block(("XOM",), stamps[:2], {"close": np.array([[7.0, 8.0]])})
    return Content(("KO", "PEP", "XOM", "BAD"), (first, second), "raw", {"BAD": "row 1"})


def same(found: Content | None, expected: Content) -> bool:
    return (
        found is not None
        and found.symbols == expected.symbols
        and found.basis == expected.basis
        and dict(found.faults) == dict(expected.faults)
        and Bars(found.blocks, name="x").data_hash == Bars(expected.blocks, name="x").data_hash
    )


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("v1/*.bars"))


def make_old(*paths: Path) -> None:
    """Move the stamps of files an hour back, as if they had been there for long."""
    for path in paths:
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 3_600_000_000_000))


class Reads:
    """Counts how often a source is parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        inner = loading._parse

        def parse(*args: Any) -> Any:
            self.count += 1
            return inner(*args)

        monkeypatch.setattr(loading, "_parse", parse)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    assert same(store.read(KEY, None), content())
    assert store.damaged == 0


def test_symbols_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    found = store.read(KEY, ["PEP", "nothing", "KO"])
    assert found is not None
    assert [block.symbols for block in found.blocks] == [("PEP", "KO")]
    assert found.blocks[0].fields["close"].tolist() == [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]
    assert found.symbols == content().symbols


def test_a_whole_block_is_mapped_and_aligned_and_cannot_be_written(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    found = store.read(KEY, None)
    assert found is not None
    for block in found.blocks:
        for array in (block.ts_close_ns, *block.fields.values()):
            root: Any = array
            while isinstance(root, np.ndarray):
                root = root.base
            assert isinstance(getattr(root, "obj", root), mmap.mmap)
            assert array.ctypes.data % 64 == 0
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


def test_a_mapped_entry_outlives_its_file(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    found = store.read(KEY, None)
    for path in entries(tmp_path):
        path.unlink()
    assert same(found, content())
    assert store.read(KEY, None) is None


def test_every_flipped_byte_is_found_or_harmless(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    [path] = entries(tmp_path)
    sound = path.read_bytes()
    found_damaged = 0
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x41]) + sound[at + 1 :])
        checked = ColumnCache(tmp_path)
        found = checked.read(KEY, None)
        assert same(found, content()) if found is not None else checked.damaged == 1, at
        found_damaged += checked.damaged
    padding = sum(-size % 64 for size in (24, 48, 16, 16)) + 63
    assert found_damaged >= len(sound) - padding


def test_every_cut_is_found(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    [path] = entries(tmp_path)
    sound = path.read_bytes()
    for size in {*range(0, len(sound), 64), *range(40), len(sound) - 1}:
        path.write_bytes(sound[:size])
        checked = ColumnCache(tmp_path)
        assert checked.read(KEY, None) is None
        assert checked.damaged == 1, size
    path.write_bytes(sound + b"\0")
    assert ColumnCache(tmp_path).read(KEY, None) is None


def test_an_entry_is_checked_once_and_again_when_it_was_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums: list[int] = []
    real = zlib.crc32

    def crc32(data: Any, *start: int) -> int:
        sums.append(len(data))
        return real(data, *start)

    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    [path] = entries(tmp_path)
    note = path.with_suffix(".checked")
    # Within a tick of its last change nothing is noted: it could change again, unseen.
    assert same(store.read(KEY, None), content())
    assert not note.exists()
    monkeypatch.setattr(module, "_TICK_NS", -(1 << 60))
    # Some of its columns are not all.
    assert store.read(KEY, ["KO"]) is not None
    assert not note.exists()
    assert same(store.read(KEY, None), content())
    assert note.exists()
    monkeypatch.setattr(zlib, "crc32", crc32)
    used_ns = note.stat().st_mtime_ns
    os.utime(note, ns=(0, 0))
    assert same(store.read(KEY, None), content())
    assert len(sums) == 2
    # Both are sums of the head. The use is noted where it changes no stamp of the entry.
    assert note.stat().st_mtime_ns >= used_ns
    sound = path.read_bytes()
    stat = path.stat()
    at = sound.index(np.float64(5.0).tobytes())
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff")
    # Same size, inode and time of modification: the time of change tells.
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.read(KEY, None) is None
    assert store.damaged == 1


@pytest.mark.parametrize("note", [b"", b"{}", b"[1, 2, 3, 4, 5]", b"\xff", b"[1"])
def test_a_foreign_note_checks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, note: bytes
) -> None:
    monkeypatch.setattr(module, "_TICK_NS", -(1 << 60))
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    [path] = entries(tmp_path)
    path.with_suffix(".checked").write_bytes(note)
    path.write_bytes(path.read_bytes()[:-64] + bytes(64))
    assert store.read(KEY, None) is None


def test_notes_keep_entries_young_and_go_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TICK_NS", -(1 << 60))
    keys = [f"{number}" * 64 for number in range(3)]
    store = ColumnCache(tmp_path)
    store.write(keys[0], content())
    store.write(keys[1], content())
    for key in keys[:2]:
        assert store.read(key, None) is not None
    size = entries(tmp_path)[0].stat().st_size
    for key, age in ((keys[0], 2), (keys[1], 1)):
        os.utime(tmp_path / f"v1/{key}.checked", ns=(0, age * 10**9))
        os.utime(tmp_path / f"v1/{key}.bars", ns=(0, 10**9))
    store.limit_bytes = 2 * size
    store.write(keys[2], content())
    assert sorted(path.name for path in (tmp_path / "v1").iterdir()) == [
        f"{keys[0]}.bars",
        f"{keys[0]}.checked",
        f"{keys[2]}.bars",
    ]


def test_an_entry_of_another_key_is_foreign(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    [path] = entries(tmp_path)
    path.rename(path.with_name(f"{'cd' * 32}.bars"))
    assert store.read("cd" * 32, None) is None
    assert store.damaged == 1


def test_only_columns_that_are_read_are_checked(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    [path] = entries(tmp_path)
    sound = path.read_bytes()
    at = sound.index(np.float64(5.0).tobytes())
    path.write_bytes(sound[:at] + b"\xff" + sound[at + 1 :])
    found = store.read(KEY, ["KO"])
    assert found is not None
    assert found.blocks[0].fields["close"].tolist() == [[1.0, 2.0, 3.0]]
    assert store.read(KEY, ["PEP"]) is None


def test_damage_is_rebuilt_with_one_warning(
    write: Write, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(TEXT)
    expected = load(path).data_hash
    [entry] = entries(cache)
    sound = entry.read_bytes()
    entry.write_bytes(sound[:-1] + b"\x01")
    entry.write_bytes(sound[:100])
    with caplog.at_level(logging.WARNING):
        assert load(path).data_hash == expected
    assert [record.name for record in caplog.records] == ["neural_trader.data.cache"]
    assert "is damaged" in caplog.text
    assert entry.read_bytes() == sound


def test_the_second_load_does_not_parse(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch)
    path = write(TEXT)
    first, second = load(path), load(path, symbols=["PEP"], start="2021-01-05")
    assert reads.count == 1
    assert second["PEP"].close.tolist() == [4.0]
    assert first.data_hash == load(path, cache=False).data_hash
    assert reads.count == 2


def test_a_known_path_is_not_even_read(
    write: Write, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(TEXT)
    load(path)
    # A file that is older than its record by more than a clock's tick is known by its stamps.
    [record] = cache.glob("v1/*.known")
    stat = record.stat()
    os.utime(record, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10_000_000_000))

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "must not be read", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert load(path)["KO"].close.tolist() == [1.0, 3.0]


def test_a_changed_file_is_read_anew(write: Write) -> None:
    path = write(TEXT)
    load(path)
    stat = path.stat()
    path.write_text(TEXT.replace(",3,", ",5,"))
    # Same size, same modification time: the time of change and the digest tell.
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert load(path)["KO"].close.tolist() == [1.0, 5.0]


def test_a_file_that_changed_just_before_it_was_indexed_is_hashed_again(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path / "cache")
    source = tmp_path / "x.csv"
    source.write_text(TEXT)
    stamps = [stamp_of(source)]
    store.remember(source, stamps, KEY)
    assert store.known_key(source, stamps) is None
    # Its old time of modification, which anyone can set, does not make it old.
    assert store.known_key(source, [stamps[0]._replace(mtime_ns=0)]) is None
    make_old(source)
    stamps = [stamp_of(source)]
    store.remember(source, stamps, KEY)
    assert store.known_key(source, stamps) is None
    [record] = tmp_path.glob("cache/v1/*.known")
    stat = record.stat()
    os.utime(record, ns=(stat.st_atime_ns, stat.st_mtime_ns + 3_000_000_000))
    assert store.known_key(source, stamps) == KEY


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    write: Write, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(TEXT)
    real = Path.read_bytes

    def read_and_change(self: Path) -> bytes:
        data = real(self)
        self.write_bytes(data + b"2021-01-06,5,6\n")
        return data

    monkeypatch.setattr(Path, "read_bytes", read_and_change)
    assert load(path)["KO"].close.tolist() == [1.0, 3.0]
    assert list(cache.glob("v1/*.known")) == []
    monkeypatch.undo()
    monkeypatch.setenv("NEURAL_TRADER_CACHE", str(cache))
    assert load(path)["KO"].close.tolist() == [1.0, 3.0, 5.0]


def test_each_part_of_a_stamp_counts(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    stamp = FileStamp("x.csv", 10, 11, 12, 13, 14)
    source = Path("/data/x.csv")
    store.remember(source, [stamp], KEY)
    assert store.known_key(source, [stamp]) == KEY
    changed = [
        stamp._replace(size=9),
        stamp._replace(mtime_ns=9),
        stamp._replace(ctime_ns=9),
        stamp._replace(inode=9),
        stamp._replace(device=9),
    ]
    for other in [*changed, stamp._replace(name="y.csv")]:
        assert store.known_key(source, [other]) is None
    assert store.known_key(source, [stamp, stamp]) is None
    assert store.known_key(Path("/data/y.csv"), [stamp]) is None


@pytest.mark.parametrize("record", [b"", b"{}", b"[1]", b"\xff", b'{"key": 1'])
def test_a_damaged_record_is_unknown(tmp_path: Path, record: bytes) -> None:
    store = ColumnCache(tmp_path)
    stamp = FileStamp("x.csv", 10, 11, 12, 13, 14)
    store.remember(Path("/x.csv"), [stamp], KEY)
    [path] = tmp_path.glob("v1/*.known")
    path.write_bytes(record)
    assert store.known_key(Path("/x.csv"), [stamp]) is None


def test_a_copy_elsewhere_is_found_by_its_bytes(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)
    one, two = write(TEXT), write(TEXT, "elsewhere/prices.csv")
    assert load(one).data_hash == load(two).data_hash
    assert reads.count == 1


def test_names_of_files_are_part_of_the_key() -> None:
    one = key_of("x", [(Path("KO.csv"), b"1"), (Path("PEP.csv"), b"2")])
    assert one == key_of("x", [(Path("/a/KO.csv"), b"1"), (Path("/a/PEP.csv"), b"2")])
    others = [
        key_of("y", [(Path("KO.csv"), b"1"), (Path("PEP.csv"), b"2")]),
        key_of("x", [(Path("PEP.csv"), b"1"), (Path("KO.csv"), b"2")]),
        key_of("x", [(Path("KO.csv"), b"1"), (Path("PEP.csv"), b"3")]),
        key_of("x", [(Path("KO.csv"), b"1")]),
    ]
    assert len({one, *others}) == 5


def test_a_renamed_file_names_another_symbol(write: Write) -> None:
    path = write("date,close\n2021-01-04,1\n", "KO.csv")
    assert load(path).symbols == ("KO",)
    assert load(path.rename(path.with_name("PEP.csv"))).symbols == ("PEP",)


def test_a_folder_is_cached_and_read_anew_when_a_file_comes_or_goes(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)
    folder = write("date,close\n2021-01-04,1\n", "KO.csv").parent
    assert load(folder).symbols == load(folder).symbols == ("KO",)
    assert reads.count == 1
    added = write("date,close\n2021-01-04,2\n", "PEP.csv")
    assert load(folder).symbols == ("KO", "PEP")
    added.unlink()
    assert load(folder).symbols == ("KO",)


def test_a_full_disk_costs_one_warning_and_leaves_nothing(
    write: Write, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *error: object) -> None:
            self.file.close()

        def writelines(self, parts: list[Any]) -> None:
            self.file.write(parts[0])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda *args: Full(real(*args)))
    with caplog.at_level(logging.WARNING):
        assert load(write(TEXT))["KO"].close.tolist() == [1.0, 3.0]
    assert len(caplog.records) == 1
    assert "cannot be written ([Errno 28] No space left on device)" in caplog.text
    assert list((cache / "v1").iterdir()) == []


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())

    def interrupt(self: Path, target: Path) -> None:
        raise interruption

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(interruption):
        store.write("cd" * 32, content())
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "v1").iterdir()] == [f"{KEY}.bars"]


def test_a_folder_that_cannot_be_made_costs_one_warning(
    write: Write, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        assert load(write(TEXT)).symbols == ("KO", "PEP")
    assert len(caplog.records) == 1
    assert "the column cache cannot be" in caplog.text


def test_the_least_recently_used_entries_go_first(tmp_path: Path) -> None:
    keys = [f"{number}" * 64 for number in range(4)]
    probe = ColumnCache(tmp_path)
    probe.write(keys[0], content())
    size = entries(tmp_path)[0].stat().st_size
    store = ColumnCache(tmp_path, limit_bytes=2 * size)
    store.write(keys[1], content())
    for age, key in enumerate((keys[1], keys[0])):
        os.utime(tmp_path / f"v1/{key}.bars", ns=(0, (age + 1) * 10**9))
    assert store.read(keys[1], None) is not None
    store.write(keys[2], content())
    assert [path.stem for path in entries(tmp_path)] == [keys[1], keys[2]]
    # An entry beyond the limit all by itself is still kept: it is the one in use.
    ColumnCache(tmp_path, limit_bytes=1).write(keys[3], content())
    assert [path.stem for path in entries(tmp_path)] == [keys[3]]


def test_leftovers_of_dead_writers_go(tmp_path: Path) -> None:
    store = ColumnCache(tmp_path)
    store.write(KEY, content())
    dead, alive, other = (tmp_path / "v1" / name for name in ("a.tmp", "b.tmp", "notes.txt"))
    for path in (dead, alive, other):
        path.write_bytes(b"x")
    make_old(dead, dead, other, other)
    store.write(KEY, content())
    assert sorted(path.name for path in (tmp_path / "v1").iterdir()) == sorted(
        [f"{KEY}.bars", "b.tmp", "notes.txt"]
    )


def test_records_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORDS_MAX", 2)
    store = ColumnCache(tmp_path)
    for number in range(4):
        store.remember(Path(f"/{number}.csv"), [], KEY)
    store.write(KEY, content())
    assert len(list(tmp_path.glob("v1/*.known"))) == 2


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/anyone")
    monkeypatch.setenv("XDG_CACHE_HOME", "/srv/caches")
    monkeypatch.setenv("NEURAL_TRADER_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("NEURAL_TRADER_CACHE", "")
    assert cache_folder() == Path("/srv/caches/neural-trader")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path("/home/anyone/.cache/neural-trader")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/anyone/.cache/neural-trader")


def test_without_a_home_nothing_is_kept(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(self: Path) -> Path:
        if not str(self).startswith("~"):
            return self
        message = "Could not determine home directory."
        raise RuntimeError(message)

    monkeypatch.delenv("NEURAL_TRADER_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", homeless)
    assert cache_folder() is None
    assert load(write(TEXT)).symbols == ("KO", "PEP")


def test_without_the_cache_nothing_is_written(write: Write, cache: Path) -> None:
    load(write(TEXT), cache=False)
    assert not cache.exists()
