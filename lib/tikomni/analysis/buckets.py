"""Where each work stands among its creator's: bucket, ranks, and the multiple of the median.

Buckets and ranks go by the recency score, which prefers recent work; people see works by plain interactions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tikomni.analysis.cohort import Cohort, approximate, interactions, left_out, order
from tikomni.analysis.figures import baselines, multiple
from tikomni.analysis.rules import COUNTS, Rules
from tikomni.analysis.values import Figure
from tikomni.facts import Work

Bucket = Literal["Top", "Strong", "Mid", "Bottom"]
BUCKETS: tuple[Bucket, ...] = ("Top", "Strong", "Mid", "Bottom")


@dataclass(frozen=True, slots=True)
class Standing:
    """One work among its creator's.

    ``days_ago``: whole days since it was published. ``interactions``: null where one of the four counts is unknown;
    ``approximate`` where one is not exact. ``multiple``: of the median (``figures.multiple``). ``score``: the recency
    score. ``rank`` counts from 1 over all ranked works, ``recent_rank`` over those of the last ``rules.recent_days``.
    ``reason``: why the work has no score, bucket and rank: ``immature``, ``date_unknown``, ``counts_unknown``,
    ``pinned``, ``sponsored``.
    """

    work: Work
    days_ago: int | None
    interactions: int | None
    approximate: bool
    multiple: Figure[float]
    score: float | None = None
    bucket: Bucket | None = None
    rank: int | None = None
    recent_rank: int | None = None
    reason: str | None = None


def recency_score(work: Work, days: int, rules: Rules) -> float | None:
    """``(0.15·like + 0.20·comment + 0.35·collect + 0.30·share) ÷ ln(days + 2)``, to four decimals.

    A preference for recent work: of two works with equal counts the newer one wins; a work of yesterday with 100 weighs
    as much as one of a year ago with 537. Weights are ``rules.weights``. Null where a count that weighs anything is
    unknown. Example: 1,000 likes, 100 comments, 200 collects, 50 shares after 30 days: 255 ÷ ln 32 = 73.5774.
    """
    parts = [(weight, getattr(work, name)) for name, weight in rules.weights.items() if weight]
    if any(count is None for _, count in parts):
        return None
    return round(sum(weight * count for weight, count in parts) / math.log(days + 2), 4)


def lacking(work: Work, rules: Rules) -> tuple[str, ...]:
    """The facts that the work's score needs and the work has not: what a detail call is worth its price for."""
    needed = ("published_at", *(name for name in COUNTS if rules.weights.get(name)))
    return tuple(name for name in needed if getattr(work, name) is None)


def bucket(rank: int, n: int) -> Bucket:
    """The bucket of the work that stands at ``rank`` (from 1) among ``n``.

    From 20 works on: Top to 20 %, Strong to 50 %, Mid to 85 %, else Bottom. Of fewer: four Top, four Strong, then Mid
    to the tenth, or to the last but two where that is further; the rest Bottom.

    >>> [sum(bucket(rank, 60) == name for rank in range(1, 61)) for name in BUCKETS]
    [12, 18, 21, 9]
    >>> [sum(bucket(rank, 15) == name for rank in range(1, 16)) for name in BUCKETS]
    [4, 4, 5, 2]
    """
    ends = (4, 8, max(10, n - 2)) if n < 20 else (20 * n // 100, 50 * n // 100, 85 * n // 100)
    return next((name for name, end in zip(BUCKETS, ends, strict=False) if rank <= end), "Bottom")


def standings(works: Cohort) -> tuple[Standing, ...]:
    """Every work, ignored ones too, in the default order: interactions, then date, then id.

    Equal scores are ranked in that order.
    """
    medians = baselines(works)
    mature = {work.key for work in works.mature}
    found = [_unranked(work, works, multiple(work, works, medians) if work.key in mature else None)
             for work in sorted((*works.counted, *works.ignored), key=order)]  # fmt: skip
    best = sorted((s for s in found if s.score is not None), key=lambda s: -(s.score or 0))
    recent = [s.work.key for s in best if (s.days_ago or 0) <= works.rules.recent_days]
    recent_places = {key: place for place, key in enumerate(recent, 1)}
    placed = {
        s.work.key: replace(s, rank=rank, recent_rank=recent_places.get(s.work.key), bucket=bucket(rank, len(best)))
        for rank, s in enumerate(best, 1)
    }
    return tuple(placed.get(standing.work.key, standing) for standing in found)


def ranked(standing: Sequence[Standing]) -> tuple[Standing, ...]:
    """Those that have a rank, best first."""
    return tuple(sorted((s for s in standing if s.rank), key=lambda s: s.rank or 0))


def _unranked(work: Work, works: Cohort, times: Figure[float] | None) -> Standing:
    days = works.days_ago(work) if work.published_at else None
    outside = left_out(work, works.rules) or ("date_unknown" if days is None else None if times else "immature")
    score = recency_score(work, days, works.rules) if days is not None and not outside else None
    reason = outside or ("counts_unknown" if score is None else None)
    return Standing(
        work=work,
        days_ago=days,
        interactions=interactions(work),
        approximate=approximate(work, COUNTS),
        multiple=times or Figure(None, 0, reason=outside),
        score=score,
        reason=reason,
    )
