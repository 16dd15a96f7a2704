"""The tables say what the core says, whenever the projector is stopped."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from neural_trader.core.errors import JournalError
from neural_trader.execution import Gateway
from neural_trader.execution import messages as m
from neural_trader.execution.journal import FileJournal, records, walk
from neural_trader.execution.journal import projection as projection_module
from neural_trader.execution.journal.projection import Projector
from tests.simulation.history import play
from tests.unit.execution.desk import Desk
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
    copy_records(tmp_path / "journal", play(request.param).watch.records)
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
    accounts = core.accounts.values()
    assert rows(path, "SELECT name, cash, is_killed FROM accounts ORDER BY account") == [
        (one.name, one.book.cash, one.is_killed) for one in accounts
    ]
    fields = "account, symbol, qty, cost, realized, fees"
    assert rows(path, f"SELECT {fields} FROM positions ORDER BY 1, 2") == [  # noqa: S608
        (account.number, symbol, one.qty, one.cost, one.realized, one.fees)
        for account in accounts
        for symbol, one in sorted(account.book.holdings.items())
        if one.qty or one.realized or one.fees or one.cost
    ]
    known = [one for each in accounts for one in (*each.open.values(), *each.ended.values())]
    found = rows(path, "SELECT account, no, qty, limit_price, status, filled FROM orders")
    live = sorted(row for row in found if row[4] != "denied")
    assert live == sorted(
        (one.account, one.no, one.qty, one.limit, one.status, one.filled) for one in known
    )
    (total,) = rows(path, "SELECT count(*), count(DISTINCT fill_id) FROM fills")
    assert total[0] == total[1] == sum(len(order.fill_ids) for order in known)


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


# One batch is what stands in the first segment: 72 records.
@pytest.mark.parametrize("record", [1, 2, 10, 25, 40, 55, 72])
def test_a_projector_that_is_interrupted_within_a_batch_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: int
) -> None:
    whole, parts = tmp_path / "whole.sqlite", tmp_path / "parts.sqlite"
    project(FROZEN, whole)
    Projector(FROZEN, parts).close()
    before = contents(parts)

    def decode(seq: int, payload: bytes) -> Any:
        if seq == record:
            raise KeyboardInterrupt
        return records.decode(seq, payload)

    with monkeypatch.context() as patch:
        patch.setattr(projection_module, "decode", decode)
        with pytest.raises(KeyboardInterrupt):
            project(FROZEN, parts)
    assert contents(parts) == before
    project(FROZEN, parts)
    assert contents(parts) == contents(whole)


def test_readers_of_the_file_see_whole_batches_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tables.sqlite"
    monkeypatch.setattr(projection_module, "CHUNK_BYTES", 600)
    seen = []
    with Projector(FROZEN, path) as projector, closing(sqlite3.connect(path)) as reader:

        def look(last: int) -> None:
            (row,) = reader.execute(
                "SELECT last_seq, (SELECT max(seq) FROM events), (SELECT count(*) FROM events) "
                "FROM meta"
            ).fetchall()
            assert row == (last, last, last)
            seen.append(last)

        projector.catch_up(look)
    assert len(seen) > 5
    assert seen[-1] == 92


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


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tables.sqlite"
    project(FROZEN, path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="no projection of a journal that this version writes"):
        Projector(FROZEN, path)


def test_where_there_is_no_journal_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal in"):
        Projector(tmp_path / "none", tmp_path / "tables.sqlite")
    assert not list(tmp_path.iterdir())


def test_fees_a_turn_through_zero_and_a_kill_switch_are_what_the_core_has(tmp_path: Path) -> None:
    desk = Desk()
    for no, (lots, price, fee) in enumerate(((100, 5_420, 7), (-250, 5_431, 3), (50, 5_417, 0)), 1):
        desk.submit("KO", lots, limit=price)
        desk.accept(no, no)
        identity = m.order_id(1, no)
        for fill_id, part in ((2 * no, lots // 5), (2 * no + 1, lots - lots // 5)):
            value = abs(part) * price
            desk.say(m.OrderFilled(identity, fill_id, "KO", part, price, value, fee, desk.now))
    desk.client.switch(on=True)
    desk.pass_on()
    copy_records(tmp_path / "journal", [payload for _, payload in desk.journal.read(1, 1 << 30)])
    path = tmp_path / "tables.sqlite"
    project(tmp_path / "journal", path)
    (found,) = rows(path, "SELECT account, symbol, qty, cost, realized, fees FROM positions")
    held = desk.account.book.holdings["KO"]
    assert found == (1, "KO", held.qty, held.cost, held.realized, held.fees)
    assert (held.qty, held.fees, held.realized != 0) == (-100, 20, True)
    assert rows(path, "SELECT account, name, opening, cash, is_killed FROM accounts") == [
        (1, "main", 10_000_000, desk.account.book.cash, 1),
        (2, "other", 5_000_000, 5_000_000, 0),
    ]


def test_another_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tables.sqlite"
    project(FROZEN, path)
    payloads = [payload for _, payload in walk(FROZEN)]
    copy_records(tmp_path / "shorter", payloads[:50])
    copy_records(tmp_path / "other", [*payloads[:91], payloads[0]])
    for folder in (tmp_path / "shorter", tmp_path / "other"):
        with pytest.raises(JournalError, match="record 92 of another journal"):
            Projector(folder, path)


def test_a_journal_that_only_ends_alike_is_another(tmp_path: Path) -> None:
    payloads = [payload for _, payload in walk(FROZEN)]
    path = tmp_path / "tables.sqlite"
    copy_records(tmp_path / "journal", payloads)
    project(tmp_path / "journal", path)
    # The same journal at another place, or restored from a copy, is the same.
    copy_records(tmp_path / "copy", [*payloads, payloads[0]])
    assert project(tmp_path / "copy", path) == 1
    payloads[3], payloads[4] = payloads[4], payloads[3]
    copy_records(tmp_path / "other", [*payloads, payloads[0]])
    with pytest.raises(JournalError, match="record 93 of another journal"):
        Projector(tmp_path / "other", path)


def test_two_projectors_of_one_file_stop_each_other(tmp_path: Path) -> None:
    payloads = [payload for _, payload in walk(FROZEN)]
    copy_records(tmp_path / "journal", payloads[:50])
    path = tmp_path / "tables.sqlite"
    with Projector(tmp_path / "journal", path) as one, Projector(tmp_path / "journal", path) as two:
        one.catch_up()
        with pytest.raises(JournalError, match="another projector writes"):
            two.catch_up()
    assert rows(path, "SELECT count(*) FROM events") == [(50,)]
