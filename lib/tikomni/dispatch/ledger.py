"""What was asked, what came back and what it cost: SQLite in the state folder, written before and after each call.

Rows belong to a scope (base URL and account), so that a sandbox, a mirror or another account never answers for one
another, while every working directory finds what any other has paid for. Nothing here sends anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tikomni import redact
from tikomni.storage.sqlite import connect, failure, transaction

if TYPE_CHECKING:
    from tikomni.facts import Transcript

GONE_SECONDS = 3600

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
  PRIMARY KEY (job_id, item_index)
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
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Who pays whom: the upstream's address and a digest of the key, never the key."""

    base_url: str
    account: str

    @classmethod
    def of(cls, base_url: str, key: str) -> Scope:
        return cls(base_url.rstrip("/"), hashlib.sha256(key.encode()).hexdigest()[:16])

    @property
    def id(self) -> str:
        return f"{self.base_url} {self.account}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer: its row, outcome, parsed body and when it arrived (unix seconds)."""

    call_id: int
    outcome: str
    status: int | None
    body: Any
    request_id: str | None
    done_at: float


@dataclass(frozen=True, slots=True)
class JobFile:
    """One clip of a speech job. ``media`` is whose words these will be (``platform:work id``)."""

    item_index: int
    media: str
    file_url: str
    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A speech job. ``task_id`` is ``None`` while nobody knows whether it was accepted.

    ``being_sent``: a process that lives is waiting for the answer to its submission.
    """

    id: int
    task_id: str | None
    files: tuple[JobFile, ...]
    being_sent: bool = False


class Ledger:
    """The calls and speech jobs of one user."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = connect(path, MIGRATIONS)

    def close(self) -> None:
        self._db.close()

    # --- calls

    def stored(self, fingerprint: str, max_age: float) -> Stored | None:
        """The newest answer that may be served again: ``ok`` within ``max_age`` seconds, ``gone`` within the hour."""
        now = time.time()
        row = self._run(
            "SELECT * FROM calls WHERE fingerprint = ? AND done_at <= ? AND "
            "((outcome = 'ok' AND done_at >= ?) OR (outcome = 'gone' AND done_at >= ?)) AND answer IS NOT NULL "
            "ORDER BY done_at DESC LIMIT 1",
            (fingerprint, now + 60, now - max_age, now - min(max_age, GONE_SECONDS)),
        ).fetchone()
        if row is None:
            return None
        try:
            body = json.loads(zlib.decompress(row["answer"]))
        except (zlib.error, ValueError):
            return None  # a damaged body is asked for again
        return Stored(row["id"], row["outcome"], row["status"], body, row["request_id"], row["done_at"])

    def begin(self, scope: Scope, fingerprint: str, route: str, inputs: str) -> int:
        """Journal the intent to call; returns the row's id."""
        cursor = self._run(
            "INSERT INTO calls (scope, fingerprint, base_url, route, inputs, sent_at) VALUES (?, ?, ?, ?, ?, ?)",
            (scope.id, fingerprint, scope.base_url, route, inputs, time.time()),
        )
        return int(cursor.lastrowid or 0)

    def finish(
        self,
        call_id: int,
        *,
        outcome: str,
        status: int | None = None,
        request_id: str | None = None,
        message: str = "",
        billed: bool = False,
        price_usd: float = 0.0,
        body: Any = None,
    ) -> None:
        """Write what came back. ``body`` is the parsed answer, kept compressed."""
        answer = None if body is None else _packed(body)
        cache_url = body.get("cache_url") if isinstance(body, dict) else None
        self._run(
            "UPDATE calls SET done_at = ?, outcome = ?, status = ?, request_id = ?, message = ?, billed = ?, "
            "price_usd = ?, cache_url = ?, answer = ? WHERE id = ?",
            (
                time.time(),
                outcome,
                status,
                request_id,
                message[:300],
                int(billed),
                price_usd,
                cache_url if isinstance(cache_url, str) else None,
                answer,
                call_id,
            ),
        )

    def judge(self, call_id: int, outcome: str) -> None:
        """Correct an outcome by what a reader found in the answer, so that an empty one is not served again."""
        self._run("UPDATE calls SET outcome = ? WHERE id = ?", (outcome, call_id))

    # --- the words of a video

    def words(self, scope: Scope, media: str) -> Transcript | None:
        """The transcript that was kept for ``media``: words do not change, so it has no shelf life."""
        from tikomni.facts import Transcript

        row = self._run("SELECT document FROM transcripts WHERE scope = ? AND media = ?", (scope.id, media)).fetchone()
        return Transcript.from_dict(json.loads(row["document"])) if row else None

    def keep_words(self, scope: Scope, media: str, transcript: Transcript) -> None:
        self._run(
            "INSERT OR REPLACE INTO transcripts VALUES (?, ?, ?, ?)",
            (scope.id, media, time.time(), json.dumps(transcript.as_dict(), ensure_ascii=False)),
        )

    def begin_job(self, scope: Scope, files: Sequence[tuple[str, str]]) -> int | None:
        """Journal a speech job of ``(media, file_url)`` pairs before it is sent; returns its id.

        ``None``: another process has begun one for some of them since this one looked.
        """
        now = time.time()
        marks = ",".join("?" * len(files))
        with self._transaction() as db:
            taken = db.execute(
                "SELECT 1 FROM jobs j JOIN job_files f ON f.job_id = j.id WHERE j.scope = ? AND f.state = 'pending' "
                f"AND j.state IN ('sending', 'pending', 'unknown') AND f.media IN ({marks}) LIMIT 1",
                (scope.id, *(media for media, _ in files)),
            ).fetchone()
            if taken is not None:
                return None
            cursor = db.execute(
                "INSERT INTO jobs (scope, state, pid, submitted_at, changed_at) VALUES (?, 'sending', ?, ?, ?)",
                (scope.id, os.getpid(), now, now),
            )
            job_id = int(cursor.lastrowid or 0)
            db.executemany(
                "INSERT INTO job_files (job_id, item_index, media, file_url, state) VALUES (?, ?, ?, ?, 'pending')",
                [(job_id, index, media, url) for index, (media, url) in enumerate(files)],
            )
        return job_id

    def settle_job(self, job_id: int, state: str, task_id: str | None = None, call_id: int | None = None) -> None:
        """``pending`` once accepted (with its task id), ``refused``, ``unknown`` (maybe accepted) or ``done``."""
        self._run(
            "UPDATE jobs SET state = ?, task_id = coalesce(?, task_id), call_id = coalesce(?, call_id), changed_at = ? "
            "WHERE id = ?",
            (state, task_id, call_id, time.time(), job_id),
        )

    def settle_file(self, job_id: int, item_index: int, state: str, reason: str | None, seconds: float | None) -> bool:
        """Close one clip of a job; whether it was open until now."""
        cursor = self._run(
            "UPDATE job_files SET state = ?, reason = ?, seconds = ? WHERE job_id = ? AND item_index = ? "
            "AND state = 'pending'",
            (state, reason, seconds, job_id, item_index),
        )
        return cursor.rowcount > 0

    def open_jobs(self, scope: Scope, media: Iterable[str]) -> tuple[Job, ...]:
        """Jobs that may still bring words for one of ``media``, or that nobody knows the fate of, newest last."""
        wanted = set(media)
        rows = self._run(
            "SELECT * FROM jobs WHERE scope = ? AND state IN ('sending', 'pending', 'unknown') ORDER BY id", (scope.id,)
        ).fetchall()
        jobs = [self._job(row) for row in rows]
        return tuple(j for j in jobs if any(f.media in wanted and f.state == "pending" for f in j.files))

    def failure_of(self, scope: Scope, media: str, max_age: float) -> str | None:
        """Why the newest job for ``media`` brought no words, if that was within ``max_age`` seconds."""
        row = self._run(
            "SELECT f.state, f.reason, j.submitted_at FROM job_files f JOIN jobs j ON j.id = f.job_id "
            "WHERE j.scope = ? AND f.media = ? AND j.state = 'done' ORDER BY j.id DESC LIMIT 1",
            (scope.id, media),
        ).fetchone()
        lately = row is not None and row["state"] == "failed" and row["submitted_at"] >= time.time() - max_age
        return row["reason"] if lately else None

    def was_repeated(self, scope: Scope, media: Iterable[str]) -> bool:
        """Whether a job for one of ``media`` was lost and sent again before."""
        names = list(media)
        marks = ",".join("?" * len(names))
        row = self._run(
            "SELECT 1 FROM jobs j JOIN job_files f ON f.job_id = j.id "
            f"WHERE j.scope = ? AND j.state = 'superseded' AND f.media IN ({marks}) LIMIT 1",
            (scope.id, *names),
        ).fetchone()
        return row is not None

    def job_of_task(self, scope: Scope, task_id: str) -> Job | None:
        row = self._run("SELECT * FROM jobs WHERE scope = ? AND task_id = ?", (scope.id, task_id)).fetchone()
        return self._job(row) if row else None

    def _job(self, row: sqlite3.Row) -> Job:
        files = self._run("SELECT * FROM job_files WHERE job_id = ? ORDER BY item_index", (row["id"],)).fetchall()
        return Job(
            row["id"],
            row["task_id"],
            tuple(JobFile(f["item_index"], f["media"], f["file_url"], f["state"], f["reason"]) for f in files),
            being_sent=row["state"] == "sending" and row["pid"] != os.getpid() and _lives(row["pid"]),
        )

    # --- plumbing

    def _run(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, parameters)
        except sqlite3.Error as error:
            raise failure(error, self.path) from None

    def _transaction(self) -> Any:
        return transaction(self._db)


def fingerprint(scope: Scope, route: str, inputs: Any) -> str:
    """One name for "this call": equal for equal inputs in any order, different for any other upstream or account."""
    canonical = json.dumps([scope.id, route, inputs], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _packed(body: Any) -> bytes:
    """``body`` as it is kept: compressed, and without what this process knows to be secret."""
    text = redact.secrets_in(json.dumps(body, ensure_ascii=False))
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def _lives(pid: int) -> bool:
    """Whether a process of this machine is alive; where that cannot be told, it is taken to be."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
