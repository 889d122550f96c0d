"""What a model hands in, as an object: found in whatever stands around it, and kept in the parts that hold.

Pure. Whether an answer is held by its evidence is for ``analysis.evidence`` to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tikomni.analysis.evidence import Problem, work_ref
from tikomni.errors import InputError

# How many places of a long text may turn out not to be the answer.
MOST_TRIES = 200


def read(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The answer in ``text``: an object alone, in a fenced block, between prose, or wrapped in other objects.

    Raises:
        InputError: ``invalid_input``, where there is none.
    """
    text = text.removeprefix("\ufeff")
    members = set(schema.get("properties", {}))
    best: dict[str, Any] | None = None
    first: Exception | None = None
    decoder, at, tries = json.JSONDecoder(), 0, 0
    while (at := text.find("{", at)) >= 0 and tries < MOST_TRIES:
        tries += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            first = first or error
            at += 1
            continue
        for found in _unwrapped(value):
            if best is None or len(members & found.keys()) > len(members & best.keys()):
                best = found
    if best is None or not members & best.keys():
        why = f" ({first})" if first else ""
        expected = ", ".join(sorted(members))
        raise InputError(
            "invalid_input",
            f"The answer holds no JSON object with any of {expected}{why}.",
            hint="Write the object that schema.json describes into a file and hand that in.",
        )
    return best


def _unwrapped(value: Any, depth: int = 4) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        if depth:
            for inner in value.values():
                yield from _unwrapped(inner, depth - 1)
    elif isinstance(value, list) and depth and len(value) == 1:
        yield from _unwrapped(value[0], depth - 1)


def merged(kept: Mapping[str, Any], answer: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """``answer`` with what it leaves out from what was ``kept`` of earlier ones; entries about works join by work."""
    made = {**kept, **answer}
    for name, part in schema.get("properties", {}).items():
        key, given, before = part.get("x-key"), answer.get(name), kept.get(name)
        if key and isinstance(given, list) and isinstance(before, list):
            new = {work_ref(item.get(key)) for item in given if isinstance(item, Mapping)}
            joined = [*(item for item in before if work_ref(item.get(key)) not in new), *given]
            made[name] = sorted(joined, key=lambda item: str(item.get(key)) if isinstance(item, Mapping) else "")
    return made


def holding(answer: Mapping[str, Any], problems: Iterable[Problem], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of ``answer`` that no problem lies in: whole members, and entries about single works."""
    bad = [problem.pointer.strip("/").split("/") for problem in problems]
    parts = schema.get("properties", {})
    kept: dict[str, Any] = {}
    for name, value in answer.items():
        if name not in parts:
            continue
        inside = [path for path in bad if path[0] == name]
        if not inside:
            kept[name] = value
        elif parts[name].get("x-key") and isinstance(value, list):
            wrong = {path[1] for path in inside if len(path) > 1}
            kept[name] = [item for n, item in enumerate(value) if str(n) not in wrong]
    return kept
