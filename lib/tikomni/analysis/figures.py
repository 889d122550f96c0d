"""The figures of a creator: how much the works move people, and how often they hit.

Every function takes the works as a ``Cohort`` and reads its mature works only. A count that is missing leaves the work
out of the figure; it is never 0. Ratios of two counts are ratios of totals over the works that have both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tikomni.analysis.cohort import INTERACTIONS, Cohort, approximate, count, interactions
from tikomni.analysis.rules import ALL_COUNTS, COUNTS
from tikomni.analysis.timing import Durations, Rhythm, TrendClass, durations, rhythm, trend
from tikomni.analysis.values import Figure, median, share
from tikomni.facts import Creator, Document, Work

ALL = "all"


@dataclass(frozen=True, slots=True)
class Spread(Document):
    """The middle of a count and what one work in ten exceeds."""

    median: Figure[float]
    p90: Figure[float]


@dataclass(frozen=True, slots=True)
class HitRate(Document):
    """爆文率: which part of the works has at least ``threshold`` likes. ``days``: of the last days only, else all."""

    threshold: int
    days: int | None
    rate: Figure[float]


@dataclass(frozen=True, slots=True)
class Figures(Document):
    """All figures of a creator.

    ``works`` counts those that came in, ``mature`` … ``ignored`` how they were parted. ``counts``: spreads by name of
    count, and of ``interactions``. ``kinds``: spreads of interactions for each media kind of which there are enough.
    """

    works: int
    mature: int
    immature: int
    undated: int
    ignored: int
    counts: dict[str, Spread]
    kinds: dict[str, Spread]
    hit_rates: tuple[HitRate, ...]
    outlier_rate: Figure[float]
    interaction_per_fan: Figure[float]
    likes_per_fan: Figure[float]
    engagement_rate: Figure[float]
    ces_without_follows: Figure[float]
    collect_per_like: Figure[float]
    comment_per_like: Figure[float]
    share_per_like: Figure[float]
    rhythm: Rhythm
    durations: Durations
    trend: tuple[TrendClass, ...]


def figures(creator: Creator | None, works: Cohort, earlier: Iterable[Work] = ()) -> Figures:
    """Every figure. ``earlier``: the same works as they were read before (other counts and ``snapshot_at``)."""
    parts = {name: len(getattr(works, name)) for name in ("mature", "immature", "undated", "ignored")}
    rules = works.rules
    return Figures(
        works=sum(parts.values()),
        **parts,
        counts={name: spread(works, name) for name in (INTERACTIONS, *ALL_COUNTS)},
        kinds={kind: spread(works, INTERACTIONS, kind) for kind in baselines(works) if kind != ALL},
        hit_rates=tuple(
            HitRate(threshold, days, hit_rate(works, threshold, days))
            for threshold in rules.hit_thresholds
            for days in (*rules.hit_days, None)
        ),
        outlier_rate=outlier_rate(works),
        interaction_per_fan=interaction_per_fan(creator, works),
        likes_per_fan=likes_per_fan(creator, works),
        engagement_rate=engagement_rate(works),
        ces_without_follows=ces_without_follows(works),
        collect_per_like=per_like(works, "collect_count"),
        comment_per_like=per_like(works, "comment_count"),
        share_per_like=per_like(works, "share_count"),
        rhythm=rhythm(works),
        durations=durations(works),
        trend=trend(works, earlier),
    )


def spread(works: Cohort, name: str, kind: str | None = None) -> Spread:
    """Median and 90th percentile of a count (or of ``interactions``) over the mature works, or those of one kind."""
    members = [work for work in works.mature if kind in (None, work.media_kind)]
    return Spread(works.typical(members, name), works.typical(members, name, 90))


def baselines(works: Cohort) -> Mapping[str, Figure[float]]:
    """The medians of interactions that a work can be measured against: ``all``, and its media kind's as soon as ten
    (``rules.min_works``) mature works of the kind have their interactions."""
    kinds = Counter(work.media_kind for work in works.mature if interactions(work) is not None)
    enough = sorted(kind for kind, n in kinds.items() if n >= works.rules.min_works)
    return {ALL: spread(works, INTERACTIONS).median} | {k: spread(works, INTERACTIONS, k).median for k in enough}


def multiple(work: Work, works: Cohort, medians: Mapping[str, Figure[float]]) -> Figure[float]:
    """A mature work's interactions ÷ the median of its media kind, else of all works (``baselines``).

    The figure's ``n`` and days are the median's. Null from a median of fewer than ten works.
    Example: 900 interactions where the median is 300 are a multiple of 3.0.
    """
    base = medians.get(work.media_kind, medians[ALL])
    total = interactions(work)
    if total is None:
        reason = "counts_unknown"
    elif base.n < works.rules.min_works:
        reason = works.rules.too_few
    elif not base.value:
        reason = "median_zero"
    else:
        rough = base.approximate or approximate(work, COUNTS)
        return replace(base, value=round(total / base.value, 4), approximate=rough)
    return replace(base, value=None, reason=reason, approximate=False)


def hit_rate(works: Cohort, threshold: int, days: int | None = None) -> Figure[float]:
    """爆文率: mature works with at least ``threshold`` likes ÷ mature works whose likes are known.

    Source: 百赞 / 千赞 / 万赞比例 as Xiaohongshu's data tools count them. Example: 4 of 20 works with 1,000 likes or
    more: 0.2. Null where a least value stands below the threshold: nobody knows on which side the work is.
    """
    of = works.within(days)
    known = [work for work in of if work.digg_count is not None]
    below = [work for work in known if (work.digg_count or 0) < threshold]
    if any(work.approximate.get("digg_count") == "at_least" for work in below):
        return works.unknown(known, "likes_at_least")
    hits = len(known) - len(below)
    return works.rate(known, of, ["digg_count"], "likes_unknown", lambda: share(hits, len(known)))


def outlier_rate(works: Cohort) -> Figure[float]:
    """Works above ``rules.outlier_multiple`` (3) times their creator's median ÷ works with a multiple.

    Example: 2 of 20 works beyond three times the median: 0.1.
    """
    medians = baselines(works)
    pairs = ((work, multiple(work, works, medians).value) for work in works.mature)
    known = [(work, times) for work, times in pairs if times is not None]
    above = sum(times > works.rules.outlier_multiple for _, times in known)
    base = medians[ALL]
    lacking = base.reason or (works.rules.too_few if base.n < works.rules.min_works else "median_zero")
    return works.rate([w for w, _ in known], works.mature, [INTERACTIONS], lacking, lambda: share(above, len(known)))


def interaction_per_fan(creator: Creator | None, works: Cohort) -> Figure[float]:
    """The median of the mature works' interactions ÷ fans. Example: a median of 300 at 20,000 fans: 0.015."""
    middle = spread(works, INTERACTIONS).median
    if middle.value is not None and middle.n < works.rules.min_works:
        middle = replace(middle, value=None, reason=works.rules.too_few)
    return _per_fan(creator, middle)


