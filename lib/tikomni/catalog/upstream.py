"""An OpenAPI document of the upstream, read as facts in the terms of the catalogue's source.

The document comes from elsewhere and is believed in nothing: size, shape, depth, names and values are checked, its
prose and patterns are left behind, and an operation that the source cannot express is named and skipped. It must not
know the source's contents, fetch anything or write anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn

from tikomni.catalog.model import Input
from tikomni.catalog.samples import is_sample
from tikomni.catalog.value import Wrong, checked
from tikomni.errors import InputError

MOST_BYTES = 32 * 1024 * 1024
MOST_DEPTH = 16
MOST_NODES = 2000
MOST_VALUE = 2000
MOST_NUMBER = 2**63

_SCHEMA = Path(__file__).with_name("upstream.schema.json")
_PATH = re.compile(r"/[A-Za-z0-9_]+(/([A-Za-z0-9_]+|\{[a-z_]+\}))*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_DAY = re.compile(r"\b20\d\d-[01]\d-[0-3]\d\b")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_METHODS = ("get", "post", "put", "patch", "delete")
_MEDIA = ("application/json", "multipart/form-data")
_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


@dataclass(frozen=True, slots=True)
class Operation:
    """One call as upstream declares it.

    ``inputs`` and ``body`` have the shape of the source's ``parameters`` and ``requestBody``, without a word of
    prose; a schema says no ``type`` where upstream says none.
    """

    method: Literal["get", "post"]
    path: str
    operation_id: str
    tag: str
    inputs: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    response: Literal["envelope", "json", "file"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A call that upstream lists and the source cannot express. ``path`` may be anything; ``why`` is fit to print."""

    method: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a document declares. ``day`` is the date that its version names."""

    day: str | None
    operations: tuple[Operation, ...]
    skipped: tuple[Skipped, ...]


class _Unusable(ValueError):
    """Why the source cannot express an operation."""


def read(data: bytes) -> Upstream:
    """The operations of an OpenAPI 3 document.

    Raises:
        InputError: ``invalid_input``, saying what is wrong with the document.
    """
    try:
        return _read(_parsed(data))
    except RecursionError:
        _refuse("is nested too deeply")


def shown(text: Any) -> str:
    """A foreign name or path for a message: short, of plain characters, and no sentence."""
    return re.sub(r"[^\w/{}.:$'\[\]()-]", "?", str(text)[:160], flags=re.ASCII)


def fitting(schema: Mapping[str, Any], value: Any) -> Any:
    """``value`` in the schema's type; None where it has no place there."""
    if value is None or not _is_decent(value):
        return None
    try:
        return checked(Input("", "body", False, {key: schema[key] for key in ("type", "enum") if key in schema}), value)
    except Wrong:
        return None


def schema_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a request body in the source's form, which has one media type."""
    (media,) = body["content"].values()
    return media["schema"]


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MOST_BYTES:
        _refuse(f"is larger than {MOST_BYTES // 1024**2} MiB")
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except ValueError as error:
        _refuse(f"is not JSON ({str(error)[:100]})")
    error = next(_validator().iter_errors(document), None)
    if error is not None:
        _refuse(f"is not OpenAPI 3: {shown(error.json_path)} breaks {error.validator} {error.validator_value}")
    return document


def _read(document: dict[str, Any]) -> Upstream:
    found, skipped = [], []
    for path, item in document["paths"].items():
        for method in (name for name in _METHODS if name in item):
            try:
                found.append(_operation(_Reader(document), method, path, item))
            except _Unusable as reason:
                skipped.append(Skipped(method, path, f"{method.upper()} {shown(path)}: {reason}"))
    day = _DAY.search(document["info"].get("version", ""))
    found.sort(key=lambda operation: (operation.path, operation.method))
    return Upstream(day[0] if day else None, tuple(found), tuple(skipped))


