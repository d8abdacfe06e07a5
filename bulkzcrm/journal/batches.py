"""Statements about batches: planned, sending, answered, and what lies between; the rows say which batch is theirs."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from bulkzcrm.errors import UsageError
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.failures import IllegalMoveError
from bulkzcrm.journal.records import Batch, RowOutcome
from bulkzcrm.journal.row_writes import write_outcomes
from bulkzcrm.journal.serials import base_of
from bulkzcrm.journal.states import BATCH_MOVES, BatchState, Progress, require_move
from bulkzcrm.model import Problem

_COLUMNS = (
    "run, number, parent, state, first_ordinal, last_ordinal, size, attempt, body_sha256, sent_ms, answered_ms,"
    " http_status"
)


def find(database: Database, run: str, number: int) -> Batch:
    """Return one batch."""
    row = database.one(
        f"SELECT {_COLUMNS} FROM batch WHERE run = ? AND number = ?",  # noqa: S608  names of ours
        (run, number),
    )
    if row is None:
        raise UsageError(f"The run {run} has no batch {number}.", f"`bulkzcrm report {run}` shows the batches it has.")
    return _batch(row)


def page(database: Database, run: str, states: Collection[BatchState], after_number: int, limit: int) -> list[Batch]:
    """Return the batches in certain states after a number, in order."""
    marks = ", ".join("?" * len(states))
    rows = database.all(
        f"SELECT {_COLUMNS} FROM batch WHERE run = ? AND number > ? AND state IN ({marks}) ORDER BY number LIMIT ?",  # noqa: S608  names of ours
        (run, after_number, *sorted(states), limit),
    )
    return [_batch(row) for row in rows]


def once_in_doubt(database: Database, run: str, numbers: Collection[int]) -> set[int]:
    """Return those of the batches whose last request was in doubt until it was read back, and found absent in part."""
    marks = ", ".join("?" * len(numbers))
    rows = database.all(
        f"SELECT number FROM batch WHERE run = ? AND number IN ({marks})"  # noqa: S608  marks only
        " AND ((state = ? AND http_status IS NULL) OR (state = ? AND attempt > 0))",
        (run, *sorted(numbers), BatchState.ANSWERED, BatchState.PLANNED),
    )
    return {row[0] for row in rows}


def plan(
    database: Database,
    run: str,
    ordinals: Sequence[int],
    parent: int | None,
    in_doubt: Collection[int] = (),
    number: int | None = None,
) -> int:
    """Put pending rows into a new batch and return its number; batches that lose all their rows by that dissolve.

    Rows that are `in_doubt` stay so, and then the batch is; those that lose all such rows by that are answered.
    The batch gets the `number`, else the next one.
    """
    if not ordinals:
        raise IllegalMoveError(f"A batch of the run {run} was to be planned without rows.")
    first, last = min(ordinals), max(ordinals)
    holding = holders(database, run, ordinals)
    doubtful = holders(database, run, sorted(in_doubt), Progress.IN_DOUBT)
    if number is None:
        number = last_number(database, run) + 1
    database.change(
        "INSERT INTO batch (run, number, parent, state, first_ordinal, last_ordinal, size, attempt)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (run, number, parent, BatchState.IN_DOUBT if in_doubt else BatchState.PLANNED, first, last, len(ordinals)),
    )
    base = base_of(database, run)
    planned = database.change_many(
        "UPDATE row_state SET batch = ? WHERE place = ? AND status = ? AND (batch IS NULL OR batch <> ?)",
        (
            (number, base + ordinal, Progress.IN_DOUBT if ordinal in in_doubt else Progress.PENDING, number)
            for ordinal in ordinals
        ),
    )
    if planned != len(ordinals):
        raise IllegalMoveError(f"{len(ordinals) - planned} rows for batch {number} of the run {run} are not pending.")
    dissolve_empty(database, run, holding)
    for each in doubtful:
        _close_settled(database, run, each)
    return number


def last_number(database: Database, run: str) -> int:
    """Return the number of the last batch, 0 where there is none."""
    highest = database.one("SELECT COALESCE(MAX(number), 0) FROM batch WHERE run = ?", (run,))
    return 0 if highest is None else int(highest[0])


def holders(database: Database, run: str, ordinals: Sequence[int], status: Progress = Progress.PENDING) -> list[int]:
    """Return the batches that rows of a status are planned in, and perhaps some of their neighbours' batches."""
    if not ordinals:
        return []
    base = base_of(database, run)
    rows = database.all(
        "SELECT DISTINCT batch FROM row_state WHERE place BETWEEN ? AND ? AND status = ? AND batch IS NOT NULL",
        (base + min(ordinals), base + max(ordinals), status),
    )
    return [row[0] for row in rows]


