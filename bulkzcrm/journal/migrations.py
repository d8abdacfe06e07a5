"""How an older journal becomes one of the present format: the steps, in order, each taken once and never changed again.

The first leads from format 1 to format 2. `schema.sql` shows where they all lead.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MIGRATIONS"]

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

MIGRATIONS: Final = (_SHARED_LIMITS, _PRUNING, _REVISIONS, _REQUESTS_OVER_TIME)
"""Scripts of whole statements, in the common subset of SQLite and PostgreSQL."""
