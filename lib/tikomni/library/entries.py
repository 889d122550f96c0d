"""What the library is searched by: one plain row for each work and each comment, with its words folded.

Chinese has no spaces and its words may be two characters long, which the tokenizers of full-text indexes do not find;
a plain text that is looked through finds them all. Stores and searches nothing itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from unicodedata import normalize

Entry = tuple[Any, ...]

COUNTS = ("digg_count", "comment_count", "collect_count", "share_count", "play_count")

INSERT = f"INSERT OR REPLACE INTO entries VALUES ({', '.join('?' * 15)})"

# ``likes`` … ``plays``: the counts by which hits are sorted. ``author``: folded handle and name. The words come last:
# a row that is judged by its counts is read without them.
_TABLE = """
CREATE TABLE entries (
  origin TEXT NOT NULL,
  platform TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  work_id TEXT,
  author_id TEXT,
  media_kind TEXT,
  published REAL,
  likes INTEGER,
  comments INTEGER,
  collects INTEGER,
  shares INTEGER,
  plays INTEGER,
  author TEXT NOT NULL,
  words TEXT NOT NULL,
  PRIMARY KEY (origin, platform, kind, object_id)
)"""
# What is removed is not found any more, whoever removes it.
_REMOVED = """
CREATE TRIGGER {kind}_entry_removed AFTER DELETE ON {table} BEGIN
  DELETE FROM entries
  WHERE origin = old.origin AND platform = old.platform AND kind = '{kind}' AND object_id = old.{id};
END"""


def fold(text: str) -> str:
    """``text`` as it is compared: without case and width (NFKC), each run of white space one blank."""
    return " ".join(normalize("NFKC", text).casefold().split())


def of_work(origin: str, document: Mapping[str, Any]) -> Entry:
    """The row of a work's document."""
    transcript = document.get("transcript") or {}
    words = (document.get("title"), document.get("caption_raw"), *(document.get("topics") or ()))
    return (
        *(origin, document["platform"], "work", document["platform_work_id"], document["platform_work_id"]),
        *(document.get("platform_author_id"), document.get("media_kind"), _seconds(document.get("published_at"))),
        *(document.get(name) for name in COUNTS),
        _lines((document.get("author_handle"), document.get("author_name"))),
        _lines((*words, transcript.get("clean") or transcript.get("raw"))),
    )


def of_comment(origin: str, document: Mapping[str, Any]) -> Entry:
    """The row of a comment's document; whose it is, is not searched for."""
    return (
        *(origin, document["platform"], "comment", document["comment_id"], document.get("platform_work_id")),
        *(None, None, _seconds(document.get("published_at"))),
        *(document.get("like_count"), document.get("reply_count"), None, None, None),
        "",
        _lines((document.get("text"),)),
    )


def migrate(db: sqlite3.Connection) -> None:
    """Make the table and fill it from what an older library holds."""
    db.execute(_TABLE)
    for table, kind, key, made in (
        ("works", "work", "platform_work_id", of_work),
        ("comments", "comment", "comment_id", of_comment),
    ):
        db.execute(_REMOVED.format(table=table, kind=kind, id=key))
        rows = db.execute(f"SELECT origin, document FROM {table}")
        db.executemany(INSERT, (made(row["origin"], json.loads(row["document"])) for row in rows))


def _lines(texts: Iterable[str | None]) -> str:
    """Folded, one a line, so that no search finds words across two of them."""
    return "\n".join(line for text in texts if text for part in text.splitlines() if (line := fold(part)))


def _seconds(iso: str | None) -> float | None:
    try:
        return datetime.fromisoformat(iso).timestamp() if iso else None
    except ValueError:  # a library must open, whatever an older version wrote into it
        return None
