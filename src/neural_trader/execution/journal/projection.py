"""The journal as tables: a process of its own keeps an SQLite file up to date for all who ask.

Rows and the number of the last record behind them are written in one transaction. So a projector
that dies at any line leaves a file that is right up to some record, and goes on from there; and a
file that is thrown away is made again from the journal.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from neural_trader.core.errors import JournalError
from neural_trader.execution import messages as m
from neural_trader.execution.checkpoint import read_image, restore_order
from neural_trader.execution.journal.checkpoints import Checkpoint, read_checkpoint
from neural_trader.execution.journal.reading import CHUNK_BYTES, Records, Tail
from neural_trader.execution.journal.records import decode, values_of, word_of
from neural_trader.execution.ledger import Holding
from neural_trader.execution.listing import Listing

if TYPE_CHECKING:
    import sqlite3

_APPLICATION: Final = 0x6E74_6A31
_VERSION: Final = 2
_SCHEMA: Final = """
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1), last_seq INTEGER NOT NULL, last_chain INTEGER NOT NULL
);
INSERT INTO meta VALUES (1, 0, 0);
CREATE TABLE accounts (
    account INTEGER PRIMARY KEY, name TEXT, opening INTEGER NOT NULL, cash INTEGER NOT NULL,
    is_killed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE instruments (symbol TEXT PRIMARY KEY, tick_size TEXT, lot_size TEXT, minor_unit TEXT);
CREATE TABLE positions (
    account INTEGER NOT NULL, symbol TEXT NOT NULL, qty INTEGER NOT NULL, cost INTEGER NOT NULL,
    realized INTEGER NOT NULL, fees INTEGER NOT NULL, PRIMARY KEY (account, symbol)
) WITHOUT ROWID;
CREATE TABLE orders (
    account INTEGER NOT NULL, no INTEGER NOT NULL, client INTEGER NOT NULL, symbol TEXT NOT NULL,
    qty INTEGER NOT NULL, kind INTEGER NOT NULL, tif INTEGER NOT NULL, limit_price INTEGER NOT NULL,
    trigger_price INTEGER NOT NULL, status TEXT NOT NULL, filled INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '', created_ts INTEGER NOT NULL, updated_ts INTEGER NOT NULL,
    PRIMARY KEY (account, no)
) WITHOUT ROWID;
CREATE TABLE fills (
    seq INTEGER PRIMARY KEY, account INTEGER NOT NULL, no INTEGER NOT NULL,
    fill_id INTEGER NOT NULL, symbol TEXT NOT NULL, qty INTEGER NOT NULL, price INTEGER NOT NULL,
    value INTEGER NOT NULL, fee INTEGER NOT NULL, ts INTEGER NOT NULL, venue_ts INTEGER NOT NULL
);
CREATE INDEX fills_of_order ON fills (account, no);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, account INTEGER, ts INTEGER NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX events_of_account ON events (account, seq);
"""
_ORDER: Final = (
    "INSERT INTO orders (account, no, client, symbol, qty, kind, tif, limit_price, trigger_price, "
    "status, reason, created_ts, updated_ts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MOVED: Final = "UPDATE orders SET status = ?, updated_ts = ? WHERE account = ? AND no = ?"
_ENDED: Final = (
    "UPDATE orders SET status = ?, reason = ?, updated_ts = ? WHERE account = ? AND no = ?"
)
# As in the core: a fill that comes after the end of an order does not open it again.
_FILLED: Final = (
    "UPDATE orders SET filled = ?1, updated_ts = ?2, status = CASE WHEN qty = ?1 THEN 'filled' "
    "WHEN status IN ('submitted', 'accepted', 'partially_filled', 'unknown') "
    "THEN 'partially_filled' ELSE status END WHERE account = ?3 AND no = ?4"
)
_REPLACED: Final = (
    "UPDATE orders SET qty = ?1, limit_price = ?2, trigger_price = ?3, updated_ts = ?4, "
    "status = CASE WHEN filled = ?1 THEN 'filled' WHEN status NOT IN ('submitted', 'unknown') "
    "THEN status WHEN filled <> 0 THEN 'partially_filled' ELSE 'accepted' END "
    "WHERE account = ?5 AND no = ?6"
)


class Projector:
    """Brings an SQLite file up to date with a journal, as often as it is asked.

    Parameters
    ----------
    folder : Path
        The journal; a gateway may be writing to it.
    path : Path
        The SQLite file, made where it is missing. One projector writes it.

    Attributes
    ----------
    last_seq : int
        The number of the last record that the file has.

    Raises
    ------
    JournalError
        There is no journal, or it is damaged, or the file is not a projection of it or cannot be
        used; from every method.
    """

    def __init__(self, folder: Path, path: Path) -> None:
        self._path = path
        self._holdings: dict[tuple[int, str], Holding] = {}
        self._changed: set[tuple[int, str]] = set()
        self._actions: dict[type, Callable[[int, Any], None]] = {
            m.Denied: self._denied,
            m.Submitted: self._submitted,
            m.Accepted: self._moved,
            m.Expired: self._moved,
            m.Unknown: self._moved,
            m.Rejected: self._ended,
            m.Canceled: self._ended,
            m.Replaced: self._replaced,
            m.Filled: self._filled,
            m.AccountOpened: self._opened,
            m.Listed: self._listed,
            m.KillSwitched: self._killed,
        }
        self._encode = msgspec.json.Encoder().encode
        self._tail = Tail(folder)
        try:
            with self._told():
                self._db = _open(path)
                row = self._db.execute("SELECT last_seq, last_chain FROM meta").fetchone()
            self.last_seq: int = row[0]
            if self.last_seq:
                self._tail.close()
                self._tail = self._resumed(folder, row[1])
            elif self._tail.first_seq > 1:
                self._seed(read_checkpoint(folder, self._tail.first_seq))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close both."""
        self.close()

    def close(self) -> None:
        """Give the journal and the file back."""
        self._tail.close()
        if hasattr(self, "_db"):
            self._db.close()

    def catch_up(self, progress: Callable[[int], None] | None = None) -> int:
        """Project what has been written since, and return how many records that were.

        Parameters
        ----------
        progress : callable, optional
            Is told the number of the last record, now and then.
        """
        before = self.last_seq
        while found := self._tail.read(CHUNK_BYTES):
            self._project(found)
            if progress is not None:
                progress(self.last_seq)
        return self.last_seq - before

    def check_end(self) -> bool:
        """Look at every byte behind the last record; return whether there is more to project."""
        return self._tail.check_end()

    def _seed(self, checkpoint: Checkpoint) -> None:
        """Begin with what stands for the records that are no longer kept: no fills, no events."""
        image = read_image(checkpoint.data)
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE meta SET last_seq = ?, last_chain = ?",
                (checkpoint.seq - 1, checkpoint.chain),
            )
            self._db.executemany("INSERT INTO instruments VALUES (?, ?, ?, ?)", image.listings)
            for one in image.accounts:
                self._db.execute(
                    "INSERT INTO accounts VALUES (?, ?, ?, ?, ?)",
                    (one.number, one.name, one.opening, one.cash, one.is_killed),
                )
                self._db.executemany(
                    "INSERT INTO positions VALUES (?, ?, ?, ?, ?, ?)",
                    [(one.number, *holding[:5]) for holding in one.holdings],
                )
                for order in map(restore_order, (*one.open, *one.ended)):
                    terms = (order.symbol, order.qty, order.kind, order.tif, order.limit)
                    head = (order.account, order.no, order.client)
                    state = (order.trigger, order.status, "", order.ts, order.ts)
                    self._db.execute(_ORDER, (*head, *terms, *state))
                    self._db.execute(
                        "UPDATE orders SET filled = ? WHERE account = ? AND no = ?",
                        (order.filled, order.account, order.no),
                    )
            self._db.execute("COMMIT")
        self.last_seq = checkpoint.seq - 1

    def _resumed(self, folder: Path, chain: int) -> Tail:
        """Return a place behind the last record, which must be the one that was projected.

        Its checksum is the end of a chain: no other journal has it, but for one that begins as this
        one does.
        """
        tail = Tail(folder, self.last_seq)
        if self.last_seq < tail.first_seq - 1:
            tail.close()
            message = (
                f"{self._path} ends with record {self.last_seq}, and the journal {folder} keeps "
                f"those from {tail.first_seq} on; remove the file, and one is made that begins "
                "with the journal's checkpoint"
            )
            raise JournalError(message)
        if self.last_seq >= tail.first_seq:
            tail.read(1)
        if (tail.mark.seq, tail.mark.chain) != (self.last_seq + 1, chain):
            tail.close()
            message = (
                f"{self._path} has record {self.last_seq} of another journal than {folder}, or of "
                "one that was longer; remove the file, and it is made again"
            )
            raise JournalError(message)
        return tail

    def _project(self, found: Records) -> None:
        """Write what follows from some records, in one transaction."""
        events = []
        last = found[-1][0]
        try:
            with self._told():
                # Crash: up to the commit the file is as it was, and after it as it will be.
                self._db.execute("BEGIN IMMEDIATE")
                moved = self._db.execute(
                    "UPDATE meta SET last_seq = ?, last_chain = ? WHERE last_seq = ?",
                    (last, self._tail.mark.chain, self.last_seq),
                )
                if moved.rowcount != 1:
                    self._refuse()
                for seq, payload in found:
                    record = decode(seq, payload)
                    action = self._actions.get(type(record))
                    if action is not None:
                        action(seq, record)
                    account = getattr(record, "account", None)
                    fields = self._encode(values_of(record)).decode()
                    events.append((seq, word_of(record), account, record.ts, fields))
                self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", events)
                self._write_positions()
                self._db.execute("COMMIT")
        except BaseException:
            # What was counted in memory is not in the file: this projector is of no use any more.
            self.close()
            raise
        self.last_seq = last

    def _refuse(self) -> None:
        message = f"another projector writes {self._path}: stop one of them"
        raise JournalError(message)

    def _write_positions(self) -> None:
        rows = [
            (*key, one.qty, one.cost, one.realized, one.fees)
            for key, one in ((key, self._holdings[key]) for key in sorted(self._changed))
        ]
        self._db.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._changed.clear()

    def _holding(self, key: tuple[int, str]) -> Holding:
        """Return a holding, from the file when it is first asked for."""
        if key not in self._holdings:
            # Fills come with their value: a book of money needs no units.
            holding = Holding(Listing(key[1], "1", "1", "1"), 1)
            row = self._db.execute(
                "SELECT qty, cost, realized, fees FROM positions WHERE account = ? AND symbol = ?",
                key,
            ).fetchone()
            if row is not None:
                holding.qty, holding.cost, holding.realized, holding.fees = row
            self._holdings[key] = holding
        return self._holdings[key]

    def _submitted(self, _: int, one: m.Submitted) -> None:
        self._new_order(one, "submitted", "")

    def _denied(self, _: int, one: m.Denied) -> None:
        self._new_order(one, "denied", one.reason)

    def _new_order(self, one: m.Submitted | m.Denied, status: str, reason: str) -> None:
        terms = (one.symbol, one.qty, one.kind, one.tif, one.limit, one.trigger)
        head = (one.account, one.no, one.client)
        self._db.execute(_ORDER, (*head, *terms, status, reason, one.ts, one.ts))

    def _moved(self, _: int, one: m.Accepted | m.Expired | m.Unknown) -> None:
        self._db.execute(_MOVED, (word_of(one), one.ts, one.account, one.no))

    def _ended(self, _: int, one: m.Rejected | m.Canceled) -> None:
        self._db.execute(_ENDED, (word_of(one), one.reason, one.ts, one.account, one.no))

    def _replaced(self, _: int, one: m.Replaced) -> None:
        self._db.execute(_REPLACED, (one.qty, one.limit, one.trigger, one.ts, one.account, one.no))

    def _filled(self, seq: int, one: m.Filled) -> None:
        self._db.execute(_FILLED, (one.filled, one.ts, one.account, one.no))
        terms = (one.symbol, one.qty, one.price, one.value, one.fee)
        self._db.execute(
            "INSERT INTO fills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, one.account, one.no, one.fill_id, *terms, one.ts, one.venue_ts),
        )
        paid = (one.value if one.qty > 0 else -one.value) + one.fee
        self._db.execute(
            "UPDATE accounts SET cash = cash - ? WHERE account = ?", (paid, one.account)
        )
        key = (one.account, one.symbol)
        self._holding(key).book(one.qty, one.value, one.fee)
        self._changed.add(key)

    def _opened(self, _: int, one: m.AccountOpened) -> None:
        self._db.execute(
            "INSERT INTO accounts (account, name, opening, cash) VALUES (?, ?, ?, ?)",
            (one.account, one.name, one.cash, one.cash),
        )

    def _listed(self, _: int, one: m.Listed) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO instruments VALUES (?, ?, ?, ?)",
            (one.symbol, one.tick_size, one.lot_size, one.minor_unit),
        )

    def _killed(self, _: int, one: m.KillSwitched) -> None:
        self._db.execute(
            "UPDATE accounts SET is_killed = ? WHERE account = ?", (one.on, one.account)
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say of which file an error of SQLite's is."""
        import sqlite3

        try:
            yield
        except sqlite3.Error as error:
            message = f"{self._path} cannot be used as a projection: {error}"
            raise JournalError(message) from error


def _open(path: Path) -> "sqlite3.Connection":
    """Open the file, with tables where it is new; refuse a file that is something else."""
    import sqlite3

    db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    try:
        _prepare(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: "sqlite3.Connection", path: Path) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if not application and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        # Readers see the last commit while the next is being written.
        db.execute("PRAGMA journal_mode = WAL")
        # Crash: half a schema is never seen, since all of it is one transaction.
        db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";\n"):
            if statement.strip():
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION}")
        db.execute(f"PRAGMA user_version = {_VERSION}")
        db.execute("COMMIT")
    elif (application, version) != (_APPLICATION, _VERSION):
        message = (
            f"{path} is no projection of a journal that this version writes; name another file, or "
            "remove this one"
        )
        raise JournalError(message)
    # A commit that a power cut takes back takes its number back too: it is projected again.
    db.execute("PRAGMA synchronous = NORMAL")
