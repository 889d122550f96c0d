"""Strangers' words are data: an attack in a caption, a nickname or what is said is shown, and does nothing."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tikomni.cards.render import render_work
from tikomni.envelope import Next, Outcome, dump, envelope
from tikomni.facts import Transcript, Work
from tikomni.sandbox import links
from tikomni.settings import Settings
from tikomni.storage import names
from tikomni.storage.tables import csv_text

ATTACKS: list[str] = yaml.safe_load(Path(__file__).with_name("attacks.yaml").read_text(encoding="utf-8"))
MARKER = "<!-- tikomni:yours -->"
HIDDEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


def work(attack: str, **more: Any) -> Work:
    """A work in which every stranger's field is the attack."""
    words = Transcript("asr", "zh", attack, attack)
    return Work(
        platform="douyin",
        platform_work_id="7700000000000000001",
        platform_author_id="MS4wLjABAAAAstranger",
        author_name=attack,
        author_handle=attack,
        title=attack,
        caption_raw=attack,
        work_modality="video",
        media_kind="video",
        topics=(attack,),
        published_at="2026-10-01T08:00:00+08:00",
        published_date="2026-10-01",
        source_url="https://www.douyin.com/video/7700000000000000001",
        snapshot_at="2026-11-01T08:00:00+08:00",
        transcript=words,
        primary_text=attack,
        primary_text_source="transcript_clean",
        **more,
    )


def card_of(tmp_path: Path, attack: str) -> tuple[Path, str]:
    settings = Settings(output_root=tmp_path / "out", card_root=tmp_path / "cards", state_dir=tmp_path / "state")
    path = render_work(settings, work(attack), (), [])
    return path, path.read_text(encoding="utf-8")


def values(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from values(child)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_card_has_its_own_front_matter_one_marked_line_and_no_markup_of_theirs(tmp_path, attack):
    _, text = card_of(tmp_path, attack)
    _, front, body = text.split("---\n", 2)
    facts = yaml.safe_load(front)
    assert facts["type"] == "work" and facts["platform_work_id"] == "7700000000000000001"
    assert not any(isinstance(value, str) and "\n" in value for value in values(facts))
    assert text.count(f"\n{MARKER}\n") == 1 and text.index(MARKER) > text.index("## ")
    for live in ("<script", "<img", "](javascript:", "![[", "```json", "\n---\ntype"):
        assert live not in body, live
    assert not HIDDEN.search(text)


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_line_of_theirs_in_a_cards_body_is_a_quotation_or_one_line(tmp_path, attack):
    _, text = card_of(tmp_path, attack)
    generated = text[: text.index(MARKER)]
    longest = max(re.findall(r"[\w ]{6,}", names.printable(attack)), key=len).strip()
    spoken = [line for line in generated.splitlines() if line.startswith("> ")]
    assert any(longest[:12] in line.replace("\\", "") for line in spoken)
    assert not any(re.match(r"(SYSTEM|Assistant|系统)", line) for line in generated.splitlines())


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_cards_name_stays_within_its_root_and_can_be_read(tmp_path, attack):
    path, _ = card_of(tmp_path, attack)
    assert path.resolve().is_relative_to((tmp_path / "cards").resolve())
    assert path.name.endswith("-7700000000000000001.md") and len(path.name.encode()) <= 255
    for part in path.relative_to(tmp_path).parts:
        assert not any(unicodedata.category(c)[0] == "C" for c in part) and not set('\\/:*?"<>|') & set(part)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_an_agent_reads_lists_them_as_untrusted_and_its_commands_hold_none(attack):
    row = work(attack).as_dict()
    go_on = (Next(shlex.join(["python3", "analyze_work.py", "7700000000000000001"]), "goes on"),)
    document = envelope("work", Outcome(result={"work": row, "works": [row]}, next=go_on))
    for field in ("caption_raw", "author_name", "author_handle", "title", "primary_text", "topics"):
        assert f"result.work.{field}" in document["untrusted"], field
    outside = {name: value for name, value in document.items() if name != "result"}
    assert attack not in json.dumps(outside, ensure_ascii=False)
    assert json.loads(dump(document, False)) == json.loads(json.dumps(document)), "one document, whatever stands in it"
    assert "\n" not in dump(document, False)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_cell_is_a_formula_and_no_row_breaks(attack):
    rows = list(csv.reader(io.StringIO(csv_text([{"title": attack, "n": 1}, {"title": "x", attack: attack}]))))
    assert len(rows) == 3 and len({len(row) for row in rows}) == 1
    assert not any(cell.startswith(tuple("=+-@\t\r")) for row in rows for cell in row)


def test_two_works_never_share_a_name_whatever_their_ids(tmp_path):
    settings = Settings(output_root=tmp_path / "out", card_root=tmp_path / "cards", state_dir=tmp_path / "state")
    ids = [
        "CON",
        "con",
        "../x",
        "..%2fx",
        "a/b",
        "a\\b",
        "a:b",
        "a b",
        "é",
        "e\u0301",
        "x" * 300,
        "x" * 301,
        "\u202ea",
        "a",
    ]
    paths = [render_work(settings, replace(work("同一个标题"), platform_work_id=name), (), []) for name in ids]
    assert len({unicodedata.normalize("NFC", str(path)) for path in paths}) == len(ids)
    assert all(path.resolve().is_relative_to((tmp_path / "cards").resolve()) for path in paths)


@pytest.mark.parametrize("name", ["dy_injection", "dy_markup"])
def test_hostile_works_from_end_to_end(run, name, tmp_path):
    document = run("work", links[name].url).document
    result = document["result"]
    caption = result["work"]["caption_raw"]
    assert {"result.work.caption_raw", "result.work.primary_text"} <= set(document["untrusted"])
    for command in document.get("next", []):
        assert caption[:12] not in command["command"]
    outside = {k: v for k, v in document.items() if k != "result"}
    assert caption[:12] not in json.dumps(outside, ensure_ascii=False)
    text = Path(result["card"]["path"]).read_text(encoding="utf-8")
    assert "<script>" not in text and text.count(f"\n{MARKER}\n") == 1


@pytest.mark.parametrize("skill", ["single-work-analysis", "meta-capability"])
def test_every_skill_says_what_untrusted_means(skill):
    text = (Path(__file__).resolve().parents[2] / "skills" / skill / "SKILL.md").read_text(encoding="utf-8")
    assert "untrusted" in text
