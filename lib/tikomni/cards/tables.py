"""The works of a report or a collection as files for spreadsheets, databases and programs: xlsx, csv, jsonl, feishu.

Columns, their order and their headers are ``tables.yaml``. Values keep their types: ids are text, counts are numbers,
times are times; unknown is empty, never 0. No text of a stranger becomes a formula, a link or markup.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tikomni import redact
from tikomni.cards import sheets, wording
from tikomni.cards.collection import CollectionData, Hit
from tikomni.cards.labels import labels
from tikomni.cards.markdown import one_line
from tikomni.cards.report import ReportData, ReportWork
from tikomni.cards.sheets import Column
from tikomni.storage import atomic
from tikomni.storage.names import printable
from tikomni.storage.tables import write_rows
from tikomni.storage.yaml_file import read_yaml

Data = ReportData | CollectionData
Row = ReportWork | Hit

FORMS = ("xlsx", "csv", "jsonl", "feishu")
FEISHU_RECORDS = 500  # what one batch-create takes
_ADDED = ("interactions", "multiple", "bucket", "rank", "sampled", "fans_count", "likes_per_fan")
# Field types of Bitable, and how its numbers are shown.
_FEISHU = {"key": 1, "id": 1, "text": 1, "integer": 2, "seconds": 2, "number": 2, "choice": 3, "list": 4, "datetime": 5,
           "date": 5, "flag": 7, "link": 15}  # fmt: skip
_FEISHU_PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "integer": {"formatter": "0"},
    "seconds": {"formatter": "0.0"},
    "number": {"formatter": "0.00"},
    "datetime": {"date_formatter": "yyyy/MM/dd HH:mm"},
    "date": {"date_formatter": "yyyy/MM/dd"},
}


def export(data: Data, folder: Path, stem: str, forms: Collection[str]) -> dict[str, tuple[Path, ...]]:
    """Write the works of ``data`` below ``folder`` and return the paths by form.

    ``<stem>.xlsx``, ``<stem>.csv``, ``<stem>.jsonl``; ``<stem>-feishu/`` with ``fields.json``,
    ``records-001.json`` ….

    Raises:
        TikomniError: ``disk_full``; InputError ``storage``.
    """
    writers = {"xlsx": _xlsx, "csv": _csv, "jsonl": _jsonl, "feishu": _feishu}
    return {form: writers[form](data, folder, stem) for form in FORMS if form in forms}


def columns(language: str, table: str = "report") -> tuple[Column, ...]:
    """The columns of a table, ``report`` or ``collection``."""
    shown = (c for c in _columns() if c.get("of", table) == table)
    return tuple(Column(c["name"], c[language], c["type"], c["width"]) for c in shown)


def _shown(data: Data) -> tuple[Column, ...]:
    return columns(data.language, "collection" if isinstance(data, CollectionData) else "report")


def value(row: Row, column: Column, data: Data) -> Any:
    """What stands in a cell: text, int, float, bool, aware datetime, date, list of texts, or ``None``."""
    found = _found(row, column.name)
    if found is None:
        return None
    match column.type:
        case "datetime":
            return datetime.fromisoformat(found).astimezone(data.zone)
        case "date":
            return date.fromisoformat(found)
        case "seconds":
            return round(found / 1000, 1)
        case "choice":
            return _called(column.name, found, data.language)
        case "list":
            named = labels(data.language)["fields"] if column.name == "approximate" else {}
            return list(dict.fromkeys(text for item in found if (text := named.get(item) or one_line(item, 100))))
        case "id" | "key":
            return one_line(found)
        case "text":
            return redact.secrets_in(printable(found).strip()) or None
        case _:
            return found


def _found(row: Row, name: str) -> Any:
    match name:
        case "link":
            return wording.link(row.work)
        case "multiple" | "sampled" | "fans_count" | "likes_per_fan":
            return getattr(row, name)
        case "interactions" | "bucket" | "rank":
            return getattr(row if isinstance(row, Hit) else row.standing, name)
        case _:
            return getattr(row.work, name)


def _called(name: str, code: str, language: str) -> str:
    words = labels(language)
    if name == "primary_text_source":
        return words["transcript"] if code == "transcript_clean" else words["caption"]
    return {"platform": words["platforms"], "media_kind": words["media"]}.get(name, {}).get(code) or one_line(code, 100)


def _xlsx(data: Data, folder: Path, stem: str) -> tuple[Path, ...]:
    path, shown = folder / f"{stem}.xlsx", _shown(data)
    made = sheets.spreadsheet(
        "作品" if data.language == "zh" else "Works",
        shown,
        data.works,
        lambda row, column: value(row, column, data),
        frozen=next(x for x, column in enumerate(shown, 1) if column.name == "title"),
        opening=labels(data.language)["open_original"],
        created=data.generated_at,
    )
    atomic.write_bytes(path, made)
    return (path,)


def _csv(data: Data, folder: Path, stem: str) -> tuple[Path, ...]:
    shown, path = _shown(data), folder / f"{stem}.csv"
    write_rows(path, [{c.header: _plain(value(row, c, data)) for c in shown} for row in data.works], "csv")
    return (path,)


def _plain(cell: Any) -> Any:
    match cell:
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M:%S}"
        case date():
            return cell.isoformat()
        case list():
            return ", ".join(cell)
        case _:
            return cell


def _jsonl(data: Data, folder: Path, stem: str) -> tuple[Path, ...]:
    """The facts under their own names, with what the analysis adds; nothing is left out or shortened."""
    path = folder / f"{stem}.jsonl"
    names = {column.name for column in _shown(data)}
    added = [name for name in _ADDED if name in names]
    rows = [{"key": r.work.key, **r.work.as_dict(), **{name: _found(r, name) for name in added}} for r in data.works]
    write_rows(path, rows, "jsonl")
    return (path,)


def _feishu(data: Data, folder: Path, stem: str) -> tuple[Path, ...]:
    shown, below = _shown(data), folder / f"{stem}-feishu"
    opening = labels(data.language)["open_original"]
    fields = [
        {
            "field_name": column.header,
            "type": _FEISHU[column.type],
            **({"property": dict(found)} if (found := _FEISHU_PROPERTIES.get(column.type)) else {}),
        }
        for column in shown
    ]
    records = [
        {
            "fields": {
                column.header: _for_feishu(cell, column, data.zone, opening)
                for column in shown
                if (cell := value(row, column, data)) not in (None, [])
            }
        }
        for row in data.works
    ]
    paths = [below / "fields.json"]
    atomic.write_json(paths[0], fields)
    for number, start in enumerate(range(0, len(records), FEISHU_RECORDS), 1):
        paths.append(below / f"records-{number:03}.json")
        atomic.write_text(
            paths[-1], json.dumps({"records": records[start : start + FEISHU_RECORDS]}, ensure_ascii=False)
        )
    for old in sorted(below.glob("records-*.json")):  # of an export of more works
        if old not in paths:
            old.unlink()
    return tuple(paths)


def _for_feishu(cell: Any, column: Column, zone: ZoneInfo, opening: str) -> Any:
    """Times in milliseconds, a day at its beginning in the display zone; links as objects."""
    if column.type == "link":
        return {"text": opening, "link": cell}
    if isinstance(cell, datetime):
        return int(cell.timestamp() * 1000)
    if isinstance(cell, date):
        return int(datetime(cell.year, cell.month, cell.day, tzinfo=zone).timestamp() * 1000)
    return cell


@cache
def _columns() -> tuple[Mapping[str, Any], ...]:
    return tuple(read_yaml(Path(__file__).with_name("tables.yaml")))
