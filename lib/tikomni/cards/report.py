"""The report on a creator: one HTML page that opens from disk and asks nothing of the network.

Pure: the same ``ReportData`` gives the same text. What strangers wrote is text in it and nothing else: printable, on
one line or in paragraphs, escaped; no script or style runs but the page's own (by digest). No figure is made here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tikomni.analysis.buckets import Standing
from tikomni.analysis.changes import Changes, Delta
from tikomni.analysis.cohort import INTERACTIONS
from tikomni.analysis.figures import Figures
from tikomni.analysis.rules import Rules
from tikomni.analysis.values import Figure
from tikomni.cards import report_values as values
from tikomni.cards import report_works as parts
from tikomni.cards import wording
from tikomni.cards.accepted import Accepted
from tikomni.cards.front_matter import CREATOR_COUNTS
from tikomni.cards.labels import labels
from tikomni.cards.markdown import one_line, url
from tikomni.cards.report_analysis import section
from tikomni.cards.report_texts import sentences, transcripts
from tikomni.facts import Creator, Work

HERE = Path(__file__).parent
CHARTS = HERE / "report.js"  # built by `npm run build`; the page is whole without it
WALL = parts.WALL
SIGNATURE_CHARS = 400
SHOWN_CHANGES = 10
PIECES = 2000  # of a template's output, in one write
_RATIOS = {
    "outlier_rate": "percent",
    "interaction_per_fan": "ratio",
    "likes_per_fan": "ratio",
    "engagement_rate": "percent",
    "ces_without_follows": "count",
    "collect_per_like": "ratio",
    "comment_per_like": "ratio",
    "share_per_like": "ratio",
}
_ELSEWHERE = ("trend", "signals")  # what only the card shows


@dataclass(frozen=True, slots=True)
class ReportWork:
    """A work, where it stands, and what was made of it.

    ``card``: path of its card from the report's folder. ``cover``: a data URI (``cards.thumbs``).
    """

    standing: Standing
    sampled: bool = False
    card: str | None = None
    cover: str | None = None

    @property
    def work(self) -> Work:
        return self.standing.work

    @property
    def mature(self) -> bool:
        """Whether the work is one of those that medians are made of."""
        return self.standing.reason in (None, "counts_unknown")

    @property
    def multiple(self) -> float | None:
        return self.standing.multiple.value


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that stands in a report.

    ``works`` in the default order, as ``standings`` gives them. ``method``: notes in the reader's language, added to
    the report's own. ``avatar``: a data URI. ``accepted`` and ``waiting``: as ``cards.accepted.stored`` gives them.
    """

    creator: Creator
    works: Sequence[ReportWork]
    figures: Figures
    rules: Rules
    generated_at: datetime
    zone: ZoneInfo
    language: str
    changes: Changes | None = None
    method: Sequence[str] = ()
    avatar: str | None = None
    accepted: Sequence[Accepted] = ()
    waiting: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Cell:
    """A label, a value as it is read, and what stands below it."""

    label: str
    value: str
    notes: Sequence[str] = ()


def chunks(data: ReportData, charts: Path = CHARTS) -> Iterator[str]:
    """The page, a part at a time: one of thousands of works is never in memory as a whole.

    ``charts`` is the built script; where it is missing, a sentence stands for each chart.
    """
    words = labels(data.language, "report")
    style, table_script = (HERE / "report.css").read_text("utf-8"), (HERE / "report-table.js").read_text("utf-8")
    script = charts.read_text("utf-8") if charts.is_file() else None
    spoken = transcripts(data.works, words)
    texts = {text["key"]: text["anchor"] for text in spoken["texts"]}
    there = {one.anchor: one.text for text in spoken["texts"] for one in sentences(text) if one.anchor}
    page = wording.template("report.html.j2").stream(
        words=words,
        policy=policy(style, [part for part in (table_script, script) if part]),
        style=style,
        table_script=table_script,
        script=script,
        page_title=words["title"].format(name=_name(data)),
        head=_head(data, words),
        profile=_profile(data, words),
        figures=_figures(data, words),
        hits=_hits(data, words),
        changes=data.changes and _changes(data, data.changes, words),
        wall=parts.wall(data, words),
        charts=parts.charts(data, words),
        heat=parts.heat(data.figures.rhythm, data.zone, words),
        table=parts.table(data, words),
        analysis=section(data.accepted, data.waiting, data.language, texts, there),
        transcripts=spoken,
        method=_method(data, words),
        made=words["made"].format(moment=values.moment(data.generated_at, data.zone)),
    )
    page.enable_buffering(PIECES)
    return page


def _method(data: ReportData, words: Mapping[str, Any]) -> list[str]:
    notes = wording.method(data.rules, words, without=_ELSEWHERE)
    return [*notes, words["source_note"], *(one_line(note) for note in data.method)]


