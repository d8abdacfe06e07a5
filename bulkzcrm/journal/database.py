"""One connection: statements whose storage failures speak plainly, and transactions that nest."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any, Final, TypeAlias

from bulkzcrm.errors import OutputError
from bulkzcrm.journal.failures import as_output_error

__all__ = ["Database", "Parameters", "in_sqlite"]

SqlValue: TypeAlias = str | int | float | bytes | None
Parameters: TypeAlias = Sequence[SqlValue] | Mapping[str, SqlValue]


_ROWS_AT_ONCE: Final = 250
"""With three values each, fewer than the 999 that any SQLite takes in one statement."""
_KEY = re.compile(r"\bBIGINT(\s+NOT NULL PRIMARY KEY)")


def in_sqlite(sql: str) -> str:
    """Return the definition of a table as SQLite serves it best.

    There a key of the type INTEGER, and of no other, is the place of the row itself; it has 64 bits all the same.
    """
    return _KEY.sub(r"INTEGER\1", sql)


class Database:
    """Runs statements on one connection, from one thread at a time.

    `where` names the file in messages. The connection is in autocommit mode (`isolation_level=None`): transactions
    begin and end here and nowhere else. Failures of the storage are raised as `OutputError`; other errors of SQLite are
    faults of ours and pass unchanged.
    """

    def __init__(self, connection: sqlite3.Connection, where: str) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._where = where
        self._depth = 0
        self.bases: dict[str, int] = {}
        """What `serials` remembers of runs."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; SQLite itself ends one after some failures."""
        return self._connection.in_transaction

    def all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return every row of the answer: no cursor, and so no lock, outlives the call."""
        with self._plain_failures():
            rows: list[sqlite3.Row] = self._connection.execute(sql, parameters).fetchall()
            return rows

    def tuples(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Return every row of the answer as it comes, without names: many rows take half the time."""
        with self._plain_failures():
            cursor = self._connection.execute(sql, parameters)
            cursor.row_factory = None
            return cursor.fetchall()

    def one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Return the only row of the answer, or None."""
        rows = self.all(sql, parameters)
        return rows[0] if rows else None

    def change(self, sql: str, parameters: Parameters = ()) -> int:
        """Run a statement that changes rows, and return how many it changed."""
        with self._plain_failures():
            return self._connection.execute(sql, parameters).rowcount

    def change_many(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Run a statement once for each set of parameters, and return how many rows were changed in all."""
        with self._plain_failures():
            return self._connection.executemany(sql, parameters).rowcount

    def change_at_once(self, sql: str, rows: Sequence[Sequence[SqlValue]], others: Sequence[SqlValue] = ()) -> int:
        """Run a statement for many rows at a time, and return how many it changed in all.

        `{rows}` in it becomes the rows, each in brackets, and `others` are for what follows. That takes half the time
        of a statement for each row, and does not stop for the interpreter at each.
        """
        changed = 0
        for begin in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[begin : begin + _ROWS_AT_ONCE]
            mark = f"({', '.join('?' * len(some[0]))})"
            changed += self.change(
                sql.format(rows=", ".join([mark] * len(some))), (*chain.from_iterable(some), *others)
            )
        return changed

    def define(self, sql: str) -> None:
        """Make a table that nobody else sees, if it is not there yet."""
        self.change(in_sqlite(sql))

    def script(self, sql: str) -> None:
        """Run a statement to its end that gives no rows and yet has to be asked for each next step, on its own."""
        with self._plain_failures():
            self._connection.executescript(sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all that is done inside happen together or not at all; one inside another is undone alone."""
        level = self._depth
        self.change(f"SAVEPOINT level_{level}" if level else "BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            self._keep(level)
        except BaseException:
            self._undo(level)
            raise
        finally:
            self._depth = level

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See all that is read inside as it is at one moment, whoever writes meanwhile; nothing is changed there."""
        if self.in_transaction:
            yield
            return
        self.change("BEGIN")
        try:
            yield
        finally:
            # Nothing is lost where the end fails; only must it be one.
            for end in ("COMMIT", "ROLLBACK"):
                if self._connection.in_transaction:
                    with suppress(sqlite3.Error):
                        self._connection.execute(end)

    def close(self) -> None:
        """Close the connection; an open transaction is undone."""
        self._connection.close()

    def _keep(self, level: int) -> None:
        if not self.in_transaction:
            raise OutputError(
                f"The journal {self._where} undid a change by itself after the disk had refused it.",
                "Check the disk. What was recorded before is kept.",
            )
        self.change(f"RELEASE level_{level}" if level else "COMMIT")

    def _undo(self, level: int) -> None:
        # A failure to undo must not hide what went wrong before it; SQLite then undoes when the file is opened next.
        if level and self.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute(f"ROLLBACK TO level_{level}")
                self._connection.execute(f"RELEASE level_{level}")
                return
        # What cannot be undone alone is undone with all that is around it: half of it must never be committed.
        with suppress(sqlite3.Error):
            if self.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _plain_failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            failure = as_output_error(error, self._where)
            if failure is None:
                raise
            raise failure from error
