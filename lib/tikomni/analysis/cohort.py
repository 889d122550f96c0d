"""Which works of a creator may be used for what, how old they are, and in which order people see them.

An immature work has not had its time; a work without a date may be one. Both are shown and counted, and stay outside
every figure that compares counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, TypeVar

from tikomni.analysis.rules import COUNTS, Rules
from tikomni.analysis.values import Figure, percentile
from tikomni.facts import Work

T = TypeVar("T")
INTERACTIONS = "interactions"


@dataclass(frozen=True, slots=True)
class Cohort:
    """The works of one creator, parted. ``now`` is aware; ``zone`` is the display zone.

    ``mature``: old enough to be compared. ``immature``: younger than ``rules.immature_hours`` when their counts were
    read. ``undated``: without a publication time. ``ignored``: left out because ``rules.ignore`` names them.
    """

    mature: tuple[Work, ...]
    immature: tuple[Work, ...]
    undated: tuple[Work, ...]
    ignored: tuple[Work, ...]
    rules: Rules
    now: datetime
    zone: tzinfo

    @property
    def counted(self) -> tuple[Work, ...]:
        """Every work that is not ignored."""
        return self.mature + self.immature + self.undated

    @property
    def dated(self) -> tuple[Work, ...]:
        return self.mature + self.immature

    def within(self, days: int | None) -> tuple[Work, ...]:
        """The mature works published in the last ``days``; all of them where it is ``None``."""
        if days is None:
            return self.mature
        return tuple(work for work in self.mature if self.days_ago(work) <= days)

    def days_ago(self, work: Work) -> int:
        """Whole days since a dated work was published, never below 0."""
        return max((self.now - _published(work)).days, 0)

    def figure(
        self, value: T | None, works: Sequence[Work], counts: Iterable[str] = (), reason: str | None = None
    ) -> Figure[T]:
        """A figure that rests on ``works`` and on their ``counts`` (``interactions`` stands for all four)."""
        days = sorted(_published(work).astimezone(self.zone).date() for work in works if work.published_at)
        return Figure(
            value=value,
            n=len(works),
            since=days[0].isoformat() if days else None,
            until=days[-1].isoformat() if days else None,
            reason=reason,
            approximate=any(approximate(work, counts) for work in works),
        )

    def unknown(self, works: Sequence[Work], reason: str) -> Figure[Any]:
        return self.figure(None, works, reason=reason)

    def typical(self, members: Sequence[Work], name: str, p: float = 50) -> Figure[float]:
        """The median, or another percentile, of a count (or of ``interactions``) over some mature works."""
        known = [(work, value) for work in members if (value := count(work, name)) is not None]
        works = [work for work, _ in known]
        if not known:
            return self.unknown(works, "counts_unknown" if members else "no_mature_works")
        return self.figure(percentile([value for _, value in known], p), works, [name])

    def rate(
        self, known: Sequence[Work], of: Sequence[Work], counts: Iterable[str], lacking: str, value: Callable[[], float]
    ) -> Figure[float]:
        """A figure of at least ``rules.min_works`` works: those ``of`` which is ``known`` what it needs.

        ``lacking`` is the reason where it is known of none.
        """
        if of and not known:
            return self.unknown(known, lacking)
        if len(known) < self.rules.min_works:
            return self.unknown(known, self.rules.too_few)
        return self.figure(value(), known, counts)


def cohort(works: Iterable[Work], rules: Rules, now: datetime, zone: tzinfo) -> Cohort:
    """Part ``works``; each keeps the order in which they came."""
    parts: dict[str, list[Work]] = {"mature": [], "immature": [], "undated": [], "ignored": []}
    for work in works:
        parts[_part(work, rules, now)].append(work)
    return Cohort(**{name: tuple(part) for name, part in parts.items()}, rules=rules, now=now, zone=zone)


def _part(work: Work, rules: Rules, now: datetime) -> str:
    if left_out(work, rules):
        return "ignored"
    if not work.published_at:
        return "undated"
    return "immature" if age(work, now) < timedelta(hours=rules.immature_hours) else "mature"


def left_out(work: Work, rules: Rules) -> str | None:
    """Which of the flags in ``rules.ignore`` the work bears. An unknown flag is not borne."""
    return next((flag for flag in rules.ignore if getattr(work, flag)), None)


def age(work: Work, now: datetime) -> timedelta:
    """How old a dated work was when its counts were read: at ``snapshot_at``, else at ``now``.

    A stored answer's counts stay as young as they were.
    """
    read = datetime.fromisoformat(work.snapshot_at) if work.snapshot_at else now
    return min(read, now) - _published(work)


def interactions(work: Work) -> int | None:
    """Likes, comments, collects and shares together; ``None`` where one of them is unknown.

    >>> interactions(Work("douyin", "1", digg_count=70, comment_count=10, collect_count=15, share_count=5))
    100
    >>> interactions(Work("douyin", "1", digg_count=70, comment_count=10, collect_count=15)) is None
    True
    """
    counts = [getattr(work, name) for name in COUNTS]
    return None if None in counts else sum(counts)


def count(work: Work, name: str) -> int | None:
    """One of the work's counts, or its ``interactions``."""
    return interactions(work) if name == INTERACTIONS else getattr(work, name)


def approximate(work: Work, counts: Iterable[str]) -> bool:
    """Whether one of ``counts`` is rounded or a least value."""
    named = {part for name in counts for part in (COUNTS if name == INTERACTIONS else (name,))}
    return not named.isdisjoint(work.approximate)


def order(work: Work) -> tuple[Any, ...]:
    """The sort key of the default order: most interactions first, then the newest, then the id, as a number if it is
    one. Works whose interactions are unknown come after all others, by date and id alone."""
    total = interactions(work)
    published = _published(work).timestamp() if work.published_at else float("-inf")
    work_id = work.platform_work_id
    number = int(work_id) if work_id.isascii() and work_id.isdecimal() else None
    return (total is None, -(total or 0), -published, number is None, number or 0, work_id)


def _published(work: Work) -> datetime:
    return datetime.fromisoformat(work.published_at or "")
