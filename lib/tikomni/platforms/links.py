"""What a person pasted → the objects that it names. Pure: no network, no file but our own YAML.

Hosts are compared as a whole (exact, or a true sub-domain), never searched for in a text: ``douyin.com`` in somebody
else's path, query or user name means nothing. Which addresses name what is data: ``links`` in each platform's file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal
from urllib.parse import unquote

from tikomni.platforms.convert import query_pairs
from tikomni.platforms.definitions import ELSEWHERE, document, fill, names

TargetKind = Literal["work", "creator", "short", "collection", "live", "topic", "music", "search", "other"]
LONGEST_TEXT = 200
LONGEST_LINK = 4000


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A platform that has routes but no definition: the route that answers for this link, if one does."""

    platform: str
    name: str
    route: str | None = None
    inputs: dict[str, str] = field(default_factory=dict)


# Ids of which one says what a target is, whatever else is known of it.
_NAMING = ("work_id", "creator_id", "uid", "code", "id")


@dataclass(frozen=True, slots=True)
class Target:
    """One object that a text names.

    ``ids``: what the link or id tells (``work_id``, ``creator_id``, ``handle``, ``xsec_token``, …). ``reason``: why
    ``kind`` is ``other`` (``foreign_host``, ``unsupported_page``, ``invalid_id``, ``no_link``).
    """

    platform: str | None
    kind: TargetKind
    ids: dict[str, str] = field(default_factory=dict)
    url: str | None = None
    text: str = ""
    reason: str | None = None
    elsewhere: Elsewhere | None = None

    @property
    def known(self) -> dict[str, str]:
        """Everything that a route may be asked with: the ids, and the link as ``url``."""
        return self.ids | ({"url": self.url} if self.url else {})

    @property
    def key(self) -> tuple[object, ...]:
        """The same for two names of one object, as far as can be told without asking."""
        main = next((self.ids[name] for name in _NAMING if name in self.ids), None)
        return self.platform, self.kind, main or tuple(sorted(self.ids.items())) or self.url or self.text


@dataclass(frozen=True, slots=True)
class Page:
    """One kind of address. ``path`` matches from the start of the path; ``query`` names parameters that hold an id."""

    kind: TargetKind
    hosts: tuple[str, ...]
    path: re.Pattern[str] | None
    query: Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]]
    put: Mapping[str, str]
    route: str | None
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bare:
    """An id that stands alone. ``certain`` is what needs no word about the platform."""

    kind: TargetKind
    id: str
    pattern: re.Pattern[str]
    certain: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Handle:
    """What people type to find an account. ``label`` stands before it on a profile; ``also``: ids that it may be."""

    pattern: re.Pattern[str]
    label: re.Pattern[str]
    also: Mapping[str, re.Pattern[str]]

    def target(self, platform: str, word: str) -> Target:
        also = {name: word for name, pattern in self.also.items() if pattern.fullmatch(word)}
        return Target(platform, "creator", {"handle": word} | also, text=word)


@dataclass(frozen=True, slots=True)
class Rules:
    """How the links of one platform read."""

    platform: str
    hosts: tuple[str, ...]
    pages: tuple[Page, ...]
    bare: tuple[Bare, ...] = ()
    handle: Handle | None = None
    carry: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Elsewhere | None = None


# What cannot stand in an address as people write it: white space, quotes, Chinese and other closing punctuation.
_STOP = r"\s\\<>\"'`|{}^，。！？；：、“”‘’（）【】《》「」『』〈〉〔〕…"
_ADDRESS = r"[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]"
# Before a link without a scheme: nothing that could be part of a longer host, address or mail name. Letters of other
# scripts and invisible characters count, Chinese ones do not: text and link are written without a space.
_BEFORE = r"(?<![A-Za-z0-9_.\-@/\\%=&?#+~\u00aa-\u1fff\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff])"
# An address ends where the next one begins; whose part that next one is, is decided when the host is known.
_SCHEME = "[Hh][Tt][Tt][Pp][Ss]?"
# Words as some browsers show them; where no parameter follows, they are the text after a link.
_WORDS = rf"[^\x00-\x7f{_STOP}]{{1,60}}(?=[?&][A-Za-z_]{{1,20}}=)"
_REST = rf"(?:(?!{_SCHEME}://){_ADDRESS}|{_WORDS})*"
_TOKEN = re.compile(
    rf"(?:(?P<scheme>{_SCHEME})://(?P<authority>[^/?#,;{_STOP}]{{1,400}})(?P<rest>{_REST}))"
    rf"|(?:{_BEFORE}(?P<host>(?:[A-Za-z0-9-]{{1,63}}\.){{1,8}}[A-Za-z]{{2,24}})(?::\d{{1,5}})?(?P<path>[/?]{_REST}))"
    rf"|(?:{_BEFORE}(?P<bare>[A-Za-z0-9_-]{{15,160}})(?![A-Za-z0-9_\-@%]|[./][A-Za-z0-9]))"
)
_NESTED = re.compile(rf"{_SCHEME}://{_REST}")
_ANY_LINK = re.compile(rf"{_SCHEME}://")
_TRAILING = ".,;:!?'\")]*~"
_VALUE = re.compile(r"[\w=%+/.~-]{1,300}", re.ASCII)
_ONE_WORD = re.compile(r"[\w-]{1,200}", re.ASCII)
# Full-width letters, digits and the signs of an address; Chinese punctuation proper stays, since it ends a link.
_WIDE = {c: c - 0xFEE0 for c in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))} | {
    ord(wide): narrow for wide, narrow in zip("．／－＿＝＆％＃＠", "./-_=&%#@", strict=True)
}
# Invisible characters that came along with a copied link; inside a word they may hide what a host really is.
_INVISIBLE = re.compile(r"(^|\s)[\u200b-\u200f\u2060-\u206f\ufeff]+")
_WIDE_SCHEME = re.compile(rf"({_SCHEME})：(?=//)")


