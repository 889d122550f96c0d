"""Works as files for spreadsheets, databases and programs: types kept, nothing alive, nothing invented."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from tikomni.cards.report import ReportData
from tikomni.cards.tables import FEISHU_RECORDS, FORMS, columns, export

LIVE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", '=HYPERLINK("https://evil.example","x")']
_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture(scope="module")
def dozen(made_up: ModuleType) -> ReportData:
    return made_up.data(12, covers=False)


class Sheet:
    """What a spreadsheet program finds in a file: cells as ``(type, value, number format)`` by header."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as book:
            parts = {name: book.read(name).decode() for name in book.namelist()}
        strings = [
            "".join(t.text or "" for t in item.iter(f"{{{_NS['m']}}}t"))
            for item in ElementTree.fromstring(parts["xl/sharedStrings.xml"]).findall("m:si", _NS)
        ]
        styles = ElementTree.fromstring(parts["xl/styles.xml"])
        formats = {f.get("numFmtId"): f.get("formatCode") for f in styles.iterfind("m:numFmts/m:numFmt", _NS)}
        used = [formats.get(x.get("numFmtId"), x.get("numFmtId")) for x in styles.iterfind("m:cellXfs/m:xf", _NS)]
        self.xml = parts["xl/worksheets/sheet1.xml"]
        self.links = parts.get("xl/worksheets/_rels/sheet1.xml.rels", "")
        rows: list[dict[str, tuple[str, Any, str | None]]] = []
        for row in ElementTree.fromstring(self.xml).iterfind("m:sheetData/m:row", _NS):
            cells = {}
            for cell in row.findall("m:c", _NS):
                text = cell.findtext("m:v", None, _NS)
                if text is not None:
                    kind = cell.get("t", "n")
                    shown = strings[int(text)] if kind == "s" else float(text)
                    place = re.sub(r"\d", "", cell.get("r", ""))
                    cells[place] = (kind, shown, used[int(cell.get("s", "0"))])
            rows.append(cells)
        self.headers = {value: place for place, (_, value, _) in rows[0].items()}
        self.rows = [{h: row.get(place) for h, place in self.headers.items()} for row in rows[1:]]


def xlsx(data: ReportData, folder: Path) -> Sheet:
    (path,) = export(data, folder, "works", ["xlsx"])["xlsx"]
    return Sheet(path)


def feishu(data: ReportData, folder: Path) -> tuple[list[Any], list[list[dict[str, Any]]]]:
    fields, *records = export(data, folder, "works", ["feishu"])["feishu"]
    assert fields.name == "fields.json"
    read = [json.loads(path.read_text("utf-8")) for path in records]
    assert all(set(part) == {"records"} for part in read)
    return json.loads(fields.read_text("utf-8")), [[r["fields"] for r in part["records"]] for part in read]


def test_only_what_was_asked_for_is_written(dozen: ReportData, tmp_path: Path) -> None:
    assert list(export(dozen, tmp_path, "works", ["jsonl", "csv"])) == ["csv", "jsonl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["works.csv", "works.jsonl"]


def test_headers_are_in_the_readers_language_each_once() -> None:
    chinese, english = columns("zh"), columns("en")
    assert [c.name for c in chinese] == [c.name for c in english]
    assert [c.header for c in chinese if c.name in ("title", "published_at", "digg_count")] == [
        "标题",
        "发布时间",
        "点赞",
    ]
    for shown in (chinese, english):
        assert len({c.header for c in shown}) == len(shown)
    assert not [c.header for c in english if re.search("[\u4e00-\u9fff]", c.header)]


# --- xlsx


def test_a_spreadsheet_has_text_ids_real_numbers_and_real_dates(dozen: ReportData, tmp_path: Path) -> None:
    sheet, row = xlsx(dozen, tmp_path), dozen.works[0]
    first = sheet.rows[0]
    assert len(sheet.rows) == 12
    assert first["作品 ID"] == ("s", row.work.platform_work_id, "@")
    assert first["点赞"] == ("n", row.work.digg_count, "#,##0")
    kind, serial, form = first["发布时间"]
    at = datetime.fromisoformat(row.work.published_at or "").astimezone(dozen.zone).replace(tzinfo=None)
    assert kind == "n" and form == "yyyy-mm-dd hh:mm"
    assert abs(serial - (at - datetime(1899, 12, 30)).total_seconds() / 86400) < 1e-6
    assert first["样本"][:2] == ("b", 1)
    assert first["播放"] is None  # unknown is empty


def test_the_header_stays_and_filters(dozen: ReportData, tmp_path: Path) -> None:
    sheet = xlsx(dozen, tmp_path)
    assert '<pane xSplit="3" ySplit="1"' in sheet.xml and 'state="frozen"' in sheet.xml
    assert re.search(r'<autoFilter ref="A1:[A-Z]+13"', sheet.xml)


def test_links_lead_to_the_works_and_nowhere_else(dozen: ReportData, tmp_path: Path) -> None:
    evil = replace(
        dozen.works[0].work, source_url="javascript:alert(1)", open_url="file:///etc/passwd", title="https://x.example"
    )
    rows = [replace(dozen.works[0], standing=replace(dozen.works[0].standing, work=evil)), *dozen.works[1:]]
    sheet = xlsx(replace(dozen, works=rows), tmp_path)
    assert re.findall('Target="(.*?)"', sheet.links) == [row.work.source_url for row in dozen.works[1:]]
    assert sheet.rows[0]["链接"] is None and sheet.rows[1]["链接"][1] == "打开原作"


@pytest.mark.parametrize("text", LIVE)
def test_no_text_is_a_formula(made_up: ModuleType, tmp_path: Path, text: str) -> None:
    data = made_up.data([replace(w, title=text, topics=(text,)) for w in made_up.works(2)], covers=False)
    sheet = xlsx(data, tmp_path)
    assert "<f>" not in sheet.xml and sheet.rows[0]["标题"][0] == "s"
    (path,) = export(data, tmp_path, "works", ["csv"])["csv"]
    table = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    assert not [
        c for line in table for c in line if c.startswith(tuple("=+-@\t＝")) and not re.fullmatch(r"-?[\d.]+", c)
    ]


def test_names_and_ids_are_what_they_look_like(made_up: ModuleType, tmp_path: Path) -> None:
    data = made_up.data([replace(w, author_handle="ab\u202ecd\u200b", title="x\u2066y") for w in made_up.works(1)])
    row = xlsx(data, tmp_path).rows[0]
    assert (row["账号"][1], row["标题"][1]) == ("abcd", "xy")


def test_a_very_long_text_is_cut_and_marked_for_excel_alone(made_up: ModuleType, tmp_path: Path) -> None:
    long = "🌿" * 40_000
    data = made_up.data([replace(w, caption_raw=long) for w in made_up.works(1)], covers=False)
    cell = xlsx(data, tmp_path).rows[0]["文案"][1]
    assert cell.endswith("🌿…") and len(cell.encode("utf-16-le")) <= 2 * 32_767
    (path,) = export(data, tmp_path, "works", ["jsonl"])["jsonl"]
    assert json.loads(path.read_text("utf-8"))["caption_raw"] == long


# --- csv, jsonl


def test_csv_opens_in_excel(dozen: ReportData, tmp_path: Path) -> None:
    (path,) = export(dozen, tmp_path, "works", ["csv"])["csv"]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    header, first, *_ = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    assert header == [c.header for c in columns("zh")]
    row = dict(zip(header, first, strict=True))
    assert row["点赞"] == str(dozen.works[0].work.digg_count) and row["播放"] == ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["发布时间"])


