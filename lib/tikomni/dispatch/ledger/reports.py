"""What the ledger tells those who look after it: what was spent, what takes up room, whom rows speak of.

Nothing here is used while a run goes on. What was paid, and when, outlives everything that is removed.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from tikomni.dispatch.ledger.base import Part
from tikomni.storage.sqlite import compact

# Ids of fewer characters are words, years or counts just as well.
SHORTEST_ID = 6


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls of one route in one run on one day (of the zone that was asked for), at one upstream.

    ``unpriced``: billed calls whose price nobody here knows. ``asr_seconds`` and the tokens that a model read and wrote
    were billed with these calls.
    """

    day: str
    base_url: str
    route: str
    run_id: str | None
    calls: int
    billed: int
    repeated: int
    usd: float
    unpriced: int
    asr_seconds: float
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """The kept answers of one route; ``old`` are those from before the time that was asked about."""

    route: str
    rows: int
    answers: int
    bytes: int
    old_answers: int
    old_bytes: int


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where runs were started, and a document that one of them left."""

    folder: str
    document: str | None


class Mentions:
    """Whether a text names one of ``ids``: whole, not as a part of a longer word."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = frozenset(i for i in ids if len(i) >= SHORTEST_ID)
        # A look at the text's words first: there may be hundreds of ids and thousands of texts.
        self._by_word: dict[str, list[re.Pattern[str]]] = {}
        for name in self.ids:
            word = max(_WORD.findall(name), key=len, default=name)
            whole = re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")
            self._by_word.setdefault(word, []).append(whole)

    def __call__(self, text: str | None) -> bool:
        if not text:
            return False
        words = self._by_word.keys() & set(_WORD.findall(text))
        return any(whole.search(text) for word in words for whole in self._by_word[word])


_WORD = re.compile(r"[A-Za-z0-9]+")

# Tables that speak of somebody: which rows do, and what is left of them. A run's words may be a pasted text that holds
# no id: what its calls answered tells. Runs come first, while that can still be seen.
_CALLS = "named(inputs) OR named(message) OR named(cache_url) OR answered(answer)"
_PERSONAL: Mapping[str, tuple[str, str]] = {
    "run_steps": ("named(item) OR named(detail)", "DELETE FROM run_steps"),
    "runs": (
        f"named(argv) OR named(document) OR (argv != '[]' AND run_id IN (SELECT run_id FROM calls WHERE {_CALLS}))",
        "UPDATE runs SET argv = '[]', document = NULL",
    ),
    "calls": (
        _CALLS,
        "UPDATE calls SET inputs = '{}', fingerprint = '', message = NULL, answer = NULL, cache_url = NULL, "
        "cache_until = NULL",
    ),
    "transcripts": ("named(media)", "DELETE FROM transcripts"),
    "job_files": (
        "named(media) OR named(file_url)",
        "UPDATE OR REPLACE job_files SET media = '', file_url = '', reason = NULL, shown = NULL",
    ),
    "uploads": (
        "named(media) OR named(file_name) OR named(session) OR named(public_url)",
        "UPDATE uploads SET media = '', file_name = '', upload_id = NULL, session = NULL, public_url = NULL",
    ),
}


