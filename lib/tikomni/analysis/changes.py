"""What changed between two readings of a creator. Compares documents; reads no library.

No growth comes from two counts that are both approximate, and no work counts as deleted because a walk did not get to
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tikomni.analysis.cohort import INTERACTIONS, approximate, interactions, order
from tikomni.facts import Creator, Document, Work

_GROWERS = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """A creator as it was found at ``taken_at`` (ISO 8601 with offset).

    ``works``: all that was known of it then, with the counts of then. ``complete``: the lists were walked to their
    end, so that a work which is not among them was not there.
    """

    taken_at: str
    works: tuple[Work, ...]
    complete: bool
    creator: Creator | None = None


@dataclass(frozen=True, slots=True)
class Delta(Document):
    """How a count moved. ``value`` is null, with its ``reason``, where one of the two is unknown or both are
    approximate; ``approximate`` where one is."""

    before: int | None
    after: int | None
    value: int | None
    approximate: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Grower(Document):
    """A work and how its interactions grew."""

    key: str
    title: str | None
    interactions: Delta


@dataclass(frozen=True, slots=True)
class Changes(Document):
    """``new_works`` and ``deleted_works`` are keys in the default order; ``deleted_works`` is null where the later
    walk was not complete: nobody knows."""

    since: str
    new_works: tuple[str, ...]
    deleted_works: tuple[str, ...] | None
    fans_delta: Delta
    top_growers: tuple[Grower, ...]


def changes(before: Reading, after: Reading) -> Changes:
    """What ``after`` has that ``before`` had not.

    A work is new when it was not known before and was published since, or when the walk before was complete: an older
    work that an earlier, shorter walk did not reach is no news.
    """
    known, found = ({work.key: work for work in reading.works} for reading in (before, after))
    new = [work for key, work in found.items() if key not in known and (before.complete or _since(work, before))]
    gone = [work for key, work in known.items() if key not in found] if after.complete else None
    growers = [(work, _growth(known[key], work)) for key, work in found.items() if key in known]
    growing = [(work, delta) for work, delta in growers if (delta.value or 0) > 0]
    growing.sort(key=lambda pair: (-(pair[1].value or 0), *order(pair[0])))
    return Changes(
        since=before.taken_at,
        new_works=tuple(work.key for work in sorted(new, key=order)),
        deleted_works=None if gone is None else tuple(work.key for work in sorted(gone, key=order)),
        fans_delta=_fans(before.creator, after.creator),
        top_growers=tuple(Grower(work.key, work.title, delta) for work, delta in growing[:_GROWERS]),
    )


def delta(before: int | None, after: int | None, rough_before: bool = False, rough_after: bool = False) -> Delta:
    """The difference of two counts, and whether they are approximate.

    >>> delta(9_800, 12_000, False, True)
    Delta(before=9800, after=12000, value=2200, approximate=True, reason=None)
    >>> delta(11_000, 12_000, True, True).reason
    'both_approximate'
    """
    if before is None or after is None:
        return Delta(before, after, None, reason="unknown")
    if rough_before and rough_after:
        return Delta(before, after, None, reason="both_approximate")
    return Delta(before, after, after - before, rough_before or rough_after)


def _growth(before: Work, after: Work) -> Delta:
    return delta(
        interactions(before),
        interactions(after),
        approximate(before, [INTERACTIONS]),
        approximate(after, [INTERACTIONS]),
    )


def _fans(before: Creator | None, after: Creator | None) -> Delta:
    counts = [creator.fans_count if creator else None for creator in (before, after)]
    rough = [creator is not None and "fans_count" in creator.approximate for creator in (before, after)]
    return delta(*counts, *rough)


def _since(work: Work, before: Reading) -> bool:
    published = datetime.fromisoformat(work.published_at) if work.published_at else None
    return published is not None and published > datetime.fromisoformat(before.taken_at)
