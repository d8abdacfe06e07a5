"""Rows as the report needs them, and no more of them: a report reads every row of a run, once for each of its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulkzcrm.cells import decode_cells
from bulkzcrm.journal.codec import problems_from
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.states import Progress
from bulkzcrm.model import CellValue, Problem

__all__ = ["ReportedRow", "all_of", "failed_of"]

_COLUMNS = "ordinal, number, cells, surplus, status, problems, code, record_id, batch, attempts"
_BY_STATUS = (
    "SELECT ordinal FROM (SELECT ordinal FROM source_row WHERE run = ? AND status = ? AND ordinal > ?{condition}"
    " ORDER BY ordinal LIMIT ?) {name}"
)
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
    return _found(database, "ordinal > ?", (run, after_ordinal), limit)


def failed_of(database: Database, run: str, after_ordinal: int, limit: int) -> list[ReportedRow]:
    """Return those of them that failed.csv holds: rejected, or invalid and not merely a repeat of another."""
    # One index range for each status, each cut to the page's length, instead of sorting all rows for every page.
    rejected = _BY_STATUS.format(condition="", name="p")
    invalid = _BY_STATUS.format(condition=" AND code <> 'DUPLICATE_ROW'", name="q")
    parameters = (run, Progress.REJECTED, after_ordinal, limit, run, Progress.INVALID, after_ordinal, limit)
    return _found(database, f"ordinal IN ({rejected} UNION ALL {invalid})", (run, *parameters), limit)


def _found(database: Database, condition: str, parameters: Sequence[SqlValue], limit: int) -> list[ReportedRow]:
    statement = f"SELECT {_COLUMNS} FROM source_row WHERE run = ? AND {condition} ORDER BY ordinal LIMIT ?"  # noqa: S608  names of ours
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
            statement, (*parameters, limit)
        )
    ]
