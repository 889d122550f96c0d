"""Rows as files that programs and spreadsheets read, and that no stranger's words can bring to life."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni import redact
from tikomni.storage.tables import FORMATS, cell, csv_text, flat, write_rows

ROWS = [
    {"id": "7709080348818608372", "author": {"name": "老周", "tags": []}, "likes": 3, "pinned": True, "place": None},
    {"id": "2", "likes": 0.5, "text": 'two\nlines, "quoted"'},
]
LIVE = "=+-@\t\r\n＝＋－＠"


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_json_and_json_lines_are_the_rows(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.json", tuple(ROWS), "json")
    write_rows(tmp_path / "a.jsonl", ROWS, "jsonl")
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == ROWS
    lines = (tmp_path / "a.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == ROWS and lines[-1] == b""
    assert "老周".encode() in lines[0]


def test_a_table_is_what_excel_opens(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", ROWS, "csv")
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfid,") and data.endswith(b"\r\n") and data.count(b"\xef\xbb\xbf") == 1
    assert read(data.decode("utf-8-sig")) == [
        ["id", "author.name", "author.tags", "likes", "pinned", "place", "text"],
        ["7709080348818608372", "老周", "[]", "3", "true", "", ""],
        ["2", "", "", "0.5", "", "", 'two\nlines, "quoted"'],
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_makes_a_file_all_the_same(tmp_path: Path, form: str) -> None:
    write_rows(tmp_path / "a", [], form)
    assert (tmp_path / "a").read_text("utf-8-sig").strip() in ("[]", "")


@pytest.mark.parametrize("form", FORMATS)
def test_rows_that_are_no_objects(tmp_path: Path, form: str) -> None:
    write_rows(tmp_path / "a", ["x", 2, None, ["y"], {}], form)
    text = (tmp_path / "a").read_text("utf-8-sig")
    if form == "csv":
        assert read(text) == [["value"], ["x"], ["2"], [""], ['["y"]'], [""]]
    else:
        assert '"y"' in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_key_never_reaches_a_file(tmp_path: Path, form: str) -> None:
    redact.register(["sk-live-5d41402abc"])
    write_rows(tmp_path / "a", [{"told": "Bearer sk-live-5d41402abc"}], form)
    assert "sk-live" not in (tmp_path / "a").read_text("utf-8-sig")


@pytest.mark.parametrize("form", FORMATS)
def test_half_a_character_can_be_written(tmp_path: Path, form: str) -> None:
    write_rows(tmp_path / "a", [{"text": "cut \ud83d"}], form)
    assert "cut" in (tmp_path / "a").read_text("utf-8-sig")


# --- cells


@pytest.mark.parametrize(
    "hostile",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a", "=cmd|' /C calc'!A0"],
)
def test_a_formula_is_text_in_cells_and_headers(hostile: str) -> None:
    header, row = read(csv_text([{hostile: hostile}]))
    assert header == row == ["'" + hostile]


def test_numbers_stay_numbers_and_digits_stay_digits() -> None:
    assert [cell(value) for value in (-5, -0.5, 0, 10**20)] == [-5, -0.5, 0, 10**20]
    assert [cell(value) for value in ("7372484719365098803", "007", "1e5", "")] == [
        "7372484719365098803",
        "007",
        "1e5",
        "",
    ]
    assert [cell(value) for value in (True, False, None, [], {}, ["=1"])] == ["true", "false", "", "[]", "{}", '["=1"]']


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(LIVE).map(lambda start: start + "A1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=4))
def test_any_rows_make_a_table_without_live_cells(rows: list[Any]) -> None:
    flattened = [flat(row) for row in rows]
    table = read(csv_text(flattened))
    assert all(len(line) == len(table[0]) for line in table[1:] if line)
    names = dict.fromkeys(name for row in flattened for name in row)
    for row, line in zip(flattened, table[1:], strict=True):
        for name, text in zip(names, line, strict=False):
            value = row.get(name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            assert number or not text.startswith(tuple(LIVE))


# --- columns


def test_nested_objects_become_dotted_columns() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": [{"e": 2}]}, "f": {}, "": 3}) == {
        "a.b.c": 1, "a.d": [{"e": 2}], "f": {}, "": 3,
    }  # fmt: skip


def test_a_deep_object_ends_as_json() -> None:
    deep: Any = {"end": 1}
    for name in "fedcba":
        deep = {name: deep}
    (column,) = flat(deep)
    assert column == "a.b.c.d.e" and cell(flat(deep)[column]) == '{"f": {"end": 1}}'


def test_columns_come_in_the_order_in_which_they_come_up() -> None:
    assert read(csv_text([{"b": 1}, {"a": 2, "b": 3}, {"c": 4}])) == [
        ["b", "a", "c"], ["1", "", ""], ["3", "2", ""], ["", "", "4"],
    ]  # fmt: skip
