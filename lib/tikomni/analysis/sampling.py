"""Which works stand for all of a creator's: some of every bucket, mostly good ones, of different kinds.

Deterministic: the same works and signals give the same sample.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tikomni.analysis.buckets import BUCKETS, Bucket, Standing, ranked
from tikomni.analysis.signals import Signals, labels

# How many of 60 works come from each bucket.
_BASE: Mapping[Bucket, int] = {"Top": 18, "Strong": 18, "Mid": 14, "Bottom": 10}
# What the first picks shall differ in, and in how many ways.
_VARIETY = (("form", 3), ("hook", 2), ("structure", 2))


@dataclass(frozen=True, slots=True)
class Sample:
    """``picked`` in the order of picking."""

    picked: tuple[Standing, ...]


def size(n: int) -> int:
    """How many of ``n`` works are sampled: ``min(max(round(0.30·n), 40), 80, n)``.

    >>> [size(n) for n in (0, 1, 40, 135, 150, 200, 1000)]
    [0, 1, 40, 40, 45, 60, 80]
    """
    return min(max(round(0.30 * n), 40), 80, n)


def quotas(sampled: int) -> dict[Bucket, int]:
    """How many of ``sampled`` works come from each bucket.

    18, 18, 14 and 10 of 60, scaled and rounded down, Bottom at least 1; what is left goes to the largest remainders;
    Top and Strong together have at least 55 %, taken from Mid for Top.

    >>> quotas(60)
    {'Top': 18, 'Strong': 18, 'Mid': 14, 'Bottom': 10}
    >>> quotas(4)
    {'Top': 2, 'Strong': 1, 'Mid': 0, 'Bottom': 1}
    """
    exact = {name: base * sampled / 60 for name, base in _BASE.items()}
    found = {name: math.floor(part) for name, part in exact.items()}
    found["Bottom"] = max(found["Bottom"], min(sampled, 1))
    left = sampled - sum(found.values())
    for name in sorted(BUCKETS, key=lambda name: found[name] - exact[name])[:left]:
        found[name] += 1
    while found["Top"] + found["Strong"] < math.ceil(0.55 * sampled) and found["Mid"]:
        found["Mid"] -= 1
        found["Top"] += 1
    return found


def sample(
    standings: Sequence[Standing], signals: Mapping[str, Signals] | None = None, leave_out: Collection[str] = ()
) -> Sample:
    """Choose from the ranked works.

    First the best Top works that add a content form (three), a hook (two), a structure (two), within Top's quota; then
    each bucket by rank up to its quota; then the best of what is left.

    Args:
        signals: work key → signals; without them the first pass picks nothing.
        leave_out: keys of works that cannot be analysed, such as those without words.
    """
    pool = [standing for standing in ranked(standings) if standing.work.key not in leave_out]
    sampled = size(len(pool))
    wanted = quotas(sampled)
    top = [standing for standing in pool if standing.bucket == "Top"]
    picked = {standing.work.key: standing for standing in _varied(top, wanted["Top"], signals or {})}
    for name in BUCKETS:
        have = sum(standing.bucket == name for standing in picked.values())
        rest = [s for s in pool if s.bucket == name and s.work.key not in picked]
        picked |= {s.work.key: s for s in rest[: wanted[name] - have]}
    rest = [standing for standing in pool if standing.work.key not in picked]
    picked |= {s.work.key: s for s in rest[: sampled - len(picked)]}
    return Sample(tuple(picked.values()))


def _varied(top: Sequence[Standing], quota: int, signals: Mapping[str, Signals]) -> list[Standing]:
    picked: list[Standing] = []
    for trait, ways in _VARIETY:
        of = {standing.work.key: set(labels(signals.get(standing.work.key), trait)) for standing in top}
        seen = {label for standing in picked for label in of[standing.work.key]}
        for standing in top:
            new = of[standing.work.key] - seen
            if new and len(picked) < quota and len(seen) < ways and standing not in picked:
                picked.append(standing)
                seen |= new
    return picked
