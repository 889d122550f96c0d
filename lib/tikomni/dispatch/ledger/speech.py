"""Speech jobs, the clips in them, and the words that they brought."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tikomni.dispatch.ledger.base import Part, Scope, lives

if TYPE_CHECKING:
    from tikomni.facts import Transcript


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


class SpeechJobs(Part):
    """The speech jobs and transcripts of one user."""

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
            being_sent=row["state"] == "sending" and row["pid"] != os.getpid() and lives(row["pid"]),
        )
