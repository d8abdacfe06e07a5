"""The sandbox's state in one SQLite database: what a transaction wrote is there after the next start."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from bulkzcrm.sandbox import seed
from bulkzcrm.sandbox.jsontext import Json, dumps, loads_object

_APPLICATION_ID = 0x627A7362  # "bzsb"
_SCHEMA = 1

_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
"""What SQLite says when the disk is at fault, and not the file's content (https://sqlite.org/rescode.html)."""

_TABLES = """
CREATE TABLE documents (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE services (
    id INTEGER PRIMARY KEY, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL,
    active INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX services_by_creation ON services (created_ms, id);
CREATE INDEX services_by_change ON services (modified_ms, id);
CREATE INDEX services_in_use ON services (id) WHERE active = 1;
CREATE TABLE scoring_rules (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE credits (at_ms INTEGER NOT NULL, spent INTEGER NOT NULL);
CREATE INDEX credits_by_time ON credits (at_ms);
CREATE TABLE refresh_tokens (token TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE grant_codes (code TEXT PRIMARY KEY, expires_ms INTEGER) WITHOUT ROWID;
CREATE TABLE access_tokens (
    token TEXT PRIMARY KEY, refresh_token TEXT NOT NULL, issued_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
    calls_left INTEGER, live INTEGER NOT NULL
) WITHOUT ROWID;
"""

# The API sorts by these; the columns that stand for them are fixed text, never a caller's.
SORT_COLUMNS = {"id": "id", "Created_Time": "created_ms", "Modified_Time": "modified_ms"}


class SandboxError(Exception):
    """The sandbox cannot start: its state file is unusable, or its port is taken."""


class Store:
    """Everything that the sandbox keeps. One connection, used from one thread."""

    def __init__(self, path: Path | None) -> None:
        """Open the state file, or a state in memory. Raises SandboxError when the file cannot be used."""
        self._connection = _connect(path)
        self._next = {str(name): int(str(number)) for name, number in self.execute("SELECT name, next FROM counters")}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes of the block, durably, or none (ids that were taken stay taken)."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._keep_counters()
            self._connection.execute("COMMIT")
        except BaseException:
            # After some failures of the disk SQLite has ended the transaction by itself, undone.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def savepoint(self) -> Iterator[Callable[[], object]]:
        """Give a way to undo the changes of the block alone, inside a transaction."""
        self._connection.execute("SAVEPOINT inner_block")
        try:
            yield lambda: self._connection.execute("ROLLBACK TO inner_block")
        finally:
            self._connection.execute("RELEASE inner_block")

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Run a statement; gives all its rows."""
        rows: list[tuple[object, ...]] = self._connection.execute(statement, parameters).fetchall()
        return rows

    def number(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Run a statement whose one value is a whole number; null and no row are 0."""
        row = self._connection.execute(statement, parameters).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def document(self, name: str) -> Json:
        """Read a settings document."""
        return loads_object(str(self.execute("SELECT body FROM documents WHERE name = ?", (name,))[0][0]))

    def put_document(self, name: str, body: Json) -> None:
        """Write a settings document."""
        self.execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (name, dumps(body)))

    def new_id(self, counter: str) -> str:
        """Take the next id of a counter: `services` or `rows`."""
        taken = self._next[counter]
        self._next[counter] = taken + 1
        return str(taken)

    def _keep_counters(self) -> None:
        for name, number in self._next.items():
            self._connection.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, number))

    def active_services(self) -> int:
        """How many services count towards the limit."""
        return self.number("SELECT COUNT(*) FROM services WHERE active = 1")

    def service(self, service_id: str) -> Json | None:
        """Read one service."""
        rows = self.execute("SELECT body FROM services WHERE id = ?", (int(service_id),))
        return _service(rows[0][0]) if rows else None

    def services(self) -> list[Json]:
        """Read all services, by id."""
        return [_service(row[0]) for row in self.execute("SELECT body FROM services ORDER BY id")]

    def service_page(
        self, sort_by: str, *, ascending: bool, limit: int, offset: int = 0, after: tuple[int, int] | None = None
    ) -> list[tuple[tuple[int, int], Json]]:
        """Read a stretch of the services in order, each with its place; from an offset, or after a place.

        Equal times are ordered by id, in the same direction.
        """
        column = SORT_COLUMNS[sort_by]
        direction, beyond = ("ASC", ">") if ascending else ("DESC", "<")
        where = f"WHERE ({column}, id) {beyond} (?, ?)" if after else ""
        statement = (
            f"SELECT {column}, id, body FROM services {where} "  # noqa: S608 -- fixed texts only, see SORT_COLUMNS
            f"ORDER BY {column} {direction}, id {direction} LIMIT ? OFFSET ?"
        )
        rows = self.execute(statement, (*(after or ()), limit, offset))
        return [((int(str(row[0])), int(str(row[1]))), _service(row[2])) for row in rows]

    def put_service(self, service: Json) -> None:
        """Write a service, new or changed."""
        row = (
            int(str(service["id"])),
            milliseconds(datetime.fromisoformat(str(service["Created_Time"]))),
            milliseconds(datetime.fromisoformat(str(service["Modified_Time"]))),
            int(is_active(service)),
            dumps({**service, "Price": str(service["Price"])}),
        )
        self.execute("INSERT OR REPLACE INTO services VALUES (?, ?, ?, ?, ?)", row)

    def scoring_rules(self) -> list[Json]:
        """Read all scoring rules, by id."""
        return [loads_object(str(row[0])) for row in self.execute("SELECT body FROM scoring_rules ORDER BY id")]

    def put_scoring_rule(self, rule: Json) -> None:
        """Write a scoring rule."""
        self.execute("INSERT OR REPLACE INTO scoring_rules VALUES (?, ?)", (str(rule["id"]), dumps(rule)))

    def sow(self) -> None:
        """Fill a new state with the seeded organisation."""
        self.put_document("business_hours", seed.business_hours())
        self.put_document("service_preferences", seed.preferences())
        for service in seed.services():
            self.put_service(service)
        for rule in seed.scoring_rules():
            self.put_scoring_rule(rule)
        self._next = {"services": seed.FIRST_NEW_SERVICE_ID, "rows": seed.FIRST_NEW_ROW_ID}

    def is_new(self) -> bool:
        """Whether nothing was ever sown here."""
        return not self._next


