"""The ledger's tables and views, as an ordered list of migrations."""

MIGRATIONS = (
    """
CREATE TABLE calls (
  id INTEGER PRIMARY KEY,
  scope TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  base_url TEXT NOT NULL,
  route TEXT NOT NULL,
  inputs TEXT NOT NULL,
  sent_at REAL NOT NULL,
  done_at REAL,
  outcome TEXT,
  status INTEGER,
  request_id TEXT,
  message TEXT,
  billed INTEGER NOT NULL DEFAULT 0,
  price_usd REAL NOT NULL DEFAULT 0,
  cache_url TEXT,
  answer BLOB
);
CREATE INDEX calls_by_fingerprint ON calls (fingerprint, done_at);
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  scope TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('asr', 'relay')),
  call_id INTEGER REFERENCES calls (id),
  task_id TEXT,
  state TEXT NOT NULL CHECK (state IN ('sending', 'pending', 'done', 'refused', 'unknown', 'superseded')),
  pid INTEGER NOT NULL,
  submitted_at REAL NOT NULL,
  changed_at REAL NOT NULL
);
CREATE TABLE job_files (
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  item_index INTEGER NOT NULL,
  media TEXT NOT NULL,
  file_url TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
  reason TEXT,
  seconds REAL,
  shown TEXT,
  changed_at REAL NOT NULL,
  PRIMARY KEY (job_id, item_index, media)
);
CREATE INDEX job_files_by_media ON job_files (media);
CREATE TABLE transcripts (
  scope TEXT NOT NULL,
  media TEXT NOT NULL,
  kept_at REAL NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (scope, media)
);
CREATE VIEW spending AS
  SELECT date(sent_at, 'unixepoch') AS day, base_url, route, count(*) AS calls, sum(billed) AS billed,
         round(sum(billed * price_usd), 6) AS usd
  FROM calls GROUP BY day, base_url, route ORDER BY day DESC, usd DESC;
CREATE VIEW pending AS
  SELECT j.task_id, j.state, datetime(j.submitted_at, 'unixepoch') AS submitted, f.media, f.item_index
  FROM jobs j JOIN job_files f ON f.job_id = j.id
  WHERE j.state IN ('sending', 'pending', 'unknown') AND f.state = 'pending';
""",
    """
ALTER TABLE calls ADD COLUMN run_id TEXT;
ALTER TABLE calls ADD COLUMN pid INTEGER;
ALTER TABLE calls ADD COLUMN cache_until REAL;
ALTER TABLE calls ADD COLUMN repeats INTEGER REFERENCES calls (id);
CREATE INDEX calls_by_run ON calls (run_id);
CREATE INDEX calls_open ON calls (fingerprint) WHERE done_at IS NULL;
CREATE TABLE uploads (
  id INTEGER PRIMARY KEY,
  scope TEXT NOT NULL,
  media TEXT NOT NULL,
  provider TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('creating', 'open', 'done', 'refused', 'lost', 'failed')),
  pid INTEGER NOT NULL,
  file_name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  upload_id TEXT,
  session TEXT,
  public_url TEXT,
  created_at REAL NOT NULL,
  expires_at REAL
);
CREATE INDEX uploads_by_media ON uploads (scope, media);
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  command TEXT NOT NULL,
  argv TEXT NOT NULL,
  folder TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_at REAL NOT NULL,
  ended_at REAL,
  status TEXT,
  cost TEXT,
  document TEXT
);
CREATE TABLE run_steps (
  run_id TEXT NOT NULL REFERENCES runs (run_id),
  step TEXT NOT NULL,
  item TEXT NOT NULL,
  state TEXT NOT NULL,
  detail TEXT,
  changed_at REAL NOT NULL,
  PRIMARY KEY (run_id, step, item)
);
CREATE VIEW run_costs AS
  SELECT r.run_id, r.command, r.folder, datetime(r.started_at, 'unixepoch') AS started,
         datetime(r.ended_at, 'unixepoch') AS ended, r.status,
         count(c.id) AS calls, coalesce(sum(c.billed), 0) AS billed,
         (SELECT coalesce(sum(seconds), 0) FROM (
            SELECT max(f.seconds) AS seconds FROM calls s JOIN jobs j ON j.call_id = s.id
            JOIN job_files f ON f.job_id = j.id WHERE s.run_id = r.run_id GROUP BY f.job_id, f.item_index
          )) AS asr_seconds,
         round(coalesce(sum(c.billed * c.price_usd), 0), 6) AS usd
  FROM runs r LEFT JOIN calls c ON c.run_id = r.run_id GROUP BY r.run_id ORDER BY r.started_at DESC;
""",
    """
ALTER TABLE calls ADD COLUMN tokens_in INTEGER;
ALTER TABLE calls ADD COLUMN tokens_out INTEGER;
""",
)
