"""A journal is compacted while it is read: a reader that is overtaken hears so, not of damage."""

from pathlib import Path

import pytest

from neural_trader.core.errors import RecordsGone
from neural_trader.execution import compact
from neural_trader.execution.journal import Tail, reading, verify, walk
from neural_trader.execution.journal.projection import Projector
from tests.unit.execution.journal.kept import open_small, segments_of

FROZEN = Path(__file__).parents[3] / "golden" / "journal-v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a journal of five segments or more."""
    folder = tmp_path / "journal"
    started = next(walk(FROZEN))[1]
    with open_small(folder) as journal:
        for _ in range(600):
            journal.append(started)
            journal.commit()
    assert len(segments_of(folder)) >= 5
    return folder


def test_a_reader_reads_what_it_has_open_and_is_told_what_is_gone(folder: Path) -> None:
    second = int(segments_of(folder)[1].stem)
    with Tail(folder) as tail:
        compact(folder, 1)
        gone = rf"record {second} of the journal .* is no longer kept"
        for _ in range(2):
            with pytest.raises(RecordsGone, match=gone):
                read_to_the_end(tail)
            with pytest.raises(RecordsGone, match=gone):
                tail.check_end()
    # Up to there it has read: a file that it has open stays for it.
    assert tail.mark.seq == second


def read_to_the_end(tail: Tail) -> list[int]:
    found = []
    while records := tail.read():
        found += [seq for seq, _ in records]
    return found


def test_a_reader_in_a_segment_that_stays_sees_nothing_of_it(folder: Path) -> None:
    first = int(segments_of(folder)[-2].stem)
    with Tail(folder, first) as tail:
        compact(folder, 2)
        assert read_to_the_end(tail) == list(range(first, 601))


def test_a_projector_is_told(folder: Path, tmp_path: Path) -> None:
    with Projector(folder, tmp_path / "tables.sqlite") as projector:
        compact(folder, 1)
        with pytest.raises(RecordsGone, match="is no longer kept"):
            projector.catch_up()


def test_a_segment_that_goes_as_it_is_opened_is_gone_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = reading.contents

    def look(place: Path) -> tuple[int, list[int]]:
        found = contents(place)
        monkeypatch.undo()
        compact(folder, 1)
        return found

    monkeypatch.setattr(reading, "contents", look)
    with pytest.raises(RecordsGone, match=r"record 1 of the journal .* is no longer kept"):
        Tail(folder)
    assert verify(folder).segments == 1
