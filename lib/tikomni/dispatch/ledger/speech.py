"""Speech jobs, the clips in them, and the words that they brought."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from tikomni.dispatch.ledger.base import Part, Scope, under_way

if TYPE_CHECKING:
    from tikomni.facts import Transcript

Source = Literal["asr", "relay"]


@dataclass(frozen=True, slots=True)
class JobFile:
    """One file of a speech job. ``media`` is whose words these will be (``platform:work id``): works may share one.

    ``shown`` is what the service last said of it, and ``changed_at`` since when (unix seconds).
    """

    item_index: int
    media: tuple[str, ...]
    file_url: str
    state: str
    reason: str | None = None
    shown: str | None = None
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """A speech job. ``task_id`` is ``None`` while nobody knows whether it was accepted.

    ``source``: whether the platform's address was sent, or an uploaded copy's. ``being_sent``: a process that lives
    is waiting for the answer to its submission.
    """

    id: int
    source: Source
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

    def begin_job(self, scope: Scope, source: Source, files: Sequence[tuple[Sequence[str], str]]) -> int | None:
        """Journal a speech job of ``(media, file_url)`` rows before it is sent; returns its id.

        ``None``: another process has begun one of this source for some of them since this one looked.
        """
        now = time.time()
        rows = [(index, media, url) for index, (several, url) in enumerate(files) for media in several]
        marks = ",".join("?" * len(rows))
        with self._transaction() as db:
            taken = db.execute(
                "SELECT 1 FROM jobs j JOIN job_files f ON f.job_id = j.id WHERE j.scope = ? AND j.source = ? "
                f"AND f.state = 'pending' AND j.state IN ('sending', 'pending', 'unknown') AND f.media IN ({marks}) "
                "LIMIT 1",
                (scope.id, source, *(media for _, media, _ in rows)),
            ).fetchone()
            if taken is not None:
                return None
            cursor = db.execute(
                "INSERT INTO jobs (scope, source, state, pid, submitted_at, changed_at) "
                "VALUES (?, ?, 'sending', ?, ?, ?)",
                (scope.id, source, os.getpid(), now, now),
            )
            job_id = int(cursor.lastrowid or 0)
            db.executemany(
                "INSERT INTO job_files (job_id, item_index, media, file_url, state, changed_at) "
                "VALUES (?, ?, ?, ?, 'pending', ?)",
                [(job_id, *row, now) for row in rows],
            )
        return job_id

    def share(self, scope: Scope, media: str, other: str) -> None:
        """``other`` has the same clip as ``media``: what is under way for one is under way for both."""
        self._run(
            "INSERT OR IGNORE INTO job_files (job_id, item_index, media, file_url, state, shown, changed_at) "
            "SELECT f.job_id, f.item_index, ?, f.file_url, f.state, f.shown, f.changed_at FROM job_files f "
            "JOIN jobs j ON j.id = f.job_id WHERE j.scope = ? AND f.media = ? AND f.state = 'pending'",
            (other, scope.id, media),
        )

    def settle_job(self, job_id: int, state: str, task_id: str | None = None, call_id: int | None = None) -> None:
        """``pending`` once accepted (with its task id), ``refused``, ``unknown`` (maybe accepted) or ``done``."""
        self._run(
            "UPDATE jobs SET state = ?, task_id = coalesce(?, task_id), call_id = coalesce(?, call_id), changed_at = ? "
            "WHERE id = ?",
            (state, task_id, call_id, time.time(), job_id),
        )

    def settle_words(self, scope: Scope, job_id: int, item_index: int, transcript: Transcript) -> bool:
        """Keep the words of one file for all whose clip it is, and close it; whether it was open until now."""
        document = json.dumps(transcript.as_dict(), ensure_ascii=False)
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO transcripts SELECT ?, media, ?, ? FROM job_files "
                "WHERE job_id = ? AND item_index = ?",
                (scope.id, time.time(), document, job_id, item_index),
            )
            return self.settle_file(job_id, item_index, "done", None, transcript.cost_seconds)

    def settle_file(self, job_id: int, item_index: int, state: str, reason: str | None, seconds: float | None) -> bool:
        """Close one file of a job; whether it was open until now. Its seconds stand once, however many share it."""
        cursor = self._run(
            "UPDATE job_files SET state = ?, reason = ?, changed_at = ?, seconds = CASE WHEN media = (SELECT "
            "min(media) FROM job_files WHERE job_id = ? AND item_index = ?) THEN ? END "
            "WHERE job_id = ? AND item_index = ? AND state = 'pending'",
            (state, reason, time.time(), job_id, item_index, seconds, job_id, item_index),
        )
        return cursor.rowcount > 0

    def note_change(self, job_id: int, item_index: int, shown: str) -> float:
        """Remember what the service says of an item; since when it says so (unix seconds)."""
        self._run(
            "UPDATE job_files SET shown = ?, changed_at = CASE WHEN shown IS NULL THEN changed_at ELSE ? END "
            "WHERE job_id = ? AND item_index = ? AND shown IS NOT ?",
            (shown, time.time(), job_id, item_index, shown),
        )
        row = self._run(
            "SELECT max(changed_at) AS at FROM job_files WHERE job_id = ? AND item_index = ?", (job_id, item_index)
        ).fetchone()
        return float(row["at"])

    def open_jobs(self, scope: Scope, media: Iterable[str]) -> tuple[Job, ...]:
        """Jobs that may still bring words for one of ``media``, or that nobody knows the fate of, newest last."""
        names = list(media)
        rows = self._run(
            "SELECT * FROM jobs WHERE scope = ? AND state IN ('sending', 'pending', 'unknown') AND id IN "
            f"(SELECT job_id FROM job_files WHERE state = 'pending' AND media IN ({','.join('?' * len(names))})) "
            "ORDER BY id",
            (scope.id, *names),
        ).fetchall()
        return tuple(self._job(row) for row in rows)

    def failure_of(self, scope: Scope, source: Source, media: str, max_age: float) -> str | None:
        """Why the newest job for ``media`` brought no words, if that was within ``max_age`` seconds."""
        row = self._run(
            "SELECT f.state, f.reason, j.submitted_at FROM job_files f JOIN jobs j ON j.id = f.job_id "
            "WHERE j.scope = ? AND j.source = ? AND f.media = ? AND j.state IN ('done', 'pending') "
            "AND f.state != 'pending' ORDER BY j.id DESC LIMIT 1",
            (scope.id, source, media),
        ).fetchone()
        lately = row is not None and row["state"] == "failed" and row["submitted_at"] >= time.time() - max_age
        return row["reason"] if lately else None

    def was_repeated(self, scope: Scope, source: Source, media: Iterable[str]) -> bool:
        """Whether a job for one of ``media`` was lost and sent again before."""
        names = list(media)
        marks = ",".join("?" * len(names))
        row = self._run(
            "SELECT 1 FROM jobs j JOIN job_files f ON f.job_id = j.id "
            f"WHERE j.scope = ? AND j.source = ? AND j.state = 'superseded' AND f.media IN ({marks}) LIMIT 1",
            (scope.id, source, *names),
        ).fetchone()
        return row is not None

    def job_of_task(self, scope: Scope, task_id: str) -> Job | None:
        row = self._run("SELECT * FROM jobs WHERE scope = ? AND task_id = ?", (scope.id, task_id)).fetchone()
        return self._job(row) if row else None

    def _job(self, row: sqlite3.Row) -> Job:
        rows = self._run("SELECT * FROM job_files WHERE job_id = ? ORDER BY item_index, media", (row["id"],))
        files = []
        for index, group in groupby(rows, key=lambda r: r["item_index"]):
            first, *others = group
            told = (first[name] for name in ("file_url", "state", "reason", "shown", "changed_at"))
            files.append(JobFile(index, tuple(r["media"] for r in (first, *others)), *told))
        return Job(
            row["id"],
            row["source"],
            row["task_id"],
            tuple(files),
            being_sent=row["state"] == "sending"
            and row["pid"] != os.getpid()
            and under_way(row["pid"], row["submitted_at"]),
        )
