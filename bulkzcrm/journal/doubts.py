"""What is asked when lost creates are read back: which records are accounted for, and who else may be waiting."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from bulkzcrm.journal.codec import object_from
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.records import Run
from bulkzcrm.journal.states import BatchState, Progress, RunState
from bulkzcrm.model import Record

__all__ = ["Doubted", "accounted_for", "answered_before", "in_doubt_elsewhere", "under_way_elsewhere"]


class Doubted(NamedTuple):
    """A row of which nobody knows what it has made: its identity, its record, and when it was sent (milliseconds).

    `key` stands for this doubt: the run, the place of the row, and its batch. `is_left` tells that it was left to
    people as ambiguous.
    """

    key: tuple[str, int, int]
    identity: str
    record: Record
    sent_ms: int
    is_left: bool


_NOBODY_KNOWS = (Progress.SENDING, Progress.IN_DOUBT, Progress.UNKNOWN)

_AT_ONCE = 500
"""Parameters in one statement; SQLite's oldest limit is 999."""

_LAST_FEW = 3
"""One batch whose moments are odd must not decide where a reading ends."""

_SAME_ORGANISATION = (
    "u.api_domain = ? AND u.organisation_id = ? AND COALESCE(u.sandbox_state, '') = ? AND u.operation = ?"
)


def accounted_for(
    database: Database, run: Run, record_ids: Collection[str], since_ms: int
) -> dict[str, tuple[str, int, int]]:
    """Return which records rows have as their own, of batches answered since then: id → run, sent, answered."""
    batches = database.all(
        "SELECT b.run, b.number, b.first_ordinal, b.last_ordinal, b.sent_ms, b.answered_ms FROM run u"  # noqa: S608  ours
        f" JOIN batch b ON b.run = u.id WHERE {_SAME_ORGANISATION} AND b.answered_ms >= ?",
        (*_whose(run), since_ms),
    )
    wanted = frozenset(record_ids)
    found = {}
    # Batch by batch, so that memory stays flat however much was made since.
    for other, number, first, last, sent_ms, answered_ms in batches if wanted else ():
        rows = database.all(
            "SELECT record_id FROM source_row WHERE run = ? AND ordinal BETWEEN ? AND ? AND batch = ? AND status = ?",
            (other, first, last, number, Progress.SUCCEEDED),
        )
        found.update({row[0]: (other, sent_ms, answered_ms) for row in rows if row[0] in wanted})
    return found


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


def in_doubt_elsewhere(
    database: Database, run: Run, identities: Collection[str], ours: Collection[int], since_ms: int
) -> list[Doubted]:
    """Return the rows with one of the identities that are in doubt, `ours` (places) left out.

    Those that were left to people count as well, if that was since then: before, they were in doubt.
    """
    others = database.all(
        f"SELECT u.id FROM run u WHERE {_SAME_ORGANISATION} AND (u.state <> ?"  # noqa: S608  names of ours
        " OR EXISTS (SELECT 1 FROM batch b WHERE b.run = u.id AND b.answered_ms >= ?))",
        (*_whose(run), RunState.FINISHED, since_ms),
    )
    wanted, own = sorted(identities), frozenset(ours)
    found: list[Doubted] = []
    for (other,) in others:
        for place in range(0, len(wanted), _AT_ONCE):
            part = wanted[place : place + _AT_ONCE]
            rows = database.all(
                "SELECT r.ordinal, r.batch, r.identity, r.record, b.sent_ms, r.status FROM source_row r"  # noqa: S608  marks only
                " JOIN batch b ON b.run = r.run AND b.number = r.batch"
                f" WHERE r.run = ? AND r.identity IN ({', '.join('?' * len(part))}) AND r.record IS NOT NULL"
                " AND r.status IN (?, ?, ?) AND (r.status <> ? OR b.answered_ms >= ?)",
                (other, *part, *_NOBODY_KNOWS, Progress.UNKNOWN, since_ms),
            )
            found += [
                Doubted(
                    (other, ordinal, batch), identity, object_from(record), sent_ms or 0, status == Progress.UNKNOWN
                )
                for ordinal, batch, identity, record, sent_ms, status in rows
                if other != run.id or ordinal not in own
            ]
    return found


def _whose(run: Run) -> tuple[SqlValue, ...]:
    # Two sandboxes give the same ids, so that what one of them made says nothing about the other.
    return run.api_domain, run.organisation_id, run.sandbox_state or "", run.operation
