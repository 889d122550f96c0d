"""Which routes answer a question: words, meanings, platform and what is in hand, weighed together.

    find("抖音这条底下都在吵啥", {"aweme_id": "7412345678901234567"})

Lexical and offline: of the index (``search.txt``, made by ``search.py``) a question needs the header, the routes and
where a few terms stand. It must not call anything, or guess an input.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tikomni.catalog import ids, words
from tikomni.catalog.columns import Columns, numbers
from tikomni.catalog.question import UNKNOWN, Question, has_any, patterns, platform_of, read

__all__ = ["DEFAULT_LIMIT", "SEARCH", "Found", "find", "platforms"]

SEARCH = Path(__file__).with_name("search.txt")

DEFAULT_LIMIT = 8
NOT_OFFERED = "none."
"""Capabilities that no route has are named so: where one fits best, nothing fits."""
DEEDS = "act."
"""Capabilities that do something as somebody: where one fits best on platforms that lack it, nothing fits either."""

USUAL_COUNT, USUAL_LEVEL = 1, 0
"""How often most terms stand in what a capability is asked with; most are not what only one route is asked with."""

_TENTHS = 10
_RARE = 2  # a term that was seen once or twice says less than it seems to
_CONCEPT = 1.2  # a meaning counts for more than the word that carries it
_USUAL_SIZE = 150
_OWN = (0.65, 0.75)  # of what a route says of itself, and of words that only it is asked with

# How much things count beside words, whose weights are mostly 2…6 each. Set by measuring (tests/find).
_NAME_IN_HAND = 1.5
_DETOUR = 0.5
_BY_LINK = 0.5  # people paste links whatever they want to know
_SHOWN_BY_LINK = 2.0
_BY_KEYWORD, _SEARCHES = 2.0, ("search.posts", "search.all", "search.newest")  # where nothing else is said
_NOT_OFFERED_WINS = 2.0  # its words were asked for expressly
_LISTS, _NO_LISTS = 1.25, 0.8
_FOR_ANY_PLATFORM = 0.8
_BY_ANOTHER_NAME, _NEARLY, _PERHAPS, _OPTIONAL = 0.8, 0.5, 0.5, 0.3  # of an input that is in hand
_LEFT_OVER, _LEFT_OVER_UNASKED = 0.5, 0.2  # of something in hand that a route has no use for
_FREE_INPUT = 0.5
_FITS = 0.6
_NOTHING_NEEDED = 0.3
_LEAST_INPUT, _UNKNOWN_INPUT = 1.5, 3.0

_SAME_CAPABILITY = 2  # variants of one thing that are shown
_CLEARLY = 0.95  # what acts comes first only when the next other thing is further off than this
_AS_GOOD = 0.9
_FAR_OFF, _PERHAPS_FAR_OFF, _COVERED = 12.0, 25.0, 0.4
_NEAREST = 5


class Found(NamedTuple):
    """``routes``: ids, the best first. ``platforms``: where the best hits are, when they are on several and the
    question names none. ``nearest``: what there is instead, when nothing fits."""

    routes: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()


def pair(term: str) -> bool:
    """Whether a term is two Chinese characters, as most are."""
    return len(term) == 2 and term[0] >= words.CHINESE and term[1] >= words.CHINESE


class _Entry(NamedTuple):
    """One route, as far as finding it goes. ``needs``: sets of inputs with which it can be called; ``takes``: others.

    ``acts``: it does more than read something public or one's own. ``lists``: it takes several values at once.
    """

    id: str
    capability: int
    standing: float
    platforms: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    takes: frozenset[str]
    lists: bool
    acts: bool


class _Thing(NamedTuple):
    """Something in hand. ``names``: the inputs that it is; ``others``: those that it may do for; ``asked``: the caller
    named it; ``rarity``: how telling it is at most."""

    names: frozenset[str]
    others: frozenset[str]
    asked: bool
    rarity: float = float("inf")


class _Hit(NamedTuple):
    """How well something fits; ``entry`` is None for a capability that no route has."""

    score: float
    capability: int
    entry: _Entry | None = None


class _Index:
    """``search.txt``; where a term stands is read when it is asked for."""

    def __init__(self, data: bytes) -> None:
        self._columns = Columns(data)
        self.rules: dict[str, Any] = self._columns.beside
        self.free = frozenset(self.rules["free"])
        self.telling = frozenset(self.rules["telling"])
        self._asked = sum(row[4] for row in self.rules["capabilities"])
        self._pairs = "\n" + self._columns.text("pairs", "pair").decode()
        self._words = b"\n" + self._columns.text("words", "word")
        self._capability = [int(cell) for cell in self._columns.cells("routes", "capability")]

    @cached_property
    def concepts(self) -> words.Concepts:
        return words.Concepts(self.rules["forms"])

    @cached_property
    def _by_capability(self) -> list[int]:
        """Numbers of the routes in the order in which terms count them: one capability's stand together."""
        return sorted(range(len(self._capability)), key=self._capability.__getitem__)

    def entries(self, platforms: Sequence[str]) -> Iterator[tuple[int, _Entry]]:
        """Routes of these platforms, and those that serve any; without ``platforms`` all. Each with its number."""
        wanted = {*platforms, ""}
        columns = [self._route(name) for name in ("standing", "platforms", "needs", "takes", "marks")]
        rows = zip(ids(), self._capability, *columns, strict=True)
        for number, (route, capability, standing, where, needs, takes, marks) in enumerate(rows):
            served = _names(where)
            if not platforms or not wanted.isdisjoint(served or ("",)):
                yield (
                    number,
                    _Entry(
                        route,
                        capability,
                        int(standing) / 100,
                        served,
                        tuple(map(_names, needs.split(";"))),
                        frozenset(_names(takes)),
                        "l" in marks,
                        "a" in marks,
                    ),
                )

    def _route(self, column: str) -> list[str]:
        return self._columns.text("routes", column).decode().split("\n")[:-1]

    def weights(self, term: str) -> tuple[dict[int, float], dict[int, float]]:
        """What a term says for each capability, and for each route.

        For a capability: how much likelier the term is in what it is asked with than elsewhere (naive Bayes, the count
        damped for what was seen seldom). For a route: how well the term tells it from the others (tf-idf).
        """
        row = self._row(term)
        if row is None:
            return {}, {}
        strength = _CONCEPT if term.startswith("@") else 1.0
        asked, own = (self._columns.cells("terms", name)[row].decode() for name in ("asked", "own"))
        counts = _counts(asked, USUAL_COUNT)
        levels = {self._by_capability[place]: level for place, level in _counts(own, USUAL_LEVEL).items()}
        share = self._asked / (sum(counts.values()) + _RARE)
        rarity = math.log(1 + (len(self._capability) - len(levels) + 0.5) / (len(levels) + 0.5))
        return (
            _above(
                0.5, {n: strength * math.log((times + 0.05) / self._size(n) * share) for n, times in counts.items()}
            ),
            _above(1.0, {n: strength * rarity * _OWN[level] for n, level in levels.items()}),
        )

    def knows(self, term: str) -> bool:
        return self._row(term) is not None

    def _row(self, term: str) -> int | None:
        """Which row of ``terms`` is about ``term``: pairs come first."""
        if not pair(term):
            at = self._words.find(f"\n{term}\n".encode())
            return None if at < 0 else self._count_of_pairs + self._words.count(b"\n", 0, at)
        start = self._pairs.find("\n" + term[0])
        at = self._pairs.find(term[1], start + 2, self._pairs.index("\n", start + 1)) if start >= 0 else -1
        return None if at < 0 else at - 2 * self._pairs.count("\n", 0, at)

    @cached_property
    def _count_of_pairs(self) -> int:
        return len(self._pairs) - 2 * self._pairs.count("\n") + 1

    def _size(self, capability: int) -> float:
        """How much a capability is asked with; the square root, since a longer list is not a likelier one."""
        return math.sqrt((self.rules["capabilities"][capability][4] + 2.5) * _USUAL_SIZE)

    def prior(self, capability: int) -> float:
        return self.rules["capabilities"][capability][1] / _TENTHS

    def rarity(self, name: str) -> float:
        """How telling the name of an input is; 0 for a name that no route has."""
        return self.rules["inputs"].get(name, 0) / _TENTHS


