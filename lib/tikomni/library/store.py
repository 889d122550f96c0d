"""Works and their counts as rows in the state folder; cards and tables are made from them without a call.

Rows belong to an origin (the upstream's address), so that a sandbox's made-up works never stand among real ones.
Metrics are only ever added. Nothing here renders or sends anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tikomni.facts import Work
from tikomni.storage.sqlite import connect, failure, transaction

COUNTS = ("digg_count", "comment_count", "collect_count", "share_count", "play_count")

MIGRATIONS = (
    f"""
CREATE TABLE works (
  origin TEXT NOT NULL,
  platform TEXT NOT NULL,
  platform_work_id TEXT NOT NULL,
  platform_author_id TEXT,
  title TEXT,
  published_at TEXT,
  snapshot_at TEXT,
  document TEXT NOT NULL,
  PRIMARY KEY (origin, platform, platform_work_id)
);
CREATE TABLE metrics (
  origin TEXT NOT NULL,
  platform TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  taken_at TEXT NOT NULL,
  {", ".join(f"{name} INTEGER" for name in COUNTS)},
  route TEXT,
  PRIMARY KEY (origin, platform, kind, object_id, taken_at)
);
""",
)


class Library:
    """The library of one origin."""

    def __init__(self, path: Path, origin: str) -> None:
        self.path = path
        self._origin = origin.rstrip("/")
        self._db = connect(path, MIGRATIONS)

    def close(self) -> None:
        self._db.close()

    def keep(self, work: Work) -> None:
        """Store ``work`` and, once for each snapshot, its counts."""
        document = json.dumps(work.as_dict(), ensure_ascii=False)
        route = work.field_sources.get("digg_count", "").partition(":")[0] or None
        try:
            with transaction(self._db) as db:
                db.execute(
                    "INSERT OR REPLACE INTO works VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        self._origin,
                        work.platform,
                        work.platform_work_id,
                        work.platform_author_id,
                        work.title,
                        work.published_at,
                        work.snapshot_at,
                        document,
                    ),
                )
                db.execute(
                    f"INSERT OR IGNORE INTO metrics VALUES (?, ?, 'work', ?, ?, {', '.join('?' * len(COUNTS))}, ?)",
                    (
                        self._origin,
                        work.platform,
                        work.platform_work_id,
                        work.snapshot_at or "",
                        *(getattr(work, name) for name in COUNTS),
                        route,
                    ),
                )
        except sqlite3.Error as error:
            raise failure(error, self.path) from None

    def work(self, platform: str, work_id: str) -> Work | None:
        rows = self._read("platform = ? AND platform_work_id = ?", (platform, work_id))
        return next(iter(rows), None)

    def find(self, work_id: str) -> tuple[Work, ...]:
        """Works of any platform with this id."""
        return tuple(self._read("platform_work_id = ?", (work_id,)))

    def works(self) -> Iterator[Work]:
        """Every work, oldest snapshot first."""
        return self._read("1", ())

    def _read(self, where: str, parameters: Sequence[Any]) -> Iterator[Work]:
        try:
            rows = self._db.execute(
                f"SELECT document FROM works WHERE origin = ? AND {where} ORDER BY snapshot_at, platform_work_id",
                (self._origin, *parameters),
            )
            for row in rows:
                yield Work.from_dict(json.loads(row["document"]))
        except sqlite3.Error as error:
            raise failure(error, self.path) from None
