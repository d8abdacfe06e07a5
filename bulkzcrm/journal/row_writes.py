"""Statements that write rows: what was read of them, what became of them, and what was there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from bulkzcrm.blocks import LONGEST, Apart, Block, strip_of
from bulkzcrm.cells import stored
from bulkzcrm.journal import contents
from bulkzcrm.journal.codec import json_text
from bulkzcrm.journal.database import Database
from bulkzcrm.journal.failures import IllegalMoveError
from bulkzcrm.journal.records import AsItIs, Beginning, NewRow, RowOutcome, RowSettlement
from bulkzcrm.journal.serials import base_of
from bulkzcrm.journal.states import ROW_MOVES, Progress, require_move
from bulkzcrm.model import Record

_INSERT_WAITING: Final = (
    "INSERT INTO row_state (place, number, identity, status, is_open, code, record_id, attempts)"
    " SELECT column1, column2, column3, 'pending', 0, '', '', 0 FROM (VALUES {rows})"
)
_INSERT: Final = (
    "INSERT INTO row_state (place, number, status, identity, fingerprint, is_open, problems, code, record_id, attempts)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0)"
)
_OUTCOME: Final = (
    "UPDATE row_state SET status = ?, problems = ?, code = ?, record_id = COALESCE(NULLIF(?, ''), record_id)"
    " WHERE place = ? AND batch = ? AND status = ?"
)
_SUCCESSES: Final = (
    "UPDATE row_state SET status = 'succeeded', problems = NULL, code = '',"
    " record_id = COALESCE(NULLIF(told.column2, ''), record_id)"
    " FROM (VALUES {rows}) AS told WHERE place = told.column1 AND batch = ? AND status = ?"
)

_REPAIRABLE: Final = "ID_PRECISION_LOST"
"""The only thing that is wrong with a row and may be found to be right, since the organisation knows the digits."""


def add_block(
    database: Database,
    run: str,
    block: Block,
    numbers: Sequence[int],
    identities: Sequence[str | None],
    others: Mapping[int, Beginning],
) -> None:
    """Write a block of rows, their numbers and identities; how `others` (by their places in it) begin is told there."""
    if not len(numbers) == len(identities) == block.rows:
        raise ValueError("each row of a block has a number and perhaps an identity")
    contents.add(database, run, block)
    first = base_of(database, run) + block.first
    waiting = list(zip(count(first), numbers, identities))
    database.change_at_once(_INSERT_WAITING, [row for row in waiting if row[0] - first not in others])
    database.change_many(
        _INSERT,
        (
            (
                first + place,
                numbers[place],
                _first_status(other.status, numbers[place]),
                other.identity,
                other.fingerprint,
                1 if other.is_open else 0,
                json_text(other.problems) if other.problems else None,
                other.problems[0].code if other.problems else "",
            )
            for place, other in others.items()
        ),
    )


def in_blocks(rows: Iterable[NewRow]) -> Iterator[list[NewRow]]:
    """Yield rows, which come in source order, so many at a time as go in a block: equally wide, without a gap."""
    part: list[NewRow] = []
    for row in rows:
        if part and (
            len(part) == LONGEST or row.ordinal != part[-1].ordinal + 1 or len(row.cells) != len(part[-1].cells)
        ):
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def block_of(rows: Sequence[NewRow]) -> Block:
    """Return rows that go together as a block, each with its own record, however alike they are."""
    return Block(
        first=rows[0].ordinal,
        rows=len(rows),
        strips=[strip_of(column) for column in zip(*(row.cells for row in rows), strict=True)],
        apart={place: Apart(row.record, stored(row.surplus)) for place, row in enumerate(rows)},
    )


def settle(database: Database, run: str, settlements: Sequence[RowSettlement]) -> None:
    """Write what became of rows without sending them. Raises `IllegalMoveError` for a row that has gone further."""
    base = base_of(database, run)
    changed = database.change_many(
        "UPDATE row_state SET identity = ?, fingerprint = ?, is_open = 0, status = ?, problems = ?, code = ?,"  # noqa: S608  a code of ours
        " record_id = ? WHERE place = ? AND status IN (?, ?, ?) AND attempts >= ?"
        f" AND (status <> 'invalid' OR 'invalid' = ? OR code = '{_REPAIRABLE}')",
        (
            (
                settlement.identity,
                settlement.fingerprint,
                settlement.status,
                json_text(settlement.problems) if settlement.problems else None,
                settlement.problems[0].code if settlement.problems else settlement.code,
                settlement.record_id,
                base + settlement.ordinal,
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
    records: dict[int, Record | None] = {
        each.ordinal: each.record for each in settlements if not isinstance(each.record, AsItIs)
    }
    if records:
        contents.change_records(database, run, records)


def write_outcomes(database: Database, run: str, number: int, now: Progress, outcomes: Sequence[RowOutcome]) -> None:
    """Write what was proved about rows of a batch, all of which are `now`."""
    for status in {outcome.status for outcome in outcomes}:
        first = next(outcome.ordinal for outcome in outcomes if outcome.status is status)
        require_move(ROW_MOVES, now, status, f"The row at place {first}")
    successes: list[RowOutcome] = []
    others: list[RowOutcome] = []
    for outcome in outcomes:
        is_plain = outcome.status is Progress.SUCCEEDED and not outcome.problems and not outcome.code
        (successes if is_plain else others).append(outcome)
    base, was = base_of(database, run), now.value
    changed = database.change_at_once(
        _SUCCESSES, [(base + each.ordinal, each.record_id) for each in successes], (number, was)
    )
    if others:
        changed += database.change_many(
            _OUTCOME,
            [
                (
                    outcome.status.value,
                    json_text(outcome.problems) if outcome.problems else None,
                    outcome.problems[0].code if outcome.problems else outcome.code,
                    outcome.record_id,
                    base + outcome.ordinal,
                    number,
                    was,
                )
                for outcome in others
            ],
        )
    if changed != len(outcomes):
        raise IllegalMoveError(f"{len(outcomes) - changed} rows were not under way in batch {number} of the run {run}.")


def keep_before(database: Database, run: str, images: Mapping[int, Record]) -> None:
    """Keep the current records; the first one that is kept for a row stays."""
    base = base_of(database, run)
    known = database.change_many(
        "INSERT INTO before_image (place, record) SELECT place, ? FROM row_state WHERE place = ?"
        " ON CONFLICT (place) DO UPDATE SET record = before_image.record",
        ((json_text(record), base + ordinal) for ordinal, record in images.items()),
    )
    if images and known != len(images):
        raise IllegalMoveError(f"{len(images) - known} rows are not in the run {run}.")


def _from_states(settlement: RowSettlement) -> tuple[Progress, Progress, Progress]:
    """Return the states that a row may be settled from: it has not been sent since it was last pending."""
    require_move(ROW_MOVES, Progress.PENDING, settlement.status, f"The row at place {settlement.ordinal}")
    if settlement.status is Progress.SENDING:
        raise IllegalMoveError(f"The row at place {settlement.ordinal} can be sent only as part of a batch.")
    unsent = [now for now in (Progress.INVALID, Progress.UNCHANGED) if settlement.status in ROW_MOVES[now]]
    first, second = (*unsent, Progress.PENDING, Progress.PENDING)[:2]
    return Progress.PENDING, first, second


def _first_status(status: Progress, number: int) -> str:
    if status is Progress.PENDING:
        return "pending"
    if status is Progress.INVALID:
        return "invalid"
    raise IllegalMoveError(f"Row {number} cannot begin as {status}.")
