"""A card reads well, holds the facts as properties, and never costs the user a word."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tikomni.cards import assets, document, front_matter, kept
from tikomni.cards.kept import MARKER
from tikomni.cards.labels import labels
from tikomni.cards.render import render_work
from tikomni.facts import Work
from tikomni.settings import Settings
from tikomni.storage.tree import Tree

BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(12))


def render(settings: Settings, work: Work, pictures: tuple[assets.Asset, ...] = ()) -> Path:
    warnings: list[str] = []
    path = render_work(settings, work, pictures, warnings)
    assert warnings == []
    return path


def split(path: Path) -> tuple[str, dict[str, Any], str]:
    """Front matter as text and as Obsidian's parser reads it, and the body."""
    found = re.match(r"---\n(.*?)\n---\n(.*)", path.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1], yaml.load(found[1], Loader=yaml.BaseLoader), found[2]


def test_front_matter(settings: Settings, video: Work) -> None:
    cover = assets.Asset("https://x", "_assets/douyin/7555500011122233344/cover.jpg")
    text, front, _ = split(render(settings, video, (cover,)))
    assert 'platform_work_id: "7555500011122233344"' in text
    assert 'platform_author_id: "MS4wLjABAAAAQxTZ"' in text
    assert 'cover: "[[_assets/douyin/7555500011122233344/cover.jpg]]"' in text
    assert "published_date: 2025-10-31\n" in text and "published_at: 2025-10-30T23:20:03+00:00\n" in text
    assert "tags:\n  - 'tikomni/work'\n" in text and "topics:\n  - '家有猫'\n  - '猫咪'\n" in text
    assert "title: '猫咪半夜跑酷其实是在巡视家'" in text, "emoji and Chinese stay readable"
    typed = yaml.safe_load(text)
    assert typed["author_handle"] == "0040000000001" and typed["digg_count"] == 60150
    assert typed["comment_count"] == 0 and typed["duration_ms"] == 83210
    assert "play_count:\n" in text and typed["play_count"] is None
    assert typed["collect_count_approximate"] == "rounded" and typed["share_count_approximate"] == "at_least"
    assert front["type"] == "work" and front["primary_text_source"] == "transcript_clean"
    assert set(front) <= front_matter.NAMES
    assert all(not isinstance(value, dict) for value in front.values()), "flat"


def test_unknown_counts_are_empty_never_zero(settings: Settings) -> None:
    path = render(settings, Work(platform="weibo", platform_work_id="1"))
    text, front, body = split(path)
    for name in front_matter.COUNTS:
        assert f"{name}:\n" in text + "\n" and front[name] == ""
    assert "| — | — | — | — | — |" in body and not re.search(r"\|\s*0\s*\|", body)


def test_no_property_is_longer_than_200_characters(settings: Settings, video: Work) -> None:
    long = "https://example.com/" + "x" * 200
    work = replace(
        video, title="长" * 500, author_name="[[" * 300, topics=("题" * 300,), open_url=long, source_url=long
    )
    _, front, body = split(render(settings, work))
    flat = [v for value in front.values() for v in (value if isinstance(value, list) else [value])]
    assert all(len(value) <= 200 for value in flat)
    assert front["title"].endswith("…") and "open_url" not in front and "source_url" not in front
    assert f"]({long})" in body, "the body still links to it"
    assert front["platform_work_id"] == work.platform_work_id


