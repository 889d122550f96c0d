"""The right route for a plain question: first nine times of ten, among the first five nearly always."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tikomni import catalog
from tikomni.catalog.find import SEARCH, Found, _index, find
from tikomni.catalog.question import read
from tikomni.catalog.search import build
from tikomni.envelope import tokens

EXAMPLES = [json.loads(line) for line in (Path(__file__).with_name("examples.jsonl")).read_text("utf-8").splitlines()]


@cache
def answer(number: int) -> Found:
    """What is found for an example; asked once, however many tests look at it."""
    return find(EXAMPLES[number]["q"], EXAMPLES[number].get("have") or {})


def answers() -> Iterator[tuple[dict, tuple[str, ...]]]:
    return ((example, answer(number).routes) for number, example in enumerate(EXAMPLES))


def half(example: dict) -> int:
    return int(hashlib.sha256(example["q"].encode()).hexdigest(), 16) % 2


def test_there_are_enough_questions_in_both_languages():
    chinese = sum(any("\u4e00" <= c <= "\u9fff" for c in e["q"]) for e in EXAMPLES)
    assert len(EXAMPLES) >= 200 and chinese * 2 >= len(EXAMPLES)


@pytest.mark.parametrize("which", [0, 1])
def test_the_first_choice_is_right_and_no_answer_is_far(which):
    examples = [(example, routes) for example, routes in answers() if half(example) == which]
    first = five = 0
    for example, routes in examples:
        accepted = example["accept"]
        first += routes[0] in accepted if accepted and routes else not accepted and not routes
        five += any(r in accepted for r in routes[:5]) if accepted else not routes
    assert first / len(examples) >= 0.90
    assert five / len(examples) >= 0.98


def test_what_acts_never_comes_first_unasked():
    for example, routes in answers():
        if routes and routes[0] not in example["accept"]:
            assert catalog.get(routes[0]).effect == "read", example["q"]


@pytest.mark.parametrize(
    "deed",
    [
        "给这条微博点个赞",
        "帮我关注一下 B 站这个 up 主",
        "retweet this for me on X",
        "把我知乎的回答都删掉",
        "subscribe me to a YouTube channel",
        "有条差评在小红书笔记底下（67011c2a000000001e00f1d3），帮我把它删了",
        "upload this vlog to our youtube channel, title and tags in the doc",
        "给微博大V 1783300112 发个私信谈合作",
        "unfollow a TikTok user (cookie available)",
        "show me which people opened my TikTok profile over the weekend",
    ],
)
def test_deeds_that_a_platform_has_no_route_for_are_not_taken_for_questions(deed):
    assert find(deed).routes == ()


@pytest.mark.parametrize(("question", "route"), [
    ("帮我给这条 TikTok 点个赞", "tiktok.interaction.like"),
    ("post a comment on his tiktok page for me", "tiktok.interaction.post_comment"),
    ("who liked this instagram post", "instagram.v2.fetch_post_likes"),
    ("微博这条谁点的赞", "weibo.app.fetch_status_likes"),
    ("帮我看下这条 tiktok 的评论 7339393672959757570", "tiktok.app.v3.fetch_video_comments"),
])  # fmt: skip
def test_deeds_that_have_a_route_and_questions_about_deeds_are_served(question, route):
    assert find(question).routes[0] == route


@pytest.mark.parametrize("question", [
    "for me: comments of tiktok 7339393672959757570",
    "reply count on tiktok 7339393672959757570 for me",
    "帮我看下这条 tiktok 的评论 7339393672959757570",
    "帮我看看谁给这条 tiktok 点赞了 7339393672959757570",
    "which hashtags boost views on tiktok",
    "what makes tiktok videos get more views",
    "刷到一条抖音播放量特别高，帮我查查这条的播放量",
    "帮我看下抖音这条多少点赞 7390011223344556607",
    "帮我查 tiktok 用户 nora 关注了谁",
    "weibo comments for me 5012345678901234",
])  # fmt: skip
def test_who_only_asks_gets_what_reads(question):
    routes = find(question).routes
    assert routes and catalog.get(routes[0]).effect == "read"
    assert not any(route.startswith("tiktok.interaction.") for route in routes)


@pytest.mark.parametrize("question", [
    "comments on tiktok 7412345678901234567",
    "tiktok 7412345678901234567 的评论，cookie 给你",
    "with my login, comments on my tiktok 7412345678901234567",
    "share count of my tiktok 7412345678901234567 (cookie)",
    "from my account's tiktok: the follow list",
    "tiktok 转发量 我账号 cookie",
    "like this one, find similar tiktok videos 7412345678901234567",
])  # fmt: skip
def test_a_login_in_hand_is_no_order(question):
    routes = find(question, {"cookie": "<kept in a file>"}).routes
    assert routes and catalog.get(routes[0]).effect in ("read", "account_read")


@pytest.mark.parametrize(("question", "route"), [
    (
        "74 小鹿今天吃什么发布了一篇小红书笔记，快来看吧！ 😆 http://xhslink.com/a/Kd83mVq 😆 这条底下的评论",
        "xiaohongshu.app_v2.get_note_comments",
    ),
    ("【一口气看完修表全过程-哔哩哔哩】 https://b23.tv/Xk9mQ2v 有多少人看过", "bilibili.web.fetch_one_video_v3"),
    ("https://v.kuaishou.com/2xYzAb9 这条是谁拍的，多少赞", "kuaishou.app.fetch_one_video_by_url"),
])  # fmt: skip
def test_a_pasted_link_goes_where_links_are_taken_and_its_title_says_nothing(question, route):
    assert find(question).routes[0] == route


@pytest.mark.parametrize(("question", "have", "route"), [
    ("快手上搜钓鱼的视频", {"keyword": "钓鱼"}, "kuaishou.app.search_video_v2"),
    ("知乎搜“转行程序员”", {"keyword": "转行程序员"}, "zhihu.web.fetch_article_search_v3"),
    ("search Douyin users by keyword 手作", {"keyword": "手作"}, "douyin.search.fetch_user_search"),
    ("tiktok: return the comments of a video by its id", {"aweme_id": "1"}, "tiktok.app.v3.fetch_video_comments"),
    ("comments of this douyin video; it's for my media paper", {"aweme_id": "1"}, "douyin.app.v3.fetch_video_comments"),
    ("accounts following Douyin user", {"sec_user_id": "MS4w"}, "douyin.app.v3.fetch_user_fans_list"),
    ("whom is this tiktoker following?", {"user_id": "1"}, "tiktok.app.v3.fetch_user_following_list"),
])  # fmt: skip
def test_what_is_in_hand_and_what_it_is_for_say_nothing_of_what_is_wanted(question, have, route):
    assert find(question, have).routes[0] == route


def test_a_link_that_no_platform_serves_is_good_for_its_words_alone():
    assert find("track a listing, price and sales: https://shop.example/item?id=7").routes == ()
    assert find("transcribe this https://media.example/get/123").routes[0].startswith("u2.services.audio.asr")


@pytest.mark.parametrize(("question", "text"), [
    ("tiktok folowers of @abc", "tiktok followers of @abc"),
    ("vidoe subtitels", "video subtitles"),
    ("sourdough roasters at lunch", "sourdough roasters at lunch"),
])  # fmt: skip
def test_slips_of_the_fingers_are_put_right_and_unknown_words_left(question, text):
    index = _index()
    assert index.concepts.corrected(question, index.knows) == text


@pytest.mark.parametrize(("question", "hand"), [
    ("最近30天发的作品数据导成excel表格", set()),
    ("https://www.douyin.com/video/7412345678901234567的评论", {"aweme_id", "share_url", "url"}),
    ("抖音号 tea_master_01 多少粉", {"unique_id"}),
    ("视频7412345678901234567 评论id 7413345678901234567", {"comment_id", "?"}),
    ("快手评论 7412345678901234567", {"?"}),
    ("posts of yoga_fan", {"username"}),
    ("how to make an a_bogus", set()),
])  # fmt: skip
def test_what_is_in_hand_and_what_only_looks_so(question, hand):
    assert read(question, {}, None, _index().rules).hand == hand


def test_the_index_is_fresh():
    assert SEARCH.read_bytes() == build(list(catalog.all_routes()))


def test_answers_are_short_lines_that_begin_with_the_route(run):
    for example in EXAMPLES[::40]:
        have = [
            f"--have={n}={json.dumps(v) if isinstance(v, list) else v}" for n, v in (example.get("have") or {}).items()
        ]
        ran = run("route", "find", example["q"], *have)
        assert tokens(ran.stdout) <= 350, ran.stdout
        for line in ran.document["result"]["routes"]:
            assert catalog.get(line.split(" ", 1)[0])


def test_nothing_that_fits_is_no_error(run):
    ran = run("route", "find", "帮我订一张去北京的火车票")
    assert ran.exit_status == 0 and isinstance(ran.document["result"]["routes"], list)


def test_every_answer_to_every_question_fits_the_limit():
    from tikomni.cli.route_find import _line

    head = '{"ok":true,"command":"route find","status":"complete","result":{"routes":[]}}'
    for example, routes in answers():
        lines = [_line(catalog.get(route)) for route in routes]
        assert tokens(head + json.dumps(lines, ensure_ascii=False)) <= 350, example["q"]