def read(text: str, platform: str | None = None, expect: TargetKind | None = None) -> tuple[Target, ...]:
    """Every object that ``text`` names, in order, each once.

    Args:
        text: links, share texts and ids in any mixture.
        platform: the platform whose ids bare ids are; without it only ids that cannot be taken for others count.
        expect: what links and ids are thought to name, where they may name several kinds (a work that is open over a
            profile); with ``creator``, a text of bare words is handles where ``platform`` says whose, and labelled
            handles count anywhere.

    Returns:
        At least one target for a text that is not blank: where nothing is named, one of kind ``other`` with a reason.
    """
    plain = _INVISIBLE.sub(r"\1", _WIDE_SCHEME.sub(r"\1:", text.translate(_WIDE)))
    if not plain.strip():
        return ()
    found: dict[tuple[object, ...], Target] = {}
    doubtful: list[Target] = []
    for target in _targets(plain, platform, expect):
        if target.reason == "foreign_host" and not _ANY_LINK.match(target.text):
            doubtful.append(target)  # "and.or/not" in prose looks like an address too
        else:
            found.setdefault(target.key, target)
    if found:
        return tuple(found.values())
    if expect == "creator" and (named := _handles(plain, platform)):
        return named
    if doubtful:
        return tuple({t.key: t for t in doubtful}.values())
    reason = "invalid_id" if platform and _ONE_WORD.fullmatch(plain.strip()) else "no_link"
    return (Target(platform, "other", text=text.strip()[:LONGEST_TEXT], reason=reason),)


def _handles(text: str, platform: str | None) -> tuple[Target, ...]:
    """The accounts that a text without links names: by labelled handles, else by nothing but handles."""
    rules = [r for r in _all_rules() if r.handle and platform in (None, r.platform)]
    labelled = {
        hit[1]: r for r in rules for hit in re.finditer(f"{r.handle.label.pattern}({r.handle.pattern.pattern})", text)
    }
    if labelled:
        return tuple(r.handle.target(r.platform, word) for word, r in labelled.items())
    words = [word.removeprefix("@") for word in re.split(r"[\s,，;；、]+", text) if word]
    if platform is None or not rules or not all(rules[0].handle.pattern.fullmatch(word) for word in words):
        return ()
    return tuple(rules[0].handle.target(platform, word) for word in dict.fromkeys(words))


def _targets(text: str, platform: str | None, expect: TargetKind | None) -> Iterator[Target]:
    position = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        if match["bare"]:
            if target := _bare(match["bare"], platform, expect):
                yield target
            continue
        host = _host(match["authority"]) if match["authority"] else match["host"].lower()
        start = match.start("rest" if match["authority"] else "path")
        rules = _rules_for(host)
        # Two links may touch each other, but inside somebody's query, or a foreign address, a link is a part of it.
        whole = rules is None or "?" in text[start:position]
        while whole and text[position - 1] not in ",;" and (part := _NESTED.match(text, position)):
            position = part.end()
        rest = text[start : min(position, start + LONGEST_LINK)].replace("&amp;", "&").rstrip(_TRAILING)
        yield _link(match["scheme"] or "", host, rest, rules, expect)


def _host(authority: str) -> str:
    """The host that an authority leads to: after the last ``@``, without port and final dot.

    Not lowered where it is not ASCII: some foreign letters would turn into ours.
    """
    host, _, port = authority.rpartition("@")[2].partition(":")
    host = (host.lower() if host.isascii() else host).removesuffix(".")
    return host if not port or port.isdecimal() else ""


def _belongs(host: str, pattern: str) -> bool:
    """``.example.com`` stands for the host and its sub-domains, ``www.example.com`` for itself."""
    return host == pattern.removeprefix(".") or (pattern.startswith(".") and host.endswith(pattern))


