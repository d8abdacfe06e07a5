"""What sending asks of the journal for every row: which rows wait, and the intent to send a new batch of them.

Every other row of a run is touched here and in `rows.write_outcomes` alone, so few statements do all the work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from itertools import islice

from bulkzcrm.journal.batches import dissolve_empty, holders
from bulkzcrm.journal.codec import object_from, problems_from
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.failures import IllegalMoveError
from bulkzcrm.journal.records import Intent, StoredRow
from bulkzcrm.journal.states import BatchState, Progress

_WAITING = (
    "SELECT ordinal, number, record, identity, fingerprint, is_open, problems, code, record_id, batch, attempts"
    " FROM source_row WHERE run = ? AND status = ? AND ordinal > ?"
)


def waiting(
    database: Database,
    run: str,
    after_ordinal: int,
    limit: int,
    statuses: Collection[Progress],
    attempts: int | None,
) -> list[StoredRow]:
    """Return the next rows in source order that are in one of the `statuses`, without cells and without before-image.

    With `attempts` only those that so many requests have carried.
    """
    pages = [_page(database, run, after_ordinal, limit, status, attempts) for status in sorted(statuses)]
    return list(islice(merge(*pages, key=lambda row: row.ordinal), limit))


def _page(
    database: Database, run: str, after_ordinal: int, limit: int, status: Progress, attempts: int | None
) -> list[StoredRow]:
    condition = "" if attempts is None else f" AND attempts = {attempts:d}"
    found = database.all(f"{_WAITING}{condition} ORDER BY ordinal LIMIT ?", (run, status, after_ordinal, limit))
    return [
        StoredRow(
            ordinal=ordinal,
            number=number,
            cells=(),
            record=None if record is None else object_from(record),
            identity=identity,
            fingerprint=fingerprint,
            is_open=bool(is_open),
            status=status,
            problems=problems_from(problems),
            code=code,
            record_id=record_id,
            batch=batch,
            attempts=carried,
            before=None,
        )
        for ordinal, number, record, identity, fingerprint, is_open, problems, code, record_id, batch, carried in found
    ]


def intend(database: Database, run: str, intent: Intent) -> None:
    """Put pending rows into a new batch and write the intent to send it; as `batches.plan` and `mark_sending` would."""
    number, ordinals = intent.number, intent.ordinals
    if not ordinals:
        raise IllegalMoveError(f"Batch {number} of the run {run} was to be sent without rows.")
    holding = holders(database, run, ordinals)
    database.change(
        "INSERT INTO batch (run, number, parent, state, first_ordinal, last_ordinal, size, attempt, body_sha256,"
        " sent_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
        (
            run,
            number,
            intent.parent,
            BatchState.SENDING,
            min(ordinals),
            max(ordinals),
            len(ordinals),
            intent.body_sha256,
            intent.sent_ms,
        ),
    )
    carried = 0
    for first, last in _stretches(ordinals):
        carried += database.change(
            "UPDATE source_row SET batch = ?, status = ?, attempts = attempts + 1"
            " WHERE run = ? AND ordinal BETWEEN ? AND ? AND status = ?",
            (number, Progress.SENDING, run, first, last, Progress.PENDING),
        )
    if carried != len(ordinals):
        raise IllegalMoveError(f"{len(ordinals) - carried} rows for batch {number} of the run {run} are not pending.")
    dissolve_empty(database, run, holding)


def _stretches(ordinals: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each stretch of neighbours, so that nothing lies between them."""
    first = last = None
    for ordinal in sorted(ordinals):
        if first is None or last is None:
            first = ordinal
        elif ordinal != last + 1:
            yield first, last
            first = ordinal
        last = ordinal
    if first is not None and last is not None:
        yield first, last
