"""Records set aside, so that they take no memory, and found again by id or name: in a file that nobody else sees."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterable, Iterator
from typing import final

from msgspec import Struct

from bulkzcrm.journal.database import Database

__all__ = ["Aside", "Kept"]

_SCHEMA = (
    "CREATE TABLE kept (place INTEGER PRIMARY KEY, id TEXT UNIQUE, name TEXT, kin TEXT, content BLOB)",
    "CREATE INDEX kept_by_name ON kept (name)",
    "CREATE INDEX kept_by_kin ON kept (kin)",
)
_PAGE = 500


class Kept(Struct, frozen=True, gc=False):
    """One record: its id, the `name` by which it is found, another one that it may share with more, and its content."""

    id: str
    name: str
    kin: str
    content: bytes


@final
class Aside:
    """Records of which there may be any number; they are gone with it.

    Callable from one thread at a time. Raises `OutputError` when the disk refuses.
    """

    def __init__(self) -> None:
        # A file without a name outgrows memory on disk, and is deleted by the system however the process ends.
        connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._close = weakref.finalize(self, connection.close)
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        self._database = Database(connection, "in the folder for temporary files")
        for statement in _SCHEMA:
            self._database.change(statement)
        self._count = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def put(self, records: Iterable[Kept]) -> None:
        """Set records aside; one with an id that is there takes the place of the other."""
        with self._database.transaction():
            self._database.change_many(
                "INSERT INTO kept (id, name, kin, content) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
                " SET name = excluded.name, kin = excluded.kin, content = excluded.content",
                ((each.id, each.name, each.kin, each.content) for each in records),
            )
        counted = self._database.one("SELECT COUNT(*) FROM kept")
        self._count = int(counted[0]) if counted else 0

    def content(self, record_id: str) -> bytes | None:
        """Return the content of the record of that id."""
        found = self._database.one("SELECT content FROM kept WHERE id = ?", (record_id,))
        return None if found is None else bytes(found[0])

    def named(self, name: str) -> list[bytes]:
        """Return the contents of the records of that name, in the order in which they were set aside."""
        found = self._database.all("SELECT content FROM kept WHERE name = ? ORDER BY place", (name,))
        return [bytes(row[0]) for row in found]

    def kin(self, name: str) -> list[str]:
        """Return the ids of the records that share that other name."""
        return [str(row[0]) for row in self._database.all("SELECT id FROM kept WHERE kin = ? ORDER BY place", (name,))]

    def ids(self) -> Iterator[str]:
        """Yield every record's id, in the order in which they were set aside."""
        after = 0
        while page := self._database.all(
            "SELECT place, id FROM kept WHERE place > ? ORDER BY place LIMIT 5000", (after,)
        ):
            after = page[-1][0]
            yield from (record_id for _, record_id in page)

    def walk(self) -> Iterator[tuple[str, bytes]]:
        """Yield every record's id and content, in the order in which they were set aside."""
        after = 0
        while page := self._database.all(
            "SELECT place, id, content FROM kept WHERE place > ? ORDER BY place LIMIT ?", (after, _PAGE)
        ):
            after = page[-1][0]
            for _, record_id, content in page:
                yield record_id, content
