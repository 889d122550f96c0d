"""Works, creators, comments and counts over time as rows in the state folder; renderings are made from them for free.

Rows belong to an origin (the upstream's address), so that a sandbox's made-up works never stand among real ones.
Metrics are only ever added. Nothing here renders or sends anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from tikomni.facts import Comment, Creator, Document, Work
from tikomni.library import entries
from tikomni.storage.sqlite import compact, connect, failure, told_transaction

D = TypeVar("D", bound=Document)
Kind = Literal["work", "creator"]

_COUNTS: dict[Kind, tuple[str, ...]] = {
    "work": entries.COUNTS,
    "creator": ("fans_count", "following_count", "liked_count", "collected_count", "works_count"),
}

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
  {", ".join(f"{name} INTEGER" for name in _COUNTS["work"])},
  route TEXT,
  PRIMARY KEY (origin, platform, kind, object_id, taken_at)
);
""",
    "".join(f"ALTER TABLE metrics ADD COLUMN {name} INTEGER;\n" for name in _COUNTS["creator"])
    + """
CREATE INDEX works_by_author ON works (origin, platform, platform_author_id);
CREATE TABLE creators (
  origin TEXT NOT NULL,
  platform TEXT NOT NULL,
  platform_author_id TEXT NOT NULL,
  author_handle TEXT,
  author_name TEXT,
  snapshot_at TEXT,
  document TEXT NOT NULL,
  PRIMARY KEY (origin, platform, platform_author_id)
);
CREATE TABLE comments (
  origin TEXT NOT NULL,
  platform TEXT NOT NULL,
  comment_id TEXT NOT NULL,
  platform_work_id TEXT NOT NULL,
  parent_id TEXT,
  published_at TEXT,
  snapshot_at TEXT,
  document TEXT NOT NULL,
  PRIMARY KEY (origin, platform, comment_id)
);
CREATE INDEX comments_by_work ON comments (origin, platform, platform_work_id);
CREATE TABLE walks (
  origin TEXT NOT NULL,
  platform TEXT NOT NULL,
  list TEXT NOT NULL,
  object_id TEXT NOT NULL,
  walked_at TEXT NOT NULL,
  newest_id TEXT,
  newest_at TEXT,
  complete INTEGER NOT NULL,
  PRIMARY KEY (origin, platform, list, object_id)
);
""",
    entries.migrate,
    "ALTER TABLE works ADD COLUMN unlisted INTEGER NOT NULL DEFAULT 0;\n",
)

# Of each kind of document: its table, its id, and what else of it stands in columns of its own.
_TABLES: dict[type[Document], tuple[str, str, tuple[str, ...]]] = {
    Work: ("works", "platform_work_id", ("platform_author_id", "title", "published_at", "snapshot_at")),
    Creator: ("creators", "platform_author_id", ("author_handle", "author_name", "snapshot_at")),
    Comment: ("comments", "comment_id", ("platform_work_id", "parent_id", "published_at", "snapshot_at")),
}
# Those that are searched.
_ENTRIES = {Work: entries.of_work, Comment: entries.of_comment}
# Whose a comment is: by id where names are kept, else by what stands for it.
_WRITTEN_BY = "coalesce(json_extract(document, '$.platform_author_id'), json_extract(document, '$.author_hash')) = ?"
# Everything that stands for one object.
_ROWS_OF: dict[Kind, tuple[str, ...]] = {
    "work": (
        "works WHERE origin = ? AND platform = ? AND platform_work_id = ?",
        "comments WHERE origin = ? AND platform = ? AND platform_work_id = ?",
        "metrics WHERE origin = ? AND platform = ? AND kind = 'work' AND object_id = ?",
        "walks WHERE origin = ? AND platform = ? AND object_id = ?",
    ),
    "creator": (
        "creators WHERE origin = ? AND platform = ? AND platform_author_id = ?",
        f"comments WHERE origin = ? AND platform = ? AND {_WRITTEN_BY}",
        "metrics WHERE origin = ? AND platform = ? AND kind = 'creator' AND object_id = ?",
        "walks WHERE origin = ? AND platform = ? AND object_id = ?",
    ),
}


