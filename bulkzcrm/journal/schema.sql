-- The journal's tables, in the common subset of SQLite and PostgreSQL: moments are INTEGER milliseconds UTC, flags INTEGER
-- 0 or 1, structured values JSON as TEXT. Who may move from which state to which is told in states.py, not here.
-- (SQLite finds rows fastest by a key of the type INTEGER, which holds 64 bits there: opening.py puts it for BIGINT.)

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
  seconds          DOUBLE PRECISION NOT NULL,
  pruned_ms        BIGINT,                        -- since when its rows are deleted; what is left warns of a second import
  revision         INTEGER NOT NULL DEFAULT 0,    -- every write to the run moves it: one revision is one moment
  reported         INTEGER NOT NULL DEFAULT 0,    -- the latest revision of which a report may stand
  serial           BIGINT  NOT NULL DEFAULT 0     -- tells its rows from those of other runs
);

CREATE UNIQUE INDEX run_by_serial ON run (serial);

CREATE INDEX run_by_content ON run (source_sha256, operation);

CREATE INDEX run_by_state ON run (state, id);

CREATE INDEX run_by_job ON run (job, step);

CREATE INDEX run_by_retry ON run (retry_of);

CREATE INDEX run_by_organisation ON run (organisation_id, operation);

CREATE TABLE ended_count (                        -- rows under every status of a finished run, where nothing moves any more
  run    TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  status TEXT    NOT NULL,
  total  INTEGER NOT NULL,
  PRIMARY KEY (run, status)
);

CREATE TABLE row_block (                          -- what was read of the source; only what a row says may still change
  run           TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  first_ordinal INTEGER NOT NULL,                 -- places in the source, from 1; a block holds 500 rows at most
  last_ordinal  INTEGER NOT NULL,
  content       TEXT    NOT NULL,                 -- JSON, see bulkzcrm.blocks
  PRIMARY KEY (run, first_ordinal)
);

CREATE TABLE row_state (                          -- how far each row is
  place       BIGINT  NOT NULL PRIMARY KEY,       -- serial of the run * 2^32 + place in the source
  number      INTEGER NOT NULL,                   -- what a spreadsheet program shows for it
  status      TEXT    NOT NULL,
  identity    TEXT,                               -- the record it changes: two rows with the same one are duplicates
  fingerprint BYTEA,                              -- bytes, in both dialects; of the record's content: equal content, equal fingerprint
  is_open     INTEGER NOT NULL,                   -- to be converted again once the whole source is known
  problems    TEXT,                               -- JSON array
  code        TEXT    NOT NULL,                   -- the one the report shows: that of the first problem, else the API's
  record_id   TEXT    NOT NULL,
  batch       INTEGER,                            -- the last batch that it was planned in
  attempts    INTEGER NOT NULL                    -- requests that carried it
);

CREATE INDEX row_state_open ON row_state (place) WHERE is_open = 1;

CREATE INDEX row_state_doubtful ON row_state (status, place) WHERE status IN ('in_doubt', 'unknown');

CREATE INDEX row_state_again ON row_state (status, attempts, place)
  WHERE attempts > 0 AND status IN ('pending', 'in_doubt');

CREATE TABLE before_image (
  place  BIGINT NOT NULL PRIMARY KEY,             -- as in row_state
  record TEXT   NOT NULL                          -- JSON object: the current record before the first write
);

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
  credits_seen_ms   BIGINT,
  cuts              INTEGER NOT NULL DEFAULT 0    -- how often it has turned requests away, as all runs count it together
);

CREATE TABLE share (                              -- what each run that is at work takes of an organisation's limits
  organisation_id TEXT    NOT NULL,
  owner           TEXT    NOT NULL,
  started_ms      BIGINT  NOT NULL,
  expires_ms      BIGINT  NOT NULL,               -- after this moment it counts no more
  ceiling         INTEGER NOT NULL,               -- requests that the organisation allows at once, as this run knows it
  most            INTEGER NOT NULL,               -- requests that this run may have in flight at most
  wanted          INTEGER NOT NULL,               -- requests that it has had a use for lately
  held            INTEGER NOT NULL,               -- requests that it may have in flight now; never too many in all
  pace            INTEGER NOT NULL,               -- requests at once that went well for it
  reserved        INTEGER NOT NULL,               -- credits that it may spend before it asks again
  PRIMARY KEY (organisation_id, owner)
);

CREATE TABLE credit (                             -- what all runs together have spent, in spans of five minutes
  organisation_id TEXT    NOT NULL,
  bucket_ms       BIGINT  NOT NULL,               -- begin of the span
  used            INTEGER NOT NULL,
  PRIMARY KEY (organisation_id, bucket_ms)
);

CREATE TABLE retried_row (                        -- rows that a retry took: no later retry takes them again
  run       TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  ordinal   INTEGER NOT NULL,
  retry_run TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  PRIMARY KEY (run, ordinal)
);

CREATE INDEX retried_row_by_retry ON retried_row (retry_run);

CREATE TABLE traffic (                            -- requests of a run over time, a row for each second that has any
  run        TEXT    NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  begin_ms   BIGINT  NOT NULL,                    -- of the second in which they were over
  requests   INTEGER NOT NULL,                    -- reads included
  throttled  INTEGER NOT NULL,                    -- answered with 429
  failed     INTEGER NOT NULL,                    -- answered with 500 or above, or not at all
  latency_ms BIGINT  NOT NULL,                    -- of all of them together
  slowest_ms BIGINT  NOT NULL,
  PRIMARY KEY (run, begin_ms)
);
