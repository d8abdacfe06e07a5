"""The intent to send a new batch of rows, by few statements: every row of a run is touched here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bulkzcrm.journal.batches import dissolve_empty, holders
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.failures import IllegalMoveError
from bulkzcrm.journal.records import Intent
from bulkzcrm.journal.serials import base_of
from bulkzcrm.journal.states import BatchState, Progress


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
    carried, base = 0, base_of(database, run)
    for first, last in _stretches(ordinals):
        carried += database.change(
            "UPDATE row_state SET batch = ?, status = ?, attempts = attempts + 1"
            " WHERE place BETWEEN ? AND ? AND status = ?",
            (number, Progress.SENDING, base + first, base + last, Progress.PENDING),
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
