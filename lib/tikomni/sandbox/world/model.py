"""What the world is made of: people, what they say, their works; and the files that tell of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from tikomni.sandbox.answers import ORIGIN
from tikomni.storage.yaml_file import read_yaml

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
    canceled: bool = False

    @property
    def avatar(self) -> str:
        """The address of their picture, without its extension."""
        return f"{ORIGIN}/media/avatar/{self.name}"


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
    ``unlisted``: counts that lists leave out.
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
    unlisted: tuple[str, ...] = ()
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
    def media(self) -> str:
        """The address that those of its files begin with."""
        return f"{ORIGIN}/media/{self.name}"

    @property
    def place(self) -> str:
        """The part of a Douyin link that stands before its id."""
        return "note" if self.images else "article" if self.kind == "article" else "video"

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


@cache
def read(name: str) -> Any:
    """One of the YAML files beside this module. Not to be changed by who reads it."""
    return read_yaml(_HERE / f"{name}.yaml")
