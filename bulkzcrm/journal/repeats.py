"""Statements about rows that repeat an earlier one of their run, and about rows that a retry has taken."""

from __future__ import annotations

from collections.abc import Sequence

from bulkzcrm.errors import JournalError
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.records import Duplicate
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.journal.states import Progress

_REPEATED = (
    # What is said once only, as nearly everything is, is left out before places are compared.
    "SELECT r.place AS place, f.first_place AS first_place FROM (SELECT {key} AS said, MIN(place) AS first_place"
    " FROM row_state WHERE place > :after AND place < :before AND {key} IS NOT NULL AND status <> :invalid"
    " GROUP BY {key} HAVING COUNT(*) > 1) f JOIN row_state r ON r.{key} = f.said"
    " WHERE r.place > :after AND r.place < :before AND r.place > f.first_place AND r.status <> :invalid"
)


def duplicates(database: Database, run: str, limit: int, *, by_identity: bool) -> list[Duplicate]:
    """Return rows that repeat an earlier one, invalid ones left out on both sides."""
    base = base_of(database, run)
    found = database.all(
        f"SELECT d.place, d.first_place, f.number FROM ({_repeated(by_identity=by_identity)}) d"  # noqa: S608  names of ours
        " JOIN row_state f ON f.place = d.first_place ORDER BY d.place LIMIT :limit",
        {"after": base, "before": base + ROWS, "invalid": Progress.INVALID, "limit": limit},
    )
    return [Duplicate(place - base, first - base, number) for place, first, number in found]


def set_aside(database: Database, run: str, *, by_identity: bool) -> None:
    """Find all rows that repeat an earlier one, once, and keep their places where pages of them are read from."""
    # Made once and then emptied: every change of the schema makes SQLite prepare all its statements anew.
    database.define(
        "CREATE TEMPORARY TABLE IF NOT EXISTS repeated_row"
        " (place BIGINT NOT NULL PRIMARY KEY, first_place BIGINT NOT NULL)"
    )
    forget(database)
    base = base_of(database, run)
    database.change(
        f"INSERT INTO repeated_row (place, first_place) {_repeated(by_identity=by_identity)}",
        {"after": base, "before": base + ROWS, "invalid": Progress.INVALID},
    )


def page(database: Database, run: str, after_ordinal: int, limit: int) -> list[Duplicate]:
    """Return the next of the rows that were set aside, in source order."""
    base = base_of(database, run)
    found = database.all(
        "SELECT d.place, d.first_place, f.number FROM repeated_row d JOIN row_state f ON f.place = d.first_place"
        " WHERE d.place > ? ORDER BY d.place LIMIT ?",
        (base + after_ordinal, limit),
    )
    return [Duplicate(place - base, first - base, number) for place, first, number in found]


def forget(database: Database) -> None:
    """Forget what was set aside."""
    database.change("DELETE FROM repeated_row")


def take(database: Database, run: str, ordinals: Sequence[int], retry_run: str) -> None:
    """Mark rows as taken by a retry. Raises `JournalError` when another retry has taken one of them."""
    base = base_of(database, run)
    taken = database.change_many(
        "INSERT INTO retried_row (run, ordinal, retry_run) SELECT ?, ?, ? FROM row_state WHERE place = ?"
        " ON CONFLICT (run, ordinal) DO NOTHING",
        ((run, ordinal, retry_run, base + ordinal) for ordinal in ordinals),
    )
    if ordinals and taken != len(ordinals):
        raise JournalError(
            f"Another retry of the run {run} took {len(ordinals) - taken} of its rows in the meantime.",
            "`bulkzcrm runs` shows that retry; its report says what became of them.",
        )


def _repeated(*, by_identity: bool) -> str:
    return _REPEATED.format(key="identity" if by_identity else "fingerprint")
