"""A writer died in the middle of a batch: that batch is gone, and nothing else."""

from pathlib import Path

import pytest

from neural_trader.core.errors import JournalError
from neural_trader.execution.journal import verify
from neural_trader.execution.journal.format import SEGMENT, segment_name
from tests.unit.execution.journal.kept import (
    SMALL,
    batches,
    contents_of,
    flat,
    open_small,
    payloads_of,
    restore,
    segments_of,
    write,
)

WANTED = batches(1, 2, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def reopened(folder: Path) -> tuple[list[bytes], int]:
    """Open a journal, write on, and return what stands there and how much was torn."""
    with open_small(folder) as journal:
        torn = journal.torn_bytes
        before = [payload for _, payload in journal.read(1, 1 << 20)]
        assert journal.next_seq == len(before) + 1
        journal.append(b"after")
        journal.commit()
    assert payloads_of(folder) == [*before, b"after"]
    assert verify(folder).torn_bytes == 0
    return before, torn


@pytest.mark.parametrize("is_preallocated", [False, True])
def test_a_last_batch_cut_at_any_byte_is_gone_whole_or_kept_to_a_record(
    folder: Path, is_preallocated: bool
) -> None:
    places = write(folder, WANTED)
    (path,) = segments_of(folder)
    whole = path.read_bytes()
    start, end = places[-2], places[-1]
    kept = contents_of(folder)
    for cut in range(start, end):
        torn = whole[:cut].ljust(SMALL if is_preallocated else cut, b"\0")
        restore(folder, kept | {path.name: torn})
        found, torn_bytes = reopened(folder)
        assert found == flat(WANTED)[: len(found)]
        assert len(flat(WANTED[:-1])) <= len(found) < len(flat(WANTED))
        assert 0 <= torn_bytes <= cut - start


def test_a_cut_at_any_byte_loses_no_batch_that_was_there_before(folder: Path) -> None:
    places = write(folder, WANTED)
    (path,) = segments_of(folder)
    kept = contents_of(folder)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        restore(folder, kept | {path.name: whole[:cut]})
        found, _ = reopened(folder)
        there = sum(1 for place in places[1:] if place <= cut)
        assert found[: len(flat(WANTED[:there]))] == flat(WANTED[:there])
        assert found == flat(WANTED)[: len(found)]


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_is_damage_or_costs_the_last_batch_alone(folder: Path, bit: int) -> None:
    places = write(folder, WANTED)
    (path,) = segments_of(folder)
    kept = contents_of(folder)
    for at in range(len(kept[path.name])):
        bad = bytearray(kept[path.name])
        bad[at] ^= 1 << bit
        restore(folder, kept | {path.name: bytes(bad)})
        problem = ""
        try:
            found, torn_bytes = reopened(folder)
        except JournalError as error:
            problem = str(error)
        if problem:
            assert path.name in problem
            assert contents_of(folder)[path.name] == bytes(bad), "nothing may be changed"
            continue
        assert at >= places[-2], f"byte {at} belongs to a batch that was finished"
        assert flat(WANTED[:-1]) == found[: len(flat(WANTED[:-1]))]
        assert found == flat(WANTED)[: len(found)]
        assert torn_bytes > 0


def test_pages_that_were_written_out_of_order_are_a_torn_batch(folder: Path) -> None:
    places = write(folder, WANTED)
    (path,) = segments_of(folder)
    whole = bytearray(path.read_bytes())
    whole[places[-2] : places[-2] + 40] = bytes(40)
    path.write_bytes(bytes(whole))
    assert verify(folder).torn_bytes > 0
    found, torn_bytes = reopened(folder)
    assert found == flat(WANTED[:-1])
    assert torn_bytes == places[-1] - places[-2]


def test_what_was_torn_is_never_taken_for_a_record_later(folder: Path) -> None:
    # The record that is written after the cut has the length of the one that was torn: what
    # follows it would fit, were it still there.
    write(folder, [[b"one"], [b"aaaa", b"bbbb", b"cccc"]])
    (path,) = segments_of(folder)
    whole = path.read_bytes()
    at = whole.index(b"aaaa")
    path.write_bytes((whole[:at] + b"AAAA" + whole[at + 4 :]).ljust(SMALL, b"\0"))
    with open_small(folder) as journal:
        assert journal.torn_bytes > 0
        journal.append(b"aaaa")
        journal.commit()
        assert path.stat().st_size == SMALL
        assert path.read_bytes()[journal._at :].strip(b"\0") == b""
    assert payloads_of(folder) == [b"one", b"aaaa"]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 20, 23, 24, SMALL])
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_segment_whose_making_was_not_finished_is_made_again(
    folder: Path, size: int, is_empty: bool
) -> None:
    write(folder, WANTED)
    header = segments_of(folder)[0].read_bytes()[: SEGMENT.size]
    unfinished = folder / segment_name(7)
    unfinished.write_bytes(bytes(size) if is_empty else header[: min(size, 23)].ljust(size, b"\0"))
    found, _ = reopened(folder)
    assert found == flat(WANTED)
    assert not unfinished.exists()


def test_the_first_segment_too(folder: Path) -> None:
    folder.mkdir()
    (folder / segment_name(1)).write_bytes(bytes(SMALL))
    assert verify(folder).records == 0
    assert reopened(folder) == ([], 0)


def test_reading_changes_nothing(folder: Path) -> None:
    write(folder, WANTED)
    (path,) = segments_of(folder)
    path.write_bytes(path.read_bytes()[:-3])
    before = contents_of(folder)
    assert len(payloads_of(folder)) == len(flat(WANTED)) - 1
    assert verify(folder).torn_bytes > 0
    assert contents_of(folder) == before


@pytest.mark.parametrize("zeros", [1, 3, 100])
def test_damage_is_no_torn_tail_though_the_record_behind_it_ends_with_zeros(
    folder: Path, zeros: int
) -> None:
    first, second, _ = write(folder, [[b"damaged"], [b"last" + bytes(zeros)]])
    (path,) = segments_of(folder)
    data = bytearray(path.read_bytes().ljust(SMALL, b"\0"))
    data[second - 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalError, match=f"damaged at byte {first}: record 1 "):
        open_small(folder)
    assert path.read_bytes() == data
