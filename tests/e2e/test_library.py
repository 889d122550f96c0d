"""Everything that was ever stored can be searched, for nothing: works, what is said in them, comments."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tikomni.envelope import tokens
from tikomni.facts import Comment, Creator, Segment, Transcript, Work
from tikomni.library.store import MIGRATIONS, Library
from tikomni.sandbox import links

SAID = (
    Segment(0, 2900, "大家好，欢迎回来。"),
    Segment(65_000, 68_000, "先把番茄放进锅里，"),
    Segment(68_000, 71_000, "再加ＡＰＰＬＥ醋一勺。"),
)


def work(number: int, **members) -> Work:
    base = Work(
        platform="douyin",
        platform_work_id=f"71{number:017}",
        platform_author_id="author-one",
        author_name="小厨房",
        author_handle="xiaochufang",
        title=f"第{number}道菜",
        media_kind="video",
        work_modality="video",
        published_at=f"2026-03-{number % 28 + 1:02}T20:00:00+08:00",
        published_date=f"2026-03-{number % 28 + 1:02}",
        digg_count=number * 100,
        snapshot_at="2026-04-01T08:00:00+08:00",
    )
    return replace(base, **members)


SPOKEN = work(
    1, transcript=Transcript("asr", "zh", "", "".join(s.text for s in SAID), SAID), digg_count=10, collect_count=900
)
NOTE = work(
    2,
    platform="xiaohongshu",
    platform_work_id="64ab00000000000000000001",
    platform_author_id="author-two",
    author_name="周末出走",
    author_handle="9001",
    media_kind="images",
    work_modality="text",
    caption_raw="番茄园里摘番茄。记得带帽子！",
    topics=("亲子", "周末去哪儿"),
)
COMMENT = Comment("douyin", SPOKEN.platform_work_id, "c-1", text="番茄要去皮吗", like_count=50, published_at=None)


@pytest.fixture
def state(machine, sandbox, tmp_path) -> Path:
    """A state folder with a few works and a comment of this upstream, and one of another."""
    machine.variables["TIKOMNI_STATE_DIR"] = str(tmp_path / "state")
    path = tmp_path / "state" / "library.sqlite3"
    library = Library(path, sandbox.base_url)
    library.keep_works([SPOKEN, NOTE, *(work(n) for n in range(3, 40))])
    library.keep_creator(Creator("douyin", "author-one", author_name="小厨房", author_handle="xiaochufang"))
    library.keep_comments([COMMENT])
    library.close()
    other = Library(path, "https://elsewhere.invalid")
    other.keep(replace(NOTE, platform_work_id="64ab00000000000000000002"))
    other.close()
    return path


def keys(ran) -> list[str]:
    assert ran.exit_status == 0, ran.stdout
    return [item["key"] for item in ran.document["result"]["items"]]


def test_a_word_is_found_where_it_is_said_with_its_time(run, state, asked):
    [item] = [i for i in run("library", "番茄", "放进").document["result"]["items"]]
    assert item["key"] == SPOKEN.key and item["text"] == "先把番茄放进锅里，" and item["at"] == "1:05"
    assert asked() == []


def test_case_width_and_cuts_between_sentences_make_no_difference(run, state):
    assert keys(run("library", "apple")) == keys(run("library", "Ａpple")) == [SPOKEN.key]
    [item] = run("library", "里，再加").document["result"]["items"]
    assert item["at"] == "1:05" and item["text"] == "先把番茄放进锅里，再加ＡＰＰＬＥ醋一勺。"


def test_of_several_words_all_have_to_be_there(run, state):
    assert set(keys(run("library", "番茄"))) == {SPOKEN.key, NOTE.key}
    assert keys(run("library", "番茄 帽子")) == [NOTE.key]
    nothing = run("library", "番茄", "滑雪").document
    assert nothing["status"] == "complete" and nothing["result"]["count"] == 0 and nothing["result"]["items"] == []


def test_comments_are_searched_and_stand_with_their_work(run, state):
    [item] = run("library", "去皮").document["result"]["items"]
    assert item["key"] == SPOKEN.key and item["comment_id"] == "c-1" and item["text"] == "番茄要去皮吗"
    assert keys(run("library", "番茄", "--kind", "comment", "--creator", "小厨房")) == [SPOKEN.key]


@pytest.mark.parametrize("words", [("100%", "番茄"), ("_",), ("%",)])
def test_a_sign_of_a_pattern_is_a_sign(run, state, words):
    assert run("library", *words).document["result"]["count"] == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--platform", "xiaohongshu"), [NOTE.key]),
        (("--kind", "images"), [NOTE.key]),
        (("--creator", "周末"), [NOTE.key]),
        (("--creator", "author-two"), [NOTE.key]),
        (("--creator", "xiaohongshu:author-two"), [NOTE.key]),
        (("--sort", "collects", "--limit", "1"), [SPOKEN.key]),
        (("--min-likes", "3900"), [work(39).key]),
        (("--since", "2026-03-28", "--sort", "newest", "--kind", "work", "--limit", "1"), [work(27).key]),
    ],
)
def test_what_is_found_can_be_narrowed_and_sorted(run, state, arguments, expected):
    assert keys(run("library", *arguments)) == expected


def test_a_row_is_short_and_the_document_within_the_limit(run, state):
    long = "番茄" + "很长的一句话没有停顿" * 30
    library = Library(state, run.__self__.variables["TIKOMNI_BASE_URL"])
    texts = Transcript("asr", "zh", long, long, (Segment(3_600_000, 3_700_000, long),))
    library.keep_works(work(n, title=long, transcript=texts, platform_work_id=f"73{n:017}") for n in range(60))
    library.keep(replace(NOTE, title=long, caption_raw=long))
    library.close()
    ran = run("library", "番茄")
    items = ran.document["result"]["items"]
    assert len(items) == 20 and ran.document["result"]["count"] == 63 and tokens(ran.stdout) <= 1500
    assert all(tokens(json.dumps(item, ensure_ascii=False, separators=(",", ":"))) <= 60 for item in items)
    assert all("番茄" in item["text"] for item in items) and items[0]["at"] == "60:00"
    assert ran.document["untrusted"]


def test_fields_choose_the_columns(run, state):
    [item] = run("library", "去皮", "--fields", "key,like_count,author_name").document["result"]["items"]
    assert item == {"key": SPOKEN.key, "like_count": 50, "author_name": None}
    [item] = run("library", "帽子", "--fields", "key,topics,collect_count").document["result"]["items"]
    assert item == {"key": NOTE.key, "topics": ["亲子", "周末去哪儿"], "collect_count": None}


def test_every_hit_is_exported(run, state):
    ran = run("library", "--export", "csv,xlsx,jsonl,feishu", "--limit", "3")
    paths = ran.document["result"]["paths"]
    assert {"csv", "xlsx", "jsonl", "feishu", "comments"} == set(paths)
    rows = Path(paths["jsonl"]).read_text("utf-8").splitlines()
    assert len(rows) == 39 == ran.document["result"]["count"] - 1
    assert "番茄要去皮吗" in Path(paths["comments"]).read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--sort", "beauty"), "likes"),
        (("--kind", "podcast"), "images"),
        (("--fields", "nonsense"), "digg_count"),
        (("--fields", ""), "digg_count"),
        (("--export", "docx"), "feishu"),
        (("--limit", "0"), "--limit"),
        (("--min-likes", "-1"), "--min-likes"),
        (("--since", "yesterday"), "30d"),
        (("--verbose",), "--verbose"),
        (("--creator", "Nobody-9"), "Nobody-9"),
        (("--creator", ""), "--creator"),
        (("--platform", "dou yin"), "douyin"),
    ],
)
def test_what_makes_no_sense_is_said(run, state, arguments, told):
    ran = run("library", *arguments)
    error = ran.document["error"]
    assert ran.exit_status == 2 and error["code"] in ("usage", "invalid_input")
    assert told in error["message"] + error["hint"] + json.dumps(error["details"])


def test_an_empty_library_says_what_fills_it(run, machine, state):
    for folder in ("nowhere", str(state.parent)):
        ran = run("library", "番茄", TIKOMNI_STATE_DIR=folder, TIKOMNI_BASE_URL="https://unheard.invalid")
        assert (ran.exit_status, ran.document["error"]["code"]) == (2, "invalid_input")
        assert "unheard.invalid" in ran.document["error"]["message"]
        assert "creator" in ran.document["error"]["details"]["analyse"]


def test_a_library_of_an_earlier_version_is_searched_too(run, machine, sandbox, tmp_path):
    path = tmp_path / "old" / "library.sqlite3"
    path.parent.mkdir()
    db = sqlite3.connect(path)
    for script in MIGRATIONS[:2]:
        db.executescript(script)
    db.execute("PRAGMA user_version=2")
    for made in (SPOKEN, replace(NOTE, published_at="some time")):
        values = (sandbox.base_url.rstrip("/"), made.platform, made.platform_work_id, json.dumps(made.as_dict()))
        db.execute("INSERT INTO works (origin, platform, platform_work_id, document) VALUES (?, ?, ?, ?)", values)
    db.commit()
    db.close()
    assert set(keys(run("library", "番茄", TIKOMNI_STATE_DIR=str(path.parent)))) == {SPOKEN.key, NOTE.key}


def test_what_was_analysed_is_found_and_what_was_purged_is_not(run):
    analysed = run("creator", links["dy_3"].url).document
    name = analysed["result"]["creator"]["author_name"]
    found = run("library", "--creator", links["dy_3"].url, "--kind", "video", "--fields", "key,title,author_name")
    assert found.document["result"]["count"] > 0
    assert {item["author_name"] for item in found.document["result"]["items"]} == {name}
    key = keys(found)[0]
    run("purge", key, "--yes")
    assert key not in keys(run("library", "--creator", name))
