"""Comments as files: ``comments.jsonl`` with every fact, and tables for people. No text of a stranger acts in them.

Columns, their order and their headers are ``comment_tables.yaml``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tikomni import redact
from tikomni.cards.sheets import Column, spreadsheet
from tikomni.facts import Comment
from tikomni.storage import atomic
from tikomni.storage.names import printable
from tikomni.storage.tables import write_rows
from tikomni.storage.yaml_file import read_yaml

FORMS = ("csv", "xlsx")


def write(
    comments: Sequence[Comment],
    folder: Path,
    forms: Collection[str],
    language: str,
    zone: ZoneInfo,
    with_users: bool = False,
) -> dict[str, Path]:
    """Write ``comments.jsonl`` and, for each of ``forms``, a table into ``folder``; returns the paths by form, none
    where there are no comments.

    Raises:
        TikomniError: ``disk_full``; InputError ``storage``.
    """
    if not comments:
        return {}
    paths = {form: folder / f"comments.{form}" for form in ("jsonl", *(f for f in FORMS if f in forms))}
    shown = [
        Column(column["name"], column[language], column["type"], column["width"])
        for column in _columns()
        if with_users or not column.get("users")
    ]
    left_out = () if with_users else ("platform_author_id", "author_name")
    rows = [{name: value for name, value in c.as_dict().items() if name not in left_out} for c in comments]
    write_rows(paths["jsonl"], rows, "jsonl")
    if "csv" in paths:
        write_rows(paths["csv"], [{column.name: _plain(c, column) for column in shown} for c in comments], "csv")
    if "xlsx" in paths:
        atomic.write_bytes(paths["xlsx"], _xlsx(comments, shown, "评论" if language == "zh" else "Comments", zone))
    return paths


def _value(comment: Comment, column: Column) -> Any:
    value = getattr(comment, column.name)
    if value and column.type == "datetime":
        return datetime.fromisoformat(value)
    return redact.secrets_in(printable(value).strip()) if isinstance(value, str) else value


def _plain(comment: Comment, column: Column) -> Any:
    value = _value(comment, column)
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value


def _xlsx(comments: Sequence[Comment], shown: Sequence[Column], name: str, zone: ZoneInfo) -> bytes:
    def value(comment: Comment, column: Column) -> Any:
        found = _value(comment, column)
        return found.astimezone(zone) if isinstance(found, datetime) else found

    return spreadsheet(name, shown, comments, value)


@cache
def _columns() -> tuple[Mapping[str, Any], ...]:
    return tuple(read_yaml(Path(__file__).with_suffix(".yaml")))
