"""Rows as the report needs them, and no more of them: a report reads every row of a run, once for each of its files."""

from __future__ import annotations

from typing import NamedTuple

from bulkzcrm.journal.codec import problems_from
from bulkzcrm.journal.contents import Contents
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.rows import FAILED
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.journal.states import Progress
from bulkzcrm.model import CellValue, Problem

__all__ = ["ReportedRow", "all_of", "begin_copy", "copied", "copy_some", "count_copied", "failed_of"]

_CHANGING = "place, number, status, problems, code, record_id, batch, attempts"
"""How far a row is; what it says stays as it was read from the source."""
_PROGRESS = {progress.value: progress for progress in Progress}


class ReportedRow(NamedTuple):
    """What the journal knows of a row, as far as a report tells it (see `StoredRow`)."""

    ordinal: int
    number: int
    cells: tuple[CellValue, ...]
    surplus: tuple[CellValue, ...]
    status: Progress
    problems: tuple[Problem, ...]
    code: str
    record_id: str
    batch: int | None
    attempts: int


def all_of(database: Database, run: str, after_ordinal: int, limit: int) -> list[ReportedRow]:
    """Return the rows after an ordinal, in source order."""
    return _found(database, run, "row_state", after_ordinal, limit)


def failed_of(database: Database, run: str, after_ordinal: int, limit: int) -> list[ReportedRow]:
    """Return those of them that failed.csv holds: rejected, or invalid and not merely a repeat of another."""
    return _found(database, run, "row_state", after_ordinal, limit, failed=True)


def begin_copy(database: Database) -> None:
    """Make room for a copy of what changes of a run's rows, where nobody else sees it."""
    # Made once and then emptied: every change of the schema makes SQLite prepare all its statements anew.
    database.define(
        "CREATE TEMPORARY TABLE IF NOT EXISTS reported_row (place BIGINT NOT NULL PRIMARY KEY, number INTEGER NOT NULL,"
        " status TEXT NOT NULL, problems TEXT, code TEXT NOT NULL, record_id TEXT NOT NULL, batch INTEGER,"
        " attempts INTEGER NOT NULL)"
    )
    database.change("DELETE FROM reported_row")


def copy_some(database: Database, run: str, after_ordinal: int, limit: int) -> int | None:
    """Copy the next rows, and return the last of them; None once all are copied."""
    base = base_of(database, run)
    copied_rows = database.change(
        f"INSERT INTO reported_row ({_CHANGING})"  # noqa: S608  names of ours
        f" SELECT {_CHANGING} FROM row_state WHERE place > ? AND place < ? ORDER BY place LIMIT ?",
        (base + after_ordinal, base + ROWS, limit),
    )
    last = database.one("SELECT MAX(place) FROM reported_row")
    return None if copied_rows < limit or last is None else int(last[0]) - base


def copied(database: Database, run: str, after_ordinal: int, limit: int, *, failed: bool) -> list[ReportedRow]:
    """Return the rows after an ordinal as they were when they were copied; with `failed`, those of failed.csv."""
    return _found(database, run, "reported_row", after_ordinal, limit, failed=failed)


def count_copied(database: Database) -> dict[Progress, int]:
    """Count the copied rows under every status, those without rows included."""
    found = database.all("SELECT status, COUNT(*) FROM reported_row GROUP BY status")
    return dict.fromkeys(Progress, 0) | {_PROGRESS[status]: count for status, count in found}


def _found(
    database: Database, run: str, table: str, after_ordinal: int, limit: int, *, failed: bool = False
) -> list[ReportedRow]:
    base, condition = base_of(database, run), f" AND {FAILED}" if failed else ""
    states = database.all(
        f"SELECT {_CHANGING} FROM {table} WHERE place > ? AND place < ?{condition} ORDER BY place LIMIT ?",  # noqa: S608  names of ours
        (base + after_ordinal, base + ROWS, limit),
    )
    said = Contents(database, run)
    rows = []
    for place, number, status, problems, code, record_id, batch, attempts in states:
        ordinal = place - base
        block = said.block(ordinal)
        row = ordinal - block.first
        rows.append(
            ReportedRow(
                ordinal,
                number,
                block.cells(row),
                block.surplus(row),
                _PROGRESS[status],
                problems_from(problems) if problems else (),
                code,
                record_id,
                batch,
                attempts,
            )
        )
    return rows
