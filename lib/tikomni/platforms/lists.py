"""What a page of a list holds: entries as works, creators or comments, what is none of them, and how to go on.

One engine for every list of every platform, over ``lists`` of a definition. Entries are read by the same field
candidates as the objects themselves. Paging values are read where the definition says, below the answer's layers of
``data``: never among what the upstream tells back of the request, never by searching. Pure; never raises on an answer.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tikomni.facts import Comment, Creator, Media, Work
from tikomni.platforms.answers import (
    Verdict,
    facts_in,
    failure_of,
    first_value,
    gone_by,
    layers_of,
    note_of,
    refusal,
)
from tikomni.platforms.convert import flag
from tikomni.platforms.definitions import Definition, List, ListRoute, Object, PageField, Resolve, inputs
from tikomni.platforms.engine import Request, tells_something, work_in
from tikomni.platforms.people import asked, creator_in

ID_FIELDS = {"work": "platform_work_id", "creator": "platform_author_id", "comment": "comment_id"}
AD, DUPLICATE, NO_OBJECT = "ad", "duplicate", "not_a_{}"
# What platforms send for a cursor when there is none.
NO_CURSOR = (None, "", "-1", -1, "no_more")


Entry = Work | Creator | Comment


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    ``ok``: a list is there, be it an empty one. ``empty``: no list is there. ``gone``, ``failed``: as of an object.
    ``dropped`` counts what stood in the list and is none of its objects, by reason. ``media`` belongs to works, by
    their keys. ``next`` are the inputs of the page after this one; where there is none, ``end`` says why. ``more`` is
    what the platform says, ``None`` where it does not. ``thin``: no entry has what the list's ``accept`` asks for.
    """

    verdict: Verdict
    items: tuple[Entry, ...] = ()
    media: Mapping[str, Media] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    next: Mapping[str, Any] | None = None
    more: bool | None = None
    end: str = ""
    thin: bool = False
    reason: str | None = None
    note: str | None = None


def list_requests(definition: Definition, list_name: str, known: Mapping[str, str]) -> tuple[ListRoute, ...]:
    """The routes that may be walked with what is known, in the order to try them."""
    listed = definition.lists.get(list_name)
    routes = listed.routes if listed else ()
    return tuple(r for r in routes if not any(known.get(n) for n in r.ask.unless) and inputs(r.ask, known) is not None)


def list_resolvers(
    definition: Definition, list_name: str, known: Mapping[str, str]
) -> tuple[tuple[Request, Resolve], ...]:
    """The calls that tell an id that a list needs (of a topic, by its name), in the order to try them."""
    listed = definition.lists.get(list_name)
    return asked(listed.resolve if listed else (), known)


def page_request(route: ListRoute, known: Mapping[str, str], page: Mapping[str, Any]) -> Request:
    """The call for one page; ``page`` holds the paging values by the names that they are sent as."""
    size = {route.size[0]: route.size[1]} if route.size else {}
    sent = {name: value for name, value in page.items() if value != ""}
    return Request(route.ask.route, (inputs(route.ask, known) or {}) | size | sent)


