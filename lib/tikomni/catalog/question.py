"""What a question says beside what it wants: which platform, and what is in hand.

    "抖音 7412345678901234567 底下都在吵啥"  →  douyin; an id; the words "底下都在吵啥"

Pure: the rules come with the index. It must not decide what is wanted, or fetch a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

UNKNOWN = "?"
"""In hand: something that looks like an id, of which the question does not say what it is."""

# Not compiled here: ``re`` does that, and keeps it, when one is used; most questions need few of them.
_LINK = r"(?i:https?://)?((?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,})(/[^\s\"'<>\x80-\U0010ffff]*)?"
_GROUP = r"\(\?P<(\w+)>"
_MEDIA = r"\.(?:mp3|wav|m4a|mp4|aac|flac|ogg|webm|mov)\b"
_QUOTED = r"[“\"「『《][^”\"」』》]{1,40}[”\"」』》]|(?<!\w)'[^'\n]{2,40}'(?!\w)"
# 搜索 机械键盘: one space, since a name that was taken out leaves more.
_SEARCHED = r"(?:(?<=搜索)|(?<=搜一下)|(?<=搜)) [^\s，。]{2,20}(?!\S)"
# "uid 84990209480", "room 7318…": a word before a value may be the name of an input; so may a Chinese one.
_NAMED = r"(?<![A-Za-z0-9_])([A-Za-z][A-Za-z_]{1,18}?)(\s*(?:(?i:id)|号)?\s*[:：=]?\s*)(?a:[\w.-]*\d[\w.-]*)"
_LABEL = r"(?:(?<![A-Za-z0-9])(?i:(?:[a-z]+_)*u?id|sec ?uid)\s*[:：=]?\s*)?"
_NAMED_IN_CHINESE = r"(?:%s)\s*(?i:id)?\s*[:：=]?\s*(?a:[A-Za-z0-9_][\w.-]{3,40})"
# "lululemon_fan": a name, unless its parts are those of an input (sec_user_id) or of something that signs (a_bogus).
_HANDLE = r"(?a:(?<![\w.@#/-])[A-Za-z0-9]+(?:_+[A-Za-z0-9]+)+(?![\w/-]))"
_NOT_OF_HANDLES = frozenset("a x s v ms bogus verify fp web fetch get search".split())
_LONG_ID = r"(?a:(?<![\w-])(?:\d{8,22}|[0-9a-f]{24})(?![\w-]))"
_LOGIN = (
    "cookie|登录态|登录信息|登录给|后台登录|有登录|my session|logged.in session|creator login"
    "|login (?:available|here|at hand)"
)
# Said of a login in hand, and of nothing else.
_HAVING_LOGIN = (
    r"(?:我|手里|手上|这边|这里)*有\s*(?:登录)?的?\s*(?:cookie|登录态)|(?:cookie|登录态)\s*(?:我|手里|手上|这边|这里|也|都)*有(?!没|吗|啥)"
    r"|\bi have (?:the |a |my )?cookies?\b|\bcookie (?:is )?(?:at|in) hand\b"
)
_TOKEN = "(?<![a-z])token(?![a-z])"
_COORDINATES = r"-?\d{1,3}\.\d{2,}\s*[,，]\s*-?\d{1,3}\.\d{2,}"
_MANY = (
    r"(?<![\d.])(?:[3-9]|[1-9]\d)\s*(?:条|个|篇|links?|videos?|ids?|posts?|accounts?|people|profiles?|rooms?|clips?"
    r"|tweets?)(?![a-z])"
    r"|[三四五六七八九十]十?[一二三四五六七八九]?(?:条|个)(?:链接|作品|视频|主页|账号|直播间|帖子|笔记|网址|博主|id)"
)
_SAYING = r"[a-z]{3}|[^\x00-\xff]{2}"
# Names that are everyday words, too: they name an input only when the caller says so.
_EVERYDAY = frozenset("id name type page data text q date code mode path tag work age count token".split())
_AS_WRITTEN = frozenset({"X", "RED"})  # names only in capitals
_NOT_WORDS = frozenset({"region", "country_code"})  # free inputs whose values may be words of the question


class Link(NamedTuple):
    """A link of a known form. ``names``: the inputs that it gives; ``hidden``: ids that what it shows has, too, though
    the link does not spell them (a short link to a work stands for the work's id)."""

    kind: str
    names: frozenset[str]
    hidden: frozenset[str]


class Question(NamedTuple):
    """``text``: the words that are left. ``hand``: names of inputs in hand; ``given`` are those that were named,
    ``lists`` those with several values; ``many``: the words speak of several. ``unknown``: how many ids are in hand
    without a word that says whose. ``links``: what links show, in order. ``elsewhere``: only platforms are named that
    no route serves; ``strange``: only such are linked."""

    text: str
    platforms: tuple[str, ...]
    elsewhere: bool
    hand: frozenset[str]
    given: frozenset[str]
    lists: frozenset[str]
    many: bool
    unknown: int = 0
    links: tuple[Link, ...] = ()
    strange: bool = False


def read(text: str, have: Mapping[str, Any], platform: str | None, rules: Mapping[str, Any]) -> Question:
    """Take a question apart.

    Args:
        text: what somebody asks, links and ids in it.
        have: inputs in hand by name; a value may be a list.
        platform: the platform, where the caller says so.
        rules: the header of the index.
    """
    links, names, hand = _Links(rules), _Names(rules), set(have)
    for value in _values(have):
        links.take(value)
    text = names.take(links.take(_without_pasted(text, have, rules["shared"])))
    hand |= links.hand
    given = set(have)
    text, marked, unknown = _take_ids(text, rules, hand, given)
    text = _take_free_values(text, have, rules, hand)
    for aside in patterns(rules["aside"], text):
        text = _without(aside, text)
    text = _without(rules["points"], text) if hand else text
    shown = links.platforms | names.sure | marked
    seen = (platform,) if platform else tuple(p for p in rules["platforms"] if p in (shown or names.perhaps))
    return Question(
        text=text,
        platforms=seen,
        elsewhere=names.elsewhere and not seen,
        hand=frozenset(hand),
        given=frozenset(given),
        lists=frozenset(name for name, value in have.items() if isinstance(value, list) and len(value) > 1),
        many=bool(re.search(_MANY, text)),
        unknown=unknown,
        links=tuple(dict.fromkeys(links.shown)),
        strange=links.strange and not seen,
    )


def platform_of(name: str, rules: Mapping[str, Any]) -> str | None:
    """The platform of this name or nickname."""
    low = name.strip().lower()
    for platform, raw in rules["platforms"].items():
        if low == platform or low in (called.lower() for called in raw["called"]):
            return platform
    return None


def has_any(text: str, wanted: str) -> bool:
    """Whether ``wanted`` occurs; a short Latin word only as a word of its own, a long one at a word's start."""
    return _find(text, wanted, whole=len(wanted) <= 4) >= 0


def _find(text: str, name: str, *, whole: bool = True) -> int:
    """Where ``name`` stands in ``text``, or -1; in Latin letters not inside a word (of its own, where ``whole``)."""
    at = text.find(name)
    while at >= 0 and name.isascii():
        before, after = text[at - 1 : at] if at else "", text[at + len(name) : at + len(name) + 1]
        if not _is_latin(before) and not (whole and _is_latin(after)):
            break
        at = text.find(name, at + 1)
    return at


def _is_latin(sign: str) -> bool:
    return sign.isascii() and sign.isalnum()


def _values(have: Mapping[str, Any]) -> Iterator[str]:
    for value in have.values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


def _without_pasted(text: str, have: Mapping[str, Any], shared: str) -> str:
    """The text without what apps write round a link that they share, and without values in hand that hold a link."""
    text = re.sub(shared, " ", text, flags=re.IGNORECASE) if "://" in text else text
    for value in _values(have):
        text = text.replace(value, " ") if "://" in value else text
    return text


class _Links:
    """Takes links out of texts and notes what they show."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.known = rules["platforms"]
        self.hosts = {host: name for name, raw in self.known.items() for host in raw["hosts"]}
        self.hand, self.platforms, self.strange = set[str](), set[str](), False
        self.shown: list[Link] = []

    def take(self, text: str) -> str:
        return re.sub(_LINK, self._note, text) if "." in text else text

    def _note(self, match: re.Match[str]) -> str:
        address = match[1] + (match[2] or "")
        labels = match[1].lower().split(".")
        hosts = (".".join(labels[start:]) for start in range(len(labels) - 1))
        platform = next((self.hosts[host] for host in hosts if host in self.hosts), None)
        if platform is None:
            if not match[0].lower().startswith("http"):
                return match[0]  # "v2.0" in prose looks like a host, too
            media = re.search(_MEDIA, address.lower()) is not None
            self.hand |= {"url", "file_urls", "input"} if media else {"url"}
            self.strange = self.strange or not media
            return " "
        self.platforms.add(platform)
        self.hand.add("url")
        for pattern, kind, *more in self.known[platform]["links"]:
            if found := re.match(pattern, address):
                names = {name for name, value in found.groupdict().items() if value} | {"url", *more}
                self.hand |= names
                self.shown.append(Link(kind, frozenset(names), frozenset(self._ids(platform, kind)) - names))
                break
        return " "

    def _ids(self, platform: str, kind: str) -> Iterator[str]:
        """The ids that other links of this platform spell for the same kind of thing."""
        for pattern, other, *_ in self.known[platform]["links"]:
            if other == kind:
                yield from re.findall(_GROUP, pattern)


class _Names:
    """Takes names of platforms out of a text. Longer names first: 抖音国际版 is not 抖音.

    ``sure``: platforms that are named; ``perhaps``: by a word that means other things, too.
    """

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.everyday = frozenset(rules["weak"])
        self.spoken = frozenset(rules["spoken"])
        self.sure, self.perhaps, self.elsewhere = set[str](), set[str](), False
        named = [(called, name) for name, raw in rules["platforms"].items() for called in raw["called"]]
        self.named = sorted(named + [(called, "") for called in rules["elsewhere"]], key=lambda pair: -len(pair[0]))
        self.hints = [(called, name) for name, raw in rules["platforms"].items() for called in raw["suggests"]]

    def take(self, text: str) -> str:
        """``text`` without names; an everyday word stays where another platform is named for sure."""
        left = whole = text  # all of the same length
        self.perhaps |= {name for called, name in self.hints if _find(text.lower(), called) >= 0}
        for called, name in self.named:
            while (at := _find(left if called in _AS_WRITTEN else left.lower(), _written(called))) >= 0:
                end = at + len(called)
                left = _blank(left, at, end)
                text = text if called in self.spoken else _blank(text, at, end)
                whole = whole if called in self.spoken or called in self.everyday else _blank(whole, at, end)
                if not name:
                    self.elsewhere = True
                else:
                    (self.perhaps if called in self.everyday else self.sure).add(name)
        return whole if self.sure else text


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def _written(called: str) -> str:
    return called if called in _AS_WRITTEN else called.lower()


def _take_ids(text: str, rules: Mapping[str, Any], hand: set[str], given: set[str]) -> tuple[str, set[str], int]:
    """The text without what looks like an id, the platforms whose ids are among them, and how many could be of
    anything."""
    low = text.lower()
    if re.search(_LOGIN, low):
        hand.add("cookie")
        text = re.sub(_HAVING_LOGIN, " ", text, flags=re.IGNORECASE)
    hand |= {"token"} if "token" in low and re.search(_TOKEN, low) else set()
    hand |= {"latitude", "longitude"} if re.search(_COORDINATES, text) else set()
    platforms, unknown, named = set[str](), 0, False
    for looks, name, platform, begin in rules["ids"]:
        if name == "id" and not named:
            text, named = _take_named(text, rules, bool(hand), given), True
        if begin not in text:
            continue
        # Letters of ids are ASCII: 最近30天导成excel is no id.
        text, times = re.subn(rf"{_LABEL}(?a:(?<![A-Za-z0-9_@#./-])(?:{looks})(?![A-Za-z0-9_]))", " ", text)
        if times:
            hand.add(UNKNOWN if name == "id" else name)
            platforms |= {platform} if platform else set()
            unknown += times if name == "id" else 0
    hand |= given
    return text, platforms, unknown


def _take_named(text: str, rules: Mapping[str, Any], several: bool, given: set[str]) -> str:
    """The text without values before which the name of an input stands; the names are added to ``given``.

    ``several``: more is in hand than one id.
    """
    several = several or len(re.findall(_LONG_ID, text)) > 1
    for name, said in rules["named"].items():
        if name == "comment_id" and not several:  # the comments of what is in hand are meant
            continue
        text, times = re.subn(_NAMED_IN_CHINESE % said, " ", text)
        given |= {name} if times else set()
    if "_" in text:
        text = _take_handles(text, rules["inputs"], given)
    if re.search(_NAMED, text) is None:
        return text
    names = {name.lower(): name for name in rules["inputs"] if name.lower() not in _EVERYDAY}

    def taken(match: re.Match[str]) -> str:
        word = match[1].lower()
        name = names.get(word) or names.get(f"{word}_id")
        given.update({name} if name else ())
        if not name:
            return match[0]
        return " " if word == name.lower() and (word.endswith("id") or "_" in word) else f"{match[1]} "

    return re.sub(_NAMED, taken, text)


def _take_handles(text: str, inputs: Iterable[str], given: set[str]) -> str:
    """The text without words that can only be somebody's name."""
    parts = _NOT_OF_HANDLES.union(*(name.lower().split("_") for name in inputs))
    for handle in re.findall(_HANDLE, text):
        if not parts.issuperset(handle.lower().split("_")) and not handle.startswith(("fetch_", "get_")):
            text = text.replace(handle, " ")
            given.add("username")
    return text


def _take_free_values(text: str, have: Mapping[str, Any], rules: Mapping[str, Any], hand: set[str]) -> str:
    """Words that are looked for say nothing of what is wanted: those that the caller named, and those in quotes."""
    free = set(rules["free"]) - _NOT_WORDS
    whole = text
    for value in _values({name: value for name, value in have.items() if name in free}):
        if len(value) > 1:
            text = re.sub(re.escape(value), " ", text, flags=re.IGNORECASE)
    text, times = re.subn(_QUOTED, " ", text)
    if text == whole:
        text, times = re.subn(_SEARCHED, " ", text)
    hand |= {"keyword"} if times else set()
    return text


def patterns(by_script: Mapping[str, str], text: str) -> Iterator[str]:
    """Those that can occur in ``text``: of Chinese, of words in Latin letters, or both."""
    if not text.isascii():
        yield by_script["zh"]
    if re.search(r"[A-Za-z]{3}", text):
        yield by_script["en"]


def _without(said: str, text: str) -> str:
    """What is said beside ``said``: beside "this post", beside what it is for; all of it, where that is nothing."""
    left = re.sub(said, " ", text.lower())
    return left if re.search(_SAYING, left) else text
