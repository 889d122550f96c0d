"""The catalogue as Markdown: an index, and for each tag one page with the contracts of its routes.

For agents and people that browse: every page can be read alone, in the catalogue's own words, each said once. Pure
text, the same for the same source. It must not write files, or know where the pages are kept.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tikomni import catalog
from tikomni.catalog.model import DEFAULT_PRICE_USD, Body, Input, Paging, Route

INDEX = "index.md"

NOTE = "<!-- generated: python -m tikomni.docs -->"
CALL = 'python3 "SKILL_DIR/scripts/call_route.py" ROUTE name=value'
SHARED_CODES, SHARED_LIMITS, WORTH_SHARING = 2, 3, 40
"""How often a page has the same codes, or the same limit, for them to be said once; and from how many characters."""

NOTHING = ("", "nothing", "none", "no input", "no parameters", "nothing required", "none required")
"""What is said of routes that need nothing."""

_EFFECTS = {
    "account_read": "reads what only the owner of an account sees; needs `--allow account_read`",
    "write": "changes something at the platform or upstream; needs `--allow write`",
    "generate": "starts a job that makes something; needs `--allow generate`",
    "inflate": "raises counts; always refused",
}
_PRICE = re.compile(r"listed (?:at )?([\d.]+) USD (?:a|per) call")
_INDEX_HEAD = f"""\
# Routes by platform

{NOTE}

Read this to see what a platform offers when you do not know the route; then read the one page of that platform, not
all of them. Each page says what its routes are for, what they take and what they cost.

"""
_PAGE_HEAD = f"""\
Call a route (SKILL_DIR is the folder that holds `SKILL.md`; `--dry-run` shows request and price and sends nothing):

```bash
{CALL}
```

