"""Makes ``search.txt``, the index that ``find`` reads, from the rows of the catalogue and ``questions/*.yaml``.

    questions/asked/*.yaml   what people ask, by capability, and the routes that answer it
    questions/concepts.yaml  words that mean the same
    questions/hints.yaml     nicknames, links, ids, names of inputs that mean the same

    python -m tikomni.catalog.search [--check]

The index is lines of text: one JSON header, one line for a route, one sorted line for a term. A weight says, in tenths,
how much likelier a term is in what a capability is asked with than elsewhere (naive Bayes), or how well it tells one
route from the others (tf-idf). Same source, same bytes. Needed when the catalogue is compiled, never when it is asked.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tikomni.catalog import words
from tikomni.catalog.model import Route

QUESTIONS = Path(__file__).parent / "questions"

STEPS = 3  # a weight is counted in thirds
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_CONCEPT = 1.5  # a meaning counts for more than the word that carries it
_OWN = 0.8  # what a route says of itself, against what its capability is asked with
_FIELDS = {"also": 3.0, "keywords": 2.0, "summary": 1.5, "id": 1.0}


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
        for name, raw in _yaml(file).items()
    ]


def phrases(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.split(",")) if part]


def build(routes: list[Route], folder: Path = QUESTIONS) -> bytes:
    """The bytes of the index.

    Raises:
        ValueError: a route has no capability, or two; a capability names a route that is not there.
    """
    asked, hints = capabilities(folder), _yaml(folder / "hints.yaml")
    owners = {route: n for n, capability in enumerate(asked) for route in capability.routes}
    named = [route for capability in asked for route in capability.routes]
    if sorted(named) != sorted(route.id for route in routes):
        odd = set(named).symmetric_difference(route.id for route in routes) or {r for r in named if named.count(r) > 1}
        raise ValueError(f"Each route needs exactly one capability: {sorted(odd)}")
    forms = _forms(folder)
    meanings = _Meanings(forms)
    postings: dict[str, list[str]] = {}
    for term, weights in sorted(_by_capability(asked, meanings).items()):
        postings[term] = [_weights(weights), ""]
    for term, weights in sorted(_by_route(routes, asked, owners, meanings).items()):
        postings.setdefault(term, ["", ""])[1] = _weights(weights)
    header = _header(asked, routes, hints, forms)
    lines = [
        json.dumps(header, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        *(_route_line(route, asked[owners[route.id]], owners[route.id], hints) for route in routes),
        "",
        *("\t".join([term, *both]).rstrip("\t") for term, both in sorted(postings.items()) if any(both)),
    ]
    return ("\n".join(lines) + "\n").encode()


class _Meanings:
    """All terms of a text, meanings included."""

    def __init__(self, forms: dict[str, str]) -> None:
        self.forms, self.longest = forms, longest(forms)

    def __call__(self, text: str, *, pairs: bool = True) -> set[str]:
        return set(words.terms(text, pairs=pairs)) | words.concepts(text, self.forms, self.longest)


def longest(forms: dict[str, str]) -> int:
    return max(len(form) for form in forms if not form.isascii())


def _forms(folder: Path) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for concept, text in _yaml(folder / "concepts.yaml").items():
        for phrase in phrases(text):
            names = found.setdefault(words.form(phrase), [])
            if concept not in names:
                names.append(concept)
    return {form: " ".join(names) for form, names in sorted(found.items()) if form}


def _by_capability(asked: list[Capability], meanings: _Meanings) -> dict[str, dict[int, float]]:
    """term → capability → log of how much likelier the term is where the capability is asked for."""
    counts = [Counter(term for phrase in one.asked for term in meanings(phrase)) for one in asked]
    everywhere = sum(counts, Counter())
    total = everywhere.total()
    weights: dict[str, dict[int, float]] = {}
    for number, count in enumerate(counts):
        size = (count.total() + 2.5) ** 0.5 * 150**0.5
        for term, times in count.items():
            weight = math.log((times + 0.05) / size * total / everywhere[term]) * _strength(term)
            if weight >= 0.5:
                weights.setdefault(term, {})[number] = weight
    return weights


def _by_route(
    routes: list[Route], asked: list[Capability], owners: dict[str, int], meanings: _Meanings
) -> dict[str, dict[int, float]]:
    """term → route → tf-idf over what the route says of itself; a term counts once, where it counts most."""
    found: list[dict[str, float]] = []
    for route in routes:
        best: dict[str, float] = {}
        for field, terms in _own_terms(route, asked[owners[route.id]], meanings):
            for term in terms:
                best[term] = max(best.get(term, 0.0), _FIELDS[field])
        found.append(best)
    spread = Counter(term for best in found for term in best)
    weights: dict[str, dict[int, float]] = {}
    for number, best in enumerate(found):
        for term, times in best.items():
            rarity = _rarity(spread[term], len(routes))
            weight = _OWN * rarity * times / (times + 1) * _strength(term)
            if weight >= 1:
                weights.setdefault(term, {})[number] = weight
    return weights


def _own_terms(route: Route, capability: Capability, meanings: _Meanings) -> Iterator[tuple[str, set[str]]]:
    yield "also", {term for part in phrases((capability.also or {}).get(route.id, "")) for term in meanings(part)}
    yield "keywords", {term for keyword in route.keywords for term in meanings(keyword, pairs=False)}
    yield "summary", meanings(route.summary, pairs=False) | meanings(route.summary_zh)
    yield "id", meanings(route.id.partition(".")[2].replace(".", " ").replace("_", " "), pairs=False)


def _strength(term: str) -> float:
    return _CONCEPT if term.startswith("@") else 1.0


def _rarity(times: int, among: int) -> float:
    return math.log(1 + (among - times + 0.5) / (times + 0.5))


def _weights(weights: dict[int, float]) -> str:
    """Three characters each, in base 36: the number in two, the weight in thirds in one."""
    steps = {number: min(round(weight * STEPS), 35) for number, weight in sorted(weights.items())}
    return "".join(_BASE36[n // 36] + _BASE36[n % 36] + _BASE36[step] for n, step in steps.items() if step)


def _header(
    asked: list[Capability], routes: list[Route], hints: dict[str, Any], forms: dict[str, str]
) -> dict[str, Any]:
    takes = Counter(name for route in routes for name in _names(route))
    same: dict[str, set[str]] = {}
    for line in hints["same"]:
        for name in (group := phrases(line)):
            same.setdefault(name, set()).update(group)
    return {
        "capabilities": [[one.name, round(math.log(1 + one.platforms) * 10), one.when, one.exclude] for one in asked],
        "forms": forms,
        "platforms": {
            name: {
                "called": phrases(raw["called"]),
                "suggests": phrases(raw.get("suggests", "")),
                "hosts": raw["hosts"],
                "links": [[link["at"], *link["gives"].split()] for link in raw["links"]],
            }
            for name, raw in hints["platforms"].items()
        },
        "weak": hints["weak"],
        "elsewhere": phrases(hints["elsewhere"]),
        "ids": [[one["looks"], one["name"], one.get("platform", "")] for one in hints["ids"]],
        "kinds": hints["kinds"],
        "same": {name: sorted(group) for name, group in sorted(same.items())},
        "free": phrases(hints["free"]),
        "telling": phrases(hints["telling"]),
        "inputs": {name: round(_rarity(times, len(routes)) * 10) for name, times in sorted(takes.items())},
    }


def _route_line(route: Route, capability: Capability, number: int, hints: dict[str, Any]) -> str:
    """id, capability, standing in hundredths, platforms, what it needs (``a,b;a,c``), what else it takes, marks."""
    head = route.id.split(".")[0]
    platforms = hints["routes"].get(head, [head])
    needed = _needed(route)
    every = set().union(*needed)
    lists = _is_bare(route) or any(item.type == "array" or item.comma_separated for item in route.inputs)
    acts = route.effect in ("write", "generate", "inflate")
    return "\t".join(
        [
            route.id,
            str(number),
            str(_standing(route, capability)),
            ",".join(platforms),
            ";".join(",".join(sorted(one)) for one in needed),
            ",".join(sorted(_names(route) - every)),
            "l" * lists + "a" * acts,
        ]
    )


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


def _yaml(file: Path) -> Any:
    import yaml

    return yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


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
