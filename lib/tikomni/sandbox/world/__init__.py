"""The made-up people and works behind the sandbox's answers, and how they are found.

The facts are the YAML files beside this module; ``douyin`` and ``xiaohongshu`` write them in the platforms' real
shapes, ``media`` makes their files. Every id, name and text is invented. Knows no HTTP and no route.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

_HERE = Path(__file__).parent
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Creator:
    """``id`` is the platform's stable id (``sec_uid``, ``userid``); ``handle`` is what people type."""

    name: str
    platform: str
    id: str
    handle: str
    nickname: str
    signature: str
    counts: Mapping[str, int]
    uid: str = ""
    short_id: str = ""
    ip: str = ""
    gender: int = 0
    verified: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Spoken words and when, in milliseconds of the film."""

    begin_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One post. ``state`` other than public: what the platform says instead of it; ``blocked`` and ``app_empty`` works
    are there all the same, on other routes.

    ``guarded``: its media cannot be fetched by the speech service. ``insight``: how the point query sees it.
    """

    name: str
    platform: str
    id: str
    author: Creator
    kind: Literal["video", "pictures", "live_photos", "article", "text_mode"]
    published: datetime
    caption: str
    title: str = ""
    seconds: float = 0.0
    images: int = 0
    counts: Mapping[str, int | str] = field(default_factory=lambda: _NOTHING)
    web_counts: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    words: tuple[str, ...] = ()
    words_en: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    music: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    article: str = ""
    aweme_type: int | None = None
    state: Literal["public", "deleted", "private", "partly_visible", "blocked", "app_empty"] = "public"
    pinned: bool = False
    guarded: bool = False
    no_voice: bool = False
    insight: str = ""
    code: str = ""

    @property
    def is_there(self) -> bool:
        """Whether any route gives it."""
        return self.state in ("public", "blocked", "app_empty")

    @property
    def timestamp(self) -> int:
        return int(self.published.timestamp())

    @property
    def milliseconds(self) -> int:
        return round(self.seconds * 1000)

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(re.findall(r"#([^#\s\[]+)", self.caption))

    def sentences(self, language: str = "zh-CN") -> tuple[Sentence, ...]:
        """The words with times: each sentence lasts as long as it is written."""
        texts = self.words_en if language == "en-US" else self.words
        letters = sum(map(len, texts)) or 1
        told, spoken = 0, []
        for text in texts:
            begin, told = told, told + len(text)
            start, end = (80 + (self.milliseconds - 240) * at // letters for at in (begin, told))
            spoken.append(Sentence(begin_ms=start, end_ms=end - 60, text=text))
        return tuple(spoken)


@dataclass(frozen=True, slots=True)
class World:
    """Everyone and everything. Order of ``works`` is the order of the files."""

    creators: Mapping[str, Creator]
    works: Mapping[str, Work]
    codes: Mapping[str, Mapping[str, str]]

    def work(self, platform: str, work_id: str) -> Work | None:
        return next((w for w in self.works.values() if (w.platform, w.id) == (platform, work_id)), None)

    def creator(self, platform: str, creator_id: str) -> Creator | None:
        found = (c for c in self.creators.values() if (c.platform, c.id) == (platform, creator_id))
        return next(found, None)

    def works_of(self, creator: Creator) -> list[Work]:
        """What a profile shows: pinned works first, then newest first; nothing of a private account."""
        public = [w for w in self.works.values() if w.author == creator and w.state == "public"]
        newest = sorted(public, key=lambda work: work.published, reverse=True)
        return sorted(newest, key=lambda work: not work.pinned)

    def named_by(self, platform: str, text: str) -> Work | Creator | dict[str, str] | None:
        """What a link, a share text or an id names; a mapping where it is neither a work nor a person."""
        for code, target in self.codes.items():
            if target["platform"] == platform and re.search(rf"{_SHORT[platform]}/{code}(?![\w-])", text):
                return self._target(target)
        for pattern, find in ((_WORK[platform], self.work), (_CREATOR[platform], self.creator)):
            if hit := re.search(pattern, text):
                return find(platform, hit[1])
        return None

    def _target(self, target: Mapping[str, str]) -> Work | Creator | dict[str, str]:
        if "work" in target:
            return self.works[target["work"]]
        if "creator" in target:
            return self.creators[target["creator"]]
        return dict(target)


_SHORT = {"douyin": r"v\.douyin\.com", "xiaohongshu": r"xhslink\.com"}
_WORK = {
    "douyin": r"(?:/(?:video|note|article|slides)/|modal_id=|aweme_id=|^\s*)(\d{18,20})(?!\d)",
    "xiaohongshu": r"(?:/(?:explore|item|search_result)/|/user/profile/\w{24}/|note_id=|^\s*)([0-9a-f]{24})(?!\w)",
}
_CREATOR = {
    "douyin": r"(?:/user/|sec_uid=|^\s*)(MS4wLjABAAAA[\w-]{43,64})",
    "xiaohongshu": r"(?:/user/profile/)([0-9a-f]{24})(?![\w/])",
}


@cache
def read(name: str) -> Any:
    """One of the YAML files beside this module. Not to be changed by who reads it."""
    text = (_HERE / f"{name}.yaml").read_text("utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def load() -> World:
    """The world, read once."""
    creators = {row["name"]: Creator(**row) for row in read("creators")}
    works = {}
    for platform in ("douyin", "xiaohongshu"):
        for row in read(platform):
            row = row | {"author": creators[row["author"]], "platform": platform}
            lists = {key: tuple(row[key]) for key in ("words", "words_en", "subtitles") if key in row}
            works[row["name"]] = Work(**row | lists)
    codes = {row["code"]: row for row in read("codes")}
    codes |= {work.code: {"platform": work.platform, "work": work.name} for work in works.values() if work.code}
    return World(creators, works, codes)
