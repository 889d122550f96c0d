"""Comments as files: ``comments.jsonl`` with every fact, and tables for people. No text of a stranger acts in them.

Columns, their order and their headers are ``comment_tables.yaml``.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tikomni import redact
from tikomni.facts import Comment
from tikomni.storage import atomic
from tikomni.storage.names import printable
from tikomni.storage.tables import write_rows
from tikomni.storage.yaml_file import read_yaml

FORMS = ("csv", "xlsx")
NAME = "comments"
_CELL_CHARS = 16_000  # an emoji counts twice in a cell of Excel, which takes 32,767


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
    paths = {form: folder / f"{NAME}.{form}" for form in ("jsonl", *(f for f in FORMS if f in forms))}
    shown = [column for column in _columns() if with_users or not column.get("users")]
    left_out = () if with_users else ("platform_author_id", "author_name")
    rows = [{name: value for name, value in c.as_dict().items() if name not in left_out} for c in comments]
    write_rows(paths["jsonl"], rows, "jsonl")
    if "csv" in paths:
        write_rows(paths["csv"], [{column["name"]: _plain(c, column) for column in shown} for c in comments], "csv")
    if "xlsx" in paths:
        atomic.write_bytes(paths["xlsx"], _xlsx(comments, shown, language, zone))
    return paths


def _value(comment: Comment, column: Mapping[str, Any]) -> Any:
    value = getattr(comment, column["name"])
    return redact.secrets_in(printable(value).strip()) if isinstance(value, str) else value


def _plain(comment: Comment, column: Mapping[str, Any]) -> Any:
    value = _value(comment, column)
    return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S}" if value and column["type"] == "datetime" else value


def _xlsx(comments: Sequence[Comment], shown: Sequence[Mapping[str, Any]], language: str, zone: ZoneInfo) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    # Nothing is guessed from a text: no numbers, no links, no formulas.
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("评论" if language == "zh" else "Comments")
    bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
    number, time = book.add_format({"num_format": "#,##0"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for x, column in enumerate(shown):
        sheet.set_column(x, x, column["width"])
        sheet.write_string(0, x, column[language], bold)
        for y, comment in enumerate(comments, 1):
            value = _value(comment, column)
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(y, x, value)
            elif isinstance(value, int):
                sheet.write_number(y, x, value, number)
            elif column["type"] == "datetime":
                sheet.write_datetime(y, x, datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None), time)
            else:
                sheet.write_string(y, x, value[:_CELL_CHARS], text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(comments), len(shown) - 1)
    book.close()
    return out.getvalue()


@cache
def _columns() -> tuple[Mapping[str, Any], ...]:
    return tuple(read_yaml(Path(__file__).with_suffix(".yaml")))
