-- The journal's tables, in the common subset of SQLite and PostgreSQL: moments are INTEGER milliseconds UTC, flags INTEGER
-- 0 or 1, structured values JSON as TEXT. Who may move from which state to which is told in states.py, not here.

CREATE TABLE run (
  id               TEXT    NOT NULL PRIMARY KEY,  -- sorts by time
  operation        TEXT    NOT NULL,
  organisation_id  TEXT,                          -- null until the organisation has been read
  organisation     TEXT,                          -- its name
  api_domain       TEXT    NOT NULL,
  sandbox          INTEGER NOT NULL,
  sandbox_state    TEXT,                          -- path of the sandbox's own file
  state            TEXT    NOT NULL,
  stopped_because  TEXT,
  options          TEXT    NOT NULL,              -- JSON object: the options in force, never a secret
  source           TEXT    NOT NULL,              -- as the user named it
  sheet            TEXT,
  source_sha256    TEXT    NOT NULL,              -- hex; blank until the source has been read
  columns          TEXT    NOT NULL,              -- JSON array of columns
  header_row       INTEGER NOT NULL,
  notes            TEXT    NOT NULL,              -- JSON array of sentences
  reading          TEXT    NOT NULL,              -- JSON object: options that were inferred from the source
  decisions        TEXT    NOT NULL,              -- JSON object: what was settled for whole columns
  lookups          TEXT    NOT NULL,              -- JSON object: what was read from the organisation
  output           TEXT,                          -- folder of the report
  formats          TEXT    NOT NULL,              -- JSON array
  job              TEXT,
  step             INTEGER,
  retry_of         TEXT REFERENCES run (id) ON DELETE SET NULL,
  created_ms       BIGINT  NOT NULL,
  updated_ms       BIGINT  NOT NULL,
  epoch            INTEGER NOT NULL,              -- every write carries it; a stale one is a lost lease
  owner            TEXT,
  lease_until_ms   BIGINT,
  requests         INTEGER NOT NULL,
  credits          INTEGER NOT NULL,
  batches          INTEGER NOT NULL,
  seconds          DOUBLE PRECISION NOT NULL
);

CREATE INDEX run_by_content ON run (source_sha256, operation);

CREATE TABLE source_row (
  run          TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  ordinal      INTEGER NOT NULL,                  -- place in the source, from 1
  number       INTEGER NOT NULL,                  -- what a spreadsheet program shows for it
  sheet        TEXT,
  cells        TEXT    NOT NULL,                  -- JSON, see bulkzcrm.cells
  surplus      TEXT,                              -- JSON: cells to the right of the last column
  record       TEXT,                              -- JSON object
  identity     TEXT,                              -- the record it changes: two rows with the same one are duplicates
  fingerprint  BYTEA,                             -- bytes, in both dialects; of the record's content: equal content, equal fingerprint
  is_open      INTEGER NOT NULL,                  -- to be converted again once the whole source is known
  status       TEXT    NOT NULL,
  problems     TEXT,                              -- JSON array
  code         TEXT    NOT NULL,                  -- the one the report shows: that of the first problem, else the API's
  record_id    TEXT    NOT NULL,
  batch        INTEGER,                           -- the last batch that it was planned in
  attempts     INTEGER NOT NULL,                  -- requests that carried it
  before_image TEXT,                              -- JSON object: the current record before the first write
  PRIMARY KEY (run, ordinal)
);

CREATE INDEX source_row_by_status ON source_row (run, status, ordinal);

CREATE INDEX source_row_open ON source_row (run, ordinal) WHERE is_open = 1;

CREATE TABLE batch (
  run           TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  number        INTEGER NOT NULL,                 -- from 1
  parent        INTEGER,                          -- the batch that this one is a part of
  state         TEXT    NOT NULL,
  first_ordinal INTEGER NOT NULL,                 -- its rows lie between these two; which of them, the rows say
  last_ordinal  INTEGER NOT NULL,
  size          INTEGER NOT NULL,                 -- rows when it was planned
  attempt       INTEGER NOT NULL,                 -- requests so far
  body_sha256   TEXT,                             -- of the last request, hex
  sent_ms       BIGINT,
  answered_ms   BIGINT,
  http_status   INTEGER,
  PRIMARY KEY (run, number)
);

CREATE TABLE organisation (
  id                TEXT   NOT NULL PRIMARY KEY,
  learned_limit     INTEGER,                      -- requests in flight that went well
  learned_ms        BIGINT,
  paused_until_ms   BIGINT,
  credits_limit     INTEGER,                      -- a rolling day, as last seen
  credits_remaining INTEGER,
  credits_seen_ms   BIGINT
);

CREATE TABLE retried_row (                        -- rows that a retry took: no later retry takes them again
  run       TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  ordinal   INTEGER NOT NULL,
  retry_run TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  PRIMARY KEY (run, ordinal)
);

CREATE INDEX retried_row_by_retry ON retried_row (retry_run);
