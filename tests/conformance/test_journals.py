"""What every journal does, whatever keeps it: two modes of files, and memory."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.core.errors import JournalError, RecordsGone
from neural_trader.execution import compact
from neural_trader.execution.journal import FileJournal, Journal, MemoryJournal
from neural_trader.execution.journal.format import PAYLOAD_MAX

SMALL = 4096
KINDS = ("process-safe", "power-safe", "memory")


class Kept:
    """A journal that can be opened again and again."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.memory = MemoryJournal()
        self.journal = self.open()

    def open(self) -> Journal:
        """Return the journal as the next process finds it."""
        if self.kind == "memory":
            self.memory = self.memory.crash()
            return self.memory
        return FileJournal.open(
            self.folder,
            durability="power-safe" if self.kind == "power-safe" else "process-safe",
            segment_bytes=SMALL,
        )

    def reopen(self) -> Journal:
        """Close it, and open it again."""
        self.journal.close()
        self.journal = self.open()
        return self.journal


@pytest.fixture(params=KINDS)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    one = Kept(request.param, tmp_path / "journal")
    yield one
    one.journal.close()


def put(journal: Journal, *payloads: bytes) -> list[int]:
    """Write payloads in one batch, and return their numbers."""
    numbers = [journal.append(payload) for payload in payloads]
    journal.commit()
    return numbers


def everything(journal: Journal, bytes_max: int = 1 << 16) -> list[tuple[int, bytes]]:
    """Read on until nothing comes."""
    found: list[tuple[int, bytes]] = []
    while chunk := journal.read(found[-1][0] + 1 if found else journal.first_seq, bytes_max):
        found += chunk
    return found


def test_numbers_begin_with_one_and_have_no_gaps(kept: Kept) -> None:
    assert (kept.journal.first_seq, kept.journal.next_seq, kept.journal.checkpoint) == (1, 1, b"")
    assert put(kept.journal, b"a", b"b") == [1, 2]
    assert put(kept.journal, b"c") == [3]
    assert kept.journal.next_seq == 4
    assert everything(kept.journal) == [(1, b"a"), (2, b"b"), (3, b"c")]


def test_what_is_not_committed_cannot_be_read(kept: Kept) -> None:
    put(kept.journal, b"a")
    kept.journal.append(b"b")
    assert kept.journal.next_seq == 3
    assert everything(kept.journal) == [(1, b"a")]
    assert kept.journal.read(2, 100) == []
    kept.journal.commit()
    assert kept.journal.read(2, 100) == [(2, b"b")]


def test_what_is_not_committed_is_dropped(kept: Kept) -> None:
    put(kept.journal, b"a")
    kept.journal.append(b"b")
    journal = kept.reopen()
    assert (journal.next_seq, everything(journal)) == (2, [(1, b"a")])
    assert put(journal, b"c") == [2]
    assert everything(kept.reopen()) == [(1, b"a"), (2, b"c")]


def test_a_commit_of_nothing_is_nothing(kept: Kept) -> None:
    kept.journal.commit()
    put(kept.journal, b"a")
    kept.journal.commit()
    assert kept.reopen().next_seq == 2


def test_a_read_gives_at_least_one_and_no_more_than_fits(kept: Kept) -> None:
    put(kept.journal, *[b"x" * 500] * 6)
    assert kept.journal.read(2, 1) == [(2, b"x" * 500)]
    some = kept.journal.read(2, 2_000)
    assert 1 < len(some) < 5
    assert some[0][0] == 2
    assert kept.journal.read(7, 100) == []
    assert kept.journal.read(1_000, 100) == []
    with pytest.raises(ValueError, match="numbered from 1"):
        kept.journal.read(0, 100)


def test_a_read_begins_anywhere_and_goes_on_to_the_end(kept: Kept) -> None:
    payloads = [b"%d " % number * (number * 37 % 90 + 1) for number in range(1, 181)]
    wanted = list(enumerate(payloads, 1))
    for at in range(0, len(payloads), 3):
        put(kept.journal, *payloads[at : at + 3])
        assert everything(kept.journal) == wanted[: at + 3]
    for is_reopened in (False, True):
        journal = kept.reopen() if is_reopened else kept.journal
        # Backwards, so that no read begins where another one ended.
        for seq in range(len(payloads), 0, -1):
            assert journal.read(seq, 1) == [wanted[seq - 1]]
            found = journal.read(seq, 900)
            assert found == wanted[seq - 1 : seq - 1 + len(found)]
            assert len(found) == 1 or sum(len(payload) for _, payload in found) <= 900