@cache
def _names(text: str) -> tuple[str, ...]:
    """Most routes share what they need, and where they are, with others."""
    return tuple(text.split(",")) if text else ()


def _counts(text: str, usual: int) -> dict[int, int]:
    """Number → count, as ``search.py`` writes them."""
    first, *others = text.split(".")
    found = dict.fromkeys(numbers(first), usual)
    for level, *rest in map(numbers, others):
        found.update(dict.fromkeys((number - level - 1 for number in rest), level))
    return found


def _above(least: float, weights: dict[int, float]) -> dict[int, float]:
    return {number: weight for number, weight in weights.items() if weight >= least}


@cache
def _index() -> _Index:
    return _Index(SEARCH.read_bytes())


def platforms() -> tuple[str, ...]:
    """The platforms that a question can be about."""
    return tuple(_index().rules["platforms"])


def find(
    question: str, have: Mapping[str, Any] | None = None, platform: str | None = None, limit: int = DEFAULT_LIMIT
) -> Found:
    """The routes that answer ``question``, the best first.

    Args:
        question: Chinese, English or both; pasted links and ids may be in it.
        have: inputs in hand, by the name of an input or another name of the same thing; a value may be a list.
        platform: its name or nickname; read from the question where it is not told.
        limit: how many routes at most.
    """
    index = _index()
    told = platform and (platform_of(platform, index.rules) or platform)
    asked = read(question, have or {}, told or None, index.rules)
    if asked.elsewhere or (told and told not in index.rules["platforms"]):
        return Found(nearest=_nearest(index, []))
    ranking = _Ranking(index, asked)
    if ranking.wants_what_nobody_does:
        return Found(nearest=_nearest(index, []))
    hits = ranking.hits() if ranking.begins_with_a_deed else _reading_first(ranking.hits())
    if not hits or hits[0].entry is None or ranking.is_far_off(hits[0]):
        return Found(nearest=_nearest(index, hits))
    several = () if asked.platforms else _several(hits)
    return Found(tuple(_shown(hits, limit, apart=bool(several))), several)


