"""A creator's card tells what a run found, links to the works, and never costs the user a word."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from tikomni.analysis.aggregate import aggregates
from tikomni.analysis.buckets import standings
from tikomni.analysis.changes import Reading, changes
from tikomni.analysis.cohort import cohort
from tikomni.analysis.figures import figures
from tikomni.analysis.rules import rules
from tikomni.analysis.sampling import sample
from tikomni.analysis.signals import Signal, Signals, signals
from tikomni.cards import assets
from tikomni.cards.creator_card import Collection, CreatorSummary
from tikomni.cards.kept import MARKER
from tikomni.cards.paths import CardIndex
from tikomni.cards.render import creator_path, render_creator, render_work
from tikomni.cards.standing import WorkFigures
from tikomni.facts import Creator, Missing, Work
from tikomni.settings import Settings

NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)  # the made-up creator's
ZONE = ZoneInfo("Asia/Shanghai")
WIKILINK = re.compile(r"\[\[([^\[\]|#^]+)\|([^\[\]|]*)\]\]")


Creators = Callable[..., Creator]
Works = Callable[[int], list[Work]]


@pytest.fixture
def creator(made_up: ModuleType) -> Creators:
    return made_up.creator


@pytest.fixture
def works(made_up: ModuleType) -> Works:
    return made_up.works


def summary(of: Creator, found: list[Work], **given: Any) -> CreatorSummary:
    parted = cohort(found, rules(of.platform), NOW, ZONE)
    standing = standings(parted)
    read = {work.key: signals(work) for work in found}
    whole = CreatorSummary(
        rules=parted.rules,
        figures=figures(of, parted),
        standings=standing,
        collection=Collection(None, len(found), 3, "no_more", True),
        sample=sample(standing, read),
        aggregates=aggregates(parted, standing, read),
    )
    return replace(whole, **given)


def run(settings: Settings, of: Creator, told: CreatorSummary) -> Path:
    """The cards of a creator and of all works, as a run writes them."""
    index, warnings = CardIndex(settings), []
    creator_path(settings, of, index)
    picked = {standing.work.key for standing in told.sample.picked} if told.sample else set()
    for standing in told.standings:
        more = WorkFigures(standing, standing.work.key in picked, signals(standing.work), of.snapshot_at)
        render_work(settings, standing.work, (), warnings, told.work_kind, more, index)
    path = render_creator(settings, of, told, index, warnings)
    assert warnings == []
    return path


def split(path: Path) -> tuple[dict[str, Any], str]:
    found = re.match(r"---\n(.*?)\n---\n(.*)", path.read_text("utf-8"), re.DOTALL)
    assert found
    return yaml.safe_load(found[1]), found[2]


def cards(settings: Settings, kind: str) -> list[Path]:
    return [path for path in settings.cards.rglob("*.md") if split(path)[0]["type"] == kind]


def test_front_matter_is_flat_and_has_the_figures(settings: Settings, creator: Creators, works: Works) -> None:
    of = creator()
    told = summary(of, works(40), avatar=assets.Asset("https://x", "_assets/douyin/a/cover.jpg"))
    path = run(settings, of, told)
    front, _ = split(path)
    text = path.read_text("utf-8")
    assert f'platform_author_id: "{of.platform_author_id}"\n' in text
    assert "aliases:\n  - '田巷日常'\n  - 'tianxiang_daily'\n" in text
    assert front["type"] == "creator" and front["fans_count"] == 218_000 and front["collected_count"] is None
    assert front["liked_count_approximate"] == "rounded" and front["cover"] == "[[_assets/douyin/a/cover.jpg]]"
    assert front["median_interactions"] == told.figures.counts["interactions"].median.value
    assert front["hit_rate_10000"] == told.figures.hit_rates[2].rate.value and "hit_rate_10000_30d" in front
    assert front["engagement_rate"] is None and "ces_without_follows" not in front
    assert front["likes_per_fan_approximate"] is True
    assert not any(isinstance(value, dict) for value in front.values())


def test_every_figure_stands_with_its_basis_or_its_reason(settings: Settings, creator: Creators, works: Works) -> None:
    of = creator()
    told = summary(of, works(40))
    body = split(run(settings, of, told))[1]
    middle = told.figures.counts["interactions"].median
    assert f"| 互动量中位数 | {middle.value:,.0f} | {middle.n} | {middle.since} 至 {middle.until} |  |" in body
    assert "| 互动率 | — | 0 | — | 没有播放或阅读数 |" in body
    few = split(run(settings, of, summary(of, works(6))))[1]
    assert re.search(r"\| 超过中位数 3 倍的作品 \| — \| \d \| .* \| 不足 10 个作品，不计算 \|", few)


def test_every_wikilink_leads_to_a_card_of_that_work(settings: Settings, creator: Creators, works: Works) -> None:
    of, found = creator(), works(60)
    odd = replace(found[5], title="a | b ]] c [[x]] #d ^e %%f%% <g> $h$", digg_count=9_000_000)
    path = run(settings, of, summary(of, [*found[:5], odd, *found[6:]]))
    links = WIKILINK.findall(path.read_text("utf-8"))
    assert len(links) > 40
    for target, title in links:
        front, _ = split(settings.cards / f"{target}.md")
        assert front["type"] == "work" and (front["title"] == title or "｜" in title)
    assert not re.search(r"\[\[(?!内容系统)", path.read_text("utf-8"))
    author = split(cards(settings, "work")[0])[0]["author"]
    assert WIKILINK.fullmatch(author)[1] == path.relative_to(settings.cards).with_suffix("").as_posix()


def test_a_work_without_a_card_is_told_by_title_and_id(settings: Settings, creator: Creators, works: Works) -> None:
    of, found = creator(), works(40)
    body = split(render_creator(settings, of, summary(of, found), CardIndex(settings), []))[1]
    assert "[[" not in body
    best = max(found, key=lambda work: work.digg_count or 0)
    assert f"{best.title}（{best.platform_work_id}）" in body


def test_what_changed(settings: Settings, creator: Creators, works: Works) -> None:
    of, found = creator(), works(40)
    gone = replace(found[0], platform_work_id="17", title="不见了")
    then = [replace(work, digg_count=(work.digg_count or 0) // 2) for work in found[:-2]]
    before = Reading((NOW - timedelta(days=7)).isoformat(), (*then, gone), True, creator(fans_count=214_600))
    told = changes(before, Reading(NOW.isoformat(), tuple(found), True, of))
    body = split(run(settings, of, summary(of, found, changes=told)))[1]
    section = body.split("## 有何变化")[1].split("\n## ")[0]
    assert "粉丝增减：+3,400（214,600 → 218,000）" in section
    assert "新作品：2\n    - [[" in section and "已删除或不可见：1\n    - 17\n" in section
    assert section.count(" → ") == 6, "followers and five works that grew"
    unknown = replace(told, deleted_works=None)
    assert "没有读到列表末尾" in split(run(settings, of, summary(of, found, changes=unknown)))[1]
    assert "有何变化" not in split(run(settings, of, summary(of, found)))[1]


def test_analysis_waits_and_nothing_is_invented_without_works(settings: Settings) -> None:
    of = Creator("xiaohongshu", "5f00", author_name="空白页", missing={"fans_count": "not_in_answer"})
    told = summary(of, [], sample=None, aggregates=None, missing=(Missing("x", "avatar_url", "network"),))
    front, body = split(run(settings, of, told))
    assert "## 分析\n\n等待撰写" in body and "没有作品带有发布时间" in body
    assert front["median_interactions"] is None and front["aliases"] == ["空白页"]
    assert "- 粉丝：平台没有返回\n" in body and "- 头像：网络错误\n" in body
    assert "赞藏粉比" in body and "CES（民间公式" in body


def test_the_users_part_is_kept_and_the_card_stays_in_place(
    settings: Settings, creator: Creators, works: Works
) -> None:
    of, told = creator(), summary(creator(), works(40))
    path = run(settings, of, told)
    own = "rating: 12:30 # mine\n"
    notes = f"\n## 我的笔记\n我的想法 [[别的]]\n{MARKER}\n".encode() + b"\xff"
    text = path.read_text("utf-8").replace("schema_version: 1\n", f"{own}hit_rate_5_7d: 0.5\nschema_version: 1\n")
    text = text.replace("  - 'tianxiang_daily'\n", "  - 'tianxiang_daily'\n  - 田巷\n")
    path.write_bytes(text.split(MARKER)[0].encode() + MARKER.encode() + notes)
    renamed = replace(of, author_name="田巷新名", fans_count=1, approximate={})
    assert run(settings, renamed, summary(renamed, works(40))) == path
    after = path.read_bytes()
    assert after.split(MARKER.encode(), 1)[1] == notes
    front = after.decode("utf-8", "replace").split("\n---\n")[0]
    assert own.strip() in front and "hit_rate_5_7d" not in front and "likes_per_fan_approximate" not in front
    assert "  - '田巷新名'\n  - 'tianxiang_daily'\n  - '田巷日常'\n  - '田巷'\n" in front


def test_the_same_run_again_writes_nothing(settings: Settings, creator: Creators, works: Works) -> None:
    of, told = creator(), summary(creator(), works(30))
    run(settings, of, told)
    stamps = {path: path.stat().st_mtime_ns for path in settings.cards.rglob("*") if path.is_file()}
    assert len(stamps) == 33
    run(settings, of, told)
    assert {path: path.stat().st_mtime_ns for path in settings.cards.rglob("*") if path.is_file()} == stamps


@pytest.mark.parametrize(
    "text",
    [
        "---\nevil: 1\n---",
        "[[x]] | y",
        "|\n| --- |",
        "</script><b>",
        MARKER,
        f"\n{MARKER}\n",
        "# h",
        "%%",
        "",
        "\u202ex",
    ],
)
def test_strangers_texts_forge_nothing(settings: Settings, text: str, creator: Creators, works: Works) -> None:
    of = creator(author_name=text, author_handle=text, signature=text, ip_location=text, verified_reason=text)
    found = [replace(w, title=text, caption_raw=text, topics=(text,), author_name=text) for w in works(24)]
    path = run(settings, of, summary(of, found))
    front, body = split(path)
    assert front["type"] == "creator" and "evil" not in front
    whole = path.read_text("utf-8")
    assert whole.count(MARKER) == 1 and "<b>" not in body and "\u202e" not in whole
    headings = re.findall(r"(?m)^## .*", body)
    assert len(headings) == len(set(headings)) == 12
    for line in re.findall(r"(?m)^\| (?:话题|关键词) .*", body):
        assert len(re.findall(r"(?<!\\)\|", line)) == 4


def test_the_method_names_the_numbers_that_were_used(settings: Settings, creator: Creators, works: Works) -> None:
    told = summary(creator(), works(30))
    own = replace(told, rules=rules("douyin", weights="1,0,0.5,0", immature_hours=24))
    body = split(run(settings, creator(), own))[1]
    assert "(1·点赞 + 0·评论 + 0.5·收藏 + 0·分享) ÷ ln(天数 + 2)" in body and "不足 24 小时" in body
    assert "偏向近期作品" in body and "{" not in body


def test_english(settings: Settings, creator: Creators, works: Works) -> None:
    of = creator()
    told = summary(of, works(40))
    body = split(run(replace(settings, language="en"), of, told))[1]
    assert "## Key figures" in body and "## Analysis\n\nWaiting" in body and "preference for recent work" in body
    assert not re.search("作品卡：|互动量|分档|样本（", body)


def test_a_work_card_shows_where_the_work_stands(settings: Settings, creator: Creators, works: Works) -> None:
    of, found = creator(), works(40)
    told = summary(of, found)
    run(settings, of, told)
    by_id = {front["platform_work_id"]: (front, body) for front, body in map(split, cards(settings, "work"))}
    best = next(standing for standing in told.standings if standing.rank == 1)
    front, body = by_id[best.work.platform_work_id]
    assert (front["interactions"], front["bucket"], front["rank"]) == (best.interactions, "Top", 1)
    assert front["multiple"] == best.multiple.value and front["figures_at"]
    assert f"- 互动量：{best.interactions:,}、中位数的 {best.multiple.value:.1f} 倍\n- 分档：Top、第 1 名" in body
    young = next(standing for standing in told.standings if standing.reason == "immature")
    front, body = by_id[young.work.platform_work_id]
    assert front["immature"] is True and front["rank"] is None and "- 未排名：发布时间太短\n" in body


def test_signals_carry_the_words_that_they_rest_on(settings: Settings, video: Work, creator: Creators) -> None:
    told = summary(creator(), [video])
    calls = (Signal("like", "main_text", ("点个赞",)), Signal("follow", "caption", ("关注我",)))
    hook = Signal("odd_label", "first_sentences", ("[[终于]]",))
    read = Signals(hook, Signal(None, "main_text"), calls, (), Signal(None, "main_text"), ())
    path = render_work(settings, video, (), [], standing=WorkFigures(told.standings[0], False, read))
    front, body = split(path)
    assert front["hook"] == "odd_label" and front["structure"] is None and front["cta"] == ["like", "follow"]
    assert front["cta_words"] == ["点个赞", "关注我"] and "structure_words" not in front
    assert "- 行动号召：求点赞、求关注（“点个赞”、“关注我”）\n" in body
    assert "odd" in body and "[[终于" not in path.read_text("utf-8")


def test_a_later_run_over_the_work_alone_keeps_what_the_creators_run_wrote(
    settings: Settings, video: Work, creator: Creators, works: Works
) -> None:
    of = creator(platform_author_id=video.platform_author_id, author_name=video.author_name)
    found = [*works(30), video]
    told = summary(of, found, work_kind="work")
    run(settings, of, told)
    index = CardIndex(settings)
    path = render_work(settings, video, (), [], index=index)
    stood = path.read_bytes()
    render_work(settings, replace(video, digg_count=5), (), [])
    front, body = split(path)
    assert front["digg_count"] == 5 and front["author"].startswith("[[") and front["rank"]
    assert "## 在该作者的作品中" in body
    render_work(settings, video, (), [])
    assert path.read_bytes() == stood
    creator_path(settings, of, CardIndex(settings)).unlink()
    render_work(settings, video, (), [])
    assert split(path)[0]["author"] == front["author"], "a link is not removed because the card is away"


def test_figures_that_the_user_spoiled_do_no_harm(settings: Settings, video: Work, creator: Creators) -> None:
    path = render_work(settings, video, (), [], standing=WorkFigures(summary(creator(), [video]).standings[0]))
    text = re.sub(
        r"(?m)^interactions: .*$", "interactions: '<b>[[viele]]'\nfigures_at: gestern", path.read_text("utf-8")
    )
    path.write_text(text.replace("rank:\n", "rank: [1, {a: 2}]\n"), "utf-8")
    render_work(settings, replace(video, digg_count=3), (), [])
    body = split(path)[1]
    assert "viele" in body and "<b>" not in body and "[[viele" not in body


def test_properties_of_the_users_own_are_not_taken_for_figures(settings: Settings, video: Work) -> None:
    path = render_work(settings, video, (), [])
    text = path.read_text("utf-8").replace("schema_version: 1\n", "schema_version: 1\nrank: 5\nmood: x\nhook: 我的\n")
    path.write_text(text, "utf-8")
    render_work(settings, replace(video, digg_count=3), (), [])
    assert "schema_version: 1\nrank: 5\nmood: x\nhook: 我的\n" in path.read_text("utf-8")
    assert "在该作者的作品中" not in split(path)[1]