@pytest.mark.parametrize(
    "text",
    [
        "---", "- a", "a: b", "'quoted'", '"', "\\", "#tag", "yes", "null", "~", "1e3", "0x1f", "12:30", "!!python/x",
        "&a [*a]", "{{ 7*7 }}", "{% x %}", "[[link]]", "a\nb: c", "---\nevil: 1\n---", "%YAML 1.1", "\u2028x: y",
        MARKER, f"\n{MARKER}\n", "``` \n```", "| a |", "]]", "\ud800", "@x", "`x`", "👩\u200d🚀", "\u202eabc",
        "\x1b[31m", "\x85",
    ],
)  # fmt: skip
def test_strangers_texts_forge_nothing(settings: Settings, note: Work, text: str) -> None:
    work = replace(note, title=text, author_name=text, author_handle=text, caption_raw=text, topics=(text,))
    for path in (render(settings, work.with_words(None, None)), render(settings, work.with_words(None, None))):
        matter, front, body = split(path)
        assert set(front) <= front_matter.NAMES and front["type"] == "work"
        assert front["platform_work_id"] == note.platform_work_id
        assert yaml.safe_load(matter)["title"] is None or isinstance(yaml.safe_load(matter)["title"], str)
        whole = path.read_text("utf-8")
        assert whole.count(MARKER) == 1 and whole.endswith(f"\n{MARKER}\n## 我的笔记\n\n")
        assert not re.search("[\u2028\u202e\x1b\x85]", whole)
        headings = re.findall(r"(?m)^#{1,6} .*", body)
        ours = ["## 图片", "## 分析", "## 正文", "## 来源", "## 我的笔记"]
        assert headings[1:] == ours or not text.strip()


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_makes_a_card_that_reads_back(settings: Settings, note: Work, text: str) -> None:
    work = replace(note, title=text, author_name=text, caption_raw=text, topics=(text,)).with_words(None, None)
    path = render(settings, work)
    _, front, body = split(path)
    assert front["platform_work_id"] == note.platform_work_id and body.count(MARKER) == 1
    assert render(settings, work) == path


def test_the_body(settings: Settings, video: Work) -> None:
    cover = assets.Asset("https://x", "_assets/douyin/7555500011122233344/cover.jpg")
    body = split(render(settings, video, (cover,)))[2]
    assert body.startswith("\n# 猫咪半夜跑酷其实是在巡视家\n\n![[_assets/douyin/7555500011122233344/cover.jpg]]\n")
    assert "- 作者：猫事研究社🐱（0040000000001）\n- 发布：2025-10-31 07:20 Asia/Shanghai\n" in body
    assert "1:23" in body and "[打开原作](https://www.douyin.com/video/7555500011122233344)" in body
    assert "| 60,150 | 0 | ≈44,000 | 100,000+ | — |" in body
    assert "## 文字稿\n\n> 其实是在巡视家，别拦着它一会儿就睡。\n>\n> 把用过的猫砂撒在门口。\n" in body
    assert "## 文案\n\n> 猫咪半夜跑酷其实是在巡视家 \\#家有猫 \\#猫咪\n" in body
    assert "## 缺失\n\n- 播放：平台不公布\n" in body
    assert "- app.v3.fetch_one_video：文案、点赞\n- 由文案得出：标题\n- 文字稿：语音识别（task-1、语言 zh）\n" in body
    assert "别拦着它一会儿就睡\n" not in body, "the raw transcript stays in the work document"


def test_a_picture_post(settings: Settings, note: Work) -> None:
    async def fetch(url: str, referer: str | None) -> bytes:
        return b"\xff\xd8\xff"

    got, _ = asyncio.run(assets.store(settings, note, assets.plan(note, 2), fetch))
    _, front, body = split(render(settings, note, got))
    folder = "_assets/xiaohongshu/66f0a1b2000000001e03c5d7"
    assert front["cover"] == f"[[{folder}/01.jpg]]"
    assert f"原作共 3 张，已保存 2 张。\n\n![[{folder}/01.jpg]]\n\n![[{folder}/02.jpg]]\n" in body
    assert "## 正文\n\n> 第一段。\n>\n> 第二段 \\#露营[话题]\\#\n" in body and "## 文案" not in body
    assert "xsec_token=AB-c_=" in front["open_url"]