def dissolve_empty(database: Database, run: str, numbers: Sequence[int]) -> None:
    """Dissolve those batches that wait to be sent and have no pending row left."""
    if not numbers:
        return
    waiting = sorted(state for state, moves in BATCH_MOVES.items() if BatchState.DISSOLVED in moves)
    marks, base = ", ".join("?" * len(waiting)), base_of(database, run)
    database.change_many(
        f"UPDATE batch SET state = ? WHERE run = ? AND number = ? AND state IN ({marks}) AND NOT EXISTS ("  # noqa: S608  marks
        " SELECT 1 FROM row_state r WHERE r.batch = batch.number AND r.status = ?"
        " AND r.place BETWEEN ? + batch.first_ordinal AND ? + batch.last_ordinal)",
        ((BatchState.DISSOLVED, run, number, *waiting, Progress.PENDING, base, base) for number in numbers),
    )


def mark_sending(
    database: Database, run: str, number: int, *, ordinals: Sequence[int], body_sha256: str, sent_ms: int
) -> None:
    """Write the intent: from here on the request may have left."""
    batch = _moved(database, run, number, BatchState.SENDING)
    pending = _ordinals(database, batch, Progress.PENDING)
    if pending != sorted(ordinals) or not pending:
        raise IllegalMoveError(
            f"The request for batch {number} of the run {run} does not carry exactly its pending rows."
        )
    database.change(
        "UPDATE batch SET attempt = attempt + 1, body_sha256 = ?, sent_ms = ?, answered_ms = NULL, http_status = NULL"
        " WHERE run = ? AND number = ?",
        (body_sha256, sent_ms, run, number),
    )
    base = base_of(database, run)
    database.change(
        "UPDATE row_state SET status = ?, attempts = attempts + 1"
        " WHERE place BETWEEN ? AND ? AND batch = ? AND status = ?",
        (Progress.SENDING, base + batch.first_ordinal, base + batch.last_ordinal, number, Progress.PENDING),
    )


def mark_answered(
    database: Database,
    run: str,
    number: int,
    outcomes: Sequence[RowOutcome],
    *,
    answered_ms: int,
    http_status: int | None,
) -> None:
    """Write the outcomes of every row of the batch that is under way or in doubt."""
    batch = find(database, run, number)
    require_move(BATCH_MOVES, batch.state, BatchState.ANSWERED, f"Batch {number} of the run {run}")
    write_outcomes(database, run, number, _row_state(batch), outcomes)
    base = base_of(database, run)
    if database.one(
        "SELECT 1 FROM row_state WHERE place BETWEEN ? AND ? AND batch = ? AND status IN (?, ?) LIMIT 1",
        (base + batch.first_ordinal, base + batch.last_ordinal, number, Progress.SENDING, Progress.IN_DOUBT),
    ):
        raise IllegalMoveError(
            f"The answer to batch {number} of the run {run} leaves some of its rows without an outcome."
        )
    database.change(
        "UPDATE batch SET state = ?, answered_ms = ?, http_status = ? WHERE run = ? AND number = ?",
        (BatchState.ANSWERED, answered_ms, http_status, run, number),
    )


def mark_not_applied(
    database: Database,
    run: str,
    number: int,
    *,
    problems: tuple[Problem, ...],
    answered_ms: int,
    http_status: int | None,
) -> None:
    """Write that the request certainly changed nothing: its rows are pending again."""
    batch = _moved(database, run, number, BatchState.NOT_APPLIED)
    _move_rows(database, batch, Progress.SENDING, Progress.PENDING, problems)
    _note_answer(database, batch, answered_ms, http_status)


