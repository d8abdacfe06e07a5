"""Statements about rows that wait to be sent: they are read with the block that they stand in, as many as it holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec import Struct

from bulkzcrm.blocks import Block
from bulkzcrm.journal.contents import Contents
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.rows import AGAIN
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.journal.states import Progress

__all__ = ["UntouchedRows", "WaitingBlock", "WaitingRow", "next_block"]

_PROGRESS = {progress.value: progress for progress in Progress}
_UNTOUCHED = "(status = 'pending' AND batch IS NULL AND attempts = 0)"


class WaitingRow(NamedTuple):
    """One row that waits, as far as it takes to know whether and how it goes (see `StoredRow`)."""

    ordinal: int
    number: int
    status: Progress
    batch: int | None
    attempts: int


class UntouchedRows(Struct, frozen=True):
    """Rows that were never in a batch: `ordinals` are their places, and their numbers are so far `ahead` of them."""

    ordinals: Sequence[int]
    ahead: int


class WaitingBlock(NamedTuple):
    """A block, and those of its rows that wait, in source order: one by one, or all at once."""

    block: Block
    rows: Sequence[WaitingRow] | UntouchedRows

    @property
    def ordinals(self) -> Sequence[int]:
        """The places of the rows in their run."""
        return self.rows.ordinals if isinstance(self.rows, UntouchedRows) else [row.ordinal for row in self.rows]


def next_block(
    database: Database, run: str, after_ordinal: int, statuses: Collection[Progress], attempts: int | None
) -> WaitingBlock | None:
    """Return the first block with a row that waits after an ordinal, and its rows that do; nothing at the end.

    A row waits that has one of the `statuses`; with `attempts`, only if so many requests have carried it.
    """
    base = base_of(database, run)
    condition = f"status IN ({', '.join('?' * len(statuses))})"
    parameters: list[SqlValue] = [*sorted(statuses)]
    if attempts is not None:
        condition += f" AND attempts = ? AND {AGAIN}" if attempts else " AND attempts = ?"
        parameters.append(attempts)
    first = database.one(
        f"SELECT place FROM row_state WHERE place > ? AND place < ? AND {condition} ORDER BY place LIMIT 1",  # noqa: S608  names of ours
        (base + after_ordinal, base + ROWS, *parameters),
    )
    if first is None:
        return None
    block = Contents(database, run).block(first[0] - base)
    within = first[0], base + block.last
    if Progress.PENDING in statuses and not attempts:
        untouched = _untouched(database, base, within, condition, parameters)
        if untouched is not None:
            return WaitingBlock(block, untouched)
    found = database.all(
        "SELECT place, number, status, batch, attempts FROM row_state"  # noqa: S608  names of ours
        f" WHERE place BETWEEN ? AND ? AND {condition} ORDER BY place",
        (*within, *parameters),
    )
    rows = [
        WaitingRow(place - base, number, _PROGRESS[status], batch, carried)
        for place, number, status, batch, carried in found
    ]
    return WaitingBlock(block, rows)


def _untouched(
    database: Database, base: int, within: tuple[int, int], condition: str, parameters: Sequence[SqlValue]
) -> UntouchedRows | None:
    """Return the rows that wait, read quickly, if all of them are untouched and numbered alike: nearly always."""
    counted = database.one(
        f"SELECT COUNT(*), MIN(number - place), MAX(number - place) FROM row_state"  # noqa: S608  names of ours
        f" WHERE place BETWEEN ? AND ? AND {_UNTOUCHED}",
        within,
    )
    if counted is None or not counted[0] or counted[1] != counted[2]:
        return None
    others = database.all(
        f"SELECT place, {condition} FROM row_state WHERE place BETWEEN ? AND ? AND NOT {_UNTOUCHED}",  # noqa: S608  names of ours
        (*parameters, *within),
    )
    if any(waits for _, waits in others):
        return None
    ordinals: Sequence[int] = range(within[0] - base, within[1] - base + 1)
    if others:
        elsewhere = {place - base for place, _ in others}
        ordinals = [ordinal for ordinal in ordinals if ordinal not in elsewhere]
    return UntouchedRows(ordinals, counted[1] + base)
