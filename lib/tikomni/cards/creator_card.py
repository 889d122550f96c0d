"""The Markdown card of a creator: facts, figures with what they rest on, changes, works by bucket, rhythm, signals.

Pure: the same creator, summary and old card give the same bytes. No figure is made here, and nothing here is an
analysis. Every text that strangers wrote goes through ``cards.markdown``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tikomni.analysis.aggregate import Aggregates, Distribution
from tikomni.analysis.buckets import BUCKETS, Standing
from tikomni.analysis.changes import Changes, Delta
from tikomni.analysis.cohort import INTERACTIONS, order
from tikomni.analysis.figures import Figures
from tikomni.analysis.rules import Rules
from tikomni.analysis.sampling import Sample
from tikomni.analysis.values import Figure
from tikomni.cards import front_matter, kept, wording
from tikomni.cards.assets import Asset
from tikomni.cards.labels import labels, language, note_headings
from tikomni.cards.markdown import cell, inline, quote, url
from tikomni.cards.paths import Kind
from tikomni.facts import Creator, Missing, Work
from tikomni.settings import Settings

TITLE_CHARS = 80
LISTED = {"Top": 10, "Bottom": 5}  # buckets whose works are shown, and how many of them
NEWS = 10
HOURS = 4  # to a column of the rhythm
_RATIOS = {
    "outlier_rate": "percent",
    "interaction_per_fan": "ratio",
    "likes_per_fan": "ratio",
    "engagement_rate": "percent",
    "collect_per_like": "ratio",
    "comment_per_like": "ratio",
    "share_per_like": "ratio",
    "ces_without_follows": "count",
}
# The names of all figures that a card of ours may have, whatever the thresholds were.
_FIGURE = re.compile(rf"(?:(?:median|p90)_\w+|hit_rate_\d+(?:_\d+d)?|{'|'.join(_RATIOS)})(?:_approximate)?")
_PARTS = ("works", "mature", "immature", "undated", "ignored")
_TRAITS = ("hook", "structure", "cta", "form", "style", "keywords")

Link = Callable[[Work, str], str | None]


@dataclass(frozen=True, slots=True)
class Collection:
    """How the list of works was read. ``requested``: at most so many works, null for all; ``complete``: to its end."""

    requested: int | None
    fetched: int
    pages: int
    stop_reason: str
    complete: bool


@dataclass(frozen=True, slots=True)
class CreatorSummary:
    """What a run found of a creator. ``rules``: those that the figures were made with.

    ``avatar``: stored picture. ``missing``: what was asked for and could not be had; of it what befell single works
    is counted. ``work_kind``: where the works' cards stand.
    """

    rules: Rules
    figures: Figures
    standings: tuple[Standing, ...]
    collection: Collection
    sample: Sample | None = None
    aggregates: Aggregates | None = None
    changes: Changes | None = None
    avatar: Asset | None = None
    missing: tuple[Missing, ...] = ()
    work_kind: Kind = "author_sample_work"


@dataclass(frozen=True, slots=True)
class _Row:
    """A figure, its name as a property and in words, and its form (``wording.figure``)."""

    name: str
    label: str
    form: str
    figure: Figure[float]


@dataclass(frozen=True, slots=True)
class _Writer:
    """What all sections are written with."""

    settings: Settings
    creator: Creator
    summary: CreatorSummary
    link: Link
    words: Mapping[str, Any]


def render(
    settings: Settings, creator: Creator, summary: CreatorSummary, link: Link, old: kept.Card | None = None
) -> bytes:
    """The card as bytes; what is the user's in ``old`` is kept, their words byte for byte.

    Args:
        link: wikilink to the card of a work, read as the given title; ``None`` where it has no card.
    """
    words = labels(language(settings, creator.platform))
    generated = _generated(_Writer(settings, creator, summary, link, words), old)
    return kept.join(generated, old, words["notes"], note_headings())


def _generated(of: _Writer, old: kept.Card | None) -> str:
    creator, summary, words = of.creator, of.summary, of.words
    rows = _rows(of)
    tags = front_matter.tags("tikomni/creator", *(old.values("tags") if old else ()))
    aliases = old.values("aliases") if old else ()
    values = front_matter.creator_members(creator, tags, aliases, summary.avatar.path if summary.avatar else None)
    figures = front_matter.figure_members({row.name: row.figure for row in rows})
    values |= {"works_collected": summary.figures.works, "works_mature": summary.figures.mature, **figures}
    ours = front_matter.CREATOR_NAMES | values.keys()
    ours |= {entry.name for entry in old.entries if _FIGURE.fullmatch(entry.name)} if old else set()
    return wording.template("creator.md.j2").render(
        label=words,
        front=front_matter.dump(values) + (old.others(ours) if old else ""),
        title=inline(creator.author_name or creator.author_handle or creator.platform_author_id, TITLE_CHARS),
        avatar=summary.avatar.path if summary.avatar else None,
        facts=_facts(of),
        signature=quote(creator.signature or ""),
        profile=[(words["fields"][name], wording.count(creator, name)) for name in front_matter.CREATOR_COUNTS],
        figures=[_figure_row(row, words) for row in rows],
        parted=words["parted"].format(**{k: f"{getattr(summary.figures, k):,}" for k in _PARTS}),
        changes=_changes(summary.changes, of) if summary.changes else None,
        buckets=_buckets(of),
        listed=_listed(of),
        rhythm=_rhythm(of),
        durations=_durations(of),
        trend=_trend(of),
        signals=_signals(summary.aggregates, words) if summary.aggregates else [],
        sample=_sample(of),
        missing=_missing(of),
        sources=_sources(of),
        method=wording.method(summary.rules, words),
    )


def _facts(of: _Writer) -> list[tuple[str, str]]:
    creator, words = of.creator, of.words
    verified = inline(creator.verified_reason or "") or words["verified_yes"] if creator.verified else ""
    link = url(creator.profile_url)
    rows = (
        ("platform", words["platforms"].get(creator.platform) or inline(creator.platform)),
        ("handle", inline(creator.author_handle or "")),
        ("verified", verified),
        ("ip_location", inline(creator.ip_location or "")),
        ("profile", f"[{words['open_profile']}]({link})" if link else ""),
        ("snapshot", wording.moment(creator.snapshot_at, of.settings) or ""),
    )
    return [(words[name], value) for name, value in rows if value]


# --- figures


def _rows(of: _Writer) -> list[_Row]:
    figures, words = of.summary.figures, of.words
    named = words["figures"]
    found = []
    for name in (INTERACTIONS, "digg_count"):
        spread = figures.counts[name]
        found += [(f"median_{name}", "count", spread.median), (f"p90_{name}", "count", spread.p90)]
    rows = [_Row(name, named[name], form, figure) for name, form, figure in found]
    for kind, spread in figures.kinds.items():
        label = named["median_of_kind"].format(kind=words["media"].get(kind) or inline(kind))
        rows.append(_Row(f"median_interactions_{kind}", label, "count", spread.median))
    for hit in figures.hit_rates:
        window = words["last_days"].format(days=hit.days) if hit.days else words["all_time"]
        label = named["hit_rate"].format(threshold=f"{hit.threshold:,}", window=window)
        name = f"hit_rate_{hit.threshold}" + (f"_{hit.days}d" if hit.days else "")
        rows.append(_Row(name, label, "percent", hit.rate))
    both = "collected_count" in of.summary.rules.total_likes
    for name, form in _RATIOS.items():
        label = named["likes_and_collects_per_fan" if both and name == "likes_per_fan" else name]
        rows.append(_Row(name, label, form, getattr(figures, name)))
    return [row for row in rows if row.figure.reason != "not_of_this_platform"]


def _figure_row(row: _Row, words: Mapping[str, Any]) -> tuple[str, ...]:
    figure = row.figure
    told = wording.reason(figure.reason, words) if figure.value is None and figure.reason else ""
    return row.label, wording.figure(figure, row.form), f"{figure.n:,}", wording.span(figure, words), told


# --- what changed


def _changes(changes: Changes, of: _Writer) -> list[tuple[str, str, list[str]]]:
    """Lines as name, value, and the works below it."""
    words = of.words
    works = {standing.work.key: standing.work for standing in of.summary.standings}

    def listed(keys: Sequence[str]) -> list[str]:
        lines = [_linked(works.get(key) or Work(*key.split(":", 1)), of) for key in keys[:NEWS]]
        return lines + ([words["more"].format(n=len(keys) - NEWS)] if len(keys) > NEWS else [])

    grown = [
        f"{_linked(work, of) if (work := works.get(g.key)) else inline(g.title or g.key, TITLE_CHARS)}"
        f"{words['colon']}{_moved(g.interactions, words)}"
        for g in changes.top_growers
    ]
    deleted = changes.deleted_works
    rows = [
        ("since", wording.moment(changes.since, of.settings) or "", []),
        ("fans_delta", _moved(changes.fans_delta, words), []),
        ("new_works", f"{len(changes.new_works):,}", listed(changes.new_works)),
        (
            "deleted_works",
            words["not_walked"] if deleted is None else f"{len(deleted):,}",
            listed(deleted or ()),
        ),
        ("top_growers", "" if grown else "0", grown),
    ]
    return [(words["changed"][name], value, below) for name, value, below in rows]


def _moved(delta: Delta, words: Mapping[str, Any]) -> str:
    between = f"{words['open']}{wording.between(delta)}{words['close']}"
    if delta.value is None:
        return f"{wording.UNKNOWN}{between}{words['comma']}{wording.reason(delta.reason or 'unknown', words)}"
    return wording.difference(delta) + between


# --- works


def _buckets(of: _Writer) -> list[tuple[str, ...]]:
    profiles = of.summary.aggregates.buckets if of.summary.aggregates else {}
    rows = []
    for name in BUCKETS:
        n = sum(standing.bucket == name for standing in of.summary.standings)
        middle = profiles[name].medians[INTERACTIONS] if name in profiles else None
        typical = (wording.figure(middle, "count"), wording.span(middle, of.words)) if middle else ("", "")
        rows.append((of.words["buckets"][name], f"{n:,}", *typical))
    return rows


def _listed(of: _Writer) -> list[tuple[str, list[str]]]:
    """The works of the buckets that are shown, in the default order; of Bottom those at its end."""
    found = []
    for name, most in LISTED.items():
        members = [standing for standing in of.summary.standings if standing.bucket == name]
        members.sort(key=lambda standing: order(standing.work))
        shown = members[:most] if name == "Top" else members[-most:]
        if shown:
            heading = of.words["works_of_bucket"].format(bucket=of.words["buckets"][name])
            found.append((heading, [_line(standing, of) for standing in shown]))
    return found


def _line(standing: Standing, of: _Writer) -> str:
    words = of.words
    total = standing.interactions
    reach = "" if total is None else f"{'≈' if standing.approximate else ''}{total:,}"
    parts = [
        _linked(standing.work, of),
        words["interactions_n"].format(n=reach) if reach else "",
        f"×{wording.number(standing.multiple.value, 'multiple')}" if standing.multiple.value is not None else "",
        standing.work.published_date or "",
        *(words[mark] for mark in ("pinned", "sponsored") if getattr(standing.work, mark)),
    ]
    return " · ".join(part for part in parts if part)


def _linked(work: Work, of: _Writer) -> str:
    """The way to the card of ``work``; where it has none, its title and id."""
    title = work.title or work.caption_raw or ""
    if found := of.link(work, title or work.platform_work_id):
        return found
    shown = inline(title, TITLE_CHARS)
    work_id = inline(work.platform_work_id)
    return f"{shown}{of.words['open']}{work_id}{of.words['close']}" if shown else work_id


def _sample(of: _Writer) -> list[tuple[str, list[str]]]:
    sample = of.summary.sample
    if sample is None:
        return []
    rows = []
    for name in BUCKETS:
        picked = [standing.work for standing in sample.picked if standing.bucket == name]
        if picked:
            heading = f"{of.words['buckets'][name]}{of.words['open']}{len(picked)}{of.words['close']}"
            rows.append((heading, [_linked(work, of) for work in sorted(picked, key=order)]))
    return rows


# --- rhythm, lengths, trend


def _rhythm(of: _Writer) -> Mapping[str, Any] | None:
    rhythm, words = of.summary.figures.rhythm, of.words
    if rhythm.hours.value is None:
        return None
    rows = []
    for name, hours in zip(words["weekdays"], rhythm.hours.value, strict=True):
        cells = [sum(hours[start : start + HOURS]) for start in range(0, 24, HOURS)]
        rows.append((name, [str(n) if n else "" for n in cells], sum(cells)))
    return {
        "basis": words["rhythm_basis"].format(
            n=f"{rhythm.hours.n:,}", span=wording.span(rhythm.hours, words), zone=of.settings.display_zone
        ),
        "columns": [f"{start}–{start + HOURS}" for start in range(0, 24, HOURS)],
        "rows": rows,
    }


def _durations(of: _Writer) -> list[tuple[str, ...]]:
    found, words = of.summary.figures.durations, of.words
    rows, floor = [], 0
    for kind in found.classes:
        bounds = words["longer"].format(floor=floor) if kind.below_ms is None else f"{floor}–{kind.below_ms // 1000}"
        ratio = wording.UNKNOWN if kind.ratio is None else wording.number(kind.ratio, "percent")
        middle = kind.interactions
        row = (words["seconds"].format(bounds=bounds), f"{kind.count:,}", ratio)
        rows.append((*row, wording.figure(middle, "count"), f"{middle.n:,}", wording.span(middle, words)))
        floor = (kind.below_ms or 0) // 1000
    return rows if found.n else []


def _trend(of: _Writer) -> list[tuple[str, ...]]:
    """The ages at which there are enough works to compare."""
    words = of.words
    return [
        (
            words["age"].format(first=age.from_days, last=age.to_days or "…"),
            f"{'≈' if age.ratio.approximate else ''}×{wording.number(age.ratio.value or 0, 'ratio')}",
            f"{wording.number(age.newer_median or 0)}{words['open']}{age.newer_age_days}{words['close']}",
            f"{wording.number(age.older_median or 0)}{words['open']}{age.older_age_days}{words['close']}",
            f"{age.ratio.n:,}",
            wording.span(age.ratio, words),
        )
        for age in of.summary.figures.trend
        if age.ratio.value is not None
    ]


# --- signals


def _signals(found: Aggregates, words: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """For each trait: what all works show, and what those of the Top bucket show."""
    top = found.buckets["Top"]
    rows = [(name, found.traits[name], top.traits[name]) for name in _TRAITS]
    rows.append(("topics", found.topics, top.topics))
    return [
        (words["traits"][name], _distribution(name, every, words), _distribution(name, best, words))
        for name, every, best in rows
        if every.items
    ]


def _distribution(trait: str, found: Distribution, words: Mapping[str, Any]) -> str:
    named = words["signals"].get(trait, {})
    listed = [
        f"{named.get(item.label) or cell(item.label)} {item.count}"
        + (f"{words['open']}{item.ratio:.0%}{words['close']}" if item.ratio is not None else "")
        for item in found.items[: 12 if trait in ("keywords", "topics") else 5]
    ]
    if found.none and trait not in ("keywords", "topics"):
        listed.append(f"{words['no_answer']} {found.none}")
    return words["comma"].join(listed) or wording.UNKNOWN


# --- where it comes from


def _missing(of: _Writer) -> list[str]:
    """What the profile lacks, and how many works lack what."""
    words = of.words
    told = [(wording.field(name, words), wording.reason(code, words)) for name, code in of.creator.missing.items()]
    of_works = Counter(
        (name, code)
        for standing in of.summary.standings
        for name, code in standing.work.missing.items()
        if name != "primary_text"
    )
    partial = Counter((n, c) for standing in of.summary.standings for n, c in standing.work.partial.items())
    for counted, form in ((of_works, "lacking"), (partial, "lacking_part")):
        told += [
            (wording.field(name, words), words[form].format(n=f"{n:,}", reason=wording.reason(code, words)))
            for (name, code), n in counted.most_common()
        ]
    keys = {standing.work.key for standing in of.summary.standings}
    told += [
        (wording.field(gap.field, words), wording.reason(gap.reason, words))
        for gap in of.summary.missing
        if gap.item not in keys and gap.field not in of.creator.missing
    ]
    return [f"{name}{words['colon']}{why}" for name, why in dict.fromkeys(told)]


def _sources(of: _Writer) -> list[tuple[str, str]]:
    words, collection = of.words, of.summary.collection
    rows = wording.routes(of.creator.field_sources, words)
    works = [standing.work for standing in of.summary.standings]
    asked = Counter(route for work in works for route in set(map(wording.route, work.field_sources.values())))
    asked.pop("derived", None)
    rows += [(inline(route), words["works_n"].format(n=f"{n:,}")) for route, n in sorted(asked.items())]
    spoken = Counter(work.transcript.source for work in works if work.transcript)
    rows += [
        (words["words_from"], f"{words['transcript_sources'][source]} {n:,}") for source, n in spoken.most_common()
    ]
    wanted = words["everything"] if collection.requested is None else f"{collection.requested:,}"
    read = words["collected"].format(fetched=f"{collection.fetched:,}", pages=collection.pages, requested=wanted)
    end = words["to_the_end"] if collection.complete else wording.reason(collection.stop_reason, words)
    return [
        *rows,
        (words["list"], f"{read}{words['comma']}{end}"),
        (words["author_id"], inline(of.creator.platform_author_id)),
    ]
