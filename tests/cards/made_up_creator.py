"""A made-up creator with any number of works, the same at every run: shapes of real ones, nobody's words."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from tikomni.analysis.buckets import standings
from tikomni.analysis.changes import Reading, changes
from tikomni.analysis.cohort import cohort
from tikomni.analysis.figures import figures
from tikomni.analysis.rules import rules
from tikomni.analysis.tasks.material import numbered
from tikomni.cards.accepted import Accepted
from tikomni.cards.report import ReportData, ReportWork
from tikomni.cards.thumbs import AVATAR, thumbnail
from tikomni.facts import Creator, Transcript, Work

NOW = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
_PLACES = "江边 旧书店 阳台 菜市场 山脚 夜班车 天台 小院 码头 修车铺".split()
_DEEDS = "学会了煮一锅清汤 花三十元修好一把椅子 记录一整天的光 试了五种便宜的咖啡豆 和房东谈成了续租".split()
_ENDS = ["", "，结果出乎意料", "：完整步骤", "？我算了一笔账", "，附清单", " 🌿"]
_SPOKEN = (
    "先说结论，这件事没有想的那么难。第一步把东西都摆出来，看清楚有什么。"
    "第二步只留下一个月里用过的。剩下的装箱写上日期，半年后再看。"
)


def creator(**changed: object) -> Creator:
    made = Creator(
        platform="douyin",
        platform_author_id="MS4wLjABmade-up-author",
        author_handle="tianxiang_daily",
        author_name="田巷日常",
        ip_location="浙江",
        signature="一个人、一间老房子、慢慢修。\n每周三更新，不接硬广。",
        avatar_url="https://img.example/avatar",
        fans_count=218_000,
        following_count=143,
        liked_count=3_140_000,
        works_count=61,
        verified=True,
        verified_reason="生活领域创作者",
        profile_url="https://www.douyin.com/user/MS4wLjABmade-up-author",
        approximate={"liked_count": "rounded"},
        missing={"collected_count": "not_published"},
        snapshot_at=NOW.isoformat(),
    )
    return replace(made, **changed)


def works(n: int, seed: int = 7) -> list[Work]:
    """``n`` works, newest last, one about every 60 hours; counts spread over three powers of ten."""
    random = Random(seed)
    return [_work(i, n, random) for i in range(n)]


def _work(i: int, n: int, random: Random) -> Work:
    at = NOW - timedelta(hours=9 + 60 * (n - 1 - i)) - timedelta(minutes=random.randrange(300))
    at = at.replace(hour=random.choice([3, 10, 10, 11, 11, 12, 13, 4]))
    likes = int(math.exp(random.gauss(8.2 + 0.6 * math.sin(i / 9), 1.2)))
    video = random.random() < 0.7
    title = f"{random.choice(_PLACES)}，{random.choice(_DEEDS)}{random.choice(_ENDS)}"
    work = Work(
        platform="douyin",
        platform_work_id=str(7_400_000_000_000_000_000 + i * 1_000_003),
        platform_author_id="MS4wLjABmade-up-author",
        author_name="田巷日常",
        title=title,
        caption_raw=f"{title} #慢生活 #{random.choice(_PLACES)}",
        work_modality="video" if video else "text",
        media_kind="video" if video else "images",
        published_at=at.isoformat(),
        published_date=at.astimezone(ZONE).date().isoformat(),
        duration_ms=random.randrange(18_000, 240_000) if video else None,
        digg_count=likes,
        comment_count=int(likes * random.uniform(0.01, 0.09)),
        collect_count=int(likes * random.uniform(0.05, 0.6)),
        share_count=int(likes * random.uniform(0.01, 0.2)),
        topics=("慢生活", random.choice(_PLACES)),
        pinned=i == 0,
        sponsored=random.random() < 0.05,
        cover_image=f"https://img.example/{i}",
        source_url=f"https://www.douyin.com/video/{7_400_000_000_000_000_000 + i * 1_000_003}",
        missing={"play_count": "not_published"},
        snapshot_at=NOW.isoformat(),
    )
    if not video or random.random() < 0.1:
        return work.with_words(None, "no_speech" if video else None)
    spoken = _SPOKEN * random.randrange(1, 5)
    return work.with_words(Transcript("asr", "zh", spoken, f"{spoken}\n\n{_SPOKEN}"), None)


def data(
    found: Sequence[Work] | int,
    language: str = "zh",
    covers: bool = True,
    before: Sequence[Work] | None = None,
    change: Callable[[ReportWork], ReportWork] = lambda row: row,
    **creators: object,
) -> ReportData:
    """A report on ``found`` works, or on so many; ``before``: an earlier reading of them."""
    found = works(found) if isinstance(found, int) else found
    of = creator(**creators)
    parted = cohort(found, rules(of.platform), NOW, ZONE)
    pictures = _pictures() if covers else [None]
    rows = [
        change(ReportWork(standing, sampled=i % 3 == 0, cover=pictures[i % len(pictures)]))
        for i, standing in enumerate(standings(parted))
    ]
    earlier = before and Reading(
        (NOW - timedelta(days=7)).isoformat(), tuple(before), True, creator(fans_count=214_600)
    )
    return ReportData(
        creator=of,
        works=rows,
        figures=figures(of, parted),
        rules=parted.rules,
        generated_at=NOW,
        zone=ZONE,
        language=language,
        changes=changes(earlier, Reading(NOW.isoformat(), tuple(found), True, of)) if earlier else None,
        method=["列表读到末尾，共 4 页。" if language == "zh" else "The list was read to its end, 4 pages."],
        avatar=thumbnail(picture(99), AVATAR) if covers else None,
    )


def analyses(of: ReportData, says: Sequence[str] = ("先给结论，再给一个动作",), **changed: object) -> list[Accepted]:
    """What a model wrote about the creator and the sampled works of ``of``, as it was accepted; ``says``: its claims.

    ``changed``: hashes of the input as it is by now.
    """
    rows = [row for row in of.works if row.sampled and row.work.primary_text]
    material = {f"W{n:02}": numbered(row.work, f"W{n:02}") for n, row in enumerate(rows, 1)}
    said = cycle(says)

    def claim(*refs: str, **more: str) -> dict[str, object]:
        return {"text": next(said)[:300], "evidence": [next(iter(material[ref])) for ref in refs], **more}

    refs = list(material)
    author = {
        "positioning": {
            **{name: claim(*refs[:3]) for name in ("one_liner", "audience", "problem", "value")},
            "author_type": next(said)[:40],
            "role": "同伴",
        },
        "core_tensions": [
            {"name": next(said)[:40], "surface": claim(refs[0]), "deeper": claim(refs[1]), "implication": "学动作"}
        ],
        "evidence_pack": {"works": [{"work": refs[0], "bucket": "Top", "why": claim(refs[0])}], "notes": []},
    }
    every = [
        {"work": ref, "verdict": ("worked", "failed", "mixed")[n % 3], "why": claim(ref, label=next(said)[:40])}
        | {"copy": [claim(ref), claim(ref)], "avoid": [], "triggers": ["好奇"], "cognitive_gap": None, "selling": None}
        for n, ref in enumerate(refs)
    ]
    hashes = {"input_hash": "a" * 16, "words_hash": "b" * 16}
    common = {
        "version": 1,
        "language": of.language,
        "subject": {"type": "creator", "platform": of.creator.platform, "id": of.creator.platform_author_id},
        "model": next(said)[:60],
        "accepted_at": NOW.isoformat(),
        "sample": {"works": len(refs), "confidence": "high"},
        "missing": [],
        "sentences": {name: text for lines in material.values() for name, text in lines.items()},
        "works": {
            ref: {"key": row.work.key, "title": row.work.title, "url": row.work.source_url}
            for ref, row in zip(refs, rows, strict=True)
        },
        **hashes,
    }
    return [
        Accepted({**common, "kind": kind, "answer": answer}, {**hashes, **changed})
        for kind, answer in (("creator.author_analysis", author), ("creator.sample_explanations", {"works": every}))
    ]


def picture(seed: int, size: tuple[int, int] = (540, 720), form: str = "JPEG") -> bytes:
    """A drawn scene with some grain, about as hard to compress as a photograph."""
    from PIL import Image, ImageChops, ImageDraw

    random = Random(seed)
    sky, ground, thing = (tuple(random.randrange(60, 240) for _ in range(3)) for _ in range(3))
    image = Image.linear_gradient("L").resize(size)
    image = Image.composite(Image.new("RGB", size, sky), Image.new("RGB", size, ground), image)
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y, r = random.randrange(size[0]), random.randrange(size[1]), random.randrange(10, 160)
        shade = tuple(min(255, max(0, c + random.randrange(-60, 60))) for c in thing)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=shade)
    grain = Image.effect_noise(size, 28).convert("RGB")
    out = io.BytesIO()
    ImageChops.overlay(image, grain).save(out, form)
    return out.getvalue()


@cache
def _pictures() -> list[str | None]:
    return [thumbnail(picture(seed)) for seed in range(12)]


def write(path: Path, of: ReportData, accepted: Sequence[Accepted] = (), waiting: Sequence[str] = ()) -> Path:
    from tikomni.cards.report import chunks
    from tikomni.cards.report_analysis import put

    path.write_text(put("".join(chunks(of)), accepted, waiting, of.language), encoding="utf-8")
    return path
