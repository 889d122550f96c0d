"""Uploads: a session is journaled before it is asked for, and its public link is used for as long as it lives."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tikomni.dispatch.ledger.base import Part, Scope, under_way


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload of ``media``. ``session`` is what the upstream gave for sending the file, good until ``expires_at``;
    ``public_url`` stands once it is complete, and is good until then.

    ``lost``: its creation was asked for by a process that died before the answer came.
    """

    id: int
    state: str
    content_type: str
    size_bytes: int
    upload_id: str | None
    session: Mapping[str, Any]
    public_url: str | None
    expires_at: float
    lost: bool = False


class Uploads(Part):
    """The uploads of one user."""

    def newest(self, scope: Scope, media: str, provider: str) -> Upload | None:
        """The last upload of ``media`` that may still be of use: being made, open, or done and alive."""
        row = self._run(
            "SELECT * FROM uploads WHERE scope = ? AND media = ? AND provider = ? "
            "AND (state = 'creating' OR (state IN ('open', 'done') AND expires_at > ?)) ORDER BY id DESC LIMIT 1",
            (scope.id, media, provider, time.time()),
        ).fetchone()
        return self._upload(row) if row else None

    def begin(
        self, scope: Scope, media: str, provider: str, file_name: str, content_type: str, size_bytes: int
    ) -> int | None:
        """Journal a session before it is asked for; returns its id, or ``None`` where another process is at it."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT * FROM uploads WHERE scope = ? AND media = ? AND provider = ? AND state = 'creating'",
                (scope.id, media, provider),
            ).fetchall()
            if any(row["pid"] != os.getpid() and under_way(row["pid"], row["created_at"]) for row in rows):
                return None
            cursor = db.execute(
                "INSERT INTO uploads (scope, media, provider, state, pid, file_name, content_type, size_bytes, "
                "created_at) VALUES (?, ?, ?, 'creating', ?, ?, ?, ?, ?)",
                (scope.id, media, provider, os.getpid(), file_name, content_type, size_bytes, time.time()),
            )
        return int(cursor.lastrowid or 0)

    def settle(
        self,
        row_id: int,
        state: str,
        *,
        upload_id: str | None = None,
        session: Mapping[str, Any] | None = None,
        public_url: str | None = None,
        expires_at: float | None = None,
    ) -> None:
        """``open`` (has a session), ``done`` (has a public link), ``refused``, ``lost`` or ``failed``."""
        self._run(
            "UPDATE uploads SET state = ?, upload_id = coalesce(?, upload_id), session = coalesce(?, session), "
            "public_url = coalesce(?, public_url), expires_at = coalesce(?, expires_at) WHERE id = ?",
            (state, upload_id, json.dumps(session) if session else None, public_url, expires_at, row_id),
        )

    def was_lost(self, scope: Scope, media: str, provider: str) -> bool:
        """Whether the creation of a session for ``media`` was lost before."""
        row = self._run(
            "SELECT 1 FROM uploads WHERE scope = ? AND media = ? AND provider = ? AND state = 'lost' LIMIT 1",
            (scope.id, media, provider),
        ).fetchone()
        return row is not None

    def _upload(self, row: sqlite3.Row) -> Upload:
        return Upload(
            row["id"],
            row["state"],
            row["content_type"],
            row["size_bytes"],
            row["upload_id"],
            json.loads(row["session"] or "{}"),
            row["public_url"],
            row["expires_at"] or 0.0,
            lost=row["state"] == "creating"
            and (row["pid"] == os.getpid() or not under_way(row["pid"], row["created_at"])),
        )
