/**
 * The schema of data/jobs.db as a list of steps; user_version counts those that were done. Append only: a step that was released
 * is never edited. Data only, no code.
 */

const first = `
CREATE TABLE jobs (
  -- Grows with each attempt, so that the newest attempt is the first that is listed.
  turn         INTEGER NOT NULL UNIQUE,
  id           TEXT PRIMARY KEY,
  kind         TEXT NOT NULL,
  input        TEXT NOT NULL,
  output       TEXT NOT NULL,
  state        TEXT NOT NULL,
  progress     REAL NOT NULL,
  attempts     INTEGER NOT NULL,
  content_hash TEXT,
  result       TEXT,
  settings     TEXT NOT NULL,
  error_code   TEXT,
  error_message TEXT,
  created_ms   INTEGER NOT NULL,
  started_ms   INTEGER,
  finished_ms  INTEGER,
  -- Whose attempt it is: src/store/process-identity. NULL once it has ended.
  runner_pid   INTEGER,
  runner_start TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_state ON jobs (state, turn);

CREATE TABLE job_history (
  number  INTEGER PRIMARY KEY,
  job     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  at_ms   INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  state   TEXT NOT NULL,
  detail  TEXT NOT NULL
) STRICT;
CREATE INDEX job_history_by_job ON job_history (job, number)`

export const jobMigrations: readonly string[] = [first]