class _Ranking:
    """One question against all routes."""

    def __init__(self, index: _Index, asked: Question) -> None:
        self.index, self.asked = index, asked
        self.text = index.concepts.corrected(asked.text, index.knows)
        self.low = words.plain(_joined(self.text))
        self.meanings = index.concepts.of(self.low)
        if len(self.meanings) > 1 and (asked.links or UNKNOWN in asked.hand):
            self.meanings -= {"@post", "@shorts"}  # they say what is in hand, not what is wanted of it
        turns = index.rules["turns"] if "@followed" in self.meanings or "@who_follows" in self.meanings else ()
        for says, instead, where in turns:
            if re.search(where, self.low):
                self.meanings = self.meanings - {instead} | {says}
        self.begins_with_a_deed = re.search(index.rules["does"], self.low) is not None
        if self.begins_with_a_deed:
            self.meanings.add("@acting")
        self.wants_what_nobody_does = any(re.search(one, self.low) for one in patterns(index.rules["undone"], self.low))
        self.things = tuple(self._things())
        told = asked.given & index.telling
        self._told = told.union(*(self._same(name) for name in told))
        self._asked_for: dict[int, bool] = {}

    def _things(self) -> Iterator[_Thing]:
        """What is in hand. A link is one thing, by whichever of its names a route takes it."""
        linked = set[str]()
        for link in self.asked.links:
            linked |= link.names
            others = link.hidden.union(*(self._same(name) for name in link.names))
            known = [rarity for name in link.names | link.hidden if (rarity := self.index.rarity(name))]
            asked = bool(link.names & self.asked.given - {"url"})
            yield _Thing(link.names, others - link.names, asked, _BY_LINK * min(known, default=0.0))
        for name in sorted(self.asked.hand - linked):
            yield _Thing(frozenset({name}), self._same(name), name in self.asked.given and name != "url")

    def _same(self, name: str) -> frozenset[str]:
        return frozenset(self.index.rules["same"].get(name, ()))

    def hits(self) -> list[_Hit]:
        """Everything that fits at all, the best first."""
        by_capability, by_route = self._by_words()
        found = [
            _Hit(score, entry.capability, entry)
            for number, entry in self.index.entries(self.asked.platforms)
            if self._is_candidate(entry)
            and (score := self._score(entry, by_capability[entry.capability], by_route[number])) > 0
        ]
        found = self._without_detours(found)
        served = {hit.capability for hit in found}
        found += (
            _Hit(_NOT_OFFERED_WINS * by_capability[number], number)
            for number, (name, _, _, exclude, _) in enumerate(self.index.rules["capabilities"])
            if (name.startswith(NOT_OFFERED) or (name.startswith(DEEDS) and self.asked.platforms))
            and number not in served
            and by_capability[number]
            and not set(exclude.split(", ")).intersection(self.asked.platforms)
            and self._is_asked_for(number)
        )
        order = {name: place for place, name in enumerate(self.index.rules["platforms"])}
        return sorted(found, key=lambda hit: (-hit.score, _place(hit, order)))

    def _without_detours(self, hits: list[_Hit]) -> list[_Hit]:
        """What needs an id that the link in hand does not spell gives way to what takes the link for the same."""

        def takes_a_link(hit: _Hit) -> bool:
            return any(link.names.intersection(needed) for link in self.asked.links for needed in hit.entry.needs)

        if not any(link.hidden for link in self.asked.links):
            return hits
        direct = {(hit.capability, hit.entry.platforms) for hit in hits if takes_a_link(hit)}
        return [
            hit._replace(score=_DETOUR * hit.score)
            if (hit.capability, hit.entry.platforms) in direct and not takes_a_link(hit)
            else hit
            for hit in hits
        ]

    def is_far_off(self, hit: _Hit) -> bool:
        """Whether a question that names no platform, and holds nothing, is not about this at all."""
        if self.asked.platforms or (self.asked.hand and not self.asked.strange):
            return False
        said = list(words.terms(self.text, pairs=False))
        covered = sum(hit.capability in self.index.weights(term)[0] for term in said)
        return hit.score < _FAR_OFF or (hit.score < _PERHAPS_FAR_OFF and covered < _COVERED * len(said))

    def _by_words(self) -> tuple[Mapping[int, float], Mapping[int, float]]:
        terms = set(words.terms(self.text)) | self.meanings
        if self.asked.many or self.asked.lists:
            terms.add("@batch")
        sums = defaultdict[int, float](float), defaultdict[int, float](float)
        for term in sorted(terms):
            for into, weights in zip(sums, self.index.weights(term), strict=True):
                for number, weight in weights.items():
                    into[number] += weight
        if shown := next(filter(None, (self.index.rules["kinds"].get(link.kind) for link in self.asked.links)), None):
            names = [row[0] for row in self.index.rules["capabilities"]]
            sums[0][names.index(shown)] += _SHOWN_BY_LINK
        elif not self.asked.hand.isdisjoint(self._same("keyword")):
            for number, row in enumerate(self.index.rules["capabilities"]):
                sums[0][number] += _BY_KEYWORD if row[0] in _SEARCHES else 0.0
        return sums

    def _is_candidate(self, entry: _Entry) -> bool:
        if self.asked.strange and entry.platforms:
            return False
        return self._is_asked_for(entry.capability) or any(name in self._told for one in entry.needs for name in one)

    def _is_asked_for(self, capability: int) -> bool:
        """Some things are meant only by those who say so: what does more than read, what hardly anybody needs."""
        if capability not in self._asked_for:
            name, _, when, *_ = self.index.rules["capabilities"][capability]
            self._asked_for[capability] = not when or (
                any(all(self._says(part) for part in one.split(" + ")) for one in when.split(", "))
                and not (name.startswith(DEEDS) and self._only_asks)
            )
        return self._asked_for[capability]

    @cached_property
    def _only_asks(self) -> bool:
        return re.search(self.index.rules["asks"], self.low) is not None

    def _says(self, part: str) -> bool:
        if part.startswith("@"):
            return part in self.meanings or (part == "@own" and "cookie" in self.asked.hand)
        return has_any(self.low, part) or (part == "cookie" and part in self.asked.hand)

    def _score(self, entry: _Entry, by_capability: float, by_route: float) -> float:
        score = by_capability + by_route + self.index.prior(entry.capability)
        score += _NAME_IN_HAND * sum(self._telling(entry))
        score *= (1 + _FITS * self._fit(entry)) * entry.standing
        if self.asked.lists:
            score *= _LISTS if entry.lists else _NO_LISTS
        return score * _FOR_ANY_PLATFORM if self.asked.platforms and not entry.platforms else score

    def _telling(self, entry: _Entry) -> Iterator[float]:
        """How telling each thing in hand is that this route takes."""
        needed = {name for one in entry.needs for name in one}
        for thing in self.things:
            if thing.names & needed:
                yield self._rarity(thing, thing.names & needed)
            elif thing.names & entry.takes:
                yield _OPTIONAL * self._rarity(thing, thing.names & entry.takes)
            elif thing.others & needed:
                yield _NEARLY * self._rarity(thing, thing.others & needed)

    def _rarity(self, thing: _Thing, names: frozenset[str] | set[str]) -> float:
        return min(thing.rarity, max(self.index.rarity(name) for name in names))

    def _fit(self, entry: _Entry) -> float:
        """0…1: how nearly what is in hand is what the route needs."""
        if not self.things:
            return _NOTHING_NEEDED if self.index.free.issuperset(entry.needs[0]) else 0.0
        return max(self._overlap(needed, entry.takes) for needed in entry.needs)

    def _overlap(self, needed: Sequence[str], takes: frozenset[str]) -> float:
        used, both, either, unknown = set[_Thing](), 0.0, 0.0, self.asked.unknown
        for name in needed:
            weight = self._weight(name)
            either += weight
            if exact := next((thing for thing in self.things if name in thing.names), None):
                both += weight
                used.add(exact)
            elif other := next((thing for thing in self.things if name in thing.others), None):
                both += _BY_ANOTHER_NAME * weight
                used.add(other)
            elif unknown and name not in self.index.free:
                both += _PERHAPS * weight
                unknown -= 1
        for thing in self.things:
            if thing in used or UNKNOWN in thing.names:
                continue
            if thing.names & takes:
                weight = max(self._weight(name) for name in thing.names & takes)
                both += _OPTIONAL * weight
                either += 2 * _OPTIONAL * weight
            else:
                weight = min(self._weight(name) for name in thing.names)
                either += weight * (_LEFT_OVER if thing.asked else _LEFT_OVER_UNASKED)
        return both / either if either else 0.0

    def _weight(self, name: str) -> float:
        weight = max(self.index.rarity(name) or _UNKNOWN_INPUT, _LEAST_INPUT)
        return weight * (_FREE_INPUT if name in self.index.free else 1)


