"""Statements about rows of a report that were given back more than once, or given back and taken by a retry."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence

from bulkzcrm.cells import encode_cells
from bulkzcrm.journal import contents
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.records import Run
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.journal.states import Progress, RunState
from bulkzcrm.model import CellValue

_AGAIN = frozenset({Progress.INVALID, Progress.REJECTED})
"""Rows that may be given back once more."""


def earlier(database: Database, run: Run) -> list[str]:
    """Return the runs before this one that were read from reports, or that are retries; the newest first."""
    found = database.all(
        "SELECT id FROM run WHERE operation = ? AND sandbox = 0 AND pruned_ms IS NULL AND state <> ? AND id < ?"
        " AND (organisation_id = ? OR (api_domain = ? AND (? = '' OR COALESCE(organisation_id, '') = '')))"
        " AND (retry_of IS NOT NULL OR decisions LIKE '%\"result_row\"%') ORDER BY id DESC",
        (run.operation, RunState.INGESTING, run.id, known := run.organisation_id or "", run.api_domain, known),
    )
    return [row["id"] for row in found]


def outputs(database: Database) -> list[tuple[str, str]]:
    """Return all runs that have a folder for their report, and the folder; the newest first."""
    found = database.tuples(
        "SELECT id, output FROM run WHERE output IS NOT NULL AND state <> ? ORDER BY id DESC", (RunState.INGESTING,)
    )
    return [(run, output) for run, output in found]


def rows(database: Database, run: str, before: str, *, by_identity: bool) -> tuple[int, int]:
    """Return how many rows are to be sent that the run `before` has sent, or may send yet, and the first's number.

    They are the same rows if they hold the same cells, or with `by_identity` if they are known by the same.
    """
    mine, theirs = base_of(database, run), base_of(database, before)
    if by_identity:
        marks = ", ".join("?" * len(_AGAIN))
        found = database.one(
            "SELECT COUNT(*), COALESCE(MIN(number), 0) FROM row_state"  # noqa: S608  marks only
            " WHERE place > ? AND place < ? AND status = ? AND identity IN (SELECT identity FROM row_state"
            f" WHERE place > ? AND place < ? AND status NOT IN ({marks}) AND identity IS NOT NULL)",
            (mine, mine + ROWS, Progress.PENDING, theirs, theirs + ROWS, *sorted(_AGAIN)),
        )
        return (0, 0) if found is None else (found[0], found[1])
    # Made once and then emptied: every change of the schema makes SQLite prepare all its statements anew.
    database.define("CREATE TEMPORARY TABLE IF NOT EXISTS row_given (mark BYTEA NOT NULL PRIMARY KEY)")
    database.change("DELETE FROM row_given")
    sent = frozenset(Progress) - _AGAIN
    for page in _marked(database, before, sent):
        database.change_many(
            "INSERT INTO row_given (mark) VALUES (?) ON CONFLICT (mark) DO NOTHING", ((mark,) for _, mark in page)
        )
    count = first = 0
    for page in _marked(database, run, {Progress.PENDING}):
        for number, mark in page:
            if database.one("SELECT 1 FROM row_given WHERE mark = ?", (mark,)) is not None:
                count, first = count + 1, first or number
    return count, first


def _marked(database: Database, run: str, statuses: Collection[Progress]) -> Iterator[list[tuple[int, bytes]]]:
    """Yield the numbers of rows in some states, and what stands for their cells, a block at a time."""
    after, base, marks = 0, base_of(database, run), ", ".join("?" * len(statuses))
    while (block := contents.next_block(database, run, after)) is not None:
        after = block.last
        found = database.all(
            f"SELECT place, number FROM row_state WHERE place BETWEEN ? AND ? AND status IN ({marks})",  # noqa: S608  marks
            (base + block.first, base + block.last, *sorted(statuses)),
        )
        cells = list(block.all_cells())
        yield [(number, _mark(cells[place - base - block.first])) for place, number in found]


def _mark(cells: Sequence[CellValue]) -> bytes:
    return hashlib.blake2b(encode_cells(cells), digest_size=16).digest()
