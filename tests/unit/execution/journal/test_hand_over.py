"""A journal goes from one writer to the next without a moment in which nobody or both hold it."""

import os
from pathlib import Path

import pytest

from neural_trader.core.errors import JournalError
from neural_trader.execution.journal import Durability, FileJournal
from tests.unit.execution.journal.kept import SMALL, open_small, payloads_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def put(journal: FileJournal, *payloads: bytes) -> None:
    for payload in payloads:
        journal.append(payload)
    journal.commit()


def follow(folder: Path, durability: Durability = "process-safe") -> FileJournal:
    return FileJournal.follow(folder, durability=durability, segment_bytes=SMALL)


@pytest.mark.parametrize("durability", ["process-safe", "power-safe"])
def test_the_next_writer_goes_on_where_the_first_ended(
    folder: Path, durability: Durability
) -> None:
    old = open_small(folder, durability)
    put(old, b"one", b"two")
    new = follow(folder, durability)
    assert [payload for _, payload in new.read(1, 1 << 20)] == [b"one", b"two"]
    for number in range(60):
        put(old, b"%d" % number * 100)
    new.take_over(old.hand_over(), old.next_seq, old.durability)
    put(new, b"mine")
    assert payloads_of(folder)[-2:] == [b"59" * 100, b"mine"]
    assert new.read(62, 1000) == [(62, b"59" * 100), (63, b"mine")]
    with pytest.raises(JournalError, match="handed over"):
        put(old, b"no more")
    assert (folder / "lock").read_text() == f"{os.getpid()}\n"
    new.close()
    assert not (folder / "spare").exists()


def test_a_follower_writes_nothing_and_reads_on(folder: Path) -> None:
    with open_small(folder) as old:
        put(old, b"one")
        new = follow(folder)
        with pytest.raises(JournalError, match="written by another process"):
            new.append(b"two")
        put(old, b"two")
        assert new.read(2, 100) == []
        new.read_on()
        assert new.read(2, 100) == [(2, b"two")]
        new.close()
        with pytest.raises(JournalError, match="nothing to follow"):
            old.read_on()


def test_the_first_writer_goes_on_if_the_next_never_wrote(folder: Path) -> None:
    old = open_small(folder)
    for number in range(8):
        put(old, b"%d" % number * 400)
    new = follow(folder)
    lock = old.hand_over()
    new.take_over(os.dup(lock), old.next_seq, old.durability)
    new._drop_spare()
    old.take_back()
    for number in range(20):
        put(old, b"%d" % number * 400)
    old.close()
    assert len(payloads_of(folder)) == 28


def test_the_first_writer_does_not_go_on_once_the_next_has_written(folder: Path) -> None:
    old = open_small(folder)
    put(old, b"one")
    new = follow(folder)
    new.take_over(os.dup(old.hand_over()), old.next_seq, old.durability)
    put(new, b"two")
    with pytest.raises(JournalError, match="wrote to it and died"):
        old.take_back()
    with pytest.raises(JournalError, match="wrote to it and died"):
        old.append(b"three")


def test_what_is_not_committed_is_not_handed_over(folder: Path) -> None:
    with open_small(folder) as old:
        old.append(b"one")
        with pytest.raises(JournalError, match="1 records were not committed"):
            old.hand_over()


def test_the_wrong_place_is_refused(folder: Path) -> None:
    with open_small(folder) as old:
        put(old, b"one")
        new = follow(folder)
        with pytest.raises(JournalError, match="handed over at record 3, and ends before record 2"):
            new.take_over(os.dup(old.hand_over()), 3, old.durability)
        new.close()
        old.take_back()
        put(old, b"two")
    assert payloads_of(folder) == [b"one", b"two"]
