/**
 * The schema of data/grabber.db as a list of steps; user_version counts those that were done. Append only: a step that was
 * released is never edited. Data only, no code.
 */

const first = `
-- History and outbox. The columns that are searched stand before the body, so that a scan need not read it.
CREATE TABLE events (
  position  INTEGER PRIMARY KEY AUTOINCREMENT,
  id        BLOB NOT NULL UNIQUE,
  published INTEGER NOT NULL DEFAULT 0,
  camera    TEXT NOT NULL,
  type      TEXT NOT NULL,
  subject   TEXT NOT NULL,
  body      TEXT NOT NULL
) STRICT;
CREATE INDEX events_waiting ON events (position) WHERE published = 0;
CREATE INDEX events_by_camera ON events (camera, position);

-- Ids of events that were pruned from the history; with events.id they are what an event is de-duplicated by.
CREATE TABLE pruned_ids (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE subjects (
  subject        TEXT PRIMARY KEY,
  name           TEXT,
  enrolled_at_ms INTEGER NOT NULL,
  -- gallery_state.generation at the subject's last change: lets another connection read only what is new.
  generation     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subjects_by_generation ON subjects (generation);
CREATE TABLE embeddings (
  id      INTEGER PRIMARY KEY,
  subject TEXT NOT NULL REFERENCES subjects (subject) ON DELETE CASCADE,
  model   TEXT NOT NULL,
  vector  BLOB NOT NULL
) STRICT;
CREATE INDEX embeddings_by_subject ON embeddings (subject, model);
CREATE TABLE gallery_state (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL) STRICT;
INSERT INTO gallery_state VALUES (1, 0);

CREATE TABLE playbacks (
  camera     TEXT PRIMARY KEY,
  source     TEXT NOT NULL,
  number     INTEGER NOT NULL,
  checkpoint TEXT,
  clean_end  INTEGER NOT NULL
) STRICT, WITHOUT ROWID`

const second = `
-- People without a name are subjects as well, of kind 'unknown'; their ids begin with 'anon-'.
ALTER TABLE subjects ADD COLUMN kind TEXT NOT NULL DEFAULT 'known';
-- How often a subject was removed: a reader looks for the missing only when it has moved.
ALTER TABLE gallery_state ADD COLUMN removals INTEGER NOT NULL DEFAULT 0;
CREATE TABLE visits (
  subject       TEXT PRIMARY KEY REFERENCES subjects (subject) ON DELETE CASCADE,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms  INTEGER NOT NULL,
  -- Ended tracks.
  tracks        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX visits_by_last_seen ON visits (last_seen_ms, subject);

-- What ended tracks looked like, for calibration. Those of a removed subject go with it.
CREATE TABLE tracks (
  id       INTEGER PRIMARY KEY,
  camera   TEXT NOT NULL,
  track    TEXT NOT NULL,
  start_ms INTEGER NOT NULL,
  end_ms   INTEGER NOT NULL,
  subject  TEXT REFERENCES subjects (subject) ON DELETE CASCADE,
  model    TEXT NOT NULL,
  -- Embeddings one after the other, float32.
  vectors  BLOB NOT NULL,
  UNIQUE (camera, track)
) STRICT;
CREATE INDEX tracks_by_subject ON tracks (subject);

-- The history of a person without a name, for the day when they get one.
CREATE INDEX events_by_anonymous ON events (json_extract(body, '$.data.identity.anonymous'))
  WHERE json_extract(body, '$.data.identity.anonymous') IS NOT NULL`

const third = `
-- Keyframes are few among the events, and are listed by themselves.
CREATE INDEX events_of_keyframes ON events (position, camera) WHERE type = 'keyframe'`

export const storeMigrations: readonly string[] = [first, second, third]