def likes_per_fan(creator: Creator | None, works: Cohort) -> Figure[float]:
    """赞粉比: the likes that the profile states ÷ fans; with collects (赞藏粉比) where the platform shows both as one
    number (``rules.total_likes``).

    Rests on all works that the profile counts, else on those at hand, as they stood on the profile's day.
    Example: 50,000 likes at 20,000 fans: 2.5; with 30,000 collects: 4.0.
    """
    if creator is None:
        return works.unknown((), "fans_unknown")
    names = works.rules.total_likes
    counts = [getattr(creator, name) for name in names]
    n = creator.works_count if creator.works_count is not None else len(works.counted)
    day = _day(creator, works)
    if None in counts:
        return Figure(None, n, since=day, until=day, reason="likes_unknown")
    if n < works.rules.min_works:
        return Figure(None, n, since=day, until=day, reason=works.rules.too_few)
    rounded = not creator.approximate.keys().isdisjoint(names)
    return _per_fan(creator, Figure(float(sum(counts)), n, since=day, until=day, approximate=rounded))


def engagement_rate(works: Cohort) -> Figure[float]:
    """互动率: interactions ÷ plays (or reads), in total over the mature works where both are known.

    Example: 3,000 interactions at 100,000 plays: 0.03.
    """
    played = [work for work in works.mature if work.play_count]
    if works.mature and not played:
        return works.unknown((), "plays_unknown")
    return _ratio(works, INTERACTIONS, "play_count")


def ces_without_follows(works: Cohort) -> Figure[float]:
    """The median of ``like + collect + 4·comment + 4·share`` over the mature works.

    A folk formula: creators on Xiaohongshu tell each other that a note is scored with it plus 8 for each follow that it
    brings, which nobody outside can count. The platform confirms none of it. Example: 100 likes, 50 collects,
    10 comments, 5 shares: 210. Weights are ``rules.ces_weights``.
    """
    weights = works.rules.ces_weights
    if not weights:
        return works.unknown((), "not_of_this_platform")
    known = [work for work in works.mature if all(getattr(work, name) is not None for name in weights)]
    scores = [sum(weight * getattr(work, name) for name, weight in weights.items()) for work in known]
    return works.rate(known, works.mature, weights, "counts_unknown", lambda: median(scores))


def per_like(works: Cohort, name: str) -> Figure[float]:
    """A count ÷ likes, in total over the mature works where both are known. Example: 400 collects, 1,000 likes: 0.4."""
    return _ratio(works, name, "digg_count")


def _ratio(works: Cohort, top: str, bottom: str) -> Figure[float]:
    known = [w for w in works.mature if count(w, top) is not None and count(w, bottom) is not None]
    whole = sum(count(work, bottom) or 0 for work in known)
    if len(known) >= works.rules.min_works and not whole:
        return works.unknown(known, f"{bottom}_zero")
    part = sum(count(work, top) or 0 for work in known)
    return works.rate(known, works.mature, [top, bottom], "counts_unknown", lambda: share(part, whole))


def _per_fan(creator: Creator | None, figure: Figure[float]) -> Figure[float]:
    """``figure`` ÷ fans, at the same works and days."""
    fans = creator.fans_count if creator else None
    reason = "fans_unknown" if fans is None else "no_fans" if not fans else figure.reason
    value = share(figure.value, fans) if fans and figure.value is not None else None
    rounded = value is not None and (
        figure.approximate or (creator is not None and "fans_count" in creator.approximate)
    )
    return Figure(value, figure.n, figure.since, figure.until, reason, rounded)


def _day(creator: Creator, works: Cohort) -> str | None:
    read = datetime.fromisoformat(creator.snapshot_at) if creator.snapshot_at else None
    return read.astimezone(works.zone).date().isoformat() if read else None
