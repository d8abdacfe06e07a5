"""Rows as the report needs them, and no more of them: a report reads every row of a run, once for each of its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulkzcrm.cells import decode_cells
from bulkzcrm.journal.codec import problems_from
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.states import Progress
from bulkzcrm.model import CellValue, Problem

__all__ = ["ReportedRow", "all_of", "begin_copy", "copied", "copy_some", "count_copied", "failed_of"]

_COLUMNS = "ordinal, number, cells, surplus, status, problems, code, record_id, batch, attempts"
_BY_STATUS = (
    "SELECT ordinal FROM (SELECT ordinal FROM source_row WHERE run = ? AND status = ? AND ordinal > ?{condition}"
    " ORDER BY ordinal LIMIT ?) {name}"
)
_PROGRESS = {progress.value: progress for progress in Progress}
_CHANGING = "ordinal, status, problems, code, record_id, batch, attempts"
"""Of a row all else stays as it was read from the source."""


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
    return _found(database, "ordinal > ?", (run, after_ordinal), limit)


def failed_of(database: Database, run: str, after_ordinal: int, limit: int) -> list[ReportedRow]:
    """Return those of them that failed.csv holds: rejected, or invalid and not merely a repeat of another."""
    # One index range for each status, each cut to the page's length, instead of sorting all rows for every page.
    rejected = _BY_STATUS.format(condition="", name="p")
    invalid = _BY_STATUS.format(condition=" AND code <> 'DUPLICATE_ROW'", name="q")
    parameters = (run, Progress.REJECTED, after_ordinal, limit, run, Progress.INVALID, after_ordinal, limit)
    return _found(database, f"ordinal IN ({rejected} UNION ALL {invalid})", (run, *parameters), limit)


def begin_copy(database: Database) -> None:
    """Make room for a copy of what changes of a run's rows, where nobody else sees it."""
    # Made once and then emptied: every change of the schema makes SQLite prepare all its statements anew.
    database.change(
        "CREATE TEMPORARY TABLE IF NOT EXISTS reported_row (ordinal INTEGER NOT NULL PRIMARY KEY, status TEXT NOT NULL,"
        " problems TEXT, code TEXT NOT NULL, record_id TEXT NOT NULL, batch INTEGER, attempts INTEGER NOT NULL)"
    )
    database.change("DELETE FROM reported_row")


def copy_some(database: Database, run: str, after_ordinal: int, limit: int) -> int | None:
    """Copy the next rows, and return the last of them; None once all are copied."""
    copied_rows = database.change(
        f"INSERT INTO reported_row ({_CHANGING})"  # noqa: S608  names of ours
        f" SELECT {_CHANGING} FROM source_row WHERE run = ? AND ordinal > ? ORDER BY ordinal LIMIT ?",
        (run, after_ordinal, limit),
    )
    last = database.one("SELECT MAX(ordinal) FROM reported_row")
    return None if copied_rows < limit or last is None else int(last[0])


def copied(database: Database, run: str, after_ordinal: int, limit: int, *, failed: bool) -> list[ReportedRow]:
    """Return the rows after an ordinal as they were when they were copied; with `failed`, those of failed.csv."""
    wanted = " AND (c.status = ? OR (c.status = ? AND c.code <> 'DUPLICATE_ROW'))" if failed else ""
    statuses = (Progress.REJECTED, Progress.INVALID) if failed else ()
    statement = (
        "SELECT c.ordinal, number, cells, surplus, c.status, c.problems, c.code, c.record_id, c.batch, c.attempts"  # noqa: S608  ours
        " FROM reported_row c JOIN source_row r ON r.run = ? AND r.ordinal = c.ordinal"
        f" WHERE c.ordinal > ?{wanted} ORDER BY c.ordinal LIMIT ?"
    )
    return _rows(database, statement, (run, after_ordinal, *statuses, limit))


def count_copied(database: Database) -> dict[Progress, int]:
    """Count the copied rows under every status, those without rows included."""
    found = database.all("SELECT status, COUNT(*) FROM reported_row GROUP BY status")
    return dict.fromkeys(Progress, 0) | {_PROGRESS[status]: count for status, count in found}


def _found(database: Database, condition: str, parameters: Sequence[SqlValue], limit: int) -> list[ReportedRow]:
    statement = f"SELECT {_COLUMNS} FROM source_row WHERE run = ? AND {condition} ORDER BY ordinal LIMIT ?"  # noqa: S608  names of ours
    return _rows(database, statement, (*parameters, limit))


def _rows(database: Database, statement: str, parameters: Sequence[SqlValue]) -> list[ReportedRow]:
    return [
        ReportedRow(
            ordinal,
            number,
            decode_cells(cells),
            decode_cells(surplus) if surplus else (),
            _PROGRESS[status],
            problems_from(problems) if problems else (),
            code,
            record_id,
            batch,
            attempts,
        )
        for ordinal, number, cells, surplus, status, problems, code, record_id, batch, attempts in database.all(
            statement, parameters
        )
    ]
