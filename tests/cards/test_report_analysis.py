"""What a model wrote stands in the report as its opinion: held to sentences, marked when old, and without any power."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from types import ModuleType

import pytest

from tikomni.cards.report import ReportData, chunks
from tikomni.cards.report_analysis import put

HOSTILE = (
    "</section><script>hacked=1</script>",
    '"><img src=x onerror=hacked=1>',
    "<!-- /tikomni:analysis -->",
    "`x` {{7}}",
)


@pytest.fixture(scope="module")
def forty(made_up: ModuleType) -> ReportData:
    return made_up.data(40)


def render(data: ReportData) -> str:
    return "".join(chunks(data))


def section(page: str) -> str:
    return page.split("<!-- tikomni:analysis -->")[1].split("<!-- /tikomni:analysis -->")[0]


def test_each_footnote_leads_to_its_sentence(forty: ReportData, made_up: ModuleType) -> None:
    accepted = made_up.analyses(forty)
    page = put(render(forty), accepted, (), "zh")
    there = dict(re.findall(r'<span id="(w\d+\.\w+)">([^<]*)</span>', page))
    found = re.findall(r'<sup><a href="#([^"]+)" title="“([^"]*)”">(\d+)</a></sup>', section(page))
    assert found and all(unescape(there[anchor]) == unescape(said) for anchor, said, _ in found)
    named = r'<span class="note">W\d+\.\w+</span>'
    listed = re.findall(rf'<li id="([cd]\d+)">{named} “([^<]*)” — <a href="#([^"]+)">', section(page))
    assert {(anchor, said) for _, said, anchor in listed} == {(anchor, said) for anchor, said, _ in found}


def test_who_wrote_it_on_what_is_told_and_verdicts_are_counted(forty: ReportData, made_up: ModuleType) -> None:
    made = section(put(render(forty), made_up.analyses(forty, ["某模型说"]), (), "zh"))
    assert made.count("模型 某模型说") == 2 and "creator.author_analysis 第 1 版" in made and "a" * 16 in made
    assert "可信度高" in made and "有效 " in made and "已过时" not in made


@pytest.mark.parametrize(("changed", "told"), [("words_hash", "文字有了变化"), ("input_hash", "数字有了变化")])
def test_what_rests_on_other_facts_is_marked(forty: ReportData, made_up: ModuleType, changed: str, told: str) -> None:
    made = section(put(render(forty), made_up.analyses(forty, **{changed: "c"}), (), "zh"))
    assert made.count(told) == 2 and made.count('class="stale"') == 2


def test_where_nobody_wrote_one_it_says_how(forty: ReportData) -> None:
    made = section(put(render(forty), (), ("tasks/douyin-1/creator.author_analysis",), "zh"))
    assert "还没有人写过分析" in made and "<code>npx tikomni-skills card write --task tasks/douyin-1/" in made


def test_what_a_model_writes_is_text(forty: ReportData, made_up: ModuleType) -> None:
    page = put(render(forty), made_up.analyses(forty, HOSTILE), HOSTILE[:1], "zh")
    honest = put(render(forty), made_up.analyses(forty), ("x",), "zh")
    tags = re.compile(r"<(/?[a-z0-9]+)")
    assert set(tags.findall(page)) == set(tags.findall(honest))
    assert page.count("<script") == honest.count("<script") and page.count("<!--") == honest.count("<!--")
    assert put(page, made_up.analyses(forty), ("x",), "zh") == honest  # nothing of it is left


def test_a_sentence_that_has_changed_is_quoted_and_not_led_to(forty: ReportData, made_up: ModuleType) -> None:
    accepted = made_up.analyses(forty)
    told = {name: f"从前的话 {name}" for name in accepted[0].data["sentences"]}
    old = [replace(one, data={**one.data, "sentences": told}) for one in accepted]
    made = section(put(render(forty), old, (), "zh"))
    hrefs = re.findall(r'<sup><a href="#([^"]+)"', made)
    assert hrefs and all(re.fullmatch(r"[cd]\d+", href) and f'<li id="{href}">' in made for href in hrefs)
    assert "从前的话 W01." in made


def test_written_works_of_the_sample_can_be_led_to_as_well(forty: ReportData) -> None:
    page = render(forty)
    for row in forty.works:
        written = row.sampled and row.work.primary_text and not row.work.transcript
        assert (f'data-key="{row.work.key}"' in page) == bool(row.work.transcript or written)


def test_sentences_keep_the_paragraphs_of_the_text(forty: ReportData) -> None:
    page = render(forty)
    row = next(row for row in forty.works if row.sampled and row.work.transcript)
    folded = page.split(f'data-key="{row.work.key}"')[1].split("</details>")[0]
    words = [re.sub("<[^>]*>", "", part) for part in re.findall(r"<p>(.*?)</p>", folded)]
    assert words == (row.work.primary_text or "").split("\n\n")
