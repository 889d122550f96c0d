"""People with many works: made when they are looked at, the same every time on the same day.

A profile is a number of works on a platform (``dy_60``, ``xhs_5000``). Its n-th newest work follows from the two
names and ``n`` alone: no list of all is ever made. Dates count back from the morning of the day on which the
process started, so that the two newest works are always younger than 72 hours; ``advance`` lets time bring new works,
with negative ``n``, and higher counts. Works are ``Work`` of the world; how routes tell them is not said here.
"""

from __future__ import annotations

import base64
import hashlib
import math
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from random import Random
from typing import Any

from tikomni.sandbox.world.model import Creator, Work, read

SIZES = (0, 1, 3, 20, 60, 200, 1000, 5000)
PLATFORMS = {"dy": "douyin", "xhs": "xiaohongshu"}
MOST_NEW = 50
_SHANGHAI = timezone(timedelta(hours=8))
_MORNING = datetime.now(_SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
_HOUR = 3600
# The works that a profile of at least twenty pins: old ones, and not in order.
_PINNED = (14, 9)
_MIX, _BITS, _SHIFT = 40503, 16, 24
_UNMIX = pow(_MIX, -1, 1 << _BITS)

_news = 0


def advance(works: int = 10) -> int:
    """Let ``works`` new works appear on every profile, and counts grow. Returns how many are new since the reset."""
    global _news
    _news = min(_news + works, MOST_NEW)
    return _news


def reset() -> None:
    """The crowd as it was."""
    global _news
    _news = 0


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A person of the crowd. ``number`` stands in the ids of their works."""

    number: int
    size: int
    creator: Creator


class Works(Sequence[Work]):
    """What a profile shows, pinned works first, then newest first. Made anew for each look, since time may pass."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.new = _news if profile.size else 0
        self.pinned = _PINNED if profile.size >= 20 else ()

    def __len__(self) -> int:
        return self.profile.size + self.new

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return made(self.profile, self._n(place % len(self)), self.new)

    def _n(self, place: int) -> int:
        if place < len(self.pinned):
            return self.pinned[place]
        n = place - len(self.pinned) - self.new
        for pinned in sorted(self.pinned):
            n += n >= pinned
        return n

    def place_of(self, work_id: str) -> int | None:
        """Where the work of this id stands."""
        found = work_of(self.profile.creator.platform, work_id)
        if found is None or found.author != self.profile.creator:
            return None
        n = int(found.name.rpartition("_")[2])
        if n in self.pinned:
            return self.pinned.index(n)
        return n + self.new + sum(pinned > n for pinned in self.pinned)


def place_of(works: Sequence[Work], work_id: str) -> int | None:
    """Where the work of this id stands in what a profile shows."""
    if isinstance(works, Works):
        return works.place_of(work_id)
    return next((n for n, work in enumerate(works) if work.id == work_id), None)


def first_before(works: Sequence[Work], timestamp: float) -> int:
    """The place of the first unpinned work that is older than ``timestamp``."""
    start = next((n for n, work in enumerate(works) if not work.pinned), len(works))
    later = bisect_left(range(start, len(works)), -timestamp + 1e-6, key=lambda n: -works[n].timestamp)
    return start + later


def _profiles() -> dict[str, Profile]:
    people: dict[str, Profile] = {}
    names = read("crowd")["names"]
    for short, platform in PLATFORMS.items():
        for size in (*SIZES, "closed"):
            name, number = f"{short}_{size}", len(people) + 1
            count = size if isinstance(size, int) else 0
            digest = hashlib.sha256(name.encode()).digest()
            digits = str(int.from_bytes(digest[:6]) + 10**14)
            if platform == "douyin":
                author_id = "MS4wLjABAAAA" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
                handle, short_id = (f"qunxiang_{size}", "0") if size != 20 else ("", digits[:9])
            else:
                author_id = f"{0x5B000000 + number * 7919:08x}00000000{zlib.crc32(digest):08x}"
                handle, short_id = digits[:10], ""
            fans = 0 if size == "closed" else 900 + 37 * count * count % 2_000_000 + 800 * count
            counts = {"fans": fans, "following": 40 + number, "liked": fans * 12, "collected": fans * 5, "works": count}
            creator = Creator(
                name=name,
                platform=platform,
                id=author_id,
                uid=digits if platform == "douyin" else "",
                short_id=short_id,
                handle=handle,
                nickname=f"{names[number % len(names)]}的{read('crowd')['subjects'][number % 8]['topic']}日记",
                signature="每天一点点\n合作请私信",
                ip=("浙江", "四川", "广东")[number % 3],
                gender=number % 3,
                counts=counts,
                canceled=size == "closed",
            )
            people[name] = Profile(number, count, creator)
    return people


PROFILES = _profiles()
_BY_NUMBER = {profile.number: profile for profile in PROFILES.values()}


def works_of(creator: Creator) -> Works | None:
    """What a person of the crowd shows; None for everybody else."""
    profile = PROFILES.get(creator.name)
    return Works(profile) if profile else None


def work_of(platform: str, work_id: str) -> Work | None:
    """The work of the crowd that has this id."""
    try:
        low = (int(work_id) if platform == "douyin" else int(work_id, 16)) & 0xFFFFFFFF
    except ValueError:
        return None
    profile = _BY_NUMBER.get(low >> _SHIFT)
    if profile is None or profile.creator.platform != platform:
        return None
    n = ((low & ((1 << _BITS) - 1)) * _UNMIX) % (1 << _BITS) - MOST_NEW
    if not -_news <= n < profile.size:
        return None
    work = made(profile, n, _news)
    return work if work.id == work_id else None


def named(name: str) -> Work | None:
    """The work of the crowd that has this name."""
    person, _, n = name.rpartition("_")
    profile = PROFILES.get(person)
    if profile is None or not n.lstrip("-").isdigit() or not -MOST_NEW <= int(n) < profile.size:
        return None
    return made(profile, int(n), _news)


def _age_s(profile: Profile, n: int, luck: Random) -> int:
    """How long before the morning the n-th work was published, in seconds: less and less for smaller ``n``."""
    if n < 0:
        return 5 * _HOUR * (MOST_NEW + n) // MOST_NEW
    if n < 2:
        return (5 + 35 * n) * _HOUR
    step = min(30 * _HOUR, 4 * 365 * 24 * _HOUR // profile.size)
    return 96 * _HOUR + (n - 2) * step + luck.randrange(step * 6 // 10)


@lru_cache(maxsize=4096)
def made(profile: Profile, n: int, news: int) -> Work:
    """The n-th newest work of a profile as it stands after ``news`` new ones."""
    luck = Random(f"{profile.creator.name} {n}")
    published = _MORNING - timedelta(seconds=_age_s(profile, n, luck))
    low = profile.number << _SHIFT | (n + MOST_NEW) * _MIX % (1 << _BITS)
    stamp = int(published.timestamp()) - 90
    douyin = profile.creator.platform == "douyin"
    kind = "live_photos" if n % 11 == 7 else "pictures" if n % 5 == 3 else "video"
    texts, subject = read("crowd"), luck.choice(read("crowd")["subjects"])
    thing = luck.choice(subject["things"])
    told = {"thing": thing, "topic": subject["topic"], "gain": subject["gain"]}
    told["title"] = luck.choice(texts["titles"]).format(**told)
    spoken = [luck.choice(texts["openings"]), *luck.sample(texts["bodies"], 4 + n % 5), luck.choice(texts["closings"])]
    long = " ".join(text.format(**told) for text in texts["bodies"][:6]) if n % 7 == 2 else ""
    return Work(
        name=f"{profile.creator.name}_{n}",
        platform=profile.creator.platform,
        id=str(stamp << 32 | low) if douyin else f"{stamp:08x}00000000{low:08x}",
        author=profile.creator,
        kind=kind,
        published=published,
        title="" if douyin else told["title"],
        caption=f"{long}{luck.choice(texts['captions']).format(**told)}",
        seconds=0.0 if kind != "video" else round(12 + luck.random() * 110, 2),
        images=0 if kind == "video" else 2 + n % 3,
        counts=_counts(luck, n, news, douyin),
        unlisted=("collected", "comments", "shared", "collect") if n % 31 == 13 else (),
        words=tuple(text.format(**told) for text in spoken) if kind == "video" else (),
        subtitles=("source", "zh-CN") if n % 3 == 0 and not douyin and kind == "video" else (),
        pinned=profile.size >= 20 and n in _PINNED,
    )


def _counts(luck: Random, n: int, news: int, douyin: bool) -> dict[str, Any]:
    likes = math.exp(luck.gauss(6.4, 1.2)) * (1.5 if news and n % 17 == 0 else 1 + news / 500)
    names = ("digg", "comment", "collect", "share") if douyin else ("liked", "comments", "collected", "shared")
    shares = (1, luck.uniform(0.01, 0.08), luck.uniform(0.05, 0.5), luck.uniform(0.01, 0.2))
    counts: dict[str, Any] = {name: int(likes * share) for name, share in zip(names, shares, strict=True)}
    if n % 29 == 11 and likes >= 1000:
        counts[names[0]] = f"{likes / 10000:.1f}万"
    return counts
