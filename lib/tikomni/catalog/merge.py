"""One operation of the source, brought to what upstream declares now: facts are upstream's, words stay ours.

A merge of three: what upstream declares, what our source says, and, under ``x-tikomni-upstream``, what upstream said
where we say otherwise. Only what upstream has changed since is taken over, so that a correction outlives a sync that
brings nothing new. It must not know other operations, or files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tikomni.catalog.upstream import Operation, fitting, schema_of

_FACTS = (
    "format", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "additionalProperties", "default",
)  # fmt: skip
_WORDS = ("description", "example", "x-tikomni-values", "x-tikomni-format", "x-tikomni-maximum")
_SAID = "x-tikomni-upstream"
_BODY = "requestBody"
_PLAIN = re.compile(r"[\w.:+-]{0,40}", re.ASCII)


def merged(ours: Mapping[str, Any], theirs: Operation) -> tuple[dict[str, Any], list[str]]:
    """The operation with upstream's facts, and what of it is different now, in a few words each."""
    merge = _Merge(ours)
    merge.parameters(theirs)
    merge.body(theirs)
    merge.references()
    return merge.operation, merge.told


def described(theirs: Operation) -> dict[str, Any]:
    """The facts of an operation that the source does not have."""
    facts: dict[str, Any] = {}
    if theirs.inputs:
        facts["parameters"] = [one | {"schema": _complete(one["schema"])} for one in theirs.inputs]
    if theirs.body:
        ((media, content),) = theirs.body["content"].items()
        facts[_BODY] = theirs.body | {"content": {media: {"schema": _complete(content["schema"])}}}
    return facts


