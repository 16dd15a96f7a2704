"""The simulated disk loses what a disk loses; and the journal on it, nothing that it promised."""

from random import Random

import pytest

from neural_trader.core.errors import JournalError
from neural_trader.execution.journal import FileJournal
from neural_trader.execution.journal.format import RECORD, SEGMENT, segment_name
from tests.simulation.disk import Crashed, SimulatedDisk

SMALL = 1 << 12


def write(journal: FileJournal, *payloads: bytes) -> None:
    for payload in payloads:
        journal.append(payload)
        journal.commit()


def open_on(disk: SimulatedDisk) -> FileJournal:
    return FileJournal.open(disk.path, durability="power-safe", segment_bytes=SMALL)


def payloads_of(journal: FileJournal) -> list[bytes]:
    return [payload for _, payload in journal.read(1, 1 << 20)]


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_whose_flush_failed_is_flushed_before_anything_is_built_on_it(seed: int) -> None:
    disk = SimulatedDisk(Random(seed), is_flushed=True)
    with disk.installed():
        journal = open_on(disk)
        write(journal, b"before")
        disk.plan("flush_failed", 0)
        with pytest.raises(JournalError, match="closed for good"):
            write(journal, b"in doubt" * 200)
        disk.restart()
        journal = open_on(disk)
        found = payloads_of(journal)
        write(journal, b"after")
        disk.restart(has_power=False)
        assert payloads_of(open_on(disk)) == [*found, b"after"]


@pytest.mark.parametrize("seed", range(20))
def test_without_power_only_what_was_flushed_is_sure(seed: int) -> None:
    disk = SimulatedDisk(Random(seed), is_flushed=True)
    with disk.installed():
        journal = open_on(disk)
        write(journal, b"flushed")
        disk.plan("torn_write", 0)
        with pytest.raises(Crashed):
            write(journal, b"torn" * 500)
        with pytest.raises(Crashed):
            journal.close()
        disk.restart(has_power=False)
        assert payloads_of(open_on(disk)) == [b"flushed"]


def test_bytes_that_were_not_flushed_are_lost_with_some_dice() -> None:
    left = set()
    for seed in range(20):
        disk = SimulatedDisk(Random(seed), is_flushed=True)
        with disk.installed():
            journal = FileJournal.open(disk.path, durability="process-safe", segment_bytes=SMALL)
            write(journal, b"written")
            disk.restart(has_power=False)
            left.add(bytes(b"written" in inode.data for inode in disk.names.values()))
    assert len(left) > 1


def test_a_batch_before_a_torn_one_is_not_among_the_safe_bytes() -> None:
    disk = SimulatedDisk(Random(0), is_flushed=False)
    with disk.installed():
        journal = open_on(disk)
        write(journal, b"first", b"second", b"third" * 50)
        data = disk.names[segment_name(1)].data
        end = SEGMENT.size + 2 * RECORD.size + len(b"firstsecond")
        assert [size for _, size in disk.safe_bytes()] == [end]
        # The header of the last record is whole, and promises more bytes than came.
        torn = end + RECORD.size + 20
        data[torn:] = bytes(len(data) - torn)
        assert [size for _, size in disk.safe_bytes()] == []
