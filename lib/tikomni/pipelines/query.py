"""What works are looked for, and which of those that were read are wanted. Pure, and loads little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tikomni.facts import Work
from tikomni.platforms.definitions import Definition

What = Literal["search", "topic", "chart"]
SORTS = {"likes": "digg_count", "collects": "collect_count", "comments": "comment_count", "newest": "published_at"}
KINDS = {"video": ("video",), "images": ("images", "mixed")}


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. ``ids``: what the list is asked with; ``most``: works that are read from it.

    ``since`` is aware. The other members choose among the works that were read.
    """

    platform: str
    what: What
    text: str
    ids: Mapping[str, str]
    most: int = 60
    sort: str | None = None
    since: datetime | None = None
    kind: str | None = None
    min_likes: int | None = None
    max_fans: int | None = None

    @property
    def list(self) -> str:
        return f"{self.what}.works"


def choices(known: Definition, query: Query, now: datetime) -> dict[str, str]:
    """What the platform is asked to do by itself, by the names of its list's choices.

    Of the windows that reach back to ``since``, the shortest is asked for.
    """
    offered = known.lists[query.list].choices
    wanted = {"sort": query.sort, "kind": query.kind}
    if query.since is not None and "window" in offered:
        days = (now - query.since).total_seconds() / 86_400
        wanted["window"] = min((w for w in offered["window"].values if int(w) >= days), key=int, default=None)
    return {name: word for name, word in wanted.items() if word and name in offered and word in offered[name].values}


def unwanted(work: Work, query: Query) -> str | None:
    """Why the query does not want ``work``; its author's fans are looked at later."""
    if query.kind is not None and work.media_kind not in KINDS[query.kind]:
        return "other_kind"
    if query.since is not None:
        if work.published_at is None:
            return "undated"
        if datetime.fromisoformat(work.published_at) < query.since:
            return "older"
    if query.min_likes is not None:
        if work.digg_count is None:
            return "likes_unknown"
        if work.digg_count < query.min_likes:
            return "few_likes"
    return None
