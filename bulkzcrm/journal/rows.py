"""Questions about rows: how far each is, and what each says. Pages are found by key, however many rows there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Final

from bulkzcrm.blocks import Block
from bulkzcrm.journal.codec import object_from, problems_from
from bulkzcrm.journal.contents import Contents
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.records import StoredRow, TouchedRow
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.journal.states import Progress

_TOLD: Final = "place, number, status, identity, fingerprint, is_open, problems, code, record_id, batch, attempts"
_PROGRESS: Final = {progress.value: progress for progress in Progress}

_DUPLICATE: Final = "DUPLICATE_ROW"
"""An invalid row that failed.csv leaves out: its twin says all that is to be said (DESIGN, section 7)."""

FAILED: Final = f"(status = 'rejected' OR (status = 'invalid' AND code <> '{_DUPLICATE}'))"
"""What failed.csv holds: rejected rows, and invalid ones that do not merely repeat another."""

AGAIN: Final = "attempts > 0 AND status IN ('pending', 'in_doubt')"
"""Rows that were sent and wait to be sent again; there is an index of them, found by these very words."""

_AT_ONCE: Final = 500
"""Parameters in one statement; SQLite's oldest limit is 999."""


def page(
    database: Database,
    run: str,
    after_ordinal: int,
    limit: int,
    statuses: Collection[Progress] | None,
    attempts: int | None = None,
    *,
    whole: bool = True,
) -> list[StoredRow]:
    """Return the rows after an ordinal, in source order; with `statuses`, those with so many `attempts` alone.

    Without cells and before-images unless they are wanted `whole`.
    """
    condition, parameters = "TRUE", list[SqlValue]()
    if statuses is not None:
        condition, parameters = _one_of("status", statuses)
    if attempts is not None and statuses is not None:
        condition += " AND attempts = ?"
        parameters.append(attempts)
    return _stored(database, run, after_ordinal, condition, parameters, limit, whole=whole)


def touched(database: Database, run: str, first: int, last: int) -> list[TouchedRow]:
    """Return, of the rows between two places, those that do not just wait to be sent for the first time."""
    base = base_of(database, run)
    found = database.all(
        "SELECT place, status FROM row_state WHERE place BETWEEN ? AND ? AND (status <> ? OR attempts > 0)",
        (base + first, base + last, Progress.PENDING),
    )
    return [TouchedRow(place - base, _PROGRESS[status]) for place, status in found]


def at(
    database: Database, run: str, ordinals: Collection[int], *, whole: bool, block: Block | None = None
) -> list[StoredRow]:
    """Return the rows at some places, in source order; `block` is one that is at hand and holds some of them."""
    base, wanted, said = base_of(database, run), sorted(ordinals), Contents(database, run, block)
    found: list[StoredRow] = []
    for begin in range(0, len(wanted), _AT_ONCE):
        part = wanted[begin : begin + _AT_ONCE]
        states = database.all(
            f"{_select(whole=whole)} WHERE place IN ({', '.join('?' * len(part))}) ORDER BY place",
            [base + ordinal for ordinal in part],
        )
        found += _rows(said, base, states, whole=whole)
    return found


def fewest_attempts(database: Database, run: str, more_than: int, statuses: Collection[Progress]) -> int | None:
    """Return the fewest attempts, of those with more than so many, that a row with one of the `statuses` has."""
    base, fewest = base_of(database, run), []
    for status in statuses:
        found = database.one(
            f"SELECT MIN(attempts) FROM row_state WHERE {AGAIN} AND status = ? AND attempts > ?"  # noqa: S608  ours
            " AND place > ? AND place < ?",
            (status, more_than, base, base + ROWS),
        )
        fewest += [] if found is None or found[0] is None else [int(found[0])]
    return min(fewest, default=None)


def first_unfinished(database: Database, run: str, after_ordinal: int) -> int | None:
    """Return the first row after an ordinal that may still move."""
    base = base_of(database, run)
    found = database.one(
        "SELECT place FROM row_state WHERE place > ? AND place < ? AND status IN ('pending', 'sending', 'in_doubt')"
        " ORDER BY place LIMIT 1",
        (base + after_ordinal, base + ROWS),
    )
    return None if found is None else int(found[0]) - base


