"""The works that a search, a topic or a chart brought, as a page and as Markdown; as tables they go to ``tables``.

Pure: the same ``CollectionData`` gives the same text. What strangers wrote is text and nothing else. Collects nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from tikomni.analysis import cohort
from tikomni.analysis.rules import COUNTS
from tikomni.cards import report, wording
from tikomni.cards import report_values as values
from tikomni.cards.labels import labels
from tikomni.cards.markdown import cell, inline, one_line
from tikomni.facts import Work


@dataclass(frozen=True, slots=True)
class Hit:
    """A work of a collection. ``rank``: its place among the works of the list, from 1. ``cover``: a data URI.

    ``fans_count`` is its author's, where it was asked for.
    """

    work: Work
    rank: int
    fans_count: int | None = None
    cover: str | None = None

    @property
    def interactions(self) -> int | None:
        return cohort.interactions(self.work)

    @property
    def likes_per_fan(self) -> float | None:
        """Likes of the work by the fans of its author; ``None`` where one is unknown or nobody is a fan."""
        likes = self.work.digg_count
        return None if likes is None or not self.fans_count else round(likes / self.fans_count, 4)


@dataclass(frozen=True, slots=True)
class CollectionData:
    """All that stands on a collection's page.

    ``choices``: what was asked for, by the names of ``collection.yaml``; ``left_out``: how many entries of the list
    are not among ``works``, by reason.
    """

    platform: str
    what: Literal["search", "topic", "chart"]
    text: str
    works: Sequence[Hit]
    choices: Mapping[str, str | int | None]
    sort: str
    sorted_here: bool
    left_out: Mapping[str, int]
    generated_at: datetime
    zone: ZoneInfo
    language: str


def render(data: CollectionData) -> str:
    """The page as text: a wall of covers and a table, one file that opens from disk and loads nothing."""
    words = _words(data.language)
    style, script = ((report.HERE / name).read_text("utf-8") for name in ("report.css", "report-table.js"))
    name = _name(data, words)
    total = f"{len(data.works):,}"
    return wording.template("collection.html.j2").render(
        words=words,
        policy=report.policy(style, [script]),
        style=style,
        script=script,
        name=name,
        page_title=words["titled"].format(name=name),
        facts=_facts(data, words),
        left_out=_left_out(data, words),
        wall=any(hit.cover for hit in data.works),
        fans=_has_fans(data),
        counts=_counts(data),
        rows=[_row(hit, data, words) for hit in data.works],
        showing=words["showing"].format(shown=total, total=total),
        made=words["made"].format(moment=values.moment(data.generated_at, data.zone)),
    )


def render_markdown(data: CollectionData) -> str:
    """The same as a table in Markdown."""
    words = _words(data.language)
    lines = [f"# {inline(_name(data, words))}", "", inline(" · ".join(_facts(data, words))), ""]
    if left := _left_out(data, words):
        lines += [inline(left), ""]
    if not data.works:
        return "\n".join([*lines, words["none"], ""])
    named = words["columns"]
    counts = _counts(data)
    heads = [named["rank"], named["title"], named["author"], named["published"], *(named[name] for name in counts)]
    heads += [named["fans_count"], named["likes_per_fan"]] if _has_fans(data) else []
    lines += [_line([*heads, words["original"]]), _line(["---"] * (len(heads) + 1))]
    for hit in data.works:
        row = _row(hit, data, words)
        cells = [str(hit.rank), cell(row["title"]), cell(row["author"]), row["date"] or wording.UNKNOWN]
        cells += [text for _, text in row["counts"]]
        cells += [text for _, text in row["fans"]] if _has_fans(data) else []
        lines.append(_line([*cells, f"[{words['open_original']}]({row['link']})" if row["link"] else wording.UNKNOWN]))
    return "\n".join([*lines, ""])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _name(data: CollectionData, words: Mapping[str, Any]) -> str:
    return words["heads"][data.what].format(text=one_line(data.text, 80))


def _facts(data: CollectionData, words: Mapping[str, Any]) -> list[str]:
    sort = words["sorts"][data.sort] + (words["by_program"] if data.sorted_here else "")
    chosen = {"sort": sort} | {name: value for name, value in data.choices.items() if value is not None}
    return [
        words["platforms"].get(data.platform) or one_line(data.platform),
        words["hits"].format(n=f"{len(data.works):,}"),
        *(f"{words['choices'][name]}{words['colon']}{_said(name, value, words)}" for name, value in chosen.items()),
        words["read"].format(moment=values.moment(data.generated_at, data.zone)),
    ]


def _said(name: str, value: str | int, words: Mapping[str, Any]) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return words["media"].get(value, value) if name == "kind" else one_line(value)


def _left_out(data: CollectionData, words: Mapping[str, Any]) -> str:
    told = (f"{words['reasons'].get(reason, reason)} {n:,}" for reason, n in data.left_out.items() if n)
    listed = words["comma"].join(told)
    return f"{words['left_out']}{words['colon']}{listed}" if listed else ""


def _counts(data: CollectionData) -> list[str]:
    """The counts that some work has; a chart tells likes alone."""
    return [name for name in COUNTS if any(getattr(hit.work, name) is not None for hit in data.works)]


def _has_fans(data: CollectionData) -> bool:
    return any(hit.fans_count is not None for hit in data.works)


def _row(hit: Hit, data: CollectionData, words: Mapping[str, Any]) -> dict[str, Any]:
    work, ratio = hit.work, hit.likes_per_fan
    title = work.title or work.caption_raw or ""
    return {
        "rank": hit.rank,
        "title": values.title(work, words),
        "link": wording.link(work),
        "author": one_line(work.author_name or wording.UNKNOWN, 60),
        "find": one_line(" ".join((title, work.author_name or "", *work.topics)), 240).lower(),
        "cover": hit.cover,
        "likes": words["likes_of"].format(count=values.short(work, "digg_count", words)),
        "form": words["media"][work.media_kind],
        "date": work.published_date or "",
        "moment": work.published_at or work.published_date or "",
        "counts": [(getattr(work, name), wording.count(work, name)) for name in _counts(data)],
        "fans": [
            (hit.fans_count, wording.whole(hit.fans_count)),
            (ratio, wording.UNKNOWN if ratio is None else wording.number(ratio, "ratio")),
        ],
    }


def _words(language: str) -> dict[str, Any]:
    found = labels(language, "report", "collection")
    return found | {"columns": labels(language, "report")["columns"] | found["columns"]}