def test_a_work_without_words_says_why(settings: Settings, video: Work) -> None:
    work = replace(video, caption_raw="只有一半", partial={"caption_raw": "odd_code"}).with_words(None, "asr_failed")
    _, front, body = split(render(settings, work))
    assert front["analysis_eligibility"] == "incomplete" and front["primary_text_source"] == ""
    assert "没有可用的正文：语音识别失败。" in body and "（平台只给出了一部分：odd code）" in body
    assert "- 文字稿：语音识别失败\n" in body and "- 文案：不完整，odd code\n" in body


def test_languages(settings: Settings, video: Work) -> None:
    assert "## My notes" in split(render(settings, replace(video, platform="tiktok")))[2]
    english = split(render(replace(settings, language="en"), replace(video, platform_work_id="2")))[2]
    assert "## Transcript" in english and "- Author: 猫事研究社🐱 (0040000000001)\n" in english
    assert not re.search("点赞|文字稿|来源", english)


def test_tags_and_zone_are_settings(settings: Settings, video: Work) -> None:
    other = replace(settings, card_tags="对标/作品, #ref two,,", display_zone="America/New_York")
    _, front, body = split(render(other, video))
    assert front["tags"] == ["对标/作品", "ref-two"] and "2025-10-30 19:20 America/New_York" in body


def test_the_same_inputs_give_the_same_bytes_and_no_write(settings: Settings, video: Work) -> None:
    path = render(settings, video)
    before, stamp = path.read_bytes(), path.stat().st_mtime_ns
    assert render(settings, video) == path and path.stat().st_mtime_ns == stamp
    path.unlink()
    assert render(settings, video).read_bytes() == before


def test_a_card_can_be_made_again_from_the_stored_document(settings: Settings, note: Work) -> None:
    first = render(settings, note).read_bytes()
    stored = document.write_document(Tree(settings), note, datetime(2025, 11, 22, tzinfo=UTC))
    again = Work.from_dict(json.loads(stored.read_text("utf-8")))
    assert render(settings, again, assets.stored(settings, assets.plan(again, 9))).read_bytes() == first


WORDS = f"\r\n## 我的笔记\n我的想法 [[别的笔记]]\n\n{MARKER}\n这个标记也是我的".encode() + b"\xff\x00 \n\n"


def test_the_users_words_are_kept_byte_for_byte(settings: Settings, video: Work) -> None:
    path = render(settings, video)
    path.write_bytes(path.read_bytes().split(MARKER.encode())[0] + MARKER.encode() + WORDS)
    for digg in (1, 2):
        render(settings, replace(video, digg_count=digg, title=f"标题 {digg}"))
        assert path.read_bytes().split(MARKER.encode(), 1)[1] == WORDS
        assert f"| {digg} | 0 |".encode() in path.read_bytes()


def test_the_users_properties_and_tags_are_kept(settings: Settings, video: Work) -> None:
    path = render(settings, video)
    own = 'rating: 12:30 # mine\naliases:\n- 别名\n"odd key": >\n  two\n  lines\n'
    text = path.read_text("utf-8").replace("schema_version: 1\n", f"schema_version: 1\n{own}")
    text = text.replace("  - 'tikomni/work'\n", "  - 'tikomni/work'\n  - 收藏\n")
    text = text.replace("digg_count: 60150", "digg_count: 5")
    path.write_text(text, "utf-8")
    render(settings, replace(video, approximate={}))
    matter, front, _ = split(path)
    assert matter.endswith("schema_version: 1\n" + own.rstrip("\n")), "kept as spelled, at the end"
    assert front["tags"] == ["tikomni/work", "收藏"] and front["digg_count"] == "60150"
    assert "collect_count_approximate" not in front, "a property of ours that no longer holds goes"
    assert render(settings, replace(video, approximate={})) == path


