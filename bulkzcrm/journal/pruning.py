"""Statements that delete runs for good, a few rows at a time, so that a run that is at work gets its turn in between.

Which runs may go is decided elsewhere. A run is first marked as pruned, and from then on nobody sees it; whoever prunes
next finishes what another one has begun.
"""

from __future__ import annotations

from typing import Final, final

from bulkzcrm.blocks import LONGEST
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.serials import base_of
from bulkzcrm.journal.states import RunState

__all__ = ["Pruning"]

_PIECES: Final = (
    ("batch", "number"),
    ("retried_row", "ordinal"),
    ("ended_count", "status"),
    ("traffic", "begin_ms"),
)
"""What a run consists of besides its rows, each with what tells its lines apart."""
_OVER: Final = (RunState.FINISHED, RunState.INGESTING)
"""Of these alone nothing is left to do: a run whose ingest broke off can only be begun anew."""
_LINES: Final = 2_000
"""Deleted in one transaction: some hundredths of a second."""
_BLOCKS: Final = _LINES // LONGEST
_PAGES: Final = 500
"""Given back to the disk in one transaction."""


@final
class Pruning:
    """The statements; each is a transaction of its own, `mark` excepted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(self, run: str, now_ms: int, *, as_warning: bool) -> bool:
        """Forget a run that is over and nobody's, in the caller's transaction; tell whether it is one.

        As a warning, enough of it is kept to know the same content again.
        """
        changed = self._database.change(
            "UPDATE run SET pruned_ms = ?, epoch = epoch + 1, owner = NULL, lease_until_ms = NULL, organisation = NULL,"
            " sandbox_state = NULL, stopped_because = NULL, options = '{}', source = '', sheet = NULL, columns = '[]',"
            " notes = '[]', reading = '{}', decisions = '{}', lookups = '{}', output = NULL, formats = '[]',"
            " job = NULL, step = NULL, retry_of = NULL, source_sha256 = CASE WHEN ? = 1 THEN source_sha256 ELSE '' END"
            " WHERE id = ? AND pruned_ms IS NULL AND state IN (?, ?) AND (owner IS NULL OR lease_until_ms < ?)",
            (now_ms, int(as_warning), run, *_OVER, now_ms),
        )
        return changed == 1

    def begun(self) -> list[str]:
        """Return the runs that are marked as pruned and of which more is left than a warning."""
        tables = ("row_block", *(table for table, _ in _PIECES))
        rests = " OR ".join(f"EXISTS (SELECT 1 FROM {table} p WHERE p.run = run.id)" for table in tables)  # noqa: S608  ours
        rows = self._database.all(
            f"SELECT id FROM run WHERE pruned_ms IS NOT NULL AND (source_sha256 = '' OR {rests}) ORDER BY id",  # noqa: S608  ours
        )
        return [row[0] for row in rows]

    def delete_some(self, run: str) -> int:
        """Delete some of what a marked run consists of, and return how many of its rows; -1 once nothing is left."""
        with self._database.transaction():
            if rows := self._delete_rows(run):
                return rows
            for table, key in _PIECES:
                deleted = self._database.change(
                    f"DELETE FROM {table} WHERE run = ? AND {key} IN"  # noqa: S608  names of ours
                    f" (SELECT {key} FROM {table} WHERE run = ? ORDER BY {key} LIMIT ?)",
                    (run, run, _LINES),
                )
                if deleted:
                    return 0
            self._database.change(
                "DELETE FROM run WHERE id = ? AND pruned_ms IS NOT NULL AND source_sha256 = ''", (run,)
            )
            self._database.bases.pop(run, None)
        return -1

    def _delete_rows(self, run: str) -> int:
        """Delete the first rows that are left of a run, and return how many."""
        blocks = self._database.all(
            "SELECT first_ordinal, last_ordinal FROM row_block WHERE run = ? ORDER BY first_ordinal LIMIT ?",
            (run, _BLOCKS),
        )
        if not blocks:
            return 0
        base, last = base_of(self._database, run), blocks[-1][1]
        self._database.change("DELETE FROM before_image WHERE place > ? AND place <= ?", (base, base + last))
        self._database.change("DELETE FROM row_block WHERE run = ? AND last_ordinal <= ?", (run, last))
        return self._database.change("DELETE FROM row_state WHERE place > ? AND place <= ?", (base, base + last))

    def has_sent(self, run: str) -> bool:
        """Tell whether a request of a run may ever have left."""
        return self._database.one("SELECT 1 FROM batch WHERE run = ? AND attempt > 0 LIMIT 1", (run,)) is not None

    def any_at_work(self, now_ms: int) -> bool:
        """Tell whether a process has a run at this moment."""
        return self._database.one("SELECT 1 FROM run WHERE lease_until_ms >= ? LIMIT 1", (now_ms,)) is not None

    def can_shrink(self) -> bool:
        """Tell whether the file can give single pages back; one of an earlier version has to be rebuilt first."""
        incremental = 2
        return self._number("auto_vacuum") == incremental

    def shrink_some(self) -> bool:
        """Give some pages back to the disk; tell whether there are more."""
        before = self._number("freelist_count")
        if before:
            self._database.script(f"PRAGMA incremental_vacuum({_PAGES})")
        left = self._number("freelist_count")
        return 0 < left < before

    def rebuild(self) -> None:
        """Write the whole file anew, which nobody else may use meanwhile; from then on it can give pages back."""
        self._database.script("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")

    def size(self) -> tuple[int, int]:
        """Return how many bytes the file has, and how many of them hold something."""
        page = self._number("page_size")
        pages = self._number("page_count")
        return page * pages, page * (pages - self._number("freelist_count"))

    def _number(self, pragma: str) -> int:
        found = self._database.one(f"PRAGMA {pragma}")
        return 0 if found is None else int(found[0])