@pytest.mark.parametrize("size", [1, SMALL, PAYLOAD_MAX])
def test_a_payload_may_be_as_long_as_a_record_takes(kept: Kept, size: int) -> None:
    put(kept.journal, b"before")
    put(kept.journal, b"x" * size, b"after")
    assert everything(kept.reopen(), 64) == [(1, b"before"), (2, b"x" * size), (3, b"after")]


@pytest.mark.parametrize("size", [0, PAYLOAD_MAX + 1])
def test_another_length_is_refused_and_changes_nothing(kept: Kept, size: int) -> None:
    put(kept.journal, b"a")
    with pytest.raises(ValueError, match=f"payload of {size} bytes"):
        kept.journal.append(b"x" * size)
    assert put(kept.journal, b"b") == [2]


def test_a_closed_journal_says_so(kept: Kept) -> None:
    put(kept.journal, b"a")
    kept.journal.close()
    kept.journal.close()
    uses: list[Callable[[], object]] = [
        lambda: kept.journal.append(b"b"),
        kept.journal.commit,
        lambda: kept.journal.read(1, 100),
    ]
    for use in uses:
        with pytest.raises(JournalError, match="is closed"):
            use()


def test_records_that_are_no_longer_kept_are_gone(tmp_path: Path) -> None:
    memory = MemoryJournal(tuple(b"%d" % number for number in range(1, 10)))
    memory.forget(6, b"five")
    assert (memory.first_seq, memory.next_seq, memory.checkpoint) == (6, 10, b"five")
    assert everything(memory) == [(number, b"%d" % number) for number in range(6, 10)]
    with pytest.raises(RecordsGone, match="record 5 is no longer kept"):
        memory.read(5, 100)
    # A file's checkpoint is a gateway's state, so these payloads are records.
    with FileJournal.open(tmp_path, durability="process-safe", segment_bytes=SMALL) as journal:
        for ts in range(300):
            put(journal, b"\x94\x35%c\xcd\x01\x00" % 0 + bytes([ts % 100]))
    compact(tmp_path, 1)
    with FileJournal.open(tmp_path, durability="process-safe", segment_bytes=SMALL) as journal:
        first = journal.first_seq
        assert first > 1
        assert journal.checkpoint
        assert everything(journal)[0][0] == first
        with pytest.raises(RecordsGone, match="no longer kept"):
            journal.read(first - 1, 100)


# Long enough for some ten segments, which bytes that are drawn one by one hardly are.
PAYLOADS = st.builds(
    lambda data, times: data * times, st.binary(min_size=1, max_size=3), st.integers(1, 700)
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), PAYLOADS),
        st.tuples(st.just("commit"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
        st.tuples(st.just("read"), st.tuples(st.integers(1, 60), st.integers(1, 3_000))),
    ),
    max_size=60,
)


@pytest.mark.parametrize("kind", ["process-safe", "power-safe"])
@settings(max_examples=60)
@given(steps=STEPS)
def test_files_do_what_memory_does(kind: str, steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as made:
        file, memory = Kept(kind, Path(made) / "journal"), Kept("memory", Path(made))
        for step, value in steps:
            if step == "append":
                assert isinstance(value, bytes)
                assert file.journal.append(value) == memory.journal.append(value)
            elif step == "commit":
                file.journal.commit()
                memory.journal.commit()
            elif step == "reopen":
                file.reopen()
                memory.reopen()
            else:
                assert isinstance(value, tuple)
                one, two = file.journal.read(*value), memory.journal.read(*value)
                # Files end a read at the end of a segment, and count headers too.
                shorter = min(len(one), len(two))
                assert one[:shorter] == two[:shorter]
                assert bool(one) == bool(two)
            assert file.journal.next_seq == memory.journal.next_seq
        assert everything(file.journal) == everything(memory.journal)
        file.journal.close()
