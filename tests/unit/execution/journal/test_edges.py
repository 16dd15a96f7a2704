"""The bounds of a journal of files, and what it leaves alone and gives back."""

import itertools
import os
from pathlib import Path

import pytest

from neural_trader.core.errors import ConfigError
from neural_trader.execution.journal import FileJournal
from tests.unit.execution.journal.kept import SMALL, open_small, payloads_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def put(journal: FileJournal, *payloads: bytes) -> None:
    for payload in payloads:
        journal.append(payload)
    journal.commit()


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize("size", [(1 << 12) - 1, (1 << 30) + 1])
def test_segments_have_bounds(folder: Path, size: int) -> None:
    with pytest.raises(ConfigError, match="use 4096 to 1073741824"):
        FileJournal.open(folder, durability="process-safe", segment_bytes=size)
    assert not folder.exists()


def test_who_has_handed_the_journal_over_cuts_nothing_off_when_it_ends(folder: Path) -> None:
    old = open_small(folder)
    put(old, b"one")
    new = FileJournal.follow(folder, durability="process-safe", segment_bytes=SMALL)
    new.take_over(os.dup(old.hand_over()), old.next_seq, old.durability)
    put(new, b"two")
    old.close()
    assert payloads_of(folder) == [b"one", b"two"]
    put(new, b"three")
    new.close()
    assert payloads_of(folder) == [b"one", b"two", b"three"]


def test_files_that_were_being_prepared_are_given_back(folder: Path) -> None:
    before = open_files()
    journal = open_small(folder)
    for _ in range(5):
        put(journal, b"x" * 2_500)
        journal.hand_over()
        journal.take_back()
    # The journal, its lock, and at most one that is being prepared.
    assert open_files() - before <= 3
    journal.close()
    assert open_files() == before


def test_where_reads_ended_is_remembered_for_some_readers_and_not_for_all(folder: Path) -> None:
    with open_small(folder) as journal:
        put(journal, *[b"%d" % number for number in range(200)])
        for seq in range(1, 150, 2):
            assert journal.read(seq, 1)[0][0] == seq
        # Who read last goes on where that ended; who read first has to look for the place again.
        assert len(journal._ends) == 64
        assert 150 in journal._ends
        assert 2 not in journal._ends


def test_a_lock_names_its_holder_and_nothing_of_the_one_before(folder: Path) -> None:
    open_small(folder).close()
    (folder / "lock").write_text("99999999999\n")
    with open_small(folder):
        assert (folder / "lock").read_text() == f"{os.getpid()}\n"


def test_no_read_searches_through_more_than_a_small_part_of_a_segment(folder: Path) -> None:
    with FileJournal.open(folder, durability="process-safe", segment_bytes=1 << 18) as journal:
        for number in range(400):
            put(journal, b"%d" % number * 1_000)
        places = list(zip(journal._marks_seq, journal._marks_at, strict=True))
        assert len(journal._firsts) >= 3
        for first, end in itertools.pairwise(journal._firsts):
            within = [0, *(at for seq, at in places if first <= seq < end), 1 << 18]
            gaps = [later - earlier for earlier, later in itertools.pairwise(within)]
            assert max(gaps) < (1 << 16) + 4_000
