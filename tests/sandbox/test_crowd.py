"""People with many works: the same each time, made when they are looked at, and as awkward as real profiles."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tikomni.sandbox import links
from tikomni.sandbox.world import crowd, load, media

POSTS, POSTED = "douyin/app/v3/fetch_user_post_videos", "xiaohongshu/app_v2/get_user_posted_notes"
MANY = [(name, profile.size) for name, profile in crowd.PROFILES.items()]


@pytest.mark.parametrize(("name", "size"), MANY)
def test_a_profile_has_as_many_works_as_it_is_called(name: str, size: int) -> None:
    works = load().works_of(load().creators[name])
    assert len(works) == size
    places = [*range(min(size, 40)), *range(max(size - 3, 0), size)]
    for place in places:
        work = works[place]
        assert load().work(work.platform, work.id) == work == load().named(work.name)
        assert crowd.place_of(works, work.id) == place
    assert len({work.id for work in works[:300]}) == min(size, 300)


def test_pinned_works_come_first_and_out_of_order_and_all_others_newest_first() -> None:
    works = load().works_of(load().creators["xhs_200"])
    assert [work.pinned for work in works[:3]] == [True, True, False]
    assert works[0].published < works[2].published
    assert all(a.published > b.published for a, b in pairwise(works[2:]))


def test_two_works_are_always_younger_than_72_hours() -> None:
    now = datetime.now().astimezone()
    for name in ("dy_60", "xhs_60"):
        works = load().works_of(load().creators[name])
        young = [work for work in works if now - work.published < timedelta(hours=72)]
        assert len(young) == 2 and all(work.published < now for work in works)


def test_kinds_counts_and_captions_differ() -> None:
    works = load().works_of(load().creators["xhs_200"])[:]
    assert {work.kind for work in works} == {"video", "pictures", "live_photos"}
    assert any(isinstance(work.counts["liked"], str) for work in works) and any(work.unlisted for work in works)
    assert any(len(work.caption) > 100 for work in works) and any(len(work.caption) < 60 for work in works)
    assert {work.subtitles for work in works} == {(), ("source", "zh-CN")}


def test_time_brings_new_works_and_higher_counts(client) -> None:
    creator = load().creators["dy_60"]
    before = load().works_of(creator)[:]
    assert client.post("/sandbox/advance", works=10).json == {"new_works": 10}
    after = load().works_of(creator)[:]
    new = [work for work in after if work.id not in {work.id for work in before}]
    assert len(after) == 70 and len(new) == 10 and all(not work.pinned for work in new)
    assert {work.id for work in before} < {work.id for work in after}
    assert after[2] == new[0] and new[0].published > before[2].published
    likes = {work.id: work.counts["digg"] for work in after}
    assert sum(likes[work.id] != work.counts["digg"] for work in before) > 30
    user = client.get("douyin/app/v3/handler_user_profile", sec_user_id=creator.id).data["user"]
    assert user["aweme_count"] == 70
    client.post("/sandbox/reset")
    assert len(load().works_of(creator)) == 60


def test_pages_hold_what_is_no_work(client) -> None:
    cursor, seen = 0, []
    for _ in range(3):
        page = client.get(POSTS, sec_user_id=links["dy_60"].id, max_cursor=cursor, count=20).data
        seen += page["aweme_list"]
        cursor = page["max_cursor"]
    assert [item["aweme_type"] for item in seen].count(101) == 1 and page["has_more"] == 0
    assert sum(item["is_ads"] for item in seen) == 2
    assert sum(item["status"]["is_delete"] for item in seen) == 1
    ids = [item["aweme_id"] for item in seen]
    assert len(ids) > len(set(ids))


def test_the_request_is_told_back_before_the_answer(client) -> None:
    reply = client.get(POSTED, user_id=links["xhs_60"].id, cursor="")
    assert list(reply.json).index("params") < list(reply.json).index("data")
    assert reply.json["params"]["user_id"] == links["xhs_60"].id


def test_an_old_route_tells_likes_alone(client) -> None:
    note = client.get("xiaohongshu/app/get_user_notes", user_id=links["xhs_3"].id).data["data"]["notes"][0]
    assert "likes" in note and not {"collected_count", "comments_count", "create_time"} & set(note)
    data = client.get("xiaohongshu/web_v3/fetch_user_notes", user_id=links["xhs_60"].id).data["data"]
    assert isinstance(data["notes"][0]["interact_info"]["liked_count"], str) and data["cursor"]


def test_their_works_have_details_pictures_and_words(client, sandbox) -> None:
    film = next(w for w in load().works_of(load().creators["dy_60"]) if w.kind == "video")
    item = client.get("douyin/app/v3/fetch_one_video", aweme_id=film.id).data["aweme_detail"]
    address = item["video"]["play_addr"]["url_list"][0]
    assert client.send("GET", address).status == 200
    cover = client.send("GET", item["video"]["cover"]["url_list"][1])
    assert cover.headers["content-type"] == "image/jpeg" and len(cover.body) < 12_000
    heard = media.find(film.name, address.rpartition("/")[2].partition("?")[0])
    assert [sentence.text for sentence in heard.sentences] == list(film.words) and len(film.words) > 4
    note = load().works_of(load().creators["xhs_60"])[5]
    kind = "video" if note.kind == "video" else "image"
    assert client.get(f"xiaohongshu/app_v2/get_{kind}_note_detail", note_id=note.id).data["data"]


def test_people_are_found_by_their_numbers(client) -> None:
    person = load().creators["dy_60"]
    for route, name, value in (
        ("handler_user_profile_v2", "unique_id", person.handle), ("fetch_user_profile_by_uid", "uid", person.uid),
    ):  # fmt: skip
        assert client.get(f"douyin/web/{route}", **{name: value}).data["user"]["sec_uid"] == person.id
    cats = load().creators["cats"]
    found = client.get("douyin/web/fetch_user_profile_by_short_id", short_id=cats.short_id).data
    assert found["user"]["sec_uid"] == cats.id
    users = client.get("xiaohongshu/app_v2/search_users", keyword="xiaoman_kitchen").data["data"]["users"]
    assert users[0]["id"] == links["kitchen"].id
