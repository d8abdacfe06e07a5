"""Statements about what rows say: it is written block by block when the source is read, and read as blocks again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from bulkzcrm.blocks import LONGEST, Apart, Block, decode_block, encode_block
from bulkzcrm.journal.database import Database
from bulkzcrm.model import Record

__all__ = ["Contents", "add", "change_records", "next_block", "replace"]


def add(database: Database, run: str, block: Block) -> None:
    """Write a block. It holds at least one row, and `LONGEST` at most."""
    if not 0 < block.rows <= LONGEST:
        raise ValueError(f"a block of {block.rows} rows")
    database.change(
        "INSERT INTO row_block (run, first_ordinal, last_ordinal, content) VALUES (?, ?, ?, ?)",
        (run, block.first, block.last, encode_block(block)),
    )


def replace(database: Database, run: str, block: Block) -> None:
    """Write a block anew that is there."""
    database.change(
        "UPDATE row_block SET content = ? WHERE run = ? AND first_ordinal = ?", (encode_block(block), run, block.first)
    )


def next_block(database: Database, run: str, after_ordinal: int) -> Block | None:
    """Return the first block that holds a row after an ordinal; nothing at the end."""
    found = database.one(
        "SELECT content FROM row_block WHERE run = ? AND first_ordinal > ? AND last_ordinal > ?"
        " ORDER BY first_ordinal LIMIT 1",
        (run, after_ordinal - LONGEST, after_ordinal),
    )
    return None if found is None else decode_block(found[0])


def change_records(database: Database, run: str, records: Mapping[int, Record | None]) -> None:
    """Give rows (ordinals) other records than were made of their cells."""
    contents = Contents(database, run)
    blocks: dict[int, Block] = {}
    for ordinal in sorted(records):
        block = blocks.setdefault(contents.block(ordinal).first, contents.block(ordinal))
        apart = block.apart.setdefault(ordinal - block.first, Apart())
        apart.record = records[ordinal]
    for block in blocks.values():
        replace(database, run, block)


@final
class Contents:
    """What the rows of a run say, for whoever asks for one after the other; the last `block` is kept at hand."""

    def __init__(self, database: Database, run: str, block: Block | None = None) -> None:
        self._database = database
        self._run = run
        self._block = block

    def block(self, ordinal: int) -> Block:
        """Return the block that holds a row. Raises `LookupError` where there is none."""
        block = self._block
        if block is None or not block.first <= ordinal <= block.last:
            block = next_block(self._database, self._run, ordinal - 1)
            if block is None or block.first > ordinal:
                raise LookupError(f"no block of the run {self._run} holds row {ordinal}")
            self._block = block
        return block