def first_page(route: ListRoute, meanings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The paging values of the first page; or, where ``meanings`` tells all that this route sends, of a later one."""
    means = {page.send: page.means for page in route.page}
    if meanings and means and all(mean in meanings for mean in means.values()):
        return {name: meanings[mean] for name, mean in means.items()}
    return {page.send: page.first for page in route.page}


def meanings(route: ListRoute, page: Mapping[str, Any]) -> dict[str, Any]:
    """What the paging values stand for, for other routes to go on from."""
    return {field.means: page[field.send] for field in route.page if field.means and field.send in page}


def read_list(
    definition: Definition,
    list_name: str,
    body: Any,
    route: str,
    *,
    known: Mapping[str, str],
    sent: Mapping[str, Any] | None = None,
    zone: ZoneInfo,
    now: datetime,
) -> Page:
    """Read one answer as a page of a list.

    Args:
        definition: the platform.
        list_name: ``creator.works``, ``search.works``, ….
        body: the whole answer, envelope and all.
        route: the route that gave it.
        known: what the list was asked with (``creator_id``, ``work_id``, …).
        sent: the paging values that this page was asked with; the first page's by default.
        zone: the display zone of dates.
        now: when the answer came.
    """
    listed = definition.lists[list_name]
    walked = next(r for r in listed.routes if r.ask.route == route)
    rule = definition.objects[listed.of]
    layers = layers_of(body, walked.layers)
    found = layers[-1]
    entries = _entries(walked, found)
    if not entries:
        if no := refusal(rule, layers):
            return Page(no.verdict, reason=no.reason, note=no.note)
        if entries is None and failure_of(found) is None and _more(walked, found) is not False:
            return Page("empty", reason="no_list", note=note_of(rule, layers))
    read = _Read(definition, listed, walked, rule, known, zone, now)
    for entry in entries or ():
        read.take(entry)
    following, end = _following(walked, found, first_page(walked) if sent is None else sent, len(entries or ()))
    return Page(
        "ok",
        tuple(read.items.values()),
        read.media,
        dict(read.dropped),
        following,
        _more(walked, found),
        end,
        bool(read.items) and not any(_accepted(listed, item) for item in read.items.values()),
    )


def _entries(route: ListRoute, found: Any) -> list[Any] | None:
    """The entries of a page; ``None`` where none of the paths leads to a list."""
    lists = [entries for path in route.items if isinstance(entries := path.find(found), list)]
    return next((entries for entries in lists if entries), lists[0] if lists else None)


@dataclass(slots=True)
class _Read:
    """The entries of one page as they are read, each object once."""

    definition: Definition
    listed: List
    route: ListRoute
    rule: Object
    known: Mapping[str, str]
    zone: ZoneInfo
    now: datetime
    items: dict[str, Entry] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def take(self, entry: Any) -> None:
        drop = gone_by(self.listed.drop, entry)
        if drop is not None and drop.reason != AD:
            self.dropped[drop.reason] += 1
            return
        item = next((i for path in self.route.entry if isinstance(i := path.find(entry), dict)), None)
        if item is None or first_value(self.rule.fields[ID_FIELDS[self.listed.of]], item)[0] is None:
            self.dropped[drop.reason if drop else NO_OBJECT.format(self.listed.of)] += 1
            return
        if gone := gone_by(self.rule.gone_item, item):
            self.dropped[gone.reason] += 1
            return
        found, media = self._object(item)
        author = self.known.get("creator_id")
        if drop is not None and not (author and getattr(found, "platform_author_id", None) == author):
            self.dropped[drop.reason] += 1  # an advertisement of the creator's own is a work of theirs
        elif isinstance(found, Work) and not tells_something(found):
            self.dropped[NO_OBJECT.format(self.listed.of)] += 1
        elif found.key in self.items:
            self.dropped[DUPLICATE] += 1
        else:
            self.items[found.key] = found
            if media is not None:
                self.media[found.key] = media

    def _object(self, item: dict[str, Any]) -> tuple[Entry, Media | None]:
        route = self.route.ask.route
        if self.listed.of == "creator":
            return creator_in(self.definition, item, route, None, self.zone, self.now), None
        if self.listed.of == "comment":
            return _comment(self.definition, self.rule, item, self.known, self.zone, self.now), None
        # Tokens of the list's owner open no work of the list.
        known = {name: value for name, value in self.known.items() if name not in self.rule.own}
        work, media = work_in(self.definition, item, route, known, self.zone, self.now)
        return replace(work, partial=work.partial | dict(_partial(self.route, item, work))), media


def _partial(route: ListRoute, item: Any, work: Work) -> Iterator[tuple[str, str]]:
    for partial in route.partial:
        if partial.when is None or partial.when.find(item):
            yield partial.field, partial.reason
            derived = work.field_sources.get("title") == f"derived:{partial.field}"
            if derived and work.title and (work.caption_raw or "").rstrip().endswith(work.title):
                yield "title", partial.reason


def _comment(
    definition: Definition, rule: Object, item: Any, known: Mapping[str, str], zone: ZoneInfo, now: datetime
) -> Comment:
    facts = facts_in(rule.fields, item, "")
    values = {"platform_work_id": known.get("work_id"), "parent_id": known.get("comment_id")} | facts.values
    if "published_at" in values:
        values["published_at"] = datetime.fromtimestamp(values["published_at"], zone).isoformat()
    # Not every route marks the author's own.
    if not values.get("is_author") and (author := known.get("creator_id")) and values.get("platform_author_id"):
        values["is_author"] = values["platform_author_id"] == author
    return Comment(
        platform=definition.platform,
        approximate=facts.approximate,
        snapshot_at=now.astimezone(zone).isoformat(timespec="seconds"),
        **values,
    )


def _accepted(listed: List, item: Entry) -> bool:
    return all(any(getattr(item, name) is not None for name in group) for group in listed.accept)


# --- how a list goes on


def _more(route: ListRoute, found: Any) -> bool | None:
    """Whether the platform says that there is more: a number, a boolean or a text."""
    return flag(route.more.find(found)) if route.more else None


def _following(
    route: ListRoute, found: Any, sent: Mapping[str, Any], entries: int
) -> tuple[dict[str, Any] | None, str]:
    """The paging values of the next page, or ``None`` and why there is none."""
    more = _more(route, found)
    if more is False:
        return None, "no_more"
    if not route.page:
        return None, "not_paged"
    if entries == 0 and (more is None or all(field.next is None for field in route.page)):
        return None, "empty_page"
    following = {field.send: _next(field, found, sent) for field in route.page}
    if any(value in NO_CURSOR and not field.keep for field, value in zip(route.page, following.values(), strict=True)):
        return None, "cursor_unknown" if more else "no_cursor"
    if all(str(value) == str(sent.get(name)) for name, value in following.items()):
        return None, "cursor_repeated"
    return following, ""


def _next(field: PageField, found: Any, sent: Mapping[str, Any]) -> Any:
    value = field.next.find(found) if field.next else None
    if value is None and field.next:
        value = field.next.find(_unpacked(found))
    if isinstance(value, dict | list | bool):
        value = None
    if value in NO_CURSOR:
        if field.step is not None:
            return int(sent.get(field.send, field.first)) + field.step
        return sent.get(field.send, field.first) if field.keep else None
    return str(value) if isinstance(field.first, str) else value


def _unpacked(found: Any) -> Any:
    """``found`` with the objects in it that were sent as texts."""
    if not isinstance(found, dict):
        return found
    return {name: _as_object(value) for name, value in found.items() if isinstance(value, str)}


def _as_object(text: str) -> Any:
    try:
        value = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
