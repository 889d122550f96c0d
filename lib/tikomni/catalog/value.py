"""One value of one input: turned into its declared type and held to what the catalogue says of it.

Messages say what is wrong without saying the value, which may be a cookie. It must not know the call around
the value, or open a file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tikomni.catalog.model import Input

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")


class Wrong(ValueError):
    """What is wrong with a value, said without the value."""


def checked(item: Input, value: Any) -> Any:
    """The value in its declared type, if it keeps to everything that the input says."""
    if item.type == "string" and item.comma_separated and isinstance(value, list | tuple):
        value = ",".join(to_text(part) for part in value)
    value = _convert(item.schema, value)
    _refuse_unsendable(value, in_path=item.where == "path")
    if is_file(item):
        return _existing_file(value)
    _refuse_out_of_bounds(item.schema, value)
    if item.maximum is not None and isinstance(value, str) and value.count(",") >= item.maximum:
        raise Wrong(f"holds more than {item.maximum} values")
    if not _is_plain(item.schema):
        _validate(item.schema, value)
    return value


def is_file(item: Input) -> bool:
    return item.schema.get("format") == "binary"


def _existing_file(path: str) -> str:
    if not Path(path).is_file():
        raise Wrong("must be the path of an existing file")
    return path


def _convert(schema: Mapping[str, Any], value: Any) -> Any:
    converter = _CONVERTERS.get(schema.get("type"))
    value = converter(value) if converter else value
    if isinstance(value, list):
        return [_convert(schema.get("items", {}), part) for part in value]
    return value


def to_text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
    raise Wrong("must be text")


def _to_integer(value: Any) -> int:
    match value:
        case bool():
            pass
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if re.fullmatch(r"[+-]?[0-9]{1,30}", value.strip()):
            return int(value)
    raise Wrong("must be a whole number")


def _to_number(value: Any) -> float:
    """A whole number comes out as one, however it was written: the same inputs are the same call."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    match value:
        case bool():
            pass
        case int():
            return value
        case float() if math.isfinite(value):
            return int(value) if value.is_integer() else value
    raise Wrong("must be a number")


def _to_boolean(value: Any) -> bool:
    match value:
        case bool():
            return value
        case str() if value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
    raise Wrong("must be true or false")


def _to_array(value: Any) -> list[Any]:
    value = _from_json(value)
    if isinstance(value, list | tuple):
        return list(value)
    raise Wrong('must be a list, as JSON: ["…"]')


def to_object(value: Any) -> dict[str, Any]:
    value = _from_json(value)
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise Wrong('must be an object, as JSON: {"…": …}')


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise Wrong("is not valid JSON") from None


_CONVERTERS: dict[Any, Callable[[Any], Any]] = {
    "string": to_text,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "array": _to_array,
    "object": to_object,
}

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile(r"[\t\n\r]")


def _refuse_unsendable(value: Any, *, in_path: bool = False) -> None:
    """Line breaks and tabs may stand in text (people paste share messages), nowhere in a path."""
    match value:
        case str():
            if _CONTROL.search(value) or (in_path and _BREAKS.search(value)):
                raise Wrong("holds a control character")
            if in_path and value in (".", ".."):
                raise Wrong("cannot be . or ..")
        case float() if not math.isfinite(value):
            raise Wrong("holds a number that JSON does not know")
        case dict():
            for key, part in value.items():
                _refuse_unsendable(key)
                _refuse_unsendable(part)
        case list():
            for part in value:
                _refuse_unsendable(part)


def _refuse_out_of_bounds(schema: Mapping[str, Any], value: Any) -> None:
    if "enum" in schema and value not in schema["enum"]:
        raise Wrong(f"must be one of {', '.join(map(to_text, schema['enum']))}")
    for keyword, measure, exceeds, problem in _BOUNDS:
        bound, size = schema.get(keyword), measure(value)
        if bound is not None and size is not None and exceeds(size, bound):
            raise Wrong(problem.format(bound))


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _characters(value: Any) -> int | None:
    return len(value) if isinstance(value, str) else None


def _items(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


_BOUNDS = (
    ("minimum", _number, lambda size, bound: size < bound, "must be at least {}"),
    ("maximum", _number, lambda size, bound: size > bound, "must be at most {}"),
    ("minLength", _characters, lambda size, bound: size < bound, "must have at least {} characters"),
    ("maxLength", _characters, lambda size, bound: size > bound, "must have at most {} characters"),
    ("minItems", _items, lambda size, bound: size < bound, "must hold at least {} values"),
    ("maxItems", _items, lambda size, bound: size > bound, "must hold at most {} values"),
)
_PLAIN = {"type", "default", "enum", "additionalProperties", *(keyword for keyword, *_ in _BOUNDS)}


def _is_plain(schema: Mapping[str, Any]) -> bool:
    """Whether the checks above say all that the schema says."""
    return schema.keys() - {"items"} <= _PLAIN and schema.get("items", {}).keys() <= {"type"}


def _validate(schema: Mapping[str, Any], value: Any) -> None:
    from jsonschema import Draft202012Validator  # only a few routes need it

    error = next(Draft202012Validator(schema, format_checker=_formats()).iter_errors(value), None)
    if error is not None:
        place = ".".join(str(step) for step in error.absolute_path)
        rule = f"breaks its rule: {error.validator} {error.validator_value}"
        raise Wrong(f"at {place} {rule}" if place else rule)


@cache
def _formats() -> Any:
    from jsonschema import FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("uri")(_is_uri)
    return formats


def _is_uri(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc) and not re.search(r"\s", value)
