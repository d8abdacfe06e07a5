"""What a row takes in a journal, and where: `python -m tests.bench.journal FOLDER` (that of BULKZCRM_HOME)."""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from bulkzcrm.blocks import Block, decode_block
from bulkzcrm.journal.place import FILE_NAME

_COLUMNS = ("place", "number", "status", "identity", "fingerprint", "problems", "code", "record_id", "batch")


def lines(path: Path) -> Iterator[str]:
    """Yield bytes a row: of the whole file, of each table and index, and of what blocks and states hold."""
    with closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as connection:
        (rows,) = connection.execute("SELECT COUNT(*) FROM row_state").fetchone()
        if not rows:
            yield "no rows"
            return
        yield f"{rows:,} rows"
        yield f"{path.stat().st_size / rows:8.1f}  the file"
        for name, size, unused in _pages(connection):
            yield f"{size / rows:8.1f}  {name} ({unused / rows:.1f} of it empty)"
        for part, size in _in_blocks(connection).most_common():
            yield f"{size / rows:8.1f}  row_block: {part}"
        for column in _COLUMNS:
            (size,) = connection.execute(f"SELECT SUM(LENGTH(CAST({column} AS BLOB))) FROM row_state").fetchone()  # noqa: S608  ours
            yield f"{(size or 0) / rows:8.1f}  row_state.{column}, as text"


def _pages(connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
    try:
        return connection.execute(
            "SELECT name, SUM(pgsize), SUM(unused) FROM dbstat GROUP BY name ORDER BY SUM(pgsize) DESC LIMIT 6"
        ).fetchall()
    except sqlite3.OperationalError:
        return []  # a SQLite that was built without that table


def _in_blocks(connection: sqlite3.Connection) -> Counter[str]:
    """Count the bytes of what blocks hold, by what it is."""
    sizes: Counter[str] = Counter()
    for (content,) in connection.execute("SELECT content FROM row_block"):
        block = decode_block(content)
        parts = dict(_parts(block))
        sizes.update(parts)
        sizes["names and marks"] += len(content.encode()) - sum(parts.values())
    return sizes


def _parts(block: Block) -> Iterator[tuple[str, int]]:
    def size(thing: object) -> int:
        return len(msgspec.json.encode(thing))

    yield "cells, the different ones", sum(size(strip.cells) for strip in block.strips)
    yield "which row has which cell", sum(size(strip.codes) for strip in block.strips if strip.codes is not None)
    yield "what they were converted to", sum(size(strip.values) for strip in block.strips if strip.values is not None)
    yield "rows apart", size(block.apart) if block.apart else 0


if __name__ == "__main__":
    for line in lines(Path(sys.argv[1]) / FILE_NAME):
        sys.stdout.write(f"{line}\n")
