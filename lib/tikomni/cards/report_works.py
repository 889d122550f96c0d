"""The parts of a report that show works: covers, charts, rhythm, table. Pure; nothing here is escaped."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tikomni.analysis.buckets import BUCKETS
from tikomni.analysis.cohort import INTERACTIONS, count
from tikomni.analysis.rules import Rules
from tikomni.cards import report_values as values
from tikomni.cards import wording
from tikomni.cards.front_matter import COUNTS
from tikomni.cards.markdown import one_line

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tikomni.analysis.timing import Rhythm
    from tikomni.cards.report import ReportData, ReportWork

WALL = 200  # covers: what 2.5 MB hold
CHART_WORKS = 5  # fewer dots say less than the table does
WINDOW_WORKS = 24  # from here on a moving median says more than one for all
HEAT_LEVELS = 5


def wall(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
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
                "title": values.title(row.work, words),
                "link": wording.link(row.work),
                "cover": row.cover,
                "likes": words["likes_of"].format(count=values.short(row.work, "digg_count", words)),
                "multiple": values.multiple(row.multiple),
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


def charts(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    """What the charts are drawn from, and the words around them."""
    works = data.works
    shown = _measure(works)
    name = words["measures"][shown]
    known = [(row, value) for row in works if (value := count(row.work, shown)) is not None]
    dated = [(row, value) for row, value in known if row.work.published_at]
    drawn = sorted(
        ((values.clock(row.work.published_at, data.zone), row, value) for row, value in dated if value > 0),
        key=lambda point: point[0],
    )
    spread = [value for row, value in known if row.mature and value > 0]
    ripe = sum(row.mature for _, row, _ in drawn)
    window = max(11, ripe // 6) | 1 if ripe >= WINDOW_WORKS else 0
    middle, high = (getattr(data.figures.counts[shown], part).value for part in ("median", "p90"))
    left, zeros = len(works) - len(dated), len(dated) - len(drawn)
    left_out = [words["left_out"].format(n=left, measure=name)] if left else []
    left_out += [words["zeros"].format(n=zeros, measure=name)] if zeros else []
    levels = {"median": values.compact(middle or 0, words), "p90": values.compact(high or 0, words)}
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
            "alt": words["distribution_alt"].format(n=len(spread), measure=name, **levels),
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
                "labels": {part: f"{words[part]}\n{level}" for part, level in levels.items()},
            }
        ),
    }


def _point(moment: datetime, row: ReportWork, value: int, used: Rules, words: Mapping[str, Any]) -> list[Any]:
    notes = (row.work.published_date, values.multiple(row.multiple), *_marks(row, used, words))
    return [
        moment.timestamp() * 1000,
        value,
        values.title(row.work, words, 60),
        int(row.standing.bucket == "Top"),
        int(row.mature),
        "".join(f" · {note}" for note in notes if note),
    ]


def heat(rhythm: Rhythm, zone: ZoneInfo, words: Mapping[str, Any]) -> dict[str, Any]:
    """The posting rhythm as rows of ``(weekday, [(works, level of colour)])``.

    ``busiest``: the weekday and hour with most works, where any has several.
    """
    grid = rhythm.hours.value or ()
    most = max((n for day in grid for n in day), default=0)
    levels = min(HEAT_LEVELS, most)
    notes = [words["heat_lede"].format(n=f"{rhythm.hours.n:,}", zone=zone.key)] if grid else [words["heat_none"]]
    busiest = {}
    if most > 1:
        day, hour = next((d, h) for d, hours in enumerate(grid) for h, n in enumerate(hours) if n == most)
        busiest = {"weekday": words["weekdays"][day], "hour": hour}
        notes.append(words["heat_most"].format(**busiest, n=most))
    if grid and rhythm.unknown:
        notes.append(words["heat_without"].format(n=rhythm.unknown))
    return {
        "notes": notes,
        "busiest": busiest,
        "most": most,
        "levels": range(1, levels + 1),
        "rows": [
            (day, [(n, -(-n * levels // most) if n else 0) for n in hours])
            for day, hours in zip(words["weekdays"], grid, strict=False)
        ],
    }


def table(data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    """Every work; a column that nobody has a value for is left out."""
    works = data.works
    names = [name for name in COUNTS if any(getattr(row.work, name) is not None for row in works)]
    buckets = {row.standing.bucket for row in works}
    total = f"{len(works):,}"
    return {
        "counts": names,
        "rows": (_row(row, names, data, words) for row in works),
        "lengths": any(row.work.duration_ms is not None for row in works),
        "buckets": [name for name in BUCKETS if name in buckets],
        "forms": list(dict.fromkeys(words["media"][row.work.media_kind] for row in works)),
        "showing": words["showing"].format(shown=total, total=total),
    }


def _row(row: ReportWork, names: Sequence[str], data: ReportData, words: Mapping[str, Any]) -> dict[str, Any]:
    work = row.work
    return {
        "title": values.title(work, words),
        "link": wording.link(work),
        "card": row.card and quote(row.card, safe="/"),
        "find": one_line(" ".join((work.title or work.caption_raw or "", *work.topics)), 200).lower(),
        "marks": _marks(row, data.rules, words) + ([words["sample"]] if row.sampled else []),
        "date": work.published_date or "",
        "moment": work.published_at or work.published_date or "",
        "form": words["media"][work.media_kind],
        "duration": work.duration_ms,
        "length": wording.UNKNOWN if work.duration_ms is None else wording.duration(work.duration_ms),
        "counts": [(getattr(work, name), wording.count(work, name)) for name in names],
        "interactions": row.standing.interactions,
        "interactions_text": ("≈" if row.standing.approximate else "") + wording.whole(row.standing.interactions),
        "multiple": row.multiple,
        "multiple_text": values.multiple(row.multiple) or wording.UNKNOWN,
        "strong": (row.multiple or 0) > data.rules.outlier_multiple,
        "rank": row.standing.rank,
        "bucket": row.standing.bucket,
    }


def _marks(row: ReportWork, used: Rules, words: Mapping[str, Any]) -> list[str]:
    """What sets a work apart from those that are counted and ranked."""
    marks = [name for name in ("pinned", "sponsored") if getattr(row.work, name)]
    marks += ["immature"] if row.standing.reason == "immature" else []
    return [words["marks"][name].format(hours=f"{used.immature_hours:g}") for name in marks]


def _json(value: Any) -> str:
    """JSON that a script element holds whatever is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)
