"""Made-up inputs for any route: some that its contract takes, and every way of breaking it.

Made from a ``Random``: a test hands in hypothesis's, a benchmark its own seed. Reads the catalogue's model and shares
nothing with the code that checks inputs, which it is here to judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from tikomni.catalog import Input, Route

# Whatever is escaped twice, or not at all, somewhere on the way.
ODD = (
    "a", "Z", "0", "中文", "é", "ß", "😺", "👨\u200d👩\u200d👧", " ", "\u00a0", "\u200b", "\u202e", "\u2028", "\ufeff",
    "\uffff", "\t", "\n", "\r\n", "%", "%2F", "%00", "+", "&x=1", "#", "?", "/", "../", "\\", '"', "'", ",", ";", "=",
    "@", "~", "<b>", "{}", "[]", "$(id)", "null", "true", "-1",
)  # fmt: skip
BREAKS = frozenset("\t\r\n")
WHOLE = (0, 1, -1, 7, 2**31, 2**53 + 1, -(2**63))
REAL = (0, 0.5, 3.0, -73.98, 1e-05, 1e21)

WRONG_TYPE: dict[str, tuple[Any, ...]] = {
    "string": ({"a": "b"}, [{"a": "b"}], float("nan")),
    "integer": ("ten", "1.0", "１０", 1.5, True, [1], {"a": 1}),
    "number": ("many", "1,5", "0x1F", "1e999", True, float("inf"), [1]),
    "boolean": ("yes", "1", 1, 0.0, [True]),
    "array": ("a, b", '{"a": 1}', {"a": 1}, 7, True),
    "object": ("a", "[1]", [1], 7),
}
NO_ADDRESS = ("a.mp4", "//host/a", "https:///a", "https://host/a b")
CONTROL = ("\x00", "\x1b[0m", "\x7f", "\x85", "\ud800")


def inputs_of(route: Route) -> tuple[Input, ...]:
    """The route's inputs; a body that has no members by name is one, called ``body``."""
    if route.body is None or route.body.schema["type"] == "object":
        return route.inputs
    return (*route.inputs, Input("body", "body", route.body.required, route.body.schema))


def valid(route: Route, random: Random, optional: float = 0.5) -> dict[str, Any]:
    """Inputs that the contract takes: all required ones, one alternative, and some of the ``optional`` others."""
    needed = set(random.choice(route.any_of)) if route.any_of else set()
    return {
        item.name: value_of(item, random)
        for item in inputs_of(route)
        if item.required or item.name in needed or random.random() < optional
    }


def value_of(item: Input, random: Random) -> Any:
    """A value of one input, in its declared type."""
    if item.comma_separated:
        parts = (text(random, most=12, without=",") for _ in range(random.randint(1, min(item.maximum or 4, 4))))
        return ",".join(parts)
    return _made(item.schema, random, without="\t\r\n" if item.where == "path" else "")


