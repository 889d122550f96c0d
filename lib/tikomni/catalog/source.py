"""The source files as text: how they are written, and what their schema says of them.

Writing a file that was only read changes no byte of it. It must not read or write files itself, or know what a
document means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

WIDTH = 110

_SCHEMA = Path(__file__).with_name("source.schema.json")


def text(document: Mapping[str, Any]) -> str:
    """The document as it stands in its file."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Lists indented below their key, everything written out where it stands."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            return super().increase_indent(flow, False)

        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def problem(document: Mapping[str, Any]) -> str | None:
    """What the schema has against the document, if anything: a place and a rule, no value."""
    return _first(_schema(), document)


def operation_problem(operation: Mapping[str, Any]) -> str | None:
    """What the schema has against one operation, if anything."""
    return _first({"$ref": "#/$defs/operation", "$defs": _schema()["$defs"]}, operation)


def _first(schema: dict[str, Any], value: Any) -> str | None:
    from jsonschema import Draft202012Validator

    error = next(Draft202012Validator(schema).iter_errors(value), None)
    return error and f"{error.json_path} breaks {error.validator}"


@cache
def _schema() -> dict[str, Any]:
    return json.loads(_SCHEMA.read_text(encoding="utf-8"))
