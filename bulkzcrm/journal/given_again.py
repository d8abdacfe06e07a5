"""Statements about rows of a report that were given back more than once, or given back and taken by a retry."""

from __future__ import annotations

from bulkzcrm.journal.database import Database
from bulkzcrm.journal.records import Run
from bulkzcrm.journal.states import Progress, RunState

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


def rows(database: Database, run: str, before: str, *, by_identity: bool) -> tuple[int, int]:
    """Return how many rows are to be sent that the run `before` has sent, or may send yet, and the first's number.

    They are the same rows if they hold the same cells, or with `by_identity` if they are known by the same.
    """
    what = "identity" if by_identity else "cells"
    marks = ", ".join("?" * len(_AGAIN))
    found = database.one(
        f"SELECT COUNT(*), COALESCE(MIN(number), 0) FROM source_row WHERE run = ? AND status = ? AND {what} IN"  # noqa: S608  names of ours
        f" (SELECT {what} FROM source_row WHERE run = ? AND status NOT IN ({marks}) AND {what} IS NOT NULL)",
        (run, Progress.PENDING, before, *sorted(_AGAIN)),
    )
    return (0, 0) if found is None else (found[0], found[1])