def _joined(text: str) -> str:
    """``text`` without the gap that a platform's name left in 我 抖音 号: whose something is, is said so."""
    return re.sub(rf"(?<=[我咱己们])\s+(?=[{words.CHINESE}-{words.LAST}])", "", text)


def _place(hit: _Hit, order: Mapping[str, int]) -> tuple[int, str]:
    """Equal hits: the platforms in their order, then by id."""
    if hit.entry is None:
        return -1, ""
    return min((order[name] for name in hit.entry.platforms), default=len(order)), hit.entry.id


def _reading_first(hits: list[_Hit]) -> list[_Hit]:
    """What acts gives way to what reads, unless it is clearly what was meant."""
    if not hits or hits[0].entry is None or not hits[0].entry.acts:
        return hits
    other = next((hit for hit in hits if hit.capability != hits[0].capability), None)
    if other is None or other.score < _CLEARLY * hits[0].score:
        return hits
    return sorted(hits, key=lambda hit: hit.entry is not None and hit.entry.acts)


def _several(hits: Sequence[_Hit]) -> tuple[str, ...]:
    """The platforms of the hits that are about as good as the best, when they are on several."""
    good = [hit.entry for hit in hits if hit.entry and hit.score >= _AS_GOOD * hits[0].score]
    found = tuple(dict.fromkeys(name for entry in good for name in entry.platforms))
    return found if len(found) > 1 else ()


def _shown(hits: Sequence[_Hit], limit: int, *, apart: bool) -> Iterator[str]:
    """The best routes, not all of them variants of one thing. ``apart``: one of a kind on each platform."""
    seen = Counter[Any]()
    for hit in hits:
        if hit.entry is None:
            continue
        kind = (hit.capability, hit.entry.id.split(".")[0]) if apart else hit.capability
        seen[kind] += 1
        if seen[kind] <= (1 if apart else _SAME_CAPABILITY):
            limit -= 1
            yield hit.entry.id
        if limit <= 0:
            return


def _nearest(index: _Index, hits: Sequence[_Hit]) -> tuple[str, ...]:
    """What the nearest hits are about, else what most platforms have."""
    rows = index.rules["capabilities"]
    order = [hit.capability for hit in hits if hit.entry] or sorted(range(len(rows)), key=lambda n: -rows[n][1])
    return tuple(dict.fromkeys(rows[number][0].split(".")[0] for number in order))[:_NEAREST]
