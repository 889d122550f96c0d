"""The documents of works and creators: every fact as JSON, checked against the published schemas on every write.

Documents live under the output root, never in the card root: a notes vault holds notes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tikomni.errors import TikomniError
from tikomni.facts import Creator, Work
from tikomni.storage import atomic
from tikomni.storage.tree import Tree

SCHEMA_PATH = Path(__file__).with_name("work-card.schema.json")
CREATOR_SCHEMA_PATH = Path(__file__).with_name("creator-card.schema.json")
SCHEMA_VERSION = 1


def document(of: Work | Creator) -> dict[str, Any]:
    """``of`` as a plain JSON object with its ``schema_version``; its class's ``from_dict`` reads it back."""
    return {"schema_version": SCHEMA_VERSION, **json.loads(json.dumps(of.as_dict()))}


def validate(found: Mapping[str, Any], schema: Path = SCHEMA_PATH) -> None:
    """Check a document against a schema of ours.

    Raises:
        TikomniError: ``internal``, with the JSON pointer of the first violation and what is wrong there.
    """
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema).iter_errors(found))
    if error is not None:
        pointer = "".join(f"/{part}" for part in error.absolute_path) or "/"
        what = "work" if schema == SCHEMA_PATH else "creator"
        raise TikomniError(
            "internal",
            f"The {what} document does not follow its schema at {pointer}: {error.message[:300]}",
            details={"pointer": pointer, "rule": "/".join(map(str, error.absolute_schema_path))},
        )


def write_document(tree: Tree, of: Work | Creator, at: datetime) -> Path:
    """Write the document of ``of`` into the results of ``at``'s day and return its path.

    Raises:
        TikomniError: ``internal`` where it does not follow the schema, ``disk_full``; InputError ``storage``.
    """
    is_work = isinstance(of, Work)
    made = document(of)
    validate(made, SCHEMA_PATH if is_work else CREATOR_SCHEMA_PATH)
    path = tree.results_path(of.platform, of.platform_work_id if is_work else of.platform_author_id, at)
    atomic.write_json(path, made)
    return path


@cache
def _validator(schema_path: Path) -> Any:
    from jsonschema import Draft202012Validator, FormatChecker

    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    checker = FormatChecker(["date"])
    checker.checks("date-time", raises=ValueError)(lambda v: not isinstance(v, str) or bool(datetime.fromisoformat(v)))
    return Draft202012Validator(schema, format_checker=checker)
