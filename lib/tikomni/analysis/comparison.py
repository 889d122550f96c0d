"""Two to five creators side by side: the same figures over the same window, what they share, when they post.

Pure, and no figure is made in another way than for a creator alone. What one cannot know stays unknown beside what the
others have: ratios are of two known numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from math import isfinite

from tikomni.analysis.buckets import Standing, standings
from tikomni.analysis.cohort import INTERACTIONS, Cohort, cohort
from tikomni.analysis.figures import Figures, figures, hit_rate
from tikomni.analysis.rules import Rules
from tikomni.analysis.signals import Signals, labels, signals
from tikomni.analysis.values import Figure, share
from tikomni.facts import Creator, Document, Work

LETTERS = "ABCDE"
FEWEST, MOST = 2, len(LETTERS)
LISTED = 12  # shared labels
# Figures and how they are written, in the order in which they are shown.
FORMS = {
    "fans_count": "count",
    "works_count": "count",
    "works": "count",
    "works_per_week": "ratio",
    "median_interactions": "count",
    "p90_interactions": "count",
    "median_digg_count": "count",
    "outlier_rate": "percent",
    "interaction_per_fan": "ratio",
    "engagement_rate": "percent",
    "collect_per_like": "ratio",
    "comment_per_like": "ratio",
    "share_per_like": "ratio",
}
HIT_RATE = "hit_rate_"


@dataclass(frozen=True, slots=True)
class Window(Document):
    """From ``since`` on and before ``until``, both aware."""

    since: datetime
    until: datetime

    @property
    def days(self) -> float:
        return (self.until - self.since) / timedelta(days=1)

    def holds(self, work: Work) -> bool:
        return work.published_at is not None and self.since <= datetime.fromisoformat(work.published_at) < self.until


@dataclass(frozen=True, slots=True)
class Side:
    """One creator within the window. ``works``: in the default order; ``signals``: of those that have words."""

    letter: str
    creator: Creator
    works: tuple[Work, ...]
    cohort: Cohort
    figures: Figures
    standings: tuple[Standing, ...]
    signals: Mapping[str, Signals]

    @property
    def name(self) -> str:
        return self.creator.author_name or self.creator.author_handle or self.creator.platform_author_id


@dataclass(frozen=True, slots=True)
class Row(Document):
    """A figure of each creator, and its ratio to the first one's: ``None`` where either is unknown, or the first 0."""

    name: str
    form: str
    figures: tuple[Figure[float], ...]
    ratios: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Shared(Document):
    """A label that works of at least two creators bear; ``counts``: how many of each one's."""

    label: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``of_words``: of how many works of each the words are known, which ``keywords`` rest on."""

    window: Window
    sides: tuple[Side, ...]
    rows: tuple[Row, ...]
    topics: tuple[Shared, ...]
    keywords: tuple[Shared, ...]
    of_words: tuple[int, ...]


def side(
    letter: str,
    creator: Creator,
    works: Iterable[Work],
    window: Window,
    rules: Rules,
    zone: tzinfo,
    own_words: Sequence[str] = (),
) -> Side:
    """What ``creator`` did within ``window``; works without a date are in no window."""
    inside = [work for work in works if window.holds(work)]
    parted = cohort(inside, rules, window.until, zone)
    order = standings(parted)
    spoken = {work.key: signals(work, own_words) for work in parted.counted if work.primary_text}
    made = figures(creator, parted)
    return Side(letter, creator, tuple(one.work for one in order), parted, made, order, spoken)


def comparison(sides: Sequence[Side], window: Window) -> Comparison:
    """``sides`` in the order in which they were asked for: ratios are to the first."""
    return Comparison(
        window=window,
        sides=tuple(sides),
        rows=tuple(_rows(sides, window)),
        topics=shared([[work.topics for work in one.cohort.counted] for one in sides]),
        keywords=shared([[labels(found, "keywords") for found in one.signals.values()] for one in sides]),
        of_words=tuple(len(one.signals) for one in sides),
    )


def common(spans: Iterable[tuple[datetime, datetime]]) -> Window | None:
    """The longest window that lies within every span; ``None`` where there is none.

    >>> day = lambda n: datetime.fromisoformat(f"2026-03-{n:02}T00:00:00+08:00")
    >>> common([(day(1), day(20)), (day(5), day(25))]).days
    15.0
    >>> common([(day(1), day(5)), (day(6), day(9))]) is None
    True
    """
    starts, ends = zip(*spans, strict=True)
    since, until = max(starts), min(ends)
    return Window(since, until) if since < until else None


def ratios(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Each value ÷ the first, the first one's own being 1.

    >>> ratios([200.0, 300.0, None])
    (1.0, 1.5, None)
    >>> ratios([0.0, 5.0])
    (None, None)
    """
    first = values[0] if values else None
    if not first:
        return (None,) * len(values)
    return tuple(None if v is None else r if isfinite(r := share(v, first)) else None for v in values)