Unless a route says otherwise it is a GET that only reads and costs {DEFAULT_PRICE_USD:g} USD, and an input is text that
may be left out. `one of` allows nothing else; `codes` are the values that are known.
"""


def pages(tags: Iterable[tuple[Mapping[str, str], list[Route]]]) -> dict[str, str]:
    """File name → text, for tags (``catalog.tags``) and the routes of each."""
    found: dict[str, str] = {}
    lines = []
    for tag, routes in tags:
        file, routes = f"{tag['name']}.md", sorted(routes, key=lambda route: route.id)
        title = " · ".join(dict.fromkeys((tag["title"], tag["title_zh"])))
        found[file] = _page(title, tag["about"], routes)
        lines.append(f"- [{title}]({file}), {_count(len(routes))}: {_objects(routes)}\n")
    return {INDEX: _INDEX_HEAD + "".join(sorted(lines, key=str.casefold)), **found}


def installed_pages() -> dict[str, str]:
    """The pages of the compiled catalogue."""
    routes: dict[str, list[Route]] = {}
    for route in catalog.all_routes():
        routes.setdefault(route.tag, []).append(route)
    return pages((tag, routes[tag["name"]]) for tag in catalog.tags())


def contract(route: Route) -> str:
    """The contract of one route, as it stands on its page; everything that is common to routes goes without saying."""
    return "\n".join(_route(route, _Shared([]))).replace("\\<", "<")


def _count(routes: int) -> str:
    return "1 route" if routes == 1 else f"{routes} routes"


def _objects(routes: Iterable[Route]) -> str:
    """What the routes are about, the most frequent first."""
    counted = Counter(route.object.replace("_", " ") for route in routes)
    return ", ".join(name for name, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _page(title: str, description: str, routes: list[Route]) -> str:
    shared = _Shared(routes)
    return "\n".join([f"# {title}\n\n{NOTE}\n\n{description}\n", _PAGE_HEAD, *shared.lines(), *_routes(routes, shared)])


class _Shared:
    """What several routes of a page say in the same words, said once at its top."""

    def __init__(self, routes: list[Route]) -> None:
        codes = Counter((item.name, _codes(item)) for route in routes for item in _flat(route.inputs))
        limits = Counter(limit for route in routes for limit in _limits(route))
        self._codes: dict[tuple[str, str], str] = {}
        labels: Counter[str] = Counter()
        for (name, text), times in codes.items():
            if times >= SHARED_CODES and len(text) >= WORTH_SHARING:
                labels[name] += 1
                self._codes[name, text] = f"`{name}`" if labels[name] == 1 else f"`{name}` ({labels[name]})"
        often = [limit for limit, times in limits.items() if times >= SHARED_LIMITS and len(limit) >= WORTH_SHARING]
        self._limits = {limit: number for number, limit in enumerate(often, 1)}

    def codes(self, item: Input) -> str:
        text = _codes(item)
        label = self._codes.get((item.name, text))
        return f"codes of {label} above" if label else text

    def limits(self, route: Route) -> Iterator[str]:
        limits = _limits(route)
        yield from (limit for limit in limits if limit not in self._limits)
        if numbers := sorted(self._limits[limit] for limit in limits if limit in self._limits):
            yield f"note{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))} above"

    def lines(self) -> Iterator[str]:
        if self._codes:
            yield "Codes of several routes:\n"
            yield "".join(f"- {label}: {text}\n" for (_, text), label in self._codes.items())
        if self._limits:
            yield "Notes on several routes:\n"
            yield "".join(f"{number}. {_escaped(limit)}\n" for limit, number in self._limits.items())


def _routes(routes: list[Route], shared: _Shared) -> Iterator[str]:
    for route in routes:
        yield f"## {route.id}\n"
        yield "".join(f"{line}\n" for line in _route(route, shared))


def _route(route: Route, shared: _Shared) -> Iterator[str]:
    yield f"{route.summary}. {route.summary_zh}"
    if terms := "; ".join(_terms(route)):
        yield f"\n{terms}."
    items = (*route.inputs, *filter(None, [_whole_body(route)]))
    inputs = [line for item in items for line in _input(item, shared)]
    if inputs:
        yield ""
        yield from inputs
    notes = list(_notes(route, shared))
    if notes:
        yield ""
        yield from notes


def _whole_body(route: Route) -> Input | None:
    """The body as one input, where it has no members by name."""
    body = route.body
    if body is None or body.inputs() or not (body.required or body.schema["type"] != "object"):
        return None
    how = (
        "a cookie, never given by hand"
        if body.schema.get("x-tikomni-format") == "cookie"
        else "given whole, by `--body-json`"
    )
    about = "; ".join(filter(None, (body.schema.get("description"), how)))
    return Input("body", "body", body.required, body.schema, about)


def _terms(route: Route) -> Iterator[str]:
    """What is unlike most routes."""
    if not route.in_catalogue:
        instead = f": use `{route.replaced_by}`" if route.replaced_by else ""
        yield f"**removed from the upstream's catalogue**{instead}"
    if not route.reviewed:
        yield "**not reviewed yet**: words and effect are guesses"
    if route.method != "GET":
        yield route.method
    if route.effect != "read":
        yield f"effect `{route.effect}` ({_EFFECTS[route.effect]})"
    if route.price != DEFAULT_PRICE_USD:
        yield f"{route.price:g} USD" if route.price else "free"
    if route.response == "file":
        yield "answers a file"
    if route.prefer:
        yield f"prefer `{route.prefer}`"


def _input(item: Input, shared: _Shared, prefix: str = "") -> Iterator[str]:
    terms = ", ".join(_input_terms(item))
    told = "; ".join(filter(None, (item.about, _format(item), shared.codes(item))))
    name = f"{prefix}{item.name}"
    yield f"- `{name}`{f' ({terms})' if terms else ''}{f': {_escaped(told)}' if told else ''}"
    for member in _members(item):
        yield from _input(member, shared, f"{name}.")


def _format(item: Input) -> str:
    """The note on the form, unless the meaning has it already."""
    return "" if not item.format or item.format.lower() in item.about.lower() else item.format


def _escaped(text: str) -> str:
    return text.replace("<", r"\<")


def _input_terms(item: Input) -> Iterator[str]:
    schema = item.schema
    if item.required:
        yield "required"
    if (kind := _kind(schema)) != "text":
        yield kind
    if schema.get("default", "") not in ("", [], {}):
        yield f"default {_value(schema['default'])}"
    yield from filter(None, (
        _range(schema.get("minimum"), schema.get("maximum"), ""),
        _range(None, schema.get("maxLength"), " characters"),
        _range(schema.get("minItems"), schema.get("maxItems"), " entries"),
        _range(None, item.maximum, " values"),
    ))  # fmt: skip


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("format") == "binary":
        return "path of a file"
    match schema.get("type"):
        case "string" | None:
            return "text"
        case "array":
            return f"list of {_kind(schema.get('items', {}))}"
        case kind:
            return kind


def _range(least: float | None, most: float | None, unit: str) -> str:
    if least is None and most is None:
        return ""
    if least is None:
        return f"at most {most}{unit}"
    return f"at least {least}{unit}" if most is None else f"{least}–{most}{unit}"


def _codes(item: Input) -> str:
    """The values that an input takes, with their meanings where these are known."""
    values, known = item.values or {}, item.schema.get("enum")
    codes = [_value(code) for code in known] if known else list(values)
    if not codes:
        return ""
    told = [f"`{code}` {values[code]}" if code in values else f"`{code}`" for code in codes]
    return f"{'one of' if known else 'codes'} {', '.join(told) if not values else '; '.join(told)}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _members(item: Input) -> Iterator[Input]:
    """The inputs inside an object, or inside the entries of a list, as inputs of their own."""
    schema = item.schema.get("items", {}) if item.type == "array" else item.schema
    if isinstance(schema, dict) and schema.get("properties"):
        yield from Body("", False, schema).inputs()


def _flat(inputs: Iterable[Input]) -> Iterator[Input]:
    for item in inputs:
        yield item
        yield from _flat(_members(item))


def _notes(route: Route, shared: _Shared) -> Iterator[str]:
    if route.give not in NOTHING:
        yield f"- In short: {_escaped(route.give)}."
    if route.any_of:
        yield f"- Give {', or '.join(' with '.join(f'`{name}`' for name in group) for group in route.any_of)}."
    if route.paging:
        yield f"- Next page: {_paging(route.paging)}."
    if limits := list(shared.limits(route)):
        yield f"- {_escaped('; '.join(limits))}."


def _limits(route: Route) -> list[str]:
    """The route's limits without those that only name its price, which stands above them."""
    return [limit for limit in route.limits if not (found := _PRICE.fullmatch(limit)) or float(found[1]) != route.price]


def _paging(paging: Paging) -> str:
    fields = dict(paging.fields)
    parts = [
        _sent(paging.kind, name, place, fields.get(name)) for name, place in zip(paging.send, paging.next, strict=True)
    ]
    if paging.more:
        parts.append(f"while `{paging.more}`")
    elif "more" in fields:
        parts.append(f"while the answer's `{fields['more']}`, place unknown")
    if paging.size:
        parts.append(f"page length `{paging.size}`")
    return ", ".join(parts)


def _sent(kind: str, name: str, place: str | None, field: str | None) -> str:
    if place:
        return f"`{name}` from `{place}`"
    if field:
        return f"`{name}` from the answer's `{field}`, place unknown"
    if kind == "page":
        return f"`{name}` one higher"
    return f"`{name}` raised by the entries had" if kind == "offset" else f"`{name}` from the answer, place unknown"
