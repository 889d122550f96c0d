"""What the works of a creator have in common, and what the best ones do that the others do not.

Counts works, never words: a label that a work bears three times counts once. Reads signals as plain data; finds none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tikomni.analysis.buckets import BUCKETS, Bucket, Standing, ranked
from tikomni.analysis.cohort import INTERACTIONS, Cohort
from tikomni.analysis.rules import ALL_COUNTS
from tikomni.analysis.signals import TRAITS, Signals, labels
from tikomni.analysis.values import Figure, percentile, share
from tikomni.facts import Document, Modality, Work

# How many items a distribution lists: over all works, and within one bucket.
_ITEMS, _KEYWORDS = 10, 20
_BUCKET_ITEMS, _BUCKET_KEYWORDS = 6, 8


@dataclass(frozen=True, slots=True)
class Item(Document):
    """A label and how many works bear it. ``ratio`` is of the works looked at, null of fewer than ten."""

    label: str
    count: int
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Distribution(Document):
    """The most frequent labels of ``n`` works. ``none``: works without a label; ``others``: labels not listed."""

    n: int
    none: int
    others: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Performance(Document):
    """The recency scores of the ranked works, rising: p20 ≤ p50 ≤ p85."""

    least: Figure[float]
    p20: Figure[float]
    p50: Figure[float]
    p85: Figure[float]
    most: Figure[float]


@dataclass(frozen=True, slots=True)
class BucketProfile(Document):
    """What the works of one bucket are like. ``medians``: by name of count, and of ``interactions``."""

    n: int
    traits: dict[str, Distribution]
    topics: Distribution
    medians: dict[str, Figure[float]]


@dataclass(frozen=True, slots=True)
class Aggregates(Document):
    """Over all works of a creator that are not ignored, immature ones too; ``buckets`` over the ranked ones.

    ``left_out``: why works have no rank, reason → how many. ``modality``: what most works are, null when as many are
    the one as the other.
    """

    works: int
    ranked: int
    left_out: dict[str, int]
    modality: Modality | None
    modalities: Distribution
    media_kinds: Distribution
    topics: Distribution
    traits: dict[str, Distribution]
    performance: Performance
    buckets: dict[Bucket, BucketProfile]


def aggregates(
    works: Cohort, standings: Sequence[Standing], signals: Mapping[str, Signals] | None = None
) -> Aggregates:
    """Count everything. ``signals``: work key → signals; works without an entry are outside the traits' ``n``."""
    signals = signals or {}
    order = ranked(standings)
    modalities = Counter(work.work_modality for work in works.counted).most_common()
    tied = len(modalities) == 2 and modalities[0][1] == modalities[1][1]
    return Aggregates(
        works=len(works.counted),
        ranked=len(order),
        left_out=dict(Counter(standing.reason for standing in standings if standing.reason)),
        modality=modalities[0][0] if modalities and not tied else None,
        modalities=_distribution([(work.work_modality,) for work in works.counted], _ITEMS, works),
        media_kinds=_distribution([(work.media_kind,) for work in works.counted], _ITEMS, works),
        topics=_distribution([work.topics for work in works.counted], _KEYWORDS, works),
        traits=_traits(works.counted, signals, works, _ITEMS, _KEYWORDS),
        performance=_performance(works, order),
        buckets={name: _profile(works, [s.work for s in order if s.bucket == name], signals) for name in BUCKETS},
    )


def _profile(works: Cohort, members: Sequence[Work], signals: Mapping[str, Signals]) -> BucketProfile:
    return BucketProfile(
        n=len(members),
        traits=_traits(members, signals, works, _BUCKET_ITEMS, _BUCKET_KEYWORDS),
        topics=_distribution([work.topics for work in members], _BUCKET_KEYWORDS, works),
        medians={name: works.typical(members, name) for name in (INTERACTIONS, *ALL_COUNTS)},
    )


def _performance(works: Cohort, order: Sequence[Standing]) -> Performance:
    members = [standing.work for standing in order]
    scores = [standing.score or 0.0 for standing in order]
    if not scores:
        return Performance(*[works.unknown((), "counts_unknown" if works.mature else "no_mature_works")] * 5)
    weighing = [name for name, weight in works.rules.weights.items() if weight]
    return Performance(
        *(works.figure(round(percentile(scores, p), 4), members, weighing) for p in (0, 20, 50, 85, 100))
    )


def _traits(
    members: Iterable[Work], signals: Mapping[str, Signals], works: Cohort, listed: int, keywords: int
) -> dict[str, Distribution]:
    judged = [signals[work.key] for work in members if work.key in signals]
    return {
        trait: _distribution([labels(s, trait) for s in judged], keywords if trait == "keywords" else listed, works)
        for trait in TRAITS
    }


def _distribution(of_works: Sequence[tuple[str, ...]], listed: int, works: Cohort) -> Distribution:
    """Each entry holds the labels of one work. Equal counts stand in the order of their labels."""
    n = len(of_works)
    counts = Counter(label for found in of_works for label in set(found))
    counted = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    enough = n >= works.rules.min_works
    items = tuple(Item(label, k, share(k, n) if enough else None) for label, k in counted[:listed])
    return Distribution(n, sum(not found for found in of_works), max(len(counted) - listed, 0), items)
