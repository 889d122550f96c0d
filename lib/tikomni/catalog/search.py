"""Makes ``search.txt``, the index that ``find`` reads, from the catalogue and ``questions/*.yaml``.

    questions/asked/*.yaml   what people ask, by capability, and the routes that answer it
    questions/concepts.yaml  words that mean the same
    questions/hints.yaml     nicknames, links, ids, names of inputs that mean the same

    python -m tikomni.catalog.search [--check]

The index is columns (``columns.py``): of each route, by id, what finding it needs; of each term where it stands, and
how often; ``find`` makes weights of the counts. Pairs of Chinese characters, most of the terms, are told by the first:
``粉丝末`` is 粉丝 and 粉末. Same source, same bytes. Needed when the catalogue is compiled, never when it is asked.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tikomni.catalog import SOURCE, words
from tikomni.catalog.columns import gaps, written
from tikomni.catalog.find import USUAL_COUNT, USUAL_LEVEL, pair
from tikomni.catalog.model import Route
from tikomni.storage.yaml_file import read_yaml

QUESTIONS = Path(__file__).parent / "questions"

_SAID_BY_MANY = 160
_COUNTS = (34, 21, 13, 8, 5, 3, 2, 1, 0)  # that are told; others are rounded down, which packs smaller


@dataclass(frozen=True)
class Capability:
    """One thing that people ask for. ``routes``: the best first, platform by platform; ``also``: words of one route."""

    name: str
    asked: tuple[str, ...]
    routes: tuple[str, ...] = ()
    also: dict[str, str] | None = None
    when: str = ""
    exclude: str = ""

    @property
    def platforms(self) -> int:
        return len({route.split(".")[0] for route in self.routes})


def capabilities(folder: Path = QUESTIONS) -> list[Capability]:
    """Every capability of the source, in its order."""
    return [
        Capability(
            name,
            tuple(phrases(raw["asked"])),
            tuple(f"{head}.{tail}" for head, tails in raw.get("routes", {}).items() for tail in tails.split()),
            raw.get("also", {}),
            ", ".join(phrases(raw.get("when", ""))).lower(),
            raw.get("except", ""),
        )
        for file in sorted((folder / "asked").glob("*.yaml"))
        for name, raw in read_yaml(file).items()
    ]


def phrases(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.split(",")) if part]


def build(routes: list[Route], folder: Path = QUESTIONS, source: Path = SOURCE) -> bytes:
    """The bytes of the index. A route that no capability has yet (``route sync`` added it) stands by its own words.

    Raises:
        ValueError: a route has two capabilities; a capability names a route that is not there.
    """
    keywords = {
        operation["x-tikomni-id"]: operation["x-tikomni-keywords"]
        for file in sorted(source.glob("*.yaml"))
        for item in read_yaml(file)["paths"].values()
        for operation in item.values()
    }
    asked, hints = capabilities(folder), read_yaml(folder / "hints.yaml")
    named = [route for capability in asked for route in capability.routes]
    known = {route.id for route in routes}
    if odd := {route for route in named if route not in known or named.count(route) > 1}:
        raise ValueError(f"In two capabilities, or not in the catalogue: {sorted(odd)}")
    asked += [_unnamed(route, keywords[route.id]) for route in routes if route.id not in set(named)]
    owners = {route: n for n, capability in enumerate(asked) for route in capability.routes}
    forms = _forms(folder)
    meanings = _Meanings(words.Concepts(_by_meanings(forms)))
    counts = [Counter(term for phrase in one.asked for term in meanings(phrase)) for one in asked]
    by_capability = _worth_telling(_postings(counts), _within_words(asked))
    ordered = sorted(routes, key=lambda route: owners[route.id])
    by_route = _telling(
        _postings(_own_terms(route, keywords[route.id], asked[owners[route.id]], meanings) for route in ordered)
    )
    terms = sorted(by_capability | by_route, key=lambda term: (not pair(term), term))
    seconds: dict[str, str] = {}
    for term in filter(pair, terms):
        seconds[term[0]] = seconds.get(term[0], "") + term[1]
    columns = [_route_columns(route, asked[owners[route.id]], owners[route.id], hints) for route in routes]
    return written(
        {
            "routes": {name: [one[name] for one in columns] for name in columns[0]},
            "pairs": {"pair": [first + rest for first, rest in seconds.items()]},
            "words": {"word": [term for term in terms if not pair(term)]},
            "terms": {
                "asked": [_counted(by_capability.get(term, {}), USUAL_COUNT) for term in terms],
                "own": [_counted(by_route.get(term, {}), USUAL_LEVEL) for term in terms],
            },
        },
        _header(asked, [count.total() for count in counts], routes, hints, forms),
    )


def _unnamed(route: Route, keywords: list[str]) -> Capability:
    """A capability of its own, until somebody writes down what people ask."""
    when = "" if route.effect in ("read", "account_read") else ", ".join(keywords).lower()
    return Capability(route.object, (*keywords, route.summary), (route.id,), when=when)


class _Meanings:
    """All terms of a text, meanings included."""

    def __init__(self, concepts: words.Concepts) -> None:
        self.concepts = concepts

    def __call__(self, text: str, *, pairs: bool = True) -> set[str]:
        return set(words.terms(text, pairs=pairs)) | self.concepts.of(text)


def _forms(folder: Path) -> dict[str, str]:
    """Concept → its forms, separated by commas; without those that hold another one of the same concept.

    Raises:
        ValueError: a form is longer than what is looked for in questions.
    """
    forms = {
        concept: _shortest(list(dict.fromkeys(filter(None, map(words.form, phrases(text))))))
        for concept, text in read_yaml(folder / "concepts.yaml").items()
    }
    if long := [one for group in forms.values() for one in group if words.is_too_long(one)]:
        raise ValueError(f"Too long to be found: {long}")
    return {concept: ",".join(group) for concept, group in forms.items()}


def _shortest(forms: list[str]) -> list[str]:
    def within(form: str) -> str:
        return f" {form} " if form.isascii() else form

    return [one for one in forms if not any(other != one and within(other) in within(one) for other in forms)]


def _postings(found: Iterable[Mapping[str, int]]) -> dict[str, dict[int, int]]:
    """term → number of what it stands in → how often, or how prominently."""
    postings: dict[str, dict[int, int]] = {}
    for number, terms in enumerate(found):
        for term, level in terms.items():
            postings.setdefault(term, {})[number] = level
    return postings


def _within_words(asked: list[Capability]) -> set[str]:
    """The pairs of Chinese characters that stand within a word."""
    from rjieba import Jieba

    cut = Jieba().cut  # one of its own: signals add words to the one that all share
    found = {word for one in asked for phrase in one.asked for word in cut(phrase) if len(word) > 1}
    return {word[at : at + 2] for word in found for at in range(len(word) - 1)}


def _worth_telling(postings: dict[str, dict[int, int]], within: set[str]) -> dict[str, dict[int, int]]:
    """Without what was seen once and hardly anybody says again: pairs of words, and of characters of two words."""
    return {
        term: found
        for term, found in postings.items()
        if sum(found.values()) > 1 or (term in within if pair(term) else " " not in term)
    }


def _telling(postings: dict[str, dict[int, int]]) -> dict[str, dict[int, int]]:
    """Without what too many routes say of themselves, and pairs of characters that a single one happens to say."""
    return {
        term: found
        for term, found in postings.items()
        if len(found) <= _SAID_BY_MANY and not (pair(term) and len(found) == 1 and not any(found.values()))
    }


def _own_terms(route: Route, keywords: list[str], capability: Capability, meanings: _Meanings) -> dict[str, int]:
    """What a route says of itself: term → 0, or 1 where only this route is asked so."""
    said = [
        *meanings(route.id.partition(".")[2].replace(".", " ").replace("_", " "), pairs=False),
        *meanings(route.summary, pairs=False),
        *meanings(route.summary_zh),
        *(term for keyword in keywords for term in meanings(keyword, pairs=False)),
    ]
    alone = (term for part in phrases((capability.also or {}).get(route.id, "")) for term in meanings(part))
    return dict.fromkeys(said, 0) | dict.fromkeys(alone, 1)


def _rarity(times: int, among: int) -> float:
    return math.log(1 + (among - times + 0.5) / (times + 0.5))


def _counted(found: dict[int, int], usual: int) -> str:
    """Numbers by count, those of the usual one first: ``ab.3c.7d``."""
    levels: dict[int, list[int]] = {usual: []}
    for number, level in sorted(found.items()):
        levels.setdefault(next(count for count in _COUNTS if count <= level), []).append(number)
    first = gaps(levels.pop(usual))
    return first + "".join(f".{gaps([level])}{gaps(numbers)}" for level, numbers in sorted(levels.items()))


def _header(
    asked: list[Capability], sizes: list[int], routes: list[Route], hints: dict[str, Any], forms: dict[str, str]
) -> dict[str, Any]:
    takes = Counter(name for route in routes for name in _names(route))
    same: dict[str, set[str]] = {}
    for line in hints["same"]:
        for name in (group := phrases(line)):
            same.setdefault(name, set()).update(group)
    return {
        "capabilities": [
            [one.name, round(math.log(1 + one.platforms) * 10), one.when, one.exclude, size]
            for one, size in zip(asked, sizes, strict=True)
        ],
        "forms": _by_meanings(forms),
        "platforms": {
            name: {
                "called": phrases(raw["called"]),
                "suggests": phrases(raw.get("suggests", "")),
                "hosts": raw["hosts"],
                "links": [[link["at"], *link["gives"].split()] for link in raw["links"]],
            }
            for name, raw in hints["platforms"].items()
        },
        "spoken": _spoken(hints, forms),
        "weak": hints["weak"],
        "points": hints["points"],
        "asks": hints["asks"],
        "does": hints["does"],
        "turns": [[f"@{says}", f"@{instead}", where] for says, instead, where in hints["turns"]],
        "aside": _by_script(hints["aside"]),
        "undone": _by_script(hints["undone"]),
        "shared": "|".join(hints["shared"]),
        "elsewhere": phrases(hints["elsewhere"]),
        "ids": [[one["looks"], one["name"], one.get("platform", ""), _begin(one["looks"])] for one in hints["ids"]],
        "named": {name: "|".join(phrases(said)) for name, said in hints["named"].items()},
        "kinds": hints["kinds"],
        "same": {name: sorted(group) for name, group in sorted(same.items())},
        "free": phrases(hints["free"]),
        "telling": phrases(hints["telling"]),
        "inputs": {name: round(_rarity(times, len(routes)) * 10) for name, times in sorted(takes.items())},
    }


def _by_script(patterns: list[str]) -> dict[str, str]:
    """The patterns of Chinese texts, and those of others: to compile the half that a question needs is quicker."""
    chinese = [one for one in patterns if any(words.CHINESE <= sign <= words.LAST for sign in one)]
    return {"zh": "|".join(chinese), "en": "|".join(one for one in patterns if one not in chinese)}


def _begin(looks: str) -> str:
    """The letters and signs that all that matches this pattern begins with: to look for them is quicker."""
    return re.match(r"[\w/@#-]*(?![?*{|])", looks)[0]


def _by_meanings(forms: dict[str, str]) -> list[list[str]]:
    """Forms that mean the same things, together: the meanings, the forms."""
    meanings: dict[str, list[str]] = {}
    for concept, text in forms.items():
        for form in text.split(","):
            meanings.setdefault(form, []).append(f"@{concept}")
    groups: dict[str, list[str]] = {}
    for form, concepts in meanings.items():
        groups.setdefault(" ".join(concepts), []).append(form)
    return [[names, ",".join(group)] for names, group in groups.items()]


def _spoken(hints: dict[str, Any], forms: dict[str, str]) -> list[str]:
    """Names of platforms that say something else, too: whoever retweets names a platform and a deed."""
    meant = {one for text in forms.values() for one in text.split(",")}
    called = (name for raw in hints["platforms"].values() for name in phrases(raw["called"]))
    return [name for name in called if words.form(name) in meant]


def _route_columns(route: Route, capability: Capability, number: int, hints: dict[str, Any]) -> dict[str, str]:
    """``standing`` in hundredths; ``needs`` are sets (``a,b;a,c``), ``takes`` what else it takes."""
    head = route.id.split(".")[0]
    needed = _needed(route)
    every = set().union(*needed)
    lists = _is_bare(route) or any(item.type == "array" or item.comma_separated for item in route.inputs)
    acts = route.effect in ("write", "generate", "inflate")
    return {
        "capability": str(number),
        "standing": str(_standing(route, capability)),
        "platforms": ",".join(hints["routes"].get(head, [head])),
        "needs": ";".join(",".join(sorted(one)) for one in needed),
        "takes": ",".join(sorted(_names(route) - every)),
        "marks": "l" * lists + "a" * acts,
    }


def _standing(route: Route, capability: Capability) -> int:
    """What a route is worth beside others that fit as well, in hundredths."""
    head = route.id.split(".")[0]
    beside = [other for other in capability.routes if other.split(".")[0] == head]
    standing = 1 - 0.015 * beside.index(route.id)
    standing *= 0.85 if route.prefer else 1
    standing *= 1 if route.in_catalogue else 0.6
    standing *= 1 if route.effect == "read" else 0.9
    return round(standing * 100)


def _needed(route: Route) -> list[set[str]]:
    """The sets of inputs with which the route can be called."""
    always = {item.name for item in route.inputs if item.required} | ({"body"} if _is_bare(route) else set())
    return [always | set(names) for names in route.any_of] or [always]


def _names(route: Route) -> set[str]:
    return {item.name for item in route.inputs} | ({"body"} if _is_bare(route) else set())


def _is_bare(route: Route) -> bool:
    return route.body is not None and route.body.schema.get("type") != "object"


def main(arguments: list[str]) -> int:
    """Write ``search.txt``; with ``--check`` write nothing, and exit 1 where it is stale."""
    from tikomni.catalog import all_routes
    from tikomni.catalog.find import SEARCH
    from tikomni.storage.atomic import write_bytes

    data = build(list(all_routes()))
    stale = not SEARCH.exists() or SEARCH.read_bytes() != data
    if stale and "--check" not in arguments:
        write_bytes(SEARCH, data)
    return int(stale and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
