"""Words and an effect for a route that nobody has reviewed, out of its path.

Placeholders and careful guesses; what they go by is ``guesses.yaml``. It must not be asked about a reviewed route,
and takes no prose from upstream.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.storage.yaml_file import read_yaml

_TABLE = Path(__file__).with_name("guesses.yaml")
_VERSION = re.compile(r"u\d+|v\d+|api")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a path: ``all`` of them, those of its last part, and the first of these."""

    all: tuple[str, ...]
    last: tuple[str, ...]

    @property
    def verb(self) -> str:
        return self.last[0] if self.last else ""


def route_id(path: str) -> str:
    """The id of the route with this path: the path after the version, parameters left out, dots for slashes."""
    universe, _, rest = re.sub(r"^/(?:api/)?(?:(u\d)/)?(?:v1/)?", r"\1 ", path).partition(" ")
    parts = [part for part in rest.split("/") if part and not part.startswith("{")]
    return ".".join(parts if universe in ("", "u1") else [universe, *parts])


def words(path: str) -> Words:
    parts = [re.findall(r"[a-z0-9]+", _split_humps(part).lower()) for part in route_id(path).split(".")]
    return Words(tuple(word for part in parts for word in part), tuple(parts[-1]))


def effect(method: str, path: str, required: Collection[str]) -> str:
    """What the route does at worst, as far as its address and required inputs tell."""
    said = words(path)
    rules = _table()["effects"]
    return next(rule["effect"] for rule in rules if _fits(rule, method.upper(), said, required))


def _fits(rule: Mapping[str, Any], method: str, said: Words, required: Collection[str]) -> bool:
    conditions = rule.keys() & {"words", "verbs", "acts", "needs"}
    acts = () if said.verb in _table()["reading"] else (*said.last, "*")
    found = (
        any(word in rule.get("words", ()) for word in said.all)
        or said.verb in rule.get("verbs", ())
        or any(word in rule.get("acts", ()) for word in acts)
        or any(name in rule.get("needs", ()) for name in required)
    )
    return (found or not conditions) and rule.get("method", method) == method


def thing(path: str) -> str:
    """The kind of object that the route is most likely about."""
    last = words(path).last
    rules = _table()["objects"]
    return next(rule["object"] for rule in rules if "words" not in rule or any(word in rule["words"] for word in last))


def placeholders(path: str) -> dict[str, Any]:
    """Summaries and keywords that say no more than the path does."""
    said = [word for word in words(path).all if not _VERSION.fullmatch(word)] or ["route"]
    return {
        "summary": f"Not reviewed yet: {' '.join(said)}",
        "x-tikomni-summary-zh": f"尚未审核：{' '.join(said)}",
        "x-tikomni-keywords": list(dict.fromkeys(word for word in said if word not in _table()["reading"])) or said[:1],
    }


def _split_humps(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)


@cache
def _table() -> dict[str, Any]:
    return read_yaml(_TABLE)