def mark_in_doubt(
    database: Database,
    run: str,
    number: int,
    known: Sequence[RowOutcome],
    *,
    problems: tuple[Problem, ...],
    answered_ms: int | None,
    http_status: int | None,
) -> None:
    """Write that nobody can tell yet what became of the rows, apart from those of which it is `known`."""
    batch = _moved(database, run, number, BatchState.IN_DOUBT)
    write_outcomes(database, run, number, Progress.SENDING, known)
    if not _ordinals(database, batch, Progress.SENDING):
        raise IllegalMoveError(f"Batch {number} of the run {run} has no row left that could be in doubt.")
    _move_rows(database, batch, Progress.SENDING, Progress.IN_DOUBT, problems)
    if answered_ms is not None:
        _note_answer(database, batch, answered_ms, http_status)


def settle_doubts(
    database: Database, run: str, number: int, outcomes: Sequence[RowOutcome], *, answered_ms: int
) -> None:
    """Write what was found out about some rows of a batch in doubt; it is answered once none is left in doubt."""
    if find(database, run, number).state is not BatchState.IN_DOUBT:
        raise IllegalMoveError(f"Batch {number} of the run {run} is not in doubt.")
    write_outcomes(database, run, number, Progress.IN_DOUBT, outcomes)
    database.change("UPDATE batch SET answered_ms = ? WHERE run = ? AND number = ?", (answered_ms, run, number))
    _close_settled(database, run, number)


def _close_settled(database: Database, run: str, number: int) -> None:
    """Call a batch answered that was in doubt, if no row of it is so any more."""
    batch = find(database, run, number)
    if batch.state is BatchState.IN_DOUBT and not _ordinals(database, batch, Progress.IN_DOUBT):
        _moved(database, run, number, BatchState.ANSWERED)
        database.change("UPDATE batch SET http_status = NULL WHERE run = ? AND number = ?", (run, number))


def plan_again(database: Database, run: str, number: int) -> None:
    """Plan a batch once more: it was not applied, or what was in doubt has been read back and is absent."""
    batch = _moved(database, run, number, BatchState.PLANNED)
    _move_rows(database, batch, Progress.IN_DOUBT, Progress.PENDING, ())
    if not _ordinals(database, batch, Progress.PENDING):
        raise IllegalMoveError(f"Batch {number} of the run {run} has no row left to send.")


def _moved(database: Database, run: str, number: int, wanted: BatchState) -> Batch:
    batch = find(database, run, number)
    require_move(BATCH_MOVES, batch.state, wanted, f"Batch {number} of the run {run}")
    database.change("UPDATE batch SET state = ? WHERE run = ? AND number = ?", (wanted, run, number))
    return batch


def _row_state(batch: Batch) -> Progress:
    """Return what the unsettled rows of a batch are."""
    return Progress.IN_DOUBT if batch.state is BatchState.IN_DOUBT else Progress.SENDING


def _ordinals(database: Database, batch: Batch, status: Progress) -> list[int]:
    base = base_of(database, batch.run)
    rows = database.all(
        "SELECT place FROM row_state WHERE place BETWEEN ? AND ? AND batch = ? AND status = ? ORDER BY place",
        (base + batch.first_ordinal, base + batch.last_ordinal, batch.number, status),
    )
    return [row[0] - base for row in rows]


def _move_rows(
    database: Database, batch: Batch, now: Progress, wanted: Progress, problems: tuple[Problem, ...]
) -> None:
    outcomes = [
        RowOutcome(ordinal=ordinal, status=wanted, problems=problems) for ordinal in _ordinals(database, batch, now)
    ]
    write_outcomes(database, batch.run, batch.number, now, outcomes)


def _note_answer(database: Database, batch: Batch, answered_ms: int, http_status: int | None) -> None:
    database.change(
        "UPDATE batch SET answered_ms = ?, http_status = ? WHERE run = ? AND number = ?",
        (answered_ms, http_status, batch.run, batch.number),
    )


def _batch(row: sqlite3.Row) -> Batch:
    return Batch(
        run=row["run"],
        number=row["number"],
        parent=row["parent"],
        state=BatchState(row["state"]),
        first_ordinal=row["first_ordinal"],
        last_ordinal=row["last_ordinal"],
        size=row["size"],
        attempt=row["attempt"],
        body_sha256=row["body_sha256"],
        sent_ms=row["sent_ms"],
        answered_ms=row["answered_ms"],
        http_status=row["http_status"],
    )