def shared(of_creators: Sequence[Sequence[Sequence[str]]]) -> tuple[Shared, ...]:
    """Labels that at least two creators have: those of more creators first, then the more usual ones.

    Each work counts a label once. Labels that differ in case alone are one, shown as it was met first.

    >>> shared([[["Cats", "tea"], ["cats"]], [["cats"]]])
    (Shared(label='Cats', counts=(2, 1)),)
    """
    spelled: dict[str, str] = {}
    counters = []
    for works in of_creators:
        counter: Counter[str] = Counter()
        for found in works:
            for label in found:
                spelled.setdefault(label.casefold(), label)
            counter.update({label.casefold() for label in found})
        counters.append(counter)
    rows = [Shared(label, tuple(counter[folded] for counter in counters)) for folded, label in spelled.items()]
    several = [row for row in rows if sum(map(bool, row.counts)) > 1]
    several.sort(key=lambda row: (-sum(map(bool, row.counts)), -min(filter(None, row.counts)), -sum(row.counts)))
    return tuple(several[:LISTED])


def _rows(sides: Sequence[Side], window: Window) -> Iterable[Row]:
    thresholds = sorted({rate.threshold for one in sides for rate in one.figures.hit_rates})
    # What a threshold that nobody's works reach has to say, the one before it has said.
    reached = [t for t in thresholds if any(hit_rate(one.cohort, t).value for one in sides)] or thresholds[:1]
    for name in FORMS:
        if name == "outlier_rate":
            yield from (_row(f"{HIT_RATE}{threshold}", "percent", sides, window) for threshold in reached)
        yield _row(name, FORMS[name], sides, window)


def _row(name: str, form: str, sides: Sequence[Side], window: Window) -> Row:
    found = tuple(_figure(name, one, window) for one in sides)
    return Row(name, form, found, ratios([figure.value for figure in found]))


def _figure(name: str, one: Side, window: Window) -> Figure[float]:
    match name:
        case "works":
            return one.cohort.figure(float(len(one.cohort.counted)), one.cohort.counted)
        case "works_per_week":
            return _per_week(one, window)
        case "median_interactions":
            return one.figures.counts[INTERACTIONS].median
        case "p90_interactions":
            return one.figures.counts[INTERACTIONS].p90
        case "median_digg_count":
            return one.figures.counts["digg_count"].median
        case "fans_count" | "works_count":
            value = getattr(one.creator, name)
            rough = name in one.creator.approximate
            if value is None:
                return Figure(None, 1, reason=one.creator.missing.get(name, "unknown"), approximate=rough)
            return Figure(float(value), 1, approximate=rough)
    if name.startswith(HIT_RATE):
        return hit_rate(one.cohort, int(name.removeprefix(HIT_RATE)))
    return getattr(one.figures, name)


def _per_week(one: Side, window: Window) -> Figure[float]:
    """Works of the window ÷ its weeks; null in less than a week. Example: 9 works in 21 days are 3.0."""
    works = one.cohort.counted
    found = one.cohort.figure(0.0, works)
    if window.days < 7:
        return replace(found, value=None, reason="window_too_short")
    return replace(found, value=share(len(works), window.days / 7))
