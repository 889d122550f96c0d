"""One page that tells a creator's story, that strangers' words cannot change, and that never makes a number up."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tikomni.cards import report
from tikomni.cards.report import CHARTS, WALL, ReportData, chunks
from tikomni.facts import Work

HOSTILE = (
    "</script><script>hacked=1</script>",
    '"><img src=x onerror=hacked=1>',
    "'-->]]><svg/onload=hacked=1>",
    "{{ 7*7 }} {% raw %} ${hacked=1}",
    "\u202edevil\u202c \u200bze\u200dro\ufeff \u2066x\u2069 \x00\x07\ud83d",
    "line\u2028two\u2029three",
    "很长" * 5000,
    "👩‍👩‍👧 🏳️‍🌈 emoji",
)


def render(data: ReportData, charts: Path = CHARTS) -> str:
    return "".join(chunks(data, charts))


@dataclass
class Read:
    """What a browser would make of a page: elements, attributes and text."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    bodies: list[tuple[str, str]] = field(default_factory=list)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def inside(self, tag: str) -> list[str]:
        return [text for name, text in self.bodies if name == tag]

    @property
    def text(self) -> str:
        return " ".join(text for name, text in self.bodies if name not in ("script", "style"))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read, self._open = Read(), [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "br", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag  # every element is closed where it should be

    def handle_data(self, data: str) -> None:
        self.read.bodies.append((self._open[-1], data))


def read(page: str) -> Read:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.read


@pytest.fixture(scope="module")
def sixty(made_up: ModuleType) -> ReportData:
    return made_up.data(60, before=[replace(w, digg_count=w.digg_count // 2) for w in made_up.works(60)[:-2]])


# --- the page stands alone and lets nothing in


def test_only_the_pages_own_script_and_style_may_run(sixty: ReportData, tmp_path: Path) -> None:
    charts = tmp_path / "charts.js"
    charts.write_text("/* charts */", "utf-8")
    page = read(render(sixty, charts))
    (policy,) = [m["content"] or "" for m in page.of("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';") and "img-src data:" in policy and "unsafe" not in policy
    data, *scripts = page.inside("script")
    assert json.loads(data)["works"]
    for text in (*scripts, *page.inside("style")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert scripts[-1] == "/* charts */" and len(scripts) == 2


def test_nothing_is_fetched(sixty: ReportData) -> None:
    page = read(render(sixty))
    assert all((image["src"] or "").startswith("data:image/") for image in page.of("img"))
    assert not page.of("link") and not [tag for tag, attributes in page.tags if tag != "img" and "src" in attributes]


def test_what_strangers_write_is_text(made_up: ModuleType) -> None:
    works = [
        replace(work, title=text, caption_raw=text, topics=(text,), source_url="javascript:hacked=1", open_url=text)
        for work, text in zip(made_up.works(len(HOSTILE)), HOSTILE, strict=True)
    ]
    spoken = [w.with_words(w.transcript and replace(w.transcript, clean=w.title), "x<b>") for w in works]
    evil = HOSTILE[1]
    data = made_up.data(
        spoken, author_name=evil, signature=HOSTILE[0], author_handle=evil, ip_location=evil, verified_reason=evil,
        profile_url="data:text/html,hacked",
        change=lambda row: replace(row, card='../x" onclick="hacked=1/<b>.md'),
    )  # fmt: skip
    page_text = render(replace(data, method=[evil]))
    page, honest = read(page_text), read(render(made_up.data(60)))
    assert len(page.of("script")) == len(honest.of("script"))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in honest.tags} | {"br"}
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on") or a == "style"]
    assert not [a["href"] for a in page.of("a") if re.match(r"(?i)\s*(javascript|data):", a["href"] or "")]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u2028\u2029\x00-\x08\ud800-\udfff]", page_text)
    assert HOSTILE[1] in page.text and "{{ 7*7 }}" in page.text and "👩‍👩‍👧" in page.text
    points = json.loads(page.inside("script")[0])["works"]
    assert any("</script><script>" in point[2] for point in points)
    assert "很长" * 200 not in page_text.replace(
        "很长" * 5000, "", 1
    )  # whole where it was spoken, cut where it is listed


@pytest.mark.parametrize(("card", "href"), [("卡片/a #1?.md", "%E5%8D%A1%E7%89%87/a%20%231%3F.md"),
                                            ("javascript:hacked=1", "javascript%3Ahacked%3D1")])  # fmt: skip
def test_a_card_is_a_file_beside_the_report(made_up: ModuleType, card: str, href: str) -> None:
    page = render(made_up.data(1, change=lambda row: replace(row, card=card)))
    assert f'<a href="{href}">卡片</a>' in page


# --- with and without the chart script


def test_without_the_chart_script_the_page_is_whole(sixty: ReportData, tmp_path: Path) -> None:
    page = read(render(sixty, tmp_path / "none.js"))
    assert len(page.of("script")) == 2
    assert page.text.count("图表未能绘制") == 2
    assert len(page.of("tr")) > 60 and len(page.of("details")) > 20


def test_the_same_data_gives_the_same_page(sixty: ReportData) -> None:
    assert render(sixty) == render(sixty)


# --- numbers


def test_every_key_figure_says_what_it_rests_on(sixty: ReportData) -> None:
    cells = re.findall(
        r"<div><dt>(.*?)</dt><dd class=\"value\">(.*?)</dd>(.*?)</div>", _section(render(sixty), "figures")
    )
    assert len(cells) == 11
    for label, value, notes in cells:
        if value == "—":
            assert label == "互动率" and "没有播放或阅读数" in notes
        else:
            assert ("58 个作品" in notes and "2025-10-23 – 2026-03-14" in notes) or label == "赞粉比"


def test_unknown_is_never_zero(made_up: ModuleType) -> None:
    bare = [
        Work("xiaohongshu", f"66f0a1b2000000001e03c5{i:02}", title=f"没有数据 {i}", published_date="2026-01-02")
        for i in range(12)
    ]
    page = render(made_up.data(bare, covers=False, platform="xiaohongshu", fans_count=None, works_count=None))
    cells = re.findall(r'<td class="number" data-v="(.*?)">(.*?)</td>', page)
    assert cells and set(cells) == {("", "—")}
    values = re.findall(r'<dd class="value">(.*?)</dd>', _section(page, "figures"))
    assert set(values) == {"—"} and "赞藏粉比" in page and "粉丝数未知" in page
    assert 'data-chart="' not in page and "没有作品带有发布时刻" in page


def test_every_reason_is_a_sentence_in_the_readers_language(made_up: ModuleType) -> None:
    for language in ("zh", "en"):
        for n in (0, 1, 3):
            page = render(made_up.data(n, language, covers=False, fans_count=None))
            notes = re.findall(r'<dd class="note">(.*?)</dd>', page)
            assert notes and not [note for note in notes if "_" in note]
            assert language == "en" or all(re.search("[\u4e00-\u9fff]|^[-–\\d ]+$", note) for note in notes)


def test_rounded_and_least_counts_are_marked(made_up: ModuleType) -> None:
    works = [
        replace(w, approximate={"digg_count": "at_least", "share_count": "rounded"}, digg_count=50_000, share_count=300)
        for w in made_up.works(12)
    ]
    page = render(made_up.data(works))
    assert ">50,000+<" in page and ">≈300<" in page and "5万+ 赞" in page
    assert "≈314万" in page  # of the profile


def test_works_are_in_the_order_of_interactions_and_covers_in_that_of_likes(sixty: ReportData) -> None:
    page = render(sixty)
    likes = [row.work.digg_count for row in sixty.works]
    shown = re.findall(r'<span class="line"><span>(.*?) 赞</span>', page)
    assert len(shown) == 60 and shown[0] == "7.8万" and max(likes) == 78_251
    totals = re.findall(r'</th><td class="number" data-v="(\d+)">', page)
    assert totals == sorted(totals, key=int, reverse=True) and len(totals) == 60


def test_immature_pinned_and_sponsored_works_are_marked(sixty: ReportData) -> None:
    marks = Counter(re.findall(r"<span>(不足 72 小时|置顶|广告|样本)</span>", _section(render(sixty), "works")))
    assert marks["不足 72 小时"] == 2 and marks["置顶"] == 1 and marks["样本"] == 20
    assert marks["广告"] == sum(bool(row.work.sponsored) for row in sixty.works) > 0


def test_the_heat_map_is_a_table_of_counts(sixty: ReportData) -> None:
    section = _section(render(sixty), "heat")
    assert sum(map(int, re.findall(r"<td class=\"h\d\"><span>(\d+)</span>", section))) == 60
    assert "周三" in section and "Asia/Shanghai" in section and section.count("<tr>") == 8


def test_marks_go_by_the_rules_in_force(sixty: ReportData) -> None:
    rules = replace(sixty.rules, immature_hours=48, outlier_multiple=15)
    section = _section(render(replace(sixty, rules=rules)), "works")
    assert "不足 48 小时" in section and "不足 72 小时" not in section
    assert section.count('class="number strong"') == sum((row.multiple or 0) > 15 for row in sixty.works) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("platform", ["douyin", "xiaohongshu"])
def test_the_method_is_told_with_its_numbers(made_up: ModuleType, language: str, platform: str) -> None:
    section = _section(render(made_up.data(12, language, covers=False, platform=platform)), "method")
    assert "72" in section and "0.15" in section and "{" not in section
    assert ("ces_without_follows" in section) == (platform == "xiaohongshu")


def test_what_changed_is_told(sixty: ReportData, made_up: ModuleType) -> None:
    section = _section(render(sixty), "changes")
    assert "2026-03-13 12:00" in section and "+3,400" in section and "214,600 → 218,000" in section
    newest = [row.work.title for row in sixty.works if row.work.key in (sixty.changes or pytest.fail()).new_works]
    assert len(newest) == 2 and all(title in section for title in newest)
    assert 'id="changes"' not in render(made_up.data(5))


def test_what_was_not_walked_to_the_end_is_not_called_deleted(sixty: ReportData) -> None:
    assert sixty.changes
    page = render(replace(sixty, changes=replace(sixty.changes, deleted_works=None)))
    assert "没有读到列表末尾" in _section(page, "changes")


def test_videos_without_words_are_counted_with_their_reasons(sixty: ReportData) -> None:
    silent = [r for r in sixty.works if r.work.work_modality == "video" and not r.work.transcript]
    spoken = [r for r in sixty.works if r.work.transcript]
    section = _section(render(sixty), "transcripts")
    assert f"{len(silent)} 个视频没有文字稿（没有人声 {len(silent)}）" in section
    written = [r for r in sixty.works if r.sampled and r.work.primary_text and not r.work.transcript]
    assert section.count("<details ") == len(spoken) + len(written) and written
    assert f"另有 {len(written)} 个作品的正文" in section


# --- sizes


def test_two_hundred_works_with_covers_stay_below_two_and_a_half_megabytes(made_up: ModuleType, tmp_path: Path) -> None:
    charts = CHARTS
    if not CHARTS.is_file():
        charts = tmp_path / "charts.js"
        charts.write_text("/" * 310_000)
    data = made_up.data(200)
    assert all(row.cover and len(row.cover) <= 8000 for row in data.works)
    assert len(render(data, charts).encode()) <= 2_500_000


@pytest.mark.parametrize("name", ["report.png", "report.zh-CN.png"])
def test_the_pictures_in_the_readmes_are_small_and_as_wide_as_a_desk(name: str) -> None:
    from PIL import Image

    path = Path(__file__).resolve().parents[2] / "docs" / name
    assert path.stat().st_size <= 200_000, "run python tests/cards/picture_report.py"
    with Image.open(path) as picture:
        assert picture.width == 1280


def test_of_a_thousand_works_the_most_liked_have_covers_and_all_have_rows(made_up: ModuleType) -> None:
    page = render(made_up.data(1000))
    assert page.count("<img ") == WALL + 1 and f"只放点赞最多的 {WALL} 个" in page and "1,000 个作品中" in page
    assert page.count("<tr data-find") == 1000


def test_without_covers_there_is_no_wall(made_up: ModuleType) -> None:
    assert 'id="wall"' in render(made_up.data(6)) and 'id="wall"' not in render(made_up.data(6, covers=False))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_works_have_no_charts(made_up: ModuleType, n: int) -> None:
    page = read(render(made_up.data(n)))
    assert not [a for _, a in page.tags if "data-chart" in a]
    assert page.text.count("作品太少") == 2 and len(page.of("tr")) >= n


def test_likes_stand_in_where_most_works_have_nothing_else(made_up: ModuleType) -> None:
    works = [replace(w, comment_count=None, collect_count=None, share_count=None) for w in made_up.works(30)]
    page = render(made_up.data(works, covers=False))
    assert ("纵轴为点赞" in page and 'data-chart="timeline"' in page) or not CHARTS.is_file()
    assert "评论</th>" not in page  # a column that nobody has a value for


# --- words


def shape(words: object) -> object:
    return {k: shape(v) for k, v in words.items()} if isinstance(words, dict) else type(words).__name__


def holes(words: object) -> Sequence[str]:
    return sorted(re.findall(r"\{(\w+)\}", json.dumps(words)))


def test_both_languages_say_the_same() -> None:
    words = yaml.safe_load(Path(report.__file__).with_name("report.yaml").read_text("utf-8"))
    assert shape(words["zh"]) == shape(words["en"]) and holes(words["zh"]) == holes(words["en"])


def test_the_language_is_the_readers(made_up: ModuleType) -> None:
    page = read(render(made_up.data(12, "en", covers=False)))
    assert page.of("html")[0]["lang"] == "en"
    ours = [text for name, text in page.bodies if name in ("h2", "h3", "dt", "button", "option", "caption")]
    assert ours and not [text for text in ours if re.search("[\u4e00-\u9fff]", text)]


def _section(page: str, name: str) -> str:
    start = page.index(f'aria-labelledby="{name}"')
    return page[start : page.index("</section>", start)]
