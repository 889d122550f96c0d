"""Makes the shipped catalogue (``routes.jsonl``) from its source (``openapi/*.yaml``).

    python -m tikomni.catalog.compile [--check]

The source is what people edit; the compiled file is what programs read: one line for a route, so that
looking up a route costs one line.
The words that only finding needs go into ``search.txt``. Same source, same bytes.
It must not add facts that the source lacks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tikomni.catalog import ROUTES, SOURCE

_PARAMETER = {
    "description": "about",
    "x-tikomni-values": "values",
    "x-tikomni-format": "format",
    "x-tikomni-maximum": "maximum",
    "example": "example",
}
_OPERATION = {
    "summary": "summary",
    "x-tikomni-summary-zh": "summary_zh",
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


def read(file: Path) -> dict[str, Any]:
    """One source file."""
    import yaml

    return yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


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
            "schema": media["schema"],
        }
    return row


def _input(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "required": parameter["required"],
        "schema": parameter["schema"],
    } | {name: parameter[key] for key, name in _PARAMETER.items() if key in parameter}


def build(source: Path = SOURCE) -> bytes:
    """The bytes of ``routes.jsonl``: a line for each route, by id."""
    found = [row for file in sorted(source.glob("*.yaml")) for row in rows(read(file))]
    if not len(found) == len({row["id"] for row in found}) == len({(row["method"], row["path"]) for row in found}):
        raise ValueError("Two routes of the source share an id or an address.")
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in sorted(found, key=_id))
    return "".join(f"{line}\n" for line in lines).encode()


def _id(row: dict[str, Any]) -> str:
    return row["id"]


def main(argv: list[str] | None = None) -> int:
    import argparse  # not at the top: every contract is shown with ``rows``

    from tikomni.storage.atomic import write_bytes

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
