"""The tables say what the core says, whenever the projector is stopped."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from neural_trader.core.errors import JournalError
from neural_trader.execution import Gateway
from neural_trader.execution.journal import FileJournal, walk
from neural_trader.execution.journal import projection as projection_module
from neural_trader.execution.journal.projection import Projector
from tests.simulation.world import World
from tests.unit.execution.journal.kept import open_small

FROZEN = Path(__file__).parents[3] / "golden" / "journal-v1"


def copy_records(folder: Path, payloads: list[bytes]) -> None:
    with open_small(folder) as journal:
        for payload in payloads:
            journal.append(payload)
            journal.commit()


@pytest.fixture(params=[1, 2, 3])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the journal of a day on which much went wrong."""
    world = World(request.param)
    for _ in range(400):
        world.act()
    world.heal()
    copy_records(tmp_path / "journal", [payload for _, payload in world.journal.read(1, 1 << 30)])
    return tmp_path / "journal"


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def contents(path: Path) -> list[Any]:
    tables = ("accounts", "instruments", "positions", "orders", "fills", "events", "meta")
    return [rows(path, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]  # noqa: S608


def project(folder: Path, path: Path) -> int:
    with Projector(folder, path) as projector:
        return projector.catch_up()


def test_the_tables_say_what_the_core_says(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "tables.sqlite"
    done = project(folder, path)
    with FileJournal.open(folder, durability="process-safe") as journal:
        core = Gateway(journal).core
        assert done == journal.next_seq - 1
    account = core.accounts[1]
    assert rows(path, "SELECT name, cash, is_killed FROM accounts") == [
        (account.name, account.book.cash, account.is_killed)
    ]
    assert rows(
        path, "SELECT symbol, qty, cost, realized, fees FROM positions ORDER BY symbol"
    ) == [
        (symbol, one.qty, one.cost, one.realized, one.fees)
        for symbol, one in sorted(account.book.holdings.items())
        if one.qty or one.realized or one.fees or one.cost
    ]
    known = {**account.open, **account.ended}
    found = rows(path, "SELECT no, qty, limit_price, status, filled FROM orders")
    live = {row[0]: row[1:] for row in found if row[3] != "denied"}
    assert live == {
        no: (order.qty, order.limit, order.status, order.filled) for no, order in known.items()
    }
    (total,) = rows(path, "SELECT count(*), count(DISTINCT fill_id) FROM fills")
    assert total[0] == total[1] == sum(len(order.fill_ids) for order in known.values())


def test_every_kind_of_record_has_its_row(tmp_path: Path) -> None:
    path = tmp_path / "tables.sqlite"
    assert project(FROZEN, path) == 92
    assert rows(path, "SELECT count(DISTINCT type), count(*) FROM events") == [(19, 92)]
    assert rows(path, "SELECT symbol, qty FROM positions") == [("KO", 100), ("PEP", -30)]
    assert {row[0] for row in rows(path, "SELECT DISTINCT status FROM orders")} == {
        *("filled", "denied", "canceled", "expired", "rejected"),
    }


def test_a_projector_that_dies_goes_on(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    whole, parts = tmp_path / "whole.sqlite", tmp_path / "parts.sqlite"
    project(folder, whole)
    monkeypatch.setattr(projection_module, "CHUNK_BYTES", 600)
    turns = 0

    class Death(BaseException):
        pass

    def die(_last: int) -> None:
        raise Death

    while True:
        turns += 1
        try:
            with Projector(folder, parts) as projector:
                projector.catch_up(die)
            break
        except Death:
            continue
    assert turns > 5
    assert contents(parts) == contents(whole)


def test_a_record_that_cannot_be_projected_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    payloads = [payload for _, payload in walk(FROZEN)]
    copy_records(tmp_path / "journal", payloads[:20])
    path = tmp_path / "tables.sqlite"
    project(tmp_path / "journal", path)
    before = contents(path)
    with open_small(tmp_path / "journal") as journal:
        for payload in (payloads[20], b"\x93\x63\x01\x02"):
            journal.append(payload)
            journal.commit()
    with pytest.raises(JournalError, match="record 22 is whole, but cannot be understood"):
        project(tmp_path / "journal", path)
    assert contents(path) == before


def test_another_file_is_refused_and_let_be(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE mine (x)")
        db.commit()
    text = tmp_path / "text.sqlite"
    text.write_text("no database at all, and quite a few words more than a header has")
    for path in (foreign, text):
        before = path.read_bytes()
        with pytest.raises(JournalError, match=r"no projection of a journal|cannot be used"):
            Projector(FROZEN, path)
        assert path.read_bytes() == before
    with pytest.raises(JournalError, match="cannot be used as a projection"):
        Projector(FROZEN, tmp_path / "no" / "folder.sqlite")


def test_another_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tables.sqlite"
    project(FROZEN, path)
    payloads = [payload for _, payload in walk(FROZEN)]
    copy_records(tmp_path / "shorter", payloads[:50])
    copy_records(tmp_path / "other", [*payloads[:91], payloads[0]])
    for folder in (tmp_path / "shorter", tmp_path / "other"):
        with pytest.raises(JournalError, match="record 92 of another journal"):
            Projector(folder, path)


def test_two_projectors_of_one_file_stop_each_other(tmp_path: Path) -> None:
    payloads = [payload for _, payload in walk(FROZEN)]
    copy_records(tmp_path / "journal", payloads[:50])
    path = tmp_path / "tables.sqlite"
    with Projector(tmp_path / "journal", path) as one, Projector(tmp_path / "journal", path) as two:
        one.catch_up()
        with pytest.raises(JournalError, match="another projector writes"):
            two.catch_up()
    assert rows(path, "SELECT count(*) FROM events") == [(50,)]