def test_json_lines_hold_every_fact_under_its_own_name(dozen: ReportData, tmp_path: Path) -> None:
    (path,) = export(dozen, tmp_path, "works", ["jsonl"])["jsonl"]
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["platform_work_id"] for line in lines] == [row.work.platform_work_id for row in dozen.works]
    assert lines[0]["interactions"] == dozen.works[0].standing.interactions
    assert lines[0]["play_count"] is None and lines[0]["missing"]["play_count"] == "not_published"


# --- feishu


def test_records_come_in_parts_of_five_hundred(made_up: ModuleType, tmp_path: Path) -> None:
    _, parts = feishu(made_up.data(FEISHU_RECORDS + 3, covers=False), tmp_path)
    assert [len(part) for part in parts] == [FEISHU_RECORDS, 3]
    feishu(made_up.data(5, covers=False), tmp_path)
    assert sorted(p.name for p in (tmp_path / "works-feishu").iterdir()) == ["fields.json", "records-001.json"]


def test_values_are_what_a_base_takes(dozen: ReportData, tmp_path: Path) -> None:
    fields, (records,) = feishu(dozen, tmp_path)
    types = {field["field_name"]: field["type"] for field in fields}
    assert list(types) == [c.header for c in columns("zh")]
    takes = {
        1: lambda v: isinstance(v, str),
        2: lambda v: isinstance(v, int | float) and not isinstance(v, bool),
        3: lambda v: isinstance(v, str),
        4: lambda v: isinstance(v, list) and all(isinstance(item, str) and item for item in v),
        5: lambda v: isinstance(v, int) and v > 1_500_000_000_000,
        7: lambda v: isinstance(v, bool),
        15: lambda v: set(v) == {"text", "link"} and v["link"].startswith("https://"),
    }
    for record in records:
        for name, value in record.items():
            assert takes[types[name]](value), (name, value)
    work = dozen.works[0].work
    assert records[0]["发布时间"] == int(datetime.fromisoformat(work.published_at or "").timestamp() * 1000)
    assert records[0]["发布日期"] % 86_400_000 == 57_600_000  # midnight in Shanghai
    assert "播放" not in records[0]


def test_the_first_field_names_a_record_for_good(dozen: ReportData, tmp_path: Path) -> None:
    fields, (records,) = feishu(dozen, tmp_path)
    assert fields[0] == {"field_name": "唯一键", "type": 1}
    keys = [record["唯一键"] for record in records]
    assert keys == [row.work.key for row in dozen.works] and len(set(keys)) == 12


@pytest.mark.parametrize("language", ["zh", "en"])
def test_works_that_say_nothing_can_be_exported(made_up: ModuleType, tmp_path: Path, language: str) -> None:
    from tikomni.facts import Work

    bare = [Work("douyin", "1", title="\u202e\ud83d"), Work("elsewhere", "../2")]
    export(made_up.data(bare, language, covers=False), tmp_path, "works", FORMS)
    assert len((tmp_path / "works.jsonl").read_text("utf-8").splitlines()) == 2
    _, (records,) = feishu(made_up.data(bare, language, covers=False), tmp_path)
    assert all(0 not in [v for v in record.values() if not isinstance(v, bool)] for record in records)
