"""One route, page after page, as its contract says; bounded, and honest about why it stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import jmespath

from tikomni.catalog import Paging, Route
from tikomni.dispatch.dispatcher import READ, Allow, Answer, Dispatcher
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.errors import TikomniError

MOST_LAYERS = 3
FALSE_WORDS = ("0", "false", "no", "")
# What platforms send for a cursor when there is none.
NO_CURSOR = (None, "", "-1", -1, "no_more")

# Why a walk ended. Of these the list's end is one; the others leave something behind, or may.
ENDS = frozenset({"no_more", "empty_page", "no_cursor", "not_paged"})


@dataclass(slots=True)
class Walk:
    """What a walk brought: whole answers, the entries in them, why it stopped, and what would go on from there.

    ``skip``: how many entries of the page that ``go_on`` asks for are here already. ``trouble``: what a page that
    could not be had said.
    """

    answers: list[Answer] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    stop_reason: str = "not_paged"
    go_on: dict[str, Any] | None = None
    skip: int = 0
    trouble: str = ""

    @property
    def at_end(self) -> bool:
        return self.stop_reason in ENDS

    def ended(self, why: str, go_on: dict[str, Any] | None = None, *, skip: int = 0, trouble: str = "") -> Self:
        self.stop_reason, self.go_on, self.skip, self.trouble = why, go_on, skip, trouble
        return self


async def walk(
    dispatcher: Dispatcher,
    route: Route,
    inputs: Mapping[str, Any],
    *,
    body: Any,
    pages: int = 1,
    max_items: int | None = None,
    skip: int = 0,
    allow: Allow = READ,
    headers: Mapping[str, str] | None = None,
) -> Walk:
    """Ask ``route`` for at most ``pages`` pages, or until ``max_items`` entries are there.

    A page that fails ends the walk; what came before it is kept. Only the first page's failure is the walk's own:
    it stands in ``answers[0]``. The first ``skip`` entries of the first page are left out.

    Raises:
        TikomniError: as ``Dispatcher.call``, for the first page.
        DeadlinePassed: before the first page.
    """
    found, current = Walk(), dict(inputs)
    place: Place | None = None
    before: list[Any] = []
    seen: set[str] = set()
    while True:
        try:
            answer = await dispatcher.call(route.id, current, body=body, allow=allow, headers=headers)
        except (DeadlinePassed, TikomniError) as stop:
            if not found.answers:
                raise
            why = _stopped(stop)
            return found.ended(why, None if why == "page_failed_invalid_input" else current, trouble=str(stop))
        if found.answers and not answer.ok and not answer.empty:
            return found.ended(f"page_failed_{answer.outcome}", current, trouble=answer.message)
        place = place_of(answer.body) if place is None else place
        entries = entries_at(place, answer.body)
        if found.answers and entries and entries == before:
            return found.ended("page_repeated")
        before = entries
        left_out = 0 if found.answers else skip
        found.answers.append(answer)
        found.items += entries[left_out:]
        following, why = following_page(route, answer.body, current, len(entries))
        over = 0 if max_items is None else len(found.items) - max_items
        if over > 0:
            # The rest of this page was paid for: it is asked for again, which costs nothing.
            found.items = found.items[:max_items]
            return found.ended("max_items", current, skip=len(entries) - over)
        if following is None:
            return found.ended(why)
        if (mark := repr(sorted(following.items(), key=str))) in seen:
            return found.ended("cursor_repeated")
        seen.add(mark)
        if max_items is not None and over == 0:
            return found.ended("max_items", following)
        if len(found.answers) >= pages:
            return found.ended("pages", following)
        current = following


def _stopped(stop: DeadlinePassed | TikomniError) -> str:
    if isinstance(stop, DeadlinePassed):
        return "deadline"
    return "max_calls" if stop.code == "budget" else f"page_failed_{stop.code}"


def following_page(
    route: Route, body: Any, current: Mapping[str, Any], entries: int
) -> tuple[dict[str, Any] | None, str]:
    """The inputs of the page after the one that ``current`` brought, or ``None`` and why there is none."""
    paging = route.paging
    if paging is None:
        return None, "not_paged"
    hints = dict(paging.fields)
    more = _more(paging, body, hints)
    if more is False:
        return None, "no_more"
    counted = paging.send[0] if paging.kind in ("page", "offset") else None
    told = {}
    for name, path in zip(paging.send, paging.next, strict=True):
        value = _scalar(_search(path, body))
        if value is None and name != counted:  # beside the list stands which page this is, not the one after it
            value = _at_page_level(body, hints.get(name), name)
        if value not in NO_CURSOR:
            told[name] = value
    if entries == 0 and (counted or (told and more is None)):
        return None, "empty_page"
    if counted:
        told.setdefault(counted, _number(route, counted, current) + (1 if paging.kind == "page" else entries))
    if not told:
        return None, "no_cursor" if more is None else "cursor_unknown"
    if all(str(value) == str(_asked(route, name, current)) for name, value in told.items()):
        return None, "cursor_repeated"
    return {**current, **told}, ""


def _more(paging: Paging, body: Any, hints: Mapping[str, str]) -> bool | None:
    """Whether the answer says that there is more; number, boolean or text; ``None`` where it does not say."""
    value = _scalar(_search(paging.more, body))
    if value is None:
        value = _at_page_level(body, hints.get("more"), "has_more")
    if value is None:
        return None
    return str(value).strip().lower() not in FALSE_WORDS


def _at_page_level(body: Any, hint: str | None, name: str) -> Any:
    """A paging value beside the list, never within an entry: under its hinted name, its own, or ``next_`` before it."""
    names = [n for n in (hint, f"next_{name}", name, _camel(f"next_{name}"), _camel(name)) if n]
    for layer in reversed(_layers(body)[1:] or [body]):
        if isinstance(layer, dict):
            for candidate in names:
                value = _scalar(_search(candidate, layer))
                if value is not None:
                    return value
    return None


Place = tuple[str, ...]
"""Where the list of a page stands, from the innermost ``data``."""


def place_of(body: Any) -> Place | None:
    """Where the entries of a page stand: the longest list of objects nearest to the top of what the answer carries."""
    level: list[tuple[Place, Any]] = [((), _layers(body)[-1])]
    for _ in range(4):
        rows = [(place, node) for place, node in level if isinstance(node, list) and node and isinstance(node[0], dict)]
        if rows:
            return max(rows, key=lambda row: len(row[1]))[0]
        level = [((*place, k), v) for place, node in level if isinstance(node, dict) for k, v in node.items()]
    return None


def entries_at(place: Place | None, body: Any) -> list[Any]:
    """The entries of a page. What another page has elsewhere is not the list, which may well be empty on this one."""
    node = _layers(body)[-1] if place is not None else None
    for step in place or ():
        node = node.get(step) if isinstance(node, dict) else None
    return node if isinstance(node, list) else []


def _layers(body: Any) -> list[Any]:
    found = [body]
    while len(found) <= MOST_LAYERS and isinstance(body, dict) and isinstance(body.get("data"), dict | list):
        body = body["data"]
        found.append(body)
    return found


def _search(path: str | None, body: Any) -> Any:
    return jmespath.search(path, body) if path else None


def _scalar(value: Any) -> Any:
    return None if isinstance(value, dict | list) else value


def _asked(route: Route, name: str, current: Mapping[str, Any]) -> Any:
    """What was asked for by ``name``: the caller's value, else what the contract takes instead."""
    declared = route.input(name)
    return current.get(name) or (declared.schema.get("default", "") if declared else "")


def _number(route: Route, name: str, current: Mapping[str, Any]) -> int:
    """The page or offset that was asked for: the caller's, else the contract's default, else the usual start."""
    start = 1 if route.paging is not None and route.paging.kind == "page" else 0
    for value in (current.get(name), _asked(route, name, current), start):
        try:
            return int(value)
        except (TypeError, ValueError):
            continue
    return start


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda m: m.group(1).upper(), name)
