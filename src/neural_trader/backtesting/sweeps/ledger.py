"""The trial ledger: what was tried, on which data, with which result, in an SQLite file.

Later statistics need to know how many trials there were, not only which won. Rows are written as
trials are done, in transactions of a chunk: a process that is killed leaves whole chunks behind.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from neural_trader.core import DataError

Row = tuple[str, tuple[float | None, ...]]
"""A trial's parameters as JSON with sorted keys, and its figures, ruined and refused last."""

_APPLICATION: Final = 0x6E74_6C31
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE sweeps (
    id INTEGER PRIMARY KEY,
    config_hash TEXT NOT NULL,
    data_hash TEXT NOT NULL,
    version TEXT NOT NULL,
    data_name TEXT NOT NULL,
    config TEXT NOT NULL,
    UNIQUE (config_hash, data_hash, version)
);
CREATE TABLE trials (
    sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
    parameters TEXT NOT NULL,
    trades REAL, fills REAL, final_equity REAL, total_return REAL, sharpe REAL,
    max_drawdown REAL, peak_leverage REAL, is_ruined REAL, is_refused REAL,
    PRIMARY KEY (sweep_id, parameters)
) WITHOUT ROWID;
"""
_COLUMNS: Final = (
    "trades, fills, final_equity, total_return, sharpe, max_drawdown, peak_leverage, is_ruined, "
    "is_refused"
)


class Ledger:
    """The trials of one strategy, data and arguments in a ledger; without a file it keeps none."""

    def __init__(self, connection: sqlite3.Connection | None, sweep_id: int) -> None:
        self._connection = connection
        self._sweep_id = sweep_id

    @staticmethod
    @contextmanager
    def opened(path: str | Path | None, provenance: dict[str, Any]) -> "Iterator[Ledger]":
        """Open the ledger for a sweep, and close it afterwards.

        Raises
        ------
        DataError
            The file is something else, of a newer version, or cannot be written.
        """
        if path is None:
            yield Ledger(None, 0)
            return
        connection = None
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # Another sweep may be writing to it: each waits for the other's chunk.
            connection = sqlite3.connect(path, timeout=60.0, isolation_level=None)
            _prepare(connection, path)
            yield Ledger(connection, _sweep_id(connection, provenance))
        except (sqlite3.Error, OSError) as error:
            message = f"{path} cannot be used as a ledger: {error}; name another with ledger="
            raise DataError(message) from error
        finally:
            if connection is not None:
                connection.close()

    def write(self, rows: Iterable[Row]) -> None:
        """Write trials down; one that is there already is replaced by itself."""
        if self._connection is None:
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((self._sweep_id, parameters, *figures) for parameters, figures in rows),
            )
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def read(self) -> Iterator[Row]:
        """Yield the trials of this sweep, one at a time: there may be more than memory holds."""
        if self._connection is None:
            return
        query = f"SELECT parameters, {_COLUMNS} FROM trials WHERE sweep_id = ?"  # noqa: S608 - ours
        for parameters, *figures in self._connection.execute(query, (self._sweep_id,)):
            yield parameters, tuple(figures)


def _prepare(connection: sqlite3.Connection, path: str | Path) -> None:
    """Make the tables of a new file, and refuse a file that is something else."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == _APPLICATION:
        if version != _VERSION:
            message = f"{path} is a trial ledger of version {version}; this one reads {_VERSION}"
            raise DataError(message)
        return
    if tables or application:
        message = f"{path} is an SQLite file of something else; name another with ledger="
        raise DataError(message)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    # Another sweep may have made the tables while this one waited.
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in _SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


def _sweep_id(connection: sqlite3.Connection, provenance: dict[str, Any]) -> int:
    """Return the number of this strategy, data and arguments in the ledger."""
    key = tuple(provenance[name] for name in ("config_hash", "data_hash", "version"))
    connection.execute(
        "INSERT OR IGNORE INTO sweeps (config_hash, data_hash, version, data_name, config) "
        "VALUES (?, ?, ?, ?, ?)",
        (*key, provenance["data_name"], json.dumps(provenance["config"], sort_keys=True)),
    )
    row = connection.execute(
        "SELECT id FROM sweeps WHERE config_hash = ? AND data_hash = ? AND version = ?", key
    ).fetchone()
    return int(row[0])