class _Merge:
    def __init__(self, ours: Mapping[str, Any]) -> None:
        self.operation: dict[str, Any] = deepcopy(dict(ours))
        self.told: list[str] = []
        self._said: dict[str, Any] = self.operation.get(_SAID, {})
        self._words = {
            name: {key: node[key] for key in _WORDS if key in node} for name, node in _inputs(self.operation).items()
        }

    # --- inputs of the address, the body

    def parameters(self, theirs: Operation) -> None:
        known = {one["name"]: one for one in self.operation.get("parameters", ())}
        declared = {one["name"]: one for one in theirs.inputs}
        for name in [name for name in known if name not in declared and not self._is_addition(name)]:
            del known[name]
            self._gone(name, theirs)
        for name, their in declared.items():
            if name in known:
                mine = known[name]
                self._set(mine, "in", f"{name}.in", their["in"])
                self._set(mine, "required", f"{name}.required", their["required"])
                self._schema(mine["schema"], their["schema"], name)
                _keep_fitting(mine, mine["schema"])
            else:
                known[name] = their | {"schema": _complete(their["schema"])} | self._came(name)
        self._put("parameters", list(known.values()))

    def body(self, theirs: Operation) -> None:
        mine, their = self.operation.get(_BODY), theirs.body
        if mine and their:
            ((media, content),) = mine["content"].items()
            ((their_media, _),) = their["content"].items()
            if self._differs(f"{_BODY}.content", media, their_media):
                self._tell(f"{_BODY}.content", media, their_media)
                mine["content"] = {their_media: content}
            self._set(mine, "required", f"{_BODY}.required", their["required"])
            self._schema(schema_of(mine), schema_of(their), _BODY)
        elif their and not self._is_addition(_BODY):
            mine = described(theirs)[_BODY]
            self.told.append("now takes a body")
            for name, node in schema_of(mine).get("properties", {}).items():
                node |= self._came(name)
        elif mine and not self._is_addition(_BODY):
            for name in schema_of(mine).get("properties", {}):
                self._gone(name, theirs)
            self.told.append("takes no body any more")
            mine = None
        self._put(_BODY, mine)

    # --- schemas

    def _schema(self, mine: dict[str, Any], theirs: Mapping[str, Any], at: str) -> None:
        before = mine.get("type")
        if "type" in theirs:  # upstream often leaves it out, and the source may not
            self._set(mine, "type", f"{at}.type", theirs["type"])
        for key in _FACTS:
            if mine.get("type") != before:  # what we know better was said of values of the other type
                self._said.pop(f"{at}.{key}", None)
            self._set(mine, key, f"{at}.{key}", theirs.get(key))
        if mine.get("type") == "array":
            self._schema(mine.setdefault("items", {}), theirs.get("items", {}), f"{at}.items")
        else:
            mine.pop("items", None)
        self._members(mine, theirs, at)
        _keep_fitting(mine, mine)

    def _members(self, mine: dict[str, Any], theirs: Mapping[str, Any], at: str) -> None:
        known, declared = dict(mine.get("properties", {})), theirs.get("properties", {})
        required, wanted = set(mine.get("required", ())), set(theirs.get("required", ()))
        prefix = "" if at == _BODY else f"{at}.properties."
        for name in [name for name in known if name not in declared and not self._is_addition(prefix + name)]:
            del known[name]
            required.discard(name)
            self._gone(prefix + name)
        for name, their in declared.items():
            place = prefix + name
            if name not in known:
                known[name] = _complete(their) | self._came(place)
                required |= wanted & {name}
                continue
            self._schema(known[name], their, place)
            if self._differs(f"{place}.required", name in required, name in wanted):
                self._tell(f"{place}.required", name in required, name in wanted)
                required ^= {name}
        for key, value in (("properties", known), ("required", sorted(required))):
            mine[key] = value
            if not value:
                del mine[key]

    # --- one fact

    def _set(self, node: dict[str, Any], key: str, at: str, theirs: Any) -> None:
        mine = node.get(key)
        if self._differs(at, mine, theirs):
            self._tell(at, mine, theirs)
            node[key] = theirs
            if theirs is None:
                del node[key]
            if key == "enum" and theirs is not None and "x-tikomni-values" in node:
                codes = {str(code) for code in theirs}
                node["x-tikomni-values"] = {c: word for c, word in node["x-tikomni-values"].items() if c in codes}

    def _differs(self, at: str, mine: Any, theirs: Any) -> bool:
        """Whether upstream says something new; what it said before stands in the record, else it is what we say."""
        return not _same(theirs, mine) and not (at in self._said and _same(theirs, self._said[at]))

    def _is_addition(self, at: str) -> bool:
        return at in self._said and self._said[at] is None

    def _tell(self, at: str, mine: Any, theirs: Any) -> None:
        self._said.pop(at, None)
        self.told.append(f"{at}: {_told(mine)} → {_told(theirs)}")

    def _gone(self, at: str, theirs: Operation | None = None) -> None:
        for place in [place for place in self._said if place == at or place.startswith(f"{at}.")]:
            del self._said[place]
        if theirs is None or at not in _names(theirs):
            self.told.append(f"{at}: no longer an input")

    def _came(self, at: str) -> dict[str, Any]:
        """The words for an input that was not here: ours, where it only stood elsewhere."""
        self.told.append(f"{at}: moved" if at in self._words else f"{at}: new input")
        return self._words.get(at, {})

    # --- what refers to inputs

    def references(self) -> None:
        """Drops what names an input that has gone."""
        names = _inputs(self.operation).keys()
        operation = self.operation
        if groups := operation.get("x-tikomni-any-of"):
            left = [group for group in groups if names >= set(group)]
            self._drop("x-tikomni-any-of", left if len(left) > 1 else None, groups)
        if paging := operation.get("x-tikomni-paging"):
            left = paging if "size" not in paging or paging["size"] in names else _without(paging, "size")
            self._drop("x-tikomni-paging", left if names >= paging["send"].keys() else None, paging)
        if _SAID in operation and not self._said:
            del operation[_SAID]

    def _drop(self, key: str, left: Any, before: Any) -> None:
        if left != before:
            self.told.append(f"{key.removeprefix('x-tikomni-')}: dropped with its input")
            self._put(key, left)

    def _put(self, key: str, value: Any) -> None:
        self.operation[key] = value
        if not value:
            del self.operation[key]


def _inputs(operation: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every input by name: parameters, and the members of an object body."""
    named = {one["name"]: one for one in operation.get("parameters", ())}
    return named | (schema_of(operation[_BODY]).get("properties", {}) if _BODY in operation else {})


def _names(theirs: Operation) -> set[str]:
    members = schema_of(theirs.body).get("properties", {}) if theirs.body else {}
    return {one["name"] for one in theirs.inputs} | members.keys()


def _complete(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the type that the source asks for, at every level."""
    whole = {"type": "object" if "properties" in schema else "string"} | dict(schema)
    if "items" in whole:
        whole["items"] = _complete(whole["items"])
    if "properties" in whole:
        whole["properties"] = {name: _complete(part) for name, part in whole["properties"].items()}
    return whole


def _keep_fitting(node: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Drops an example that the schema would refuse by now, and meanings without a code."""
    if "example" in node and fitting(schema, node["example"]) is None:
        del node["example"]
    if not node.get("x-tikomni-values", True):
        del node["x-tikomni-values"]


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if type(one) is type(other) and not isinstance(one, dict | list):
        return bool(one == other)  # by far the most
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _told(value: Any) -> str:
    """A value for a report: what upstream writes as text may say anything, so that only plain codes are shown."""
    match value:
        case None:
            return "none"
        case str():
            return value if value and _PLAIN.fullmatch(value) else "other text"
        case list() | dict():
            return f"{len(value)} values"
    return json.dumps(value)
