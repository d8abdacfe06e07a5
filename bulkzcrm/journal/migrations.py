"""How an older journal becomes one of the present format: the steps, in order, each taken once and never changed again.

The first leads from format 1 to format 2. `schema.sql` shows where they all lead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from bulkzcrm.blocks import encode_block
from bulkzcrm.cells import decode_cells
from bulkzcrm.exact_json import decode_exactly, encode_exactly
from bulkzcrm.journal.codec import object_from
from bulkzcrm.journal.records import NewRow
from bulkzcrm.journal.row_writes import block_of, in_blocks
from bulkzcrm.journal.serials import ROWS

__all__ = ["MIGRATIONS", "Step"]

Step: TypeAlias = str | Callable[[sqlite3.Connection], None]
"""A script of whole statements, in the common subset of SQLite and PostgreSQL, or what statements alone cannot do."""

_SHARED_LIMITS: Final = """
ALTER TABLE organisation ADD COLUMN cuts INTEGER NOT NULL DEFAULT 0;

CREATE TABLE share (
  organisation_id TEXT    NOT NULL,
  owner           TEXT    NOT NULL,
  started_ms      BIGINT  NOT NULL,
  expires_ms      BIGINT  NOT NULL,
  ceiling         INTEGER NOT NULL,
  most            INTEGER NOT NULL,
  wanted          INTEGER NOT NULL,
  held            INTEGER NOT NULL,
  pace            INTEGER NOT NULL,
  reserved        INTEGER NOT NULL,
  PRIMARY KEY (organisation_id, owner)
);

CREATE TABLE credit (
  organisation_id TEXT    NOT NULL,
  bucket_ms       BIGINT  NOT NULL,
  used            INTEGER NOT NULL,
  PRIMARY KEY (organisation_id, bucket_ms)
);
"""

_PRUNING: Final = """
ALTER TABLE run ADD COLUMN pruned_ms BIGINT;

CREATE INDEX run_by_state ON run (state, id);

CREATE INDEX run_by_job ON run (job, step);

CREATE INDEX run_by_retry ON run (retry_of);

CREATE INDEX run_by_organisation ON run (organisation_id, operation);

CREATE TABLE ended_count (
  run    TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  status TEXT    NOT NULL,
  total  INTEGER NOT NULL,
  PRIMARY KEY (run, status)
);

INSERT INTO ended_count (run, status, total)
  SELECT r.run, r.status, COUNT(*) FROM run u JOIN source_row r ON r.run = u.id
  WHERE u.state = 'finished' GROUP BY r.run, r.status;
"""

_REVISIONS: Final = """
ALTER TABLE run ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

ALTER TABLE run ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
"""

_REQUESTS_OVER_TIME: Final = """
CREATE TABLE traffic (
  run        TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  begin_ms   BIGINT  NOT NULL,
  requests   INTEGER NOT NULL,
  throttled  INTEGER NOT NULL,
  failed     INTEGER NOT NULL,
  latency_ms BIGINT  NOT NULL,
  slowest_ms BIGINT  NOT NULL,
  PRIMARY KEY (run, begin_ms)
);
"""

_BLOCKS: Final = """
ALTER TABLE run ADD COLUMN serial BIGINT NOT NULL DEFAULT 0;

UPDATE run SET serial = (SELECT COUNT(*) FROM run r WHERE r.id <= run.id);

CREATE UNIQUE INDEX run_by_serial ON run (serial);

CREATE TABLE row_block (
  run           TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  first_ordinal INTEGER NOT NULL,
  last_ordinal  INTEGER NOT NULL,
  content       TEXT    NOT NULL,
  PRIMARY KEY (run, first_ordinal)
);

CREATE TABLE row_state (
  place       BIGINT  NOT NULL PRIMARY KEY,
  number      INTEGER NOT NULL,
  status      TEXT    NOT NULL,
  identity    TEXT,
  fingerprint BYTEA,
  is_open     INTEGER NOT NULL,
  problems    TEXT,
  code        TEXT    NOT NULL,
  record_id   TEXT    NOT NULL,
  batch       INTEGER,
  attempts    INTEGER NOT NULL
);

CREATE INDEX row_state_open ON row_state (place) WHERE is_open = 1;

CREATE INDEX row_state_doubtful ON row_state (status, place) WHERE status IN ('in_doubt', 'unknown');

CREATE TABLE before_image (
  place  BIGINT NOT NULL PRIMARY KEY,
  record TEXT   NOT NULL
);
"""


def _rows_into_blocks(connection: sqlite3.Connection) -> None:
    for run, serial in connection.execute("SELECT id, serial FROM run").fetchall():
        base = serial * ROWS
        for block in map(block_of, in_blocks(_rows_of(connection, run))):
            connection.execute(
                "INSERT INTO row_block (run, first_ordinal, last_ordinal, content) VALUES (?, ?, ?, ?)",
                (run, block.first, block.last, encode_block(block)),
            )
        connection.execute(
            "INSERT INTO row_state SELECT ? + ordinal, number, status, identity, fingerprint, is_open, problems, code,"
            " record_id, batch, attempts FROM source_row WHERE run = ?",
            (base, run),
        )
        connection.execute(
            "INSERT INTO before_image SELECT ? + ordinal, before_image FROM source_row"
            " WHERE run = ? AND before_image IS NOT NULL",
            (base, run),
        )
    connection.execute("DROP TABLE source_row")


def _rows_of(connection: sqlite3.Connection, run: str) -> Iterator[NewRow]:
    for ordinal, number, cells, surplus, record in connection.execute(
        "SELECT ordinal, number, cells, surplus, record FROM source_row WHERE run = ? ORDER BY ordinal", (run,)
    ):
        yield NewRow(
            ordinal=ordinal,
            number=number,
            cells=decode_cells(cells),
            surplus=decode_cells(surplus) if surplus is not None else (),
            record=None if record is None else object_from(record),
        )


_WAITING_AGAIN: Final = """
CREATE INDEX IF NOT EXISTS row_state_again ON row_state (status, attempts, place)
  WHERE attempts > 0 AND status IN ('pending', 'in_doubt');
"""


def _codes_as_bytes(connection: sqlite3.Connection) -> None:
    """Let a byte tell which cell of a block a row has, where it was a number in a list."""
    for run, first in connection.execute("SELECT run, first_ordinal FROM row_block").fetchall():
        where = "WHERE run = ? AND first_ordinal = ?"
        (content,) = connection.execute(f"SELECT content FROM row_block {where}", (run, first)).fetchone()  # noqa: S608  ours
        block = decode_exactly(content)
        listed = [strip for strip in block["strips"] if isinstance(strip.get("codes"), list)]
        for strip in listed:
            strip["codes"] = bytes(strip["codes"])
        if listed:
            changed = encode_exactly(block).decode()
            connection.execute(f"UPDATE row_block SET content = ? {where}", (changed, run, first))  # noqa: S608  ours


MIGRATIONS: Final[tuple[tuple[Step, ...], ...]] = (
    (_SHARED_LIMITS,),
    (_PRUNING,),
    (_REVISIONS,),
    (_REQUESTS_OVER_TIME,),
    (_BLOCKS, _rows_into_blocks),
    (_WAITING_AGAIN, _codes_as_bytes),
)
