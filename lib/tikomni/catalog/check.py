"""From what a caller gave to a call that may be sent: known names, typed values, nothing missing.

Everything that the catalogue knows to be wrong is refused here, before anything is paid for, and all of it at
once. It must not send anything, or add a default that the caller did not give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tikomni.catalog.model import Input, Route
from tikomni.catalog.value import Wrong, checked, is_file, to_object, to_text
from tikomni.errors import InputError

MISSING: Any = object()
"""Nothing was given, which is not the same as null."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One checked call.

    ``path`` is escaped; ``query`` is text that still has to be percent-encoded. ``json`` is the body, MISSING
    where none is sent. ``inputs`` are the typed values that were given, sorted by name: the same inputs are
    the same call. ``files`` maps a multipart field to the path of its file.
    """

    path: str
    query: tuple[tuple[str, str], ...]
    json: Any
    inputs: dict[str, Any]
    files: dict[str, str]


def prepare(route: Route, values: Mapping[str, Any], body: Any = MISSING) -> Prepared:
    """The call that these values make.

    Values are Python values, or strings from a command line (``"20"``, ``"true"``, ``"[1, 2]"``); None, empty lists
    and blank strings that are no code of the input count as not given. ``body`` is the body as a whole: needed where
    it is a bare array or string, for an object the same as giving its members by name.

    Raises:
        InputError: ``invalid_input``; ``details.problems`` names every problem, not only the first.
    """
    inputs = {item.name: item for item in _inputs(route)}
    try:
        given = _given(route, inputs, values, body)
    except Wrong as wrong:
        raise _refusal(route, [_problem("body", str(wrong))]) from None

    typed, problems = {}, []
    for name, value in given.items():
        if name not in inputs:
            problems.append(_problem(name, "is not an input of this route", inputs))
            continue
        try:
            typed[name] = checked(inputs[name], value)
        except Wrong as wrong:
            problems.append(_problem(name, str(wrong)))
    for item in inputs.values():
        if item.required and item.name not in given:
            problems.append(_problem(item.name, "is required"))
    if route.any_of and not any(given.keys() >= set(names) for names in route.any_of):
        problems.append(_problem(_alternatives(route), "one of these must be given"))
    if problems:
        raise _refusal(route, problems)

    files = {name: value for name, value in typed.items() if is_file(inputs[name])}
    return Prepared(
        path=_path(route, typed),
        query=tuple(_query(route, typed)),
        json=MISSING if files else _json(route, typed),
        inputs=dict(sorted(typed.items())),
        files=files,
    )


def _inputs(route: Route) -> tuple[Input, ...]:
    """The route's inputs; a body that has no members by name is one input, ``body``."""
    if not _is_bare(route):
        return route.inputs
    return (*route.inputs, Input("body", "body", route.body.required, route.body.schema))


def _is_bare(route: Route) -> bool:
    return route.body is not None and route.body.schema.get("type") != "object"


def _given(route: Route, inputs: Mapping[str, Input], values: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """What was given, by name: the values, and the members of a body that was given whole."""
    members = {} if body is MISSING else {"body": body}
    if members and route.body is not None and not _is_bare(route):
        members = to_object(body)
    if twice := sorted(values.keys() & members.keys()):
        raise Wrong(f"gives {', '.join(twice)} a second time")
    return {name: value for name, value in {**values, **members}.items() if not _is_empty(value, inputs.get(name))}


def _is_empty(value: Any, item: Input | None) -> bool:
    if isinstance(value, str) and not value.strip():
        return item is None or value not in item.schema.get("enum", ())
    return value is None or value == [] or value == ()


def _alternatives(route: Route) -> str:
    return " or ".join(" with ".join(names) for names in route.any_of)


def _path(route: Route, typed: Mapping[str, Any]) -> str:
    return re.sub(r"{(\w+)}", lambda name: quote(to_text(typed[name[1]]), safe=""), route.path)


def _query(route: Route, typed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for item in route.inputs:
        if item.where == "query" and item.name in typed:
            value = typed[item.name]
            parts = [to_text(part) for part in (value if isinstance(value, list) else [value])]
            yield from ((item.name, part) for part in ([",".join(parts)] if item.comma_separated else parts))


def _json(route: Route, typed: Mapping[str, Any]) -> Any:
    if route.body is None:
        return MISSING
    members = {item.name: typed[item.name] for item in _inputs(route) if item.where == "body" and item.name in typed}
    if _is_bare(route):
        return members.get("body", MISSING)
    return members if members or route.body.required else MISSING


def _problem(name: str, problem: str, known: Iterable[str] = ()) -> dict[str, str]:
    from difflib import get_close_matches

    near = {_plain(one): one for one in known}
    hits = get_close_matches(_plain(name), near, n=1, cutoff=0.5)
    return {"input": name, "problem": problem} | ({"nearest": near[hits[0]]} if hits else {})


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _refusal(route: Route, problems: list[dict[str, str]]) -> InputError:
    told = "; ".join(
        f"{one['input']} {one['problem']}" + (f" (did you mean {one['nearest']}?)" if "nearest" in one else "")
        for one in problems
    )
    return InputError("invalid_input", f"{route.id}: {told}.", details={"route": route.id, "problems": problems})