def _operation(reader: _Reader, method: str, path: str, item: dict[str, Any]) -> Operation:
    if method not in ("get", "post"):
        raise _Unusable("the catalogue has no such method")
    if not _PATH.fullmatch(path) or len(path) > 200:
        raise _Unusable("a path of this form is not called")
    declared = item[method]
    parameters = [*item.get("parameters", []), *declared.get("parameters", [])]
    inputs = {one["name"]: one for one in reader.parameters(parameters)}
    body = reader.body(declared.get("requestBody"))
    members = schema_of(body).get("properties", {}) if body else {}
    if twice := sorted(inputs.keys() & members.keys()):
        raise _Unusable(f"{', '.join(twice)} stands in the address and in the body")
    if {one["name"] for one in inputs.values() if one["in"] == "path"} != set(re.findall(r"{(\w+)}", path)):
        raise _Unusable("the path's parameters are not declared")
    operation_id = declared.get("operationId", "")
    if not re.fullmatch(r"[A-Za-z0-9_]{1,300}", operation_id):
        operation_id = re.sub(r"\W+", "_", f"{path}_{method}").strip("_")
    return Operation(
        method=method,
        path=path,
        operation_id=operation_id,
        tag=next(iter(declared.get("tags", [])), ""),
        inputs=tuple(inputs.values()),
        body=body,
        response=reader.response(declared.get("responses", {})),
    )