class Reports(Part):
    """The ledger of one user, read as a whole."""

    def spent(self, since: float, zone: tzinfo) -> tuple[Spent, ...]:
        """What was asked since ``since`` (unix seconds), newest day first. A refused job's speech costs nothing."""
        self._db.create_function("day_of", 1, lambda at: f"{datetime.fromtimestamp(at, zone):%Y-%m-%d}")
        rows = self._run(
            "SELECT day_of(c.sent_at) AS day, c.base_url, c.route, c.run_id, count(*), sum(c.billed), "
            "sum(c.repeats IS NOT NULL), round(sum(c.billed * c.price_usd), 6), sum(c.billed AND c.price_usd = 0), "
            "coalesce(sum(s.seconds), 0), coalesce(sum(c.tokens_in), 0), coalesce(sum(c.tokens_out), 0) "
            "FROM calls c LEFT JOIN ("
            "  SELECT call_id, sum(seconds) AS seconds FROM ("
            "    SELECT j.call_id, max(f.seconds) AS seconds FROM jobs j JOIN job_files f ON f.job_id = j.id "
            "    WHERE j.call_id IS NOT NULL GROUP BY f.job_id, f.item_index) GROUP BY call_id"
            ") s ON s.call_id = c.id WHERE c.sent_at >= ? "
            "GROUP BY day, c.base_url, c.route, c.run_id ORDER BY day DESC, c.base_url, c.route, c.run_id",
            (since,),
        )
        return tuple(Spent(*row) for row in rows)

    def shelves(self, before: float) -> tuple[Shelf, ...]:
        """The kept answers by route, and how many of them came before ``before`` (unix seconds)."""
        rows = self._run(
            "SELECT route, count(*), count(answer), coalesce(sum(length(answer)), 0), "
            "coalesce(sum(answer IS NOT NULL AND done_at < ?), 0), "
            "coalesce(sum(CASE WHEN done_at < ? THEN length(answer) END), 0) FROM calls GROUP BY route ORDER BY route",
            (before, before),
        )
        return tuple(Shelf(*row) for row in rows)

    def prune(self, before: float, routes: Collection[str]) -> None:
        """Drop the answers of ``routes`` that came before ``before``; the rows and what they cost stay."""
        with self._transaction() as db:
            db.execute(
                "UPDATE calls SET answer = NULL WHERE answer IS NOT NULL AND done_at < ? "
                "AND route IN (SELECT value FROM json_each(?))",
                (before, json.dumps(list(routes))),
            )

    def run_ids(self, start: str) -> tuple[str, ...]:
        """The runs whose id starts so, newest first."""
        rows = self._run(
            "SELECT run_id FROM runs WHERE substr(run_id, 1, ?) = ? ORDER BY started_at DESC", (len(start), start)
        )
        return tuple(row["run_id"] for row in rows)

    def run_places(self) -> tuple[RunPlace, ...]:
        """Where runs were started and what they left there."""
        return tuple(RunPlace(*row) for row in self._run("SELECT DISTINCT folder, document FROM runs ORDER BY folder"))

    def answers_to(self, text: str) -> tuple[str, ...]:
        """The kept answers to calls whose inputs hold ``text``, as JSON texts."""
        rows = self._run("SELECT answer FROM calls WHERE instr(inputs, ?) > 0 AND answer IS NOT NULL", (text,))
        return tuple(_text(row["answer"]) for row in rows)

    def speaking_of(self, mentions: Mentions) -> dict[str, int]:
        """How many rows of each table name one of the ids, in what was asked or in what was answered."""
        self._teach(mentions)
        counts = {
            table: self._run(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
            for table, (where, _) in _PERSONAL.items()
        }
        return {table: count for table, count in counts.items() if count}

    def forget(self, mentions: Mentions) -> None:
        """Remove what these rows say of anybody. Route, time, price and speech seconds stay."""
        self._teach(mentions)
        with self._transaction() as db:
            for where, change in _PERSONAL.values():
                db.execute(f"{change} WHERE {where}")

    def compact(self) -> bool:
        """Give the room of what was removed back to the disk, so that nothing of it can be read there."""
        return compact(self._db)

    def _teach(self, mentions: Mentions) -> None:
        self._db.create_function("named", 1, mentions, deterministic=True)
        self._db.create_function("answered", 1, lambda answer: mentions(_text(answer)), deterministic=True)


def _text(answer: bytes | None) -> str:
    """A kept answer as text; one that is damaged says nothing any more."""
    try:
        return "" if answer is None else zlib.decompress(answer).decode("utf-8", "replace")
    except zlib.error:
        return ""
