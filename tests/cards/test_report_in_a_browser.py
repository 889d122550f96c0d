"""The report as a reader has it: in a real Chromium, light and dark, on a desk and on a telephone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tikomni.cards.report import CHARTS, ReportData
from tikomni.install.managed import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
MANDATORY = os.environ.get("CI") == "true"
SIZES = pytest.mark.parametrize("width", [1280, 390])
# What is wide is shown in light, what is narrow in dark; the usual report in all four ways.
WAYS = [("60", 1280, True), ("60", 390, False)]
WAYS += [(kind, *way) for kind in ("3", "60", "english", "hostile", "bare") for way in ((1280, False), (390, True))]
HOSTILE = (
    "</script><script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "<svg/onload=window.hacked=1>&lt;b&gt; {{7*7}} ${window.hacked=1}",
    "\u202egnp.exe\u202c\u200b\u2066 \ufeff",
    "W" * 10_000,
    "很长" * 5_000,
    "👩‍👩‍👧 🏳️‍🌈",
)

Opened = Callable[..., Any]


@pytest.fixture(scope="session")
def browser(browsers: ModuleType) -> Iterator[Any]:
    program = browsers.find()
    missing = [
        what
        for what, there in (
            ("a Chromium", program),
            ("the chart script (npm run build)", CHARTS.is_file()),
            ("axe-core (npm run build)", AXE.is_file()),
        )
        if not there
    ]
    if missing:
        (pytest.fail if MANDATORY else pytest.skip)(f"needs {', '.join(missing)}")
    with ExitStack() as stack:
        opened = browsers.Browser(program)
        stack.callback(opened.close)
        yield opened


@pytest.fixture(scope="session")
def pages(made_up: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("reports")

    def path(kind: str) -> Path:
        file = folder / f"{kind}.html"
        if file.exists():
            return file
        data = _data(made_up, kind)
        says = {"says": HOSTILE} if kind == "hostile" else {}
        stale = {"words_hash": "c"} if kind == "english" else {}
        written = kind in ("60", "english", "hostile")
        waiting = () if written else ("tasks/douyin-1/creator.author_analysis",)
        return made_up.write(file, data, made_up.analyses(data, **says, **stale) if written else (), waiting)

    return path


@pytest.fixture
def opened(browser: Any, browsers: ModuleType, pages: Callable[[str], Path]) -> Iterator[Opened]:
    with ExitStack() as stack:

        def open_page(kind: str, width: int = 1280, dark: bool = False) -> Any:
            page = browsers.Page(browser, pages(kind), width, dark)
            stack.callback(page.close)
            return page

        yield open_page


def _data(made_up: ModuleType, kind: str) -> ReportData:
    works = made_up.works(int(kind) if kind.isdecimal() else 40)
    if kind == "hostile":
        works = [
            replace(w, title=text, caption_raw=text, topics=(text[:80],)).with_words(
                w.transcript and replace(w.transcript, clean=text), "no_speech"
            )
            for w, text in ((w, HOSTILE[i % len(HOSTILE)]) for i, w in enumerate(works))
        ]
        return made_up.data(works, author_name=HOSTILE[4], signature="\n".join(HOSTILE), verified_reason=HOSTILE[0])
    if kind == "bare":
        gone = {"digg_count": None, "comment_count": None, "collect_count": None, "share_count": None}
        works = [replace(w, **gone, published_at=None, duration_ms=None, title=None, caption_raw=None) for w in works]
        return made_up.data(works, covers=False, fans_count=None, signature=None, author_handle=None)
    earlier = [replace(w, digg_count=w.digg_count // 2) for w in works[:-2]]
    return made_up.data(works, "en" if kind == "english" else "zh", before=earlier)


@pytest.mark.parametrize(("kind", "width", "dark"), WAYS)
def test_it_opens_quietly_fits_and_can_be_read_by_everybody(opened: Opened, kind: str, width: int, dark: bool) -> None:
    page = opened(kind, width, dark)
    assert page.run("document.documentElement.scrollWidth") == width
    assert len(page.requested) == 1 and page.requested[0].startswith("file:")
    page.run("document.querySelectorAll('details').forEach((item, i) => { item.open = i < 9 })")
    assert page.run("document.documentElement.scrollWidth") == width
    page.run(AXE.read_text("utf-8") + "; 0")
    found = page.run(
        "axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 200)]))"
    )
    assert found == []
    assert page.complaints == []
    assert page.run("typeof window.hacked") == "undefined"
    shots = os.environ.get("TIKOMNI_TEST_SCREENSHOTS")
    if shots:
        page.screenshot(Path(shots) / f"{kind}-{width}-{'dark' if dark else 'light'}.png")


@SIZES
def test_a_thousand_works_are_usable(opened: Opened, width: int) -> None:
    page = opened("1000", width)
    assert page.run("document.documentElement.scrollWidth") == width
    assert page.run("document.querySelectorAll('.wall img').length") == 200
    assert _shown(page) == 50
    page.run("document.getElementById('works-more').click()")
    assert _shown(page) == 1000 and page.run("document.getElementById('works-more').hidden")
    _sort(page, "点赞")
    assert _column(page, "点赞") == sorted(_column(page, "点赞"), reverse=True)
    assert page.complaints == []


def test_charts_are_drawn_where_the_data_carry_them(opened: Opened) -> None:
    page = opened("60")
    named = "[s.getAttribute('role'), s.getAttribute('aria-label')]"
    charts = page.run(f"[...document.querySelectorAll('.plot-area svg')].map(s => {named})")
    (role, timeline), (_, distribution) = charts
    assert role == "img" and timeline.startswith("60 个作品的互动量") and distribution.startswith("58 个成熟作品")
    dots = "document.querySelectorAll('.timeline svg circle').length"
    assert page.run(dots) == 60
    assert page.run("document.querySelectorAll('.distribution svg rect').length") >= 5
    few = opened("3")
    assert few.run("document.querySelectorAll('.plot-area').length") == 0


def test_on_a_telephone_what_counts_is_seen_without_scrolling(opened: Opened) -> None:
    page = opened("english", 390)
    assert page.run("document.querySelector('#works-table th[aria-sort]').getBoundingClientRect().right") <= 390
    assert page.run("document.querySelector('.hits').getBoundingClientRect().right") <= 390
    months = "[...document.querySelectorAll('.timeline svg text')].filter(t => /[A-Z][a-z]{2} /.test(t.textContent))"
    assert page.run(f"{months}.length") >= 2
    median = page.run("document.querySelector('.figures .value').textContent")
    marks = "[...document.querySelectorAll('.distribution svg text')].map(t => t.textContent).join(' ')"
    assert median in page.run(marks)


def test_the_table_sorts_by_keyboard_and_says_so(opened: Opened) -> None:
    page = opened("60")
    assert _sorted_by(page) == [["互动量", "descending"]]
    page.run("[...document.querySelectorAll('#works-table th button')].find(b => b.textContent === '点赞').focus()")
    page.press("Enter", 13, "\r")
    assert _sorted_by(page) == [["点赞", "descending"]]
    likes = _column(page, "点赞")
    assert likes == sorted(likes, reverse=True)
    page.press(" ", 32, " ")
    assert _sorted_by(page) == [["点赞", "ascending"]]
    assert _column(page, "点赞") == sorted(_column(page, "点赞"))
    _sort(page, "时长")
    _sort(page, "时长")
    lengths = _column(page, "时长")
    known = [n for n in lengths if n is not None]
    assert known == sorted(known) and lengths[len(known) :] == [None] * (len(lengths) - len(known))


def test_the_table_filters_and_tells_how_many(opened: Opened) -> None:
    page = opened("60")
    said = "document.querySelector('#filters output').textContent"
    assert page.run(said) == "显示 50 / 60 个作品"
    page.run("document.querySelector('#filters [name=bucket]').focus()")
    for character in "Bottom":
        page.press(character, ord(character.upper()), character)
    page.run("document.querySelector('#filters [name=bucket]').dispatchEvent(new Event('input', {bubbles: true}))")
    assert set(_texts(page, "分档")) == {"Bottom"}
    assert page.run(said) == f"显示 {_shown(page)} / 60 个作品"
    page.run("document.querySelector('#filters [name=find]').focus()")
    page.ask("Input.insertText", text="没有这样的作品")
    assert _shown(page) == 0 and page.run(said) == "没有符合条件的作品。"


def test_covers_and_transcripts_unfold_by_keyboard(opened: Opened) -> None:
    page = opened("60")
    covers = "[...document.querySelectorAll('.wall li')].filter(li => li.offsetParent).length"
    assert page.run(covers) == 24
    page.run("document.getElementById('wall-more').focus()")
    page.press("Enter", 13, "\r")
    assert page.run(covers) == 60
    assert page.run("document.activeElement === document.querySelectorAll('.wall li a')[24]")
    page.run("document.querySelector('details summary').focus()")
    page.press("Enter", 13, "\r")
    assert page.run(
        "document.querySelector('details').open && document.querySelector('.words p').offsetParent !== null"
    )


def test_chinese_is_rendered_as_characters_and_not_as_boxes(opened: Opened) -> None:
    page = opened("60")
    drawn = page.run(
        """(() => {
            const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
            return ['田', '巷', '\\u{10ffff}'].map(character => {
                canvas.width = 40;
                pen.font = '20px ' + getComputedStyle(document.body).fontFamily;
                pen.fillText(character, 5, 25);
                return canvas.toDataURL();
            });
        })()"""
    )
    assert len(set(drawn)) == 3


def _shown(page: Any) -> int:
    return page.run("[...document.querySelectorAll('#works-table tbody tr')].filter(row => !row.hidden).length")


def _sorted_by(page: Any) -> list[list[str]]:
    return page.run(
        "[...document.querySelectorAll('#works-table [aria-sort]')].map(th => [th.textContent, th.ariaSort])"
    )


def _sort(page: Any, header: str) -> None:
    page.run(
        f"[...document.querySelectorAll('#works-table th button')].find(b => b.textContent === '{header}').click()"
    )


def _cells(page: Any, header: str, what: str) -> list[Any]:
    return page.run(
        "(() => { const table = document.getElementById('works-table');"
        f" const at = [...table.tHead.rows[0].cells].findIndex(th => th.textContent === '{header}');"
        f" return [...table.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[at].{what}) }})()"
    )


def _column(page: Any, header: str) -> list[int | None]:
    return [int(value) if value else None for value in _cells(page, header, "dataset.v")]


def _texts(page: Any, header: str) -> list[str]:
    return _cells(page, header, "textContent")


def test_a_footnote_unfolds_the_sentence_that_it_leads_to(opened: Opened) -> None:
    page = opened("60")
    for nth in (0, 5):
        page.run(f"document.querySelectorAll('.analysis sup a')[{nth}].click()")
        page.run("new Promise(done => setTimeout(done, 50))")
        said = page.run("document.querySelector(':target').textContent")
        assert said in page.run(f"document.querySelectorAll('.analysis sup a')[{nth}].title")
        assert page.run("document.querySelector(':target').checkVisibility()")
        top = page.run("document.querySelector(':target').getBoundingClientRect().top")
        assert 0 <= top < 900
