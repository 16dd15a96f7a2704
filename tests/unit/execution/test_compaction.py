"""A checkpoint stands for the records before it, to the byte."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from neural_trader.core.errors import ConfigError, GatewayError, JournalError, RecordsGone
from neural_trader.execution import Gateway, compact, uncompacted
from neural_trader.execution import messages as m
from neural_trader.execution.checkpoint import read_image, take_image
from neural_trader.execution.journal import FileJournal, MemoryJournal, Tail, verify, walk
from neural_trader.execution.journal.checkpoints import checkpoint_name, read_checkpoint
from neural_trader.execution.journal.projection import Projector
from tests.simulation.history import play
from tests.unit.execution.desk import Desk

SMALL = 4096


def world_payloads(seed: int, steps: int = 300) -> tuple[bytes, ...]:
    """Return the journal of a day on which much went wrong."""
    return tuple(play(seed, range(steps)).watch.records)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a journal of many segments."""
    folder = tmp_path / "journal"
    with open_small(folder) as journal:
        for payload in world_payloads(3, 1_500):
            journal.append(payload)
            journal.commit()
    return folder


def open_small(folder: Path) -> FileJournal:
    return FileJournal.open(folder, durability="process-safe", segment_bytes=SMALL)


def firsts(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.log"))


def image_of(folder: Path) -> bytes:
    with open_small(folder) as journal:
        return take_image(Gateway(journal).core, journal.next_seq)


@pytest.mark.parametrize("seed", range(12))
def test_a_checkpoint_and_the_rest_give_the_state_of_all_records(seed: int) -> None:
    payloads = world_payloads(seed)
    whole = take_image(Gateway(MemoryJournal(payloads)).core, 0)
    for cut in (1, len(payloads) // 3, len(payloads) - 1, len(payloads)):
        before = Gateway(MemoryJournal(payloads[:cut]))
        journal = MemoryJournal(payloads[cut:], cut + 1, take_image(before.core, cut + 1))
        after = Gateway(journal)
        assert take_image(after.core, 0) == whole
        assert after.replayed == len(payloads) - cut


def test_old_segments_give_way_and_the_state_stays(folder: Path) -> None:
    before, were = image_of(folder), firsts(folder)
    last = verify(folder).last_seq
    found = compact(folder, 2)
    assert firsts(folder) == were[-2:]
    assert (found.first_seq, found.segments, found.removed) == (were[-2], 2, len(were) - 2)
    assert found.removed_bytes > 0
    assert image_of(folder) == before
    summary = verify(folder)
    assert (summary.first_seq, summary.last_seq) == (were[-2], last)
    assert summary.records == last - were[-2] + 1
    assert next(walk(folder))[0] == were[-2]
    assert next(walk(folder, last))[0] == last


def test_again_and_again_it_goes_on_from_the_last_checkpoint(folder: Path) -> None:
    before, were = image_of(folder), firsts(folder)
    for keep in (len(were), len(were) - 1, 3, 3, 1):
        compact(folder, keep)
        assert firsts(folder) == were[-keep:]
        assert len(list(folder.glob("*.checkpoint"))) == (keep < len(were))
    assert image_of(folder) == before


def test_a_death_before_the_removal_leaves_what_is_not_looked_at(folder: Path) -> None:
    before = image_of(folder)
    kept = {path.name: path.read_bytes() for path in folder.glob("*.log")}
    compact(folder, 2)
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    assert image_of(folder) == before
    assert verify(folder).segments == 2
    compact(folder, 2)
    assert len(firsts(folder)) == 2


@pytest.mark.parametrize("at", [0, 9, 20, 60, -1])
def test_a_damaged_checkpoint_is_refused(folder: Path, at: int) -> None:
    compact(folder, 1)
    (path,) = folder.glob("*.checkpoint")
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(bytes(data))
    for read in (open_small, verify):
        with pytest.raises(JournalError, match="is damaged: it is not what was written"):
            read(folder)
    assert path.read_bytes() == bytes(data)


def test_a_checkpoint_of_another_journal_is_refused(folder: Path, tmp_path: Path) -> None:
    compact(folder, 1)
    (path,) = folder.glob("*.checkpoint")
    other = tmp_path / "other"
    with open_small(other) as journal:
        while not firsts(other) or firsts(other)[-1] < int(path.stem):
            journal.append(b"\x95\x35" + bytes(5))
            journal.commit()
    segment = folder / f"{path.stem}.log"
    foreign = (other / f"{firsts(other)[-1]:016d}.log").read_bytes()
    segment.write_bytes(foreign)
    with pytest.raises(JournalError, match="does not continue the journal"):
        verify(folder)


def test_a_checkpoint_without_its_segment_is_refused(folder: Path) -> None:
    compact(folder, 1)
    (segment,) = folder.glob("*.log")
    segment.unlink()
    with pytest.raises(JournalError, match=f"{segment.name} is missing"):
        open_small(folder)


def test_a_newer_version_of_the_state_is_refused() -> None:
    image = read_image(take_image(Gateway(MemoryJournal()).core, 1))
    data = m.encode([2, *[getattr(image, name) for name in image.__struct_fields__[1:]]])
    with pytest.raises(JournalError, match="version 2, and this program reads version 1"):
        read_image(data)
    with pytest.raises(JournalError, match="cannot be understood"):
        read_image(b"\x90")


def test_it_runs_beside_the_writer(folder: Path) -> None:
    with open_small(folder) as journal:
        payloads = [payload for _, payload in journal.read(journal.next_seq - 1, 1)]
        wanted = journal.next_seq
        compact(folder, 1)
        for _ in range(200):
            journal.append(payloads[0])
            journal.commit()
        assert len(journal.read(wanted, 1 << 30)) > 0
        with pytest.raises(RecordsGone, match="no longer kept"):
            journal.read(1, 100)
    assert verify(folder).last_seq == wanted + 199


def test_one_compaction_at_a_time(folder: Path) -> None:
    program = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); "
        "print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder / ".compacting")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(JournalError, match="is being compacted, or read by a gateway"):
            compact(folder, 1)
        other.communicate(b"\n")
    compact(folder, 1)


def test_nothing_is_taken_away_from_who_reads_on(folder: Path, tmp_path: Path) -> None:
    with uncompacted(folder), uncompacted(folder):
        with pytest.raises(JournalError, match="read by a gateway that starts"):
            compact(folder, 1)
        assert firsts(folder)[0] == 1
    assert compact(folder, 1).removed > 0
    with uncompacted(tmp_path / "none"):
        assert not (tmp_path / "none").exists()


def test_what_cannot_be_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keep is 0"):
        compact(folder, 0)
    with pytest.raises(JournalError, match="there is no journal to compact"):
        compact(tmp_path / "none", 1)
    before = {path.name: path.read_bytes() for path in folder.glob("*.log")}
    path = folder / f"{firsts(folder)[1]:016d}.log"
    bad = bytearray(path.read_bytes())
    bad[100] ^= 1
    path.write_bytes(bytes(bad))
    with pytest.raises(JournalError, match="is damaged"):
        compact(folder, 1)
    assert firsts(folder) == sorted(int(name[:16]) for name in before)


def test_a_failed_write_removes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, image = firsts(folder), image_of(folder)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(JournalError, match="could not be compacted: No space left"):
        compact(folder, 1)
    monkeypatch.undo()
    assert firsts(folder) == before
    assert image_of(folder) == image
    assert not (folder / checkpoint_name(before[-1])).exists()


def test_the_checksum_of_the_last_record_is_kept(folder: Path) -> None:
    first = firsts(folder)[-1]
    compact(folder, 1)
    with Tail(folder) as tail:
        assert read_checkpoint(folder, first).chain == tail._chain != 0


def test_a_projection_begins_with_the_checkpoint(folder: Path, tmp_path: Path) -> None:
    whole, late, stale = tmp_path / "whole", tmp_path / "late", tmp_path / "stale"
    Projector(folder, stale).close()
    with Projector(folder, whole) as projector:
        projector.catch_up()
    compact(folder, 1)
    with Projector(folder, late) as projector:
        assert projector.last_seq == firsts(folder)[0] - 1
        projector.catch_up()
    with sqlite3.connect(whole) as one, sqlite3.connect(late) as two:
        for table in ("accounts", "positions", "instruments"):
            rows = f"SELECT * FROM {table} ORDER BY 1, 2"  # noqa: S608 - names of this page
            assert one.execute(rows).fetchall() == two.execute(rows).fetchall()
        orders = "SELECT no, qty, status, filled FROM orders WHERE status <> 'denied' ORDER BY no"
        assert one.execute(orders).fetchall() == two.execute(orders).fetchall()
    one.close()
    two.close()
    # One that had read everything goes on; one that had read less cannot.
    with Projector(folder, whole) as projector:
        assert projector.catch_up() == 0
    with sqlite3.connect(stale) as one:
        one.execute("UPDATE meta SET last_seq = 5")
    one.close()
    with pytest.raises(JournalError, match="ends with record 5, and the journal"):
        Projector(folder, stale)


def test_who_wants_events_that_are_gone_is_told() -> None:
    desk = Desk()
    for _ in range(3):
        desk.client.submit("KO", 1_000_000_000)
        desk.pass_on()
    seen = desk.account.seq
    image = take_image(desk.gateway.core, desk.journal.next_seq)
    desk.journal.forget(desk.journal.next_seq, image)
    # One who is to be caught up while the gateway runs, and finds the records gone.
    gone = r"\(too_old\): event 1 of account main is no longer kept"
    with pytest.raises(GatewayError, match=gone):
        desk.log_in("trade", client=8, next_seq=1)
    # After a start it is told at once, and all others go on.
    desk.start()
    with pytest.raises(GatewayError, match=gone):
        desk.log_in("trade", client=9, next_seq=1)
    assert {session.closing for session in desk.gateway.sessions} == {"too_old"}
    for number, wanted in ((10, seen), (11, 0)):
        client, session, _ = desk.log_in("trade", client=number, next_seq=wanted)
        assert client.is_ready
        assert (session.is_live, session.next_seq) == (True, desk.account.seq)
