"""Statements about rows that wait to be sent: they are read with the block that they stand in, as many as it holds."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from bulkzcrm.blocks import Block
from bulkzcrm.journal.contents import Contents
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.serials import ROWS, base_of
from bulkzcrm.journal.states import Progress

__all__ = ["WaitingBlock", "WaitingRow", "next_block"]

_PROGRESS = {progress.value: progress for progress in Progress}


class WaitingRow(NamedTuple):
    """One row that waits, as far as it takes to know whether and how it goes (see `StoredRow`)."""

    ordinal: int
    number: int
    status: Progress
    batch: int | None
    attempts: int


class WaitingBlock(NamedTuple):
    """A block, and those of its rows that wait, in source order."""

    block: Block
    rows: list[WaitingRow]


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
        condition += " AND attempts = ?"
        parameters.append(attempts)
    first = database.one(
        f"SELECT place FROM row_state WHERE place > ? AND place < ? AND {condition} ORDER BY place LIMIT 1",  # noqa: S608  names of ours
        (base + after_ordinal, base + ROWS, *parameters),
    )
    if first is None:
        return None
    block = Contents(database, run).block(first[0] - base)
    found = database.all(
        "SELECT place, number, status, batch, attempts FROM row_state"  # noqa: S608  names of ours
        f" WHERE place BETWEEN ? AND ? AND {condition} ORDER BY place",
        (first[0], base + block.last, *parameters),
    )
    rows = [
        WaitingRow(place - base, number, _PROGRESS[status], batch, carried)
        for place, number, status, batch, carried in found
    ]
    return WaitingBlock(block, rows)