def _rules_for(host: str) -> Rules | None:
    if not host.isascii():
        return None
    return next((r for r in _all_rules() if any(_belongs(host, h) for h in r.hosts)), None)


def _link(scheme: str, host: str, rest: str, rules: Rules | None, expect: TargetKind | None) -> Target:
    shown = f"{scheme}://{host}{rest}" if scheme else f"{host}{rest}"
    url = f"{scheme.lower() or 'https'}://{host}{rest}"
    if rules is None:
        return Target(None, "other", url=url, text=shown[:LONGEST_TEXT], reason="foreign_host")
    path, _, query = rest.partition("#")[0].partition("?")
    pairs = query_pairs(query)
    for page in sorted(rules.pages, key=lambda page: page.kind != expect):
        ids = _match(page, host, path, pairs)
        if ids is not None:
            break
    else:
        return Target(rules.platform, "other", {}, url, shown[:LONGEST_TEXT], "unsupported_page", rules.elsewhere)
    ids |= page.put
    if page.kind == "short":
        ids["short_url"] = url
    values = dict(reversed(pairs))
    for name, parameter in rules.carry.items():
        if _VALUE.fullmatch(values.get(parameter, "")):
            ids.setdefault(name, values[parameter])
    return Target(rules.platform, page.kind, ids, url, shown[:LONGEST_TEXT], None, _elsewhere(rules, page, ids, url))


def _elsewhere(rules: Rules, page: Page, ids: dict[str, str], url: str) -> Elsewhere | None:
    filled = {name: fill(template, ids | {"url": url}) for name, template in page.inputs.items()}
    if rules.elsewhere is None or page.route is None or None in filled.values():
        return rules.elsewhere
    return replace(rules.elsewhere, route=page.route, inputs=filled)


def _match(page: Page, host: str, path: str, pairs: list[tuple[str, str]]) -> dict[str, str] | None:
    """The ids that an address holds, if it is of this kind."""
    if not any(_belongs(host, h) for h in page.hosts):
        return None
    ids: dict[str, str] = {}
    if page.path is not None:
        match = page.path.match(path) or page.path.match(unquote(path))
        if not match:
            return None
        ids = {name: value for name, value in match.groupdict().items() if value}
    for name, choices in page.query.items():
        values = (v for parameter, pattern in choices for n, v in pairs if n == parameter and pattern.fullmatch(v))
        value = next(values, None)
        if value is None:
            return None
        ids[name] = value
    return ids


def _bare(token: str, platform: str | None, expect: TargetKind | None) -> Target | None:
    for rules in _all_rules():
        if platform not in (None, rules.platform):
            continue
        for bare in sorted(rules.bare, key=lambda bare: bare.kind != expect):
            if (bare.pattern if platform else bare.certain).fullmatch(token):
                return Target(rules.platform, bare.kind, {bare.id: token}, text=token)
    return None


@cache
def _all_rules() -> tuple[Rules, ...]:
    """The rules of every platform; the first that claims a host has it."""
    own = (_rules(name, document(name)["links"]) for name in names())
    others = (
        _rules(raw["platform"], raw, Elsewhere(raw["platform"], raw["name"]))
        for raw in document(ELSEWHERE)["platforms"]
    )
    return (*own, *others)


def _rules(platform: str, raw: Mapping[str, Any], elsewhere: Elsewhere | None = None) -> Rules:
    ids: dict[str, str] = raw.get("ids", {})
    hosts = tuple(raw["hosts"])
    bare = tuple(
        Bare(b["kind"], b["id"], re.compile(ids[b["id"]]), re.compile(b.get("certain", ids[b["id"]])))
        for b in raw.get("bare", ())
    )
    pages = tuple(_page(page, hosts, ids) for page in raw["pages"])
    return Rules(platform, hosts, pages, bare, _handle(raw.get("handle")), raw.get("carry", {}), elsewhere)


def _handle(raw: Mapping[str, Any] | None) -> Handle | None:
    if raw is None:
        return None
    also = {name: re.compile(pattern) for name, pattern in raw.get("also", {}).items()}
    return Handle(re.compile(raw["pattern"], re.ASCII), re.compile(raw["label"]), also)


def _page(raw: Mapping[str, Any], hosts: tuple[str, ...], ids: Mapping[str, str]) -> Page:
    """``{work_id}`` in a path stands for that id's pattern; a path ends where a segment ends."""
    path = None
    if "path" in raw:
        spelled = re.sub(r"\{([a-z]\w*)\}", lambda place: f"(?P<{place[1]}>{ids[place[1]]})", raw["path"])
        path = re.compile(rf"{spelled}(?=/|$)")
    query = {
        name: tuple((parameter, re.compile(ids[name])) for parameter in parameters)
        for name, parameters in raw.get("query", {}).items()
    }
    own = tuple(raw.get("hosts", hosts))
    return Page(raw["kind"], own, path, query, raw.get("put", {}), raw.get("route"), raw.get("inputs", {}))