def policy(style: str, scripts: Iterable[str]) -> str:
    """What a page may do: show data URIs, and run nothing but its own style and scripts, known by their digests."""
    allowed = " ".join(map(_digest, scripts))
    return (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# --- the creator


def _head(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    creator = data.creator
    facts = [
        *values.account(creator, words),
        words["ip"].format(place=one_line(creator.ip_location, 40)) if creator.ip_location else "",
        (one_line(creator.verified_reason or "", 80) or words["verified"]) if creator.verified else "",
    ]
    days = sorted(day for row in data.works if (day := row.work.published_date))
    dates = words["dates"].format(since=days[0], until=days[-1]) if days else ""
    read = creator.snapshot_at and words["as_of"].format(moment=values.moment(creator.snapshot_at, data.zone))
    return {
        "name": _name(data),
        "facts": [fact for fact in facts if fact],
        "signature": values.paragraphs(creator.signature, SIGNATURE_CHARS),
        "link": url(creator.profile_url),
        "avatar": data.avatar,
        "notes": [words["collected"].format(n=f"{len(data.works):,}", dates=dates), *([read] if read else [])],
    }


def _name(data: ReportData) -> str:
    creator = data.creator
    return one_line(creator.author_name or creator.author_handle or creator.platform_author_id, 60)


def _profile(data: ReportData, words: Mapping[str, Any]) -> list[_Cell]:
    """The profile's own counts; one that the platform does not have (collects on Douyin) is left out, not unknown."""
    creator, cells = data.creator, []
    for name in CREATOR_COUNTS:
        value, reason = getattr(creator, name), creator.missing.get(name)
        if value is None and reason in (None, "not_published") and name not in ("fans_count", "works_count"):
            continue
        notes = [wording.reason(reason or "not_in_answer", words)] if value is None else []
        cells.append(_Cell(words["fields"][name], values.short(creator, name, words), notes))
    return cells


# --- figures


def _figures(data: ReportData, words: Mapping[str, Any]) -> list[_Cell]:
    figures, named = data.figures, words["figures"]
    both = "collected_count" in data.rules.total_likes
    found = [
        (f"{part}_{name}", "count", getattr(figures.counts[name], part))
        for name in (INTERACTIONS, "digg_count")
        for part in ("median", "p90")
    ]
    found += [(name, form, getattr(figures, name)) for name, form in _RATIOS.items()]
    return [
        _Cell(
            named["likes_and_collects_per_fan" if both and name == "likes_per_fan" else name],
            values.figure(figure, form, words),
            _basis(figure, words),
        )
        for name, form, figure in found
        if figure.reason != "not_of_this_platform"
    ]


def _hits(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    """The hit rates as a table: a row for each threshold, a column for each window."""
    rates = data.figures.hit_rates
    windows = list(dict.fromkeys(rate.days for rate in rates))
    cells = {(rate.threshold, rate.days): rate.rate for rate in rates}
    reasons = {figure.reason for figure in cells.values()}
    return {
        # One reason for all is said once.
        "none": wording.reason(reasons.pop() or "", words) if len(reasons) == 1 and None not in reasons else "",
        "windows": [words["last_days"].format(days=days) if days else words["all_time"] for days in windows],
        "rows": [
            _Cell(
                words["threshold"].format(count=values.compact(threshold, words)),
                "",
                [
                    _Cell("", wording.figure(figure, "percent"), _basis(figure, words))
                    for figure in (cells[threshold, days] for days in windows)
                ],
            )
            for threshold in dict.fromkeys(rate.threshold for rate in rates)
        ],
    }


def _basis(figure: Figure[Any], words: Mapping[str, Any]) -> list[str]:
    if figure.value is None and figure.reason:
        return [wording.reason(figure.reason, words)]
    dates = " – ".join(dict.fromkeys(day for day in (figure.since, figure.until) if day))
    works = words["based_on_one" if figure.n == 1 else "based_on"].format(n=f"{figure.n:,}")
    return [works, *([dates] if dates else [])]


def _changes(data: ReportData, changes: Changes, words: Mapping[str, Any]) -> dict[str, Any]:
    works = {row.work.key: row.work for row in data.works}

    def named(key: str) -> tuple[str, str | None]:
        work = works.get(key)
        return (values.title(work, words), wording.link(work)) if work else (one_line(key.partition(":")[2], 60), None)

    def listed(keys: Sequence[str]) -> dict[str, Any]:
        lines = [named(key) for key in keys[:SHOWN_CHANGES]]
        more = len(keys) - len(lines)
        return {"n": len(keys), "lines": lines, "more": words["more"].format(n=more) if more else ""}

    growers = [(*named(grower.key), *_moved(grower.interactions, words)) for grower in changes.top_growers]
    return {
        "since": words["changes_lede"].format(since=values.moment(changes.since, data.zone)),
        "fans": _Cell(words["changed"]["fans_delta"], *_moved(changes.fans_delta, words)),
        "new": listed(changes.new_works),
        "deleted": None if changes.deleted_works is None else listed(changes.deleted_works),
        "growers": growers,
    }


def _moved(delta: Delta, words: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The difference, and the counts that it lies between or the reason why it is unknown."""
    if delta.value is None:
        return wording.UNKNOWN, [wording.reason(delta.reason or "unknown", words)]
    return wording.difference(delta), [wording.between(delta)]
