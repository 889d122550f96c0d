"""Strangers' texts read as they were written, and do nothing."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni.cards.markdown import cell, inline, one_line, quote, url, wikilink
from tikomni.storage.names import printable

markdown_it = pytest.importorskip("markdown_it")
HOSTILE = st.text(st.sampled_from("ab 1字\n\\`*_{}[]()<>#+-.!|~=:$%&;^/\"'\t\u200b\u202e\ufeff猫"), max_size=60)


def html_of(markdown: str) -> str:
    return markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)


def shown(markdown: str) -> str:
    """What a reader sees of a rendered text: no element but paragraphs, quotes, lists and line breaks."""
    rendered = html_of(markdown)
    assert not re.search(r"<(?!/?(?:p|blockquote|ol|ul|li|h1|br)\b)", rendered), rendered
    return html.unescape(re.sub(r"<[^>]+>", "", rendered))


@given(HOSTILE)
def test_a_line_is_shown_as_it_was_written(text: str) -> None:
    line = one_line("x" + text)
    assert shown(f"# {inline('x' + text)}").strip() == line


@given(HOSTILE)
def test_a_quotation_cannot_be_left_and_runs_nothing(text: str) -> None:
    quoted = quote("x" + text)
    assert all(line.startswith(">") for line in quoted.split("\n"))
    rendered = html_of(f"{quoted}\n\nafter\n")
    assert rendered.count("<blockquote>") == 1 and rendered.endswith("</blockquote>\n<p>after</p>\n")
    letters = re.findall(r"[ab字猫]", printable(text))
    assert re.findall(r"[ab字猫]", shown(quoted)) == letters


@given(HOSTILE)
def test_nothing_that_obsidian_acts_upon_is_left(text: str) -> None:
    for plain in (inline(text), cell(text), quote_lines := re.sub(r"(?m)^> ?", "", quote(text))):
        for pair in ("[[", "%%", "<!", "<%", "::", "==", "~~", "[^", "^[", "[!", "](", "]["):
            assert pair not in plain
        assert not re.search(r"(?<!\\)`|(?<!\\)\$", plain)
        assert not re.search(r"(?:^|\s)#\w", plain)
    assert not re.search(r"(?m)^(?:---|===|```|~~~|>|#)", quote_lines)
    assert "|" not in re.sub(r"\\.", "", cell(text))


@pytest.mark.parametrize(
    "text",
    [
        "今天去了1<2的地方，花了3 > 2小时！", "a & b", "C#入门", "snake_case_name", "1. 第一步", "- 一项",
        "（好）[doge]", "50% off", "8:30",
    ],
)  # fmt: skip
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert inline(text) == text and quote(text) == f"> {text}"


def test_paragraphs_and_lines_of_a_quotation_are_kept() -> None:
    assert quote("一\r\n二\n\n\n\n三\n") == "> 一\n> 二\n>\n> 三"
    assert quote("") == quote("\u200b\n ") == ""


def test_a_long_line_is_clipped() -> None:
    assert one_line("字" * 300, 200) == "字" * 199 + "…"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.b/c?d=e&f=%20#g", "https://a.b/c?d=e&f=%20#g"),
        ("https://a.b/(x)[y]<z>|\"'`", "https://a.b/%28x%29%5By%5D%3Cz%3E%7C%22'%60"),
        ("https://a.b/ x\ny", "https://a.b/%20x%0Ay"),
        ("https://a.b/中%%", "https://a.b/%E4%B8%AD%25%25"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("obsidian://open", None),
        ("//a.b/c", None),
        ("", None),
        (None, None),
    ],
)
def test_links(address: str | None, expected: str | None) -> None:
    assert url(address) == expected


@given(st.text())
def test_no_alias_ends_a_wikilink_or_acts_in_it(alias: str) -> None:
    link = wikilink("作品卡/一张.md", alias)
    shown = re.fullmatch(r"\[\[作品卡/一张\|([^\[\]|\n<>`*$\\#^]*)\]\]", link)
    assert shown and not re.search("%%|~~|==|::", shown[1])


def test_an_ordinary_alias_stays_as_it_is() -> None:
    assert wikilink("a/b.md", "100% 对：A & B_c") == "[[a/b|100% 对：A & B_c]]"
    assert wikilink("a/b.md", "[甲] | 乙") == "[[a/b|［甲］ ｜ 乙]]"


@pytest.mark.parametrize("folder", ["收藏 #1", "a|b", "x ^y", "[z]", "50%%"])
def test_a_path_that_no_wikilink_holds_becomes_a_markdown_link(folder: str) -> None:
    link = wikilink(f"{folder}/b.md", "标题 [x](y)")
    shown = re.fullmatch(r"\[标题 .*\]\(([^\s()|#^\[\]<>]+)\)", link)
    assert shown and unquote(shown[1]) == f"{folder}/b.md" and "](y)" not in link.removesuffix(f"]({shown[1]})")
