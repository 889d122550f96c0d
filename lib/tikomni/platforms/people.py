"""What an answer says of a creator: one engine for every platform, over ``objects.creator`` of its definition.

Pure functions over JSON and a ``Definition``; nothing in an answer makes this module raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tikomni.facts import Creator
from tikomni.platforms.answers import (
    Verdict,
    choose,
    facts_in,
    filled,
    first_value,
    gone_by,
    layers_of,
    note_of,
    plain_values,
    refusal,
)
from tikomni.platforms.definitions import Definition, Object, Resolve, fill, inputs
from tikomni.platforms.engine import Request

COUNTS = ("fans_count", "following_count", "liked_count", "collected_count", "works_count")
# What the contract promises to give or to explain.
WANTED = ("author_handle", "author_name", "ip_location", "signature", "avatar_url", *COUNTS, "verified")
FILLED = (*WANTED, "verified_reason")


@dataclass(frozen=True, slots=True)
class CreatorReading:
    """What one answer says about the creator that was asked for.

    ``verdict`` as for a work: ``sparse`` lacks a fact that ``reason`` names, and another route may know it.
    ``hidden``: the account is there, but shows none of its works (``private``, …); what it then tells as 0 is unknown.
    """

    verdict: Verdict
    creator: Creator | None = None
    hidden: str | None = None
    reason: str | None = None
    note: str | None = None


def read_creator(
    definition: Definition, body: Any, route: str, wanted: Mapping[str, str], zone: ZoneInfo, now: datetime
) -> CreatorReading:
    """Read one answer as the creator that was asked for.

    Args:
        definition: the platform.
        body: the whole answer, envelope and all.
        route: the route that gave it; it stands in ``field_sources``.
        wanted: what was known when asking; ``creator_id`` must be the item's own, where the item tells one, and
            stands for it where the item does not.
        zone: the display zone of dates.
        now: when the answer came.
    """
    rule = definition.objects["creator"]
    layers = layers_of(body)
    item, _ = choose(rule, layers[-1], "author_name", None)
    if item is None:
        if no := refusal(rule, layers):
            return CreatorReading(no.verdict, reason=no.reason, note=no.note)
        return CreatorReading("empty", reason="no_item", note=note_of(rule, layers))
    if gone := gone_by(rule.gone_item, item):
        return CreatorReading("gone", reason=gone.reason, note=note_of(rule, [item]))
    asked = wanted.get("creator_id")
    own = first_value(rule.fields["platform_author_id"], item)[0]
    if (own is not None and asked and own != asked) or not _is_called(rule, item, wanted.get("handle")):
        return CreatorReading("empty", reason="another_creator", note=note_of(rule, layers))
    if own is None and not asked:
        return CreatorReading("empty", reason="no_id", note=note_of(rule, layers))
    hidden = gone_by(rule.hidden, item)
    return _judged(rule, creator_in(definition, item, route, asked, zone, now), hidden.reason if hidden else None)


def _is_called(rule: Object, item: Any, handle: str | None) -> bool:
    """Whether an account that was asked for by its handle bears it under any of its names."""
    names = {**plain_values(rule.native_ids, item), "handle": first_value(rule.fields["author_handle"], item)[0]}
    return handle is None or handle.casefold() in {str(name).casefold() for name in names.values()}


def creator_in(
    definition: Definition, item: Any, route: str, creator_id: str | None, zone: ZoneInfo, now: datetime
) -> Creator:
    """The creator that ``item`` is; ``creator_id`` is whose it is where ``item`` does not tell. One must be known."""
    rule = definition.objects["creator"]
    facts = facts_in(rule.fields, item, route)
    author_id = facts.values.setdefault("platform_author_id", creator_id)
    hidden = gone_by(rule.hidden, item)
    for name in COUNTS if hidden else ():
        if facts.values.get(name) == 0:
            del facts.values[name], facts.sources[name]
    why = hidden.reason if hidden else "not_in_answer"
    return Creator(
        platform=definition.platform,
        platform_native_ids=plain_values(rule.native_ids, item),
        profile_url=fill(rule.page, {"creator_id": quote(author_id, safe="", errors="replace")}),
        approximate=facts.approximate,
        field_sources=facts.sources,
        missing={n: "not_published" if n in rule.unpublished else why for n in WANTED if n not in facts.values},
        snapshot_at=now.astimezone(zone).isoformat(timespec="seconds"),
        **facts.values,
    )


def merge_creators(base: CreatorReading, other: CreatorReading, definition: Definition) -> CreatorReading:
    """``base`` with what it lacks taken from ``other``, if both are of the same creator; ``base`` wins."""
    if base.creator is None:
        return other
    if other.creator is None or other.creator.key != base.creator.key:
        return base
    creator = filled(base.creator, other.creator, FILLED, ("approximate", "field_sources"))
    return _judged(definition.objects["creator"], creator, base.hidden or other.hidden)


def _judged(rule: Object, creator: Creator, hidden: str | None) -> CreatorReading:
    """An account that hides itself has no more to tell on another route."""
    lacks = next((group[0] for group in rule.accept if all(getattr(creator, n) is None for n in group)), None)
    return CreatorReading("sparse" if lacks and not hidden else "ok", creator, hidden, None if hidden else lacks)


def resolvers(definition: Definition, known: Mapping[str, str]) -> tuple[tuple[Request, Resolve], ...]:
    """The calls that tell a creator's id from what is known (a short link, a handle), in the order to try them."""
    return asked(definition.objects["creator"].resolve, known)


def asked(rows: Iterable[Resolve], known: Mapping[str, str]) -> tuple[tuple[Request, Resolve], ...]:
    """The calls of ``rows`` for which enough is known."""
    sent = ((inputs(row.ask, known), row) for row in rows)
    return tuple((Request(row.ask.route, send), row) for send, row in sent if send is not None)


def read_ids(row: Resolve, body: Any, known: Mapping[str, str]) -> dict[str, str]:
    """The ids in a resolver's answer: of the first item that is the one asked for; none where none is.

    The first of ``row.ids`` is the one that counts; the others may be missing.
    """
    found = layers_of(body)[-1]
    for path in row.items:
        items = path.find(found)
        for item in items if isinstance(items, list) else [items]:
            same = plain_values(row.equals, item)
            if all(same.get(name, "").casefold() == known.get(name, "").casefold() for name in row.equals):
                ids = plain_values(row.ids, item)
                if ids.get(next(iter(row.ids))):
                    return ids
    return {}
