"""Rows as the report needs them, block by block: a report reads every row of a run, once for each of its files."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from bulkzcrm.blocks import Block
from bulkzcrm.journal import contents
from bulkzcrm.journal.codec import problems_from
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.rows import FAILED
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.model import Problem

__all__ = [
    "ReportedBlock",
    "ReportedRow",
    "begin_copy",
    "copy_some",
    "next_block",
    "next_copied",
]

_CHANGING = "number, status, problems, code, record_id, batch, attempts"
"""How far a row is; what it says stays as it was read from the source."""
_SHOWN = "number, status, code, record_id, batch, attempts"
_UNTOUCHED = (
    "(status = 'pending' AND code = '' AND record_id = '' AND batch IS NULL AND attempts = 0 AND problems IS NULL)"
)

ReportedRow: TypeAlias = tuple[int, str, str, str, int | None, int]
"""How far a row is: its number, the value of its `Progress`, its code, record id, batch and attempts."""


class ReportedBlock(NamedTuple):
    """A block and all its rows, in source order; of those that have any, `problems` tells them, by their places in it.

    `failed` are the places of those that failed.csv holds: rejected, or invalid and not merely a repeat of another.
    """

    block: Block
    rows: list[ReportedRow]
    problems: dict[int, tuple[Problem, ...]]
    failed: list[int]


def next_block(database: Database, run: str, after_ordinal: int) -> ReportedBlock | None:
    """Return the first block that ends after an ordinal; nothing at the end, or where the run is being pruned."""
    with database.reading():
        return _next(database, run, "row_state", after_ordinal)


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
        f"INSERT INTO reported_row (place, {_CHANGING})"  # noqa: S608  names of ours
        f" SELECT place, {_CHANGING} FROM row_state WHERE place > ? AND place < ? ORDER BY place LIMIT ?",
        (base + after_ordinal, base + ROWS, limit),
    )
    last = database.one("SELECT MAX(place) FROM reported_row")
    return None if copied_rows < limit or last is None else int(last[0]) - base


def next_copied(database: Database, run: str, after_ordinal: int) -> ReportedBlock | None:
    """Return what `next_block` would have returned when the rows were copied, unless the run is pruned since."""
    return _next(database, run, "reported_row", after_ordinal)


def _next(database: Database, run: str, table: str, after_ordinal: int) -> ReportedBlock | None:
    block = contents.next_block(database, run, after_ordinal)
    if block is None:
        return None
    begin = base_of(database, run) + block.first
    within = begin, begin + block.rows - 1
    odd = database.tuples(
        f"SELECT place - ?, problems, {FAILED} FROM {table}"  # noqa: S608  names of ours
        f" WHERE place BETWEEN ? AND ? AND (problems IS NOT NULL OR {FAILED}) ORDER BY place",
        (begin, *within),
    )
    problems = {place: problems_from(text) for place, text, _ in odd if text}
    failed = [place for place, _, has_failed in odd if has_failed]
    rows = _rows(database, table, within)
    # Rows came after the copy was made, or are deleted some at a time.
    return ReportedBlock(block, rows, problems, failed) if len(rows) == block.rows else None


def _rows(database: Database, table: str, within: tuple[int, int]) -> list[ReportedRow]:
    """Return the rows between two places that are there. Those of which nothing is known are not read one by one."""
    count, ahead, furthest = database.tuples(
        f"SELECT COUNT(*), MIN(number - place), MAX(number - place) FROM {table}"  # noqa: S608  names of ours
        f" WHERE place BETWEEN ? AND ? AND {_UNTOUCHED}",
        within,
    )[0]
    begin, end = within
    touched = []
    if count and ahead == furthest:
        touched = database.tuples(
            f"SELECT place, {_SHOWN} FROM {table} WHERE place BETWEEN ? AND ? AND NOT {_UNTOUCHED}",  # noqa: S608  names of ours
            within,
        )
    if not count or ahead != furthest or count + len(touched) != end - begin + 1:
        return database.tuples(
            f"SELECT {_SHOWN} FROM {table} WHERE place BETWEEN ? AND ? ORDER BY place",  # noqa: S608  names of ours
            within,
        )
    rows: list[ReportedRow] = [(number, "pending", "", "", None, 0) for number in range(begin + ahead, end + ahead + 1)]
    for place, *row in touched:
        rows[place - begin] = tuple(row)
    return rows
