"""Makes the shipped catalogue (``routes.txt``) from its source (``openapi/*.yaml``).

    python -m tikomni.catalog.compile [--check]

The source is what people edit; the compiled file is what programs read: columns of routes, of inputs and of limits,
each of which is written once, however many routes have it, so that it is small and a look-up costs a few cells.
The words that only finding needs go into ``search.txt``. Same source, same bytes.
It must not add facts that the source lacks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tikomni.catalog import ROUTES, SOURCE, usual_path
from tikomni.catalog.columns import written
from tikomni.catalog.model import LIFTED, Route
from tikomni.storage.atomic import write_bytes
from tikomni.storage.yaml_file import read_yaml

_OPERATION = {
    "summary": "summary",
    "x-tikomni-summary-zh": "summary_zh",
    "description": "give",
    "x-tikomni-object": "object",
    "x-tikomni-effect": "effect",
    "x-tikomni-response": "response",
    "x-tikomni-any-of": "any_of",
    "x-tikomni-limits": "limits",
    "x-tikomni-paging": "paging",
    "x-tikomni-price-usd": "price_usd",
    "x-tikomni-prefer": "prefer",
    "x-tikomni-replaced-by": "replaced_by",
    "x-tikomni-tikhub": "tikhub",
    "x-tikomni-reviewed": "reviewed",
}
"""Source key → row key. A key that the source leaves out is left out of the row, too."""


def rows(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of one source document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield _row(document, method.upper(), path, operation)


def _row(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    row = {
        "id": operation["x-tikomni-id"],
        "method": method,
        "path": path,
        "provider": document["x-tikomni-provider"],
        "tag": operation["tags"][0],
        "in_catalogue": document["info"]["version"] in operation["x-tikomni-catalogues"],
    }
    row |= {name: operation[key] for key, name in _OPERATION.items() if key in operation}
    if "parameters" in operation:
        row["inputs"] = [_input(parameter) for parameter in operation["parameters"]]
    if "requestBody" in operation:
        [(content_type, media)] = operation["requestBody"]["content"].items()
        row["body"] = {
            "content_type": content_type,
            "required": operation["requestBody"].get("required", False),
            "schema": _without_examples(media["schema"]),
        }
    return row


def _without_examples(node: Any) -> Any:
    """The schema without somebody's samples: they tell no more than what is said of the format."""
    if isinstance(node, list):
        return [_without_examples(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_examples(part) for key, part in node.items() if key != "example"}


def _input(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "required": parameter["required"],
        "schema": parameter["schema"],
    } | {name: parameter[key] for key, name in LIFTED.items() if key in parameter}


def build(source: Path = SOURCE) -> bytes:
    """The bytes of ``routes.txt``; routes by id, tags by name."""
    documents = [read_yaml(file) for file in sorted(source.glob("*.yaml"))]
    found = sorted((row for document in documents for row in rows(document)), key=_id)
    if not len(found) == len({row["id"] for row in found}) == len({(row["method"], row["path"]) for row in found}):
        raise ValueError("Two routes of the source share an id or an address.")
    inputs, limits = _Once(), _Once()
    short = [
        row
        | {"path": None if row["path"] == usual_path(row["id"]) else row["path"]}
        | {"inputs": inputs.numbers(row.get("inputs", ())), "limits": limits.numbers(row.get("limits", ()))}
        for row in found
    ]
    return written(
        {
            "routes": _table(short),
            "inputs": _table(inputs.known),
            "limits": {"text": list(limits.places)},
            "tags": _table(sorted(map(tag, documents), key=lambda row: row["name"])),
        }
    )


def tagged(document: dict[str, Any]) -> tuple[dict[str, str], list[Route]]:
    """A document as what it says as a whole, and its routes."""
    return tag(document), list(map(Route.from_row, rows(document)))


def tag(document: dict[str, Any]) -> dict[str, str]:
    """What the source says of a document as a whole."""
    info = document["info"]
    return {
        "name": document["tags"][0]["name"],
        "title": info["title"],
        "title_zh": info["x-tikomni-title-zh"],
        "about": info["description"],
    }


class _Once:
    """Gives values numbers, equal ones the same, in the order in which they come."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def numbers(self, values: Iterable[Any]) -> list[int] | None:
        return [self.places.setdefault(_json(value), len(self.places)) for value in values] or None

    @property
    def known(self) -> list[Any]:
        return [json.loads(text) for text in self.places]


def _table(found: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Column → cells; what a row lacks is an empty cell."""
    names = dict.fromkeys(name for row in found for name in row)
    return {name: ["" if row.get(name) is None else _json(row[name]) for row in found] for name in names}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _id(row: dict[str, Any]) -> str:
    return row["id"]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tikomni.catalog.compile", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
    check = parser.parse_args(argv).check
    data = build()
    stale = not ROUTES.exists() or ROUTES.read_bytes() != data
    if stale:
        if not check:
            write_bytes(ROUTES, data)
        print(f"{'stale' if check else 'written'}: {ROUTES.name}", file=sys.stderr)
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
