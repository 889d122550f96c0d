"""The report on a creator: one HTML page that opens from disk and asks nothing of the network.

Pure: the same ``ReportData`` gives the same text. What strangers wrote is text in it and nothing else: printable, on
one line or in paragraphs, escaped; no script or style runs but the page's own (by digest). No figure is made here.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tikomni.analysis.buckets import BUCKETS, Standing
from tikomni.analysis.changes import Changes, Delta
from tikomni.analysis.cohort import INTERACTIONS, count
from tikomni.analysis.figures import Figures
from tikomni.analysis.rules import COUNTS, Rules
from tikomni.analysis.values import Figure
from tikomni.cards import wording
from tikomni.cards.labels import labels
from tikomni.cards.markdown import one_line, url
from tikomni.facts import Creator, Work
from tikomni.storage.names import printable

if TYPE_CHECKING:
    import jinja2

HERE = Path(__file__).parent
CHARTS = HERE / "report.js"  # built by `npm run build`; the page is whole without it
TITLE_CHARS = 120
WALL = 200  # covers: what 2.5 MB hold
TEXTS = 300  # transcripts: more make a page that is slow to open
CHART_WORKS = 5  # fewer dots say less than the table does
WINDOW_WORKS = 24  # from here on a moving median says more than one for all
SIGNATURE_CHARS = 400
SHOWN_CHANGES = 10
HEAT_LEVELS = 5
_PROFILE = ("fans_count", "following_count", "liked_count", "collected_count", "works_count")
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
_METHOD = ("interactions", "multiple", "mature", "percentile", "recency", "hit_rate", "approximate")


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
    the report's own. ``avatar``: a data URI.
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


@dataclass(frozen=True, slots=True)
class _Cell:
    """A label, a value as it is read, and what stands below it."""

    label: str
    value: str
    notes: Sequence[str] = ()


def render(data: ReportData, charts: Path = CHARTS) -> str:
    """The page as text. ``charts`` is the built script; where it is missing, a sentence stands for each chart."""
    words = _words(data.language)
    works = data.works
    style, table_script = (HERE / "report.css").read_text("utf-8"), (HERE / "report-table.js").read_text("utf-8")
    script = charts.read_text("utf-8") if charts.is_file() else None
    measure = _measure(works)
    return _template().render(
        words=words,
        policy=_policy(style, [part for part in (table_script, script) if part]),
        style=style,
        table_script=table_script,
        script=script,
        head=_head(data, words),
        profile=_profile(data, words),
        figures=_figures(data, words),
        hits=_hits(data, words),
        changes=data.changes and _changes(data, data.changes, words),
        wall=_wall(data, words),
        charts=_charts(works, measure, data, words),
        heat=_heat(data, words),
        table=_table(works, data, words),
        transcripts=_transcripts(works, data, words),
        method=_method(data, words),
        made=words["made"].format(moment=_moment(data.generated_at, data.zone)),
    )


def _method(data: ReportData, words: Mapping[str, Any]) -> list[str]:
    used = data.rules
    numbers = {name: f"{used.weights.get(name, 0):g}" for name in COUNTS}
    numbers |= {"hours": f"{used.immature_hours:g}", "least": str(used.min_works)}
    names = (*_METHOD, *(["ces"] if used.ces_weights else []))
    notes = [words["method_notes"][name].format(**numbers) for name in names]
    return [*notes, words["source_note"], *(one_line(note) for note in data.method)]


def _policy(style: str, scripts: Iterable[str]) -> str:
    allowed = " ".join(map(_digest, scripts))
    return (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


# --- the creator


def _head(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    creator, name = data.creator, _name(data)
    facts = [
        words["platforms"].get(creator.platform) or one_line(creator.platform),
        f"@{one_line(creator.author_handle, 60)}" if creator.author_handle else "",
        words["ip"].format(place=one_line(creator.ip_location, 40)) if creator.ip_location else "",
        (one_line(creator.verified_reason or "", 80) or words["verified"]) if creator.verified else "",
    ]
    days = sorted(day for row in data.works if (day := row.work.published_date))
    dates = words["dates"].format(since=days[0], until=days[-1]) if days else ""
    read = creator.snapshot_at and words["as_of"].format(moment=_moment(creator.snapshot_at, data.zone))
    return {
        "name": name,
        "page_title": words["title"].format(name=name),
        "facts": [fact for fact in facts if fact],
        "signature": _paragraphs(creator.signature, SIGNATURE_CHARS),
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
    for name in _PROFILE:
        value, reason = getattr(creator, name), creator.missing.get(name)
        if value is None and not reason and name not in ("fans_count", "works_count"):
            continue
        notes = [wording.reason(reason or "not_in_answer", words)] if value is None else []
        cells.append(_Cell(words["fields"][name], _short(creator, name, words), notes))
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
            _written(figure, form, words),
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
                words["threshold"].format(count=_compact(threshold, words)),
                "",
                [
                    _Cell("", _written(figure, "percent", words), _basis(figure, words))
                    for figure in (cells[threshold, days] for days in windows)
                ],
            )
            for threshold in dict.fromkeys(rate.threshold for rate in rates)
        ],
    }


def _written(figure: Figure[float], form: str, words: Mapping[str, Any]) -> str:
    if figure.value is None or form != "count":
        return wording.figure(figure, form)
    return ("≈" if figure.approximate else "") + _compact(figure.value, words)


def _basis(figure: Figure[Any], words: Mapping[str, Any]) -> list[str]:
    if figure.value is None and figure.reason:
        return [wording.reason(figure.reason, words)]
    dates = " – ".join(dict.fromkeys(day for day in (figure.since, figure.until) if day))
    return [words["based_on"].format(n=f"{figure.n:,}"), *([dates] if dates else [])]


def _changes(data: ReportData, changes: Changes, words: Mapping[str, Any]) -> dict[str, Any]:
    works = {row.work.key: row.work for row in data.works}

    def named(key: str) -> tuple[str, str | None]:
        work = works.get(key)
        return (_title(work, words), _link(work)) if work else (one_line(key.partition(":")[2], 60), None)

    def listed(keys: Sequence[str]) -> dict[str, Any]:
        lines = [named(key) for key in keys[:SHOWN_CHANGES]]
        more = len(keys) - len(lines)
        return {"n": len(keys), "lines": lines, "more": words["more"].format(n=more) if more else ""}

    growers = [(*named(grower.key), *_moved(grower.interactions, words)) for grower in changes.top_growers]
    return {
        "since": words["changes_lede"].format(since=_moment(changes.since, data.zone)),
        "fans": _Cell(words["changed"]["fans_delta"], *_moved(changes.fans_delta, words)),
        "new": listed(changes.new_works),
        "deleted": None if changes.deleted_works is None else listed(changes.deleted_works),
        "growers": growers,
    }


def _moved(delta: Delta, words: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The difference, and the counts that it lies between or the reason why it is unknown."""
    if delta.value is None:
        return wording.UNKNOWN, [wording.reason(delta.reason or "unknown", words)]
    text = f"{'≈' if delta.approximate else ''}{delta.value:+,}"
    return text, [f"{_whole(delta.before)} → {_whole(delta.after)}"]


