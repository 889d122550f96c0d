"""Pages of lists: what their entries are, what is none, and where the next page is read from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tikomni import catalog
from tikomni.platforms import Page, definition, names, read_list
from tikomni.platforms.definitions import PageField
from tikomni.platforms.lists import first_page, list_requests, meanings, page_request

POSTS, POSTED = "douyin.app.v3.fetch_user_post_videos", "xiaohongshu.app_v2.get_user_posted_notes"
SEARCH, NOTE_SEARCH = "douyin.search.fetch_general_search_v1", "xiaohongshu.app_v2.search_notes"
USER = "5f00000000000000000000aa"


def read(body: Any, route: str = POSTS, name: str = "creator.works", sent: Any = None, **known: str) -> Page:
    platform = definition(route.partition(".")[0])
    zone = ZoneInfo("Asia/Shanghai")
    return read_list(
        platform, name, body, route, known=known, sent=sent, zone=zone, now=datetime(2026, 5, 1, tzinfo=UTC)
    )


def posts(made, *items: Any, **changes: Any) -> Any:
    data = {"status_code": 0, "aweme_list": list(items), "max_cursor": 1767196800000, "has_more": 1}
    return made.envelope(data | changes)


def notes(made, *items: Any, **changes: Any) -> Any:
    return made.inner({"notes": list(items), "has_more": True} | changes)


def listed(**changes: Any) -> dict[str, Any]:
    base = {
        "id": "66aa00000000000000000001", "cursor": "66aa00000000000000000001", "type": "normal", "title": "标题",
        "desc": "短短一句", "likes": 7, "create_time": 1767196800, "user": {"userid": USER, "nickname": "小厨"},
        "images_list": [{"url": "https://img.example/1.webp"}], "xsec_token": "ABown",
    }  # fmt: skip
    return {name: value for name, value in (base | changes).items() if value is not None}


def test_entries_are_read_as_the_works_they_are(made) -> None:
    page = read(posts(made, made.aweme(is_top=1), made.pictures(aweme_id="7400000000000000002")))
    film, pictures = page.items
    assert page.verdict == "ok" and page.more is True and not page.dropped
    assert (film.platform_work_id, film.media_kind, film.digg_count, film.pinned) == (made.AWEME, "video", 2907, True)
    assert film.share_count == 0 and film.field_sources["digg_count"] == f"{POSTS}:statistics.digg_count"
    assert film.topics == ("家常菜", "番茄") and film.title == "番茄牛腩怎么炖？", "not the song's title"
    assert pictures.media_kind == "images" and pictures.video_download_url is None
    assert page.media[film.key].streams and not page.media[pictures.key].streams


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_ads": True}, "ad"),
        ({"aweme_type": 101}, "live"),
        ({"cell_room": {"rawdata": "{}"}}, "live"),
        ({"status": {"is_delete": True}}, "deleted"),
        ({"aweme_id": None, "statistics": {}}, "not_a_work"),
    ],
)
def test_what_is_no_work_is_counted(made, change: dict[str, Any], reason: str) -> None:
    other = made.aweme(**{"aweme_id": "7400000000000000009"} | change)
    page = read(posts(made, made.aweme(), other))
    assert [work.platform_work_id for work in page.items] == [made.AWEME] and page.dropped == {reason: 1}


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}])
def test_entries_that_are_nothing(made, odd: Any) -> None:
    page = read(posts(made, odd, made.aweme()))
    assert len(page.items) == 1


def test_an_advertisement_of_one_s_own_is_a_work(made) -> None:
    own = made.aweme(is_ads=True)
    page = read(posts(made, own), creator_id=own["author"]["sec_uid"])
    assert [work.sponsored for work in page.items] == [True] and not page.dropped


def test_a_work_is_told_once(made) -> None:
    page = read(posts(made, made.aweme(), made.aweme()))
    assert len(page.items) == 1 and page.dropped == {"duplicate": 1}


@pytest.mark.parametrize("odd", [{"type": "live"}, {"model_type": "live_v2"}, {"model_type": "ads"}, {"is_ads": True}])
def test_notes_that_are_none(made, odd: dict[str, Any]) -> None:
    page = read(notes(made, listed(id="66aa00000000000000000009", **odd), listed()), POSTED)
    assert len(page.items) == 1 and sum(page.dropped.values()) == 1


# --- what a list cannot carry


@pytest.mark.parametrize(("length", "cut"), [(99, False), (100, True), (140, True)])
def test_a_cut_caption_is_marked_and_never_main_text(made, length: int, cut: bool) -> None:
    (work,) = read(notes(made, listed(desc="字" * length)), POSTED).items
    assert ("caption_raw" in work.partial) is cut
    assert work.with_words(None, None).primary_text == (None if cut else "字" * length)


def test_a_title_taken_from_a_cut_caption_is_cut_too(made) -> None:
    (work,) = read(notes(made, listed(title="", desc="字" * 100)), POSTED).items
    assert work.title == "字" * 100 and work.partial["title"] == "list_cut"
    (work,) = read(notes(made, listed(title="", desc="第一句。" + "字" * 100)), POSTED).items
    assert work.title == "第一句" and "title" not in work.partial


def test_one_picture_of_several_is_said_to_be_one(made) -> None:
    (work,) = read(notes(made, listed()), POSTED).items
    assert work.partial["image_urls"] == "list_cover_only" and work.partial["topics"] == "not_in_list"


def test_counts_that_are_not_there_are_unknown(made) -> None:
    (work,) = read(notes(made, listed()), POSTED).items
    assert work.digg_count == 7
    assert (work.comment_count, work.collect_count, work.share_count, work.play_count) == (None,) * 4
    assert work.missing["collect_count"] == "not_in_answer" and work.missing["play_count"] == "not_published"


def test_a_token_of_the_profile_opens_no_work_of_it(made) -> None:
    (work,) = read(notes(made, listed()), POSTED, creator_id=USER, xsec_token="ABprofile").items
    assert "ABown" in work.open_url and "ABprofile" not in work.open_url


def test_searches_cut_where_they_like(made) -> None:
    body = made.inner({"items": [{"model_type": "note", "note": listed(desc="字" * 58, liked_count="1.2万")}]})
    (work,) = read(body, NOTE_SEARCH, "search.works", keyword="面").items
    assert work.partial["caption_raw"] == "search_cut"
    assert work.digg_count == 12000 and work.approximate["digg_count"] == "rounded"


# --- how a list goes on


@pytest.mark.parametrize(
    ("more", "goes_on"),
    [(1, True), (True, True), ("1", True), ("true", True), (0, False), (False, False), ("false", False), ("0", False)],
)
def test_more_is_a_number_a_boolean_or_a_text(made, more: Any, goes_on: bool) -> None:
    page = read(posts(made, made.aweme(), has_more=more))
    assert (page.next is not None) is goes_on and page.end == ("" if goes_on else "no_more")


def test_the_request_s_own_cursor_is_not_the_next_one(made) -> None:
    body = posts(made, made.aweme())
    body["params"] = {"max_cursor": 0, "cursor": "0", "has_more": 0}
    assert read(body).next == {"max_cursor": 1767196800000}


def test_the_cursor_of_the_last_note_counts_not_of_the_first(made) -> None:
    rows = [listed(id=f"66aa0000000000000000000{n}", cursor=f"c{n}") for n in (1, 2, 3)]
    assert read(notes(made, *rows), POSTED).next == {"cursor": "c3"}


def test_a_list_without_a_word_about_more_ends_with_an_empty_page(made) -> None:
    assert read(notes(made, listed(), has_more=None), POSTED).next is not None
    page = read(notes(made, has_more=None), POSTED)
    assert (page.verdict, page.next, page.end) == ("ok", None, "empty_page")


@pytest.mark.parametrize("cursor", [None, "", "no_more", -1, {}, True])
def test_more_without_a_cursor_is_no_end(made, cursor: Any) -> None:
    page = read(posts(made, made.aweme(), max_cursor=cursor))
    assert (page.next, page.end) == (None, "cursor_unknown")


def test_a_cursor_that_does_not_move_is_no_way_on(made) -> None:
    page = read(posts(made, made.aweme()), sent={"max_cursor": 1767196800000})
    assert (page.next, page.end) == (None, "cursor_repeated")


def test_several_values_travel_together(made) -> None:
    data = {"data": [{"type": 1, "aweme_info": made.aweme()}, {"type": 16}], "cursor": 20, "has_more": 1}
    body = made.envelope(data | {"backtrace": "bt", "extra": {"logid": "log-1"}})
    page = read(body, SEARCH, "search.works", keyword="面")
    assert page.next == {"cursor": 20, "search_id": "log-1", "backtrace": "bt"}
    assert len(page.items) == 1 and page.dropped == {"not_a_work": 1}
    route = next(r for r in definition("douyin").lists["search.works"].routes if r.ask.route == SEARCH)
    assert page_request(route, {"keyword": "面"}, first_page(route)).inputs == {"keyword": "面", "cursor": 0}
    sent = page_request(route, {"keyword": "面", "sort_type": "1"}, page.next).inputs
    assert sent == {"keyword": "面", "sort_type": "1", "cursor": 20, "search_id": "log-1", "backtrace": "bt"}


def test_pages_that_are_counted_keep_what_only_the_first_answer_tells(made) -> None:
    body = made.inner({"items": [{"note": listed()}], "search_id": "s1", "search_session_id": "t1"})
    second = read(body, NOTE_SEARCH, "search.works").next
    assert second == {"page": 2, "search_id": "s1", "search_session_id": "t1"}
    body = made.inner({"items": [{"note": listed()}]})
    assert read(body, NOTE_SEARCH, "search.works", second).next == second | {"page": 3}
    assert read(made.inner({"items": []}), NOTE_SEARCH, "search.works", second).end == "empty_page"


def test_routes_that_count_alike_go_on_from_each_other() -> None:
    app, web = definition("douyin").lists["creator.works"].routes
    meant = meanings(app, {"max_cursor": 5})
    assert first_page(web, meant) == {"max_cursor": 5}
    other = replace(web, page=(replace(web.page[0], means=None),))
    assert first_page(other, meant) == {"max_cursor": "0"}


def test_a_page_size_is_always_the_same_so_that_answers_can_be_used_again() -> None:
    app = definition("douyin").lists["creator.works"].routes[0]
    assert page_request(app, {"creator_id": "MS4wx"}, first_page(app)).inputs == {
        "sec_user_id": "MS4wx", "sort_type": 0, "count": 20, "max_cursor": 0,
    }  # fmt: skip


# --- answers without a list


def test_answers_without_a_list(made) -> None:
    assert read(made.envelope({"status_code": 0, "has_more": 1})).verdict == "empty"
    assert read(made.envelope({"status_code": 0, "aweme_list": None, "has_more": 0})).verdict == "ok"
    assert read(made.envelope({"status_code": 8, "status_msg": "稍后再试"})).verdict == "failed"
    assert read(made.envelope({"code": -1, "success": False, "data": {}}), POSTED).verdict == "failed"


def test_a_list_of_mere_ids_is_thin(made) -> None:
    bare = {"aweme_id": made.AWEME, "author": {"nickname": "厨房猫"}}
    assert read(posts(made, bare)).thin and not read(posts(made, bare, made.aweme(aweme_id="74000000000000002"))).thin


# --- comments and people


def test_comments(made) -> None:
    row = {
        "cid": "7400000000000000500", "aweme_id": made.AWEME, "text": "谢谢[赞]", "create_time": 1767196800,
        "digg_count": "1.2万", "reply_comment_total": 3, "reply_id": "0", "ip_label": "河南", "label_text": "作者",
        "user": {"nickname": "厨房猫", "sec_uid": "MS4wx"},
    }  # fmt: skip
    body = made.envelope({"comments": [row], "cursor": 20, "has_more": 1})
    (comment,) = read(body, "douyin.app.v3.fetch_video_comments", "work.comments", work_id=made.AWEME).items
    assert (comment.text, comment.like_count, comment.approximate) == ("谢谢[赞]", 12000, {"like_count": "rounded"})
    assert (comment.reply_count, comment.parent_id, comment.is_author, comment.ip_location) == (3, None, True, "河南")
    assert comment.published_at == "2026-01-01T00:00:00+08:00"
    reply = {"id": "66bb", "content": "好", "user": {"userid": USER}, "target_comment": {"id": "66cc"}}
    body = made.inner({"comments": [reply], "cursor": {"cursor": "66bb", "index": 2}, "has_more": True})
    page = read(
        body, "xiaohongshu.app_v2.get_note_sub_comments", "comment.replies",
        work_id="66aa", comment_id="66dd", creator_id=USER,
    )  # fmt: skip
    assert (page.items[0].parent_id, page.items[0].is_author, page.items[0].like_count) == ("66cc", True, None)
    assert page.next == {"cursor": "66bb", "index": 2}
    for cursor, following in (('{"cursor":"66bb","index":2}', page.next), ("{not JSON", None), ('["66bb"]', None)):
        body = made.inner({"comments": [reply], "cursor": cursor, "has_more": True})
        told = read(body, "xiaohongshu.app_v2.get_note_sub_comments", "comment.replies", work_id="66aa", comment_id="6")
        assert told.next == following, cursor


def test_the_author_is_known_by_the_label_or_by_the_id(made) -> None:
    def by_author(label: str, writer: str) -> bool | None:
        row = {"cid": "1", "text": "好", "label_text": label, "label_type": -1, "user": {"sec_uid": writer}}
        body = made.envelope({"comments": [row], "has_more": 0})
        route = "douyin.app.v3.fetch_video_comments"
        return read(body, route, "work.comments", work_id=made.AWEME, creator_id="MS4w-a").items[0].is_author

    assert [by_author("作者", "x"), by_author("", "MS4w-a"), by_author("", "x")] == [True, True, False]


def test_people_who_were_searched_for(made) -> None:
    found = {"user_info": {"sec_uid": "MS4wx", "nickname": "厨房猫", "follower_count": 9}}
    body = made.envelope({"user_list": [found, {}], "cursor": 10, "has_more": 1, "extra": {"logid": "l"}})
    page = read(body, "douyin.search.fetch_user_search", "search.creators", keyword="猫")
    assert page.items[0].fans_count == 9 and page.dropped == {"not_a_creator": 1}
    assert page.next == {"cursor": 10, "search_id": "l"}


# --- every list of every platform


@pytest.mark.parametrize("platform", names())
def test_contracts_that_take_a_token_are_sent_it(platform: str) -> None:
    known = definition(platform)
    asked = [route for rule in known.objects.values() for route in rule.routes]
    asked += [route.ask for rule in known.lists.values() for route in rule.routes]
    for ask in asked:
        if catalog.get(ask.route).input("xsec_token"):
            assert any("xsec_token" in send for send in ask.send), ask.route


@pytest.mark.parametrize("platform", names())
def test_every_list_can_be_asked_for(platform: str) -> None:
    known = {"creator_id": "c", "work_id": "w", "comment_id": "k", "keyword": "x", "topic_id": "t"}
    lists = definition(platform).lists
    assert {
        "creator.works",
        "search.works",
        "search.creators",
        "work.comments",
        "comment.replies",
        "topic.works",
    } <= set(lists)
    for name, rule in lists.items():
        assert list_requests(definition(platform), name, known) == rule.routes
        assert all(isinstance(field, PageField) for route in rule.routes for field in route.page)


MEMBERS = (
    "data aweme_list notes items note aweme_id id desc user nickname cursor max_cursor has_more comments cid user_list"
    " user_info sec_uid type status"
).split()
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)
EVERY = [
    (platform, name, route.ask.route)
    for platform in names()
    for name, rule in definition(platform).lists.items()
    for route in rule.routes
]


@given(body=BODIES, where=st.sampled_from(EVERY))
def test_whatever_a_page_holds_it_is_read(body: Any, where: tuple[str, str, str]) -> None:
    _, name, route = where
    page = read(body, route, name)
    assert (page.next is None) == bool(page.end) or page.verdict != "ok"
    assert len({item.key for item in page.items}) == len(page.items)
