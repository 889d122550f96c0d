"""What readings of every kind of object share: layers of an answer, candidates of a field, how an answer says no.

Pure functions over JSON; nothing in an answer makes this module raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any, Literal, TypeVar

from tikomni.facts import Creator, Work
from tikomni.platforms.convert import Count, text
from tikomni.platforms.definitions import Candidate, Gone, Object

Verdict = Literal["ok", "sparse", "empty", "gone", "failed"]
Candidates = Mapping[str, tuple[Candidate, ...]]
Known = TypeVar("Known", Work, Creator)

MOST_LAYERS = 3
LONGEST_NOTE = 200
FINE = (0, 200)


@dataclass(frozen=True, slots=True)
class No:
    """Why an answer does not hold what was asked for."""

    verdict: Verdict
    reason: str
    note: str | None = None
    retry_with: tuple[str, ...] = ()


@dataclass(slots=True)
class Facts:
    """Converted fields of one item: values, where each stood, and which counts are not exact."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    approximate: dict[str, str] = field(default_factory=dict)


def layers_of(body: Any, most: int = MOST_LAYERS) -> list[Any]:
    """An answer and what stands in its layers of ``data``, outermost first.

    The envelope's own members (``time``, ``params``, ``request_id``) are never seen by what reads the innermost.
    """
    found = [body]
    while len(found) <= most and isinstance(body, dict) and isinstance(body.get("data"), dict | list):
        body = body["data"]
        found.append(body)
    return found


def first_value(candidates: Iterable[Candidate], item: Any) -> tuple[Any, str | None]:
    """The first candidate that converts to a value, and its path."""
    for candidate in candidates:
        value = candidate.convert(candidate.path.find(item))
        if value is not None:
            return value, candidate.path.text
    return None, None


def plain_values(rules: Candidates, item: Any) -> dict[str, Any]:
    """What ``rules`` find, by name; names that find nothing are left out."""
    found = {name: first_value(candidates, item)[0] for name, candidates in rules.items()}
    return {name: value for name, value in found.items() if value is not None}


def facts_in(rules: Candidates, item: Any, route: str) -> Facts:
    """The facts that ``item`` holds."""
    facts = Facts()
    for name, candidates in rules.items():
        value, path = first_value(candidates, item)
        if value is None:
            continue
        if isinstance(value, Count):
            value, approximation = value
            if approximation:
                facts.approximate[name] = approximation
        facts.values[name] = value
        facts.sources[name] = intern(f"{route}:{path}")  # thousands of works share them
    return facts


def choose(rule: Object, found: Any, name: str, wanted: str | None) -> tuple[dict[str, Any] | None, bool]:
    """The item whose field ``name`` is ``wanted`` (``None``: the first item), and whether there are other ones."""
    others = False
    for path in rule.items:
        items = path.find(found)
        for item in items if isinstance(items, list) else [items]:
            value = first_value(rule.fields[name], item)[0] if isinstance(item, dict) else None
            if value is not None and wanted in (None, value):
                return item, others
            others = others or value is not None
    return None, others


def refusal(rule: Object, layers: list[Any]) -> No | None:
    """What an answer without the item says of it, if anything: that it is gone, or that the answer is an error."""
    note = note_of(rule, layers)
    for layer in reversed(layers):
        if gone := gone_by(rule.gone_answer, layer):
            return No("gone", gone.reason, note, gone.retry_with)
    failure = next(filter(None, map(failure_of, reversed(layers))), None)
    return No("failed", failure, note) if failure else None


def gone_by(rules: Iterable[Gone], value: Any) -> Gone | None:
    """The first rule that applies to ``value``."""
    return next((rule for rule in rules if rule.applies(value)), None)


def failure_of(layer: Any) -> str | None:
    """The code by which a layer of an answer says that it failed."""
    if not isinstance(layer, dict):
        return None
    for name in ("status_code", "code"):
        code = layer.get(name)
        if isinstance(code, str) and re.fullmatch(r"-?\d{1,10}", code, re.ASCII):
            code = int(code)
        if isinstance(code, int) and not isinstance(code, bool) and code not in FINE and abs(code) < 10**10:
            return f"{name}_{code}"
    return "not_successful" if layer.get("success") is False else None


def note_of(rule: Object, layers: list[Any]) -> str | None:
    """What the platform says about it, from the innermost layer out; the outermost tells only about the call."""
    inner = layers[1:] or layers
    notes = (text(path.find(layer)) for layer in reversed(inner) for path in rule.notes)
    return next((note[:LONGEST_NOTE] for note in notes if note), None)


def filled(mine: Known, theirs: Known, names: Iterable[str], told: Iterable[str]) -> Known:
    """``mine`` with what it lacks of ``names`` taken from ``theirs``; ``told`` are the fields that tell of others."""
    lacking = [n for n in names if getattr(mine, n) in (None, ()) and getattr(theirs, n) not in (None, ())]
    added = {name: {n: why for n, why in getattr(theirs, name).items() if n in lacking} for name in told}
    return replace(
        mine,
        **{name: getattr(theirs, name) for name in lacking},
        **{name: getattr(mine, name) | values for name, values in added.items()},
        platform_native_ids={**theirs.platform_native_ids, **mine.platform_native_ids},
        missing={name: why for name, why in mine.missing.items() if name not in lacking},
    )
