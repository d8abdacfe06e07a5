"""What is asked when lost creates are read back: which records are accounted for, and who else may be waiting."""

from __future__ import annotations

from collections.abc import Collection

from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.records import Run
from bulkzcrm.journal.states import BatchState, Progress, RunState

_AT_ONCE = 500
"""Parameters in one statement; SQLite's oldest limit is 999."""

_LAST_FEW = 3
"""One batch whose moments are odd must not decide where a reading ends."""

_SAME_ORGANISATION = (
    "u.api_domain = ? AND u.organisation_id = ? AND COALESCE(u.sandbox_state, '') = ? AND u.operation = ?"
)


def accounted_for(database: Database, run: Run, since_ms: int) -> dict[str, tuple[str, int, int]]:
    """Return the records that rows have as their own, of batches answered since then: id → run, sent, answered."""
    rows = database.all(
        "SELECT r.record_id, r.run, b.sent_ms, b.answered_ms FROM run u"  # noqa: S608  names of ours
        " JOIN batch b ON b.run = u.id"
        " JOIN source_row r ON r.run = b.run AND r.batch = b.number"
        " AND r.ordinal BETWEEN b.first_ordinal AND b.last_ordinal"
        f" WHERE {_SAME_ORGANISATION} AND b.answered_ms >= ? AND r.status = ? AND r.record_id <> ''",
        (*_whose(run), since_ms, Progress.SUCCEEDED),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def answered_before(database: Database, run: Run, since_ms: int, before_ms: int) -> set[str]:
    """Return the records of the last few batches of a run that were answered between these two moments."""
    rows = database.all(
        "SELECT r.record_id FROM"
        " (SELECT run, number, first_ordinal, last_ordinal FROM batch"
        "  WHERE run = ? AND state = ? AND answered_ms BETWEEN ? AND ? ORDER BY answered_ms DESC LIMIT ?) b"
        " JOIN source_row r ON r.run = b.run AND r.batch = b.number"
        " AND r.ordinal BETWEEN b.first_ordinal AND b.last_ordinal"
        " WHERE r.status = ? AND r.record_id <> ''",
        (run.id, BatchState.ANSWERED, since_ms, before_ms, _LAST_FEW, Progress.SUCCEEDED),
    )
    return {row[0] for row in rows}


def under_way_elsewhere(database: Database, run: Run, identities: Collection[str], now_ms: int) -> set[str]:
    """Return those identities that a row of another run has which is in flight at this moment."""
    others = database.all(
        f"SELECT u.id FROM run u WHERE {_SAME_ORGANISATION}"  # noqa: S608  names of ours
        " AND u.id <> ? AND u.state = ? AND u.lease_until_ms >= ?",
        (*_whose(run), run.id, RunState.SENDING, now_ms),
    )
    wanted = sorted(identities)
    found: set[str] = set()
    for (other,) in others:
        for place in range(0, len(wanted), _AT_ONCE):
            part = wanted[place : place + _AT_ONCE]
            rows = database.all(
                "SELECT DISTINCT identity FROM source_row WHERE run = ? AND status = ?"  # noqa: S608  marks only
                f" AND identity IN ({', '.join('?' * len(part))})",
                (other, Progress.SENDING, *part),
            )
            found.update(row[0] for row in rows)
    return found


def _whose(run: Run) -> tuple[SqlValue, ...]:
    # Two sandboxes give the same ids, so that what one of them made says nothing about the other.
    return run.api_domain, run.organisation_id, run.sandbox_state or "", run.operation
