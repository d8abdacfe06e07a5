"""What is asked when lost creates are read back: which records are accounted for, and who else may be waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from operator import itemgetter
from typing import NamedTuple

from bulkzcrm.journal.contents import Contents
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.records import Run
from bulkzcrm.journal.serials import ROWS, base_of
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


_DOUBTED = "r.identity, r.place, r.batch, b.sent_ms, r.status"

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
        base = base_of(database, other)
        rows = database.all(
            "SELECT record_id FROM row_state WHERE place BETWEEN ? AND ? AND batch = ? AND status = ?",
            (base + first, base + last, number, Progress.SUCCEEDED),
        )
        found.update({row[0]: (other, sent_ms, answered_ms) for row in rows if row[0] in wanted})
    return found


def answered_before(database: Database, run: Run, since_ms: int, before_ms: int) -> set[str]:
    """Return the records of the last few batches of a run that were answered between these two moments."""
    base = base_of(database, run.id)
    rows = database.all(
        "SELECT r.record_id FROM"
        " (SELECT number, first_ordinal, last_ordinal FROM batch"
        "  WHERE run = ? AND state = ? AND answered_ms BETWEEN ? AND ? ORDER BY answered_ms DESC LIMIT ?) b"
        " JOIN row_state r ON r.place BETWEEN ? + b.first_ordinal AND ? + b.last_ordinal AND r.batch = b.number"
        " WHERE r.status = ? AND r.record_id <> ''",
        (run.id, BatchState.ANSWERED, since_ms, before_ms, _LAST_FEW, base, base, Progress.SUCCEEDED),
    )
    return {row[0] for row in rows}


def under_way_elsewhere(database: Database, run: Run, identities: Collection[str], now_ms: int) -> set[str]:
    """Return those identities that a row of another run has which is in flight at this moment."""
    others = database.all(
        f"SELECT u.id FROM run u WHERE {_SAME_ORGANISATION}"  # noqa: S608  names of ours
        " AND u.id <> ? AND u.state = ? AND u.lease_until_ms >= ?",
        (*_whose(run), run.id, RunState.SENDING, now_ms),
    )
    wanted, found = frozenset(identities), set[str]()
    for (other,) in others:
        found.update(row[0] for row in _under_way(database, other, "r.identity") if row[0] in wanted)
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
    wanted, own = frozenset(identities), frozenset(ours)
    found: list[Doubted] = []
    for (other,) in others:
        base, said = base_of(database, other), Contents(database, other)
        open_rows = [*_under_way(database, other, _DOUBTED), *_left(database, other, since_ms)]
        for identity, place, batch, sent_ms, status in sorted(open_rows, key=itemgetter(1)):
            ordinal = place - base
            if identity not in wanted or (other == run.id and ordinal in own):
                continue
            block = said.block(ordinal)
            record = block.record(ordinal - block.first)
            if record is not None:
                key = other, ordinal, batch
                found.append(Doubted(key, identity, record, sent_ms or 0, status == Progress.UNKNOWN))
    return found


def _under_way(database: Database, run: str, columns: str) -> list[sqlite3.Row]:
    """Return what these columns hold of the rows that are in flight."""
    base = base_of(database, run)
    return database.all(
        f"SELECT {columns} FROM batch b JOIN row_state r"  # noqa: S608  names of ours
        " ON r.place BETWEEN ? + b.first_ordinal AND ? + b.last_ordinal AND r.batch = b.number"
        " WHERE b.run = ? AND b.state = ? AND r.status = ?",
        (base, base, run, BatchState.SENDING, Progress.SENDING),
    )


def _left(database: Database, run: str, since_ms: int) -> list[sqlite3.Row]:
    """Return the rows that are in doubt, and those that were left to people since then."""
    base = base_of(database, run)
    return database.all(
        f"SELECT {_DOUBTED} FROM row_state r JOIN batch b ON b.run = ? AND b.number = r.batch"  # noqa: S608  names of ours
        " WHERE r.status IN ('in_doubt', 'unknown') AND r.place > ? AND r.place < ?"
        " AND (r.status <> ? OR b.answered_ms >= ?)",
        (run, base, base + ROWS, Progress.UNKNOWN, since_ms),
    )


def _whose(run: Run) -> tuple[SqlValue, ...]:
    # Two sandboxes give the same ids, so that what one of them made says nothing about the other.
    return run.api_domain, run.organisation_id, run.sandbox_state or "", run.operation
