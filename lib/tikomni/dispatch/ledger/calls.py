"""Calls: the intent before it is sent, the outcome when it is there, the answer for as long as it may be served."""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import dataclass
from typing import Any

from tikomni import redact
from tikomni.dispatch.ledger.base import Part, Scope

GONE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer: its row, outcome, parsed body and when it arrived (unix seconds)."""

    call_id: int
    outcome: str
    status: int | None
    body: Any
    request_id: str | None
    done_at: float


class Calls(Part):
    """The calls of one user."""

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


def _packed(body: Any) -> bytes:
    """``body`` as it is kept: compressed, and without what this process knows to be secret."""
    text = redact.secrets_in(json.dumps(body, ensure_ascii=False))
    return zlib.compress(text.encode("utf-8", "surrogatepass"))
