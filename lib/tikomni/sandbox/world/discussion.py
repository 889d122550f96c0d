"""What people say below the world's works: comments and the replies to them, page by page, as lists give them.

Rows and pages, in no platform's shape. A page may bring the last comment of the page before once more, and be shorter
than it could be where comments were deleted. The same work has the same discussion every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from tikomni.sandbox.world.model import Work, read


@dataclass(frozen=True, slots=True)
class Said:
    """One comment. ``place``: where it stands in the whole list; ``below``: the place of what it answers."""

    place: int
    who: str
    text: str
    liked: int
    ip: str
    replies: int = 0
    kind: str = ""
    below: int | None = None

    @property
    def seed(self) -> str:
        """Tells it from every other comment of its work."""
        return str(self.place) if self.below is None else f"{self.below} {self.place}"


@dataclass(frozen=True, slots=True)
class Part:
    """A page: what is on it, where the next begins, and how many there are in all."""

    rows: Sequence[Said]
    after: int
    total: int

    @property
    def more(self) -> bool:
        return self.after < self.total


def comments(work: Work, count: int | str, start: int, size: int) -> Part:
    """A page of the comments of ``work``, which is said to have ``count``; counts told as text mean all."""
    lively = read("discussions").get(work.name)
    rows = list(_lively(lively)) if lively else [Said(n, **row) for n, row in enumerate(read("comments"))]
    if not lively and isinstance(count, int):
        rows = rows[:count]
    return _page(rows, start, size, repeats=bool(lively))


def replies(work: Work, comment: Said, start: int, size: int) -> Part:
    """A page of the replies to ``comment``."""
    rows = [
        Said(n, row.get("who", work.author.nickname), row["text"], max(0, 40 - n), "", kind=row.get("kind", ""),
             below=comment.place)
        for n, row in enumerate(islice(cycle(read("discussions")["replies"]), comment.replies))
    ]  # fmt: skip
    return _page(rows, start, size, repeats=True)


def everything(work: Work, count: int | str) -> Sequence[Said]:
    """All comments of ``work`` that are there."""
    return comments(work, count, 0, 1_000_000).rows


def _lively(told: dict) -> Iterator[Said]:
    rows, filler = told["rows"], told["filler"]
    pairs = [(o, s) for s in filler["sayings"] for o in filler["openings"]]
    yield from (Said(n, **row) for n, row in enumerate(rows))
    for n, (opening, saying) in enumerate(cycle(pairs), len(rows)):
        if n >= told["total"]:
            return
        yield Said(n, f"过客{n}", f"{opening}，{saying}", max(0, told["total"] - n), "江苏" if n % 3 else "安徽")


def _page(rows: Sequence[Said], start: int, size: int, *, repeats: bool) -> Part:
    page = rows[start : start + size]
    again = rows[start - 1 : start] if repeats and start else []
    return Part([row for row in (*again, *page) if row.kind != "deleted"], start + len(page), len(rows))