def is_active(service: Json) -> bool:
    """Whether a service counts towards the limit of active services: every status but Not in Use does."""
    return service["Status"] != "Not in Use"


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 in UTC."""
    return round(moment.timestamp() * 1000)


def _service(body: object) -> Json:
    service = loads_object(str(body))
    service["Price"] = Decimal(str(service["Price"]))
    return service


def _connect(path: Path | None) -> sqlite3.Connection:
    name = ":memory:" if path is None else str(path)
    try:
        connection = sqlite3.connect(name, isolation_level=None, timeout=0.2)
    except sqlite3.Error as error:
        raise SandboxError(f"The sandbox's state file {name} cannot be opened: {error}.") from error
    try:
        _prepare(connection, name)
    except sqlite3.Error as error:
        connection.close()
        if "locked" in str(error):
            message = f"The sandbox's state file {name} is in use by another sandbox; stop that one first."
            raise SandboxError(message) from error
        if error.sqlite_errorcode & 0xFF in _DISK:
            raise SandboxError(f"The sandbox's state in {name} cannot be written: {error}.") from error
        message = f"{name} is no state file of a sandbox ({error}); give another path."
        raise SandboxError(message) from error
    except SandboxError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, name: str) -> None:
    # One connection at a time, by an exclusive lock: so the write-ahead log, with one sync a commit, is safe with
    # every version of SQLite (its reset fault needs two connections).
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    is_empty = _is_empty(connection, name)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("BEGIN EXCLUSIVE")
    if is_empty:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_SCHEMA}")
    connection.execute("COMMIT")


def _is_empty(connection: sqlite3.Connection, name: str) -> bool:
    """Look before anything is written: whether the file is new. Raises SandboxError when it is somebody else's."""
    tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables == 0 and application == 0:
        return True
    if application != _APPLICATION_ID:
        raise SandboxError(f"{name} is a database, but no state file of a sandbox; give another path.")
    if version > _SCHEMA:
        raise SandboxError(f"{name} was written by a newer version of the sandbox; use that version.")
    return False
