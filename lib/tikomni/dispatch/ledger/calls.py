"""Calls: the intent before it is sent, the outcome when it is there, the answer for as long as it may be served."""

from __future__ import annotations

import json
import os
import time
import zlib
from dataclasses import dataclass
from typing import Any

from tikomni import redact
from tikomni.dispatch.ledger.base import Part, Scope, under_way

GONE_SECONDS = 3600
# How long the upstream keeps a served answer at its ``cache_url``, free to read.
CACHE_SECONDS = 86_400
LOST = "lost"
# A call whose answer was not waited for, as outcomes.py names it.
UNHEARD = "timeout_after_send"
# A submission that left, and of which nobody knows whether it was accepted.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer: its row, outcome, parsed body and when it arrived (unix seconds).

    ``body`` is ``None`` where it was pruned or is damaged; ``cache_url`` is where it can be read again then, for free.
    """

    call_id: int
    outcome: str
    status: int | None
    body: Any
    request_id: str | None
    done_at: float
    cache_url: str | None = None


class Calls(Part):
    """The calls of one user."""

    def stored(self, fingerprint: str, max_age: float) -> Stored | None:
        """The newest answer that may be served again: ``ok`` within ``max_age`` seconds, ``gone`` within the hour.

        One from the future was written before the clock was set back: it is as old as it is ahead.
        """
        now = time.time()
        rows = self._run(
            "SELECT * FROM calls WHERE fingerprint = ? AND done_at <= ? AND "
            "((outcome = 'ok' AND done_at >= ?) OR (outcome = 'gone' AND done_at >= ?)) "
            "AND (answer IS NOT NULL OR cache_until > ?) ORDER BY done_at DESC",
            (fingerprint, now + max(60, max_age), now - max_age, now - min(max_age, GONE_SECONDS), now),
        )
        for row in rows:
            body = _unpacked(row["answer"])
            at_upstream = row["cache_url"] if body is None and (row["cache_until"] or 0.0) > now else None
            if body is not None or at_upstream:
                return Stored(
                    row["id"], row["outcome"], row["status"], body, row["request_id"], row["done_at"], at_upstream
                )
        return None

    def outcome(self, fingerprint: str, max_age: float) -> str | None:
        """How this call ended when it was answered last, at most ``max_age`` seconds ago."""
        row = self._run(
            "SELECT outcome FROM calls WHERE fingerprint = ? AND done_at >= ? ORDER BY id DESC LIMIT 1",
            (fingerprint, time.time() - max_age),
        ).fetchone()
        return None if row is None else row["outcome"]

    def lost(self, fingerprint: str) -> int | None:
        """The newest row of this call, where it may have been charged and brought no answer.

        That is an intent whose process is gone, which is closed here, or a wait for the answer that took too long.
        """
        rows = self._run(
            "SELECT id, pid, sent_at FROM calls WHERE fingerprint = ? AND done_at IS NULL ORDER BY id", (fingerprint,)
        ).fetchall()
        now = time.time()
        gone = [row["id"] for row in rows if not under_way(row["pid"], row["sent_at"])]
        for call_id in gone:
            self._run("UPDATE calls SET done_at = ?, outcome = ? WHERE id = ?", (now, LOST, call_id))
        if gone:
            return gone[-1]
        last = self._run(
            "SELECT id, outcome FROM calls WHERE fingerprint = ? AND done_at IS NOT NULL ORDER BY id DESC LIMIT 1",
            (fingerprint,),
        ).fetchone()
        return last["id"] if last is not None and last["outcome"] == UNHEARD else None

    def begin(
        self,
        scope: Scope,
        fingerprint: str,
        route: str,
        inputs: str,
        *,
        run_id: str | None = None,
        repeats: int | None = None,
    ) -> int:
        """Journal the intent to call; returns the row's id. ``repeats``: the row of the same call that was lost."""
        cursor = self._run(
            "INSERT INTO calls (scope, fingerprint, base_url, route, inputs, sent_at, run_id, pid, repeats) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (scope.id, fingerprint, scope.base_url, route, inputs, time.time(), run_id, os.getpid(), repeats),
        )
        return int(cursor.lastrowid or 0)

    def begin_alone(
        self, scope: Scope, fingerprint: str, route: str, inputs: str, since: float, **more: Any
    ) -> int | None:
        """``begin``; ``None`` where a living process waits for an answer to the same call, or one came ``since`` the
        caller looked (unix seconds)."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT pid, sent_at, done_at FROM calls WHERE fingerprint = ? "
                "AND (done_at IS NULL OR (outcome = 'ok' AND done_at >= ?))",
                (fingerprint, since),
            )
            if any(row["done_at"] or under_way(row["pid"], row["sent_at"]) for row in rows):
                return None
            return self.begin(scope, fingerprint, route, inputs, **more)

    def in_doubt(self, fingerprint: str) -> tuple[int, ...]:
        """The rows since this call's latest answer that may have been accepted and charged, and brought none."""
        self.lost(fingerprint)
        rows = self._run(
            "SELECT id FROM calls WHERE fingerprint = ? AND outcome IN (?, ?) AND id > "
            "(SELECT coalesce(max(id), 0) FROM calls WHERE fingerprint = ? AND outcome = 'ok') ORDER BY id",
            (fingerprint, LOST, UNKNOWN, fingerprint),
        )
        return tuple(row["id"] for row in rows)

    def answered(self, scope: Scope, route: str) -> tuple[dict[str, Any], ...]:
        """The inputs of the latest calls of ``route`` that brought an answer, newest first, fifty at most."""
        rows = self._run(
            "SELECT inputs FROM calls WHERE scope = ? AND route = ? AND outcome = 'ok' ORDER BY id DESC LIMIT 50",
            (scope.id, route),
        )
        return tuple(json.loads(row["inputs"]) for row in rows)

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
        tokens: tuple[int | None, int | None] = (None, None),
    ) -> float:
        """Write what came back, with ``body``, the parsed answer; returns when that was (unix seconds).

        ``tokens``: what a model read and wrote, as its server counts.
        """
        answer = None if body is None else _packed(body)
        url = body.get("cache_url") if isinstance(body, dict) else None
        url = url if isinstance(url, str) and url else None
        now = time.time()
        self._run(
            "UPDATE calls SET done_at = ?, outcome = ?, status = ?, request_id = ?, message = ?, billed = ?, "
            "price_usd = ?, cache_url = ?, cache_until = ?, answer = ?, tokens_in = ?, tokens_out = ? WHERE id = ?",
            (
                now,
                outcome,
                status,
                request_id,
                message[:300],
                int(billed),
                price_usd,
                url,
                now + CACHE_SECONDS if url else None,
                answer,
                *tokens,
                call_id,
            ),
        )
        return now

    def refill(self, call_id: int, body: Any) -> None:
        """Put back an answer that was read again at its ``cache_url``; what it cost and when it came stays."""
        self._run("UPDATE calls SET answer = ? WHERE id = ?", (_packed(body), call_id))

    def judge(self, call_id: int, outcome: str) -> None:
        """Correct an outcome by what a reader found in the answer, so that an empty one is not served again."""
        self._run("UPDATE calls SET outcome = ? WHERE id = ?", (outcome, call_id))


def _packed(body: Any) -> bytes:
    """``body`` as it is kept: compressed, and without what this process knows to be secret."""
    text = redact.secrets_in(json.dumps(body, ensure_ascii=False))
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def _unpacked(answer: bytes | None) -> Any:
    """The body that was kept, ``None`` where it was pruned or is damaged."""
    if answer is None:
        return None
    try:
        return json.loads(zlib.decompress(answer))
    except (zlib.error, ValueError):
        return None