# --- works


def _wall(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    """The most liked works with their covers; none where no work has one."""
    works = data.works if any(row.cover for row in data.works) else ()
    liked = sorted((r for r in works if r.work.digg_count is not None), key=lambda r: -(r.work.digg_count or 0))
    shown = liked[:WALL]
    notes = [words["wall_most"].format(total=f"{len(liked):,}", shown=len(shown))] if len(shown) < len(liked) else []
    notes += [words["no_likes"].format(n=len(works) - len(liked))] if len(liked) < len(works) else []
    return {
        "notes": notes,
        "covers": [
            {
                "title": _title(row.work, words),
                "link": _link(row.work),
                "cover": row.cover,
                "likes": words["likes_of"].format(count=_short(row.work, "digg_count", words)),
                "multiple": _multiple(row.multiple),
                "strong": (row.multiple or 0) > data.rules.outlier_multiple,
            }
            for row in shown
        ],
    }


def _measure(works: Sequence[ReportWork]) -> str:
    """What the charts show: interactions, unless most works have likes alone."""
    known = sum(row.standing.interactions is not None for row in works)
    liked = sum(row.work.digg_count is not None for row in works)
    return INTERACTIONS if known * 2 >= liked else "digg_count"


def _charts(works: Sequence[ReportWork], measure: str, data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    """What the charts are drawn from, and the words around them."""
    name = words["measures"][measure]
    known = [(row, value) for row in works if (value := count(row.work, measure)) is not None]
    dated = [(row, value) for row, value in known if row.work.published_at]
    drawn = sorted(
        ((_clock(row.work.published_at, data.zone), row, value) for row, value in dated if value > 0),
        key=lambda point: point[0],
    )
    spread = [value for row, value in known if row.mature and value > 0]
    ripe = sum(row.mature for _, row, _ in drawn)
    window = max(11, ripe // 6) | 1 if ripe >= WINDOW_WORKS else 0
    middle, high = (getattr(data.figures.counts[measure], part).value for part in ("median", "p90"))
    left, zeros = len(works) - len(dated), len(dated) - len(drawn)
    left_out = [words["left_out"].format(n=left, measure=name)] if left else []
    left_out += [words["zeros"].format(n=zeros, measure=name)] if zeros else []
    band = words["timeline_band"].format(k=window) if window else words["timeline_median"]
    few = {
        "timeline": "" if len(drawn) >= CHART_WORKS else words["chart_too_few"].format(n=len(drawn)),
        "distribution": "" if len(spread) >= 2 * CHART_WORKS else words["chart_too_few"].format(n=len(spread)),
    }
    return {
        "timeline": {
            "notes": [words["timeline_lede"].format(measure=name), *([] if few["timeline"] else [band]), *left_out],
            "alt": words["timeline_alt"].format(n=len(drawn), measure=name),
            "few": few["timeline"],
            "window": window,
            "uncounted": any(not row.mature for _, row, _ in drawn),
        },
        "distribution": {
            "notes": [words["distribution_lede"].format(measure=name)],
            "alt": words["distribution_alt"].format(
                n=len(spread), measure=name, median=_compact(middle or 0, words), p90=_compact(high or 0, words)
            ),
            "few": few["distribution"],
        },
        "data": _json(
            {
                "language": words["lang"],
                "works": [_point(moment, row, value, data.rules, words) for moment, row, value in drawn],
                "values": spread,
                "window": window,
                "median": middle,
                "p90": high,
                "labels": {part: words[part] for part in ("median", "p90")},
            }
        ),
    }


def _point(moment: datetime, row: ReportWork, value: int, used: Rules, words: Mapping[str, Any]) -> list[Any]:
    notes = (row.work.published_date, _multiple(row.multiple), *_marks(row, used, words))
    return [
        moment.timestamp() * 1000,
        value,
        _title(row.work, words, 60),
        int(row.standing.bucket == "Top"),
        int(row.mature),
        "".join(f" · {note}" for note in notes if note),
    ]


def _heat(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    """The posting rhythm as rows of ``(weekday, [(works, level of colour)])``."""
    rhythm = data.figures.rhythm
    grid = rhythm.hours.value or ()
    most = max((n for day in grid for n in day), default=0)
    levels = min(HEAT_LEVELS, most)
    notes = [words["heat_lede"].format(n=f"{rhythm.hours.n:,}", zone=data.zone.key)] if grid else [words["heat_none"]]
    if most > 1:
        day, hour = next((d, h) for d, hours in enumerate(grid) for h, n in enumerate(hours) if n == most)
        notes.append(words["heat_most"].format(weekday=words["weekdays"][day], hour=hour, n=most))
    if grid and rhythm.unknown:
        notes.append(words["heat_without"].format(n=rhythm.unknown))
    return {
        "notes": notes,
        "most": most,
        "levels": range(1, levels + 1),
        "rows": [
            (day, [(n, -(-n * levels // most) if n else 0) for n in hours])
            for day, hours in zip(words["weekdays"], grid, strict=False)
        ],
    }


def _table(works: Sequence[ReportWork], data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    """Every work; a column that nobody has a value for is left out."""
    names = [name for name in (*COUNTS, "play_count") if any(getattr(row.work, name) is not None for row in works)]
    media = words["media"]
    rows = [
        {
            "title": _title(row.work, words),
            "link": _link(row.work),
            "card": row.card and quote(row.card, safe="/"),
            "find": one_line(" ".join((row.work.title or row.work.caption_raw or "", *row.work.topics)), 200).lower(),
            "marks": _marks(row, data.rules, words) + ([words["sample"]] if row.sampled else []),
            "date": row.work.published_date or "",
            "moment": row.work.published_at or row.work.published_date or "",
            "form": media[row.work.media_kind],
            "duration": row.work.duration_ms,
            "length": wording.UNKNOWN if row.work.duration_ms is None else wording.duration(row.work.duration_ms),
            "counts": [(getattr(row.work, name), wording.count(row.work, name)) for name in names],
            "interactions": row.standing.interactions,
            "interactions_text": ("≈" if row.standing.approximate else "") + _whole(row.standing.interactions),
            "multiple": row.multiple,
            "multiple_text": _multiple(row.multiple) or wording.UNKNOWN,
            "strong": (row.multiple or 0) > data.rules.outlier_multiple,
            "rank": row.standing.rank,
            "bucket": row.standing.bucket,
        }
        for row in works
    ]
    return {
        "counts": names,
        "rows": rows,
        "lengths": any(row["duration"] is not None for row in rows),
        "buckets": [name for name in BUCKETS if any(row["bucket"] == name for row in rows)],
        "forms": list(dict.fromkeys(row["form"] for row in rows)),
        "showing": words["showing"].format(shown=f"{len(rows):,}", total=f"{len(rows):,}"),
    }


def _marks(row: ReportWork, used: Rules, words: Mapping[str, Any]) -> list[str]:
    """What sets a work apart from those that are counted and ranked."""
    marks = [name for name in ("pinned", "sponsored") if getattr(row.work, name)]
    marks += ["immature"] if row.standing.reason == "immature" else []
    return [words["marks"][name].format(hours=f"{used.immature_hours:g}") for name in marks]


def _transcripts(works: Sequence[ReportWork], data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    sources = words["transcript_sources"]
    spoken = [row.work for row in works if row.work.transcript]
    silent = [row.work for row in works if row.work.work_modality == "video" and not row.work.transcript]
    reasons = Counter(wording.reason(work.missing.get("transcript", "not_requested"), words) for work in silent)
    told = words["comma"].join(f"{reason} {n}" for reason, n in reasons.most_common())
    lede = words["transcripts_lede"].format(n=f"{len(spoken):,}") if spoken else words["no_transcripts"]
    if len(spoken) > TEXTS:
        lede += words["transcripts_most"].format(shown=TEXTS)
    return {
        "notes": [lede, *([words["without_words"].format(n=len(silent), reasons=told)] if silent else [])],
        "texts": [
            {
                "title": _title(work, words),
                "notes": [
                    work.published_date or "",
                    sources.get(words_of.source) or one_line(words_of.source),
                    words["characters"].format(n=f"{len(words_of.clean):,}"),
                ],
                "paragraphs": _paragraphs(words_of.clean),
            }
            for work in spoken[:TEXTS]
            if (words_of := work.transcript)
        ],
    }


# --- values as they are read


def _title(work: Work, words: Mapping[str, Any], most: int = TITLE_CHARS) -> str:
    text = one_line(work.title or work.caption_raw or "", most)
    return text or f"{words['untitled']} {one_line(work.platform_work_id, 40)}"


def _link(work: Work) -> str | None:
    return url(work.open_url) or url(work.source_url)


def _paragraphs(text: str | None, most: int | None = None) -> list[str]:
    seen = printable(text or "")
    cut = seen if most is None or len(seen) <= most else seen[: most - 1] + "…"
    return [line.strip() for line in cut.split("\n") if line.strip()]


def _compact(value: float, words: Mapping[str, Any]) -> str:
    """Three digits and a unit: ``1.2万``, ``12.3k``."""
    for least, size, unit in words["units"]:
        if value >= least:
            scaled = value / size
            return f"{scaled:,.0f}{unit}" if scaled >= 100 else f"{scaled:.1f}".removesuffix(".0") + unit
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}".removesuffix(".0")


def _short(of: Work | Creator, name: str, words: Mapping[str, Any]) -> str:
    """A count as ``wording.count`` marks it, in few digits."""
    value, how = getattr(of, name), of.approximate.get(name)
    if value is None:
        return wording.UNKNOWN
    return f"{'≈' if how == 'rounded' else ''}{_compact(value, words)}{'+' if how == 'at_least' else ''}"


def _whole(value: int | None) -> str:
    return wording.UNKNOWN if value is None else f"{value:,}"


def _multiple(value: float | None) -> str:
    return "" if value is None else f"×{value:.0f}" if value >= 10 else f"×{value:.1f}"


def _clock(iso: str | None, zone: ZoneInfo) -> datetime:
    """The wall clock of the display zone, told as if it were UTC."""
    return datetime.fromisoformat(iso or "").astimezone(zone).replace(tzinfo=ZoneInfo("UTC"))


def _moment(moment: str | datetime, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def _json(value: Any) -> str:
    """JSON that a script element holds whatever is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _words(language: str) -> dict[str, Any]:
    return labels(language) | _all_words()[language]


@cache
def _all_words() -> dict[str, Any]:
    import yaml

    return yaml.safe_load((HERE / "report.yaml").read_text(encoding="utf-8"))


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
