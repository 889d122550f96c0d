"""What a search, a topic or a chart brought, as a page and as Markdown: whole, true, and nothing alive in it."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from types import ModuleType

import pytest

from tikomni.cards.collection import CollectionData, Hit, render, render_markdown
from tikomni.cards.tables import columns

EVIL = '</script><script>window.hacked=1</script> | [x](javascript:1) \n# "><img src=x onerror=1> =1+1'


@pytest.fixture
def data(made_up: ModuleType) -> CollectionData:
    works = [replace(work, author_name=f"作者{n}") for n, work in enumerate(made_up.works(4))]
    return CollectionData(
        platform="douyin",
        what="search",
        text="小板凳",
        works=[Hit(work, rank, 1000 * rank) for rank, work in enumerate(works, 1)],
        choices={"since": "2026-11-01", "kind": "video", "min_likes": 1000, "max_fans": 50_000},
        sort="likes_per_fan",
        sorted_here=True,
        left_out={"ad": 2, "many_fans": 1},
        generated_at=made_up.NOW,
        zone=made_up.ZONE,
        language="zh",
    )


def table(text: str) -> list[list[str]]:
    """The cells of a Markdown table."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_page_and_the_note_have_every_hit_in_their_order(data: CollectionData) -> None:
    page, rows = render(data), table(render_markdown(data))
    assert [row[0] for row in rows[2:]] == ["1", "2", "3", "4"]
    assert page.count("<tr data-find=") == 4
    for hit, row in zip(data.works, rows[2:], strict=True):
        assert hit.work.author_name in row and f"{hit.fans_count:,}" in row
        assert unescape(page).count(hit.work.author_name or "") >= 1
    assert "https://" not in re.sub(r'href="[^"]*"', "", page), "it loads nothing"


def test_what_was_asked_for_and_left_out_is_said(data: CollectionData) -> None:
    for text in (render(data), render_markdown(data)):
        for said in ("小板凳", "抖音", "每粉丝点赞", "1,000", "50,000", "视频", "广告 2", "作者粉丝过多 1"):
            assert said in text, said
    english = render_markdown(replace(data, language="en"))
    assert "Likes per fan" in english and "advertisements 2" in english and "小板凳" in english


def test_likes_per_fan_are_unknown_where_one_of_both_is(data: CollectionData) -> None:
    hit = data.works[0]
    assert hit.likes_per_fan == round((hit.work.digg_count or 0) / 1000, 4)
    assert replace(hit, fans_count=None).likes_per_fan is None
    assert replace(hit, fans_count=0).likes_per_fan is None
    assert replace(hit, work=replace(hit.work, digg_count=None)).likes_per_fan is None


def test_words_of_strangers_do_nothing(data: CollectionData) -> None:
    hit = data.works[0]
    work = replace(hit.work, title=EVIL, author_name=EVIL, topics=(EVIL,), source_url="javascript:1", open_url=None)
    evil = replace(data, text=EVIL, works=[replace(hit, work=work)])
    page, note = render(evil), render_markdown(evil)
    assert page.count("<script>") == 1 and "<img src=x" not in page and 'href="javascript' not in page
    rows = table(note)
    assert len(rows) == 3 and {len(row) for row in rows} == {len(rows[0])}
    assert sum(line.startswith("# ") for line in note.splitlines()) == 1 and "](javascript" not in note
    assert rows[2][-1] == "—", "no link to anything but a page"


def test_nothing_found_is_said_and_runs_no_script(data: CollectionData) -> None:
    empty = replace(data, works=[], left_out={})
    assert "没有符合条件的作品" in render(empty) and "<script>" not in render(empty)
    assert "没有符合条件的作品" in render_markdown(empty) and not table(render_markdown(empty))


def test_what_nobody_tells_has_no_column(data: CollectionData) -> None:
    bare = [replace(h, fans_count=None, work=replace(h.work, comment_count=None, share_count=None)) for h in data.works]
    heads = table(render_markdown(replace(data, works=bare)))[0]
    assert not {"评论", "分享", "粉丝"} & set(heads) and "点赞" in heads


def test_its_tables_have_ranks_and_fans_and_nothing_of_one_account_s_median() -> None:
    names = [column.name for column in columns("zh", "collection")]
    assert {"rank", "fans_count", "likes_per_fan"} <= set(names)
    assert not {"bucket", "multiple", "sampled", "pinned"} & set(names)
    assert not {"fans_count", "likes_per_fan"} & {column.name for column in columns("zh")}
