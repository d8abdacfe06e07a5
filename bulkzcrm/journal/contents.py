"""Statements about what rows say: it is written block by block when the source is read, and read as blocks again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import final

from bulkzcrm.blocks import LONGEST, Apart, Block, decode_block, encode_block
from bulkzcrm.journal.database import Database
from bulkzcrm.model import Record

__all__ = ["Contents", "add", "change_records", "page", "replace"]


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


def page(database: Database, run: str, after_ordinal: int, limit: int) -> list[Block]:
    """Return the next blocks that hold a row after an ordinal, in source order."""
    found = database.all(
        "SELECT content FROM row_block WHERE run = ? AND first_ordinal > ? AND last_ordinal > ?"
        " ORDER BY first_ordinal LIMIT ?",
        (run, after_ordinal - LONGEST, after_ordinal, limit),
    )
    return [decode_block(content) for (content,) in found]


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
    """What the rows of a run say, for whoever asks for one after the other; the last block is kept at hand."""

    def __init__(self, database: Database, run: str) -> None:
        self._database = database
        self._run = run
        self._block: Block | None = None

    def block(self, ordinal: int) -> Block:
        """Return the block that holds a row. Raises `LookupError` where there is none."""
        block = self._block
        if block is None or not block.first <= ordinal <= block.last:
            found = page(self._database, self._run, ordinal - 1, 1)
            if not found or found[0].first > ordinal:
                raise LookupError(f"no block of the run {self._run} holds row {ordinal}")
            block = self._block = found[0]
        return block

    def blocks(self, ordinals: list[int]) -> Iterator[tuple[Block, list[int]]]:
        """Yield the blocks that hold these rows, which come in their order, each with its own of them."""
        place = 0
        while place < len(ordinals):
            block = self.block(ordinals[place])
            begin = place
            while place < len(ordinals) and ordinals[place] <= block.last:
                place += 1
            yield block, ordinals[begin:place]
