"""The trial ledger: what was tried, on which data, with which result, in an SQLite file.

Later statistics need to know how many trials there were, not only which won. Rows are written as
trials are done, in transactions of a chunk: a process that is killed leaves whole chunks behind.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from neural_trader.core import ConfigError, DataError

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

_WAIT_S: Final = 60.0
"""For how long a sweep waits for another that writes to the same ledger."""

_KEY: Final = ("config_hash", "data_hash", "version")
"""What makes two sweeps one."""


class Ledger:
    """The trials of one strategy, data and arguments in a ledger; without a path it keeps none.

    A file that is there is looked at when it is made; one that is not there yet, and the sweep's
    own row, are written with the first trials: a sweep that is refused leaves nothing behind.

    Raises
    ------
    ConfigError
        The folder of the file does not exist.
    DataError
        The file is something else, of another version, or cannot be read or written; from every
        method.
    """

    def __init__(self, path: str | Path | None, provenance: dict[str, Any]) -> None:
        self._path = None if path is None else Path(path).expanduser()
        self._provenance = provenance
        self._connection: sqlite3.Connection | None = None
        if self._path is not None and not self._path.absolute().parent.is_dir():
            message = f"the ledger is {str(path)!r}; its folder does not exist"
            raise ConfigError(message)
        if self._path is not None and self._path.exists():
            with self._told():
                self._connect()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    def write(self, rows: Iterable[Row]) -> None:
        """Write trials down; one that is there already is replaced by itself."""
        if self._path is None:
            return
        with self._told():
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            try:
                sweep_id = _sweep_id(connection, self._provenance)
                connection.executemany(
                    "INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    ((sweep_id, parameters, *figures) for parameters, figures in rows),
                )
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def read(self) -> Iterator[Row]:
        """Yield the trials of this sweep, one at a time: there may be more than memory holds."""
        if self._connection is None:
            return
        key = [self._provenance[name] for name in _KEY]
        with self._told():
            found = self._connection.execute(
                f"SELECT parameters, {_COLUMNS} FROM trials JOIN sweeps ON id = sweep_id "  # noqa: S608 - ours
                "WHERE config_hash = ? AND data_hash = ? AND version = ?",
                key,
            )
            for parameters, *figures in found:
                yield parameters, tuple(figures)

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            # Another sweep may be writing to it: each waits for the other's chunk.
            connection = sqlite3.connect(str(self._path), timeout=_WAIT_S, isolation_level=None)
            try:
                _prepare(connection, self._path)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say of which file an error of SQLite's is."""
        try:
            yield
        except sqlite3.Error as error:
            message = f"{self._path} cannot be used as a ledger: {error}; name another with ledger="
            raise DataError(message) from error


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    """Make the tables of a new file, and refuse a file that is something else."""
    # One transaction: another sweep may be making the file, and half of the answers would be old.
    connection.execute("BEGIN")
    is_new = _is_new(connection, path)
    connection.execute("COMMIT")
    if not is_new:
        return
    _keep_a_write_ahead_log(connection)
    connection.execute("BEGIN IMMEDIATE")
    if _is_new(connection, path):
        for statement in _SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


def _keep_a_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers and a writer go on side by side from now on."""
    # For this one change SQLite waits for no lock, whatever the timeout: it fails at once.
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # The low byte is the kind of an error, what stands above it says more.
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _is_new(connection: sqlite3.Connection, path: Path | None) -> bool:
    """Return whether a file is empty, or raise DataError where it is no ledger of this version."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == _APPLICATION:
        if version != _VERSION:
            message = f"{path} is a trial ledger of version {version}; this one reads {_VERSION}"
            raise DataError(message)
        return False
    if tables or application:
        message = f"{path} is an SQLite file of something else; name another with ledger="
        raise DataError(message)
    return True


def _sweep_id(connection: sqlite3.Connection, provenance: dict[str, Any]) -> int:
    """Return the number of this strategy, data and arguments in the ledger."""
    key = tuple(provenance[name] for name in _KEY)
    connection.execute(
        "INSERT OR IGNORE INTO sweeps (config_hash, data_hash, version, data_name, config) "
        "VALUES (?, ?, ?, ?, ?)",
        (*key, provenance["data_name"], json.dumps(provenance["config"], sort_keys=True)),
    )
    row = connection.execute(
        "SELECT id FROM sweeps WHERE config_hash = ? AND data_hash = ? AND version = ?", key
    ).fetchone()
    return int(row[0])
