"""Statements about rows. Pages are found by key, so that a run of a million rows is read as flatly as one of ten."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from bulkzcrm.cells import decode_cells, encode_cells
from bulkzcrm.errors import JournalError
from bulkzcrm.journal.codec import json_text, object_from, problems_from
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.failures import IllegalMoveError
from bulkzcrm.journal.records import Duplicate, NewRow, RowOutcome, RowSettlement, StoredRow
from bulkzcrm.journal.states import ROW_MOVES, Progress, require_move
from bulkzcrm.model import CellValue, Problem, Record

_COLUMNS = (
    "r.ordinal, r.number, r.sheet, r.cells, r.surplus, r.record, r.identity, r.fingerprint, r.is_open, r.status,"
    " r.problems, r.code, r.record_id, r.batch, r.attempts, r.before_image"
)
_INSERT = (
    "INSERT INTO source_row (run, ordinal, number, sheet, cells, surplus, record, identity, fingerprint, is_open,"
    " status, problems, code, record_id, attempts) VALUES "
)
_INSERTED = f"({'?, ' * 13}'', 0)"
_AT_ONCE = 50
"""Rows in one statement: some databases take no more than 999 parameters."""

_OUTCOMES_AT_ONCE = 100

_PROGRESS = {progress.value: progress for progress in Progress}

_DUPLICATE = "DUPLICATE_ROW"
"""An invalid row that failed.csv leaves out: its twin says all that is to be said (DESIGN, section 7)."""

_REPAIRABLE = "ID_PRECISION_LOST"
"""The only thing that is wrong with a row and may be found to be right, since the organisation knows the digits."""


def add(database: Database, run: str, rows: Sequence[NewRow]) -> None:
    """Write rows as ingest hands them over, many in one statement: the steps of a statement are what takes time."""
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        parameters: list[SqlValue] = []
        for row in part:
            parameters += (
                run,
                row.ordinal,
                row.number,
                row.sheet,
                _cells_text(row.cells),
                _cells_text(row.surplus) if row.surplus else None,
                _record_text(row.record),
                row.identity,
                row.fingerprint,
                1 if row.is_open else 0,
                _first_status(row),
                _problems_text(row.problems),
                _leading_code(row.problems, ""),
            )
        database.change(_INSERT + ", ".join([_INSERTED] * len(part)), parameters)


def page(
    database: Database,
    run: str,
    after_ordinal: int,
    limit: int,
    statuses: Collection[Progress] | None,
    attempts: int | None = None,
) -> list[StoredRow]:
    """Return the rows after an ordinal, in source order; with `statuses`, those with so many `attempts` alone."""
    if statuses is None:
        return _stored(database, "r.run = ? AND r.ordinal > ? ORDER BY r.ordinal LIMIT ?", (run, after_ordinal, limit))
    condition = "" if attempts is None else f" AND s.attempts = {attempts:d}"
    return _by_status(database, run, after_ordinal, limit, dict.fromkeys(sorted(statuses), condition))


def fewest_attempts(database: Database, run: str, more_than: int, statuses: Collection[Progress]) -> int | None:
    """Return the fewest attempts, of those with more than so many, that a row with one of the `statuses` has."""
    marks = ", ".join("?" * len(statuses))
    found = database.one(
        f"SELECT MIN(attempts) FROM source_row WHERE run = ? AND attempts > ? AND status IN ({marks})",  # noqa: S608  marks
        (run, more_than, *sorted(statuses)),
    )
    return None if found is None else found[0]


def failed_page(database: Database, run: str, after_ordinal: int, limit: int, *, untaken_only: bool) -> list[StoredRow]:
    """Return what failed.csv holds: rejected rows, and invalid ones that do not merely repeat another."""
    untaken = " AND NOT EXISTS (SELECT 1 FROM retried_row t WHERE t.run = s.run AND t.ordinal = s.ordinal)"
    condition = untaken if untaken_only else ""
    conditions = {
        Progress.REJECTED: condition,
        Progress.INVALID: f" AND s.code <> '{_DUPLICATE}'{condition}",
    }
    return _by_status(database, run, after_ordinal, limit, conditions)


def open_page(database: Database, run: str, after_ordinal: int, limit: int) -> list[StoredRow]:
    """Return the rows that wait for the whole source to be known."""
    condition = "r.run = ? AND r.is_open = 1 AND r.ordinal > ? ORDER BY r.ordinal LIMIT ?"
    return _stored(database, condition, (run, after_ordinal, limit))


def in_batch(database: Database, run: str, number: int, first: int, last: int) -> list[StoredRow]:
    """Return the rows whose last batch this is, in source order."""
    condition = "r.run = ? AND r.ordinal BETWEEN ? AND ? AND r.batch = ? ORDER BY r.ordinal"
    return _stored(database, condition, (run, first, last, number))


def count_by_status(database: Database, run: str) -> dict[Progress, int]:
    """Count the rows of a run under every status, those without rows included."""
    counts = dict.fromkeys(Progress, 0)
    # Of a finished run they are counted once and for all.
    found = database.all("SELECT status, total FROM ended_count WHERE run = ?", (run,))
    for row in found or database.all("SELECT status, COUNT(*) FROM source_row WHERE run = ? GROUP BY status", (run,)):
        counts[Progress(row[0])] = row[1]
    return counts


def settle(database: Database, run: str, settlements: Sequence[RowSettlement]) -> None:
    """Write what became of rows without sending them. Raises `IllegalMoveError` for a row that has gone further."""
    changed = database.change_many(
        "UPDATE source_row SET record = ?, identity = ?, fingerprint = ?, is_open = 0, status = ?, problems = ?,"  # noqa: S608  a code of ours
        " code = ?, record_id = ? WHERE run = ? AND ordinal = ? AND status IN (?, ?, ?) AND attempts >= ?"
        f" AND (status <> 'invalid' OR 'invalid' = ? OR code = '{_REPAIRABLE}')",
        (
            (
                _record_text(settlement.record),
                settlement.identity,
                settlement.fingerprint,
                settlement.status,
                _problems_text(settlement.problems),
                _leading_code(settlement.problems, settlement.code),
                settlement.record_id,
                run,
                settlement.ordinal,
                *_from_states(settlement),
                # Nothing succeeds that was never sent.
                int(settlement.status is Progress.SUCCEEDED),
                settlement.status,
            )
            for settlement in settlements
        ),
    )
    if settlements and changed != len(settlements):
        raise IllegalMoveError(f"{len(settlements) - changed} rows of the run {run} have gone too far to be settled.")


def write_outcomes(database: Database, run: str, number: int, now: Progress, outcomes: Sequence[RowOutcome]) -> None:
    """Write what was proved about rows of a batch, all of which are `now`."""
    alike: dict[tuple[Progress, tuple[Problem, ...], str], list[RowOutcome]] = {}
    for outcome in outcomes:
        alike.setdefault((outcome.status, outcome.problems, outcome.code), []).append(outcome)
    changed = 0
    for (status, problems, code), same in alike.items():
        require_move(ROW_MOVES, now, status, f"The row at place {same[0].ordinal}")
        for start in range(0, len(same), _OUTCOMES_AT_ONCE):
            part = same[start : start + _OUTCOMES_AT_ONCE]
            ids = [value for outcome in part for value in (outcome.ordinal, outcome.record_id)]
            changed += database.change(
                "UPDATE source_row SET status = ?, problems = ?, code = ?,"  # noqa: S608  marks only
                " record_id = COALESCE(NULLIF(told.column2, ''), record_id)"
                f" FROM (VALUES {', '.join(['(?, ?)'] * len(part))}) AS told"
                " WHERE run = ? AND ordinal = told.column1 AND batch = ? AND status = ?",
                (status, _problems_text(problems), _leading_code(problems, code), *ids, run, number, now),
            )
    if outcomes and changed != len(outcomes):
        raise IllegalMoveError(f"{len(outcomes) - changed} rows were not under way in batch {number} of the run {run}.")


def keep_before(database: Database, run: str, images: Mapping[int, Record]) -> None:
    """Keep the current records; the first one that is kept for a row stays."""
    changed = database.change_many(
        "UPDATE source_row SET before_image = COALESCE(before_image, ?) WHERE run = ? AND ordinal = ?",
        ((json_text(record), run, ordinal) for ordinal, record in images.items()),
    )
    if images and changed != len(images):
        raise IllegalMoveError(f"{len(images) - changed} rows are not in the run {run}.")


def duplicates(database: Database, run: str, limit: int, *, by_identity: bool) -> list[Duplicate]:
    """Return rows that repeat an earlier one, invalid ones left out on both sides."""
    key = "identity" if by_identity else "fingerprint"
    found = database.all(
        "SELECT d.ordinal, d.first_ordinal, f.number FROM ("  # noqa: S608  one of two names of ours
        f" SELECT ordinal, MIN(ordinal) OVER (PARTITION BY {key}) AS first_ordinal FROM source_row"
        f" WHERE run = ? AND {key} IS NOT NULL AND status <> ?"
        ") d JOIN source_row f ON f.run = ? AND f.ordinal = d.first_ordinal"
        " WHERE d.ordinal > d.first_ordinal ORDER BY d.ordinal LIMIT ?",
        (run, Progress.INVALID, run, limit),
    )
    return [Duplicate(*row) for row in found]


def set_repeats_aside(database: Database, run: str, *, by_identity: bool) -> None:
    """Find all rows that repeat an earlier one, once, and keep their places where pages of them are read from."""
    # Made once and then emptied: every change of the schema makes SQLite prepare all its statements anew.
    database.change(
        "CREATE TEMPORARY TABLE IF NOT EXISTS repeated_row"
        " (ordinal INTEGER NOT NULL PRIMARY KEY, first_ordinal INTEGER NOT NULL)"
    )
    forget_repeats(database)
    key = "identity" if by_identity else "fingerprint"
    database.change(
        "INSERT INTO repeated_row (ordinal, first_ordinal) SELECT ordinal, first_ordinal FROM ("  # noqa: S608  one of two names of ours
        f" SELECT ordinal, MIN(ordinal) OVER (PARTITION BY {key}) AS first_ordinal FROM source_row"
        f" WHERE run = ? AND {key} IS NOT NULL AND status <> ?"
        ") d WHERE ordinal > first_ordinal",
        (run, Progress.INVALID),
    )


def repeats_page(database: Database, run: str, after_ordinal: int, limit: int) -> list[Duplicate]:
    """Return the next of the rows that were set aside, in source order."""
    found = database.all(
        "SELECT d.ordinal, d.first_ordinal, f.number FROM repeated_row d"
        " JOIN source_row f ON f.run = ? AND f.ordinal = d.first_ordinal"
        " WHERE d.ordinal > ? ORDER BY d.ordinal LIMIT ?",
        (run, after_ordinal, limit),
    )
    return [Duplicate(*row) for row in found]


def forget_repeats(database: Database) -> None:
    """Forget what was set aside."""
    database.change("DELETE FROM repeated_row")


def take(database: Database, run: str, ordinals: Sequence[int], retry_run: str) -> None:
    """Mark rows as taken by a retry. Raises `JournalError` when another retry has taken one of them."""
    taken = database.change_many(
        "INSERT INTO retried_row (run, ordinal, retry_run) SELECT run, ordinal, ? FROM source_row"
        " WHERE run = ? AND ordinal = ? ON CONFLICT (run, ordinal) DO NOTHING",
        ((retry_run, run, ordinal) for ordinal in ordinals),
    )
    if ordinals and taken != len(ordinals):
        raise JournalError(
            f"Another retry of the run {run} took {len(ordinals) - taken} of its rows in the meantime.",
            "`bulkzcrm runs` shows that retry; its report says what became of them.",
        )


def _by_status(
    database: Database, run: str, after_ordinal: int, limit: int, conditions: Mapping[Progress, str]
) -> list[StoredRow]:
    # One index range for each status, each cut to the page's length, instead of sorting all rows for every page.
    parts: list[str] = []
    parameters: list[SqlValue] = [run]
    for status, condition in conditions.items():
        parts.append(
            "SELECT ordinal FROM (SELECT s.ordinal FROM source_row s WHERE s.run = ? AND s.status = ? AND s.ordinal > ?"  # noqa: S608  conditions of ours
            f"{condition} ORDER BY s.ordinal LIMIT ?) p"
        )
        parameters += [run, status, after_ordinal, limit]
    if not parts:
        return []
    return _stored(
        database,
        f"r.run = ? AND r.ordinal IN ({' UNION ALL '.join(parts)}) ORDER BY r.ordinal LIMIT ?",
        (*parameters, limit),
    )


def _stored(database: Database, condition: str, parameters: Sequence[SqlValue]) -> list[StoredRow]:
    found = database.all(f"SELECT {_COLUMNS} FROM source_row r WHERE {condition}", parameters)  # noqa: S608  names of ours
    return [_row(row) for row in found]


def _row(found: sqlite3.Row) -> StoredRow:
    # By place, in the order of _COLUMNS: this is done for every row of every report.
    ordinal, number, sheet, cells, surplus, record, identity, fingerprint, is_open, status, *rest = found
    problems, code, record_id, batch, attempts, before = rest
    return StoredRow(
        ordinal=ordinal,
        number=number,
        sheet=sheet,
        cells=decode_cells(cells),
        surplus=decode_cells(surplus) if surplus else (),
        record=_record_from(record),
        identity=identity,
        fingerprint=fingerprint,
        is_open=bool(is_open),
        status=_PROGRESS[status],
        problems=problems_from(problems),
        code=code,
        record_id=record_id,
        batch=batch,
        attempts=attempts,
        before=_record_from(before),
    )


def _from_states(settlement: RowSettlement) -> tuple[Progress, Progress, Progress]:
    """Return the states that a row may be settled from: it has not been sent since it was last pending."""
    require_move(ROW_MOVES, Progress.PENDING, settlement.status, f"The row at place {settlement.ordinal}")
    if settlement.status is Progress.SENDING:
        raise IllegalMoveError(f"The row at place {settlement.ordinal} can be sent only as part of a batch.")
    unsent = [now for now in (Progress.INVALID, Progress.UNCHANGED) if settlement.status in ROW_MOVES[now]]
    first, second = (*unsent, Progress.PENDING, Progress.PENDING)[:2]
    return Progress.PENDING, first, second


def _first_status(row: NewRow) -> str:
    if row.status is Progress.PENDING:
        return "pending"
    if row.status is Progress.INVALID:
        return "invalid"
    raise IllegalMoveError(f"Row {row.number} cannot begin as {row.status}.")


def _cells_text(cells: tuple[CellValue, ...]) -> str:
    return encode_cells(cells).decode()


def _record_text(record: Record | None) -> str | None:
    return None if record is None else json_text(record)


def _record_from(text: str | None) -> Record | None:
    return None if text is None else object_from(text)


def _problems_text(problems: tuple[Problem, ...]) -> str | None:
    return json_text(problems) if problems else None


def _leading_code(problems: tuple[Problem, ...], code: str) -> str:
    return problems[0].code if problems else code
