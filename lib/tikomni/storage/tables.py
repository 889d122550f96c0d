"""Writes rows as JSON, JSON lines or CSV. Knows nothing of what the rows mean."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tikomni.storage.atomic import write_json, write_lines, write_text

FORMATS = ("json", "jsonl", "csv")
# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection); the wide forms, in East Asia.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write_rows(path: Path, rows: Iterable[Any], form: str) -> None:
    """Write ``rows`` as ``form``: one of ``FORMATS``. CSV has a BOM, dotted columns, and no live formulas; JSON lines
    are written as the rows come."""
    if form == "json":
        write_json(path, list(rows))
    elif form == "jsonl":
        write_lines(path, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    else:
        write_text(path, "\ufeff" + csv_text([flat(row) for row in rows]))


def csv_text(rows: Sequence[dict[str, Any]]) -> str:
    """``rows`` with a header line; columns in the order in which they first come up."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([cell(c) for c in columns])
    writer.writerows([cell(row.get(c)) for c in columns] for row in rows)
    return text.getvalue()


def cell(value: Any) -> Any:
    """A value as a spreadsheet may take it: numbers stay numbers, text never becomes a formula."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return "" if value is None else value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "'" + text if text.startswith(_FORMULA) else text


def flat(row: Any, prefix: str = "", depth: int = 4) -> dict[str, Any]:
    """``row`` as one level of columns, ``a.b.c`` for nested objects; lists become JSON text."""
    if not isinstance(row, dict):
        return {prefix.rstrip(".") or "value": row}
    columns: dict[str, Any] = {}
    for name, value in row.items():
        here = f"{prefix}{name}"
        if isinstance(value, dict) and value and depth:
            columns |= flat(value, here + ".", depth - 1)
        else:
            columns[here] = value
    return columns
