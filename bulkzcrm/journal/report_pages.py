"""Rows as the report needs them, block by block: a report reads every row of a run, once for each of its files."""

from __future__ import annotations

from typing import NamedTuple

from bulkzcrm.blocks import Block
from bulkzcrm.journal.codec import problems_from
from bulkzcrm.journal.contents import Contents
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.rows import FAILED
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.journal.states import Progress
from bulkzcrm.model import Problem

__all__ = [
    "ReportedBlock",
    "ReportedRow",
    "begin_copy",
    "copy_some",
    "count_copied",
    "next_block",
    "next_copied",
]

_CHANGING = "place, number, status, problems, code, record_id, batch, attempts"
"""How far a row is; what it says stays as it was read from the source."""
_PROGRESS = {progress.value: progress for progress in Progress}


class ReportedRow(NamedTuple):
    """How far a row is, as far as a report tells it (see `StoredRow`)."""

    ordinal: int
    number: int
    status: Progress
    problems: tuple[Problem, ...]
    code: str
    record_id: str
    batch: int | None
    attempts: int


class ReportedBlock(NamedTuple):
    """A block, and those of its rows that are asked for, in source order."""

    block: Block
    rows: list[ReportedRow]


def next_block(database: Database, run: str, after_ordinal: int, *, failed: bool) -> ReportedBlock | None:
    """Return the first block with rows after an ordinal, and these; with `failed`, only those of failed.csv."""
    return _next(database, run, "row_state", after_ordinal, failed=failed)


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


def next_copied(database: Database, run: str, after_ordinal: int, *, failed: bool) -> ReportedBlock | None:
    """Return what `next_block` would have returned when the rows were copied."""
    return _next(database, run, "reported_row", after_ordinal, failed=failed)


def count_copied(database: Database) -> dict[Progress, int]:
    """Count the copied rows under every status, those without rows included."""
    found = database.all("SELECT status, COUNT(*) FROM reported_row GROUP BY status")
    return dict.fromkeys(Progress, 0) | {_PROGRESS[status]: count for status, count in found}


def _next(database: Database, run: str, table: str, after_ordinal: int, *, failed: bool) -> ReportedBlock | None:
    base, condition = base_of(database, run), f" AND {FAILED}" if failed else ""
    first = database.one(
        f"SELECT place FROM {table} WHERE place > ? AND place < ?{condition} ORDER BY place LIMIT 1",  # noqa: S608  ours
        (base + after_ordinal, base + ROWS),
    )
    if first is None:
        return None
    block = Contents(database, run).block(first[0] - base)
    found = database.all(
        f"SELECT {_CHANGING} FROM {table} WHERE place BETWEEN ? AND ?{condition} ORDER BY place",  # noqa: S608  names of ours
        (first[0], base + block.last),
    )
    rows = [
        ReportedRow(
            place - base,
            number,
            _PROGRESS[status],
            problems_from(problems) if problems else (),
            code,
            record_id,
            batch,
            attempts,
        )
        for place, number, status, problems, code, record_id, batch, attempts in found
    ]
    return ReportedBlock(block, rows)
