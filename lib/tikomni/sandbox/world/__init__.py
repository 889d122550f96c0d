"""The made-up people and works behind the sandbox's answers, and how they are found.

The facts are the YAML files beside this module, and the ``crowd``, who have many works; ``douyin`` and ``xiaohongshu``
write them in the platforms' real shapes, ``media`` makes their files. Every id, name and text is invented. Knows no
HTTP and no route.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tikomni.sandbox.world import crowd
from tikomni.sandbox.world.model import Creator, Sentence, Work, read

__all__ = ["Creator", "Sentence", "Work", "World", "load", "read"]


@dataclass(frozen=True, slots=True)
class World:
    """Everyone, and everything but the crowd's works. Order of ``works`` is the order of the files."""

    creators: Mapping[str, Creator]
    works: Mapping[str, Work]
    codes: Mapping[str, Mapping[str, str]]

    def work(self, platform: str, work_id: str) -> Work | None:
        found = (w for w in self.works.values() if (w.platform, w.id) == (platform, work_id))
        return next(found, None) or crowd.work_of(platform, work_id)

    def named(self, name: str) -> Work | None:
        """The work of this name."""
        return self.works.get(name) or crowd.named(name)

    def creator(self, platform: str, creator_id: str) -> Creator | None:
        found = (c for c in self.creators.values() if (c.platform, c.id) == (platform, creator_id))
        return next(found, None)

    def works_of(self, creator: Creator) -> Sequence[Work]:
        """What a profile shows: pinned works first, then newest first; nothing of a private account."""
        if (many := crowd.works_of(creator)) is not None:
            return many
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
def load() -> World:
    """The world, read once."""
    creators = {row["name"]: Creator(**row) for row in read("creators")}
    creators |= {name: profile.creator for name, profile in crowd.PROFILES.items()}
    works = {}
    for platform in ("douyin", "xiaohongshu"):
        for row in read(platform):
            row = row | {"author": creators[row["author"]], "platform": platform}
            lists = {key: tuple(row[key]) for key in ("words", "words_en", "subtitles") if key in row}
            works[row["name"]] = Work(**row | lists)
    codes = {row["code"]: row for row in read("codes")}
    codes |= {work.code: {"platform": work.platform, "work": work.name} for work in works.values() if work.code}
    return World(creators, works, codes)
