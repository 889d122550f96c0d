"""Calls: the intent before it is sent, the outcome when it is there, the answer for as long as it may be served."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tikomni import redact
from tikomni.dispatch.ledger.base import Part, Scope, lives

GONE_SECONDS = 3600
# How long the upstream keeps a served answer at its ``cache_url``, free to read.
CACHE_SECONDS = 86_400
# An intent this old has no outcome any more, whatever process has its number by now.
LOST_SECONDS = 3600
LOST = "lost"


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


@dataclass(frozen=True, slots=True)
class Spent:
    """What one route of one upstream cost on one day (UTC)."""

    day: str
    base_url: str
    route: str
    calls: int
    billed: int
    usd: float


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call, without its answer; times are unix seconds, ``bytes`` what the kept answer takes."""

    call_id: int
    route: str
    inputs: str
    sent_at: float
    outcome: str | None
    billed: bool
    usd: float
    run_id: str | None
    bytes: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What the ledger holds: rows, answers in them, and the bytes that these take."""

    rows: int
    answers: int
    bytes: int


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

    def lost(self, fingerprint: str) -> int | None:
        """Close the intents of this call whose process is gone without an outcome; returns the newest one's id."""
        rows = self._run(
            "SELECT id, pid, sent_at FROM calls WHERE fingerprint = ? AND done_at IS NULL ORDER BY id", (fingerprint,)
        ).fetchall()
        now = time.time()
        gone = [
            row["id"]
            for row in rows
            if row["pid"] is None or not lives(row["pid"]) or not -60 < now - row["sent_at"] < LOST_SECONDS
        ]
        for call_id in gone:
            self._run("UPDATE calls SET done_at = ?, outcome = ? WHERE id = ?", (now, LOST, call_id))
        return gone[-1] if gone else None

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
        url = body.get("cache_url") if isinstance(body, dict) else None
        url = url if isinstance(url, str) and url else None
        now = time.time()
        self._run(
            "UPDATE calls SET done_at = ?, outcome = ?, status = ?, request_id = ?, message = ?, billed = ?, "
            "price_usd = ?, cache_url = ?, cache_until = ?, answer = ? WHERE id = ?",
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
                call_id,
            ),
        )

    def refill(self, call_id: int, body: Any) -> None:
        """Put back an answer that was read again at its ``cache_url``; what it cost and when it came stays."""
        self._run("UPDATE calls SET answer = ? WHERE id = ?", (_packed(body), call_id))

    def judge(self, call_id: int, outcome: str) -> None:
        """Correct an outcome by what a reader found in the answer, so that an empty one is not served again."""
        self._run("UPDATE calls SET outcome = ? WHERE id = ?", (outcome, call_id))

    # --- for those who look after the ledger

    def spending(self, since: float = 0.0) -> tuple[Spent, ...]:
        """What was spent by day, upstream and route since ``since`` (unix seconds), newest day first."""
        rows = self._run(
            "SELECT date(sent_at, 'unixepoch') AS day, base_url, route, count(*) AS calls, sum(billed) AS billed, "
            "round(sum(billed * price_usd), 6) AS usd FROM calls WHERE sent_at >= ? "
            "GROUP BY day, base_url, route ORDER BY day DESC, usd DESC, route",
            (since,),
        )
        return tuple(Spent(*row) for row in rows)

    def kept(self) -> Kept:
        row = self._run("SELECT count(*), count(answer), coalesce(sum(length(answer)), 0) FROM calls").fetchone()
        return Kept(*row)

    def prune(self, before: float) -> Kept:
        """Drop the answers that came before ``before`` (unix seconds); the rows, and what they cost, stay.

        Returns:
            what was dropped (``rows`` equal to ``answers``).
        """
        with self._transaction() as db:
            where = "answer IS NOT NULL AND done_at < ?"
            count, size = db.execute(
                f"SELECT count(*), coalesce(sum(length(answer)), 0) FROM calls WHERE {where}", (before,)
            ).fetchone()
            db.execute(f"UPDATE calls SET answer = NULL WHERE {where}", (before,))
        return Kept(count, count, size)

    def naming(self, object_id: str) -> tuple[CallRow, ...]:
        """The calls whose inputs hold ``object_id``, a work's or a creator's, as a whole word; newest first."""
        import re

        rows = self._run(
            "SELECT *, coalesce(length(answer), 0) AS bytes FROM calls WHERE instr(inputs, ?) > 0 ORDER BY id DESC",
            (object_id,),
        )
        whole = re.compile(rf"(?<![\w-]){re.escape(object_id)}(?![\w-])")
        return tuple(
            CallRow(
                row["id"],
                row["route"],
                row["inputs"],
                row["sent_at"],
                row["outcome"],
                bool(row["billed"]),
                row["billed"] * row["price_usd"],
                row["run_id"],
                row["bytes"],
            )
            for row in rows
            if whole.search(row["inputs"])
        )

    def forget(self, call_ids: Sequence[int]) -> None:
        """Drop what these calls say of anybody: inputs, messages, answers and where they can be read again.

        What they cost, and when, stays.
        """
        with self._transaction() as db:
            db.executemany(
                "UPDATE calls SET inputs = '{}', fingerprint = '', message = NULL, answer = NULL, cache_url = NULL, "
                "cache_until = NULL WHERE id = ?",
                [(call_id,) for call_id in call_ids],
            )


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