def failed_page(database: Database, run: str, after_ordinal: int, limit: int, *, untaken_only: bool) -> list[StoredRow]:
    """Return what failed.csv holds."""
    condition, parameters = FAILED, list[SqlValue]()
    if untaken_only:
        condition += " AND NOT EXISTS (SELECT 1 FROM retried_row t WHERE t.run = ? AND t.ordinal = place - ?)"
        parameters += [run, base_of(database, run)]
    return _stored(database, run, after_ordinal, condition, parameters, limit)


def next_open(database: Database, run: str, after_ordinal: int) -> tuple[Block, dict[int, int]] | None:
    """Return the next block with rows that wait for the whole source to be known, and their numbers by their places."""
    base = base_of(database, run)
    first = database.one(
        "SELECT place FROM row_state WHERE place > ? AND place < ? AND is_open = 1 ORDER BY place LIMIT 1",
        (base + after_ordinal, base + ROWS),
    )
    if first is None:
        return None
    block = Contents(database, run).block(first[0] - base)
    begin = base + block.first
    numbers = database.tuples(
        "SELECT place - ?, number FROM row_state WHERE place BETWEEN ? AND ? AND is_open = 1 ORDER BY place",
        (begin, first[0], base + block.last),
    )
    return block, dict(numbers)


def in_batch(database: Database, run: str, number: int, first: int, last: int) -> list[StoredRow]:
    """Return the rows whose last batch this is, in source order."""
    condition = "place <= ? AND batch = ?"
    return _stored(database, run, first - 1, condition, (base_of(database, run) + last, number), last - first + 1)


def count_by_status(database: Database, run: str) -> dict[Progress, int]:
    """Count the rows of a run under every status, those without rows included."""
    counts = dict.fromkeys(Progress, 0)
    # Of a finished run they are counted once and for all.
    found = database.all("SELECT status, total FROM ended_count WHERE run = ?", (run,))
    if not found:
        base = base_of(database, run)
        found = database.all(
            "SELECT status, COUNT(*) FROM row_state WHERE place > ? AND place < ? GROUP BY status", (base, base + ROWS)
        )
    for status, rows in found:
        counts[_PROGRESS[status]] = rows
    return counts


def _stored(
    database: Database,
    run: str,
    after_ordinal: int,
    condition: str,
    parameters: Sequence[SqlValue],
    limit: int,
    *,
    whole: bool = True,
) -> list[StoredRow]:
    base = base_of(database, run)
    states = database.all(
        f"{_select(whole=whole)} WHERE place > ? AND place < ? AND {condition} ORDER BY place LIMIT ?",
        (base + after_ordinal, base + ROWS, *parameters, limit),
    )
    return _rows(Contents(database, run), base, states, whole=whole)


def _one_of(column: str, values: Collection[str]) -> tuple[str, list[SqlValue]]:
    parameters: list[SqlValue] = [*sorted(values)]
    return (f"{column} IN ({', '.join('?' * len(values))})", parameters) if values else ("FALSE", [])


def _select(*, whole: bool) -> str:
    """Return the beginning of a query for rows; `whole` tells their images too."""
    image = "(SELECT record FROM before_image b WHERE b.place = row_state.place)" if whole else "NULL"
    return f"SELECT {_TOLD}, {image} FROM row_state"  # noqa: S608  words of ours


def _rows(said: Contents, base: int, states: Sequence[sqlite3.Row], *, whole: bool) -> list[StoredRow]:
    """Put together how far rows are, and what they say."""
    rows = []
    for place, number, status, identity, fingerprint, is_open, problems, code, record_id, *rest in states:
        batch, attempts, before = rest
        ordinal = place - base
        block = said.block(ordinal)
        row = ordinal - block.first
        rows.append(
            StoredRow(
                ordinal=ordinal,
                number=number,
                cells=block.cells(row) if whole else (),
                surplus=block.surplus(row) if whole else (),
                record=block.record(row),
                identity=identity,
                fingerprint=fingerprint,
                is_open=bool(is_open),
                status=_PROGRESS[status],
                problems=problems_from(problems),
                code=code,
                record_id=record_id,
                batch=batch,
                attempts=attempts,
                before=None if before is None else object_from(before),
            )
        )
    return rows
