"""Which file is a work's card: by preset or setting, by id, and never somebody else's file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tikomni.cards import paths
from tikomni.cards.render import render_work
from tikomni.errors import InputError
from tikomni.facts import Work
from tikomni.settings import Settings
from tikomni.storage.tree import Tree


def place(settings: Settings, work: Work, kind: paths.Kind = "work") -> Path:
    return paths.place(settings, kind, paths.Subject.of(work))


def relative(settings: Settings, work: Work, kind: paths.Kind = "work") -> str:
    return place(settings, work, kind).relative_to(settings.cards).as_posix()


def test_presets(settings: Settings, video: Work) -> None:
    name = "CBV-猫事研究社🐱-猫咪半夜跑酷其实是在巡视家-7555500011122233344.md"
    assert relative(settings, video) == f"内容系统/对标研究/作品卡/{name}"
    sample = relative(settings, video, "author_sample_work")
    assert sample == f"内容系统/对标研究/作者样本卡/douyin-猫事研究社🐱/{name}"
    assert relative(settings, video, "author").startswith("内容系统/对标研究/作者卡/CBA-")
    english = replace(settings, path_locale="en")
    assert relative(english, video) == f"content-system/benchmark-research/work-cards/{name}"
    assert relative(english, video, "author").startswith("content-system/benchmark-research/author-cards/")
    assert relative(english, video, "author_sample_work").startswith(
        "content-system/benchmark-research/author-sample-cards/douyin-猫事研究社🐱/"
    )


@pytest.mark.parametrize(
    ("setting", "value", "kind", "expected"),
    [
        ("card_route_work", "a|{platform}|{year_month}", "work", "a/douyin/2025-10/CBV-"),
        ("card_route_author", "b|{year}", "author", "b/2025/CBA-"),
        ("card_route_author_sample_work", "{title_slug}", "author_sample_work", "猫咪半夜跑酷其实是在巡视家/CBV-"),
        ("card_route_work", "{timestamp}", "work", "20251122-170000/CBV-"),
        ("card_prefix_work", "W", "work", "内容系统/对标研究/作品卡/W-"),
        ("card_prefix_author", "A", "author", "内容系统/对标研究/作者卡/A-"),
        ("card_prefix_author_sample_work", "S", "author_sample_work",
         "内容系统/对标研究/作者样本卡/douyin-猫事研究社🐱/S-"),
        ("filename_pattern_card", "{date}-{card_type}-{platform}{ext}", "work",
         "内容系统/对标研究/作品卡/2025-10-31-work-douyin-7555500011122233344.md"),
        ("filename_pattern_card", "{identifier}{ext}", "work", "内容系统/对标研究/作品卡/7555500011122233344.md"),
        ("filename_pattern_card", "{timestamp}", "work",
         "内容系统/对标研究/作品卡/20251122-170000-7555500011122233344.md"),
    ],
)  # fmt: skip
def test_each_naming_setting_has_its_effect(
    settings: Settings, video: Work, setting: str, value: str, kind: paths.Kind, expected: str
) -> None:
    assert relative(replace(settings, **{setting: value}), video, kind).startswith(expected)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("card_route_work", "{nope}"),
        ("card_route_author", "a|{prefix}"),
        ("card_route_author_sample_work", "{platform!r}"),
        ("filename_pattern_card", "{title_slug.upper}"),
        ("filename_pattern_json", "{year}"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_paid_for(settings: Settings, setting: str, value: str) -> None:
    wrong = replace(settings, **{setting: value})
    with pytest.raises(InputError, match=f"TIKOMNI_{setting.upper()}") as caught:
        Tree(wrong).check(paths.homes(wrong))
    assert caught.value.code == "config" and not settings.output_root.exists()


def test_homes_are_probed_and_not_made(settings: Settings) -> None:
    Tree(settings).check(paths.homes(settings))
    assert not list(settings.cards.iterdir())
    (settings.cards / "内容系统").write_text("a file")
    with pytest.raises(InputError, match="TIKOMNI_CARD_ROUTE_WORK"):
        Tree(settings).check(paths.homes(settings))


def test_routes_never_leave_the_card_root(settings: Settings, video: Work) -> None:
    hostile = replace(video, platform="../../..", author_name="../../../x", title="..\\..\\y")
    for kind in ("work", "author", "author_sample_work"):
        assert place(settings, hostile, kind).is_relative_to(settings.cards)
    escaping = replace(settings, card_route_work="..|..|x")
    assert place(escaping, hostile).parent == settings.cards / "x"


def test_a_link_out_of_the_card_root_is_refused(settings: Settings, video: Work, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    settings.cards.mkdir()
    (settings.cards / "内容系统").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        render_work(settings, video, (), [])
    assert caught.value.code == "storage" and not list((tmp_path / "elsewhere").iterdir())


def test_works_with_one_beginning_never_share_a_file(settings: Settings, video: Work) -> None:
    beginning = "这是一个很长很长的标题它的前二十八个字完全相同你看不出差别在哪"
    first = replace(video, platform_work_id="1", title=beginning + "甲")
    second = replace(video, platform_work_id="2", title=beginning + "乙")
    assert render_work(settings, first, (), []) != render_work(settings, second, (), [])


def test_one_index_finds_what_single_looks_find(settings: Settings, video: Work) -> None:
    ids = ["1", "21", "a-1", "b-a-1", "-", "x--1", "奇怪/的 id"]
    works = [replace(video, platform_work_id=work_id) for work_id in ids]
    made = {work.key: render_work(settings, work, (), []) for work in works}
    index = paths.CardIndex(settings)
    for work in works:
        subject = paths.Subject.of(work)
        single = paths.CardIndex(settings).find("work", subject)
        assert index.find("work", subject) == single == made[work.key]
        assert index.find("author_sample_work", subject) is None
    assert index.find("work", paths.Subject.of(replace(video, platform_work_id="3"))) is None


def test_an_index_knows_the_cards_that_its_run_makes(settings: Settings, video: Work) -> None:
    index = paths.CardIndex(settings)
    first = render_work(settings, video, (), [], index=index)
    renamed = replace(video, title="新标题")
    assert render_work(settings, renamed, (), [], index=index) == first
    other = replace(video, platform="xiaohongshu")
    assert render_work(settings, other, (), [], index=index) != first


TITLES = ["标题" * 70, "👩\u200d🚀" * 60, "CON", "../..", "---", "\u202e", "", None, "。" * 300]


@pytest.mark.parametrize("title", TITLES)
def test_any_title_makes_a_card(settings: Settings, video: Work, title: str | None) -> None:
    path = render_work(settings, replace(video, title=title), (), [])
    assert path.is_file() and path.name.endswith("-7555500011122233344.md") and len(path.name.encode()) <= 200


def test_a_card_keeps_its_path_when_title_and_author_change(settings: Settings, video: Work) -> None:
    for kind in ("work", "author_sample_work"):
        first = render_work(settings, video, (), [], kind)
        renamed = replace(video, title="新标题", author_name="新名字")
        assert render_work(settings, renamed, (), [], kind) == first
        assert "新标题" in first.read_text("utf-8")


def test_a_card_that_the_user_moved_within_its_folder_is_found(settings: Settings, video: Work) -> None:
    first = render_work(settings, video, (), [])
    moved = first.parent / "收藏" / first.name
    moved.parent.mkdir()
    first.rename(moved)
    assert render_work(settings, video, (), []) == moved and not first.exists()


def test_the_same_id_on_two_platforms_makes_two_cards(settings: Settings, video: Work) -> None:
    first = render_work(settings, video, (), [])
    warnings: list[str] = []
    other = replace(video, platform="xiaohongshu")
    second = render_work(settings, other, (), warnings)
    assert first != second and len(warnings) == 1 and str(first) in warnings[0]
    assert "platform: douyin" in first.read_text("utf-8")
    warnings.clear()
    assert render_work(settings, other, (), warnings) == second and warnings == []


NOT_OURS = ["my own note", "---\nbroken: [\n---\nmine", "---\ntype: work\n---\n", "\ufeff", ""]


@pytest.mark.parametrize("content", NOT_OURS)
def test_a_file_that_is_not_this_card_is_left_alone(settings: Settings, video: Work, content: str) -> None:
    taken = place(settings, video)
    taken.parent.mkdir(parents=True)
    taken.write_text(content, "utf-8")
    warnings: list[str] = []
    path = render_work(settings, video, (), warnings)
    assert path != taken and path.name.endswith("-7555500011122233344.md") and len(warnings) == 1
    assert taken.read_text("utf-8") == content
    assert render_work(settings, video, (), warnings) == path


def test_examples_of_all_kinds(settings: Settings) -> None:
    examples = paths.example_paths(replace(settings, path_locale="en", card_route_work="my|{platform}"))
    assert examples["work"] == str(settings.cards / "my" / "platform" / "CBV-author-untitled-1234567890.md")
    assert set(examples) == {"work", "author", "author_sample_work"}


def test_the_home_of_a_kind_is_its_fixed_folders(settings: Settings) -> None:
    cards = settings.cards
    assert paths.home(settings, "author_sample_work") == (
        cards / "内容系统/对标研究/作者样本卡", "TIKOMNI_CARD_ROUTE_AUTHOR_SAMPLE_WORK",
    )  # fmt: skip
    assert paths.home(replace(settings, card_route_work="a|b-{year}|c"), "work")[0] == cards / "a"
    assert paths.home(replace(settings, card_route_work="{year}"), "work")[0] == cards
    assert paths.home(replace(settings, card_route_work="a|b"), "work")[0] == cards / "a" / "b"
