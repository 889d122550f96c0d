"""A creator's works, walked over real HTTP: all of them once, whatever stands in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tikomni.errors import InputError, TikomniError, UpstreamError
from tikomni.pipelines.lists import collect
from tikomni.platforms import Page, definition
from tikomni.platforms.definitions import Route
from tikomni.sandbox.world import crowd

APP, WEB = "douyin.app.v3.fetch_user_post_videos", "douyin.web.fetch_user_post_videos"
POSTED, OLD = "xiaohongshu.app_v2.get_user_posted_notes", "xiaohongshu.app.get_user_notes"
SECOND_APP, WEBSITE = "xiaohongshu.web_v2.fetch_home_notes_app", "xiaohongshu.web_v3.fetch_user_notes"


@pytest.mark.parametrize(
    ("name", "works", "pages"),
    [
        ("dy_0", 0, 1), ("dy_1", 1, 1), ("dy_3", 3, 1), ("dy_20", 20, 1), ("dy_60", 60, 3), ("dy_200", 200, 10),
        ("xhs_0", 0, 1), ("xhs_1", 1, 1), ("xhs_20", 20, 2), ("xhs_60", 60, 6), ("xhs_200", 200, 20),
    ],
)  # fmt: skip
def test_a_profile_is_walked_to_its_end(place, name: str, works: int, pages: int) -> None:
    got = place.works(name)
    assert (len(got.items), got.stop_reason, got.pages, got.complete) == (works, "no_more", pages, True)
    assert len({work.key for work in got.items}) == works
    assert place.billed == pages and set(place.asked) == {got.route}
    assert got.trouble == ""


def test_a_thousand_works_are_a_thousand_works(place) -> None:
    assert len(place.works("dy_1000").items) == 1000


@pytest.mark.parametrize("name", ["dy_60", "xhs_60"])
def test_what_is_no_work_of_theirs_is_counted_and_left_out(place, name: str) -> None:
    got = place.works(name)
    author = place.target(name).ids["creator_id"]
    assert {work.platform_author_id for work in got.items} == {author}
    assert got.dropped["ad"] and got.dropped["live"] and got.dropped["duplicate"]
    assert name != "dy_60" or got.dropped["deleted"]
    assert {work.media_kind for work in got.items} >= {"video", "images"}


def test_a_second_walk_is_free(place) -> None:
    first = place.works("dy_60")
    billed = place.billed
    second = place.works("dy_60")
    assert place.billed == billed
    assert [work.key for work in second.items] == [work.key for work in first.items]


@pytest.mark.parametrize("name", ["dy_60", "xhs_60"])
def test_pages_are_told_as_they_arrive(place, name: str) -> None:
    told: list[Page] = []
    got = place.works(name, on_page=told.append)
    assert [item for page in told for item in page.items] == list(got.items)
    assert len(told) == got.pages
    media = {key: media for page in told for key, media in page.media.items()}
    videos = [work for work in got.items if work.work_modality == "video"]
    assert videos and all(media[work.key].streams for work in videos)


def test_enough_is_enough_and_the_rest_can_be_had(place) -> None:
    got = place.works("dy_200", most=30)
    assert (len(got.items), got.stop_reason, got.pages, got.complete) == (30, "most", 2, False)
    more = place.works("dy_200", most=60)
    assert len(more.items) == 60 and more.items[:30] == got.items
    assert place.billed == 3, "the first two pages were there already"


# --- dates


@pytest.mark.parametrize("name", ["dy_200", "xhs_200"])
def test_old_pinned_works_do_not_end_a_walk_back_to_a_date(place, name: str) -> None:
    since = datetime.now().astimezone() - timedelta(days=45)
    got = place.works(name, since=since)
    everything = place.works(name)
    recent = [w.key for w in everything.items if datetime.fromisoformat(w.published_at) >= since]
    assert everything.items[0].pinned and everything.items[1].pinned
    assert sorted(w.key for w in got.items) == sorted(recent) and len(recent) > 20
    assert got.stop_reason == "since" and got.pages < everything.pages
    assert got.dropped["older"]


def test_a_window_leaves_out_what_is_newer(place) -> None:
    now = datetime.now().astimezone()
    got = place.works("dy_60", since=now - timedelta(days=30), until=now - timedelta(days=10))
    assert got.items and got.dropped["newer"]
    assert all(
        now - timedelta(days=30) <= datetime.fromisoformat(w.published_at) < now - timedelta(days=10) for w in got.items
    )


def test_works_without_a_date_are_not_taken_for_recent(place, sandbox) -> None:
    sandbox.faults.add(POSTED, "status", times=None, status=503)
    got = place.works("xhs_20", since=datetime.now().astimezone() - timedelta(days=3))
    assert got.route == OLD and got.items == () and got.dropped["undated"] == 20


# --- later runs


@pytest.mark.parametrize("name", ["dy_200", "xhs_200"])
def test_a_later_walk_stops_at_the_first_page_of_known_works(place, name: str) -> None:
    before = {work.key: work for work in place.works(name).items}
    crowd.advance(10)
    paid = place.billed
    later = place.works(name, stop_at_known=lambda work: work.key in before, max_age=0)
    new = [work for work in later.items if work.key not in before]
    assert len(new) == 10 and later.stop_reason == "known"
    assert place.billed - paid <= 2
    known = [work for work in later.items if work.key in before and work.digg_count is not None]
    assert any(work.digg_count > before[work.key].digg_count for work in known)


def test_known_works_end_nothing_unless_the_caller_says_so(place) -> None:
    place.works("xhs_60", most=20)
    crowd.advance(10)
    assert len(place.works("xhs_60", max_age=0).items) == 70


# --- trouble


def test_the_route_that_worked_is_kept_and_another_goes_on_from_the_same_place(place, sandbox) -> None:
    sandbox.faults.add(APP, "status", times=None, skip=2, status=503)
    got = place.works("dy_200")
    assert (len(got.items), got.stop_reason, got.route) == (200, "no_more", WEB)
    assert place.asked.count(APP) == 3 and place.asked.count(WEB) == 8, "neither starts anew"
    assert got.skipped == {APP: "upstream"}


def test_a_route_that_counts_otherwise_starts_anew_without_repeating_works(place, sandbox) -> None:
    known = definition("douyin")
    listed = known.lists["creator.works"]
    odd = replace(listed.routes[1], page=(replace(listed.routes[1].page[0], means=None),))
    lists = {**known.lists, "creator.works": replace(listed, routes=(listed.routes[0], odd))}
    target = place.target("dy_200")
    sandbox.faults.add(APP, "status", times=None, skip=5, status=503)
    got = place.run(lambda dispatcher: collect(replace(known, lists=lists), "creator.works", target.ids, dispatcher))
    assert len(got.items) == len({work.key for work in got.items}) == 200
    assert place.asked.count(WEB) == 10


@pytest.mark.parametrize("kind", ["empty", "error_code", "html", "close_after"])
def test_an_answer_without_a_list_is_not_the_end_of_it(place, sandbox, kind: str) -> None:
    sandbox.faults.add(APP, "status", times=None, skip=3, status=503)
    sandbox.faults.add(WEB, kind, times=None)
    got = place.works("dy_200")
    assert (len(got.items), got.complete) == (60, False) and got.stop_reason.startswith("page_failed_")
    sandbox.faults.reset()
    assert place.works("dy_200").complete


def test_a_first_answer_without_a_list_is_another_route_s_turn(place, sandbox) -> None:
    sandbox.faults.add(APP, "empty", times=None)
    got = place.works("dy_60", max_age=0)
    assert (len(got.items), got.route, got.complete) == (60, WEB, True)


def test_what_came_before_a_failing_page_is_kept(place, sandbox) -> None:
    for route in (APP, WEB):
        sandbox.faults.add(route, "status", times=None, skip=3 if route == APP else 0, status=503)
    got = place.works("dy_200")
    assert (len(got.items), got.stop_reason, got.complete) == (60, "page_failed_upstream", False)
    assert set(got.skipped) == {APP, WEB} and got.trouble
    sandbox.faults.reset()
    billed = place.billed
    again = place.works("dy_200")
    assert len(again.items) == 200 and place.billed == billed + 7, "three pages were paid for before"


def test_without_any_page_the_failure_is_the_answer(place, sandbox) -> None:
    for route in (APP, WEB):
        sandbox.faults.add(route, "status", times=None, status=503)
    with pytest.raises(UpstreamError):
        place.works("dy_60")


def test_a_refused_key_ends_it_at_once(place, sandbox) -> None:
    sandbox.faults.add("*", "status", times=None, status=401)
    with pytest.raises(InputError) as caught:
        place.works("dy_60")
    assert caught.value.code == "rejected_key" and len(place.asked) == 1


def test_an_empty_account_keeps_what_came(place, sandbox) -> None:
    sandbox.faults.add(APP, "status", times=None, skip=2, status=402)
    got = place.works("dy_200")
    assert (len(got.items), got.stop_reason) == (40, "quota") and got.trouble
    assert WEB not in place.asked


def test_no_time_left_is_a_result_and_goes_on_later(place) -> None:
    got = place.works("dy_60", deadline=0.0)
    assert (got.items, got.stop_reason) == ((), "deadline")
    assert place.asked == []
    assert len(place.works("dy_60").items) == 60


def test_older_shapes_lack_counts_and_never_say_zero(place, sandbox) -> None:
    sandbox.faults.add(POSTED, "status", times=None, status=503)
    got = place.works("xhs_60")
    assert (got.route, len(got.items)) == (OLD, 60)
    for work in got.items:
        assert work.digg_count is not None and work.published_at is None
        assert (work.comment_count, work.collect_count, work.share_count) == (None, None, None)
        assert work.missing["comment_count"] == "not_in_answer"


def test_the_website_tells_likes_alone_and_rounds_them(place, sandbox) -> None:
    for route in (POSTED, OLD, SECOND_APP):
        sandbox.faults.add(route, "status", times=None, status=503)
    got = place.works("xhs_200")
    assert (got.route, len(got.items), got.pages) == (WEBSITE, 200, 7)
    assert {work.approximate.get("digg_count") for work in got.items} == {None, "rounded"}
    assert all(work.caption_raw is None and work.title and "xsec_token=" in work.open_url for work in got.items)


def test_an_empty_first_page_is_not_believed_where_there_should_be_works(place) -> None:
    place.works("xhs_0", expected=7, max_age=0)
    assert place.asked == [POSTED, OLD, SECOND_APP, WEBSITE]
    place.sandbox.requests.clear()
    place.works("xhs_0", expected=0)
    assert place.asked == []


def test_a_route_that_needs_a_cookie_is_skipped_with_that_reason(place) -> None:
    known = definition("douyin")
    listed = known.lists["creator.works"]
    own = replace(listed.routes[0], ask=Route("douyin.web.fetch_user_collection_videos", ({},)), size=None)
    lists = {**known.lists, "creator.works": replace(listed, routes=(own, *listed.routes))}
    target = place.target("dy_3")
    got = place.run(lambda dispatcher: collect(replace(known, lists=lists), "creator.works", target.ids, dispatcher))
    assert got.skipped == {own.ask.route: "needs_cookie"} and len(got.items) == 3
    assert set(place.asked) == {APP}


def test_without_an_id_nothing_is_asked(place) -> None:
    with pytest.raises(TikomniError) as caught:
        place.run(lambda dispatcher: collect(definition("douyin"), "creator.works", {"creator_id": ""}, dispatcher))
    assert caught.value.code == "not_found" and place.asked == []


def test_a_private_profile_shows_nothing(place) -> None:
    got = place.works("locked")
    assert (got.items, got.stop_reason) == ((), "no_more")


def test_comments_are_a_list_like_any_other(place) -> None:
    for name, ids in (("douyin", "dy_video"), ("xiaohongshu", "xhs_subtitled")):
        target = place.target(ids)
        got = place.run(
            lambda dispatcher, name=name, target=target: collect(
                definition(name), "work.comments", target.ids, dispatcher
            )
        )
        assert len(got.items) == 23 and got.complete
        first = got.items[0]
        assert first.text and first.published_at and first.like_count == 312 and first.reply_count == 4
        assert first.platform_work_id == target.ids["work_id"] and first.ip_location == "江苏"


@pytest.mark.parametrize("platform", ["douyin", "xiaohongshu"])
def test_searches_go_on_with_all_that_travels_together(place, platform: str) -> None:
    got = place.run(lambda dispatcher: collect(definition(platform), "search.works", {"keyword": "跑步"}, dispatcher))
    assert len(got.items) > 20 and got.pages > 1 and got.stop_reason == "no_more" and not got.skipped
    assert all("跑步" in f"{work.title} {work.caption_raw}" or work.partial for work in got.items)
    kinds = {"ad", "live", "user", "query", "duplicate"} | ({"not_a_work"} if platform == "douyin" else set())
    assert set(got.dropped) == kinds and got.dropped["query"] == got.pages == got.dropped["duplicate"] + 1
