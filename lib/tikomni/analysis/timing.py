"""When a creator posts, how long the videos are, and whether works of one age do better than they used to.

Likes are never set against dates: an older work has had more time. Works are compared within an age only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf

from tikomni.analysis.cohort import INTERACTIONS, Cohort, age, interactions, left_out
from tikomni.analysis.values import Figure, median, share
from tikomni.facts import Document, Work


@dataclass(frozen=True, slots=True)
class Rhythm(Document):
    """How many works were posted at each ``hours.value[weekday][hour]`` of the display zone; weekday 0 is Monday."""

    hours: Figure[tuple[tuple[int, ...], ...]]
    unknown: int


@dataclass(frozen=True, slots=True)
class DurationClass(Document):
    """Videos of one length. ``below_ms`` is the upper bound, ``None`` for the last class; ``ratio`` is of all classes.

    ``interactions``: the median over the mature ones.
    """

    name: str
    below_ms: int | None
    count: int
    ratio: float | None
    interactions: Figure[float]


@dataclass(frozen=True, slots=True)
class Durations(Document):
    """``n`` videos by length; ``unknown`` is how many videos have none. No ratios from fewer than ten."""

    n: int
    unknown: int
    classes: tuple[DurationClass, ...]


@dataclass(frozen=True, slots=True)
class TrendClass(Document):
    """How the newer half of the works of one age compares with the older half.

    ``ratio`` is the median of the newer half's interactions ÷ that of the older. The median ages stand beside it,
    because the newer half is the younger one too unless its counts were read at the same age.
    """

    from_days: int
    to_days: int | None
    ratio: Figure[float]
    newer_median: float | None
    older_median: float | None
    newer_age_days: float | None
    older_age_days: float | None


def rhythm(works: Cohort) -> Rhythm:
    """The posting rhythm over all dated works, immature ones too. Null without any.

    Example: a work of 2026-03-01T17:30:00+00:00, a Sunday, is counted in Shanghai on Monday at 1: ``value[0][1]``.
    """
    grid = [[0] * 24 for _ in range(7)]
    for work in works.dated:
        local = datetime.fromisoformat(work.published_at or "").astimezone(works.zone)
        grid[local.weekday()][local.hour] += 1
    hours = works.figure(tuple(map(tuple, grid)), works.dated)
    return Rhythm(hours if works.dated else works.unknown((), "dates_unknown"), len(works.undated))


def durations(works: Cohort) -> Durations:
    """Videos by length: ``rules.duration_classes`` in seconds, each class up to below its bound.

    Example: with 30 and 120, a clip of 29,999 ms is short, one of 30,000 ms medium, one of 120,000 ms long.
    """
    videos = [work for work in works.counted if work.media_kind == "video"]
    known = [work for work in videos if work.duration_ms]
    mature = {work.key for work in works.mature}
    classes, floor = [], 0
    for name, seconds in works.rules.duration_classes.items():
        below = seconds * 1000 if seconds else None
        found = [work for work in known if floor <= (work.duration_ms or 0) < (below or inf)]
        ratio = share(len(found), len(known)) if len(known) >= works.rules.min_works else None
        middle = works.typical([work for work in found if work.key in mature], INTERACTIONS)
        classes.append(DurationClass(name, below, len(found), ratio, middle))
        floor = below or floor
    return Durations(len(known), len(videos) - len(known), tuple(classes))


def trend(works: Cohort, earlier: Iterable[Work] = ()) -> tuple[TrendClass, ...]:
    """For each age class, the newer half of its works against the older half.

    A work stands in a class with its youngest reading there: one of ``earlier`` (the same works with the counts and the
    ``snapshot_at`` of another day) or today's. Null unless each half has ten works (``rules.min_works``). Of an odd
    number the one in the middle is left out.

    Example: of 20 works read at 7 to 14 days, the ten newer have a median of 450 interactions, the ten older of 300:
    the ratio is 1.5.
    """
    rules = works.rules
    readings = [work for work in (*works.mature, *earlier) if work.published_at and not left_out(work, rules)]
    aged = sorted(((age(work, works.now), work) for work in readings), key=lambda pair: (pair[0], pair[1].key))
    bounds = [*rules.age_classes_days, None]
    return tuple(_trend_class(works, aged, first, last) for first, last in pairwise(bounds) if first is not None)


def _trend_class(works: Cohort, aged: list[tuple[timedelta, Work]], first: int, last: int | None) -> TrendClass:
    youngest = timedelta(hours=works.rules.immature_hours)
    found: dict[str, tuple[timedelta, Work]] = {}
    for old, work in aged:
        inside = max(timedelta(days=first), youngest) <= old and (last is None or old < timedelta(days=last))
        if inside and interactions(work) is not None:
            found.setdefault(work.key, (old, work))
    by_date = sorted(found.values(), key=lambda pair: (datetime.fromisoformat(pair[1].published_at or ""), pair[1].key))
    half = len(by_date) // 2
    older, newer = by_date[:half], by_date[len(by_date) - half :]
    used = [work for _, work in (*older, *newer)]
    if half < works.rules.min_works:
        return TrendClass(first, last, works.unknown(used, works.rules.too_few), None, None, None, None)
    medians = [median([interactions(work) or 0 for _, work in part]) for part in (newer, older)]
    ages = [round(median([old / timedelta(days=1) for old, _ in part]), 1) for part in (newer, older)]
    ratio = works.figure(share(*medians), used, [INTERACTIONS]) if medians[1] else works.unknown(used, "median_zero")
    return TrendClass(first, last, ratio, *medians, *ages)