class _Reader:
    """Reads one operation; its schemas may refer to the document's components, but only so often and so deep."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._nodes = 0

    def parameters(self, declared: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for parameter in declared:
            parameter = self._plain(parameter)
            where, name = parameter.get("in"), parameter.get("name")
            if where not in ("path", "query"):  # a header is not an input: the dispatcher sends its own
                continue
            _check_name(name)
            schema, sample = self.schema(name, parameter.get("schema", {}))
            example = schema.pop("example", None)
            if "example" in parameter and _is_decent(parameter["example"]):
                example = parameter["example"]
            required = where == "path" or sample or parameter.get("required") is True
            found = {"name": name, "in": where, "required": required, "schema": schema}
            yield found if example is None else found | {"example": example}

    def body(self, declared: dict[str, Any] | None) -> dict[str, Any] | None:
        declared = self._plain(declared)
        if not (content := _dict(declared.get("content"))):
            return None
        media = next((media for media in _MEDIA if media in content), None)
        if media is None:
            raise _Unusable(f"takes a body of {shown(next(iter(content)))}")
        schema, _ = self.schema("", _dict(content[media]).get("schema"))
        required = declared.get("required") is True or bool(schema.get("required"))
        return {"required": required, "content": {media: {"schema": schema}}}

    def response(self, declared: Mapping[str, Any]) -> Literal["envelope", "json", "file"]:
        fine = next((declared[code] for code in sorted(declared) if code.startswith("2")), {})
        content = _dict(self._plain(fine).get("content"))
        if content and "application/json" not in content:
            return "file"
        answer = self._plain(_dict(content.get("application/json")).get("schema"))
        return "envelope" if _dict(answer.get("properties")).keys() >= {"code", "data"} else "json"

    def schema(self, name: str, declared: Any, depth: int = 0) -> tuple[dict[str, Any], bool]:
        """The facts of a schema, and whether its default is a sample: then it stands under ``example``."""
        if depth > MOST_DEPTH:
            raise _Unusable("a schema is nested too deeply, or within itself")
        node = self._plain(declared)
        kind = _kind(node)
        schema: dict[str, Any] = {} if kind is None else {"type": kind}
        if node.get("format") == "uri" and kind == "string":
            schema["format"] = "uri"
        if node.get("format") == "binary" or node.get("contentMediaType") == "application/octet-stream":
            schema["format"] = "binary"
        codes = [node["const"]] if "const" in node else node.get("enum")
        if isinstance(codes, list) and _is_decent(known := [code for code in codes if code is not None]) and known:
            schema["enum"] = known
        schema |= {key: bound for key in _BOUNDS if (bound := _whole(node.get(key))) is not None}
        if kind == "array":
            schema["items"] = self.schema(name, node.get("items", {}), depth + 1)[0]
            schema["items"].pop("example", None)
        if isinstance(node.get("additionalProperties"), bool):
            schema["additionalProperties"] = node["additionalProperties"]
        self._members(schema, node, depth)
        return schema, self._sample(name, schema, node)

    def _members(self, schema: dict[str, Any], node: dict[str, Any], depth: int) -> None:
        properties = _dict(node.get("properties"))
        required = {name for name in _list(node.get("required")) if isinstance(name, str)}
        for name, declared in properties.items():
            _check_name(name)
            schema.setdefault("properties", {})[name], sample = self.schema(name, declared, depth + 1)
            if sample:
                required.add(name)
        if present := sorted(required & properties.keys()):
            schema["required"] = present

    @staticmethod
    def _sample(name: str, schema: dict[str, Any], node: dict[str, Any]) -> bool:
        default, example = fitting(schema, node.get("default")), node.get("example")
        if example is None:
            example = next(iter(_list(node.get("examples"))), None)
        if sample := default is not None and is_sample(name, default):
            example = default
        elif default is not None:
            schema["default"] = default
        if (example := fitting(schema, example)) not in (None, "") and "properties" not in schema:
            schema["example"] = example
        return sample

    def _plain(self, node: Any) -> dict[str, Any]:
        """The node with references followed and alternatives reduced to the first that is not null."""
        for _ in range(MOST_DEPTH):
            self._nodes += 1
            if self._nodes > MOST_NODES:
                raise _Unusable("its schemas are too large")
            if not isinstance(node, dict):
                return {}
            if "$ref" in node:
                node = self._target(node["$ref"]) | {key: value for key, value in node.items() if key != "$ref"}
            elif parts := _parts(node):
                keyword, chosen = parts
                node = {key: value for key, value in node.items() if key != keyword}
                for part in chosen:
                    node = _together(self._plain(part), node)
            else:
                return node
        raise _Unusable("a reference leads to itself")

    def _target(self, reference: Any) -> dict[str, Any]:
        node: Any = self._document
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise _Unusable("it refers to another document")
        for step in reference[2:].split("/"):
            node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            raise _Unusable("it refers to what the document lacks")
        return node


def _parts(node: dict[str, Any]) -> tuple[str, list[Any]] | None:
    """The keyword that composes this node, and the schemas that count."""
    if every := _list(node.get("allOf")):
        return "allOf", every
    for keyword in ("anyOf", "oneOf"):
        if some := _list(node.get(keyword)):
            return keyword, [part for part in some if not (isinstance(part, dict) and part.get("type") == "null")][:1]
    return None


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both schemas at once; the other's word counts where they differ."""
    both = one | other
    if "properties" in both:
        both["properties"] = _dict(one.get("properties")) | _dict(other.get("properties"))
    if "required" in both:
        both["required"] = [*_list(one.get("required")), *_list(other.get("required"))]
    return both


def _kind(node: dict[str, Any]) -> str | None:
    declared = node.get("type")
    kinds = declared if isinstance(declared, list) else [declared]
    return next((kind for kind in kinds if isinstance(kind, str) and kind in _TYPES), None)


def _is_decent(value: Any, depth: int = 0) -> bool:
    """Whether a value may stand in the source: not large, not deep, and all of it can be seen."""
    match value:
        case str():
            return len(value) <= MOST_VALUE and not _UNSEEN.search(value)
        case int() | float():  # and true and false
            return abs(value) < MOST_NUMBER
        case list() if depth < MOST_DEPTH:
            return len(value) <= MOST_VALUE and all(_is_decent(part, depth + 1) for part in value)
        case dict() if depth < MOST_DEPTH:
            return _is_decent([*value, *value.values()], depth)
    return False


def _whole(bound: Any) -> int | float | None:
    """A bound, as the whole number that it mostly is."""
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not abs(bound) < MOST_NUMBER:
        return None
    return int(bound) if float(bound).is_integer() else bound


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _Unusable(f"an input is called {shown(name)}")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(problem: str) -> NoReturn:
    raise InputError("invalid_input", f"The OpenAPI document {problem}.") from None


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))
