"""Profiles, lists, searches and comments that were really given, where they are at hand: none is part of the project.

What they must read as is taken from the same file by plain paths, so that no fact of theirs stands here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
import pytest

from tikomni.platforms import CreatorReading, Page, definition, read_creator, read_list

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
ZONE = ZoneInfo("Asia/Shanghai")

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no real answers at hand")

DOUYIN, NOTES = "douyin/", "xiaohongshu/"
PROFILES = [
    (DOUYIN + "get_user_detail_v3-justoneapi-1.json", "douyin.app.v3.handler_user_profile", "data.user"),
    (NOTES + "app-user_info-canglingzhiyue-1.json", "xiaohongshu.app_v2.get_user_info", "data"),
    (NOTES + "get_user_v3-justoneapi-1.json", "xiaohongshu.app.get_user_info", "data"),
]
COUNTS = {
    "douyin": {
        "fans_count": "follower_count",
        "following_count": "following_count",
        "liked_count": "total_favorited",
        "works_count": "aweme_count",
    },
    "xiaohongshu": {
        "fans_count": "fans",
        "following_count": "follows",
        "liked_count": "liked",
        "collected_count": "collected",
        "works_count": "note_num_stat.posted",
    },
}
LISTS = [
    # file, list, route, where the entries stand, what is told beside the list about how to go on
    (DOUYIN + "get_user_video_list_v1-justoneapi-1.json", "creator.works", "douyin.app.v3.fetch_user_post_videos",
     "data.aweme_list[]", {"max_cursor": "data.max_cursor"}),
    (DOUYIN + "post-list-web-2020-laizige-1.json", "creator.works", "douyin.web.fetch_user_post_videos",
     "aweme_list[]", {"max_cursor": "to_string(max_cursor)"}),
    (NOTES + "app-user_notes-canglingzhiyue-1.json", "creator.works", "xiaohongshu.app_v2.get_user_posted_notes",
     "data.notes[]", {"cursor": "data.notes[-1].cursor"}),
    (NOTES + "web_v2-note_collect_page-heliumpro-1.json", "creator.works", "xiaohongshu.web_v3.fetch_user_notes",
     "data.notes[]", {"cursor": "data.cursor"}),
    (DOUYIN + "tikhub-search_general_v1-envelope-ideasseek-1.json", "search.works",
     "douyin.search.fetch_general_search_v1", "data.data[].aweme_info",
     {"cursor": "data.cursor", "search_id": "data.extra.logid", "backtrace": "data.backtrace"}),
    (DOUYIN + "search_video_v4-justoneapi-1.json", "search.works", "douyin.search.fetch_video_search_v2",
     "data.business_data[].data.aweme_info",
     {"cursor": "data.business_config.next_page.cursor", "search_id": "data.business_config.next_page.search_id",
      "backtrace": "data.business_config.backtrace"}),
    (NOTES + "search_note_v2-justoneapi-1.json", "search.works", "xiaohongshu.app_v2.search_notes",
     "data.items[].note", None),
    (NOTES + "search_note_v3-justoneapi-1.json", "search.works", "xiaohongshu.app_v2.search_notes",
     "data.items[].note", None),
    (NOTES + "tikhub-web-search_notes-envelope-ideasseek-1.json", "search.works", "xiaohongshu.web.search_notes",
     "data.data.items[].note", None),
]  # fmt: skip
COMMENTS = [
    (DOUYIN + "tikhub-web-fetch_video_comments-ideasseek-1.json", "douyin.web.fetch_video_comments",
     "data.comments[]", "cid", "text", "digg_count", "data.cursor"),
    (NOTES + "tikhub-web-get_note_comments-ideasseek-1.json", "xiaohongshu.web.get_note_comments",
     "data.data.comments[]", "id", "content", "like_count", None),
]  # fmt: skip


def _body(file: str) -> Any:
    return json.loads((SAMPLES / file).read_text("utf-8"))


def _profile(file: str, route: str, **wanted: str) -> CreatorReading:
    return read_creator(definition(route.partition(".")[0]), _body(file), route, wanted, ZONE, datetime.now(UTC))


def _page(file: str, name: str, route: str) -> Page:
    platform = definition(route.partition(".")[0])
    return read_list(platform, name, _body(file), route, known={}, zone=ZONE, now=datetime.now(UTC))


@pytest.mark.parametrize(("file", "route", "where"), PROFILES, ids=lambda value: value)
def test_a_real_profile_reads_as_it_says(file: str, route: str, where: str) -> None:
    raw, platform = jmespath.search(where, _body(file)), route.partition(".")[0]
    reading = _profile(file, route)
    creator = reading.creator
    assert reading.verdict == "ok" and reading.hidden is None
    assert creator.author_name == raw["nickname"]
    assert creator.platform_author_id == (raw.get("sec_uid") or raw.get("userid"))
    assert creator.author_handle == (raw.get("red_id") or raw.get("unique_id"))
    for name, path in COUNTS[platform].items():
        assert getattr(creator, name) == jmespath.search(path, raw), name
    assert creator.signature and creator.avatar_url.startswith("https://") and creator.profile_url
    assert creator.ip_location and ":" not in creator.ip_location and "：" not in creator.ip_location
    reason = raw.get("enterprise_verify_reason") or raw.get("red_official_verify_content")
    assert (creator.verified, creator.verified_reason) == (bool(reason), reason or None)
    assert set(creator.missing) <= {"collected_count"}


def test_a_profile_page_s_state_is_read_with_the_id_that_was_asked_for() -> None:
    file = NOTES + "web-initial_state-user_profile-heliumpro-1.json"
    raw = _body(file)["user"]
    own = raw["userInfo"]["userId"]
    reading = _profile(file, "xiaohongshu.web_v3.fetch_user_info", creator_id=own)
    assert reading.creator.platform_author_id == own
    counts = {row["type"]: int(row["count"]) for row in raw["userPageData"]["interactions"]}
    assert (reading.creator.fans_count, reading.creator.following_count) == (counts["fans"], counts["follows"])
    assert reading.creator.liked_count is None, "likes and collects are one number there"
    assert (reading.verdict, reading.reason) == ("sparse", "works_count")


@pytest.mark.parametrize(("file", "name", "route", "where", "following"), LISTS, ids=lambda value: str(value)[:60])
def test_a_real_list_reads_as_it_says(file: str, name: str, route: str, where: str, following: Any) -> None:
    body = _body(file)
    entries = jmespath.search(where, body)
    page = _page(file, name, route)
    ids = [entry.get("aweme_id") or entry.get("note_id") or entry["id"] for entry in entries]
    assert page.verdict == "ok" and [work.platform_work_id for work in page.items] == ids
    assert not page.dropped and not page.thin
    if following is not None:
        assert dict(page.next) == {send: jmespath.search(path, body) for send, path in following.items()}
    for work, entry in zip(page.items, entries, strict=True):
        assert work.author_name == entry["user" if "user" in entry else "author"]["nickname"]
        assert work.title and work.digg_count is not None and work.cover_image
        assert work.play_count is None and work.missing["play_count"] == "not_published"
        desc = entry.get("desc")
        assert work.caption_raw == desc
        cut = len(desc or "") >= (100 if name == "creator.works" else 50) and file.startswith(NOTES)
        assert ("caption_raw" in work.partial) is cut


def test_an_old_list_s_unknown_counts_stay_unknown() -> None:
    file, name, route, where, _ = LISTS[2]
    for work in _page(file, name, route).items:
        assert (work.comment_count, work.collect_count, work.share_count, work.published_at) == (None,) * 4
        assert work.with_words(None, None).primary_text is None
    assert all("liked_count" not in entry for entry in jmespath.search(where, _body(file)))


@pytest.mark.parametrize(("file", "route", "where", "own_id", "text", "likes", "cursor"), COMMENTS)
def test_real_comments_read_as_they_say(
    file: str, route: str, where: str, own_id: str, text: str, likes: str, cursor: str | None
) -> None:
    body = _body(file)
    rows = jmespath.search(where, body)
    page = _page(file, "work.comments", route)
    assert [(c.comment_id, c.text, c.like_count) for c in page.items] == [
        (row[own_id], row[text] or None, row[likes]) for row in rows
    ]
    assert all(c.published_at and c.author_name and c.platform_author_id and c.platform_work_id for c in page.items)
    assert all(c.parent_id is None for c in page.items)
    if cursor:
        assert page.next["cursor"] == jmespath.search(cursor, body) and page.more is True
    else:
        assert (page.next, page.more) == (None, False)
