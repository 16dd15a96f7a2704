"""Damage in the middle stops everything, and says what a person can do."""

import re
from pathlib import Path

import pytest

from neural_trader.core.errors import JournalError
from neural_trader.execution.journal import verify, walk
from neural_trader.execution.journal.format import MAGIC, segment_name
from tests.unit.execution.journal.kept import (
    batches,
    contents_of,
    flat,
    open_small,
    payloads_of,
    segments_of,
    write,
)

LONG = [[b"x" * 300] * 3 for _ in range(20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def refused(folder: Path) -> str:
    """Return what every way of reading says, after looking that nothing was changed."""
    before = contents_of(folder)
    said = []
    for read in (verify, payloads_of, open_small):
        with pytest.raises(JournalError) as caught:
            read(folder)
        said.append(str(caught.value))
    assert len(set(said)) == 1
    assert contents_of(folder) | {"lock": b""} == before | {"lock": b""}
    return said[0]


def test_it_names_file_byte_record_and_what_to_do(folder: Path) -> None:
    wanted = batches(2, 1, 2)
    places = write(folder, wanted)
    (path,) = segments_of(folder)
    bad = bytearray(path.read_bytes())
    bad[places[1] + 30] ^= 1
    path.write_bytes(bytes(bad))
    said = refused(folder)
    assert f"{path} is damaged at byte {places[1]}: record 3 " in said
    assert "put the file back from a copy" in said
    assert f"cut the file to {places[1]} bytes" in said
    # What stood before it can still be read.
    records = walk(folder)
    assert [next(records)[1], next(records)[1]] == flat(wanted)[:2]
    with pytest.raises(JournalError):
        next(records)


def test_what_it_says_to_do_works(folder: Path) -> None:
    wanted = batches(2, 1, 2)
    places = write(folder, wanted)
    (path,) = segments_of(folder)
    bad = bytearray(path.read_bytes())
    bad[places[1] + 30] ^= 1
    path.write_bytes(bytes(bad))
    size = int(re.findall(r"cut the file to (\d+) bytes", refused(folder))[0])
    with path.open("r+b") as file:
        file.truncate(size)
    open_small(folder).close()
    assert payloads_of(folder) == flat(wanted)[:2]


def test_records_behind_zeros_are_damage(folder: Path) -> None:
    places = write(folder, batches(1, 2, 1))
    (path,) = segments_of(folder)
    bad = bytearray(path.read_bytes())
    bad[places[1] : places[2]] = bytes(places[2] - places[1])
    path.write_bytes(bytes(bad))
    assert "record 2 is not what was written" in refused(folder)


def test_bytes_that_were_cut_out_of_the_middle(folder: Path) -> None:
    places = write(folder, [[b"x"] for _ in range(60)])
    (path,) = segments_of(folder)
    whole = path.read_bytes()
    path.write_bytes(whole[: places[3]] + whole[places[58] + 5 :])
    assert f"{path} is damaged at byte {places[3]}: record 4 " in refused(folder)


def test_damage_at_the_end_of_a_segment_that_is_not_the_last(folder: Path) -> None:
    write(folder, LONG)
    path = segments_of(folder)[1]
    bad = bytearray(path.read_bytes())
    bad[-1] ^= 1
    path.write_bytes(bytes(bad))
    assert f"{path} is damaged" in refused(folder)


def test_a_segment_that_is_too_short_is_missing_records(folder: Path) -> None:
    write(folder, LONG)
    path = segments_of(folder)[1]
    path.write_bytes(path.read_bytes()[: 24 + 2 * 324])
    said = refused(folder)
    first = int(path.stem)
    assert f"records {first + 2} to {int(segments_of(folder)[2].stem) - 1} are missing" in said


@pytest.mark.parametrize("lost", [0, 1])
def test_a_missing_segment(folder: Path, lost: int) -> None:
    write(folder, LONG)
    paths = segments_of(folder)
    paths[lost].unlink()
    said = refused(folder)
    assert f"records {int(paths[lost].stem)} to {int(paths[lost + 1].stem) - 1} are missing" in said


def test_a_segment_of_another_journal(folder: Path, tmp_path: Path) -> None:
    write(folder, LONG)
    write(tmp_path / "other", [[b"y" * 300] * 3 for _ in range(20)])
    path = segments_of(folder)[1]
    path.write_bytes((tmp_path / "other" / path.name).read_bytes())
    assert f"{path} does not continue the journal" in refused(folder)


def test_a_renamed_segment(folder: Path) -> None:
    write(folder, batches(1, 2))
    (path,) = segments_of(folder)
    (folder / segment_name(2)).write_bytes(path.read_bytes())
    path.unlink()
    assert "records 1 to 1 are missing" in refused(folder)
    (folder / segment_name(2)).rename(path)
    write(folder, batches(1))
    (folder / segment_name(5)).write_bytes(path.read_bytes())
    assert "it says that it begins with record 1" in refused(folder)


def test_a_foreign_file(folder: Path) -> None:
    write(folder, batches(1))
    (folder / ".hidden").touch()
    assert verify(folder).records == 1
    (folder / "notes.txt").touch()
    assert "notes.txt is no part of a journal" in refused(folder)


def test_a_file_that_is_no_segment(folder: Path) -> None:
    write(folder, batches(1))
    (path,) = segments_of(folder)
    path.write_bytes(b"PAR1" + path.read_bytes()[4:])
    assert "is no segment of a journal" in refused(folder)


def test_a_newer_version(folder: Path) -> None:
    write(folder, batches(1))
    (path,) = segments_of(folder)
    path.write_bytes(MAGIC[:6] + b"\x02" + path.read_bytes()[7:])
    said = refused(folder)
    assert "has version 2 of the format" in said
    assert "reads version 1" in said


def test_records_behind_a_bad_header(folder: Path) -> None:
    write(folder, batches(1))
    (path,) = segments_of(folder)
    bad = bytearray(path.read_bytes())
    bad[21] ^= 1
    path.write_bytes(bytes(bad))
    assert "is damaged at byte 0: the header before record 1" in refused(folder)


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal in"):
        verify(tmp_path / "none")
    assert verify(tmp_path).records == 0
