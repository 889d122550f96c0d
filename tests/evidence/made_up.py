"""A made-up cook: one work, and seven works as a creator; tasks about both; an answer to each that holds."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tikomni.analysis import tasks
from tikomni.analysis.aggregate import aggregates
from tikomni.analysis.buckets import standings
from tikomni.analysis.cohort import cohort
from tikomni.analysis.comments import Discussion, discussion
from tikomni.analysis.comparison import Comparison, Window, comparison, side
from tikomni.analysis.figures import figures
from tikomni.analysis.rules import rules
from tikomni.analysis.sampling import sample
from tikomni.analysis.signals import signals
from tikomni.analysis.tasks.material import Material
from tikomni.facts import Comment, Creator, Segment, Transcript, Work

NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
WORLD = yaml.safe_load((Path(__file__).parent / "world.yaml").read_text(encoding="utf-8"))


def work(number: int, **changed: Any) -> Work:
    """Work ``number`` of the cook, from 0."""
    told = WORLD["works"][number]
    video = told.get("media_kind", "video") == "video"
    at = NOW - timedelta(days=told["days"])
    made = Work(
        platform="douyin",
        platform_work_id=str(7_000_000_000_000_000_001 + number),
        platform_author_id="made-up-cook",
        author_name="灶台小满",
        title=told["title"],
        caption_raw=told["caption"],
        work_modality="video" if video else "text",
        media_kind="video" if video else "images",
        published_at=at.isoformat(),
        published_date=at.astimezone(ZONE).date().isoformat(),
        duration_ms=told.get("seconds", 0) * 1000 or None,
        **dict(zip(("digg_count", "comment_count", "collect_count", "share_count"), told["counts"], strict=True)),
        partial={"caption_raw": "list_cut"} if told.get("cut") else {},
        source_url=f"https://www.douyin.com/video/{7_000_000_000_000_000_001 + number}",
        open_url=f"https://www.douyin.com/video/{7_000_000_000_000_000_001 + number}?xsec_token=never-shown",
        snapshot_at=NOW.isoformat(),
    )
    made = replace(made, **changed)
    lines = told.get("spoken", [])
    pieces = tuple(Segment(4000 * n, 4000 * (n + 1), text) for n, text in enumerate(lines))
    spoken = Transcript("asr", "zh", "\n".join(lines), "".join(lines), pieces) if lines else None
    return made.with_words(spoken, None if spoken else "no_speech")


def creator() -> Creator:
    return Creator(
        platform="douyin",
        platform_author_id="made-up-cook",
        author_handle="xiaoman_stove",
        author_name="灶台小满",
        fans_count=218_000,
        works_count=7,
        profile_url="https://www.douyin.com/user/made-up-cook",
        snapshot_at=NOW.isoformat(),
    )


def picture(works: list[Work]) -> SimpleNamespace:
    """What the pipeline hands over: everything that the works add up to."""
    parted = cohort(works, rules("douyin"), NOW, ZONE)
    order = standings(parted)
    found = {one.key: signals(one) for one in works if one.primary_text}
    silent = [one.key for one in works if not one.primary_text]
    return SimpleNamespace(
        works=tuple(works),
        cohort=parted,
        figures=figures(creator(), parted),
        standings=order,
        sample=sample(order, found, silent),
        aggregates=aggregates(parted, order, found),
        signals=found,
        changes=None,
    )


def said() -> Discussion:
    """What people say below the first work."""
    rows = [
        Comment(
            "douyin", work(0).platform_work_id, str(n), author_hash=row["who"], text=row["text"],
            like_count=row["likes"], reply_count=row.get("replies", 0), is_author=row["who"] == "made-up-cook",
            parent_id=str(row["answers"]) if "answers" in row else None,
            published_at=(NOW - timedelta(days=30 - n)).isoformat(), ip_location="江苏" if n % 2 else "湖北",
        )
        for n, row in enumerate(WORLD["comments"], 1)
    ]  # fmt: skip
    return discussion(rows)


def compared() -> Comparison:
    """The cook beside somebody who has every other work of theirs."""
    window = Window(NOW - timedelta(days=365), NOW)
    people = (creator(), replace(creator(), platform_author_id="made-up-other", author_name="阿福", fans_count=109_000))
    works = [work(n) for n in range(len(WORLD["works"]))]
    halves = (works[::2], works[1::2])
    found = rules("douyin")
    sides = [
        side(letter, one, half, window, found, ZONE) for letter, one, half in zip("AB", people, halves, strict=True)
    ]
    return comparison(sides, window)


@cache
def files(kind: str) -> tasks.TaskFiles:
    made = [
        *tasks.for_work(work(0), "zh"),
        *tasks.for_comments(work(0), said(), 8, 2, "zh"),
        *tasks.for_creator(creator(), picture([work(n) for n in range(len(WORLD["works"]))]), "zh"),
        *tasks.for_comparison(compared(), "made-up", "zh"),
    ]
    return next(one for one in made if one.kind == kind)


@cache
def material(kind: str) -> Material:
    return Material.from_dict(json.loads(files(kind).files["input.json"]))


def answer(kind: str) -> dict[str, Any]:
    """An answer that holds, to be changed."""
    return deepcopy(WORLD["answers"][kind])


def changed(value: Any, at: str, put: Any) -> Any:
    """``value`` with ``put`` at the JSON pointer ``at``; ``-`` appends, ``put`` ``<remove>`` removes."""
    path = at.strip("/").split("/")
    inner = value
    for part in path[:-1]:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    last = path[-1]
    if isinstance(inner, list):
        if last == "-":
            inner.append(put)
        elif put == "<remove>":
            del inner[int(last)]
        else:
            inner[int(last)] = put
    elif put == "<remove>":
        del inner[last]
    else:
        inner[last] = put
    return value