def test_a_card_of_an_editor_with_other_line_ends(settings: Settings, video: Work) -> None:
    path = render(settings, video)
    data = b"\xef\xbb\xbf" + path.read_bytes().replace(b"schema_version", b"mine: 1\nschema_version")
    path.write_bytes((data + "我的话\n".encode()).replace(b"\n", b"\r\n"))
    render(settings, video)
    assert path.read_bytes().endswith("## 我的笔记\r\n\r\n我的话\r\n".encode())
    assert split(path)[1]["mine"] == "1"


def test_without_the_marked_line_its_heading_shows_the_place(settings: Settings, video: Work) -> None:
    path = render(settings, video)
    path.write_bytes(path.read_bytes().replace(MARKER.encode() + b"\n", b"") + "我的话\n".encode())
    render(settings, replace(video, digg_count=1))
    assert path.read_text("utf-8").endswith(f"{MARKER}\n## 我的笔记\n\n我的话\n")
    assert path.read_text("utf-8").count("## 我的笔记") == 1


def test_without_any_sign_all_of_the_old_body_is_kept(settings: Settings, video: Work) -> None:
    path = render(settings, video)
    front = path.read_text("utf-8").split("\n---\n")[0] + "\n---\n"
    path.write_text(front + "我重写了整张卡片\n", "utf-8")
    warnings: list[str] = []
    render_work(settings, video, (), warnings)
    assert path.read_text("utf-8").endswith(f"{MARKER}\n## 我的笔记\n\n\n我重写了整张卡片\n")
    assert len(warnings) == 1 and str(path) in warnings[0]
    before = path.read_bytes()
    assert render(settings, video).read_bytes() == before, "once, not once more on every run"


FRONTS = [
    "a: 1\nb:\n  - x\n  - 'y: z'\n", 'a: "猫🐱\\u00e9"\nb: | # c\n  two\n\n  lines\nc: 12:30\n',
    "a: &x [1, {b: 2}]\nb: *x\n", "? a\n: 1\n'b b': >-\n  t\n", "a: 1\na: 2\n", "a: [\n", "- a\n", "\ta: 1\n",
    "a: 1\n  b: 2\n", "a:\tb\n", "# only\na:\n", "a: 'x\n\n  y'\nb: ''\n", "a: \u2028b\n", "!!str a: 1\n", "a: @b\n",
]  # fmt: skip


@pytest.mark.parametrize("front", FRONTS)
def test_a_short_front_matter_is_read_as_a_long_one(front: str) -> None:
    short = kept.read(f"---\n{front}---\n".encode())
    more = "".join(f"k{n}: 1\n" for n in range(300))
    long = kept.read(f"---\n{front}{more}---\n".encode())
    assert (short is None) == (long is None)
    assert short is None or short.entries == long.entries[: len(short.entries)]


def test_hostile_front_matter_costs_nothing(settings: Settings, video: Work) -> None:
    path = render(settings, video)
    text = path.read_text("utf-8").replace("schema_version: 1\n", "schema_version: 1\n" + BOMB)
    path.write_text(text, "utf-8")
    render(settings, replace(video, digg_count=1))
    assert BOMB in path.read_text("utf-8")
    deep = replace(video, platform_work_id="2")
    other = render(settings, deep)
    other.write_text(other.read_text("utf-8").replace("---\n", "---\nx: " + "[" * 5000 + "\n", 1), "utf-8")
    warnings: list[str] = []
    assert render_work(settings, deep, (), warnings) != other and len(warnings) == 1


def test_both_languages_have_the_same_labels() -> None:
    def names(node: Any) -> Any:
        return {k: names(v) for k, v in node.items() if k != "platforms"} if isinstance(node, dict) else None

    assert names(labels("zh")) == names(labels("en"))
    assert {f.name for f in fields(Work)} - set(labels("zh")["fields"]) == {
        "platform_native_ids", "approximate", "partial", "primary_text_source", "analysis_eligibility",
        "analysis_exclusion_reason", "field_sources", "missing",
    }  # fmt: skip