def origins(path: Path) -> tuple[str, ...]:
    """The upstreams that the rows of a library came from."""
    db = connect(path, MIGRATIONS)
    try:
        tables = ("works", "creators", "comments", "metrics", "walks")
        rows = db.execute(" UNION ".join(f"SELECT origin FROM {table}" for table in tables)).fetchall()
    except sqlite3.Error as error:
        raise failure(error, path) from None
    finally:
        db.close()
    return tuple(row["origin"] for row in rows)


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a list of one object has been walked: ``newest_id`` was published at ``newest_at`` (ISO 8601).

    Only behind the newest entry of a ``complete`` walk is everything known: to stop early is right there and nowhere
    else. Entries that a broken walk brought are known, too, but what lies behind them is not.
    """

    platform: str
    list: str
    object_id: str
    walked_at: str
    newest_id: str | None
    newest_at: str | None
    complete: bool


class Library:
    """The library of one origin.

    Args:
        tell: where it is given, a damaged file is set aside and this is told; else it is an error.
    """

    def __init__(self, path: Path, origin: str, tell: Callable[[str], None] | None = None) -> None:
        self.path = path
        self._origin = origin.rstrip("/")
        self._db = connect(path, MIGRATIONS, tell=tell)

    def close(self) -> None:
        self._db.close()

    # --- what is kept

    def keep(self, work: Work) -> None:
        """Store ``work`` and, once for each snapshot, its counts."""
        self.keep_works((work,))

    def keep_works(self, works: Iterable[Work]) -> None:
        """As ``keep``, all of them or none."""
        self._write(row for work in works for row in self._rows_for("work", work))

    def keep_creator(self, creator: Creator) -> None:
        """Store ``creator`` and, once for each snapshot, the counts."""
        self._write(self._rows_for("creator", creator))

    def keep_comments(self, comments: Iterable[Comment]) -> None:
        """Store ``comments``; a later snapshot of one stands for the earlier."""
        self._write(row for comment in comments for row in self._replacement(comment))

    def record_walk(self, walk: Walked) -> None:
        """Store how far a list was walked. A walk that broke off never takes the place of a complete one."""
        sql = (
            "INSERT INTO walks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "walked_at = excluded.walked_at, newest_id = excluded.newest_id, newest_at = excluded.newest_at, "
            "complete = excluded.complete WHERE excluded.complete >= walks.complete"
        )
        self._write([(sql, (self._origin, *astuple(walk)))])

    def unlist(self, works: Iterable[Work]) -> None:
        """Note that the list of their creator does not show ``works`` any more; whoever stores one anew takes it back.

        They can still be found: what was said of them is not undone.
        """
        sql = "UPDATE works SET unlisted = 1 WHERE origin = ? AND platform = ? AND platform_work_id = ?"
        self._write((sql, (self._origin, work.platform, work.platform_work_id)) for work in works)

    # --- what is known

    def work(self, platform: str, work_id: str) -> Work | None:
        return next(self._documents(Work, "platform = ? AND platform_work_id = ?", (platform, work_id)), None)

    def find(self, work_id: str) -> tuple[Work, ...]:
        """Works of any platform with this id."""
        return tuple(self._documents(Work, "platform_work_id = ?", (work_id,)))

    def works(self) -> Iterator[Work]:
        """Every work, oldest snapshot first."""
        return self._documents(Work)

    def works_of(self, platform: str, author_id: str, unlisted: bool = False) -> tuple[Work, ...]:
        """The works of one creator, newest first; those without a date last. ``unlisted``: those of ``unlist``, too."""
        where = f"platform = ? AND platform_author_id = ? AND unlisted <= {int(unlisted)}"
        return tuple(self._documents(Work, where, (platform, author_id), "published_at DESC"))

    def creator(self, platform: str, author_id: str) -> Creator | None:
        return next(self._documents(Creator, "platform = ? AND platform_author_id = ?", (platform, author_id)), None)

    def creators(self) -> Iterator[Creator]:
        """Every creator, oldest snapshot first."""
        return self._documents(Creator)

    def comments_by(self, platform: str, person: str) -> tuple[str, ...]:
        """The ids of the comments of somebody: an id of the platform's, or ``author_hash``."""
        sql = f"SELECT comment_id FROM comments WHERE origin = ? AND platform = ? AND {_WRITTEN_BY}"
        return tuple(row["comment_id"] for row in self._rows(sql, (self._origin, platform, person)))

    def comment(self, platform: str, comment_id: str) -> Comment | None:
        return next(self._documents(Comment, "platform = ? AND comment_id = ?", (platform, comment_id)), None)

    def entries(self, where: str, parameters: Sequence[Any], order: str) -> Iterator[sqlite3.Row]:
        """Kind, platform and id of what fits a condition on the rows that are searched (``library.search``)."""
        sql = f"SELECT kind, platform, object_id FROM entries WHERE origin = ? AND {where} ORDER BY {order}"
        return self._rows(sql, (self._origin, *parameters))

    def searched(self) -> dict[tuple[str, str], int]:
        """How many rows are searched, by platform and kind."""
        sql = "SELECT platform, kind, count(*) AS held FROM entries WHERE origin = ? GROUP BY platform, kind"
        return {(row["platform"], row["kind"]): row["held"] for row in self._rows(sql, (self._origin,))}

    def walked(self, platform: str, name: str, object_id: str) -> Walked | None:
        """How far the list ``name`` (as ``creator.works``) of one object was walked."""
        return next((walk for walk in self.walks_of(platform, object_id) if walk.list == name), None)

    def walks_of(self, platform: str, object_id: str) -> tuple[Walked, ...]:
        """How far each list of one object was walked."""
        rows = self._rows(
            "SELECT * FROM walks WHERE origin = ? AND platform = ? AND object_id = ?",
            (self._origin, platform, object_id),
        )
        names = ("platform", "list", "object_id", "walked_at", "newest_id", "newest_at")
        return tuple(Walked(*(row[name] for name in names), complete=bool(row["complete"])) for row in rows)

    # --- what is removed

    def held(self, kind: Kind, platform: str, object_id: str) -> int:
        """How many rows ``forget`` would remove."""
        key = (self._origin, platform, object_id)
        counts = (f"SELECT count(*) AS held FROM {rows}" for rows in _ROWS_OF[kind])
        return sum(row["held"] for sql in counts for row in self._rows(sql, key))

    def forget(self, kind: Kind, platform: str, object_id: str) -> int:
        """Remove a work, its comments, counts and walks; or a creator, comments that name them, counts and walks, but
        no work. Returns how many rows that were."""
        key = (self._origin, platform, object_id)
        return self._write((f"DELETE FROM {rows}", key) for rows in _ROWS_OF[kind])

    def compact(self) -> bool:
        """Give the room of what was removed back to the disk, so that nothing of it can be read there."""
        return compact(self._db)

    # --- rows

    def _rows_for(self, kind: Kind, document: Work | Creator) -> list[tuple[str, tuple[Any, ...]]]:
        """The statements that store ``document`` and its counts of this moment."""
        names = _COUNTS[kind]
        object_id = getattr(document, _TABLES[type(document)][1])
        route = document.field_sources.get(names[0], "").partition(":")[0] or None
        counts = (
            "INSERT OR IGNORE INTO metrics (origin, platform, kind, object_id, taken_at, route, "
            f"{', '.join(names)}) VALUES (?, ?, ?, ?, ?, ?, {', '.join('?' * len(names))})",
            (
                *(self._origin, document.platform, kind, object_id, document.snapshot_at or "", route),
                *(getattr(document, name) for name in names),
            ),
        )
        return [*self._replacement(document), counts]

    def _replacement(self, document: Work | Creator | Comment) -> list[tuple[str, tuple[Any, ...]]]:
        """The statements that store ``document`` as a row of its table, and as one that is searched."""
        table, key, others = _TABLES[type(document)]
        columns = (key, *others)
        names = ("origin", "platform", *columns, "document")
        stored = document.as_dict()
        text = json.dumps(stored, ensure_ascii=False)
        values = (self._origin, document.platform, *(getattr(document, name) for name in columns), text)
        row = f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values
        entry = _ENTRIES.get(type(document))
        return [row, (entries.INSERT, entry(self._origin, stored))] if entry else [row]

    def _write(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> int:
        """Run all of ``statements`` or none; returns how many rows they changed."""
        with told_transaction(self._db, self.path) as db:
            return sum(db.execute(sql, values).rowcount for sql, values in statements)

    def _rows(self, sql: str, parameters: Sequence[Any]) -> Iterator[sqlite3.Row]:
        try:
            yield from self._db.execute(sql, parameters)
        except sqlite3.Error as error:
            raise failure(error, self.path) from None

    def _documents(
        self, kind: type[D], where: str = "1", parameters: Sequence[Any] = (), order: str = "snapshot_at"
    ) -> Iterator[D]:
        table, key, _ = _TABLES[kind]
        sql = f"SELECT document FROM {table} WHERE origin = ? AND {where} ORDER BY {order}, {key}"
        return (kind.from_dict(json.loads(row["document"])) for row in self._rows(sql, (self._origin, *parameters)))