def spelled(route: Route, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same inputs as a command line gives them, comma-separated ones as lists."""
    split = {item.name for item in route.inputs if item.comma_separated}
    return {
        name: value.split(",") if name in split else value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def spoiled(route: Route, values: Mapping[str, Any], random: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the contract forbids, one thing at a time: its kind, and ``values`` with that one thing wrong."""
    values = dict(values)
    yield "unknown name", values | {"no_such_input": "1"}
    for item in inputs_of(route):
        others = {name: value for name, value in values.items() if name != item.name}
        if item.required:
            yield "missing", others
            yield "blank", others | {item.name: random.choice(["", "  ", None])}
        for kind, wrong in _wrong_for(item, random):
            if wrong not in ("", []):  # not given, which may be right
                yield kind, others | {item.name: wrong}
    if route.any_of:
        alternatives = {name for names in route.any_of for name in names}
        rest = {name: value for name, value in values.items() if name not in alternatives}
        yield "no alternative", rest
        for names in route.any_of:
            if len(names) > 1:
                yield "half an alternative", rest | {name: "1" for name in names[:-1]}


def text(random: Random, least: int = 1, most: int | None = None, without: str = "") -> str:
    """Odd text that is not blank and has no character of ``without``, often as short or as long as it may be."""
    least = max(least, 1)
    length = random.choice([least, least + 7, min(most or 60, least + 60), most or least])
    length = min(length, most or length)
    pieces = [piece for piece in ODD if not set(piece) & set(without)]
    piece = "".join(random.choice(pieces) for _ in range(6))
    made = (random.choice("a0猫") + piece * length)[:length]
    return made if random.random() < 0.5 else made[::-1]


def _made(schema: Mapping[str, Any], random: Random, without: str = "") -> Any:
    if "enum" in schema:
        return random.choice(schema["enum"])
    match schema.get("type"):
        case "integer":
            return _number(schema, random, WHOLE)
        case "number":
            return _number(schema, random, REAL)
        case "boolean":
            return random.random() < 0.5
        case "array":
            least, most = max(schema.get("minItems", 1), 1), schema.get("maxItems", 3)
            length = random.choice([least, min(least + 2, most), most])
            return [_made(schema.get("items", {}), random) for _ in range(length)]
        case "object":
            return _object(schema, random)
    if schema.get("format") == "binary":
        return __file__
    if schema.get("format") == "uri":
        return "https://a.example/" + text(random, most=20, without=" \u00a0\u2028\t\r\n")
    prefix = "media_" if "pattern" in schema else ""
    return prefix + text(random, schema.get("minLength", 1), schema.get("maxLength"), without)


def _number(schema: Mapping[str, Any], random: Random, some: tuple[float, ...]) -> float:
    least, most = schema.get("minimum", min(some)), schema.get("maximum", max(some))
    return random.choice([number for number in dict.fromkeys((*some, least, most)) if least <= number <= most])


def _object(schema: Mapping[str, Any], random: Random) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    made = {
        name: _made(inner, random) for name, inner in properties.items() if name in required or random.random() < 0.5
    }
    if schema.get("additionalProperties"):
        made["more " + text(random, most=5)] = random.choice([None, 1.5, "", [], {"深": [{"": False}]}])
    return made


def _wrong_for(item: Input, random: Random) -> Iterator[tuple[str, Any]]:
    wrong = _wrong(item.schema, random)
    if item.comma_separated:  # of these a list is another way to write them
        wrong = ((kind, value) for kind, value in wrong if kind != "wrong type" or not isinstance(value, list))
        yield "wrong type", ["a", {"b": "c"}]
        if item.maximum:
            yield "too many", ",".join(["1"] * (item.maximum + 1))
            yield "too many", ["1"] * (item.maximum + 1)
    yield from wrong
    if item.where == "path":
        yield from (("not a part of a path", value) for value in (".", "..", "a\nb"))


def _wrong(schema: Mapping[str, Any], random: Random) -> Iterator[tuple[str, Any]]:
    """Every kind of value that the schema forbids."""
    kind = schema.get("type", "")
    yield from (("wrong type", value) for value in WRONG_TYPE.get(kind, ()))
    if "enum" in schema:
        yield "not in the enum", max(schema["enum"]) + (1 if kind in ("integer", "number") else "x")
    if "minimum" in schema:
        yield "too small", schema["minimum"] - 1
    if "maximum" in schema:
        yield "too large", schema["maximum"] + 1
    if "minLength" in schema:
        yield "too short", "x" * (schema["minLength"] - 1)
    if "maxLength" in schema:
        yield "too long", "x" * (schema["maxLength"] + 1)
    if "pattern" in schema:
        yield "not of the pattern", "x"
    if schema.get("format") == "uri":
        yield from (("not an address", value) for value in NO_ADDRESS)
    if schema.get("format") == "binary":
        yield "no such file", "/no/such/file"
    if kind == "string":
        yield "control character", "a" + random.choice(CONTROL) + "b"
    if kind == "array":
        yield from _wrong_items(schema, random)
    if kind == "object":
        yield from _wrong_members(schema, random)


def _wrong_items(schema: Mapping[str, Any], random: Random) -> Iterator[tuple[str, Any]]:
    inner, good = schema.get("items", {}), _made(schema.get("items", {}), random)
    if "minItems" in schema:
        yield "too few", [good] * (schema["minItems"] - 1)
    if "maxItems" in schema:
        yield "too many", [good] * (schema["maxItems"] + 1)
    for kind, value in _wrong(inner, random):
        yield _inside(kind), [good, value][-schema.get("maxItems", 2) :]


def _wrong_members(schema: Mapping[str, Any], random: Random) -> Iterator[tuple[str, Any]]:
    good = _object(schema, random)
    for name in schema.get("required", ()):
        yield "inside: missing", {other: value for other, value in good.items() if other != name}
    for name, inner in schema.get("properties", {}).items():
        yield from ((_inside(kind), good | {name: value}) for kind, value in _wrong(inner, random))
    if schema.get("additionalProperties") is False:
        yield "inside: unknown name", good | {"no_such_member": 1}


def _inside(kind: str) -> str:
    return "inside: " + kind.removeprefix("inside: ")
