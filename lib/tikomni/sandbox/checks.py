"""Is this request what the catalogue documents? The sandbox's own judgement of it.

Written apart from the client's converter on purpose: in tests it is the judge of what the client sent. Reads
values the way a FastAPI server does (query text to typed value), and is stricter in one thing only: an input that
the catalogue does not know is refused, where the real upstream ignores it and answers something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from email import message_from_bytes
from email.message import Message
from functools import cache
from typing import TYPE_CHECKING, Any

from tikomni import catalog
from tikomni.sandbox.answers import Refusal, as_json, refuse

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST_BODY_BYTES = 1_048_576

_TRUE, _FALSE = ("true", "1", "yes", "on", "t", "y"), ("false", "0", "no", "off", "f", "n")
_READERS: dict[str, tuple[re.Pattern[str], Callable[[str], Any], str]] = {
    "integer": (re.compile(r"[+-]?[0-9]{1,300}"), int, "int_parsing"),
    "number": (re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"), float, "float_parsing"),
    "boolean": (re.compile("|".join(_TRUE + _FALSE), re.I), lambda text: text.lower() in _TRUE, "bool_parsing"),
}
"""Type → what its text looks like, how it is read, and the name of its error."""


def check(
    route: catalog.Route,
    path: Mapping[str, str],
    query: Sequence[tuple[str, str]],
    body: bytes,
    content_type: str,
) -> dict[str, Any]:
    """The request's inputs as typed values; a ``Refusal`` where the contract is broken.

    A bare body (an array or a string) is returned under the name ``body``.
    """
    judge = _Judge(route)
    values = judge.query(query) | judge.path(path) | judge.body(body, content_type)
    if judge.problems:
        raise Refusal(as_json({"detail": judge.problems}, 422))
    _alternatives(route, values)
    return values


class _Judge:
    """Reads the parts of one request; what is wrong gathers in ``problems``."""

    def __init__(self, route: catalog.Route) -> None:
        self.route = route
        self.problems: list[dict[str, Any]] = []

    def query(self, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
        known = {item.name: item for item in self.route.inputs if item.where == "query"}
        given: dict[str, list[str]] = {}
        for name, text in query:
            given.setdefault(name, []).append(text)
        for name in sorted(given.keys() - known.keys()):
            self._object(["query", name], "Extra inputs are not permitted", "extra_forbidden")
        for name, item in known.items():
            if item.required and name not in given:
                self._object(["query", name], "Field required", "missing")
        return {name: self._value(known[name], texts) for name, texts in given.items() if name in known}

    def path(self, path: Mapping[str, str]) -> dict[str, Any]:
        items = {item.name: item for item in self.route.inputs if item.where == "path"}
        return {name: self._value(items[name], [text]) for name, text in path.items()}

    def body(self, body: bytes, content_type: str) -> dict[str, Any]:
        documented = self.route.body
        if documented is None:
            if body:
                self._object(["body"], "This route takes no body", "extra_forbidden")
            return {}
        if not body:
            if documented.required:
                self._object(["body"], "Field required", "missing")
            return {}
        if content_type.partition(";")[0].strip().lower() != documented.content_type:
            self._object(["body"], f"Send {documented.content_type}", "content_type")
            return {}
        return self._json(body) if documented.content_type == "application/json" else self._form(body, content_type)

    def _json(self, body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            self._object(["body", getattr(error, "pos", 0)], "JSON decode error", "json_invalid")
            return {}
        if self._fits(["body"], _body_validator(self.route.id), value) and isinstance(value, dict):
            for item in self.route.inputs:
                if item.where == "body" and item.name in value:
                    self._at_most(["body", item.name], item, value[item.name])
        return value if isinstance(value, dict) else {"body": value}

    def _form(self, body: bytes, content_type: str) -> dict[str, Any]:
        """The fields of a multipart body; a file stands there by its name."""
        message = message_from_bytes(b"content-type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
        parts = message.get_payload() if message.is_multipart() else []
        given = {
            str(part.get_param("name", header="content-disposition")): part.get_filename() or part.get_payload()
            for part in parts
            if isinstance(part, Message)
        }
        known = {item.name: item for item in self.route.inputs if item.where == "body"}
        for name in sorted(given.keys() - known.keys()):
            self._object(["body", name], "Extra inputs are not permitted", "extra_forbidden")
        for name, item in known.items():
            if item.required and name not in given:
                self._object(["body", name], "Field required", "missing")
        return given

    def _value(self, item: catalog.Input, texts: list[str]) -> Any:
        """The typed value of a query or path input; None where its text is of another type."""
        place: list[Any] = [item.where, item.name]
        value: Any = list(texts)
        if item.type != "array":
            if len(texts) > 1:
                return self._object(place, "Input was given more than once", "too_many")
            value = texts[0]
        if reader := _READERS.get(item.type or ""):
            pattern, read, kind = reader
            if not pattern.fullmatch(value):
                return self._object(place, f"Input should be a valid {item.type}", kind)
            value = read(value)
        if not item.schema.keys() - _PLAIN or self._fits(place, _value_validator(json.dumps(item.schema)), value):
            self._at_most(place, item, value)
        return value

    def _at_most(self, place: list[Any], item: catalog.Input, value: Any) -> None:
        """The largest number, or the most members of a list, a comma-separated one too."""
        if item.maximum is None:
            return
        if isinstance(value, str) and item.comma_separated:
            value = value.split(",")
        size = len(value) if isinstance(value, list) else value
        if isinstance(size, int | float) and size > item.maximum:
            self._object(place, f"At most {item.maximum} allowed, {size} given", "too_long")

    def _fits(self, place: list[Any], validator: Validator, value: Any) -> bool:
        before = len(self.problems)
        for error in validator.iter_errors(value):
            kind = _KINDS.get(str(error.validator), "value_error")
            self._object([*place, *error.absolute_path], error.message, kind)
        return len(self.problems) == before

    def _object(self, place: Iterable[Any], message: str, kind: str) -> None:
        self.problems.append({"loc": list(place), "msg": message, "type": kind})


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_PLAIN = {"type", "default", "description", "example"}
_KINDS = {"required": "missing", "additionalProperties": "extra_forbidden", "type": "type_error"}


@cache
def _value_validator(schema_json: str) -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema_json))


@cache
def _body_validator(route_id: str) -> Validator:
    """The body's schema, closed to keys that it does not name unless it says otherwise."""
    body = catalog.get(route_id).body
    assert body is not None
    closed = {"additionalProperties": False} if body.schema.get("properties") else {}
    return _value_validator(json.dumps(closed | body.schema))


def _alternatives(route: catalog.Route, values: Mapping[str, Any]) -> None:
    """At least one of the route's alternative sets is given as a whole; an empty text is not given."""
    if not route.any_of:
        return
    given = {name for name, value in values.items() if value not in ("", None)}
    if not any(given.issuperset(names) for names in route.any_of):
        wanted = " or ".join(" with ".join(names) for names in route.any_of)
        raise refuse(400, f"Give {wanted}.")
