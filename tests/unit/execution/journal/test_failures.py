"""A disk that fails: what was committed is there, and nothing is tried again."""

import errno
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neural_trader.core.errors import ConfigError, JournalError
from neural_trader.execution.journal import Durability, FileJournal, Tail, disk, walk
from neural_trader.execution.journal.format import segment_name
from tests.unit.execution.journal.kept import SMALL, open_small, payloads_of, segments_of

MODES: tuple[Durability, ...] = ("process-safe", "power-safe")
CALLS = (
    *("open", "pwrite", "pwritev", "fdatasync", "fsync", "ftruncate"),
    *("mkdir", "rename", "unlink"),
)
PAYLOADS = [b"payload %d " % number * 30 for number in range(40)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


class Disk:
    """The calls that write, counted; the one with the given number fails, or is cut short."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.fails_at = 0
        self.is_short = False
        self.error = errno.ENOSPC
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_RDWR:
                return real(*arguments, **options)
            self.calls += 1
            if self.calls == self.fails_at:
                if not self.is_short:
                    raise OSError(self.error, os.strerror(self.error))
                if name == "pwrite":
                    fd, data, at = arguments
                    return real(fd, data[: max(1, len(data) // 2)], at)
                if name == "pwritev":
                    fd, (data,), *rest = arguments
                    return real(fd, [data[: max(1, len(data) // 2)]], *rest)
            return real(*arguments, **options)

        return call


def write_all(folder: Path, durability: Durability) -> list[bytes]:
    """Write until something fails; return what was committed."""
    done: list[bytes] = []
    try:
        journal = open_small(folder, durability)
    except JournalError:
        return done
    try:
        for payload in PAYLOADS:
            journal.append(payload)
            journal.commit()
            done.append(payload)
    except JournalError as error:
        said = str(error)
        assert "could not be written: No space left on device" in said
        assert "must not be tried again" in said
        uses: list[Callable[[], object]] = [
            lambda: journal.append(b"x"),
            journal.commit,
            lambda: journal.read(1, 10),
        ]
        for use in uses:
            with pytest.raises(JournalError, match="closed for good"):
                use()
    journal.close()
    return done


def calls_of(folder: Path, durability: Durability, monkeypatch: pytest.MonkeyPatch) -> int:
    with monkeypatch.context() as patch:
        counted = Disk(patch)
        assert len(write_all(folder, durability)) == len(PAYLOADS)
        return counted.calls


@pytest.mark.parametrize("durability", MODES)
def test_wherever_the_disk_fails_what_was_committed_is_there(
    folder: Path, tmp_path: Path, durability: Durability, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = 0
    for number in range(1, calls_of(tmp_path / "count", durability, monkeypatch) + 1):
        place = folder / str(number)
        with monkeypatch.context() as patch:
            failing = Disk(patch)
            failing.fails_at = number
            done = write_all(place, durability)
        failed += len(done) < len(PAYLOADS)
        with open_small(place) as journal:
            kept = [payload for _, payload in journal.read(1, 1 << 20)] if done else []
            while kept and (more := journal.read(len(kept) + 1, 1 << 20)):
                kept += [payload for _, payload in more]
        # What failed may stand there too: nobody was told, and the next start reads it.
        assert kept[: len(done)] == done
        assert kept == PAYLOADS[: len(kept)]
        assert len(kept) <= len(done) + 1
    assert failed > len(PAYLOADS)


@pytest.mark.parametrize("durability", MODES)
def test_a_write_that_is_cut_short_is_gone_on_with(
    folder: Path, tmp_path: Path, durability: Durability, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, calls_of(tmp_path / "count", durability, monkeypatch) + 1):
        place = folder / str(number)
        with monkeypatch.context() as patch:
            short = Disk(patch)
            short.fails_at, short.is_short = number, True
            assert write_all(place, durability) == PAYLOADS
        assert payloads_of(place) == PAYLOADS


def test_a_flush_that_failed_is_never_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a system without the flag: the write, then the flush.
    monkeypatch.setattr(disk, "_DSYNC", None)
    journal = open_small(folder, "power-safe")
    journal.append(b"one")
    flushes: list[int] = []

    def fail(fd: int) -> None:
        flushes.append(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(JournalError, match="Input/output error"):
            journal.commit()
        for _ in range(3):
            with pytest.raises(JournalError, match="closed for good"):
                journal.commit()
    journal.close()
    assert len(flushes) == 1


def test_a_disk_that_takes_nothing_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_small(folder)
    journal.append(b"one")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda *_: 0)
        with pytest.raises(JournalError, match="the disk took no bytes"):
            journal.commit()
    journal.close()


@pytest.mark.parametrize("durability", MODES)
@pytest.mark.parametrize("part", range(1, 100, 7))
def test_of_a_batch_that_failed_half_way_no_more_than_its_first_records_stand_there(
    folder: Path, durability: Durability, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_small(folder, durability)
    for payload in PAYLOADS[:2]:
        journal.append(payload)
    journal.commit()
    for payload in PAYLOADS[2:5]:
        journal.append(payload)
    fill_up = FillUp(part * sum(len(payload) + 24 for payload in PAYLOADS[2:5]) // 100)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fill_up.pwrite)
        patch.setattr(os, "pwritev", fill_up.pwritev)
        with pytest.raises(JournalError, match="No space left on device"):
            journal.commit()
    journal.close()
    with open_small(folder) as journal:
        kept = [payload for _, payload in journal.read(1, 1 << 20)]
        assert PAYLOADS[:2] == kept[:2]
        assert kept == PAYLOADS[: len(kept)]
        assert len(kept) < 5
        assert journal.append(b"next") == len(kept) + 1
        journal.commit()
    assert payloads_of(folder) == [*kept, b"next"]


class FillUp:
    """A disk that has room for so many bytes, and says so only when it has taken them."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.real = os.pwrite

    def pwrite(self, fd: int, data: bytes, at: int) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = self.real(fd, data[: self.room], at)
        self.room -= done
        return done

    def pwritev(self, fd: int, buffers: list[bytes], at: int, _flags: int) -> int:
        (data,) = buffers
        return self.pwrite(fd, data, at)


def test_a_segment_that_somebody_else_made_closes_the_journal(folder: Path) -> None:
    journal = open_small(folder)
    journal.append(b"x" * 3_000)
    journal.commit()
    foreign = folder / segment_name(2)
    foreign.write_bytes(b"not ours")
    journal.append(b"y" * 3_000)
    with pytest.raises(JournalError, match=f"{foreign.name} is there already"):
        journal.commit()
    with pytest.raises(JournalError, match="closed for good"):
        journal.append(b"z")
    journal.close()
    assert foreign.read_bytes() == b"not ours"


@pytest.mark.parametrize("durability", MODES)
def test_a_spare_that_cannot_be_made_is_said_when_it_is_needed(
    folder: Path, durability: Durability, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    open_small(folder, durability).close()
    (path,) = segments_of(folder)
    path.write_bytes(path.read_bytes().ljust(SMALL, b"\0"))
    with monkeypatch.context() as patch:
        # The first segment is whole: what is filled is the spare, in its thread.
        patch.setattr(disk, "fill", fail)
        done = write_all(folder, durability)
    assert sum(map(len, done)) > SMALL // 2
    assert payloads_of(folder) == done
    # With room again it goes on, and the half of a spare is gone.
    assert write_all(folder, durability) == PAYLOADS
    assert payloads_of(folder) == [*done, *PAYLOADS]
    assert not (folder / "spare").exists()


def test_a_lock_is_free_after_every_failure_to_open(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(folder, "process-safe")
    with monkeypatch.context() as patch:
        counted = Disk(patch)
        open_small(folder, "power-safe").close()
    said = []
    for number in range(1, counted.calls + 1):
        with monkeypatch.context() as patch:
            failing = Disk(patch)
            failing.fails_at = number
            try:
                open_small(folder, "power-safe").close()
            except JournalError as error:
                said.append(str(error))
        open_small(folder).close()
        assert payloads_of(folder) == PAYLOADS
    assert len(said) > counted.calls // 2
    wanted = re.compile(
        rf"the journal {folder} cannot be opened: .*No space left on device; .*room"
    )
    assert [one for one in said if not wanted.match(one)] == []


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "under"):
        with pytest.raises(JournalError, match="cannot be opened"):
            open_small(place)
    for durability, size in (("safe", SMALL), ("process-safe", 10), ("process-safe", 1 << 40)):
        with pytest.raises(ConfigError, match=r"durability is|segment_bytes is"):
            FileJournal.open(tmp_path / "j", durability=durability, segment_bytes=size)  # type: ignore[arg-type]
    assert not (tmp_path / "j").exists()


# ------------------------------------------------------------------------------------- the lock
WRITER = """
import sys
from pathlib import Path
from neural_trader.execution.journal import FileJournal
journal = FileJournal.open(Path(sys.argv[1]), durability="process-safe", segment_bytes=4096)
number = journal.next_seq
print("open", flush=True)
while True:
    assert journal.append(b"payload %d" % number) == number
    journal.commit()
    print(number, flush=True)
    number += 1
"""


def start_writer(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def test_a_second_writer_is_refused_until_the_first_is_gone(folder: Path) -> None:
    with start_writer(folder) as process:
        with pytest.raises(JournalError, match=f"is being written by process {process.pid}"):
            open_small(folder)
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_small(folder) as journal:
        assert journal.next_seq > 1


def test_a_writer_that_is_killed_again_and_again_loses_nothing(folder: Path) -> None:
    told = 0
    for turn in range(12):
        with start_writer(folder) as process:
            assert process.stdout is not None
            for _ in range(1 + 17 * turn % 60):
                last = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().splitlines()
            told = max([told, last, *(int(line) for line in rest[:-1])])
            process.wait()
    found = payloads_of(folder)
    assert len(found) >= told
    assert found == [b"payload %d" % number for number in range(1, len(found) + 1)]


# --------------------------------------------------------------------------------------- readers
def test_a_reader_beside_the_writer_sees_every_record_once(folder: Path) -> None:
    wanted = [b"%d " % number * 20 for number in range(3_000)]
    seen: list[tuple[int, bytes]] = []
    journal = open_small(folder)
    is_over = threading.Event()

    def follow() -> None:
        with Tail(folder) as tail:
            while not is_over.is_set():
                seen.extend(tail.read(700))
            while found := tail.read(700):
                seen.extend(found)

    reader = threading.Thread(target=follow)
    reader.start()
    try:
        for payload in wanted:
            journal.append(payload)
            journal.commit()
    finally:
        is_over.set()
        reader.join()
    journal.close()
    assert seen == list(enumerate(wanted, 1))


def test_a_walk_beside_the_writer_goes_on_to_the_present_end(folder: Path) -> None:
    wanted: list[bytes] = []
    with open_small(folder) as journal:
        for turn in range(40):
            for number in range(9):
                wanted.append(b"%d %d " % (turn, number) * 20)
                journal.append(wanted[-1])
                journal.commit()
            records = walk(folder)
            # What is written while it is under way it sees too, over the end of a segment.
            seen = [next(records)[1]]
            for _ in range(9):
                wanted.append(b"late " * 30)
                journal.append(wanted[-1])
                journal.commit()
            seen += [payload for _, payload in records]
            assert seen == wanted


def test_batches_longer_than_a_segment_and_at_its_very_end(folder: Path) -> None:
    with open_small(folder) as journal:
        payloads = [b"x" * (3 * SMALL), b"y"]
        for payload in payloads:
            journal.append(payload)
            journal.commit()
        # Exactly what is left of the segment, then one more.
        payloads += [b"z" * (SMALL - journal._at - 24), b"next"]
        journal.append(payloads[2])
        journal.commit()
        assert (journal._at, len(segments_of(folder))) == (SMALL, 2)
        journal.append(payloads[3])
        journal.commit()
        assert len(segments_of(folder)) == 3
    assert payloads_of(folder) == payloads


def test_a_torn_batch_longer_than_a_segment_is_cut_off_whole(folder: Path) -> None:
    with open_small(folder) as journal:
        for payload in (b"a" * 3_000, b"b" * 3_000, b"c" * 3_000):
            journal.append(payload)
        journal.commit()
    (path,) = segments_of(folder)
    bad = bytearray(path.read_bytes())
    bad[100] ^= 1
    path.write_bytes(bytes(bad))
    with open_small(folder) as journal:
        assert (journal.next_seq, journal.torn_bytes) == (1, 9_072)
        assert path.read_bytes()[journal._at :] == bytes(SMALL - journal._at)


def test_what_a_dead_writer_was_preparing_is_made_anew(folder: Path) -> None:
    with open_small(folder) as journal:
        journal.append(b"one")
        journal.commit()
    (folder / "spare").write_bytes(b"half a spare")
    with open_small(folder) as journal:
        for number in range(60):
            journal.append(b"%d" % number * 50)
            journal.commit()
    assert len(payloads_of(folder)) == 61
    assert not (folder / "spare").exists()
