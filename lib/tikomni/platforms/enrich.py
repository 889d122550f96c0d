"""Facts that cost a call of their own: which calls bring them, and what the answers add to works.

Pure: who asks for such facts, and whether, is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tikomni.facts import Work
from tikomni.platforms.answers import Facts, facts_in, first_value, layers_of
from tikomni.platforms.definitions import Definition, inputs
from tikomni.platforms.engine import Request


def enrichment(definition: Definition, name: str, works: Iterable[Work]) -> tuple[Request, ...]:
    """The calls that bring ``name`` (``play_count``, …) for ``works``: few, and cheap for what is left over."""
    rule = definition.enrich.get(name)
    ids = list(dict.fromkeys(work.platform_work_id for work in works))
    found = []
    while rule and ids:
        route = next((route for route in rule.routes if route.least <= len(ids)), rule.routes[-1])
        now, ids = ids[: route.most], ids[route.most :]
        send = inputs(route.ask, {"work_id": now[0], "work_ids": ",".join(now)})
        found.append(Request(route.ask.route, send or {}))
    return tuple(found)


def read_enrichment(definition: Definition, name: str, body: Any, route: str) -> dict[str, Facts]:
    """What an answer tells, by work id; works of which it tells nothing are not there."""
    rule = definition.enrich[name]
    asked = next(r for r in rule.routes if r.ask.route == route)
    payload = layers_of(body)[-1]
    found: dict[str, Facts] = {}
    for path in asked.items:
        items = path.find(payload)
        for item in items if isinstance(items, list) else [items]:
            work_id = first_value(asked.id, item)[0]
            facts = facts_in(rule.fields, item, route)
            if work_id is not None and facts.values:
                found.setdefault(work_id, facts)
    return found


def enriched(work: Work, found: Mapping[str, Facts]) -> Work:
    """``work`` with what was found of it."""
    facts = found.get(work.platform_work_id)
    if facts is None:
        return work
    return replace(
        work,
        **facts.values,
        approximate={k: v for k, v in work.approximate.items() if k not in facts.values} | facts.approximate,
        field_sources=work.field_sources | facts.sources,
        missing={name: why for name, why in work.missing.items() if name not in facts.values},
    )
