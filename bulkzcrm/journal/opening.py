"""Opens a journal and nothing else: what is foreign, newer, damaged or not writable is refused and left untouched.

An older journal is brought up to date in one transaction, and loses nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from itertools import chain
from pathlib import Path

from bulkzcrm.errors import JournalError
from bulkzcrm.journal.database import in_sqlite
from bulkzcrm.journal.failures import as_output_error, storage_failure
from bulkzcrm.journal.migrations import MIGRATIONS
from bulkzcrm.journal.place import keep_private, make_place
from bulkzcrm.owners import dead

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "journal_mode", "open_again", "open_file", "open_temporary"]

APPLICATION_ID = int.from_bytes(b"bzcj", "big")
"""Marks a SQLite file as one of ours (https://sqlite.org/pragma.html#pragma_application_id)."""

SCHEMA_VERSION = 1 + len(MIGRATIONS)

_BUSY_TIMEOUT_S = 10.0
_LONGEST_LEASE_MS = 3_600_000
"""Claims are renewed for a minute; the clock was wrong by which one that ends much later was written."""
_OLDEST = (3, 35, 0)
"""The first release with RETURNING."""
_FIRST_SAFE_WAL = (3, 51, 3)
"""Before this release a write-ahead log that two connections use can corrupt the file (https://sqlite.org/wal.html#walresetbug)."""


def journal_mode(version: tuple[int, ...]) -> str:
    """Return the journal mode that is safe with a version of SQLite."""
    return "wal" if version >= _FIRST_SAFE_WAL else "truncate"


def open_file(home: Path, now_ms: int) -> tuple[sqlite3.Connection, Path]:
    """Open the journal in `home`, making it where there is none.

    Raises `JournalError`, also while an older program is at work on a run in a journal of an older format.
    """
    path = make_place(home)
    connection: sqlite3.Connection | None = None
    try:
        connection = _connect(str(path))
        _refuse_foreign(connection, path)
        keep_private(path)
        _configure(connection)
        _settle_mode(connection, path)
        _make_schema(connection, now_ms)
        _prove_writable(connection)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise _refusal(error, path) from error
        raise
    return connection, path


def open_again(path: Path) -> sqlite3.Connection:
    """Open a journal once more that this process has open already. Raises `OutputError`."""
    connection: sqlite3.Connection | None = None
    try:
        connection = _connect(path.absolute().as_uri() + "?mode=rw", uri=True)
        _configure(connection)
        _settle_mode(connection, path)
    except BaseException as error:
        if connection is not None:
            connection.close()
        failure = as_output_error(error, str(path)) if isinstance(error, sqlite3.Error) else None
        if failure is not None:
            raise failure from error
        raise
    return connection


def open_temporary() -> sqlite3.Connection:
    """Open a journal that nobody else sees and that is gone when it is closed; it outgrows memory on disk."""
    connection = _connect("")
    _configure(connection)
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    _make_schema(connection)
    return connection


def _connect(database: str, *, uri: bool = False) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise JournalError(
            f"This Python brings SQLite {sqlite3.sqlite_version}, which is too old for the journal (it needs 3.35).",
            "Install a newer Python.",
        )
    # The writer's thread uses a connection that another one opened; never two at a time (see writer.py).
    return sqlite3.connect(database, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, uri=uri)


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    # All in one transaction: another process may be making the journal at this moment.
    connection.execute("BEGIN")
    application = _number(connection, "PRAGMA application_id")
    version = _number(connection, "PRAGMA user_version")
    tables = _number(connection, "SELECT COUNT(*) FROM sqlite_master")
    connection.execute("COMMIT")
    if application != APPLICATION_ID and (application or tables):
        raise JournalError(
            f"The file {path} belongs to another program.",
            "Move it away, or name another folder in BULKZCRM_HOME.",
        )
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"The journal {path} was written by a newer bulkzcrm"
            f" (its format is {version}, this one knows {SCHEMA_VERSION}).",
            "Update bulkzcrm, or name another folder in BULKZCRM_HOME.",
        )


def _configure(connection: sqlite3.Connection) -> None:
    # Of use to a file that is still empty alone: pages that become free can be given back to the disk, a few at a time.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    # A commit must outlive a power cut: a lost intent could make a record twice.
    connection.execute("PRAGMA synchronous = FULL")


def _settle_mode(connection: sqlite3.Connection, path: Path) -> None:
    wanted = journal_mode(sqlite3.sqlite_version_info)
    got = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
    if got == "wal" != wanted:
        raise JournalError(
            f"The journal {path} is in use by a program with a newer SQLite, and cannot be shared safely with that.",
            "Wait until that program has ended.",
        )
    if got != wanted:
        # A disk that cannot hold a write-ahead log still holds a rollback journal.
        connection.execute("PRAGMA journal_mode = TRUNCATE")


def _make_schema(connection: sqlite3.Connection, now_ms: int = 0) -> None:
    # The second of two first-comers waits here, and then finds the tables made.
    connection.execute("BEGIN IMMEDIATE")
    version = _number(connection, "PRAGMA user_version")
    if version < SCHEMA_VERSION:
        if version:
            _refuse_while_at_work(connection, now_ms)
        for step in chain.from_iterable(MIGRATIONS[version - 1 :]) if version else [_newest_schema()]:
            if isinstance(step, str):
                for statement in _statements(step):
                    connection.execute(in_sqlite(statement))
            else:
                step(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _refuse_while_at_work(connection: sqlite3.Connection, now_ms: int) -> None:
    # It would go on in the new tables by the rules of the old ones: a report would take two moments for one.
    held = connection.execute(
        "SELECT id, owner FROM run WHERE lease_until_ms BETWEEN ? AND ?", (now_ms, now_ms + _LONGEST_LEASE_MS)
    )
    for run, owner in held.fetchall():
        if not dead(owner):
            raise JournalError(
                f"An older bulkzcrm is at work on the run {run}, and the journal is to be brought up to date.",
                "Wait until that run ends, or stop it with Ctrl-C; if it has died, its claim runs out within a minute.",
            )


def _newest_schema() -> str:
    return files("bulkzcrm.journal").joinpath("schema.sql").read_text(encoding="utf-8")


def _prove_writable(connection: sqlite3.Connection) -> None:
    # On a file that may only be read, BEGIN IMMEDIATE succeeds; the first change is what fails.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("ROLLBACK")


def _statements(script: str) -> Iterator[str]:
    # `executescript` would commit the transaction that the statements shall share.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _refusal(error: sqlite3.Error, path: Path) -> JournalError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB:
        return JournalError(
            f"The file {path} is not a journal, nor any other database.",
            "Move it away, or name another folder in BULKZCRM_HOME.",
        )
    known = storage_failure(error, str(path))
    if known is not None:
        return JournalError(*known)
    return JournalError(f"The journal {path} cannot be opened: {error}.", "Move it away and begin a new one.")
